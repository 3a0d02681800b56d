//! Handles a failed transaction: frees space, replaces a damaged database, or retries, and answers
//! the callers that wait.

use std::time::Duration;

use tokio::time::Instant;

use super::sizes::Sizes;
use super::{MetaRows, Writer, transact};
use crate::connection;
use crate::error::{Failure, NotDurable};
use crate::op::Op;
use crate::open;
use crate::watermark::Watermark;

/// Attempts before the next pause.
const ATTEMPTS: usize = 4;

/// Pause before a failed transaction is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

// === impl Writer ===

impl Writer {
    /// Commits everything pending. What cannot be committed stays pending, except operations whose
    /// callers wait: these are dropped and the callers receive the error.
    pub(super) async fn settle(&mut self, pending: &mut Vec<Op>) {
        self.retry_at = None;
        if let Some(finding) = pending.iter().find_map(damage) {
            self.replace_database(&finding).await;
            pending.retain(|op| damage(op).is_none());
        }
        self.collect_rejected();
        if pending.is_empty() && self.losses.is_empty() {
            return;
        }
        let mut last = (Failure::Passing, String::new());
        for _ in 0..ATTEMPTS {
            let started = Instant::now();
            match self.transact(pending).await {
                Ok((draft, outcomes)) => {
                    transact::adopt(self, draft);
                    transact::answer(pending, outcomes);
                    self.mark_writable(started.elapsed());
                    self.enforce_soon().await;
                    return;
                }
                Err(error) => {
                    last = self.fail(error).await;
                    match last.0 {
                        Failure::Full if self.free_space().await => continue,
                        Failure::Full => break,
                        Failure::Damaged => self.replace_database(&last.1).await,
                        Failure::Device | Failure::Passing => tokio::time::sleep(RETRY_AFTER / 20).await,
                    }
                    self.mark_failed(last.0, &last.1);
                }
            }
        }
        let (failure, last) = last;
        self.mark_failed(failure, &last);
        self.retry_at = Some(Instant::now() + RETRY_AFTER);
        let (waited, patient): (Vec<Op>, Vec<Op>) =
            std::mem::take(pending).into_iter().partition(Op::is_waited_for);
        waited.into_iter().for_each(|op| op.refuse(NotDurable::Failed(last.clone())));
        *pending = patient;
    }

    /// Renames the damaged database and continues with a new one.
    pub(super) async fn replace_database(&mut self, reason: &str) {
        if let Some(connection) = self.connection.take() {
            connection::close(connection).await;
        }
        let known = Watermark {
            epoch: self.meta.epoch.to_string(),
            next_seq: self.meta.next_seq,
            oldest: self.meta.oldest,
        };
        match open::replace(&self.settings.path, reason, Some(known), (self.now)().0).await {
            Ok(opened) => {
                tracing::error!(reason, epoch = opened.epoch, "damaged database set aside, new epoch");
                self.meta = MetaRows::of(&opened);
                self.sizes = Sizes::at_most(0, self.settings.max_bytes);
                self.housekeeping.added_before = 0;
                self.losses.extend(opened.loss);
                self.connection = Some(opened.connection);
                self.numbered.forget();
                self.devices.forget();
                self.readers.renew().await;
                self.heads.send_replace(self.meta.heads());
                let undecodable = opened.undecodable;
                self.status.send_modify(|status| {
                    status.set_aside += 1;
                    status.undecodable = undecodable;
                });
                self.mark_open().await;
            }
            Err(error) => self.mark_failed(Failure::Passing, &error.to_string()),
        }
    }

    /// Classifies an error and returns it with its text; counts device failures.
    async fn fail(&self, error: sqlx::Error) -> (Failure, String) {
        let text = error.to_string();
        let path = self.settings.path.clone();
        // Examining the disk may block.
        let classified = tokio::task::spawn_blocking(move || Failure::at(&error, &path)).await;
        let failure = classified.unwrap_or(Failure::Passing);
        if failure == Failure::Device {
            self.status.send_modify(|status| status.device_failures += 1);
        }
        (failure, text)
    }

    /// Handles an error outside the transactions of [`Writer::settle`]: shows it in the status, and
    /// replaces the database if it is damaged.
    pub(super) async fn report(&mut self, error: sqlx::Error) {
        let (failure, text) = self.fail(error).await;
        self.mark_failed(failure, &text);
        if failure == Failure::Damaged {
            self.replace_database(&text).await;
        }
    }

    fn mark_writable(&self, took: Duration) {
        let mut healed = false;
        self.status.send_modify(|status| {
            healed = !status.writable;
            status.writable = true;
            status.failure = None;
            status.device_failed = false;
            status.commit_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        });
        if healed {
            tracing::info!("the store is writable again");
        }
    }

    fn mark_failed(&mut self, failure: Failure, error: &str) {
        let has_device_failed = failure == Failure::Device;
        if self.status.borrow().writable {
            if has_device_failed {
                tracing::error!(error, "the disk reports an I/O error: the store is not writable");
            } else {
                tracing::error!(error, "the store is not writable");
            }
        }
        self.status.send_modify(|status| {
            status.device_failed = has_device_failed;
            status.writable = false;
            status.failure = Some(error.to_owned());
        });
    }
}

fn damage(op: &Op) -> Option<String> {
    match op {
        Op::Damaged { finding } => Some(finding.clone()),
        _ => None,
    }
}
