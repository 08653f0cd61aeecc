//! Deadlines that a site has of its own.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Deadlines;

/// The longest deadline a site may set: 30 days, as long as an extension.
const LONGEST_S: u32 = 30 * 24 * 3600;

/// Seconds a stage may take: 0 (as long as it likes) to 2592000 (30 days).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct StageSeconds(u32);

impl StageSeconds {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for StageSeconds {
    type Error = &'static str;

    fn try_from(seconds: u32) -> Result<Self, &'static str> {
        if seconds <= LONGEST_S {
            Ok(Self(seconds))
        } else {
            Err("0 to 2592000 seconds (30 days) are needed")
        }
    }
}

/// How long an incident at a site may stay in each stage, seconds; 0: as long as it likes. What is left out or null is as the hub's
/// configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "reported_s": [30, 60, null, null], "assigned_s": 300 }))]
pub struct SiteDeadlines {
    /// Until somebody has looked, for severity 1, 2, 3 and 4.
    #[schema(value_type = Vec<Option<u32>>, min_items = 4, max_items = 4)]
    pub reported_s: [Option<StageSeconds>; 4],
    /// Until it is somebody's.
    #[schema(value_type = Option<u32>, maximum = 2_592_000)]
    pub triaged_s: Option<StageSeconds>,
    /// Until they accept.
    #[schema(value_type = Option<u32>, maximum = 2_592_000)]
    pub assigned_s: Option<StageSeconds>,
    /// Until they set out.
    #[schema(value_type = Option<u32>, maximum = 2_592_000)]
    pub accepted_s: Option<StageSeconds>,
    /// Until they say that it is done.
    #[schema(value_type = Option<u32>, maximum = 2_592_000)]
    pub handling_s: Option<StageSeconds>,
    /// Until somebody else has seen that it is.
    #[schema(value_type = Option<u32>, maximum = 2_592_000)]
    pub fed_back_s: Option<StageSeconds>,
    /// Until it is closed.
    #[schema(value_type = Option<u32>, maximum = 2_592_000)]
    pub verified_s: Option<StageSeconds>,
    /// From the reminder until it is escalated, in any stage; 0: it never is.
    #[schema(value_type = Option<u32>, maximum = 2_592_000)]
    pub escalate_after_s: Option<StageSeconds>,
}

impl SiteDeadlines {
    /// It has none of its own.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn stages(&self) -> [(&'static str, Option<StageSeconds>); 7] {
        [
            ("triaged", self.triaged_s),
            ("assigned", self.assigned_s),
            ("accepted", self.accepted_s),
            ("handling", self.handling_s),
            ("fed back", self.fed_back_s),
            ("verified", self.verified_s),
            ("escalated after", self.escalate_after_s),
        ]
    }
}

/// As it is written down when somebody changes it: `reported 30/60/-/- s, assigned 300 s`.
impl fmt::Display for SiteDeadlines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.reported_s.iter().any(Option::is_some) {
            let each = self.reported_s.map(|one| one.map_or_else(|| "-".to_owned(), |one| one.0.to_string()));
            parts.push(format!("reported {} s", each.join("/")));
        }
        let own = self.stages().into_iter().filter_map(|(name, seconds)| Some((name, seconds?)));
        parts.extend(own.map(|(name, seconds)| format!("{name} {} s", seconds.0)));
        f.write_str(&parts.join(", "))
    }
}

impl Deadlines {
    /// These, but for what a site has of its own.
    pub fn at_site(&self, own: &SiteDeadlines) -> Self {
        let or = |own: Option<StageSeconds>, general: u32| own.map_or(general, StageSeconds::get);
        let mut reported_s = self.reported_s;
        for (general, own) in reported_s.iter_mut().zip(own.reported_s) {
            *general = or(own, *general);
        }
        Self {
            reported_s,
            triaged_s: or(own.triaged_s, self.triaged_s),
            assigned_s: or(own.assigned_s, self.assigned_s),
            accepted_s: or(own.accepted_s, self.accepted_s),
            handling_s: or(own.handling_s, self.handling_s),
            fed_back_s: or(own.fed_back_s, self.fed_back_s),
            verified_s: or(own.verified_s, self.verified_s),
            escalate_after_s: own.escalate_after_s.map(StageSeconds::get).or(self.escalate_after_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(json: &str) -> Result<SiteDeadlines, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn what_a_site_leaves_out_is_as_everywhere() {
        let general = Deadlines::default();
        assert_eq!(general.at_site(&SiteDeadlines::default()), general);
        let own = own(r#"{ "reported_s": [30, null, null, 0], "handling_s": 600, "escalate_after_s": 0 }"#)
            .unwrap();
        let here = general.at_site(&own);
        assert_eq!(
            (here.reported_s, here.handling_s, here.escalate_after_s),
            ([30, 180, 900, 0], 600, Some(0))
        );
        let Deadlines { reported_s, handling_s, escalate_after_s, .. } = general;
        assert_eq!(Deadlines { reported_s, handling_s, escalate_after_s, ..here }, general);
        assert_eq!(own.to_string(), "reported 30/-/-/0 s, handling 600 s, escalated after 0 s");
        assert_eq!(serde_json::from_value::<SiteDeadlines>(serde_json::to_value(own).unwrap()).unwrap(), own);
    }

    #[test]
    fn what_is_no_deadline_is_refused() {
        assert!(own("{}").unwrap().is_empty());
        for bad in [
            r#"{ "reported_s": [1, 2, 3] }"#,
            r#"{ "triaged_s": -1 }"#,
            r#"{ "triaged_s": 2592001 }"#,
            r#"{ "triaged_s": 1.5 }"#,
            r#"{ "closed_s": 1 }"#,
        ] {
            assert!(own(bad).is_err(), "{bad}");
        }
    }
}
