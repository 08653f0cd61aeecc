//! Modbus devices: asked one after the other, each as often as its profile says.

mod device;
mod fault;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod link;
mod plan;
mod value;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tokio_modbus::client::{Client as _, Context};
use tokio_modbus::slave::SlaveContext as _;
use tokio_modbus::{Error, ExceptionCode, Request, Response, Slave};

use super::sign::{Line, Said, Sign};
use crate::clock::Clock;
use crate::config::{ModbusLine, ModbusPoint, Profile, RegisterTable};
use device::{Device, DeviceSensor, Outcome};
use fault::{DeviceFault, LineFault};
use link::Link;
use plan::Block;
use value::Answer;

/// What devices' registers mean, by the file it stands in.
type Profiles = BTreeMap<PathBuf, Arc<Profile>>;

/// A line to Modbus devices.
pub(super) struct Modbus {
    link: Link,
    patience: Duration,
    devices: Vec<Device>,
    connection: Option<Context>,
    clock: Arc<Clock>,
}

impl Modbus {
    /// The line, with the points that are its sensors in their order.
    pub fn new(line: &ModbusLine, points: &[ModbusPoint], profiles: &Profiles, clock: Arc<Clock>) -> Self {
        let mut of_device: BTreeMap<_, Vec<DeviceSensor>> = BTreeMap::new();
        for (place, point) in points.iter().enumerate() {
            let Some(profile) = profiles.get(&point.profile) else { continue };
            let sensor = DeviceSensor { place, point: point.point.clone(), contact: point.contact };
            of_device.entry((point.unit.unwrap_or(profile.unit), &point.profile)).or_default().push(sensor);
        }
        let device = |((unit, file), sensors)| {
            let profile = profiles.get(file)?;
            Some(Device::new(unit, Arc::clone(profile), sensors))
        };
        let devices = of_device.into_iter().filter_map(device).collect();
        Self { link: Link::of(line), patience: line.timeout_ms.span(), devices, connection: None, clock }
    }
}

impl Line for Modbus {
    type Fault = LineFault;

    async fn listen(&mut self) -> Result<Vec<Sign>, LineFault> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.link.connect(self.patience).await?,
        };
        let Some(device) = self.devices.iter_mut().min_by_key(|device| device.due) else {
            return std::future::pending().await;
        };
        sleep_until(device.due).await;
        let asked = Instant::now();
        connection.set_slave(Slave(device.unit.get()));
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut broke = None;
        for block in &device.blocks {
            self.link.fall_silent().await;
            match ask(&mut connection, *block, self.patience).await {
                Err(fault) if fault.ends_connection() => {
                    broke = Some(fault);
                    break;
                }
                outcome => outcomes.push(outcome),
            }
        }
        device.was_asked(asked, broke.is_none());
        let (at, _) = self.clock.now();
        let said = match &broke {
            Some(fault) => device.fail(fault),
            None => device.read(&outcomes),
        };
        if broke.is_none() {
            self.connection = Some(connection);
        } else {
            drop(connection);
            self.link.recover(self.patience).await;
        }
        let sign = |(sensor, said): (usize, Said)| Sign { sensor, at, said };
        Ok(said.into_iter().map(sign).collect())
    }
}

/// One request and its answer.
async fn ask(connection: &mut Context, block: Block, patience: Duration) -> Outcome {
    let Block { table, first, count } = block;
    let request = match table {
        RegisterTable::Coil => Request::ReadCoils(first, count),
        RegisterTable::Discrete => Request::ReadDiscreteInputs(first, count),
        RegisterTable::Input => Request::ReadInputRegisters(first, count),
        RegisterTable::Holding => Request::ReadHoldingRegisters(first, count),
    };
    let called = timeout(patience, connection.call(request)).await;
    match called {
        Err(_) => Err(DeviceFault::Silent(patience)),
        Ok(Err(Error::Transport(error))) => Err(DeviceFault::Broken(in_words(&error))),
        Ok(Err(Error::Protocol(error))) => Err(DeviceFault::Stray(error.to_string())),
        Ok(Ok(answered)) => understood(block, answered),
    }
}

/// What came for a request, if it is an answer to it.
fn understood(block: Block, answered: Result<Response, ExceptionCode>) -> Outcome {
    let response = answered.map_err(|why| DeviceFault::Refused { block, why: why.to_string() })?;
    let asked = usize::from(block.count);
    let answer = match response {
        // Bits travel in whole bytes.
        Response::ReadCoils(mut bits) | Response::ReadDiscreteInputs(mut bits) => {
            bits.truncate(asked);
            Answer::Bits(bits)
        }
        Response::ReadInputRegisters(words) | Response::ReadHoldingRegisters(words) => Answer::Words(words),
        other => return Err(DeviceFault::Stray(format!("{other:?}"))),
    };
    if answer.len() == asked { Ok(answer) } else { Err(DeviceFault::Odd { block, came: answer.len() }) }
}

/// The library tells the end of a connection as whatever error the system had last.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::TimedOut
        | ErrorKind::InvalidData
        | ErrorKind::InvalidInput => error.to_string(),
        _ => "the other end closed it".into(),
    }
}
