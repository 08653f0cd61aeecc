//! A line is listened to for as long as the daemon runs, whatever becomes of it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::desk::Desk;
use super::sign::{Line, Said};
use crate::backoff::Backoff;

const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_LAST: Duration = Duration::from_secs(30);
/// How late a silence, or the end of a chatter, may be noticed.
const TICK: Duration = Duration::from_millis(250);

/// Listens to a line for ever. One that panics is made anew.
pub(super) async fn supervise<L: Line>(name: String, make: impl Fn() -> L, desk: Arc<Desk>) {
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LAST);
    loop {
        // Dropped with its task, when this one is aborted.
        let mut task = JoinSet::new();
        task.spawn(attend(name.clone(), make(), Arc::clone(&desk)));
        let ended = task.join_next().await;
        tracing::error!(line = %name, "what listens to it panicked ({ended:?}); it is begun anew");
        desk.fail("the box failed to listen to it; its log says more").await;
        sleep(backoff.next_pause()).await;
    }
}

async fn attend<L: Line>(name: String, mut line: L, desk: Arc<Desk>) {
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LAST);
    let mut said = String::new();
    loop {
        match ticking(&desk, line.listen()).await {
            Ok(signs) => {
                if signs.iter().any(|sign| !matches!(sign.said, Said::Failed(_))) {
                    backoff.reset();
                    said.clear();
                }
                desk.take(signs).await;
            }
            Err(fault) => {
                let reason = fault.to_string();
                if reason != said {
                    tracing::warn!(line = %name, "{reason}; trying again");
                    said.clone_from(&reason);
                }
                desk.fail(&reason).await;
                ticking(&desk, sleep(backoff.next_pause())).await;
            }
        }
    }
}

/// Waits for `work`, during which time goes on for the sensors of the desk.
async fn ticking<T>(desk: &Desk, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    let mut next = Instant::now() + TICK;
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep_until(next) => {
                desk.tick().await;
                next = Instant::now() + TICK;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, channel};

    use gatepost_wire::event::SensorFaultKind;

    use super::*;
    use crate::clock::Clock;
    use crate::sensor::desk::Attended;
    use crate::sensor::sign::{Reading, Sign};
    use crate::sensor::{Change, Trip};

    #[derive(Debug, thiserror::Error)]
    #[error("the plug is out")]
    struct Unplugged;

    #[derive(Clone)]
    enum Step {
        Says(bool),
        Unplugged,
        Panics,
    }

    /// Does one step after the other, over its own ends, and then nothing more.
    #[derive(Clone)]
    struct Scripted(Arc<Mutex<VecDeque<Step>>>, Arc<Clock>);

    impl Line for Scripted {
        type Fault = Unplugged;

        async fn listen(&mut self) -> Result<Vec<Sign>, Unplugged> {
            let step = self.0.lock().unwrap().pop_front();
            let (at, _) = self.1.now();
            match step {
                Some(Step::Says(tripped)) => {
                    let reading = Reading { tripped: Some(tripped), ..Reading::default() };
                    Ok(vec![Sign { sensor: 0, at, said: Said::Reading(reading) }])
                }
                Some(Step::Unplugged) => Err(Unplugged),
                Some(Step::Panics) => panic!("as the test wants"),
                None => std::future::pending().await,
            }
        }
    }

    fn desk() -> (Arc<Desk>, Arc<Clock>, Receiver<Trip>) {
        let clock = Arc::new(Clock::default());
        let sensor = toml::from_str(
            "id = 's'\ninput = 'contact'\ncomms_after_s = 1\n\
             modbus = { line = 'l', profile = 'p', point = 'p' }",
        );
        let attended = Attended { sensor: sensor.unwrap(), area: None, gauge: Arc::default() };
        let (sender, trips) = channel();
        let sender = Mutex::new(sender);
        let report = Arc::new(move |trip| sender.lock().unwrap().send(trip).unwrap());
        (Arc::new(Desk::new(vec![attended], Arc::clone(&clock), report)), clock, trips)
    }

    fn run(steps: Vec<Step>, wanted: usize) -> Vec<Change> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (desk, clock, trips) = desk();
            let line = Scripted(Arc::new(Mutex::new(steps.into())), clock);
            let task = tokio::spawn(supervise("l".into(), move || line.clone(), desk));
            let heard = tokio::task::spawn_blocking(move || {
                let next = || trips.recv_timeout(Duration::from_secs(30)).unwrap().change;
                (0..wanted).map(|_| next()).collect()
            });
            let heard = heard.await.unwrap();
            task.abort();
            heard
        })
    }

    #[test]
    fn a_line_that_fails_is_asked_again_and_one_that_panics_is_made_anew() {
        let steps =
            vec![Step::Says(false), Step::Unplugged, Step::Panics, Step::Says(true), Step::Says(false)];
        assert_eq!(run(steps, 2), [Change::Tripped(None), Change::Rested(None)]);
    }

    #[test]
    fn a_line_that_goes_on_failing_is_a_fault_until_it_is_back() {
        let steps = vec![Step::Unplugged; 3].into_iter().chain([Step::Says(true)]).collect();
        let told = run(steps, 3);
        let expected = Change::Ill(SensorFaultKind::Comms, "the plug is out".into());
        assert_eq!(told[0], expected);
        assert!(
            matches!(&told[1..], [Change::Tripped(None), Change::Well(SensorFaultKind::Comms, _)]),
            "{told:?}"
        );
    }
}
