//! What the store accepts and the uplink delivers.

use serde::{Deserialize, Serialize};

use crate::{Batch, DeviceClass, Id, Lane, Timestamp};

/// A record to be delivered.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// Samples of one device: `data/{device}`.
    Samples(Batch),
    /// An event or an answer with a ready JSON body.
    Message(Message),
}

/// A JSON object to be delivered with the envelope's `epoch` and `seq` added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The topic.
    pub topic: Topic,
    /// The class, for eviction.
    pub class: DeviceClass,
    /// When it happened.
    pub at: Timestamp,
    /// The members of the payload beside `epoch` and `seq`.
    pub body: serde_json::Map<String, serde_json::Value>,
}

/// Topics below the base that carry messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// `event/device`: a device went offline, came online, or is the wrong model.
    DeviceEvent,
    /// `vital/{device}`: one measurement of vital signs.
    Vital {
        /// The device.
        device: Id,
    },
    /// `event/alarm`.
    AlarmEvent,
    /// `event/haccp`: a day's record of the canteen was signed.
    HaccpEvent,
    /// `event/mode`.
    ModeEvent,
    /// `event/order`.
    OrderEvent,
    /// `event/ledger`: discarded data, and why.
    LedgerEvent,
    /// `cmd/{device}/result`, and the MQTT 5 response topic where one was given.
    CommandResult {
        /// The device the command was for.
        device: Id,
        /// Where the sender wants the answer.
        response_topic: Option<String>,
        /// MQTT 5 correlation data.
        correlation: Option<Vec<u8>>,
    },
}

// === impl Record ===

impl Record {
    /// Returns the lane it is delivered in.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::Samples(batch) => batch.layout.class.lane(),
            Self::Message(_) => Lane::Urgent,
        }
    }

    /// Returns the class, for eviction and the loss ledger.
    #[must_use]
    pub fn class(&self) -> DeviceClass {
        match self {
            Self::Samples(batch) => batch.layout.class,
            Self::Message(message) => message.class,
        }
    }

    /// When it happened: the first sample's time, or the message's.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Samples(batch) => batch.samples.first().map(|s| s.at).unwrap_or_default(),
            Self::Message(message) => message.at,
        }
    }
}

// === impl Topic ===

impl Topic {
    /// Returns the topic below the base topic.
    #[must_use]
    pub fn suffix(&self) -> String {
        match self {
            Self::DeviceEvent => "event/device".to_owned(),
            Self::Vital { device } => format!("vital/{device}"),
            Self::AlarmEvent => "event/alarm".to_owned(),
            Self::HaccpEvent => "event/haccp".to_owned(),
            Self::ModeEvent => "event/mode".to_owned(),
            Self::OrderEvent => "event/order".to_owned(),
            Self::LedgerEvent => "event/ledger".to_owned(),
            Self::CommandResult { device, .. } => format!("cmd/{device}/result"),
        }
    }
}
