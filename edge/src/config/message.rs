//! Messages: what a JSON payload means.

use gatepost_wire::event::SensorFaultKind;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Label;

/// What the messages of a sensor mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// When it is tripped.
    pub alarm: MessageCondition,
    /// What it measures.
    pub measure: Option<MessageMeasure>,
    /// When it is ill.
    pub faults: Vec<MessageFault>,
}

/// Where in a payload a value stands (RFC 6901); empty for the whole payload, which then may also be a bare word.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^(/.*)?$"))]
pub struct JsonPointer(String);

impl JsonPointer {
    /// The pointer as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// To a key at the top.
    pub(super) fn to_key(key: &str) -> Self {
        Self(format!("/{key}"))
    }
}

impl TryFrom<String> for JsonPointer {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() || text.starts_with('/') {
            Ok(Self(text))
        } else {
            Err("a JSON pointer begins with '/', such as \"/contact\"; \"\" means the whole payload")
        }
    }
}

/// A value a payload may hold.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Truth(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// Values that mean something.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "ConditionKeys")]
#[schemars(with = "ConditionKeys")]
pub struct MessageCondition {
    /// Where the value stands.
    pub pointer: JsonPointer,
    /// Which values.
    pub test: MessageTest,
}

/// Which values are meant.
#[derive(Debug, Clone, PartialEq)]
pub enum MessageTest {
    /// One of these.
    AnyOf(Vec<Scalar>),
    /// A number neither less nor more.
    Within {
        /// The least.
        least: f64,
        /// The most.
        most: f64,
    },
}

/// A way in which a sensor is ill.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageFault {
    /// In what way.
    pub kind: SensorFaultKind,
    /// When.
    pub when: MessageCondition,
    /// What a technician reads.
    pub detail: Label,
}

/// What a sensor measures.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageMeasure {
    /// Where the number stands.
    pub pointer: JsonPointer,
    /// Its unit, e.g. `°C`.
    #[serde(default)]
    pub unit: String,
}

/// A condition as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConditionKeys {
    /// Where the value stands, `"/contact"`; `""` for the whole payload.
    pointer: JsonPointer,
    /// The value.
    is: Option<Scalar>,
    /// One of these values.
    any_of: Option<Vec<Scalar>>,
    /// A number no less than this.
    at_least: Option<f64>,
    /// A number no more than this.
    at_most: Option<f64>,
}

impl TryFrom<ConditionKeys> for MessageCondition {
    type Error = &'static str;
    fn try_from(keys: ConditionKeys) -> Result<Self, Self::Error> {
        let ConditionKeys { pointer, is, any_of, at_least, at_most } = keys;
        let test = match (is, any_of, at_least, at_most) {
            (Some(value), None, None, None) => MessageTest::AnyOf(vec![value]),
            (None, Some(values), None, None) if !values.is_empty() => MessageTest::AnyOf(values),
            (None, None, least, most) if least.is_some() || most.is_some() => {
                let (least, most) = (least.unwrap_or(f64::NEG_INFINITY), most.unwrap_or(f64::INFINITY));
                if least.partial_cmp(&most).is_none_or(std::cmp::Ordering::is_gt) {
                    return Err("`at_least` is more than `at_most`, so it never holds");
                }
                MessageTest::Within { least, most }
            }
            _ => return Err("which value? `is`, or `any_of` with at least one, or `at_least` and `at_most`"),
        };
        Ok(Self { pointer, test })
    }
}
