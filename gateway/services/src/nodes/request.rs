//! What the service is asked.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::image::Image;
use super::provision::Settings;
use crate::error::ServiceError;

/// A request, with whoever asks and waits.
pub struct Asked {
    /// Who asks.
    pub who: String,
    /// What for.
    pub action: Action,
    /// Where the answer goes.
    pub reply: Reply,
}

/// Where an answer goes.
pub enum Reply {
    /// One answer.
    Once(oneshot::Sender<Result<Value, ServiceError>>),
    /// What happens, as it happens; the last one has a member `result`.
    Stream(mpsc::Sender<Value>),
}

/// What is asked for.
pub enum Action {
    /// Something short, with one node.
    Do(Do),
    /// Update these, one after the other.
    Flash {
        /// The devices.
        devices: Vec<String>,
        /// With what.
        image: Box<Image>,
        /// Go on with the next one when one fails.
        keep_going: bool,
    },
}

/// Something short, as it is written in a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Do {
    /// Who it is, and how it stands.
    Status {
        /// The device.
        device: String,
    },
    /// Its log.
    Log {
        /// The device.
        device: String,
        /// At most so many of the newest entries.
        #[serde(default = "usual_log")]
        most: u32,
    },
    /// Run the self-test.
    Selftest {
        /// The device.
        device: String,
    },
    /// Keep the firmware that is on trial.
    Confirm {
        /// The device.
        device: String,
    },
    /// Forget an update that is under way.
    Abort {
        /// The device.
        device: String,
    },
    /// Restart it.
    Restart {
        /// The device.
        device: String,
    },
    /// Set the calibration of a point.
    Calibrate {
        /// The device.
        device: String,
        /// The point.
        point: String,
        /// What is added to it, in the point's unit.
        offset: f64,
    },
    /// Set up a node that is on a line of the gateway.
    Provision {
        /// The line.
        line: String,
        /// The unit id that it answers at.
        from: u8,
        /// What it becomes.
        settings: Settings,
    },
    /// Who answers at a unit id of a line.
    Look {
        /// The line.
        line: String,
        /// The unit id.
        unit: u8,
    },
}

const fn usual_log() -> u32 {
    64
}

// === impl Do ===

impl Do {
    /// The device it is about, if it is one of the configuration.
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

    /// Its word in the record; nothing for what only looks.
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
