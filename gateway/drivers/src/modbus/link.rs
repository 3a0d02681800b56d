//! One exchange on an open line: sends a request and receives its answer; other frames are skipped.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::line::LineHealth;
use crate::modbus::plan::{Medium, Timing, Tolerance};
use crate::modbus::timer::Timer;
use crate::modbus::transport::Stream;
use crate::modbus::wire::pdu::{Request, Wrong};
use crate::modbus::wire::{mbap, rtu};

/// A request is sent after this time even if the line never becomes silent.
const LONGEST_WAIT_FOR_SILENCE: Duration = Duration::from_millis(50);

/// A line without a silence of its own is listened to for this time after an answer, in which another one may follow.
const AFTER_ANSWER: Duration = Duration::from_millis(2);

/// Time limit for sending a request; exceeding it means that the line is broken.
const WRITE_WITHIN: Duration = Duration::from_secs(5);

/// Most transaction ids that are kept because their answers may come late.
const MOST_UNANSWERED: usize = 64;

/// An answer may come as late as this many times the time-out: until then another one that looks like it is doubtful.
const LATEST: u32 = 3;

/// Most late answers that are remembered for that.
const MOST_MISSING: usize = 16;

/// A request that was not answered more often than this in a row is not expected to be: a block that is silent must not
/// make those doubtful that look like it.
const EXPECTED: u8 = 3;

/// Most requests of which that is known.
const MOST_SILENT: usize = 64;

/// Bytes of an answer that are kept to be shown: the longest frame has 260.
const MOST_HEARD: usize = 300;

/// What a request and its answer were on the line.
#[derive(Debug, Default)]
pub struct Frames {
    /// The request.
    pub sent: Vec<u8>,
    /// What came after it.
    pub heard: Vec<u8>,
}

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
    /// A gateway answered with this exception code that it does not reach the unit.
    #[error("{}", crate::modbus::wire::pdu::exception(*.0))]
    NotReached(u8),
    /// The port or connection is gone.
    #[error("{}", .0.error)]
    Down(Lost),
}

/// The end of a port or connection.
#[derive(Debug)]
pub struct Lost {
    /// What the system says.
    pub error: io::Error,
    /// How far the request had come.
    pub stage: Stage,
}

/// How far a request had come when the connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It was not sent whole: no device can have carried it out.
    Before,
    /// It was sent, and no byte of an answer had arrived.
    Asked,
    /// A part of an answer had arrived, or a part of the request was sent.
    Within,
}

// === impl Failure ===

impl Failure {
    /// The end of a connection at this stage.
    pub fn down(error: io::Error, stage: Stage) -> Self {
        Self::Down(Lost { error, stage })
    }
}

/// The framing of the line.
enum Framing {
    Mbap { transaction: u16 },
    Rtu { character: Duration, silence: Duration },
}

/// What came after an answer, before the line was silent.
enum Followed {
    No,
    /// Another answer, and when it had arrived.
    By(Vec<u8>, Instant),
    /// Another one that is no answer to this request.
    Damaged,
}

/// An open line.
pub struct Link {
    stream: Box<dyn Stream>,
    timer: Timer,
    framing: Framing,
    buffer: BytesMut,
    last_byte: Instant,
    owed: Option<LateAnswer>,
    missing: Vec<Missing>,
    /// Requests without an answer, each with how often in a row.
    silent: Vec<Silent>,
    /// Transaction ids of requests that were not answered in time: they are not given to others.
    unanswered: VecDeque<u16>,
    other_unit: Option<u8>,
    frames: Frames,
    tolerance: Tolerance,
    health: Arc<LineHealth>,
}

/// An answer that did not arrive in time and may still come.
pub struct LateAnswer {
    unit: u8,
    request: Request,
    until: Instant,
    /// Whether another answer may come late, too.
    is_with_others: bool,
}

/// An answer that has not arrived after the line was silent for it: the next answers that look like it may be it.
#[derive(Debug, Clone, Copy)]
pub struct Missing {
    unit: u8,
    function: u8,
    length: usize,
    until: Instant,
}

/// A unit and the request that it did not answer, and how often in a row.
type Silent = ((u8, Vec<u8>), u8);

