//! Numbers of 32 bits as they come: one that is beyond them would become infinite, and infinity cannot be written as JSON.

use serde::de::{Deserialize, Deserializer, Error};

/// A number.
pub(crate) fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    let number = f32::deserialize(deserializer)?;
    if number.is_finite() { Ok(number) } else { Err(Error::custom("a number is beyond 32 bits")) }
}

/// A number, or none.
pub(crate) fn finite_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
    let number = Option::<f32>::deserialize(deserializer)?;
    match number {
        Some(number) if !number.is_finite() => Err(Error::custom("a number is beyond 32 bits")),
        number => Ok(number),
    }
}
