//! A Modbus device: pymodbus's server as a process, told what to say.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::daemon::{Daemon, Launch};
use crate::footage::workspace_root;
use crate::{Error, Result, port};

const PATIENCE: Duration = Duration::from_secs(30);

/// What a device does wrong until told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// It answers every request with an exception.
    Exception,
    /// It answers in the name of another unit.
    OtherUnit,
    /// It sends half of every answer.
    Half,
    /// Its checksums are wrong.
    BadCrc,
    /// It does not answer.
    Silent,
    /// Its unit 2 does not answer, the others do.
    Unit2Silent,
}

/// Where a device is.
enum Place {
    Tcp(u16),
    Serial(PathBuf),
}

/// A running device with the units 1, 2 and 3. Dropping kills it.
pub struct ModbusDevice {
    place: Place,
    control: u16,
    running: Option<Daemon>,
}

impl ModbusDevice {
    /// A device on a free loopback port, all of whose tables are 0.
    pub fn start() -> Result<Self> {
        Self::start_at(Place::Tcp(port::free()?))
    }

    /// A device at the end of a serial line with 19200 bits a second, all of whose tables are 0.
    pub fn start_on(device: &Path) -> Result<Self> {
        Self::start_at(Place::Serial(device.to_owned()))
    }

    fn start_at(place: Place) -> Result<Self> {
        let mut device = Self { place, control: port::free()?, running: None };
        device.restart()?;
        Ok(device)
    }

    /// Its address, the same over restarts; of a serial one only its own end of the line is known.
    pub fn url(&self) -> String {
        match &self.place {
            Place::Tcp(port) => format!("tcp://127.0.0.1:{port}"),
            Place::Serial(device) => format!("serial://{}", device.display()),
        }
    }

    /// Says what stands in a table (`coil`, `discrete`, `input`, `holding`) of a unit from an address on.
    pub fn set(&self, unit: u8, table: &str, address: u16, values: &[u16]) -> Result<()> {
        self.order(&json!({ "set": table, "unit": unit, "address": address, "values": values }))
    }

    /// Begins to do something wrong, or stops doing it.
    pub fn misbehave(&self, mischief: Option<Mischief>) -> Result<()> {
        let word = mischief.map(|it| match it {
            Mischief::Exception => "exception",
            Mischief::OtherUnit => "other_unit",
            Mischief::Half => "half",
            Mischief::BadCrc => "bad_crc",
            Mischief::Silent => "silent",
            Mischief::Unit2Silent => "silent_2",
        });
        self.order(&json!({ "mischief": word }))
    }

    /// SIGKILL: the connection is reset, and nobody listens any more.
    pub fn kill(&mut self) -> Result<()> {
        self.running.take().map_or(Ok(()), |mut daemon| daemon.kill())
    }

    /// Starts it anew on the same port; its tables are 0 again.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        let (kind, place) = match &self.place {
            Place::Tcp(port) => ("tcp", port.to_string()),
            Place::Serial(device) => ("serial", device.display().to_string()),
        };
        let launch = Launch::new(python()?)
            .args(["-B", "-W", "ignore"])
            .arg(workspace_root().join("testbed/peers/modbus.py"))
            .args([self.control.to_string(), kind.into(), place]);
        let daemon = launch.spawn()?;
        daemon.wait_for_line(PATIENCE, |line| line == "serving")?;
        self.running = Some(daemon);
        Ok(())
    }

    fn order(&self, order: &Value) -> Result<()> {
        let failed = || Error::io(format!("ordering {order} of the Modbus device"));
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.control)).map_err(failed())?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed())?;
        writeln!(stream, "{order}").map_err(failed())?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).map_err(failed())?;
        if answer == "ok\n" {
            return Ok(());
        }
        let log = self.running.as_ref().map(Daemon::log).unwrap_or_default();
        Err(Error::Daemon { program: "modbus.py".into(), problem: format!("refuses {order}"), log })
    }
}

/// The Python that set-up brings, with pymodbus.
fn python() -> Result<PathBuf> {
    let python = workspace_root().join(".fetched/python/bin/python");
    if python.is_file() { Ok(python) } else { Err(Error::NoPython(python)) }
}
