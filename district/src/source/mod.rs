//! Where messages come from.
//!
//! A source hands out each message with a receipt, and forgets it only when the receipt is returned. What was handed out
//! and not acknowledged comes again, to this copy or to another.

mod mqtt;
mod nats;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;

pub use mqtt::{MqttSource, take_over};
pub use nats::NatsSource;

/// A message.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where it was published.
    pub topic: String,
    /// What it says.
    pub payload: Bytes,
    /// To be returned when it is stored.
    pub receipt: Receipt,
}

/// Names a delivery to its source.
#[derive(Debug, Clone)]
pub enum Receipt {
    /// Of an MQTT connection: a receipt of an earlier one means nothing, the broker sends the message again.
    Mqtt {
        /// The number of the connection.
        connection: u64,
        /// What acknowledges the message; none at QoS 0.
        ack: Option<mqtt_v5::ManualAck>,
    },
    /// Of JetStream.
    Nats {
        /// The subject that acknowledges the message.
        reply: String,
    },
}

/// Counters of a source.
#[derive(Debug, Default)]
pub struct SourceStatus {
    /// 1 while connected.
    pub connected: AtomicU64,
    /// Connections made.
    pub connects: AtomicU64,
    /// Messages received.
    pub received: AtomicU64,
    /// Messages published.
    pub published: AtomicU64,
    /// Messages that could not be published because the connection took no more.
    pub unpublished: AtomicU64,
}

/// An engine that delivers the messages of all centres.
///
/// Copies of the service that open the same source share its messages.
pub trait Source: Send + 'static {
    /// The next message; `None` when the source was closed. May be cancelled without loss.
    fn next(&mut self) -> impl Future<Output = Option<Delivery>> + Send;

    /// Returns receipts, in the order of the deliveries.
    fn acknowledge(&mut self, receipts: Vec<Receipt>) -> impl Future<Output = ()> + Send;

    /// A handle that publishes.
    fn publisher(&self) -> Arc<dyn Publisher>;

    /// Its counters.
    fn status(&self) -> Arc<SourceStatus>;

    /// Ends it; what was handed out and not acknowledged stays with the engine.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Publishes to gateways.
pub trait Publisher: Send + Sync {
    /// Queues a message; whether the connection took it. `is_order`: at QoS 1, else at QoS 0.
    fn publish(&self, topic: String, payload: Vec<u8>, is_order: bool) -> bool;
}
