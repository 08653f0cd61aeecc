//! What is made of an observation: events with their identity and their grade.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gatepost_wire::arming::AreaHealth;
use tokio::sync::watch;

use super::standing::StandingFile;
use super::{Births, ModeOrder, Observation};
use crate::arm::Refusal;
use crate::clock::Clock;
use crate::config::Config;
use crate::grade::{Grader, Moment};
use crate::linked::LinkedCameras;
use crate::outbox::Draft;

const RETRY: Duration = Duration::from_secs(1);

/// Gives identities and grades.
pub struct Judge {
    births: Births,
    grader: Grader,
    clock: Arc<Clock>,
    linked: Arc<LinkedCameras>,
    standing: StandingFile,
    areas: watch::Sender<Vec<AreaHealth>>,
}

impl Judge {
    /// Takes up the areas where they stood; the drafts tell of it.
    ///
    /// # Errors
    /// When the file that says how they stood cannot be read or written.
    pub fn open(
        config: &Config,
        clock: Arc<Clock>,
        linked: Arc<LinkedCameras>,
    ) -> anyhow::Result<(Self, Vec<Draft>, watch::Receiver<Vec<AreaHealth>>)> {
        let standing = StandingFile::at(config.data_dir.join("arming.json"));
        let now = moment(&clock);
        let failed =
            |path: &Path| format!("`data_dir`: {}: how the areas stand cannot be kept there", path.display());
        let kept = standing.load(now.time).with_context(|| failed(standing.path()))?;
        let (mut grader, drafts) = Grader::new(config, kept, now);
        if let Some(kept) = grader.unsaved(now) {
            standing.save(kept, now.time).with_context(|| failed(standing.path()))?;
        }
        let (areas, told) = watch::channel(grader.areas(now));
        Ok((Self { births: Births::default(), grader, clock, linked, standing, areas }, drafts, told))
    }

    /// The events an observation becomes; its own is the first, if it is one.
    pub(super) fn take(&mut self, observation: &Observation) -> Vec<Draft> {
        let now = moment(&self.clock);
        let mut drafts = match observation {
            Observation::Time => Vec::new(),
            // What it tells of was graded when it began.
            Observation::Addition { event, time, data, .. } => {
                vec![Draft { id: *event, time: *time, data: data.clone() }]
            }
            Observation::Snapshot { alarm, time, .. } => {
                self.grader.addition(*alarm, *time).into_iter().collect()
            }
            other => self
                .births
                .draft(other)
                .map_or_else(Vec::new, |draft| self.grader.take(draft, other.at().unwrap_or(now.at), now)),
        };
        if let (Observation::Sensor(trip), Some(draft)) = (observation, drafts.first()) {
            self.linked.want_pictures(trip, draft);
        }
        drafts.extend(self.grader.tick(now));
        self.keep(now);
        drafts
    }

    /// The events an order becomes.
    pub(super) fn order(&mut self, order: &ModeOrder) -> Result<Vec<Draft>, Refusal> {
        let now = moment(&self.clock);
        let drafts = self.grader.order(&order.order, order.who.as_str(), order.why.as_str(), now)?;
        self.keep(now);
        Ok(drafts)
    }

    /// Nothing is told of that a power cut could undo.
    fn keep(&mut self, now: Moment) {
        if let Some(kept) = self.grader.unsaved(now) {
            let mut said = false;
            while let Err(error) = self.standing.save(kept.clone(), now.time) {
                if !std::mem::replace(&mut said, true) {
                    tracing::error!("{}: {error}; trying again every second", self.standing.path().display());
                }
                std::thread::sleep(RETRY);
            }
        }
        let areas = self.grader.areas(now);
        self.areas.send_if_modified(|told| {
            let changed = *told != areas;
            *told = areas;
            changed
        });
    }
}

fn moment(clock: &Clock) -> Moment {
    let (at, time) = clock.now();
    Moment { at, time }
}
