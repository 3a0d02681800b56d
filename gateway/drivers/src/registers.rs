//! What is asked of the registers of one unit, beside the polls of its line. `modbus::maintenance` executes it; a line's
//! channels carry it, and must not know how.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::modbus::data::{Span, Write};
use crate::modbus::wire::pdu;

/// A read or write of registers of one unit.
#[derive(Debug)]
pub struct RegisterRequest {
    /// The unit; it need not be a device of the configuration.
    pub unit: u8,
    /// The operation.
    pub ask: Ask,
    /// Time limit for the answer.
    pub patience: Duration,
    /// Where the answer goes: the registers read, or none for a write. The request is not sent when
    /// the receiver is closed.
    pub reply: oneshot::Sender<Result<Vec<u16>, NotDone>>,
}

/// An operation on registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Read registers.
    Read(Span),
    /// Write registers.
    Write(Write),
    /// Ask the paused devices at this unit now, not when their pause ends. The answer is 1 if each of them is polled
    /// again, else 0.
    Probe,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// No answer in time.
    #[error("no answer from unit {unit}")]
    Silent {
        /// The unit.
        unit: u8,
    },
    /// No valid answer.
    #[error("damaged answer from unit {unit}")]
    Garbled {
        /// The unit.
        unit: u8,
    },
    /// The unit answered with an exception.
    #[error("unit {unit} refused: {}", pdu::exception(*.code))]
    Refused {
        /// The unit.
        unit: u8,
        /// The exception's code.
        code: u8,
    },
    /// The line is down, or its task has ended.
    #[error("the line is down: {why}")]
    Down {
        /// The reason, for people.
        why: String,
    },
}

/// Sends maintenance requests to a line.
pub type MaintenanceHandle = mpsc::Sender<RegisterRequest>;
