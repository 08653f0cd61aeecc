//! Many events in one message, for a backlog: CloudEvents' JSON batch format, an array of the documents that would go
//! alone. Published on the same topic; one answer is for all of them.

use serde_json::value::RawValue;

/// Media type of such a message.
pub const BATCH_CONTENT_TYPE: &str = "application/cloudevents-batch+json";

/// No batch may hold more.
pub const MAX_BATCH_EVENTS: usize = 256;

/// No batch may be larger; a longer one is refused before it is parsed.
pub const MAX_BATCH_BYTES: usize = 256 * 1024;

/// A payload is no batch of this contract.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Larger than [`MAX_BATCH_BYTES`].
    #[error("a batch has at most {MAX_BATCH_BYTES} bytes, this one has {0}")]
    TooLarge(usize),
    /// More than [`MAX_BATCH_EVENTS`], or none.
    #[error("a batch has 1 to {MAX_BATCH_EVENTS} events, this one has {0}")]
    Count(usize),
    /// Not a JSON array.
    #[error("not a batch of events: {0}")]
    Json(#[from] serde_json::Error),
}

/// Is this a batch, right or wrong? An event alone is an object.
pub fn is_batch(payload: &[u8]) -> bool {
    payload.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// Puts documents together, in their order.
pub fn join<'a>(documents: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut batch = vec![b'['];
    for document in documents {
        if batch.len() > 1 {
            batch.push(b',');
        }
        batch.extend_from_slice(document);
    }
    batch.push(b']');
    batch
}

/// Takes a batch apart. Whether its documents are events is not looked at.
///
/// # Errors
/// [`BatchError`]; the payload may be anything.
pub fn split(payload: &[u8]) -> Result<Vec<&str>, BatchError> {
    if payload.len() > MAX_BATCH_BYTES {
        return Err(BatchError::TooLarge(payload.len()));
    }
    let documents: Vec<&RawValue> = serde_json::from_slice(payload)?;
    if documents.is_empty() || documents.len() > MAX_BATCH_EVENTS {
        return Err(BatchError::Count(documents.len()));
    }
    Ok(documents.into_iter().map(RawValue::get).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_batch_is_refused() {
        assert!(matches!(split(b"[]"), Err(BatchError::Count(0))));
        let many = join(std::iter::repeat_n(&b"{}"[..], MAX_BATCH_EVENTS + 1));
        assert!(matches!(split(&many), Err(BatchError::Count(count)) if count == MAX_BATCH_EVENTS + 1));
        assert!(matches!(split(&vec![b' '; MAX_BATCH_BYTES + 1]), Err(BatchError::TooLarge(_))));
        for bad in [&b"{}"[..], b"", b"[", b"[{}", b"[{},]", b"[\xff]"] {
            assert!(matches!(split(bad), Err(BatchError::Json(_))), "{bad:?}");
        }
        assert!(is_batch(b" \n[") && !is_batch(b"{}") && !is_batch(b""));
    }

    proptest! {
        #[test]
        fn documents_come_back_as_they_went_in(numbers in prop::collection::vec(any::<i64>(), 1..MAX_BATCH_EVENTS)) {
            let documents: Vec<String> = numbers.iter().map(|n| format!(r#"{{"n": {n}, "t": "],[{{\""}}"#)).collect();
            let batch = join(documents.iter().map(String::as_bytes));
            prop_assert!(is_batch(&batch));
            prop_assert_eq!(split(&batch).unwrap(), documents);
        }

        #[test]
        fn anything_may_come(payload in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = split(&payload);
        }
    }
}
