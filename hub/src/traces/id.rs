//! What traces and spans are called by: 16 and 8 bytes, not all of them 0.

use axum::http::HeaderMap;
use gatepost_wire::{AlarmId, EventId};

use crate::config::TraceShare;

/// Of all that belongs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(u128);

impl TraceId {
    /// Of something that has no id of its own.
    pub fn random() -> Self {
        Self(fastrand::u128(1..))
    }

    /// Of something whose id is a ULID; none if it is not.
    pub fn of_ulid(text: &str) -> Option<Self> {
        text.parse().ok().map(|ulid: ulid::Ulid| Self(ulid.into()))
    }

    /// What all parts of this trace are parts of.
    pub const fn root(self) -> SpanId {
        SpanId::of(self.0)
    }

    /// The last 56 bits are made by chance in a ULID as in a trace of others
    /// ([W3C Trace Context 2, 2.2.3](https://www.w3.org/TR/trace-context-2/#trace-id)), and say whether it is sent.
    pub(super) fn is_in(self, share: TraceShare) -> bool {
        const CHANCE: u128 = 1 << 56;
        // Both are below 2⁵⁶ or so; an error in the last places moves no more than a few traces in a million million.
        ((self.0 % CHANCE) as f64) < share.get() * CHANCE as f64
    }

    /// As they are sent.
    pub(super) fn bytes(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
}

impl From<AlarmId> for TraceId {
    fn from(id: AlarmId) -> Self {
        Self(id.as_ulid().into())
    }
}

impl From<EventId> for TraceId {
    fn from(id: EventId) -> Self {
        Self(id.as_ulid().into())
    }
}

/// Of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanId(u64);

impl SpanId {
    /// Of something that has no id of its own.
    pub fn random() -> Self {
        Self(fastrand::u64(1..))
    }

    /// The last eight bytes of a longer id, which in a ULID were made by chance.
    const fn of(id: u128) -> Self {
        Self(id as u64)
    }

    /// As they are sent.
    pub(super) fn bytes(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
}

impl From<EventId> for SpanId {
    fn from(id: EventId) -> Self {
        Self::of(id.as_ulid().into())
    }
}

/// What a request is a part of, if who sent it says so and follows that trace
/// ([W3C Trace Context, 3.2](https://www.w3.org/TR/trace-context/#traceparent-header)).
pub fn parent(headers: &HeaderMap) -> Option<(TraceId, SpanId)> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-');
    let mut hex = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        // `from_str_radix` takes a sign and capitals, which are not allowed here.
        part.bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            .then(|| u128::from_str_radix(part, 16).ok())?
    };
    let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    let sampled = flags & 1 == 1;
    let known = version == 0 && parts.next().is_none() || (1..255).contains(&version);
    (known && sampled && trace != 0 && span != 0).then_some((TraceId(trace), SpanId::of(span)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<(TraceId, SpanId)> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", text.parse().unwrap());
        parent(&headers)
    }

    #[test]
    fn a_parent_is_read_as_it_is_written() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let read_well = read(&format!("00-{trace}-00f067aa0ba902b7-01")).unwrap();
        assert_eq!(
            read_well,
            (TraceId(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736), SpanId(0x00f0_67aa_0ba9_02b7))
        );
        assert!(read(&format!("cc-{trace}-00f067aa0ba902b7-01-later")).is_some(), "of a later version");
        for bad in [
            format!("00-{trace}-00f067aa0ba902b7-00"),
            format!("00-{trace}-00f067aa0ba902b7-01-later"),
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{trace}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            format!("00-{trace}-+0f067aa0ba902b7-01"),
            format!("00-{trace}"),
            String::new(),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_no_more_than_no_parent(text in "[ -~]{0,80}") {
            let _ = read(&text);
        }
    }

    #[test]
    fn of_an_alarm_all_hubs_think_alike_and_a_share_is_about_that() {
        let share = TraceShare::try_from(0.25).unwrap();
        let ulids = (0..10_000).map(|_| ulid::Ulid::from_parts(1, fastrand::u128(..)));
        let taken = ulids.filter(|ulid| TraceId::from(AlarmId::from_ulid(*ulid)).is_in(share)).count();
        assert!((2_000..3_000).contains(&taken), "{taken}");
        let none = TraceShare::try_from(0.0).unwrap();
        assert!(TraceId::random().is_in(TraceShare::default()) && !TraceId::random().is_in(none));
    }
}
