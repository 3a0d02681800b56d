//! Maintenance: raw reads and writes of one unit's registers, on a line that is polled all the same.
//!
//! The caller knows what the registers mean; the line only transfers them. While the
//! gateway owns the line, its task executes the requests between two polls. While it does not,
//! [`open`] opens the line temporarily for such requests alone.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::modbus::data::{Data, Span, Table, Write};
use crate::modbus::link::{Answer, Failure};
use crate::modbus::plan::{Medium, Timing};
use crate::modbus::session::Session;
use crate::modbus::wire::pdu::{self, Request};

/// Most queued requests. A caller waits for each answer, so one is usual.
const QUEUE: usize = 4;

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

// === impl RegisterRequest ===

impl RegisterRequest {
    /// Returns the Modbus request.
    #[must_use]
    pub(super) fn request(&self) -> Request {
        match &self.ask {
            Ask::Read(span) => Request::read(*span),
            Ask::Write(write) => Request::write(write),
        }
    }

    /// Sends the outcome to the caller.
    pub(super) fn answer(self, outcome: Result<Answer, Failure>) {
        let unit = self.unit;
        let answer = match (outcome, &self.ask) {
            (Ok(answer), Ask::Read(span)) => Ok(words(*span, &answer.pdu)),
            (Ok(_), Ask::Write(_)) => Ok(Vec::new()),
            (Err(Failure::Silent | Failure::NotReached(_)), _) => Err(NotDone::Silent { unit }),
            (Err(Failure::Garbled), _) => Err(NotDone::Garbled { unit }),
            (Err(Failure::Refused(code)), _) => Err(NotDone::Refused { unit, code }),
            (Err(Failure::Down(lost)), _) => Err(NotDone::Down { why: lost.error.to_string() }),
        };
        // The caller may have stopped waiting.
        let _ = self.reply.send(answer);
    }

    /// Answers that the line is down.
    pub(super) fn line_down(self, why: &str) {
        let _ = self.reply.send(Err(NotDone::Down { why: why.to_owned() }));
    }
}

/// Returns registers unchanged, bits as one register each.
fn words(span: Span, pdu: &[u8]) -> Vec<u16> {
    match pdu::data(span, pdu) {
        Data::Registers(words) => words,
        Data::Bits(bits) => bits.into_iter().map(u16::from).collect(),
    }
}

/// Opens a line that the gateway does not own, and executes requests until the handle is dropped.
pub async fn open(medium: Medium, timing: Timing) -> Result<MaintenanceHandle, String> {
    let mut session = Session::real(&medium, &timing);
    session.open().await.map_err(|e| format!("{} cannot be opened: {e}", session.place()))?;
    let (handle, mut queue) = mpsc::channel::<RegisterRequest>(QUEUE);
    tokio::spawn(async move {
        while let Some(request) = queue.recv().await {
            let outcome = session.exchange(request.unit, &request.request(), request.patience).await;
            request.answer(outcome);
        }
    });
    Ok(handle)
}

/// Reads registers of a unit .
pub async fn read(
    handle: &MaintenanceHandle,
    unit: u8,
    span: Span,
    patience: Duration,
) -> Result<Vec<u16>, NotDone> {
    ask(handle, unit, Ask::Read(span), patience).await
}

/// Writes registers of a unit .
pub async fn write(
    handle: &MaintenanceHandle,
    unit: u8,
    address: u16,
    words: Vec<u16>,
    patience: Duration,
) -> Result<(), NotDone> {
    ask(handle, unit, Ask::Write(Write::Registers { address, words }), patience).await.map(drop)
}

async fn ask(
    handle: &MaintenanceHandle,
    unit: u8,
    ask: Ask,
    patience: Duration,
) -> Result<Vec<u16>, NotDone> {
    let ended = || NotDone::Down { why: "the line has ended".to_owned() };
    let (reply, answer) = oneshot::channel();
    handle.send(RegisterRequest { unit, ask, patience, reply }).await.map_err(|_| ended())?;
    answer.await.map_err(|_| ended())?
}

/// Returns a span of input registers (function code 4).
#[must_use]
pub const fn inputs(start: u16, count: u16) -> Span {
    Span { table: Table::InputRegister, start, count }
}

/// Returns a span of holding registers (function code 3).
#[must_use]
pub const fn holdings(start: u16, count: u16) -> Span {
    Span { table: Table::HoldingRegister, start, count }
}
