//! How long an incident may stay in a stage.

mod site;

pub use site::{SiteDeadlines, StageSeconds};

use gatepost_wire::{Severity, Timestamp};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::stage::Stage;

/// Where nothing is said, nothing is escalated sooner than this after the reminder.
const SOONEST_ESCALATION_S: u32 = 60;

/// How long an incident may stay in each stage, seconds; 0: as long as it likes. Who is late is reminded, once, in the timeline and on
/// the page; when that does not help the incident is escalated to the supervisors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deadlines {
    /// Until somebody has looked, for severity 1, 2, 3 and 4.
    #[schema(value_type = Vec<u32>, min_items = 4, max_items = 4)]
    pub reported_s: [u32; 4],
    /// Until it is somebody's.
    pub triaged_s: u32,
    /// Until they accept.
    pub assigned_s: u32,
    /// Until they set out.
    pub accepted_s: u32,
    /// Until they say that it is done.
    pub handling_s: u32,
    /// Until somebody else has seen that it is.
    pub fed_back_s: u32,
    /// Until it is closed.
    pub verified_s: u32,
    /// From the reminder until it is escalated, in any stage; 0: it never is. Unless given: as long again as the stage may take, at least
    /// 60.
    pub escalate_after_s: Option<u32>,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            reported_s: [60, 180, 900, 3600],
            triaged_s: 600,
            assigned_s: 600,
            accepted_s: 900,
            handling_s: 2 * 3600,
            fed_back_s: 24 * 3600,
            verified_s: 24 * 3600,
            escalate_after_s: None,
        }
    }
}

impl Deadlines {
    /// By when an incident of this severity that enters a stage now is to leave it.
    pub fn due(&self, stage: Stage, severity: Severity, now: Timestamp) -> Option<Timestamp> {
        after(now, self.seconds(stage, severity))
    }

    /// When an incident is escalated that is reminded of now, if ever.
    pub fn escalation(&self, stage: Stage, severity: Severity, now: Timestamp) -> Option<Timestamp> {
        let again = || self.seconds(stage, severity).max(SOONEST_ESCALATION_S);
        after(now, self.escalate_after_s.unwrap_or_else(again))
    }

    fn seconds(&self, stage: Stage, severity: Severity) -> u32 {
        match stage {
            Stage::Reported => {
                let [gravest, high, medium, low] = self.reported_s;
                match severity.level() {
                    1 => gravest,
                    2 => high,
                    3 => medium,
                    _ => low,
                }
            }
            Stage::Triaged => self.triaged_s,
            Stage::Assigned => self.assigned_s,
            Stage::Accepted => self.accepted_s,
            Stage::Handling => self.handling_s,
            Stage::FedBack => self.fed_back_s,
            Stage::Verified => self.verified_s,
            Stage::Closed | Stage::Evaluated => 0,
        }
    }
}

/// So many seconds later; 0: never.
fn after(now: Timestamp, seconds: u32) -> Option<Timestamp> {
    (seconds > 0).then(|| now.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(now))
}
