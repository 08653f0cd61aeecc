//! Identifiers. Names people give ([`EdgeId`], [`CameraId`], …) are short, readable and checked;
//! identifiers machines make ([`EventId`], [`AlarmId`], [`CommandId`], [`BootId`]) are ULIDs.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// Longest name, in bytes (= characters, since only ASCII is allowed).
pub const MAX_NAME_LEN: usize = 64;

/// A name broke the rule `[a-z0-9-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a name needs 1 to {MAX_NAME_LEN} characters, this one is empty")]
    Empty,
    /// More than [`MAX_NAME_LEN`] characters.
    #[error("a name needs 1 to {MAX_NAME_LEN} characters, this one has {0}")]
    TooLong(usize),
    /// A character outside `[a-z0-9-]`.
    #[error("{0:?} is not allowed in a name: use a-z, 0-9 and '-'")]
    BadCharacter(char),
}

fn check_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if let Some(bad) = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        return Err(NameError::BadCharacter(bad));
    }
    if name.len() > MAX_NAME_LEN {
        return Err(NameError::TooLong(name.len()));
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        ///
        /// `[a-z0-9-]{1,64}`: safe in an MQTT topic, a path and a log line without quoting.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(name: &str) -> Result<Self, NameError> {
                check_name(name)?;
                Ok(Self(name.to_owned()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                check_name(&name)?;
                Ok(Self(name))
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": "^[a-z0-9-]{1,64}$" })
            }
        }
    };
}

macro_rules! ulid_id {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        ///
        /// A ULID: 26 characters of Crockford base 32 on the wire.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Ulid);

        impl $type {
            /// Wraps a ULID made by the caller, who owns the clock and the randomness.
            pub const fn from_ulid(ulid: Ulid) -> Self {
                Self(ulid)
            }

            /// The ULID it is.
            pub const fn as_ulid(self) -> Ulid {
                self.0
            }
        }

        impl FromStr for $type {
            type Err = UlidError;
            fn from_str(text: &str) -> Result<Self, UlidError> {
                Ulid::from_string(text).map(Self).map_err(|_| UlidError)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$" })
            }
        }
    };
}

/// A text is not a ULID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a ULID: 26 characters of Crockford base 32 are needed")]
pub struct UlidError;

name! {
    /// One box beside a gate: the daemon `gatepost-edge`.
    EdgeId
}
name! {
    /// One camera of one edge.
    CameraId
}
name! {
    /// One area or line drawn in one camera's picture; both share their names.
    ZoneId
}
name! {
    /// One rule of one camera.
    RuleId
}

name! {
    /// One input of a sensor of one edge: a door contact, a zone of a fence.
    SensorId
}
name! {
    /// One guarded area of one edge: the cameras, zones and sensors that are armed together.
    AreaId
}

ulid_id! {
    /// One event; the key the hub deduplicates by.
    EventId
}
ulid_id! {
    /// One alarm: its `began`, its updates and its `ended` share it.
    AlarmId
}
ulid_id! {
    /// One command of a hub; the key a box knows repetitions by.
    CommandId
}
ulid_id! {
    /// One start of one edge daemon; with [`Seq`] it places an event in the edge's own order.
    BootId
}

/// Place of an event among those its edge recorded since one [`BootId`]: 1, 2, 3, … without gaps, so that
/// the hub can prove nothing is missing whatever the clocks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The first event of a boot.
    pub const FIRST: Self = Self(1);

    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        assert!("gate-2".parse::<CameraId>().is_ok());
        assert_eq!("".parse::<CameraId>(), Err(NameError::Empty));
        assert_eq!("Gate".parse::<CameraId>(), Err(NameError::BadCharacter('G')));
        assert_eq!("a/b".parse::<EdgeId>(), Err(NameError::BadCharacter('/')));
        assert_eq!("x".repeat(65).parse::<EdgeId>(), Err(NameError::TooLong(65)));
    }

    #[test]
    fn a_bad_name_is_refused_inside_json() {
        let error = serde_json::from_str::<EdgeId>("\"+/#\"").unwrap_err();
        assert!(error.to_string().contains("not allowed in a name"), "{error}");
    }

    #[test]
    fn a_ulid_keeps_its_text() {
        let text = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        assert_eq!(text.parse::<EventId>().unwrap().to_string(), text);
        assert!("not-a-ulid".parse::<EventId>().is_err());
    }
}
