//! How many bytes each kind of document uses.
//!
//! The figures are upper bounds: what was added since the last measurement counts in full, also where it
//! replaced something. A kind is measured (its table is read once) only when its upper bound says that it
//! is full, and at most every ten seconds: a store that is not nearly full measures nothing.

use std::time::Duration;

use sqlx::{Row, SqliteConnection};
use tokio::time::Instant;

use super::needs::Needs;
use crate::error::Full;
use crate::quota::{KINDS, Kind, WhenFull};
use crate::status::Status;

/// Shortest time between two measurements of one kind that a full store refuses.
const MEASURE_EVERY: Duration = Duration::from_secs(10);

/// The sizes of all kinds.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    max_bytes: u64,
    of: [Size; KINDS],
    /// The whole store is full, whatever its kinds use.
    pub is_over: bool,
    /// Bytes added to all kinds together since the process began.
    pub added: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// At most so many bytes.
    bytes: u64,
    /// When it was measured last.
    measured: Option<Instant>,
    /// Nothing was added or removed since.
    is_exact: bool,
    is_full: bool,
    /// Nothing could be removed when that was tried last.
    is_stuck: bool,
    refusals: u64,
}

/// What a measurement found.
pub(super) struct Measured {
    pub rows: u64,
    pub bytes: u64,
}

// === impl Sizes ===

impl Sizes {
    /// No kind uses more than the whole database does.
    pub(super) fn at_most(used: u64, max_bytes: u64) -> Self {
        let size = Size { bytes: used, ..Size::default() };
        Self { max_bytes, of: [size; KINDS], is_over: false, added: 0 }
    }

    pub(super) const fn bytes(&self, kind: Kind) -> u64 {
        self.of[kind as usize].bytes
    }

    /// The share of a kind.
    pub(super) const fn share(&self, kind: Kind) -> u64 {
        kind.quota().share(self.max_bytes)
    }

    /// Whether a kind uses more than its share, as far as is known.
    pub(super) const fn exceeds_share(&self, kind: Kind) -> bool {
        self.exceeds(kind, 1)
    }

    /// Whether a kind uses more than so many of its shares, as far as is known.
    pub(super) const fn exceeds(&self, kind: Kind, shares: u64) -> bool {
        self.bytes(kind) > self.share(kind) * shares
    }

    /// Counts what an operation adds.
    pub(super) fn add(&mut self, needs: &Needs) {
        for kind in Kind::ALL {
            let size = &mut self.of[kind as usize];
            if needs.bytes(kind) > 0 || needs.frees(kind) {
                size.bytes = size.bytes.saturating_add(needs.bytes(kind));
                size.is_exact = false;
                self.added += needs.bytes(kind);
            }
        }
    }

    /// Counts rows that were added outside the operations.
    pub(super) fn add_rows(&mut self, kind: Kind, rows: u64, bytes: u64) {
        let size = &mut self.of[kind as usize];
        let bytes = kind.quota().weight(rows, bytes);
        size.bytes = size.bytes.saturating_add(bytes);
        size.is_exact = false;
        self.added += bytes;
    }

    /// Counts rows that were removed.
    pub(super) fn remove_rows(&mut self, kind: Kind, rows: u64, bytes: u64) {
        let size = &mut self.of[kind as usize];
        size.bytes = size.bytes.saturating_sub(kind.quota().weight(rows, bytes));
    }

    /// Something else may have changed the size.
    pub(super) const fn changed(&mut self, kind: Kind) {
        self.of[kind as usize].is_exact = false;
    }

    /// Whether a kind that makes room by losing its oldest rows has to do so.
    pub(super) fn must_forget(&self, kind: Kind, shares: u64) -> bool {
        let size = &self.of[kind as usize];
        self.exceeds(kind, shares) && (!size.is_stuck || size.is_due())
    }

    pub(super) const fn set_stuck(&mut self, kind: Kind, is_stuck: bool) {
        self.of[kind as usize].is_stuck = is_stuck;
    }

    /// Takes an estimate.
    pub(super) fn estimate(&mut self, kind: Kind, rows: u64, bytes: u64) {
        self.of[kind as usize].bytes = kind.quota().weight(rows, bytes);
    }

