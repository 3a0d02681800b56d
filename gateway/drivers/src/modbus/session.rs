//! The line as its owner sees it: opened when needed, and opened once more when the other end had closed an idle
//! connection.
//!
//! Many TCP servers close a connection that was idle for 10 to 60 s, and some close it after every answer. Neither
//! is a fault of the line. A request that fails before any byte of an answer is therefore sent once more on a new
//! connection: every request when nothing of it can have arrived, otherwise only one that changes nothing. The same
//! holds for a connection that ends within an answer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::line::LineHealth;
use crate::modbus::link::{Answer, Failure, Frames, LateAnswers, Link, Stage};
use crate::modbus::plan::{Medium, Timing};
use crate::modbus::transport::{Opener, Real, describe};
use crate::modbus::wire::pdu::Request;

/// A line that is open, closed on purpose until the next request, or closed.
pub(super) struct Session {
    opener: Box<dyn Opener>,
    medium: Medium,
    timing: Timing,
    health: Arc<LineHealth>,
    link: Option<Link>,
    /// What may still arrive of a request that the last link sent.
    owed: LateAnswers,
    /// The unit that answered instead of the one that was asked last.
    other_unit: Option<u8>,
    /// What the last request and its answer were on the line.
    frames: Frames,
    is_resting: bool,
    /// Whether this session has said that the other end closes after every answer.
    has_said: bool,
    /// Answers since the connection was opened.
    answers: u64,
}

// === impl Session ===

impl Session {
    /// Returns a closed session.
    pub fn new(opener: Box<dyn Opener>, medium: Medium, timing: Timing, health: Arc<LineHealth>) -> Self {
        Self {
            opener,
            medium,
            timing,
            health,
            link: None,
            owed: LateAnswers::default(),
            other_unit: None,
            frames: Frames::default(),
            is_resting: false,
            has_said: false,
            answers: 0,
        }
    }

    /// Returns a closed session on a real port or connection.
    pub fn real(medium: &Medium, timing: &Timing) -> Self {
        let opener = Real { medium: medium.clone(), connect_timeout: timing.connect_timeout };
        Self::new(Box::new(opener), medium.clone(), *timing, Arc::new(LineHealth::new(0)))
    }

    /// Returns the name of the port or connection.
    pub fn place(&self) -> String {
        describe(&self.medium)
    }

    /// Whether it must be opened before anything can be asked.
    pub fn must_open(&self) -> bool {
        self.link.is_none() && !self.is_resting
    }

    /// Opens the port or connection.
    pub async fn open(&mut self) -> io::Result<()> {
        let stream = self.opener.open().await?;
        self.health.opens.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(self.timing.connect_delay).await;
        let (timer, health) = (self.opener.timer(), Arc::clone(&self.health));
        let mut link = Link::new(stream, timer, &self.medium, &self.timing, health);
        link.expect_late(std::mem::take(&mut self.owed));
        self.link = Some(link);
        (self.is_resting, self.answers) = (false, 0);
        Ok(())
    }

    /// Closes it. It must be opened again.
    pub fn close(&mut self) {
        self.rest();
        self.is_resting = false;
    }

    /// Closes it until the next request.
    fn rest(&mut self) {
        if let Some(link) = self.link.take() {
            self.owed = link.into_owed();
        }
        self.is_resting = true;
    }

    /// How long the line must still be silent because an answer may come late.
    pub fn owed(&self) -> Duration {
        self.link.as_ref().map_or(Duration::ZERO, Link::owed)
    }

    /// Until when an answer to this request may be an earlier one that did not arrive.
    pub fn doubtful_until(&self, unit: u8, request: &Request) -> Option<Instant> {
        self.link.as_ref().and_then(|link| link.doubtful_until(unit, request))
    }

    /// The unit that answered instead of the one that was asked last.
    pub const fn other_unit(&self) -> Option<u8> {
        self.other_unit
    }

    /// The last request as it was sent, and what came after it.
    pub fn frames(&self) -> (&[u8], &[u8]) {
        (&self.frames.sent, &self.frames.heard)
    }

    /// Sends a request to a unit and waits for its answer; on a connection that turns out to be closed it is sent
    /// once more. After [`Failure::Down`] the session is closed.
    pub async fn exchange(
        &mut self,
        unit: u8,
        request: &Request,
        patience: Duration,
    ) -> Result<Answer, Failure> {
        let outcome = match self.once(unit, request, patience).await {
            Err(Failure::Down(lost)) if self.may_repeat(lost.stage, request) => {
                tracing::debug!(place = self.place(), error = %lost.error, "opened again: it had been closed");
                self.say_closes();
                self.once(unit, request, patience).await
            }
            outcome => outcome,
        };
        match &outcome {
            Err(Failure::Down(_)) => self.close(),
            Ok(_) => self.answers += 1,
            Err(_) => {}
        }
        if self.timing.tolerance.close_after_answer && self.link.is_some() {
            self.rest();
        }
        outcome
    }

    async fn once(&mut self, unit: u8, request: &Request, patience: Duration) -> Result<Answer, Failure> {
        if self.link.is_none() {
            self.open().await.map_err(|error| Failure::down(error, Stage::Before))?;
        }
        let Some(link) = &mut self.link else { return Err(Failure::Silent) };
        let outcome = link.exchange(unit, request, patience).await;
        self.other_unit = link.other_unit();
        std::mem::swap(&mut self.frames, link.frames());
        if matches!(outcome, Err(Failure::Down(_))) {
            self.rest();
        }
        outcome
    }

    /// Whether a request that failed at this stage may be sent once more. A serial port is not closed by its
    /// other end.
    fn may_repeat(&self, stage: Stage, request: &Request) -> bool {
        let is_connection = !matches!(self.medium, Medium::Rtu(_));
        is_connection
            && match stage {
                Stage::Before => true,
                // A read changes nothing, however far it had come.
                Stage::Asked | Stage::Within => request.is_read(),
            }
    }

    /// Says once that the other end closes after each answer, and which option avoids the detour.
    fn say_closes(&mut self) {
        if self.answers == 1 && !self.has_said && !self.timing.tolerance.close_after_answer {
            self.has_said = true;
            let place = self.place();
            tracing::info!(place, "it closes the connection after an answer: set close_after_answer = true");
        }
    }
}
