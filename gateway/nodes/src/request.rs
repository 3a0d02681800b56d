//! Requests to the node service.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use linli_drivers::modbus::data::Span;

use super::image::Image;
use super::provision::Settings;

/// A request in the queue of the service; the answer is the JSON that the API returns.
pub type Request = linli_services::client::Request<Action, Value>;

/// A request to the node service.
#[derive(Debug)]
pub enum Action {
    /// A short operation on one node. The answer comes when it is done.
    Do(Do),
    /// An update of nodes, one after the other. The answer, `null`, comes as soon as the update has
    /// begun or is refused; `progress` says which.
    Flash {
        /// Ids of the devices, all on one line.
        devices: Vec<String>,
        /// The firmware image.
        image: Box<Image>,
        /// Whether to go on with the next device when one fails.
        keep_going: bool,
        /// Takes each step as JSON. The last step of a device has a member `result`. When the
        /// receiver is dropped, the transfer stops.
        progress: mpsc::Sender<Value>,
    },
    /// Asks every unit of a line whether it is there. The answer, `null`, comes as soon as it has begun or is refused.
    Scan {
        /// Id of the line.
        line: String,
        /// First and last unit id.
        units: (u8, u8),
        /// Takes each step as JSON; the last has a member `result`.
        progress: mpsc::Sender<Value>,
    },
    /// Asks a device that is paused because it does not answer at once. The answer has `online`.
    Retry {
        /// Id of the device, on a Modbus line.
        device: String,
    },
    /// Reads a block of registers or bits of one unit. The answer has `words`.
    Read {
        /// Id of the line.
        line: String,
        /// Unit id.
        unit: u8,
        /// What is read.
        span: Span,
    },
}

/// A short operation on one node, as a request body names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Do {
    /// Read identity, settings, counters and update state.
    Status {
        /// Id of the device.
        device: String,
    },
    /// Read the log.
    Log {
        /// Id of the device.
        device: String,
        /// Number of newest entries, at most.
        #[serde(default = "usual_log")]
        most: u32,
    },
    /// Run the self-test.
    Selftest {
        /// Id of the device.
        device: String,
    },
    /// Keep the firmware that is on trial.
    Confirm {
        /// Id of the device.
        device: String,
    },
    /// Drop an unfinished update.
    Abort {
        /// Id of the device.
        device: String,
    },
    /// Restart the node.
    Restart {
        /// Id of the device.
        device: String,
    },
    /// Set the calibration of a point.
    Calibrate {
        /// Id of the device.
        device: String,
        /// Id of the point.
        point: String,
        /// Offset that is added to its value, in the point's unit.
        offset: f64,
    },
    /// Set up a node that is on a line of the gateway.
    Provision {
        /// Id of the line.
        line: String,
        /// Unit id at which it answers.
        from: u8,
        /// The new settings.
        settings: Settings,
    },
    /// Read the identity of the node at a unit id of a line.
    Look {
        /// Id of the line.
        line: String,
        /// Unit id.
        unit: u8,
    },
}

const fn usual_log() -> u32 {
    64
}

// === impl Do ===

impl Do {
    /// Id of the device, if the operation names one.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        match self {
            Self::Status { device }
            | Self::Log { device, .. }
            | Self::Selftest { device }
            | Self::Confirm { device }
            | Self::Abort { device }
            | Self::Restart { device }
            | Self::Calibrate { device, .. } => Some(device),
            Self::Provision { .. } | Self::Look { .. } => None,
        }
    }

    /// Whether outputs of the node may move or fall back while it is done.
    #[must_use]
    pub const fn moves_outputs(&self) -> bool {
        matches!(
            self,
            Self::Selftest { .. } | Self::Restart { .. } | Self::Calibrate { .. } | Self::Provision { .. }
        )
    }

    /// Its action in the record; `None` for operations that change nothing.
    #[must_use]
    pub const fn word(&self) -> Option<&'static str> {
        match self {
            Self::Status { .. } | Self::Log { .. } | Self::Look { .. } => None,
            Self::Selftest { .. } => Some("selftest"),
            Self::Confirm { .. } => Some("confirm"),
            Self::Abort { .. } => Some("abort"),
            Self::Restart { .. } => Some("restart"),
            Self::Calibrate { .. } => Some("calibrate"),
            Self::Provision { .. } => Some("provision"),
        }
    }
}
