//! Any event survives the wire, and what a newer version adds is kept.

#![allow(clippy::unwrap_used, reason = "all of it is test code, strategies too")]

use gatepost_wire::arming::{ArmingChanged, Cause, Input, Mode, Stage};
use gatepost_wire::command::{
    Command, HoldEvidence, NumberedCommand, Order, Outcome, Reason, ReleaseOriginal, Reply, SetMode,
    WantedMode,
};
use gatepost_wire::envelope::{EnvelopeError, MAX_ENVELOPE_BYTES};
use gatepost_wire::event::{
    Alarm, CameraTamper, DeviceFault, Direction, EventData, Extra, FaultKind, Fused, FusedLink, Happening,
    InputKind, LineCrossing, Loitering, Measurement, ObjectClass, ObjectLeft, Overcrowding, Phase, Region,
    SensorAlarm, SensorFault, SensorFaultKind, Sighting, TamperKind, TrackNumber, VehicleStopped,
    ZoneIntrusion,
};
use gatepost_wire::evidence::{Evidence, MediaType, Original, Released};
use gatepost_wire::{AlarmId, BootId, CommandId, Event, EventId, Seq, Severity, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

fn name<T: std::fmt::Debug + std::str::FromStr<Err: std::fmt::Debug>>() -> impl Strategy<Value = T> {
    "[a-z0-9-]{1,64}".prop_map(|text| text.parse::<T>().unwrap())
}

/// Fields no version of this crate knows.
fn extra() -> impl Strategy<Value = Extra> {
    let value = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(|v| json!({ "deep": v })),
    ];
    prop::collection::btree_map("x_[a-z]{1,8}", value, 0..3).prop_map(|map| map.into_iter().collect())
}

fn alarm() -> impl Strategy<Value = Alarm> {
    let phase = prop_oneof![Just(Phase::Began), Just(Phase::Updated), Just(Phase::Ended)];
    (any::<u128>(), phase).prop_map(|(id, phase)| Alarm { id: AlarmId::from_ulid(id.into()), phase })
}

fn object() -> impl Strategy<Value = ObjectClass> {
    use ObjectClass::*;
    prop::sample::select(vec![Person, Bicycle, Motorcycle, Car, Bus, Truck])
}

fn region() -> impl Strategy<Value = Region> {
    (0f32..=1.0, 0f32..=1.0, 0f32..=1.0, 0f32..=1.0).prop_map(|(left, top, right, bottom)| Region {
        left,
        top,
        right,
        bottom,
    })
}

fn seen() -> impl Strategy<Value = Sighting> {
    (object(), any::<u32>(), region(), 0f32..=1.0).prop_map(|(object, track, region, score)| Sighting {
        object,
        track: TrackNumber(track),
        region,
        score,
    })
}

/// Every kind a rule can decide.
fn decided() -> impl Strategy<Value = Happening> {
    let direction = prop_oneof![Just(Direction::LeftToRight), Just(Direction::RightToLeft)];
    let what = (seen(), direction, any::<u64>(), any::<u32>(), any::<u32>(), 0..6);
    (alarm(), name(), name(), name(), what, extra()).prop_map(|(alarm, camera, rule, zone, what, extra)| {
        let (seen, direction, ms, count, limit, kind) = what;
        match kind {
            0 => Happening::ZoneIntrusion(ZoneIntrusion {
                alarm,
                camera,
                rule,
                zone,
                seen,
                dwell_ms: ms,
                extra,
            }),
            1 => Happening::LineCrossing(LineCrossing {
                alarm,
                camera,
                rule,
                line: zone,
                direction,
                seen,
                extra,
            }),
            2 => Happening::Loitering(Loitering { alarm, camera, rule, zone, seen, dwell_ms: ms, extra }),
            3 => Happening::VehicleStopped(VehicleStopped {
                alarm,
                camera,
                rule,
                zone,
                seen,
                still_ms: ms,
                extra,
            }),
            4 => Happening::ObjectLeft(ObjectLeft {
                alarm,
                camera,
                rule,
                zone,
                region: seen.region,
                still_ms: ms,
                extra,
            }),
            _ => Happening::Overcrowding(Overcrowding { alarm, camera, rule, zone, count, limit, extra }),
        }
    })
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        name().prop_map(|sensor| Input::Sensor { sensor }),
        (name(), name()).prop_map(|(camera, zone)| Input::Zone { camera, zone }),
        name().prop_map(|camera| Input::Camera { camera }),
    ]
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    prop::collection::vec(input(), 0..3)
}

