//! What is sent next: urgent, then live, then backlog at a bounded rate.
//!
//! Live is what is newer than the connection. So after an outage present values arrive at once
//! while older ones follow. A small backlog is not split, and everything
//! goes in order.

use std::collections::VecDeque;

use linli_domain::Lane;
use linli_store::{Heads, Outbox, ReadError, Row};
use tokio::time::Instant;

/// Rows read at a time.
const PAGE_ROWS: usize = 128;

/// Bytes read at a time.
const PAGE_BYTES: usize = 256 * 1024;

/// A backlog of at most this many rows goes first and in order, in well under a second.
const SMALL: u64 = 256;

/// While live data leaves no room, one message in so many is from the backlog all the same.
const SHARE: u32 = 8;

/// One segment of a lane, read in pages.
#[derive(Debug)]
struct Segment {
    lane: Lane,
    after: u64,
    up_to: u64,
    page: VecDeque<Row>,
}

/// Everything still to be sent on this connection.
#[derive(Debug)]
pub struct Lanes {
    urgent: Segment,
    live: Segment,
    backlog: Segment,
    rate: Rate,
    turn: u32,
}

/// A token bucket over backlog messages.
#[derive(Debug)]
struct Rate {
    per_second: f64,
    saved: f64,
    since: Instant,
}

// === impl Lanes ===

impl Lanes {
    /// What the outbox holds at the beginning of a connection.
    pub async fn begin(outbox: &Outbox, heads: &Heads, rate: u32, now: Instant) -> Result<Self, ReadError> {
        let oldest =
            outbox.read(Lane::Data, 0, u64::MAX, 1, 1).await?.first().map_or(heads.data, |row| row.seq);
        let split = if heads.data.saturating_sub(oldest) > SMALL { heads.data } else { 0 };
        let segment = |lane, after, up_to| Segment { lane, after, up_to, page: VecDeque::new() };
        let per_second = if rate == 0 { f64::INFINITY } else { f64::from(rate) };
        Ok(Self {
            urgent: segment(Lane::Urgent, 0, heads.urgent),
            live: segment(Lane::Data, split, heads.data),
            backlog: segment(Lane::Data, 0, split),
            rate: Rate { per_second, saved: 0.0, since: now },
            turn: 0,
        })
    }

    /// Extends the lanes up to the committed heads.
    pub fn grow(&mut self, heads: &Heads) {
        self.urgent.up_to = heads.urgent;
        self.live.up_to = heads.data;
    }

    /// The next row to send; nothing when everything was sent or the backlog has to wait.
    pub async fn next(&mut self, outbox: &Outbox, now: Instant) -> Result<Option<Row>, ReadError> {
        if let Some(row) = self.urgent.next(outbox).await? {
            return Ok(Some(row));
        }
        self.turn = self.turn.wrapping_add(1);
        let backlog_first = self.turn.is_multiple_of(SHARE) && self.rate.allows(now);
        if !backlog_first && let Some(row) = self.live.next(outbox).await? {
            return Ok(Some(row));
        }
        if self.rate.allows(now)
            && let Some(row) = self.backlog.next(outbox).await?
        {
            self.rate.saved -= 1.0;
            return Ok(Some(row));
        }
        if backlog_first { self.live.next(outbox).await } else { Ok(None) }
    }

    /// The next urgent row to send: all that is sent while too much is unconfirmed.
    pub async fn next_urgent(&mut self, outbox: &Outbox) -> Result<Option<Row>, ReadError> {
        self.urgent.next(outbox).await
    }

    /// Whether rows wait only for the backlog's rate.
    pub fn is_rate_limited(&self) -> bool {
        self.backlog.has_more()
    }

    /// Returns a row that the session did not accept.
    pub fn put_back(&mut self, row: Row) {
        let segment = match (row.lane == Lane::Data, row.seq <= self.backlog.up_to) {
            (false, _) => &mut self.urgent,
            (true, true) => &mut self.backlog,
            (true, false) => &mut self.live,
        };
        segment.page.push_front(row);
    }

    /// Numbers between here and the head of the data lane.
    pub fn behind(&self) -> u64 {
        self.live.up_to.saturating_sub(self.live.after)
            + self.backlog.up_to.saturating_sub(self.backlog.after)
    }
}

// === impl Segment ===

impl Segment {
    async fn next(&mut self, outbox: &Outbox) -> Result<Option<Row>, ReadError> {
        if self.page.is_empty() && self.after < self.up_to {
            let rows = outbox.read(self.lane, self.after, self.up_to, PAGE_ROWS, PAGE_BYTES).await?;
            // An empty segment is not read again until more is committed.
            self.after = rows.last().map_or(self.up_to, |row| row.seq);
            self.page = rows.into();
        }
        Ok(self.page.pop_front())
    }

    fn has_more(&self) -> bool {
        !self.page.is_empty() || self.after < self.up_to
    }
}

// === impl Rate ===

impl Rate {
    fn allows(&mut self, now: Instant) -> bool {
        if self.per_second.is_infinite() {
            return true;
        }
        let passed = (now - self.since).as_secs_f64();
        self.since = now;
        // A tenth of a second may be saved up: even flow, no bursts.
        self.saved = (self.saved + passed * self.per_second).min((self.per_second / 10.0).max(1.0));
        self.saved >= 1.0
    }
}
