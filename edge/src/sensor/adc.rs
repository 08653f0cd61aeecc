//! Supervised inputs: read again and again from a file of the kernel (IIO).

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use gatepost_wire::event::{Measurement, SensorFaultKind};
use tokio::time::{Instant, sleep_until};

use super::sign::{Line, Reading, Said, Sign};
use crate::clock::Clock;
use crate::config::{AdcPoint, LineState};

/// A supervised input.
pub(super) struct Adc {
    point: AdcPoint,
    due: Instant,
    clock: Arc<Clock>,
}

/// A converter that gives nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdcFault {
    #[error("{}: the converter cannot be read: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
}

impl Adc {
    pub fn new(point: AdcPoint, clock: Arc<Clock>) -> Self {
        Self { point, due: Instant::now(), clock }
    }
}

impl Line for Adc {
    type Fault = AdcFault;

    async fn listen(&mut self) -> Result<Vec<Sign>, AdcFault> {
        sleep_until(self.due).await;
        // What took longer than the pause is not caught up on.
        self.due = Instant::now() + self.point.poll_ms.span();
        let text = tokio::fs::read_to_string(&self.point.file).await;
        let text = text.map_err(|source| AdcFault::Unreadable { file: self.point.file.clone(), source })?;
        let (at, _) = self.clock.now();
        Ok(vec![Sign { sensor: 0, at, said: said(&self.point, &text) }])
    }
}

/// What a reading means.
fn said(point: &AdcPoint, text: &str) -> Said {
    let raw = text.trim().parse::<f64>().ok().filter(|raw| raw.is_finite());
    let Some(raw) = raw else {
        return Said::Failed(format!("{}: no number: {:?}", point.file.display(), text.trim()));
    };
    let value = raw * point.scale;
    let state = point.state(value);
    // While its line is cut or bridged nobody knows whether it trips.
    let tripped = match state {
        Some(LineState::Normal) => Some(false),
        Some(LineState::Alarm) => Some(true),
        Some(LineState::Open | LineState::Short) | None => None,
    };
    let measured = || format!("it measures {value:.1} {}", point.unit);
    let ill = |is: LineState, what: &str| (state == Some(is)).then(|| format!("{what}: {}", measured()));
    let faults = match state {
        Some(_) => vec![
            (SensorFaultKind::Open, ill(LineState::Open, "the line is cut")),
            (SensorFaultKind::Short, ill(LineState::Short, "the line is bridged")),
        ],
        None => Vec::new(),
    };
    let measured = Some(Measurement { value, unit: point.unit.clone() });
    Said::Reading(Reading { tripped, measured, faults })
}

#[cfg(test)]
mod tests {
    use SensorFaultKind::{Open, Short};

    use super::*;

    fn read(text: &str) -> Said {
        let point = "file = 'adc'\nscale = 2.0\nunit = 'mV'\nbands = [{ is = 'short', at_most = 100 }, \
                     { is = 'normal', at_least = 400, at_most = 600 }, { is = 'alarm', at_least = 800, at_most = 1000 }, \
                     { is = 'open', at_least = 2000 }]";
        said(&toml::from_str(point).unwrap(), text)
    }

    fn reading(text: &str) -> Reading {
        let Said::Reading(reading) = read(text) else { panic!("{text}") };
        reading
    }

    #[test]
    fn a_supervised_line_tells_four_states_apart() {
        assert_eq!((reading("250\n").tripped, reading("450\n").tripped), (Some(false), Some(true)));
        assert_eq!(reading("250").measured.unwrap().value, 500.0, "scaled");
        assert_eq!(reading("250").faults, [(Open, None), (Short, None)]);
        let cut = reading("2047");
        assert_eq!(cut.tripped, None);
        assert_eq!(
            cut.faults,
            [(Open, Some("the line is cut: it measures 4094.0 mV".into())), (Short, None)]
        );
        assert_eq!(reading("3").faults[1], (Short, Some("the line is bridged: it measures 6.0 mV".into())));
        let between = reading("350");
        assert_eq!((between.tripped, between.faults.len()), (None, 0), "it stays what it was");
    }

    #[test]
    fn no_number_is_a_failed_reading() {
        for text in ["", "busy", "nan", "inf", "1 2"] {
            assert!(matches!(read(text), Said::Failed(_)), "{text}");
        }
    }
}
