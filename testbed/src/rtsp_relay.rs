//! The line between a network camera and whoever watches it over TCP: an RTSP relay that can alter each packet
//! the camera sends in its connection (RFC 2326, 10.12), or let nothing through any more.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::server::Server;
use crate::{Result, rtsp_camera::RtspCamera};

/// A packet of RTP (even channels) or RTCP (odd ones) within an RTSP connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// As agreed on in the camera's answer to SETUP.
    pub channel: u8,
    /// The packet, at most 65535 bytes.
    pub data: Vec<u8>,
}

type Alter = Box<dyn FnMut(Packet) -> Vec<Packet> + Send>;

/// A line to one camera. Dropping it closes it.
pub struct RtspRelay {
    server: Server,
    line: Arc<Line>,
}

struct Line {
    camera: SocketAddr,
    dead: AtomicBool,
    alter: Mutex<Option<Alter>>,
}

impl RtspRelay {
    /// A line that passes everything on as it is.
    pub fn to(camera: &RtspCamera) -> Result<Self> {
        let line =
            Arc::new(Line { camera: camera.addr(), dead: AtomicBool::new(false), alter: Mutex::new(None) });
        let shared = Arc::clone(&line);
        let server = Server::start(move |client| shared.carry(&client))?;
        Ok(Self { server, line })
    }

    /// The camera's address on this line.
    pub fn url(&self) -> String {
        format!("rtsp://{}{}", self.server.addr(), RtspCamera::PATH)
    }

    /// From now on each packet becomes what `alter` makes of it.
    pub fn alter(&self, alter: impl FnMut(Packet) -> Vec<Packet> + Send + 'static) {
        *self.line.alter() = Some(Box::new(alter));
    }

    /// A network that has gone: connections stay open and can be opened, and nothing gets through them.
    pub fn set_dead(&self, dead: bool) {
        self.line.dead.store(dead, Ordering::Relaxed);
    }
}

impl Line {
    fn alter(&self) -> std::sync::MutexGuard<'_, Option<Alter>> {
        self.alter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Both directions, until one of them ends.
    fn carry(self: &Arc<Self>, client: &TcpStream) -> io::Result<()> {
        let camera = TcpStream::connect(self.camera)?;
        let (from, to, line) = (client.try_clone()?, camera.try_clone()?, Arc::clone(self));
        let requests = thread::spawn(move || {
            let _ = line.pass_requests(&from, &to);
            let _ = to.shutdown(Shutdown::Both);
        });
        let answered = self.pass_answers(&camera, client);
        let _ = client.shutdown(Shutdown::Both);
        let _ = requests.join();
        answered
    }

    fn pass_requests(&self, mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
        let mut chunk = [0; 4096];
        loop {
            let count = from.read(&mut chunk)?;
            if count == 0 {
                return Ok(());
            }
            if !self.is_dead() {
                to.write_all(&chunk[..count])?;
            }
        }
    }

    fn pass_answers(&self, from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
        let mut from = BufReader::new(from);
        loop {
            let Some(&first) = from.fill_buf()?.first() else { return Ok(()) };
            let bytes = if first == b'$' {
                self.altered(read_packet(&mut from)?).iter().flat_map(Packet::framed).collect()
            } else {
                read_message(&mut from)?
            };
            if !self.is_dead() {
                to.write_all(&bytes)?;
            }
        }
    }

    fn altered(&self, packet: Packet) -> Vec<Packet> {
        match self.alter().as_mut() {
            Some(alter) => alter(packet),
            None => vec![packet],
        }
    }
}

impl Packet {
    /// Is it RTP? Otherwise it is RTCP.
    pub fn is_rtp(&self) -> bool {
        self.channel.is_multiple_of(2)
    }

    /// As it stands in a connection.
    pub fn framed(&self) -> Vec<u8> {
        let mut bytes = vec![b'$', self.channel];
        bytes.extend((self.data.len() as u16).to_be_bytes());
        bytes.extend(&self.data);
        bytes
    }
}

fn read_packet(from: &mut impl Read) -> io::Result<Packet> {
    let mut head = [0; 4];
    from.read_exact(&mut head)?;
    let mut data = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
    from.read_exact(&mut data)?;
    Ok(Packet { channel: head[1], data })
}

/// An RTSP message with its body.
fn read_message(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let (mut message, mut body) = (Vec::new(), 0);
    loop {
        let began = message.len();
        if from.read_until(b'\n', &mut message)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&message[began..]).trim().to_ascii_lowercase();
        if let Some(length) = line.strip_prefix("content-length:") {
            body = length.trim().parse().map_err(io::Error::other)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let headers = message.len();
    message.resize(headers + body, 0);
    from.read_exact(&mut message[headers..])?;
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_packets_are_told_apart() {
        let packet = Packet { channel: 1, data: b"\r\n\r\nRTSP".to_vec() };
        let mut stream = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nv=0".to_vec();
        let length = stream.len();
        stream.extend(packet.framed());
        let mut stream = &stream[..];
        assert_eq!(read_message(&mut stream).unwrap().len(), length);
        assert_eq!(read_packet(&mut stream).unwrap(), packet);
        assert!(stream.is_empty() && !packet.is_rtp());
    }
}
