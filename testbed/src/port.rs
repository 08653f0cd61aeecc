//! Free loopback ports.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Error, Result};

// Below Linux's range for outgoing connections (32768 and up), so that no connection can take the port
// between our look and the server's bind, nor while a server is down between kill and restart.
const FIRST: u16 = 18_000;
const COUNT: u32 = 14_000;
// Ports of one process lie together, so test processes started one after the other do not meet.
const PER_PROCESS: u32 = 40;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A loopback TCP port that nobody listens on. It is never given twice by one process.
pub fn free() -> Result<u16> {
    let start = std::process::id().wrapping_mul(PER_PROCESS);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start.wrapping_add(step) % COUNT) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::NoPort { first: FIRST, last: FIRST + (COUNT - 1) as u16 })
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
    fn a_port_in_use_is_not_given() {
        let taken = free().unwrap();
        let _holder = TcpListener::bind((Ipv4Addr::LOCALHOST, taken)).unwrap();
        assert!((0..50).all(|_| free().unwrap() != taken));
    }
}
