//! An alarm's clips are held, or let go.

use std::sync::Mutex;

use gatepost_wire::Timestamp;
use gatepost_wire::command::{HoldEvidence, LONGEST_HOLD, NumberedCommand, Reason};

use super::Refusal;
use crate::clip::{Archive, locked};

/// From now on; that it lasts is up to the journal, which notes the answer before it is sent.
pub(super) fn carry_out(
    archive: &Mutex<Archive>,
    numbered: &NumberedCommand,
    order: &HoldEvidence,
    now: Timestamp,
) -> Result<(), Refusal> {
    if order.until.duration_since(numbered.command.issued) > LONGEST_HOLD {
        return Err(Refusal::new(Reason::Invalid, "`until` is more than 366 days after `issued`"));
    }
    let there = locked(archive)
        .hold(numbered.sequence, numbered.command.id, order)
        .map_err(|superseded| Refusal::new(Reason::Superseded, superseded.to_string()))?;
    // What is let go need not be there any more.
    if there || order.until <= now {
        Ok(())
    } else {
        let detail = "there is no clip of this alarm: none was made, or it was deleted; one that is still made will be held";
        Err(Refusal::new(Reason::NotFound, detail))
    }
}