/// What a former link was still owed.
#[derive(Default)]
pub struct LateAnswers {
    late: Option<LateAnswer>,
    missing: Vec<Missing>,
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// Function code and data.
    pub pdu: Vec<u8>,
    /// An earlier answer of this unit that looks the same did not arrive: this may be it.
    pub is_doubtful: bool,
    /// When the device held it: the middle between the end of the request and the arrival of the answer.
    pub at: Instant,
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
            owed: None,
            missing: Vec::new(),
            silent: Vec::new(),
            unanswered: VecDeque::new(),
            other_unit: None,
            frames: Frames::default(),
            tolerance: timing.tolerance,
            health,
        }
    }

    /// Sends a request to a unit and waits for its answer, `patience` long after the last byte
    /// has left. The answer's PDU is normal: exceptions are [`Failure::Refused`] or [`Failure::NotReached`].
    pub async fn exchange(
        &mut self,
        unit: u8,
        request: &Request,
        patience: Duration,
    ) -> Result<Answer, Failure> {
        self.health.requests.fetch_add(1, Ordering::Relaxed);
        self.other_unit = None;
        let before = |error| Failure::down(error, Stage::Before);
        self.outlast(unit, request).await.map_err(before)?;
        // Whatever has arrived by now is not the answer: let the runtime notice it.
        tokio::task::yield_now().await;
        let frame = self.frame(unit, request);
        self.frames.sent.clear();
        self.frames.sent.extend_from_slice(&frame);
        self.frames.heard.clear();
        let mut sending = Duration::ZERO;
        match self.framing {
            Framing::Mbap { .. } => self.drain().map_err(before)?,
            Framing::Rtu { character, silence } => {
                self.fall_silent(silence).await.map_err(before)?;
                sending = character * u32::try_from(frame.len()).unwrap_or(u32::MAX);
            }
        }
        match tokio::time::timeout(WRITE_WITHIN, self.stream.write_all(&frame)).await {
            Ok(sent) => sent.map_err(before)?,
            Err(_) => {
                let error = io::Error::new(io::ErrorKind::TimedOut, "the line takes no bytes");
                return Err(Failure::down(error, Stage::Within));
            }
        }
        let left = Instant::now();
        let is_doubtful = self.doubtful_until(unit, request).is_some();
        self.last_byte = left + sending;
        let deadline = self.last_byte + patience;
        let mut outcome = self.answer(unit, request, &frame, deadline).await;
        let mut arrived = Instant::now();
        if let (Ok(pdu), Framing::Rtu { silence, .. }) = (&mut outcome, &self.framing) {
            let silence = (*silence).max(AFTER_ANSWER);
            match self.followed(unit, request, silence).await {
                Followed::No => {}
                Followed::By(last, at) => (*pdu, arrived) = (last, at),
                Followed::Damaged => outcome = Err(Failure::Garbled),
            }
        }
        self.note_unanswered(unit, request, &outcome, deadline, patience);
        if outcome.is_ok() && !is_doubtful {
            // A unit answers in the order in which it was asked: nothing of before can come any more.
            self.missing.retain(|missing| missing.unit != unit);
        }
        if outcome.is_ok() {
            self.silent.retain(|(known, _)| (known.0, &known.1) != (unit, &request.bytes));
        }
        outcome.map(|pdu| Answer { pdu, is_doubtful, at: arrived - middle(arrived - left, sending) })
    }

    /// Until when an answer to this request may be an earlier one that did not arrive. The answers to writes name what
    /// was written.
    pub fn doubtful_until(&self, unit: u8, request: &Request) -> Option<Instant> {
        let now = Instant::now();
        let is_it = |missing: &&Missing| {
            (missing.unit, missing.function, missing.length) == (unit, request.function(), request.answer)
                && missing.until > now
        };
        self.missing.iter().filter(|_| request.is_read()).filter(is_it).map(|missing| missing.until).max()
    }

    /// What the last request and its answer were on the line.
    pub const fn frames(&mut self) -> &mut Frames {
        &mut self.frames
    }

    /// Keeps what has just arrived, to be shown.
    fn note_heard(&mut self, count: usize) {
        let from = self.buffer.len().saturating_sub(count);
        let room = MOST_HEARD.saturating_sub(self.frames.heard.len());
        self.frames.heard.extend(self.buffer[from..].iter().take(room));
    }

    /// Returns the request as it is sent.
    fn frame(&mut self, unit: u8, request: &Request) -> Vec<u8> {
        match &mut self.framing {
            Framing::Mbap { transaction } => {
                *transaction = transaction.wrapping_add(1);
                while self.unanswered.contains(transaction) {
                    *transaction = transaction.wrapping_add(1);
                }
                mbap::frame(*transaction, unit, &request.bytes)
            }
            Framing::Rtu { .. } => rtu::frame(unit, &request.bytes),
        }
    }

    /// Keeps what may still arrive of a request.
    fn note_unanswered(
        &mut self,
        unit: u8,
        request: &Request,
        outcome: &Result<Vec<u8>, Failure>,
        deadline: Instant,
        patience: Duration,
    ) {
        let until = match outcome {
            Err(Failure::Silent | Failure::Garbled) if Instant::now() >= deadline => deadline + patience,
            // The other end of a device server's connection is not the other end of the serial line.
            Err(Failure::Down(_)) => deadline,
            _ => return,
        };
        match self.framing {
            Framing::Mbap { transaction } => {
                if self.unanswered.len() == MOST_UNANSWERED {
                    self.unanswered.pop_front();
                }
                self.unanswered.push_back(transaction);
            }
            Framing::Rtu { .. } => {
                // After the end of a connection the same request is sent again.
                if !matches!(outcome, Err(Failure::Down(_))) {
                    self.note_missing(unit, request, deadline + patience * (LATEST - 1));
                }
                let earlier = self.owed.take().map(|owed| owed.until);
                let until = earlier.map_or(until, |earlier| earlier.max(until));
                let is_with_others = earlier.is_some();
                self.owed = Some(LateAnswer { unit, request: request.clone(), until, is_with_others });
            }
        }
    }

    /// Takes over what a former link of the same line was still owed.
    pub fn expect_late(&mut self, owed: LateAnswers) {
        (self.owed, self.missing) = (owed.late, owed.missing);
    }

    /// Returns what is still owed.
    #[must_use]
    pub fn into_owed(self) -> LateAnswers {
        LateAnswers { late: self.owed, missing: self.missing }
    }

    /// Keeps that an answer has not come in time. What never comes is not expected for ever.
    fn note_missing(&mut self, unit: u8, request: &Request, until: Instant) {
        let now = Instant::now();
        let key = (unit, request.bytes.clone());
        let known = self.silent.iter().position(|(known, _)| *known == key);
        let misses = known.map_or(0, |at| self.silent.remove(at).1).saturating_add(1);
        if self.silent.len() == MOST_SILENT {
            self.silent.remove(0);
        }
        self.silent.push((key, misses));
        if misses > EXPECTED {
            return;
        }
        self.missing.retain(|missing| missing.until > now);
        if self.missing.len() == MOST_MISSING {
            self.missing.remove(0);
        }
        self.missing.push(Missing { unit, function: request.function(), length: request.answer, until });
    }

    /// The answer that was missing has arrived after all.
    fn found(&mut self, unit: u8, request: &Request) {
        let is_it = |missing: &Missing| {
            (missing.unit, missing.function, missing.length) == (unit, request.function(), request.answer)
        };
        if let Some(at) = self.missing.iter().rposition(is_it) {
            self.missing.remove(at);
        }
    }

    /// How long the line must still be silent because an answer may come late.
    #[must_use]
    pub fn owed(&self) -> Duration {
        let until = self.owed.as_ref().map(|owed| owed.until);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// The unit that answered instead of the one that was asked last.
    #[must_use]
    pub const fn other_unit(&self) -> Option<u8> {
        self.other_unit
    }

    async fn answer(
        &mut self,
        unit: u8,
        request: &Request,
        sent: &[u8],
        deadline: Instant,
    ) -> Result<Vec<u8>, Failure> {
        let (mut heard, mut stage) = (false, Stage::Asked);
        // A garbled or foreign answer may be followed by the right one, an echo always is.
        loop {
            if self.drop_echo(request, sent) {
                heard = !self.buffer.is_empty();
            }
            if !self.may_be_echo(request, sent)
                && let Some(pdu) = self.cut(unit, request)
            {
                return match request.judge(&pdu) {
                    Ok(()) => Ok(pdu),
                    Err(Wrong::Exception(code @ (10 | 11))) => Err(Failure::NotReached(code)),
                    Err(Wrong::Exception(code)) => Err(Failure::Refused(code)),
                    Err(Wrong::Foreign) => Err(Failure::Garbled),
                };
            }
            match timeout_at(deadline, self.stream.read_buf(&mut self.buffer)).await {
                Err(_) if heard => return Err(Failure::Garbled),
                Err(_) => return Err(Failure::Silent),
                Ok(Ok(0)) => return Err(Failure::down(io::ErrorKind::UnexpectedEof.into(), stage)),
                Ok(Ok(count)) => {
                    self.note_heard(count);
                    (heard, stage) = (true, Stage::Within);
                    self.last_byte = Instant::now();
                    // A line that never becomes silent must not delay the deadline.
                    if self.last_byte >= deadline {
                        let is_echo = self.drop_echo(request, sent) || self.may_be_echo(request, sent);
                        let last = if is_echo { None } else { self.cut(unit, request) };
                        return last.filter(|pdu| request.judge(pdu).is_ok()).ok_or(Failure::Garbled);
                    }
                }
                Ok(Err(error)) => return Err(Failure::down(error, stage)),
            }
        }
    }

    /// Listens until the line is silent after an answer, as it must be before the next request: an earlier answer that
    /// comes twice, or late, is followed by the one to this request.
    async fn followed(&mut self, unit: u8, request: &Request, silence: Duration) -> Followed {
        let mut found = Followed::No;
        let give_up = Instant::now() + silence * 2;
        loop {
            let quiet_at = (self.last_byte + silence).min(give_up);
            let read = tokio::select! {
                biased;
                read = self.stream.read_buf(&mut self.buffer) => read,
                () = self.timer.until(quiet_at) => break,
            };
            // The end of the connection shows with the next request.
            let Ok(count @ 1..) = read else { break };
            self.note_heard(count);
            self.last_byte = Instant::now();
            if let Some(pdu) = self.cut(unit, request) {
                self.health.late_replies.fetch_add(1, Ordering::Relaxed);
                found = match request.judge(&pdu) {
                    Ok(()) => Followed::By(pdu, self.last_byte),
                    Err(_) => Followed::Damaged,
                };
            }
            if self.last_byte >= give_up {
                break;
            }
        }
        found
    }

    /// Drops the copy of the request with which an adapter's buffer begins. Returns whether there was one.
    fn drop_echo(&mut self, request: &Request, sent: &[u8]) -> bool {
        if !self.can_tell_echo(request) || !self.buffer.starts_with(sent) {
            return false;
        }
        self.buffer.advance(sent.len());
        if self.health.echoes.fetch_add(1, Ordering::Relaxed) == 0 && !self.tolerance.echo {
            tracing::warn!(
                "the line echoes what is sent: echoes are dropped; switch off the adapter's local echo, or set echo = true"
            );
        }
        true
    }

    /// Whether what has arrived is the beginning of an echo.
    fn may_be_echo(&self, request: &Request, sent: &[u8]) -> bool {
        let is_beginning = self.buffer.len() < sent.len() && sent.starts_with(&self.buffer);
        self.can_tell_echo(request) && !self.buffer.is_empty() && is_beginning
    }

    /// The answers to functions 5 and 6 equal their requests: the first copy is an echo only where others were.
    fn can_tell_echo(&self, request: &Request) -> bool {
        let is_ambiguous = matches!(request.function(), 5 | 6);
        matches!(self.framing, Framing::Rtu { .. })
            && (!is_ambiguous || self.tolerance.echo || self.health.echoes.load(Ordering::Relaxed) > 0)
    }

    /// Returns the answer's PDU, if the buffer contains it.
    fn cut(&mut self, unit: u8, request: &Request) -> Option<Vec<u8>> {
        match &self.framing {
            Framing::Rtu { .. } => {
                let (mut skipped, mut latest, mut is_followed) = (0, None, false);
                // Of several answers that fit, the last belongs to the last request.
                while let rtu::Cut::Whole(pdu) = rtu::cut(&mut self.buffer, unit, request, &mut skipped) {
                    let late = latest.replace(pdu);
                    self.health.late_replies.fetch_add(u64::from(late.is_some()), Ordering::Relaxed);
                    is_followed = rtu::may_follow(&self.buffer, unit, request);
                }
                self.health.resync_bytes.fetch_add(skipped, Ordering::Relaxed);
                // A damaged answer after a whole one: the damaged one is this request's.
                if is_followed { latest.map(|_| Vec::new()) } else { latest }
            }
            Framing::Mbap { transaction } => loop {
                match mbap::cut_answer(&mut self.buffer, *transaction, request) {
                    mbap::Cut::Partial => return None,
                    mbap::Cut::Broken => {
                        // The next header is looked for.
                        self.buffer.advance(1);
                        self.health.resync_bytes.fetch_add(1, Ordering::Relaxed);
                    }
                    mbap::Cut::Whole(frame)
                        if frame.transaction == *transaction
                            && (frame.unit == unit || self.tolerance.other_unit) =>
                    {
                        return Some(frame.pdu);
                    }
                    mbap::Cut::Whole(frame) if frame.transaction == *transaction => {
                        self.other_unit = Some(frame.unit);
                    }
                    // An answer to a request that has timed out.
                    mbap::Cut::Whole(frame) => {
                        self.health.late_replies.fetch_add(1, Ordering::Relaxed);
                        self.unanswered.retain(|late| *late != frame.transaction);
                    }
                }
            },
        }
    }

    /// After a time-out on a line without transaction ids: waits until the late answer has arrived, or until it
    /// can no longer be expected. A write does not wait for what cannot be taken for its answer: commands come
    /// before silence.
    async fn outlast(&mut self, unit: u8, request: &Request) -> io::Result<()> {
        let Some(owed) = self.owed.take() else { return Ok(()) };
        if !request.is_read() && (unit, request.function()) != (owed.unit, owed.request.function()) {
            self.owed = Some(owed);
            return Ok(());
        }
        loop {
            let mut skipped = 0;
            if let rtu::Cut::Whole(_) = rtu::cut(&mut self.buffer, owed.unit, &owed.request, &mut skipped) {
                self.health.late_replies.fetch_add(1, Ordering::Relaxed);
                self.found(owed.unit, &owed.request);
                if !owed.is_with_others {
                    return Ok(());
                }
            }
            match timeout_at(owed.until, self.stream.read_buf(&mut self.buffer)).await {
                Err(_) => return Ok(()),
                Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Ok(_)) => self.last_byte = Instant::now(),
                Ok(Err(error)) => return Err(error),
            }
            if Instant::now() >= owed.until {
                return Ok(());
            }
        }
    }

    /// Discards what has arrived before the request is sent.
    fn drain(&mut self) -> io::Result<()> {
        loop {
            self.discard();
            match self.stream.read_buf(&mut self.buffer).now_or_never() {
                None => return Ok(()),
                Some(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
            }
        }
    }

    /// Waits until the line has been silent for `silence` and discards unsolicited bytes.
    async fn fall_silent(&mut self, silence: Duration) -> io::Result<()> {
        let give_up = Instant::now() + silence + LONGEST_WAIT_FOR_SILENCE;
        self.discard();
        loop {
            let quiet_at = (self.last_byte + silence).min(give_up);
            let read = tokio::select! {
                biased;
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
        if let Framing::Mbap { .. } = self.framing {
            // Late answers are counted; the request that would fit has not been sent.
            while let mbap::Cut::Whole(frame) = mbap::cut(&mut self.buffer) {
                self.health.late_replies.fetch_add(1, Ordering::Relaxed);
                self.unanswered.retain(|late| *late != frame.transaction);
            }
        }
        self.health.resync_bytes.fetch_add(self.buffer.len() as u64, Ordering::Relaxed);
        self.buffer.clear();
    }
}

/// Half the time between the end of the request and the arrival of its answer, which came `took` after the request
/// was handed over. A request needs the time `sending` to leave; a port without a baud rate needs none.
fn middle(took: Duration, sending: Duration) -> Duration {
    took.checked_sub(sending).unwrap_or(took) / 2
}
