//! The state of the uplink, for the district and for this gateway.

use linli_domain::Timestamp;
use serde::Serialize;

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
