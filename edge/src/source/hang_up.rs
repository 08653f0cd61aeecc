//! Ending connections GStreamer does not let go of: once an answer has begun, its RTSP client reads on until the
//! answer ends, and whoever sends one that never does holds it, and fills memory, for ever.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use rustix::net::{Shutdown, getpeername, shutdown};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// Ends this process's TCP connections to `host`; how many there were. Other cameras behind the same address lose
/// theirs too, and connect again.
pub(super) fn hang_up(host: &str, port: u16) -> io::Result<usize> {
    let peers: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    let process = pidfd_open(getpid(), PidfdFlags::empty())?;
    let mut count = 0;
    for entry in std::fs::read_dir("/proc/self/fd")?.flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|number| number.parse().ok()) else {
            continue;
        };
        // A descriptor of our own for the same socket: the other's owner may close it at any moment, and its number
        // then belong to another.
        let Ok(socket) = pidfd_getfd(&process, number, PidfdGetfdFlags::empty()) else { continue };
        let Ok(Some(peer)) = getpeername(&socket) else { continue };
        if SocketAddr::try_from(peer).is_ok_and(|peer| peers.contains(&peer)) {
            shutdown(&socket, Shutdown::Both)?;
            count += 1;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn only_connections_to_that_address_end() {
        let servers = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = servers.each_ref().map(|server| server.local_addr().unwrap());
        let [mut held, other] = addresses.map(|address| TcpStream::connect(address).unwrap());
        assert_eq!(hang_up("127.0.0.1", addresses[0].port()).unwrap(), 1);
        assert_eq!(held.read(&mut [0]).unwrap(), 0, "its end");
        other.set_nonblocking(true).unwrap();
        assert_eq!((&other).read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
