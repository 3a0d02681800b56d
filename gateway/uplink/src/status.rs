//! The state of the uplink, for the district and for this gateway.

use linli_domain::Timestamp;
use serde::Serialize;

use crate::settings::Acknowledge;

/// The content of the retained `status` message while online.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Birth {
    /// Version of the software.
    pub version: String,
    /// Changes with every start of the machine.
    pub boot: String,
    /// Mode of the centre.
    pub mode: String,
    /// Public key that verifies the heads of its record.
    pub record_key: Option<String>,
    /// The highest accepted number of orders, by authority and class (`district.Actual`).
    pub orders: std::collections::BTreeMap<String, u64>,
    /// Rooms in their service state: technicians may move outputs of the mode switch there.
    pub service: Vec<String>,
    /// Longest order that it reads, in bytes.
    pub order_bytes: Option<u32>,
    /// Names of the rooms for people, by id.
    pub rooms: std::collections::BTreeMap<String, String>,
    /// Rooms that the mode switch can change: those with a plan.
    pub switches: std::collections::BTreeSet<String>,
}

/// The state of the connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct UplinkStatus {
    /// Whether the broker has accepted the connection.
    pub connected: bool,
    /// Time of the last change of `connected`.
    pub since: Timestamp,
    /// Host and port of the broker.
    pub broker: String,
    /// Why the last connection ended or could not be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Connections that the broker accepted.
    pub connects: u64,
    /// Messages sent, repeated ones included.
    pub sent: u64,
    /// Messages acknowledged.
    pub acknowledged: u64,
    /// What ends the keeping of a record: the broker's acknowledgement, or the district's.
    pub acknowledge: Acknowledge,
    /// Messages that the district has named as stored; 0 while the broker's acknowledgement is enough.
    pub confirmed: u64,
    /// Messages that the broker has acknowledged and the district has not named yet.
    pub unconfirmed: usize,
    /// Age of the oldest of them in milliseconds.
    pub oldest_unconfirmed_ms: u64,
    /// Messages that the broker took for nobody (MQTT 5 reason 0x10): nobody subscribes to their topic. They are kept
    /// and sent again.
    pub no_subscriber: usize,
    /// Messages sent again because nobody stored them in time.
    pub repeated: u64,
    /// Payload bytes sent.
    pub bytes: u64,
    /// Messages moved to the dead letters.
    pub dead_letters: u64,
    /// Messages sent and not yet acknowledged.
    pub in_flight: usize,
    /// Age of the oldest of them in milliseconds.
    pub oldest_in_flight_ms: u64,
    /// Sequence numbers between here and the head of the data lane.
    pub behind: u64,
    /// Commands received.
    pub commands: u64,
    /// Commands dropped because too many were waiting.
    pub commands_dropped: u64,
}
