//! The two ways to Modbus devices: TCP, and a serial line with RTU frames.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_modbus::client::{Context, rtu, tcp};
use tokio_serial::{
    ClearBuffer, DataBits, Parity, SerialPort as _, SerialPortBuilder, SerialStream, StopBits,
};

use super::fault::LineFault;
use crate::config::{ModbusAddress, ModbusLine, SerialLine, SerialParity, SerialStop};

/// On a faster serial line than this the silence between frames is fixed, for it would be too short to keep (Modbus over
/// Serial Line V1.02, 2.5.1.1).
const FAST_BAUD: u32 = 19_200;
const FAST_SILENCE: Duration = Duration::from_micros(1750);
/// After an answer that did not come or made no sense, whatever is still on its way has to be over before the next request:
/// RTU frames do not say which request they answer.
const RECOVERY: Duration = Duration::from_millis(200);

/// A way to Modbus devices.
pub(super) struct Link {
    place: String,
    way: Way,
}

enum Way {
    Tcp { host: String, port: u16 },
    Serial { port: SerialPortBuilder, silence: Duration },
}

impl Link {
    pub fn of(line: &ModbusLine) -> Self {
        let way = match line.url.address() {
            ModbusAddress::Tcp { host, port } => Way::Tcp { host: host.clone(), port: *port },
            ModbusAddress::Serial(path) => {
                let serial = line.serial.unwrap_or_default();
                Way::Serial { port: builder(&path.to_string_lossy(), serial), silence: silence(serial) }
            }
        };
        Self { place: line.url.to_string(), way }
    }

    /// The device file of an adapter is looked up anew each time: plugged in again, it may be another one.
    pub async fn connect(&self, within: Duration) -> Result<Context, LineFault> {
        let place = || self.place.clone();
        match &self.way {
            Way::Tcp { host, port } => {
                let stream = timeout(within, TcpStream::connect((host.as_str(), *port))).await;
                let stream = stream.map_err(|_| LineFault::Silent { place: place(), within })?;
                let stream = stream.and_then(|stream| {
                    // A request is one small packet, and its answer is waited for.
                    stream.set_nodelay(true)?;
                    Ok(stream)
                });
                Ok(tcp::attach(stream.map_err(|source| LineFault::Unreachable { place: place(), source })?))
            }
            Way::Serial { port, .. } => {
                let opened = SerialStream::open(port).and_then(|stream| {
                    stream.clear(ClearBuffer::Input)?;
                    Ok(stream)
                });
                Ok(rtu::attach(opened.map_err(|source| LineFault::Unopened { place: place(), source })?))
            }
        }
    }

    /// The silence a serial line needs before a request.
    pub async fn fall_silent(&self) {
        if let Way::Serial { silence, .. } = self.way {
            sleep(silence).await;
        }
    }

    /// Waits after something went wrong, where an answer may take so long.
    pub async fn recover(&self, patience: Duration) {
        if let Way::Serial { .. } = self.way {
            sleep(RECOVERY.min(patience)).await;
        }
    }
}

fn builder(path: &str, serial: SerialLine) -> SerialPortBuilder {
    tokio_serial::new(path, serial.baud.get())
        .data_bits(DataBits::Eight)
        .parity(match serial.parity {
            SerialParity::None => Parity::None,
            SerialParity::Even => Parity::Even,
            SerialParity::Odd => Parity::Odd,
        })
        .stop_bits(match serial.stop_bits {
            SerialStop::One => StopBits::One,
            SerialStop::Two => StopBits::Two,
        })
}

/// Three and a half characters of eleven bits each.
fn silence(serial: SerialLine) -> Duration {
    let baud = serial.baud.get();
    if baud > FAST_BAUD { FAST_SILENCE } else { Duration::from_secs(1) * 77 / (2 * baud) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_silence_is_that_of_the_specification() {
        let at = |baud: u32| silence(SerialLine { baud: baud.try_into().unwrap(), ..SerialLine::default() });
        assert_eq!(at(9600).as_micros(), 4010);
        assert_eq!(at(19_200).as_micros(), 2005);
        assert_eq!(at(115_200).as_micros(), 1750);
    }
}
