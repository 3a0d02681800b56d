//! When a transaction fails: make room, begin anew, or try again, and tell those who wait.

use std::time::Duration;

use tokio::time::Instant;

use super::op::Op;
use super::{Book, Writer, transact};
use crate::error::Trouble;
use crate::open;
use crate::watermark::Watermark;

/// How often room is made before waiting for better times.
const ATTEMPTS: usize = 4;

/// Pause before a failed transaction is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

// === impl Writer ===

impl Writer {
    /// Commits everything pending. What cannot be committed stays pending, except for those who
    /// wait: they are told, and their operation is dropped.
    pub(super) async fn settle(&mut self, pending: &mut Vec<Op>) {
        self.retry_at = None;
        if let Some(finding) = pending.iter().find_map(damage) {
            self.begin_anew(&finding).await;
            pending.retain(|op| damage(op).is_none());
        }
        self.collect_turned();
        if pending.is_empty() && self.losses.is_empty() {
            return;
        }
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            let started = Instant::now();
            match self.transact(pending).await {
                Ok((draft, outcomes)) => {
                    transact::adopt(self, draft);
                    transact::answer(pending, outcomes);
                    self.well(started.elapsed());
                    self.enforce_soon().await;
                    return;
                }
                Err(error) => {
                    last = error.to_string();
                    match Trouble::of(&error) {
                        Trouble::Full if self.make_room().await => continue,
                        Trouble::Full => break,
                        Trouble::Damaged => self.begin_anew(&last).await,
                        Trouble::Passing => tokio::time::sleep(RETRY_AFTER / 20).await,
                    }
                    self.unwell(&last);
                }
            }
        }
        self.unwell(&last);
        self.retry_at = Some(Instant::now() + RETRY_AFTER);
        let (waited, patient): (Vec<Op>, Vec<Op>) =
            std::mem::take(pending).into_iter().partition(Op::is_waited_for);
        waited.into_iter().for_each(|op| op.refuse(&last));
        *pending = patient;
    }

    /// Sets the damaged database aside and goes on with a new one.
    pub(super) async fn begin_anew(&mut self, reason: &str) {
        self.connection = None;
        let known = Watermark {
            epoch: self.book.epoch.to_string(),
            next_seq: self.book.next_seq,
            oldest: self.book.oldest,
        };
        match open::replace(&self.settings.path, reason, Some(known), (self.now)().0).await {
            Ok(opened) => {
                tracing::error!(reason, epoch = opened.epoch, "damaged database set aside, new epoch");
                self.book = Book::of(&opened);
                self.losses.extend(opened.loss);
                self.connection = Some(opened.connection);
                self.numbered.forget();
                self.devices.forget();
                self.readers.renew().await;
                self.heads.send_replace(self.book.heads());
                self.status.send_modify(|status| status.set_aside += 1);
                self.mark_open().await;
            }
            Err(error) => self.unwell(&error.to_string()),
        }
    }

    fn well(&self, took: Duration) {
        let mut healed = false;
        self.status.send_modify(|status| {
            healed = !status.writable;
            status.writable = true;
            status.trouble = None;
            status.commit_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        });
        if healed {
            tracing::info!("the store is writable again");
        }
    }

    pub(super) fn unwell(&mut self, error: &str) {
        let fresh = self.status.borrow().writable;
        if fresh {
            tracing::error!(error, "the store is not writable");
        }
        self.status.send_modify(|status| {
            status.writable = false;
            status.trouble = Some(error.to_owned());
        });
    }
}

fn damage(op: &Op) -> Option<String> {
    match op {
        Op::Damaged { finding } => Some(finding.clone()),
        _ => None,
    }
}
