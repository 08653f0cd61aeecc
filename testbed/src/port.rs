//! Free loopback ports.
//!
//! A port is given to one process and stays its own as long as that lives, also while nobody listens on it: a server that is
//! killed and started again comes back to it, and in between another test must not be given it, nor an outgoing connection.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::{Error, Result};

// Below Linux's usual range for outgoing connections (32768 and up), which is read all the same.
const FIRST: u16 = 18_000;
const COUNT: u32 = 14_000;
// Ports of one process lie together, so test processes started one after the other rarely look at the same ones.
const PER_PROCESS: u32 = 40;
const OUTGOING: &str = "/proc/sys/net/ipv4/ip_local_port_range";

static NEXT: AtomicU32 = AtomicU32::new(0);
/// What keeps other processes off. The kernel lets go of it when this process ends, however it ends.
static RESERVED: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());
static OUTGOING_PORTS: LazyLock<Option<RangeInclusive<u16>>> =
    LazyLock::new(|| outgoing_ports(&std::fs::read_to_string(OUTGOING).ok()?));

/// A loopback TCP port that nobody listens on. It is never given twice, by this process or another that asks here.
pub fn free() -> Result<u16> {
    let start = std::process::id().wrapping_mul(PER_PROCESS);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start.wrapping_add(step) % COUNT) as u16;
        let is_outgoing = OUTGOING_PORTS.as_ref().is_some_and(|ports| ports.contains(&port));
        // First reserved, then tried: whoever reserves it meanwhile would find it free as well.
        if !is_outgoing && reserve(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::NoPort { first: FIRST, last: FIRST + (COUNT - 1) as u16 })
}

/// Two such ports next to each other, of which this is the lower one.
pub fn pair() -> Result<u16> {
    let mut lower = free()?;
    loop {
        let next = free()?;
        if next == lower + 1 {
            return Ok(lower);
        }
        lower = next;
    }
}

/// Takes a name that stands for the port and that only one process can have. It is in no file system, so nothing is left of
/// it, and in the same network namespace as the port.
fn reserve(port: u16) -> bool {
    let name = SocketAddr::from_abstract_name(format!("gatepost-testbed-port-{port}"));
    let Ok(listener) = name.and_then(|name| UnixListener::bind_addr(&name)) else { return false };
    RESERVED.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    true
}

fn outgoing_ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.trim().split_once(char::is_whitespace)?;
    Some(first.parse().ok()?..=last.trim().parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_free() {
        let (one, two) = (free().unwrap(), free().unwrap());
        assert_ne!(one, two);
        TcpListener::bind((Ipv4Addr::LOCALHOST, one)).unwrap();
    }

    #[test]
    fn a_pair_is_free_and_given_once() {
        let lower = pair().unwrap();
        let _both = [lower, lower + 1].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
        let other = pair().unwrap();
        assert!(other.abs_diff(lower) > 1, "{lower} and {other}");
    }

    #[test]
    fn a_port_in_use_is_not_given() {
        let taken = free().unwrap();
        let _holder = TcpListener::bind((Ipv4Addr::LOCALHOST, taken)).unwrap();
        assert!((0..50).all(|_| free().unwrap() != taken));
    }

    /// Two runs of chaos at once did that to each other while a hub was down.
    #[test]
    fn a_port_given_away_is_not_given_again_while_nobody_listens_on_it() {
        let given = free().unwrap();
        assert!(!reserve(given));
        RESERVED.lock().unwrap().retain(|held| {
            let name = held.local_addr().unwrap().as_abstract_name().map(<[u8]>::to_vec);
            name != Some(format!("gatepost-testbed-port-{given}").into_bytes())
        });
        assert!(reserve(given), "once whoever had it has ended");
    }

    #[test]
    fn outgoing_connections_have_ports_of_their_own() {
        assert_eq!(outgoing_ports("32768\t60999\n"), Some(32_768..=60_999));
        assert_eq!(outgoing_ports("rubbish"), None);
        assert!(!OUTGOING_PORTS.as_ref().unwrap().contains(&free().unwrap()));
    }
}
