//! One connection to a broker, whatever the version and the client crate behind it.
//!
//! Three operations: publish, next, close. A session is used once: after [`SessionEvent::Lost`] it is
//! dropped, and the next connection is a new one.

mod driven;
mod v311;
mod v5;

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use linli_domain::command::Inbound;

use crate::settings::{Acknowledge, Settings, Version};
use crate::tls::{self, TlsError};

/// Longest packet accepted from a broker: a command a thousand times too long is still answered.
const LONGEST_INCOMING: u32 = 2 * 1024 * 1024;

/// Requests and events between the session and its client.
const QUEUE: usize = 512;

/// Least and most packet ids in use at once. The window stays far below, so ids are not used again early; the client keeps
/// 216 bytes for each of them from its start.
const PACKET_IDS: (u16, u16) = (1024, 8192);

/// No answer to CONNECT within this means no connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// Names a message until it is acknowledged: epoch generation and sequence number.
pub type Token = (u32, u64);

/// A message to publish at QoS 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Full topic.
    pub topic: String,
    /// Payload.
    pub payload: Bytes,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// MQTT 5 correlation data.
    pub correlation: Option<Vec<u8>>,
}

/// The broker's answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted.
    Taken,
    /// Acknowledged, but nobody subscribes to the topic (MQTT 5 reason 0x10): nobody has it.
    NoSubscriber,
    /// Refused for ever; holds the reason.
    Never(String),
    /// Refused for now: a quota is used up.
    NotNow(String),
    /// Failed; sending it again may succeed.
    Failed(String),
}

/// An order as received, not yet decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundOrder {
    /// The bytes received.
    pub payload: Vec<u8>,
    /// Whether it was a retained message: retained orders are refused.
    pub retained: bool,
}

/// An event of a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionEvent {
    /// The broker has accepted us.
    Connected {
        /// Longest packet it takes.
        max_packet: Option<u32>,
    },
    /// It has answered a message.
    Answered(Token, Verdict),
    /// A command arrived.
    Command(Inbound),
    /// An order, or a message that proposes one, arrived.
    Order(InboundOrder),
    /// The district names stored records; the payload of the topic `ack`.
    Stored(Vec<u8>),
    /// The connection is over.
    Lost(String),
}

/// A connection. Used by one task.
pub trait Session: Send {
    /// Queues a message; `false` when the queue is full.
    fn publish(&mut self, publication: Publication, token: Option<Token>) -> bool;

    /// The next event. May be cancelled without loss.
    fn next(&mut self) -> BoxFuture<'_, SessionEvent>;

    /// Disconnects in order.
    fn close(&mut self) -> BoxFuture<'_, ()>;
}

/// Begins the `attempt`-th connection; whether it succeeds is its first event.
pub fn connect(settings: &Settings, attempt: usize, will: Publication) -> Result<Box<dyn Session>, TlsError> {
    let tls = settings.tls.as_ref().map(tls::config).transpose()?;
    let address = settings.address(attempt);
    Ok(match settings.version {
        Version::V5 => Box::new(v5::connect(settings, address, tls, will)),
        Version::V311 => Box::new(v311::connect(settings, address, tls, will)),
    })
}

/// Packet ids in use at once, for so many messages that wait for their acknowledgement.
fn packet_ids(window: usize) -> u16 {
    let (least, most) = PACKET_IDS;
    u16::try_from(window.saturating_mul(8)).unwrap_or(most).clamp(least, most)
}

/// A topic filter, and whether it is subscribed at QoS 1.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Filter {
    path: String,
    qos1: bool,
}

/// What is subscribed: `{base}/cmd/+`, `{base}/order`, and `{base}/ack` where the district acknowledges. What is lost of
/// `ack` comes again with the next one: QoS 0.
fn filters(settings: &Settings) -> Vec<Filter> {
    let (base, qos1) = (&settings.base, settings.inbound_qos1);
    let mut filters =
        vec![Filter { path: format!("{base}/cmd/+"), qos1 }, Filter { path: format!("{base}/order"), qos1 }];
    if settings.acknowledge == Acknowledge::District {
        filters.push(Filter { path: format!("{base}/ack"), qos1: false });
    }
    filters
}

/// What a topic is for.
#[derive(Debug, PartialEq, Eq)]
enum Destination {
    /// Commands to that device.
    Command(String),
    /// Orders.
    Order,
    /// What the district has stored.
    Stored,
}

/// Stands for `.` in topics where the broker takes none: no id has it.
const DOT: &str = "~";

/// What a topic is for, if it is one of ours.
fn destination(base: &str, topic: &[u8]) -> Option<Destination> {
    let topic = std::str::from_utf8(topic).ok()?.strip_prefix(base)?;
    match topic {
        "/order" => return Some(Destination::Order),
        "/ack" => return Some(Destination::Stored),
        _ => {}
    }
    let device = topic.strip_prefix("/cmd/")?;
    (!device.is_empty() && !device.contains('/')).then(|| Destination::Command(device.replace(DOT, ".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_more_packet_ids_than_messages_that_wait() {
        assert_eq!([1, 128, 200, 2048, usize::MAX].map(packet_ids), [1024, 1024, 1600, 8192, 8192]);
    }

    #[test]
    fn a_topic_names_one_device_or_orders() {
        let destination = |topic: &str| destination("linli/1/c/g", topic.as_bytes());
        assert_eq!(destination("linli/1/c/g/cmd/fan-1"), Some(Destination::Command("fan-1".to_owned())));
        assert_eq!(destination("linli/1/c/g/cmd/fan~1"), Some(Destination::Command("fan.1".to_owned())));
        assert_eq!(destination("linli/1/c/g/order"), Some(Destination::Order));
        assert_eq!(destination("linli/1/c/g/ack"), Some(Destination::Stored));
        assert_eq!(destination("linli/1/c/other/ack"), None);
        assert_eq!(destination("linli/1/c/g/cmd/"), None);
        assert_eq!(destination("linli/1/c/g/cmd/fan-1/result"), None);
        assert_eq!(destination("linli/1/c/other/cmd/fan-1"), None);
        assert_eq!(destination("linli/1/c/other/order"), None);
    }
}
