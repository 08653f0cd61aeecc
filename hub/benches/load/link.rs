//! One MQTT 5 connection, driven by hand: ten thousand of them need no task or queue of a client's own.

use std::io;
use std::net::SocketAddr;

use bytes::BytesMut;
use rumqttc::v5::mqttbytes::v5::{Connect, ConnectReturnCode, Login, Packet, Publish};
use rumqttc::v5::mqttbytes::{Error, QoS};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::hub::TOKEN;

/// Health comes more often.
const KEEP_ALIVE_S: u16 = 120;

/// An open connection.
pub struct Link {
    stream: TcpStream,
    unread: BytesMut,
}

impl Link {
    /// Logs in.
    pub async fn open(broker: SocketAddr, name: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(broker).await?;
        stream.set_nodelay(true)?;
        let mut link = Self { stream, unread: BytesMut::new() };
        let connect = Connect {
            keep_alive: KEEP_ALIVE_S,
            client_id: name.to_owned(),
            clean_start: true,
            properties: None,
        };
        link.write(&Packet::Connect(connect, None, Some(Login::new(name, TOKEN)))).await?;
        match link.next().await? {
            Packet::ConnAck(answer) if answer.code == ConnectReturnCode::Success => Ok(link),
            other => Err(io::Error::other(format!("{other:?}"))),
        }
    }

    /// Publishes at QoS 1.
    pub async fn publish(&mut self, id: u16, topic: &str, payload: &[u8], retain: bool) -> io::Result<()> {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload.to_vec(), None);
        (publish.pkid, publish.retain) = (id, retain);
        self.write(&Packet::Publish(publish)).await
    }

    /// The next packet; can be cancelled.
    pub async fn next(&mut self) -> io::Result<Packet> {
        loop {
            match Packet::read(&mut self.unread, None) {
                Ok(packet) => return Ok(packet),
                Err(Error::InsufficientBytes(_)) => {}
                Err(error) => return Err(io::Error::other(error)),
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn write(&mut self, packet: &Packet) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, None).map_err(io::Error::other)?;
        self.stream.write_all(&bytes).await
    }
}
