//! What one shift tells the next.

use gatepost_wire::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::figures::WorstPlace;
use super::timeline::Step;
use super::{Incident, IncidentId};

/// An incident, and what people last said of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Followed {
    /// The incident as it is now, without `may`.
    pub incident: Incident,
    /// The last step with words; null: nobody said anything.
    pub said: Option<Step>,
}

/// Something that somebody noted beside the steps.
#[derive(Debug, Serialize, ToSchema)]
pub struct Note {
    /// Of which incident.
    #[schema(value_type = String, format = "ulid", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    pub incident: IncidentId,
    /// What people call it by.
    #[schema(example = 17)]
    pub number: i64,
    /// The step that it is.
    pub step: Step,
}

/// What happened between two moments, and what is left to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShiftReport {
    /// From then on.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Up to then.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// When it was drawn up: as of then incidents are open.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// How many incidents were opened.
    #[schema(example = 24)]
    pub opened: i64,
    /// How many were closed.
    #[schema(example = 22)]
    pub closed: usize,
    /// How many of those were false alarms.
    #[schema(example = 14)]
    pub false_alarms: usize,
    /// Where those came from; at most ten places.
    pub worst: Vec<WorstPlace>,
    /// What is open now, the newest first; at most 500.
    pub open: Vec<Followed>,
    /// What was closed and was no false alarm, the latest first; at most 200.
    pub dealt_with: Vec<Followed>,
    /// What people noted, the latest first; at most 200.
    pub notes: Vec<Note>,
}
