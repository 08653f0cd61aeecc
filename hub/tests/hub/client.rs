//! A box's side of TLS: a key, a request, a certificate, and HTTPS by hand.

use std::sync::Arc;

use gatepost_wire::enrolment::{Ask, ENROL_PATH, EnrolmentCode, Issued, NotIssued, RENEW_PATH};
use rcgen::{CertificateParams, KeyPair};
use rumqttc::v5::MqttOptions;
use rumqttc::{TlsConfiguration, Transport};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::process::{Home, Hub};

/// A new key and a request for it, both in PEM.
pub fn key_and_request() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    (key.serialize_pem(), request)
}

/// TLS to whoever this authority vouches for, with a certificate and key or without.
pub fn tls(authority: &str, own: Option<(&str, &str)>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match own {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => config
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap(),
    })
}

/// A connection to a port of this machine.
pub async fn connect(port: u16, tls: Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(tls).connect(name, stream).await.unwrap()
}

/// Sends a request and gives the whole answer.
pub async fn exchange(port: u16, tls: Arc<ClientConfig>, head: &str, body: &str) -> String {
    let mut stream = connect(port, tls).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    // Who is refused for the size of what it sends need not hear out the rest.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    // Some servers close without a goodbye of TLS.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// Posts to the hub's enrolment; status and body.
pub async fn post(hub: &Hub, tls: Arc<ClientConfig>, path: &str, body: &str) -> (u16, String) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let answer = exchange(hub.enrolment_port(), tls, &head, body).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.split(' ').nth(1).unwrap_or("0").parse().unwrap(), body.to_owned())
}

/// A box that has enrolled.
pub struct Enrolled {
    pub name: String,
    pub key: String,
    pub issued: Issued,
}

/// A code for the edge.
pub fn code(home: &Home, edge: &str) -> EnrolmentCode {
    home.call(&["device", "enrol", edge]).parse().unwrap()
}

/// The authority of this home.
pub fn authority(home: &Home) -> String {
    std::fs::read_to_string(home.data().join("keys/authority.pem")).unwrap()
}

/// Brings a secret for the edge; the answer, or the refusal with its status.
pub async fn enrol(home: &Home, hub: &Hub, edge: &str, secret: &str) -> Result<Enrolled, (u16, String)> {
    let (key, request) = key_and_request();
    let ask = Ask { edge: edge.parse().unwrap(), code: Some(secret.to_owned()), request };
    let body = serde_json::to_string(&ask).unwrap();
    let answer = post(hub, tls(&authority(home), None), ENROL_PATH, &body).await;
    Ok(Enrolled { name: edge.to_owned(), key, issued: read(answer)? })
}

/// Enrols an edge.
pub async fn enrolled(home: &Home, hub: &Hub, edge: &str) -> Enrolled {
    let code = code(home, edge);
    enrol(home, hub, edge, &code.secret()).await.map_err(|refusal| format!("{refusal:?}")).unwrap()
}

fn read((status, body): (u16, String)) -> Result<Issued, (u16, String)> {
    match status {
        200 => Ok(serde_json::from_str(&body).unwrap()),
        status => Err((status, serde_json::from_str::<NotIssued>(&body).map_or(body, |it| it.error))),
    }
}

impl Enrolled {
    pub fn tls(&self) -> Arc<ClientConfig> {
        tls(&self.issued.authority, Some((&self.issued.certificate, &self.key)))
    }

    /// Asks for a new certificate in the name of `edge`.
    pub async fn renew(&self, hub: &Hub, edge: &str) -> Result<Enrolled, (u16, String)> {
        let (key, request) = key_and_request();
        let ask = Ask { edge: edge.parse().unwrap(), code: None, request };
        let answer = post(hub, self.tls(), RENEW_PATH, &serde_json::to_string(&ask).unwrap()).await;
        Ok(Enrolled { name: edge.to_owned(), key, issued: read(answer)? })
    }

    /// How it connects to a broker.
    pub fn options(&self, port: u16) -> MqttOptions {
        options(port, &self.name, self.tls())
    }
}

pub fn options(port: u16, client_id: &str, tls: Arc<ClientConfig>) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, "127.0.0.1", port);
    options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    options.set_max_packet_size(Some(64 * 1024 * 1024));
    options
}
