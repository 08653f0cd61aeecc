//! How values of the contract stand in columns.

use std::fmt::Display;
use std::str::FromStr;

use gatepost_wire::{Seq, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::StoreError;

/// In columns that hold moments or lengths of time.
pub const NANOS_IN_SECOND: i64 = 1_000_000_000;

/// Nanoseconds since 1970. An instant beyond the years 1677 to 2262 is a broken clock's and is put at the
/// nearest end; the event's own text keeps what it said.
pub fn nanos(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(if time.as_nanosecond() < 0 { i64::MIN } else { i64::MAX })
}

/// The instant of a column.
pub fn timestamp(nanos: i64) -> Timestamp {
    // Every i64 of nanoseconds lies within jiff's years -9999 to 9999.
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A sequence number; intake refuses those that have no place here.
pub fn integer(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// The sequence number of a column.
pub fn seq(integer: i64) -> Seq {
    Seq(u64::try_from(integer).unwrap_or(0))
}

/// The word the contract has for a value of an enumeration.
pub fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The value of a word of the contract.
pub fn from_word<T: DeserializeOwned>(column: &'static str, word: String) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(word.clone()))
        .map_err(|_| StoreError::Unreadable { column, value: word })
}

/// A name or id.
pub fn parse<T: FromStr>(column: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Unreadable { column, value: text.to_owned() })
}

/// A name or id that may be absent.
pub fn parse_option<T: FromStr>(column: &'static str, text: Option<String>) -> Result<Option<T>, StoreError> {
    text.map(|text| parse(column, &text)).transpose()
}

/// A text as both databases take it: PostgreSQL's has no NUL.
pub fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The text of a name or id that may be absent.
pub fn text<T: Display>(value: Option<&T>) -> Option<String> {
    value.map(ToString::to_string)
}
