//! What must survive a power cut: how the areas stand, and which alarms wait for the end of an entry delay.

use std::collections::HashMap;

use gatepost_wire::Severity;
use gatepost_wire::arming::Input;
use gatepost_wire::event::EventData;
use serde::{Deserialize, Serialize};

use crate::arm::Saved;

/// What must survive a power cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    areas: Saved,
    waiting: Vec<(Input, Waiting)>,
}

/// An alarm that waits for the end of an entry delay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// As it was recorded.
    pub(super) data: EventData,
    /// What it is worth if nobody disarms.
    pub(super) worth: Severity,
}

impl Kept {
    pub(super) fn new(areas: Saved, waiting: &HashMap<Input, Waiting>) -> Self {
        Self { areas, waiting: waiting.clone().into_iter().collect() }
    }

    pub(super) fn into_parts(self) -> (Saved, HashMap<Input, Waiting>) {
        (self.areas, self.waiting.into_iter().collect())
    }
}
