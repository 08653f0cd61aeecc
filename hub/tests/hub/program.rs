//! A program elsewhere that the hub posts to: a receiver of webhooks, a collector of traces.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::process::PATIENCE;

/// What it does with what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Takes,
    Answers(u16),
    Hangs,
}

/// What came.
pub struct Message {
    /// Path and query.
    pub target: String,
    /// By their names in small letters.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

/// A program that is told.
pub struct Program {
    pub url: String,
    mood: Arc<Mutex<Mood>>,
    pub told: Receiver<(Mood, Message)>,
}

impl Program {
    pub fn start(mood: Mood) -> Self {
        Self::listen(mood, None)
    }

    /// One that takes all; and, in PEM, the authority its certificate comes from.
    pub fn over_tls() -> (Self, String) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf =
            CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().signed_by(&key, &authority).unwrap();
        let key = key.serialize_der().try_into().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        (Self::listen(Mood::Takes, Some(Arc::new(config))), authority.pem())
    }

    fn listen(mood: Mood, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (sender, told) = channel();
        let mood = Arc::new(Mutex::new(mood));
        let shared = Arc::clone(&mood);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, mood) = (stream.unwrap(), *shared.lock().unwrap());
                let (tls, sender) = (tls.clone(), sender.clone());
                std::thread::spawn(move || match tls {
                    None => answer(stream, mood, &sender),
                    Some(tls) => {
                        answer(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), mood, &sender)
                    }
                });
            }
        });
        Self { url, mood, told }
    }

    pub fn is_now(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub fn next(&self) -> (Mood, Message) {
        self.told.recv_timeout(PATIENCE).expect("to be told")
    }
}

fn answer(stream: impl Read + Write, mood: Mood, told: &Sender<(Mood, Message)>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    // Who does not trust the certificate says nothing.
    if stream.read_line(&mut line).is_err() {
        return;
    }
    let target =
        line.strip_prefix("POST ").and_then(|rest| rest.strip_suffix(" HTTP/1.1\r\n")).unwrap().to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    // Who is gone at the end of a test hears no more.
    let _ = told.send((mood, Message { target, headers, body }));
    let status = match mood {
        Mood::Takes => 204,
        Mood::Answers(status) => status,
        Mood::Hangs => {
            std::thread::sleep(Duration::from_secs(60));
            return;
        }
    };
    let answer = format!("HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
    let _ = stream.get_mut().write_all(answer.as_bytes());
    let _ = stream.get_mut().flush();
}