/// What becomes of areas.
fn arming() -> impl Strategy<Value = Happening> {
    use Mode::{ArmedAway, ArmedStay, Disarmed, Maintenance};
    use Stage::{EntryDelay, EntryExpired, ExitDelay, Refused, Set};
    let mode = prop::sample::select(vec![Disarmed, ArmedStay, ArmedAway, Maintenance]);
    let stage = prop::sample::select(vec![Set, ExitDelay, EntryDelay, EntryExpired, Refused]);
    let cause = prop_oneof![
        (".{1,20}", ".{1,20}").prop_map(|(who, why)| Cause::Command { who, why }),
        Just(Cause::Timetable),
        Just(Cause::Timer),
        Just(Cause::Start),
        input().prop_map(|input| Cause::Input { input }),
    ];
    let what = (mode, stage, cause, prop::option::of(time()), any::<u64>());
    (name(), what, inputs(), inputs(), extra()).prop_map(|(area, what, bypassed, open, extra)| {
        let (mode, stage, cause, until, passed) = what;
        Happening::ArmingChanged(ArmingChanged {
            area,
            mode,
            stage,
            cause,
            until,
            bypassed,
            open,
            passed,
            extra,
        })
    })
}

fn fused() -> impl Strategy<Value = Fused> {
    let alarm = || any::<u128>().prop_map(|id| AlarmId::from_ulid(id.into()));
    let link = prop_oneof![
        prop::collection::vec(alarm(), 0..4).prop_map(FusedLink::Parts),
        alarm().prop_map(FusedLink::PartOf),
    ];
    (name(), link).prop_map(|(rule, link)| Fused { rule, link })
}

/// What sensors say.
fn sensed() -> impl Strategy<Value = Happening> {
    let input = prop::sample::select(InputKind::ALL.to_vec());
    let fault = prop::sample::select(SensorFaultKind::ALL.to_vec());
    let value = prop::num::f64::NORMAL | prop::num::f64::ZERO;
    let measured =
        prop::option::of((value, "(mV|°C|%)?").prop_map(|(value, unit)| Measurement { value, unit }));
    let ill = prop::option::of((fault, ".{0,40}"));
    (alarm(), name(), input, prop::option::of(name()), measured, ill, extra()).prop_map(
        |(alarm, sensor, input, area, measured, ill, extra)| match ill {
            None => Happening::SensorAlarm(SensorAlarm { alarm, sensor, input, area, measured, extra }),
            Some((fault, detail)) => {
                Happening::SensorFault(SensorFault { alarm, sensor, input, area, fault, detail, extra })
            }
        },
    )
}

fn happening() -> impl Strategy<Value = Happening> {
    use TamperKind::{Blurred, Covered, Frozen, Moved, SignalLost};
    let kind = prop::sample::select(vec![SignalLost, Covered, Blurred, Moved, Frozen]);
    let tamper =
        (alarm(), name(), kind, ".{0,40}", extra()).prop_map(|(alarm, camera, tamper, detail, extra)| {
            Happening::CameraTamper(CameraTamper { alarm, camera, tamper, detail, extra })
        });
    let fault = prop::sample::select(vec![
        FaultKind::InferenceFailed,
        FaultKind::DiskLow,
        FaultKind::RetentionShort,
        FaultKind::ModelReplaced,
        FaultKind::OutboxDamaged,
        FaultKind::EventsDropped,
    ]);
    let device = (alarm(), fault, ".{0,40}", extra()).prop_map(|(alarm, fault, detail, extra)| {
        Happening::DeviceFault(DeviceFault { alarm, fault, detail, extra })
    });
    let unknown = (extra(), "future_[a-z]{1,9}").prop_map(|(mut fields, kind)| {
        fields.insert("kind".into(), kind.into());
        Happening::Unknown(fields)
    });
    prop_oneof![decided(), sensed(), arming(), tamper, device, unknown]
}

fn time() -> impl Strategy<Value = Timestamp> {
    (-377_705_023_201i64..=253_402_207_200, 0i32..1_000_000_000).prop_map(|(seconds, nanos)| {
        Timestamp::new(seconds, if seconds < 0 { -nanos } else { nanos }).unwrap()
    })
}

fn media_type() -> impl Strategy<Value = MediaType> {
    let other = "[a-z]{1,9}/x[a-z]{1,9}".prop_map(MediaType::Other);
    prop_oneof![Just(MediaType::Jpeg), Just(MediaType::Mp4), Just(MediaType::Age), other]
}

