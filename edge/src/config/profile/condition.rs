//! Conditions: which values of a register mean something.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{NumberType, Register, RegisterId, Shape};

/// Values of a register that mean something.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "ConditionKeys")]
#[schemars(with = "ConditionKeys")]
pub struct Condition {
    /// The register.
    pub register: RegisterId,
    /// Which values.
    pub test: Test,
}

/// Which values of a register are meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// This bit, or the only one, is so.
    Bit {
        /// Which bit of a number, 0 being the least significant; none of what is a bit itself.
        bit: Option<u8>,
        /// On or off.
        is: bool,
    },
    /// The number, before it is scaled, is one of these.
    AnyOf(Vec<i64>),
    /// The number, after it is scaled, is neither less nor more.
    Within {
        /// The least.
        least: f64,
        /// The most.
        most: f64,
    },
}

/// A condition as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConditionKeys {
    /// The register.
    register: RegisterId,
    /// One bit of it, 0 being the least significant.
    bit: Option<u8>,
    /// Whether the bit, coil or discrete input has to be on; true unless given.
    is: Option<bool>,
    /// Its number is one of these, before it is scaled.
    any_of: Option<Vec<i64>>,
    /// Its number is no less than this, after it is scaled.
    at_least: Option<f64>,
    /// Its number is no more than this, after it is scaled.
    at_most: Option<f64>,
}

impl TryFrom<ConditionKeys> for Condition {
    type Error = &'static str;
    fn try_from(keys: ConditionKeys) -> Result<Self, Self::Error> {
        let ConditionKeys { register, bit, is, any_of, at_least, at_most } = keys;
        let test = match (any_of, at_least, at_most) {
            (None, None, None) => Test::Bit { bit, is: is.unwrap_or(true) },
            _ if bit.is_some() || is.is_some() => {
                return Err(
                    "a bit is on or off: `bit` and `is` go with neither `any_of`, `at_least` nor `at_most`",
                );
            }
            (Some(values), None, None) if !values.is_empty() => Test::AnyOf(values),
            (Some(_), None, None) => return Err("`any_of` without a value never holds"),
            (Some(_), ..) => return Err("either `any_of`, or `at_least` and `at_most`"),
            (None, least, most) => {
                let (least, most) = (least.unwrap_or(f64::NEG_INFINITY), most.unwrap_or(f64::INFINITY));
                // Neither is a number where the comparison fails both ways.
                if least.partial_cmp(&most).is_none_or(std::cmp::Ordering::is_gt) {
                    return Err("`at_least` is more than `at_most`, so it never holds");
                }
                Test::Within { least, most }
            }
        };
        Ok(Self { register, test })
    }
}

impl Condition {
    /// Why it cannot be asked of this register, if it cannot.
    pub fn misfit(&self, register: &Register) -> Option<String> {
        match (&self.test, &register.shape) {
            (Test::Bit { bit: None, .. }, Shape::Bit(_)) => None,
            (_, Shape::Bit(_)) => Some(format!(
                "register {:?} is on or off: only `is` can be asked of it",
                register.id.as_str()
            )),
            (Test::Bit { bit: None, .. }, Shape::Number { .. }) => Some(format!(
                "register {:?} is a number: which `bit`, or which values (`any_of`, `at_least`, `at_most`)?",
                register.id.as_str()
            )),
            (Test::Bit { bit: Some(bit), .. }, Shape::Number { number, .. }) => match number {
                NumberType::U16 if *bit < 16 => None,
                NumberType::U32 if *bit < 32 => None,
                _ => Some(format!("there is no bit {bit} in register {:?}", register.id.as_str())),
            },
            (Test::AnyOf(_), Shape::Number { number: NumberType::F32, .. }) => {
                Some("a number with a fraction is never exactly so: use `at_least` and `at_most`".into())
            }
            (Test::AnyOf(_) | Test::Within { .. }, Shape::Number { .. }) => None,
        }
    }

    /// Is there a value both conditions would take for theirs? Bits beside each other are separate things.
    pub fn contradicts(&self, other: &Self) -> bool {
        if self.register != other.register {
            return false;
        }
        match (&self.test, &other.test) {
            (Test::Within { least, most }, Test::Within { least: other_least, most: other_most }) => {
                least <= other_most && other_least <= most
            }
            (Test::AnyOf(ours), Test::AnyOf(theirs)) => ours.iter().any(|value| theirs.contains(value)),
            _ => self.test == other.test,
        }
    }
}
