//! What the hub knows of an edge: is it there, and is everything it recorded here?

pub mod presence;
pub mod sequence;

use gatepost_wire::{BootId, EdgeId, Seq, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// One edge as people and programs are told of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "edge": "gate-1", "presence": "online", "last_seen": "2026-01-31T08:30:00Z",
    "health": {
        "edge": "gate-1", "time": "2026-01-31T08:30:00Z", "boot": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "uptime_ms": 90000,
        "version": "0.1.0", "recorded": [{ "boot": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "last": 7 }],
        "outbox": { "queued": 0, "disk_bytes": 524288 },
        "cameras": [{
            "camera": "east-gate", "label": "东门", "zones": [{ "zone": "lawn", "label": "草坪" }],
            "state": { "name": "streaming" }, "decoder": "avdec_h264", "attention": "idle",
            "frames_sampled": 450, "frames_analysed": 120, "frames_still": 328, "frames_dropped": 2,
            "last_frame": "2026-01-31T08:29:59.8Z"
        }],
        "inference": { "model": "centernet-512", "mean_ms": 84.3, "failures": 0, "load": 0.42, "failing": false, "workers": 2,
            "model_file": "as_loaded" },
        "key": "tpm", "disk_free_bytes": 48300000000_u64, "temperature_celsius": 51.5,
        "certificate": { "from": "2026-01-01T00:00:00Z", "until": "2026-04-01T00:00:00Z" }
    },
    "missing": [{ "boot": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "first": 3, "last": 4 }], "refused": 2
}))]
pub struct Device {
    /// Its name.
    #[schema(value_type = String, format = "name", example = "gate-1")]
    pub edge: EdgeId,
    /// Is it connected to the broker?
    pub presence: Connection,
    /// When its last message came.
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T08:30:00Z")]
    pub last_seen: Timestamp,
    /// What it last said of itself, as it said it (`Health` of the contract).
    #[schema(value_type = Option<Object>)]
    pub health: Option<Box<RawValue>>,
    /// Events it recorded that are not here, at most 100 gaps of each boot.
    pub missing: Vec<Gap>,
    /// Messages of it that were no use, since the database was made.
    #[schema(example = 2)]
    pub refused: u64,
}

/// Is an edge connected?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// It is.
    Online,
    /// It said goodbye, or the broker lost it.
    Offline,
    /// Nobody said yet, for instance because the hub has just started.
    Unknown,
}

/// Events of one boot that are not here.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Gap {
    /// The start of the edge they were recorded under, a ULID.
    #[schema(value_type = String, format = "ulid", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    pub boot: BootId,
    /// The first that is missing.
    #[schema(value_type = u64, example = 3)]
    pub first: Seq,
    /// The last that is missing.
    #[schema(value_type = u64, example = 4)]
    pub last: Seq,
}
