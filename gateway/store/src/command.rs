//! A command as it is journaled.

use linli_domain::command::State;
use linli_domain::{Timestamp, Value};
use serde::{Deserialize, Serialize};

/// A command as it is stored in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournaledCommand {
    /// Chosen by the sender; the same id is the same command for ever.
    pub id: String,
    /// The device it is for.
    pub device: String,
    /// The point to write.
    pub point: String,
    /// The value to write.
    pub value: Value,
    /// Time after which it must not act.
    pub expires: Timestamp,
    /// Time of its acceptance.
    pub at: Timestamp,
    /// MQTT 5 response topic.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub response_topic: Option<String>,
    /// MQTT 5 correlation data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation: Option<Vec<u8>>,
}

/// What beginning a command found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Not seen before; it is journaled now.
    Fresh,
    /// Seen before, and this is how far it has come.
    Known(State),
}
