//! A broker for one connection: it accepts everything and writes down what it was told.

use bytes::BytesMut;
use linli_uplink::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::messages::hex;

/// A packet the broker sends.
pub struct Incoming {
    pub what: &'static str,
    pub bytes: Vec<u8>,
}

/// Longest packet it takes.
const LONGEST: u32 = 1 << 20;

pub struct Broker {
    version: Version,
    listener: TcpListener,
}

/// What a packet of the gateway means for the broker.
enum Step {
    /// Not whole yet.
    More,
    /// To be answered with these bytes, and written down.
    Answer(BytesMut, String),
    /// The subscriptions are complete: the packets may be sent.
    Subscribed(BytesMut, String),
    Over,
}

// === impl Broker ===

impl Broker {
    pub async fn listen(version: Version) -> Self {
        Self { version, listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// Serves one connection to its end; returns what it was told.
    pub async fn serve(self, packets: Vec<Vec<u8>>) -> String {
        let (mut socket, _) = self.listener.accept().await.unwrap();
        let (mut buffer, mut told) = (BytesMut::new(), String::new());
        let mut subscriptions = 0;
        loop {
            let step = match self.version {
                Version::V311 => v311(&mut buffer),
                Version::V5 => v5(&mut buffer),
            };
            match step {
                Step::More => {
                    if socket.read_buf(&mut buffer).await.unwrap() == 0 {
                        return told;
                    }
                }
                Step::Answer(answer, line) => {
                    socket.write_all(&answer).await.unwrap();
                    told += &line;
                }
                Step::Subscribed(answer, line) => {
                    socket.write_all(&answer).await.unwrap();
                    told += &line;
                    subscriptions += 1;
                    if subscriptions == 2 {
                        send(&mut socket, &packets).await;
                    }
                }
                Step::Over => {
                    told += "DISCONNECT\n";
                    return told;
                }
            }
        }
    }
}

async fn send(socket: &mut TcpStream, packets: &[Vec<u8>]) {
    for packet in packets {
        socket.write_all(packet).await.unwrap();
    }
}

fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).unwrap().to_owned()
}

fn published(topic: &[u8], retain: bool, correlation: Option<&[u8]>, payload: &[u8]) -> String {
    let retain = if retain { " retain" } else { "" };
    let correlation = correlation.map(|data| format!(" correlation={}", hex(data))).unwrap_or_default();
    format!("PUBLISH qos=1{retain}{correlation} {}\n{}\n", text(topic), text(payload))
}

fn connected(client: &str, clean: bool, keep_alive: u16, will: (&[u8], bool, &[u8])) -> String {
    let (topic, retain, payload) = will;
    format!(
        "CONNECT client={client} clean={clean} keep_alive={keep_alive}\nWILL qos=1 retain={retain} {}\n{}\n",
        text(topic),
        text(payload)
    )
}

fn v311(buffer: &mut BytesMut) -> Step {
    use mqtt_v311::mqttbytes::v4::{ConnAck, ConnectReturnCode, Packet, PubAck, SubAck, SubscribeReasonCode};
    use mqtt_v311::{QoS, mqttbytes};
    let longest = LONGEST as usize;
    let packet = match Packet::read(buffer, longest) {
        Ok(packet) => packet,
        Err(mqttbytes::Error::InsufficientBytes(_)) => return Step::More,
        Err(error) => panic!("{error}"),
    };
    let mut out = BytesMut::new();
    match packet {
        Packet::Connect(connect) => {
            let will = connect.last_will.unwrap();
            assert_eq!(will.qos, QoS::AtLeastOnce);
            let will = (will.topic.as_bytes(), will.retain, &*will.message);
            let line = connected(&connect.client_id, connect.clean_session, connect.keep_alive, will);
            Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false))
                .write(&mut out, longest)
                .unwrap();
            Step::Answer(out, line)
        }
        Packet::Subscribe(subscribe) => {
            let filter = &subscribe.filters[0];
            assert_eq!((subscribe.filters.len(), filter.qos), (1, QoS::AtLeastOnce));
            let codes = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce)];
            Packet::SubAck(SubAck::new(subscribe.pkid, codes)).write(&mut out, longest).unwrap();
            Step::Subscribed(out, format!("SUBSCRIBE {}\n", filter.path))
        }
        Packet::Publish(publish) => {
            assert_eq!(publish.qos, QoS::AtLeastOnce);
            Packet::PubAck(PubAck::new(publish.pkid)).write(&mut out, longest).unwrap();
            Step::Answer(out, published(&publish.topic, publish.retain, None, &publish.payload))
        }
        Packet::Disconnect => Step::Over,
        other => panic!("{other:?}"),
    }
}

fn v5(buffer: &mut BytesMut) -> Step {
    use mqtt_v5::mqttbytes::QoS;
    use mqtt_v5::mqttbytes::v5::{ConnAck, ConnectReturnCode, Packet, PubAck, SubAck, SubscribeReasonCode};
    let packet = match Packet::read(buffer, Some(LONGEST)) {
        Ok(packet) => packet,
        Err(mqtt_v5::mqttbytes::Error::InsufficientBytes(_)) => return Step::More,
        Err(error) => panic!("{error}"),
    };
    let mut out = BytesMut::new();
    match packet {
        Packet::Connect(connect, will, _) => {
            let will = will.unwrap();
            assert_eq!(will.qos, QoS::AtLeastOnce);
            let told = (&*will.topic, will.retain, &*will.message);
            let line = connected(&connect.client_id, connect.clean_start, connect.keep_alive, told);
            let accepted =
                ConnAck { session_present: false, code: ConnectReturnCode::Success, properties: None };
            Packet::ConnAck(accepted).write(&mut out, None).unwrap();
            Step::Answer(out, line)
        }
        Packet::Subscribe(subscribe) => {
            let filter = &subscribe.filters[0];
            assert_eq!((subscribe.filters.len(), filter.qos), (1, QoS::AtLeastOnce));
            let return_codes = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce)];
            let ack = SubAck { pkid: subscribe.pkid, return_codes, properties: None };
            Packet::SubAck(ack).write(&mut out, None).unwrap();
            Step::Subscribed(out, format!("SUBSCRIBE {}\n", filter.path))
        }
        Packet::Publish(publish) => {
            assert_eq!(publish.qos, QoS::AtLeastOnce);
            Packet::PubAck(PubAck::new(publish.pkid, None)).write(&mut out, None).unwrap();
            let correlation = publish.properties.and_then(|properties| properties.correlation_data);
            Step::Answer(
                out,
                published(&publish.topic, publish.retain, correlation.as_deref(), &publish.payload),
            )
        }
        Packet::Disconnect(_) => Step::Over,
        other => panic!("{other:?}"),
    }
}