    /// Measures a kind.
    pub(super) async fn measure(
        &mut self,
        connection: &mut SqliteConnection,
        kind: Kind,
    ) -> Result<Measured, sqlx::Error> {
        let quota = kind.quota();
        let row = sqlx::query(quota.size).fetch_one(connection).await?;
        let (rows, bytes) = (row.get::<i64, _>(0).cast_unsigned(), row.get::<i64, _>(1).cast_unsigned());
        let size = &mut self.of[kind as usize];
        size.bytes = quota.weight(rows, bytes);
        size.measured = Some(Instant::now());
        size.is_exact = true;
        Ok(Measured { rows, bytes })
    }

    /// Refuses an operation of which one part finds its kind full. What is most urgent is refused only
    /// by kinds that take it from the reserve.
    pub(super) async fn refuse(
        &mut self,
        connection: &mut SqliteConnection,
        needs: &Needs,
    ) -> Result<Option<Full>, sqlx::Error> {
        for kind in Kind::ALL {
            let is_asked = match kind.quota().when_full {
                WhenFull::Refused => !needs.is_urgent,
                WhenFull::FromReserve | WhenFull::OldestGoOrRefused => true,
                WhenFull::Elastic | WhenFull::Shortened | WhenFull::OldestGo | WhenFull::AlwaysTaken => false,
            };
            if needs.bytes(kind) == 0 || !is_asked {
                continue;
            }
            if let Some(full) = self.refuse_kind(connection, kind, needs).await? {
                self.of[kind as usize].refusals += 1;
                return Ok(Some(full));
            }
        }
        Ok(None)
    }

    async fn refuse_kind(
        &mut self,
        connection: &mut SqliteConnection,
        kind: Kind,
        needs: &Needs,
    ) -> Result<Option<Full>, sqlx::Error> {
        let (bytes, limit) = (needs.bytes(kind), kind.quota().limit(self.max_bytes, needs.is_urgent));
        let fits = |size: &Size| size.bytes.saturating_add(bytes) <= limit;
        if !fits(&self.of[kind as usize]) && self.of[kind as usize].is_due() {
            self.measure(connection, kind).await?;
        }
        let is_over = self.is_over && kind.quota().when_full == WhenFull::Refused;
        let size = &mut self.of[kind as usize];
        let full = match fits(size) {
            true if is_over => Some(Full { kind, used: None, most: self.max_bytes }),
            true => None,
            false => Some(Full { kind, used: Some(size.bytes), most: limit }),
        };
        // What is dispensable is refused before the kind is full.
        if needs.is_urgent || kind.quota().when_full != WhenFull::FromReserve {
            size.is_full = full.is_some();
        }
        Ok(full)
    }

    /// Looks whether kinds that were full have room again: a fiftieth of their limit.
    pub(super) async fn review(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for kind in Kind::ALL {
            if !self.of[kind as usize].is_full {
                continue;
            }
            if self.of[kind as usize].is_due() {
                self.measure(connection, kind).await?;
            }
            let from_reserve = kind.quota().when_full == WhenFull::FromReserve;
            let limit = kind.quota().limit(self.max_bytes, from_reserve);
            let is_over = self.is_over && kind.quota().when_full == WhenFull::Refused;
            self.of[kind as usize].is_full = is_over || self.bytes(kind) > limit / 50 * 49;
        }
        Ok(())
    }

    /// Shows what is full, and logs what has become so or is so no longer.
    pub(super) fn show(&self, status: &mut Status) {
        for kind in Kind::ALL {
            let size = self.of[kind as usize];
            let was_full = status.full.contains(&kind);
            if size.is_full && !was_full {
                let (used, mend) = (size.bytes, kind.quota().mend);
                tracing::error!(kind = kind.as_str(), used, mend, "the store is full: new ones are refused");
                status.full.push(kind);
            } else if was_full && !size.is_full {
                tracing::info!(kind = kind.as_str(), "the store takes new ones again");
                status.full.retain(|full| *full != kind);
            }
            status.full_refusals[kind as usize] = size.refusals;
        }
        if self.is_over != status.is_over {
            status.is_over = self.is_over;
            if self.is_over {
                tracing::error!("the whole store is full: only what is most urgent is taken");
            } else {
                tracing::info!("the store has room again");
            }
        }
    }
}

// === impl Size ===

impl Size {
    /// Whether a measurement may say something new and the last one is not too recent.
    fn is_due(&self) -> bool {
        !self.is_exact && self.measured.is_none_or(|measured| measured.elapsed() >= MEASURE_EVERY)
    }
}
