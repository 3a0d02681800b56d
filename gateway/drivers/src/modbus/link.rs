//! One exchange on an open line: sends a request and receives its answer; other frames are skipped.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::line::LineHealth;
use crate::modbus::plan::{Medium, Timing};
use crate::modbus::timer::Timer;
use crate::modbus::transport::Stream;
use crate::modbus::wire::pdu::{Request, Wrong};
use crate::modbus::wire::{mbap, rtu};

/// A request is sent after this time even if the line never becomes silent.
const LONGEST_WAIT_FOR_SILENCE: Duration = Duration::from_millis(50);

/// Time limit for sending a request; exceeding it means that the line is broken.
const WRITE_WITHIN: Duration = Duration::from_secs(5);

/// Why an exchange gave no data.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No answer in time.
    #[error("no answer")]
    Silent,
    /// Bytes were received, but no valid answer.
    #[error("garbled answer")]
    Garbled,
    /// The device answered with this exception code.
    #[error("{}", crate::modbus::wire::pdu::exception(*.0))]
    Refused(u8),
    /// The port or connection is gone.
    #[error("{0}")]
    Down(#[from] io::Error),
}

/// The framing of the line.
enum Framing {
    Mbap { transaction: u16 },
    Rtu { character: Duration, silence: Duration },
}

/// An open line.
pub struct Link {
    stream: Box<dyn Stream>,
    timer: Timer,
    framing: Framing,
    buffer: BytesMut,
    last_byte: Instant,
    health: Arc<LineHealth>,
}

// === impl Link ===

impl Link {
    /// Creates a link on an open stream.
    pub fn new(
        stream: Box<dyn Stream>,
        timer: Timer,
        medium: &Medium,
        timing: &Timing,
        health: Arc<LineHealth>,
    ) -> Self {
        let framing = match medium {
            Medium::Tcp { .. } => Framing::Mbap { transaction: 0 },
            Medium::RtuOverTcp { .. } => {
                Framing::Rtu { character: Duration::ZERO, silence: timing.frame_gap }
            }
            Medium::Rtu(serial) => {
                Framing::Rtu { character: serial.character(), silence: serial.silence() + timing.frame_gap }
            }
        };
        Self {
            stream,
            timer,
            framing,
            buffer: BytesMut::with_capacity(512),
            last_byte: Instant::now(),
            health,
        }
    }

    /// Sends a request to a unit and waits for its answer, `patience` long after the last byte
    /// has left. The answer's PDU is normal: exceptions are [`Failure::Refused`].
    pub async fn exchange(
        &mut self,
        unit: u8,
        request: &Request,
        patience: Duration,
    ) -> Result<Vec<u8>, Failure> {
        self.health.requests.fetch_add(1, Ordering::Relaxed);
        let frame = match &mut self.framing {
            Framing::Mbap { transaction } => {
                *transaction = transaction.wrapping_add(1);
                mbap::frame(*transaction, unit, &request.bytes)
            }
            Framing::Rtu { .. } => rtu::frame(unit, &request.bytes),
        };
        let mut sending = Duration::ZERO;
        if let Framing::Rtu { character, silence } = self.framing {
            self.fall_silent(silence).await?;
            sending = character * u32::try_from(frame.len()).unwrap_or(u32::MAX);
        }
        let sent = tokio::time::timeout(WRITE_WITHIN, self.stream.write_all(&frame)).await;
        sent.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the line takes no bytes"))??;
        self.last_byte = Instant::now() + sending;
        self.answer(unit, request, self.last_byte + patience).await
    }

    async fn answer(&mut self, unit: u8, request: &Request, deadline: Instant) -> Result<Vec<u8>, Failure> {
        let mut heard = false;
        loop {
            if let Some(pdu) = self.cut(unit, request)? {
                return match request.judge(&pdu) {
                    Ok(()) => Ok(pdu),
                    Err(Wrong::Exception(code)) => Err(Failure::Refused(code)),
                    Err(Wrong::Foreign) => Err(Failure::Garbled),
                };
            }
            match timeout_at(deadline, self.stream.read_buf(&mut self.buffer)).await {
                Err(_) if heard => return Err(Failure::Garbled),
                Err(_) => return Err(Failure::Silent),
                Ok(Ok(0)) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(Ok(_)) => {
                    heard = true;
                    self.last_byte = Instant::now();
                    // A line that never becomes silent must not delay the deadline.
                    if self.last_byte >= deadline {
                        let last = self.cut(unit, request)?;
                        return last.filter(|pdu| request.judge(pdu).is_ok()).ok_or(Failure::Garbled);
                    }
                }
                Ok(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// Returns the answer's PDU, if the buffer contains it.
    fn cut(&mut self, unit: u8, request: &Request) -> Result<Option<Vec<u8>>, Failure> {
        match &self.framing {
            Framing::Rtu { .. } => {
                let mut skipped = 0;
                let cut = rtu::cut(&mut self.buffer, unit, request, &mut skipped);
                self.health.resync_bytes.fetch_add(skipped, Ordering::Relaxed);
                Ok(match cut {
                    rtu::Cut::Whole(pdu) => Some(pdu),
                    rtu::Cut::Partial => None,
                })
            }
            Framing::Mbap { transaction } => loop {
                match mbap::cut(&mut self.buffer) {
                    mbap::Cut::Partial => return Ok(None),
                    mbap::Cut::Broken => {
                        let what = "what arrives is not Modbus TCP; check host and port";
                        return Err(io::Error::new(io::ErrorKind::InvalidData, what).into());
                    }
                    mbap::Cut::Whole(frame) if frame.transaction == *transaction && frame.unit == unit => {
                        return Ok(Some(frame.pdu));
                    }
                    // An answer to a request that has timed out.
                    mbap::Cut::Whole(_) => {
                        self.health.late_replies.fetch_add(1, Ordering::Relaxed);
                    }
                }
            },
        }
    }

    /// Waits until the line has been silent for `silence` and discards unsolicited bytes.
    async fn fall_silent(&mut self, silence: Duration) -> io::Result<()> {
        let give_up = Instant::now() + silence + LONGEST_WAIT_FOR_SILENCE;
        self.discard();
        loop {
            let quiet_at = (self.last_byte + silence).min(give_up);
            let read = tokio::select! {
                read = self.stream.read_buf(&mut self.buffer) => read?,
                () = self.timer.until(quiet_at) => return Ok(()),
            };
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.last_byte = Instant::now();
            self.discard();
            if self.last_byte >= give_up {
                return Ok(());
            }
        }
    }

    fn discard(&mut self) {
        self.health.resync_bytes.fetch_add(self.buffer.len() as u64, Ordering::Relaxed);
        self.buffer.clear();
    }
}
