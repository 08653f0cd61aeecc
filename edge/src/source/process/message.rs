//! What the daemon and a camera's process say to each other: two lengths, a header in JSON and, behind some
//! headers, a picture. What the process says is believed no further than it must be: a camera may have taken it over.

use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::{CameraUrl, Transport};
use crate::source::encoded::Encoded;
use crate::source::fault::Fault;
use crate::source::layout::Layout;

const MOST_HEADER_BYTES: u32 = 64 << 10;
/// A decoded picture of 16 megapixels, in the largest format a decoder gives.
const MOST_DATA_BYTES: u32 = 128 << 20;

/// What the process is to do.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::source) enum Order {
    /// Receive and tell what comes.
    Receive(Stream),
    /// Decode with a fresh decoder.
    Decode(Wanted),
    /// Decode the picture behind this header.
    Unit {
        /// GStreamer's caps.
        format: String,
        key: bool,
        at: Duration,
    },
    /// There are no more pictures to decode.
    End,
}

impl Order {
    /// Decode this picture.
    pub fn unit(unit: &Encoded) -> Self {
        Self::Unit { format: unit.format.to_string(), key: unit.key, at: unit.at }
    }
}

/// A camera's video and who asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source) struct Stream {
    pub url: CameraUrl,
    pub transport: Transport,
    pub login: Option<Login>,
}

/// Who and which secret a camera asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source) struct Login {
    pub username: String,
    pub password: Password,
}

/// Never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source) struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Which pictures are wanted of a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::source) enum Wanted {
    /// One in `every`; what the decoder cannot do in time is left out.
    Live { every: Duration, decoders: Decoders },
    /// All, however long it takes.
    Kept,
}

/// Which decoders may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::source) enum Decoders {
    /// Whatever this box has, its hardware's first.
    Any,
    /// The hardware's has failed.
    Software,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::source) enum Report {
    /// The encoded picture behind this header came.
    Unit { format: String, key: bool },
    /// Receiving ended with a fault.
    Failed(Fault),
    /// Receiving ended.
    Ended,
    /// This element decodes.
    DecoderIs { name: String, hardware: bool },
    /// A picture was decoded that is not wanted.
    Decoded { at: Duration },
    /// The picture behind this header was decoded.
    Picture { layout: Layout, at: Duration },
    /// The decoder has too much to do and left out what came; it goes on at the next key frame.
    Behind,
    /// The decoder cannot go on.
    DecoderFailed(Fault),
    /// Everything is decoded.
    DecoderEnded,
}

/// A message cannot be read.
#[derive(Debug, thiserror::Error)]
pub(in crate::source) enum MessageError {
    /// The other side is gone in the middle of it, or silent for too long.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("a message of {0} bytes is too large")]
    TooLarge(u32),
    #[error("a message is not understood: {0}")]
    NotUnderstood(#[from] serde_json::Error),
}

/// Writes a message; whoever wants it to arrive at once flushes.
pub(in crate::source) fn write<M: Serialize>(
    to: &mut impl Write,
    message: &M,
    data: &[u8],
) -> io::Result<()> {
    let header = serde_json::to_vec(message)?;
    let too_large = |_| io::Error::from(io::ErrorKind::InvalidInput);
    to.write_all(&u32::try_from(header.len()).map_err(too_large)?.to_le_bytes())?;
    to.write_all(&u32::try_from(data.len()).map_err(too_large)?.to_le_bytes())?;
    to.write_all(&header)?;
    to.write_all(data)
}

/// Reads a message; none when the other side has ended.
pub(in crate::source) fn read<M: DeserializeOwned>(
    from: &mut impl BufRead,
) -> Result<Option<(M, Vec<u8>)>, MessageError> {
    let Some(first) = from.bytes().next().transpose()? else { return Ok(None) };
    let mut lengths = [first, 0, 0, 0, 0, 0, 0, 0];
    from.read_exact(&mut lengths[1..])?;
    let [a, b, c, d, data @ ..] = lengths;
    let header = bytes(from, u32::from_le_bytes([a, b, c, d]), MOST_HEADER_BYTES)?;
    let data = bytes(from, u32::from_le_bytes(data), MOST_DATA_BYTES)?;
    Ok(Some((serde_json::from_slice(&header)?, data)))
}

fn bytes(from: &mut impl Read, count: u32, most: u32) -> Result<Vec<u8>, MessageError> {
    if count > most {
        return Err(MessageError::TooLarge(count));
    }
    let mut bytes = Vec::with_capacity(count as usize);
    if from.take(count.into()).read_to_end(&mut bytes)? < count as usize {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_is_told_and_never_shown() {
        let login = Login { username: "gate".into(), password: Password("hunter2".into()) };
        let url = "rtsp://gate/stream".to_owned().try_into().unwrap();
        let order = Order::Receive(Stream { url, transport: Transport::Tcp, login: Some(login) });
        assert!(!format!("{order:?}").contains("hunter2"));
        let mut sent = Vec::new();
        write(&mut sent, &order, &[]).unwrap();
        assert_eq!(read::<Order>(&mut &sent[..]).unwrap(), Some((order, vec![])));
    }

    proptest! {
        #[test]
        fn messages_arrive_one_after_the_other(pictures in prop::collection::vec(
            (".{0,40}", any::<bool>(), prop::collection::vec(any::<u8>(), 0..2000)), 0..10,
        )) {
            let mut sent = Vec::new();
            for (format, key, data) in &pictures {
                write(&mut sent, &Report::Unit { format: format.clone(), key: *key }, data).unwrap();
            }
            let mut from = &sent[..];
            for (format, key, data) in pictures {
                prop_assert_eq!(read(&mut from).unwrap(), Some((Report::Unit { format, key }, data)));
            }
            prop_assert!(read::<Report>(&mut from).unwrap().is_none());
        }

        #[test]
        fn garbage_is_refused(mut garbage in prop::collection::vec(any::<u8>(), 1..200), short in any::<bool>()) {
            if short && garbage.len() >= 8 {
                garbage[..8].copy_from_slice(&[9, 0, 0, 0, 9, 0, 0, 0]);
            }
            prop_assert!(read::<Report>(&mut &garbage[..]).is_err());
        }

        #[test]
        fn what_is_cut_off_is_noticed(at in any::<prop::sample::Index>(), bytes in 0usize..500) {
            let mut sent = Vec::new();
            write(&mut sent, &Report::Decoded { at: Duration::MAX }, &vec![7; bytes]).unwrap();
            let cut = 1 + at.index(sent.len() - 1);
            prop_assert!(matches!(read::<Report>(&mut &sent[..cut]), Err(MessageError::Io(_))));
        }
    }
}
