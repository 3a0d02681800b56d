//! Commands: the format of a request, and its states.
//!
//! A command is journaled before it is sent, and done only when it is read back. The journal, not the
//! memory of a process, decides after a crash.

use serde::{Deserialize, Serialize};

use crate::{Id, Timestamp, Value};

/// Largest request that is looked at. A command is an id, a point and a value.
pub const LARGEST_REQUEST: usize = 4096;

/// A request as it arrives on `cmd/{device}` or over HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Chosen by the sender; a repeated id is the same command.
    pub id: String,
    /// The point to write.
    pub point: String,
    /// The value to write.
    pub value: Value,
    /// After this time (Unix milliseconds UTC) the command must not act.
    pub expires: Timestamp,
}

/// A request together with where it came from and where the answer goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// The device the topic or path names.
    pub device: String,
    /// The bytes received.
    pub payload: Vec<u8>,
    /// Whether it was a retained message: these are refused.
    pub retained: bool,
    /// MQTT 5 response topic.
    pub response_topic: Option<String>,
    /// MQTT 5 correlation data.
    pub correlation: Option<Vec<u8>>,
}

/// The state of a command. The names appear in results and in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// Journaled, not yet sent.
    Accepted,
    /// Sent, or about to be sent; whether the device acted is not known.
    Sent,
    /// Read back as asked.
    Done,
    /// Refused or failed; the device was not changed, or its answer says so.
    Failed {
        /// The reason, for people.
        reason: String,
    },
    /// Sent, but never confirmed: a person must look.
    Unknown {
        /// The reason, for people.
        reason: String,
    },
}

/// Why a request is refused before anything is journaled or sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Retained messages are delivered again at every reconnect.
    #[error("retained commands are refused: publish it without the retain flag")]
    Retained,
    /// The request is too large.
    #[error("{size} bytes is too large for a command, at most {LARGEST_REQUEST} are accepted")]
    TooLarge {
        /// Bytes received.
        size: usize,
    },
    /// Not JSON, or not the members expected.
    #[error("not a command: {detail}; expected {{\"id\",\"point\",\"value\",\"expires\"}}")]
    Malformed {
        /// The parser's message.
        detail: String,
    },
    /// The id is empty, too long or has unusable characters.
    #[error("id must be 1 to 64 printable ASCII characters")]
    BadId,
    /// The device is not in the configuration.
    #[error("no device {device:?} here")]
    UnknownDevice {
        /// The device in the topic or path.
        device: String,
    },
    /// The device has no such point.
    #[error("device {device} has no point {point:?}; writable points: {writable}")]
    UnknownPoint {
        /// The device.
        device: Id,
        /// The point in the request.
        point: String,
        /// The writable points.
        writable: String,
    },
    /// The point can only be read.
    #[error("point {point} of {device} is read-only")]
    ReadOnly {
        /// The device.
        device: Id,
        /// The point.
        point: Id,
    },
    /// The value does not fit the point.
    #[error("value {value} for {point}: {why}")]
    BadValue {
        /// The point.
        point: Id,
        /// The value asked for.
        value: String,
        /// Why it does not fit.
        why: String,
    },
    /// The request has expired.
    #[error("expired at {} ms, now {} ms", expired.0, now.0)]
    Expired {
        /// When it expired.
        expired: Timestamp,
        /// The gateway's clock.
        now: Timestamp,
    },
    /// Valid for longer than a command may wait.
    #[error("expires {ahead_ms} ms ahead, at most {FURTHEST_EXPIRY_MS} ms are accepted: check the clocks")]
    TooFarAhead {
        /// Its remaining time.
        ahead_ms: i64,
    },
    /// The gateway cannot journal, or the line has too many commands waiting.
    #[error("cannot take commands now: {why}")]
    Busy {
        /// The reason.
        why: String,
    },
    /// The output belongs to a plan of the mode switch, which alone moves it.
    #[error(
        "{device}.{point} belongs to the mode switch, plans {plans}: it moves by an order for the room {room}; \
         a technician begins its service state first: `linli mode service {room} --login WHO --why WHY` \
         （该输出由平急预案专管：请下达指令，或由技术人员先开始该房间的检修状态）"
    )]
    Held {
        /// The device.
        device: String,
        /// The point.
        point: String,
        /// The room whose plans set it.
        room: Id,
        /// These plans, `id@version`.
        plans: String,
    },
    /// The output was commanded a moment ago.
    #[error(
        "{device}.{point} was commanded {ago_ms} ms ago, one command in {SHORTEST_INTERVAL_MS} ms is accepted: \
         send it again later （操作过于频繁，请稍后再发）"
    )]
    TooSoon {
        /// The device.
        device: String,
        /// The point.
        point: String,
        /// Time since the command before.
        ago_ms: u64,
    },
    /// The id begins with a word that only the gateway's own commands begin with.
    #[error("an id that begins with {prefix:?} is one of the gateway's own: choose another")]
    ReservedId {
        /// The beginning.
        prefix: &'static str,
    },
}

