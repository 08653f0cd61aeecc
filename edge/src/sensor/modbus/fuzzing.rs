//! What a fuzzer does with what Modbus devices answer.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use tokio_modbus::bytes::Bytes;
use tokio_modbus::{ExceptionResponse, Response};

use super::device::{Device, DeviceSensor, Outcome};
use super::fault::DeviceFault;
use super::plan::Block;
use super::understood;
use crate::config::{Contact, Profile, ProfilePoint, UnitId};
use crate::sensor::sign::Said;

/// A device with a register of every kind, beside each other and apart, and a point for each.
static PROFILE: LazyLock<Arc<Profile>> = LazyLock::new(|| {
    let mut text = "name = 'M'\nsource = 's'\n".to_owned();
    let mut add = |id: &str, keys: &str, alarm: &str, measure: &str| {
        let _ = write!(
            text,
            "[[register]]\nid = '{id}'\n{keys}\n[[point]]\nid = '{id}'\nalarm = {{ register = '{id}', {alarm} }}\n{measure}\n\
             [[point.fault]]\nkind = 'open'\nwhen = {{ register = 'status', bit = 15 }}\ndetail = 'cut'\n"
        );
    };
    add("status", "table = 'input'\naddress = 0", "bit = 0", "");
    add("coil", "table = 'coil'\naddress = 65535", "is = true", "");
    add("input", "table = 'discrete'\naddress = 0", "is = false", "");
    add("last", "table = 'input'\naddress = 65535", "bit = 0", "");
    let orders = ["abcd", "cdab", "badc", "dcba"];
    for (number, kind) in ["u16", "i16", "u32", "i32", "f32"].into_iter().enumerate() {
        for (place, order) in orders.into_iter().enumerate() {
            let (id, address) = (format!("{kind}-{order}"), 1 + 2 * (number * orders.len() + place));
            let keys = format!(
                "table = 'holding'\naddress = {address}\ntype = '{kind}'\norder = '{order}'\nscale = 1e300\noffset = -1.0"
            );
            add(&id, &keys, "at_least = 10.0", &format!("measure = '{id}'"));
        }
    }
    match toml::from_str(&text) {
        Ok(profile) => Arc::new(profile),
        Err(error) => panic!("{error}\n{text}"),
    }
});

static DEVICE: LazyLock<Device> = LazyLock::new(|| {
    let sensor = |(place, point): (usize, &ProfilePoint)| {
        let contact = if place % 2 == 0 { Contact::NormallyOpen } else { Contact::NormallyClosed };
        DeviceSensor { place, point: point.id.clone(), contact }
    };
    let sensors = PROFILE.points.iter().enumerate().map(sensor).collect();
    Device::new(UnitId::default(), Arc::clone(&PROFILE), sensors)
});

/// The bytes are what is answered to one request after the other, each with its length before it.
pub fn modbus_reply(mut bytes: &[u8]) {
    let mut outcomes = Vec::new();
    for block in &DEVICE.blocks {
        let Some((length, rest)) = bytes.split_first() else { break };
        let (answer, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        outcomes.push(outcome(*block, answer));
        bytes = rest;
    }
    let said = DEVICE.read(&outcomes);
    assert_eq!(said.len(), PROFILE.points.len(), "of each sensor something is said");
    for (_, said) in said {
        let Said::Reading(reading) = said else { continue };
        assert!(reading.measured.is_none_or(|it| it.value.is_finite()));
    }
}

fn outcome(block: Block, answer: &[u8]) -> Outcome {
    let bytes = Bytes::copy_from_slice(answer);
    // The library tells the two apart by the first bit, too.
    let answered = if answer.first().is_some_and(|function| function & 0x80 != 0) {
        ExceptionResponse::try_from(bytes).map(|refused| Err(refused.exception))
    } else {
        Response::try_from(bytes).map(Ok)
    };
    let answered = answered.map_err(|error| DeviceFault::Stray(error.to_string()))?;
    let outcome = understood(block, answered);
    if let Ok(answer) = &outcome {
        assert_eq!(answer.len(), usize::from(block.count), "as many as were asked for");
    }
    outcome
}
