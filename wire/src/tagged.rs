//! Reading of tagged enumerations that a newer version may add to. A known kind with a wrong field is an error; only
//! an unknown kind is kept as it is. A derived `untagged` fallback would swallow both.

use serde::de::{DeserializeOwned, Error};
use serde_json::Value;

use crate::event::Extra;

/// The tag's word.
pub(crate) fn tag<E: Error>(tag: &'static str, fields: &Extra) -> Result<String, E> {
    match fields.get(tag) {
        Some(Value::String(word)) if !word.is_empty() => Ok(word.clone()),
        _ => Err(E::missing_field(tag)),
    }
}

/// The fields of a known kind.
pub(crate) fn known<T: DeserializeOwned, E: Error>(tag: &str, word: &str, mut fields: Extra) -> Result<T, E> {
    fields.remove(tag);
    T::deserialize(Value::Object(fields)).map_err(|e| E::custom(format!("{word}: {e}")))
}