fn command_id() -> impl Strategy<Value = CommandId> {
    any::<u128>().prop_map(|id| CommandId::from_ulid(id.into()))
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let released =
        (command_id(), time(), media_type(), extra()).prop_map(|(command, until, media_type, extra)| {
            Original::Released(Released { command, until, media_type, extra })
        });
    let original = prop::option::of(prop_oneof![Just(Original::Kept), released]);
    ("[0-9a-f]{64}", any::<u64>(), media_type(), original)
        .prop_map(|(sha256, bytes, media_type, original)| Evidence { media_type, sha256, bytes, original })
}

fn order() -> impl Strategy<Value = Order> {
    let release = (any::<u128>(), time(), extra()).prop_map(|(event, until, extra)| {
        Order::ReleaseOriginal(ReleaseOriginal { event: EventId::from_ulid(event.into()), until, extra })
    });
    let unknown = (extra(), "future_[a-z]{1,9}").prop_map(|(mut fields, kind)| {
        fields.insert("kind".into(), kind.into());
        Order::Unknown(fields)
    });
    let mode = prop_oneof![
        Just(WantedMode::Disarmed),
        inputs().prop_map(|bypass| WantedMode::ArmedStay { bypass }),
        inputs().prop_map(|bypass| WantedMode::ArmedAway { bypass }),
        any::<u32>().prop_map(|for_s| WantedMode::Maintenance { for_s }),
    ];
    let set_mode =
        (name(), mode, extra()).prop_map(|(area, mode, extra)| Order::SetMode(SetMode { area, mode, extra }));
    let hold = (any::<u128>(), time(), extra()).prop_map(|(alarm, until, extra)| {
        Order::HoldEvidence(HoldEvidence { alarm: AlarmId::from_ulid(alarm.into()), until, extra })
    });
    prop_oneof![release, set_mode, hold, unknown]
}

fn command() -> impl Strategy<Value = Command> {
    // Any two moments but equal ones, in their order.
    let span = (time(), time()).prop_filter("issued and expires differ", |(a, b)| a != b);
    // One line without space around it.
    let text = || "[^\\p{C}\\p{Z}]([^\\p{C}]{0,40}[^\\p{C}\\p{Z}])?";
    (command_id(), name(), text(), text(), span, order(), extra()).prop_map(
        |(id, edge, who, why, (a, b), order, extra)| Command {
            id,
            edge,
            who: who.parse().unwrap(),
            why: why.parse().unwrap(),
            issued: a.min(b),
            expires: a.max(b),
            order,
            extra,
        },
    )
}

fn reply() -> impl Strategy<Value = Reply> {
    use Reason::{Expired, Failed, Invalid, NotAllowed, NotFound, NotReady, Superseded, UnknownOrder};
    let reason = prop_oneof![
        prop::sample::select(vec![
            Expired,
            UnknownOrder,
            NotAllowed,
            NotFound,
            NotReady,
            Superseded,
            Invalid,
            Failed,
        ]),
        "later_[a-z]{1,9}".prop_map(Reason::Other),
    ];
    let refused = (reason, ".{0,40}", any::<Option<u64>>())
        .prop_map(|(reason, detail, highest)| Outcome::Refused { reason, detail, highest });
    (command_id(), time(), prop_oneof![Just(Outcome::Done), refused], extra())
        .prop_map(|(command, time, outcome, extra)| Reply { command, time, outcome, extra })
}

fn event() -> impl Strategy<Value = Event> {
    let data =
        (1u8..=4, happening(), prop::collection::vec(evidence(), 0..2), prop::option::of(fused()), extra());
    let data = data.prop_map(|(severity, happening, evidence, fused, extra)| EventData {
        severity: Severity::try_from(severity).unwrap(),
        happening,
        evidence,
        fused,
        extra,
    });
    // CloudEvents extension attributes are lower-case letters and digits.
    let attributes = prop::collection::btree_map("x[a-z]{1,8}", ".{0,8}".prop_map(Value::from), 0..2)
        .prop_map(|map| map.into_iter().collect::<Extra>());
    (any::<u128>(), name(), any::<u128>(), 1u64.., time(), data, attributes).prop_map(
        |(id, edge, boot, seq, time, data, extra)| Event {
            id: EventId::from_ulid(id.into()),
            edge,
            boot: BootId::from_ulid(boot.into()),
            seq: Seq(seq),
            time,
            data,
            extra,
        },
    )
}

