//! Whoever answers at a camera's address and means harm: an RTSP server that speaks just enough of the protocol
//! (RFC 2326) to get to the point a test wants to make.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use crate::Result;
use crate::rtsp_relay::Packet;
use crate::server::Server;

/// A session description that offers H.264 with payload type 96.
pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=control:*\r\n\
                       m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track0\r\n";

/// A camera that does what a test tells it to. Dropping it stops it.
pub struct RogueCamera {
    server: Server,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `DESCRIBE`, `SETUP`, …
    pub method: String,
    /// The address asked for.
    pub url: String,
    sequence: String,
}

/// A connection to whoever takes this for a camera.
pub struct Conversation {
    from: BufReader<TcpStream>,
    to: TcpStream,
}

impl RogueCamera {
    /// Every connection is served by `behave`, in a thread of its own, and closed when that returns.
    pub fn serve(
        behave: impl Fn(&mut Conversation) -> io::Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        let server = Server::start(move |to| {
            let from = BufReader::new(to.try_clone()?);
            behave(&mut Conversation { from, to })
        })?;
        Ok(Self { server })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("rtsp://{}/stream", self.server.addr())
    }
}

impl Conversation {
    /// Waits for the next request; an error when the other side has left.
    pub fn request(&mut self) -> io::Result<Request> {
        let (mut first, mut sequence) = (None, String::new());
        loop {
            let mut line = String::new();
            if self.from.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim();
            if let Some(number) = line.to_ascii_lowercase().strip_prefix("cseq:") {
                sequence = number.trim().to_owned();
            }
            match first.as_mut() {
                None => first = Some(line.to_owned()),
                Some(first) if line.is_empty() => {
                    let mut words = first.split(' ').map(str::to_owned);
                    let mut word = || words.next().unwrap_or_default();
                    return Ok(Request { method: word(), url: word(), sequence });
                }
                Some(_) => {}
            }
        }
    }

    /// Answers with a status such as `200 OK`, headers as lines, and a body.
    pub fn answer(&mut self, request: &Request, status: &str, headers: &str, body: &str) -> io::Result<()> {
        let length =
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let sequence = &request.sequence;
        self.send(format!("RTSP/1.0 {status}\r\nCSeq: {sequence}\r\n{headers}{length}\r\n{body}").as_bytes())
    }

    /// Answers as a camera with this session description does until one of the `methods` is asked for, which is
    /// returned unanswered.
    pub fn until(&mut self, methods: &[&str], sdp: &str) -> io::Result<Request> {
        loop {
            let request = self.request()?;
            if methods.contains(&request.method.as_str()) {
                return Ok(request);
            }
            self.answer_well(&request, sdp)?;
        }
    }

    /// Answers one request as a camera with this session description does.
    pub fn answer_well(&mut self, request: &Request, sdp: &str) -> io::Result<()> {
        let (headers, body) = match request.method.as_str() {
            "OPTIONS" => ("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""),
            "DESCRIBE" => ("Content-Type: application/sdp\r\n", sdp),
            "SETUP" => ("Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", ""),
            _ => ("Session: 1\r\n", ""),
        };
        self.answer(request, "200 OK", headers, body)
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }

    /// Sends one packet of RTP: payload type 96.
    pub fn send_rtp(&mut self, sequence: u16, time: u32, source: u32, payload: &[u8]) -> io::Result<()> {
        let mut data = vec![0x80, 96];
        data.extend(sequence.to_be_bytes());
        data.extend(time.to_be_bytes());
        data.extend(source.to_be_bytes());
        data.extend(payload);
        self.send(&Packet { channel: 0, data }.framed())
    }

    /// Says nothing more until the other side leaves.
    pub fn fall_silent(&mut self) -> io::Result<()> {
        loop {
            self.request()?;
        }
    }
}
