//! An original leaves the box: encrypted as it is, with the command that let it go and until when.

use std::fs;
use std::io;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use gatepost_wire::command::{Reason, ReleaseOriginal};
use gatepost_wire::event::Phase;
use gatepost_wire::evidence::{Original, Released};
use gatepost_wire::{CommandId, EventId, Evidence, MAX_EVIDENCE_BYTES, Timestamp};
use ulid::Ulid;

use super::{Means, Refusal};
use crate::clip::locked;
use crate::event::Observation;
use crate::evidence::{Kind, describe};

/// A disk that takes longer than this to write an event down is ill.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Release<'a> {
    pub means: &'a Means,
    pub command: CommandId,
    pub order: &'a ReleaseOriginal,
}

impl Release<'_> {
    /// Once this returns, that the original is released is on the disk and it waits to be sent.
    pub fn carry_out(&self, now: Timestamp) -> Result<(), Refusal> {
        if !self.means.originals_allowed {
            return Err(Refusal::new(Reason::NotAllowed, "`originals.recipients` is empty at this box"));
        }
        if self.order.until <= now {
            return Err(Refusal::new(Reason::Invalid, format!("`until` is past: it is {now} here")));
        }
        let not_found = |what: &str| Refusal::new(Reason::NotFound, what);
        let (file, mut data) = {
            let archive = locked(&self.means.archive);
            let (record, alarm) = archive
                .find(self.order.event)
                .ok_or_else(|| not_found("there is no clip of this event, or it was deleted"))?;
            let file = archive.original(record.clip).ok_or_else(|| not_found("no original was kept"))?;
            (file, alarm.data.clone())
        };
        let event = self.event();
        let failed = |error: io::Error| Refusal::new(Reason::Failed, error.to_string());
        let sealed = fs::read(&file).map_err(failed)?;
        if sealed.len() > MAX_EVIDENCE_BYTES {
            return Err(Refusal::new(Reason::Failed, "it is larger than may be sent"));
        }
        match self.means.evidence.adopt(event, Kind::Original, &file) {
            // The same command before the box lost power: it is carried out to its end now.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            adopted => adopted.map_err(failed)?,
        }
        data.happening.set_phase(Phase::Updated);
        data.evidence = vec![self.evidence(&sealed)];
        self.record(event, now, data)
    }

    /// Named after the command, so that a command carried out twice, because the power went in between, is one event.
    fn event(&self) -> EventId {
        // An id's text is a ULID.
        EventId::from_ulid(Ulid::from_string(&self.command.to_string()).unwrap_or_default())
    }

    fn evidence(&self, sealed: &[u8]) -> Evidence {
        let released = Released {
            command: self.command,
            until: self.order.until,
            media_type: Kind::Clip.media_type(),
            extra: Default::default(),
        };
        let original = Some(Original::Released(released));
        Evidence { original, ..describe(Kind::Original, sealed) }
    }

    fn record(
        &self,
        event: EventId,
        time: Timestamp,
        data: gatepost_wire::event::EventData,
    ) -> Result<(), Refusal> {
        let (recorded, done) = sync_channel(1);
        let recorded = Some(recorded);
        self.means.reporter.report(Observation::Addition { event, time, data, recorded });
        let late = "the event is not written down yet: look at the box's disk";
        done.recv_timeout(PATIENCE).map_err(|_| Refusal::new(Reason::Failed, late))
    }
}
