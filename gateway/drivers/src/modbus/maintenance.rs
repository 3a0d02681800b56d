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

pub use crate::registers::{Ask, MaintenanceHandle, NotDone, RegisterRequest};

/// Most queued requests. A caller waits for each answer, so one is usual.
const QUEUE: usize = 4;

// === impl RegisterRequest ===

impl RegisterRequest {
    /// Returns the Modbus request; none for what only a line with polls can do.
    #[must_use]
    pub(super) fn request(&self) -> Option<Request> {
        match &self.ask {
            Ask::Read(span) => Some(Request::read(*span)),
            Ask::Write(write) => Some(Request::write(write)),
            Ask::Probe => None,
        }
    }

    /// Says whether the devices that were paused are polled again.
    pub(super) fn probed(self, is_polled: bool) {
        let _ = self.reply.send(Ok(vec![u16::from(is_polled)]));
    }

    /// Sends the outcome to the caller.
    pub(super) fn answer(self, outcome: Result<Answer, Failure>) {
        let unit = self.unit;
        let answer = match (outcome, &self.ask) {
            (Ok(answer), Ask::Read(span)) => Ok(words(*span, &answer.pdu)),
            (Ok(_), Ask::Write(_) | Ask::Probe) => Ok(Vec::new()),
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
            let Some(asked) = request.request() else {
                request.line_down("no device is polled here");
                continue;
            };
            let outcome = session.exchange(request.unit, &asked, request.patience).await;
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

/// Asks the paused devices at a unit at once. Returns whether each of them is polled again.
pub async fn probe(handle: &MaintenanceHandle, unit: u8) -> Result<bool, NotDone> {
    // The line asks as long as its plan says.
    ask(handle, unit, Ask::Probe, Duration::ZERO).await.map(|words| words == [1])
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