/// Beginnings of the ids that the gateway gives its own commands. No command from elsewhere may have one:
/// a repeated id counts as the same command.
pub const RESERVED_IDS: [&str; 3] = ["mode-", "siren-", "notice-"];

/// Shortest time between two ordinary commands to one output: spares relays and motors, and leaves the line
/// time to poll.
pub const SHORTEST_INTERVAL_MS: u64 = 500;

/// Longest life of a command: long enough for skewed clocks, too short for a forgotten one.
pub const FURTHEST_EXPIRY_MS: i64 = 24 * 3600 * 1000;

// === impl Request ===

impl Request {
    /// Refuses an id that only the gateway's own commands may have.
    pub fn check_id_from_elsewhere(&self) -> Result<(), CommandError> {
        match RESERVED_IDS.into_iter().find(|prefix| self.id.starts_with(prefix)) {
            Some(prefix) => Err(CommandError::ReservedId { prefix }),
            None => Ok(()),
        }
    }

    /// Reads a payload: whether it is a request at all, whatever it asks for.
    pub fn read(payload: &[u8]) -> Result<Self, CommandError> {
        if payload.len() > LARGEST_REQUEST {
            return Err(CommandError::TooLarge { size: payload.len() });
        }
        let request: Self =
            serde_json::from_slice(payload).map_err(|e| CommandError::Malformed { detail: e.to_string() })?;
        if request.id.is_empty() || request.id.len() > 64 || !request.id.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(CommandError::BadId);
        }
        Ok(request)
    }

    /// Checks everything that can be checked without knowing the device.
    pub fn parse(inbound: &Inbound, now: Timestamp) -> Result<Self, CommandError> {
        if inbound.retained {
            return Err(CommandError::Retained);
        }
        // Where the answer goes is journaled with it.
        let answer = inbound.response_topic.as_ref().map_or(0, String::len)
            + inbound.correlation.as_ref().map_or(0, Vec::len);
        let size = inbound.payload.len() + answer;
        if size > LARGEST_REQUEST {
            return Err(CommandError::TooLarge { size });
        }
        let request = Self::read(&inbound.payload)?;
        if request.expires <= now {
            return Err(CommandError::Expired { expired: request.expires, now });
        }
        let ahead_ms = request.expires.0.saturating_sub(now.0);
        if ahead_ms > FURTHEST_EXPIRY_MS {
            return Err(CommandError::TooFarAhead { ahead_ms });
        }
        Ok(request)
    }
}

// === impl State ===

impl State {
    /// Whether the state is final.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Accepted | Self::Sent)
    }

    /// Returns what a restart makes of a command in this state: one that was never
    /// sent may still be sent; one that may have acted is never sent twice.
    #[must_use]
    pub fn after_restart(&self) -> Self {
        match self {
            Self::Sent => {
                Self::Unknown { reason: "the gateway restarted between sending and reading back".to_owned() }
            }
            other => other.clone(),
        }
    }
}