proptest! {
    #[test]
    fn any_event_survives(event in event()) {
        prop_assert_eq!(Event::from_json(&event.to_json().unwrap()).unwrap(), event);
    }

    #[test]
    fn garbage_is_refused_and_never_panics(bytes in any::<Vec<u8>>()) {
        prop_assert!(Event::from_json(&bytes).is_err());
    }

    /// One changed byte either still gives an event or a clear refusal.
    #[test]
    fn damaged_events_never_panic(event in event(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut json = event.to_json().unwrap();
        let at = at.index(json.len());
        json[at] = byte;
        let _ = Event::from_json(&json);
    }

    #[test]
    fn events_fit_their_schema(event in event()) {
        let schema = gatepost_wire::schema::event();
        let validator = jsonschema::validator_for(schema.as_value()).unwrap();
        let document: Value = serde_json::from_slice(&event.to_json().unwrap()).unwrap();
        if !matches!(event.data.happening, Happening::Unknown(_)) {
            prop_assert!(validator.is_valid(&document), "{:?}", validator.iter_errors(&document).next());
        }
    }
}

proptest! {
    #[test]
    fn any_command_survives(command in command()) {
        prop_assert_eq!(Command::from_json(&command.to_json().unwrap()).unwrap(), command);
    }

    #[test]
    fn any_reply_survives(reply in reply()) {
        prop_assert_eq!(Reply::from_json(&reply.to_json().unwrap()).unwrap(), reply);
    }

    #[test]
    fn damaged_commands_and_replies_never_panic(
        command in command(), reply in reply(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        for mut json in [command.to_json().unwrap(), reply.to_json().unwrap()] {
            let at = at.index(json.len());
            json[at] = byte;
            let _ = Command::from_json(&json);
            let _ = Reply::from_json(&json);
        }
    }

    #[test]
    fn commands_and_replies_fit_their_schemas(command in command(), reply in reply()) {
        let unknown = matches!(command.order, Order::Unknown(_));
        let numbered = NumberedCommand { sequence: 1, command };
        for (schema, json) in [
            (gatepost_wire::schema::command(), serde_json::to_vec(&numbered).unwrap()),
            (gatepost_wire::schema::reply(), reply.to_json().unwrap()),
        ] {
            let validator = jsonschema::validator_for(schema.as_value()).unwrap();
            let document: Value = serde_json::from_slice(&json).unwrap();
            if !(unknown && document.get("command").is_some()) {
                prop_assert!(validator.is_valid(&document), "{:?}", validator.iter_errors(&document).next());
            }
        }
    }
}

fn example() -> Value {
    json!({
        "specversion": "1.0",
        "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "source": "/gatepost/edge/gate-1",
        "type": "gatepost.event.v1.device_fault",
        "time": "2026-11-23T08:00:00Z",
        "datacontenttype": "application/json",
        "boot": "01ARZ3NDEKTSV4RRFFQ69G5FAW",
        "sequence": "00000000000000000007",
        "data": {
            "severity": 3,
            "happening": {
                "kind": "device_fault",
                "alarm": { "id": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "phase": "began" },
                "fault": "disk_low",
                "detail": "less than 200 MiB are free",
            },
        },
    })
}

fn refused(change: impl Fn(&mut Value)) -> String {
    let mut document = example();
    change(&mut document);
    Event::from_json(document.to_string().as_bytes()).unwrap_err().to_string()
}

#[test]
fn the_example_is_an_event() {
    let event = Event::from_json(example().to_string().as_bytes()).unwrap();
    assert_eq!((event.edge.as_str(), event.seq), ("gate-1", Seq(7)));
}

#[test]
fn refusals_name_the_attribute() {
    assert!(refused(|d| d["specversion"] = "0.3".into()).contains("`specversion`"));
    assert!(refused(|d| d["source"] = "/someone/else".into()).contains("`source`"));
    assert!(refused(|d| d["source"] = "/gatepost/edge/+".into()).contains("`source`"));
    assert!(refused(|d| d["type"] = "gatepost.event.v1.zone_intrusion".into()).contains("`type`"));
    assert!(refused(|d| d["sequence"] = "0".into()).contains("`sequence`"));
    assert!(refused(|d| d["data"]["severity"] = 5.into()).contains("severity 5"));
    let fault = refused(|d| d["data"]["happening"]["fault"] = "tired".into());
    assert!(
        fault.contains("device_fault") && fault.contains("tired"),
        "a known kind is not taken as unknown: {fault}"
    );
}

#[test]
fn an_oversized_payload_is_refused_unread() {
    let payload = vec![b' '; MAX_ENVELOPE_BYTES + 1];
    assert!(matches!(Event::from_json(&payload), Err(EnvelopeError::TooLarge(_))));
}
