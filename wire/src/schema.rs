//! The contract for readers in other languages: JSON Schema of every payload and the AsyncAPI document, both
//! made from the types, so that neither can say something else than the code.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::batch::{BATCH_CONTENT_TYPE, MAX_BATCH_BYTES, MAX_BATCH_EVENTS};
use crate::command::signed::{MAX_SIGNED_BYTES, SIGNED_CONTENT_TYPE};
use crate::command::{MAX_COMMAND_BYTES, NumberedCommand, Reply};
use crate::envelope::{CONTENT_TYPE, Envelope, MAX_ENVELOPE_BYTES};
use crate::evidence::MAX_EVIDENCE_BYTES;
use crate::health::{Health, Presence};
use crate::topic::PREFIX;

pub(crate) fn date_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

/// JSON Schema (2020-12) of what is published on `gp/v1/{edge}/event`.
pub fn event() -> Schema {
    root::<Envelope>()
}

/// JSON Schema (2020-12) of what is published on `gp/v1/{edge}/health`.
pub fn health() -> Schema {
    root::<Health>()
}

/// JSON Schema (2020-12) of what is published on `gp/v1/{edge}/presence`.
pub fn presence() -> Schema {
    root::<Presence>()
}

/// JSON Schema (2020-12) of what a hub signs and publishes on `gp/v1/{edge}/command`.
pub fn command() -> Schema {
    root::<NumberedCommand>()
}

/// JSON Schema (2020-12) of what is published on `gp/v1/{edge}/command/reply`.
pub fn reply() -> Schema {
    root::<Reply>()
}

fn root<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

/// The AsyncAPI 3.0 document of the contract, committed as `docs/asyncapi.json`; a test keeps the two equal.
pub fn asyncapi() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|s| s.definitions_path = "/components/schemas".into())
        .into_generator();
    let event = generator.subschema_for::<Envelope>();
    let health = generator.subschema_for::<Health>();
    let presence = generator.subschema_for::<Presence>();
    let command = generator.subschema_for::<NumberedCommand>();
    let reply = generator.subschema_for::<Reply>();
    let channels = [
        Channel {
            name: "event",
            address: format!("{PREFIX}/{{edge}}/event"),
            summary: "An event, recorded on the edge's disk before it is published. At least once; the hub keeps one per id. \
                      From the hub's own broker PUBACK 0x00 means stored by the hub, 0x99 refused for good; no PUBACK \
                      and a closed connection mean: keep it and send it again. What waited may come in batches, in their order; \
                      one answer is for the whole batch, of which some may be stored when it is refused: send its events alone then.",
            content_type: CONTENT_TYPE,
            payload: event.clone().into(),
            batch: Some(event.into()),
            action: Action::Send,
            retain: false,
        },
        Channel {
            name: "evidence",
            address: format!("{PREFIX}/{{edge}}/evidence/{{event}}"),
            summary: "The bytes of the picture (image/jpeg) or clip (video/mp4) whose SHA-256 the event names. People in it are pixelated. \
                      An uncovered original follows only after a command released it, encrypted (application/vnd.age).",
            content_type: "application/octet-stream",
            payload: json!({ "type": "string", "format": "binary" }),
            batch: None,
            action: Action::Send,
            retain: false,
        },
        Channel {
            name: "health",
            address: format!("{PREFIX}/{{edge}}/health"),
            summary: "State of a box, every 30 seconds.",
            content_type: "application/json",
            payload: health.into(),
            batch: None,
            action: Action::Send,
            retain: true,
        },
        Channel {
            name: "presence",
            address: format!("{PREFIX}/{{edge}}/presence"),
            summary: "Online at connection; offline at goodbye or as the last will.",
            content_type: "application/json",
            payload: presence.into(),
            batch: None,
            action: Action::Send,
            retain: true,
        },
        Channel {
            name: "command",
            address: format!("{PREFIX}/{{edge}}/command"),
            summary: "What the hub orders the box to do: a JSON Web Signature in compact form, by Ed25519 (header \
                      {\"alg\":\"EdDSA\",\"typ\":\"gatepost-command\"}), over the JSON this schema describes. A box takes nothing else. It may come more than once: a box carries each id out once, refuses what \
                      has expired and answers a repetition with its first answer. Subscribe before presence says online: \
                      the hub sends what waits when it hears that.",
            content_type: SIGNED_CONTENT_TYPE,
            payload: command.into(),
            batch: None,
            action: Action::Receive,
            retain: false,
        },
        Channel {
            name: "reply",
            address: format!("{PREFIX}/{{edge}}/command/reply"),
            summary: "What became of a command. At least once; the hub keeps the first for each command.",
            content_type: "application/json",
            payload: reply.into(),
            batch: None,
            action: Action::Send,
            retain: false,
        },
    ];
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gatepost edge contract",
            "version": "1.0.0",
            "description": format!(
                "What a Gatepost edge publishes and reads over MQTT 5. An event has at most {MAX_ENVELOPE_BYTES} bytes, \
                 a batch of events {MAX_BATCH_BYTES}, evidence {MAX_EVIDENCE_BYTES}, a command or reply {MAX_COMMAND_BYTES}, \
                 a signed command {MAX_SIGNED_BYTES}. \
                 A device publishes and reads only under its own {PREFIX}/{{edge}}."
            ),
        },
        "defaultContentType": "application/json",
        "channels": channels.iter().map(|c| (c.name.to_owned(), c.describe())).collect::<serde_json::Map<_, _>>(),
        "operations": channels.iter().map(|c| (c.operation_name(), c.operation())).collect::<serde_json::Map<_, _>>(),
        "components": { "schemas": generator.take_definitions(true) },
    })
}

/// What the edge does on a channel.
enum Action {
    Send,
    Receive,
}

struct Channel {
    name: &'static str,
    address: String,
    summary: &'static str,
    content_type: &'static str,
    payload: Value,
    /// What a batch holds, where there may be one.
    batch: Option<Value>,
    action: Action,
    retain: bool,
}

impl Channel {
    fn describe(&self) -> Value {
        let mut parameters = json!({ "edge": { "description": "Name of the box: [a-z0-9-]{1,64}" } });
        if self.address.contains("{event}") {
            parameters["event"] = json!({ "description": "ULID of the event" });
        }
        json!({
            "address": self.address,
            "description": self.summary,
            "parameters": parameters,
            "messages": self.messages(),
        })
    }

    fn messages(&self) -> Value {
        let mut messages =
            json!({ self.name: { "contentType": self.content_type, "payload": self.payload } });
        if let Some(document) = &self.batch {
            messages["batch"] = json!({
                "contentType": BATCH_CONTENT_TYPE,
                "payload": { "type": "array", "items": document, "minItems": 1, "maxItems": MAX_BATCH_EVENTS },
            });
        }
        messages
    }

    fn operation_name(&self) -> String {
        let verb = match self.action {
            Action::Send => "publish",
            Action::Receive => "receive",
        };
        format!("{verb}-{}", self.name)
    }

    fn operation(&self) -> Value {
        let action = match self.action {
            Action::Send => "send",
            Action::Receive => "receive",
        };
        json!({
            "action": action,
            "channel": { "$ref": format!("#/channels/{}", self.name) },
            "bindings": { "mqtt": { "qos": 1, "retain": self.retain, "bindingVersion": "0.2.0" } },
        })
    }
}
