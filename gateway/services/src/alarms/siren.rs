//! Sirens and lamps on the site: on while an alarm waits for somebody, off when it is acknowledged
//! or has sounded long enough. Switched by commands like everything else: journaled, read back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use linli_domain::Id;
use linli_domain::command::Inbound;
use linli_drivers::Clock;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::command_queue::Submission;
use crate::outputs::Source;
use crate::random::command_id;
use linli_config::settings::siren::Siren;

/// A command to a siren acts within this or not at all.
const EXPIRES: Duration = Duration::from_secs(10);

/// Longest wait for the answer of the command service.
const PATIENCE: Duration = Duration::from_secs(80);

/// A siren that cannot be reached is tried again after this, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Which sirens are to sound.
pub type Sounding = Arc<Vec<(Siren, bool)>>;

/// The known state of one siren.
#[derive(Debug, Default)]
struct SirenState {
    /// The state read back last; `None` after the start.
    is_on: Option<bool>,
    tried: Option<(bool, Instant)>,
    pause: Duration,
}

/// Switches sirens on and off as `sounding` says, until its sender is dropped.
pub async fn run(
    mut sounding: watch::Receiver<Sounding>,
    service: mpsc::Sender<Submission>,
    clock: Arc<dyn Clock>,
) {
    let mut known: BTreeMap<(Id, Id), SirenState> = BTreeMap::new();
    loop {
        let wanted = Arc::clone(&sounding.borrow_and_update());
        let now = Instant::now();
        let due: Vec<&(Siren, bool)> = wanted
            .iter()
            .filter(|(siren, on)| known.entry(siren.key()).or_default().is_due(*on, now))
            .collect();
        let switched = due.iter().map(|(siren, on)| switch(siren, *on, &service, &*clock));
        for ((siren, on), is_done) in due.iter().zip(join_all(switched).await) {
            known.entry(siren.key()).or_default().tried(*on, is_done);
        }
        let again = wanted.iter().filter_map(|(siren, on)| known.get(&siren.key())?.again(*on)).min();
        tokio::select! {
            changed = sounding.changed() => if changed.is_err() { return },
            () = sleep_until(again.unwrap_or(now)), if again.is_some() => {}
        }
    }
}

async fn switch(siren: &Siren, on: bool, service: &mpsc::Sender<Submission>, clock: &dyn Clock) -> bool {
    let life = i64::try_from(EXPIRES.as_millis()).unwrap_or(i64::MAX);
    let id = match command_id("siren-") {
        Ok(id) => id,
        Err(error) => {
            tracing::error!(siren = %siren.device, on, %error, "could not be switched; tried again");
            return false;
        }
    };
    let body = json!({"id": id, "point": siren.point, "value": on, "expires": clock.now().at.0 + life});
    let (device, payload) = (siren.device.to_string(), body.to_string().into_bytes());
    let inbound = Inbound { device, payload, retained: false, response_topic: None, correlation: None };
    let (submission, answer) = Submission::asked(inbound, Source::Siren);
    if service.send(submission).await.is_err() {
        return false;
    }
    let answer = timeout(PATIENCE, answer).await;
    let is_done = matches!(&answer, Ok(Ok(answer)) if answer.result == "done");
    if !is_done {
        tracing::error!(siren = %siren.device, on, ?answer, "could not be switched; tried again");
    }
    is_done
}

// === impl SirenState ===

impl SirenState {
    fn is_due(&self, on: bool, now: Instant) -> bool {
        self.is_on != Some(on) && self.again(on).is_none_or(|again| again <= now)
    }

    /// When switching is tried again; `None` if the other state was tried last, or this one is reached.
    fn again(&self, on: bool) -> Option<Instant> {
        let (tried, at) = self.tried?;
        (self.is_on != Some(on) && tried == on).then(|| at + self.pause)
    }

    fn tried(&mut self, on: bool, is_done: bool) {
        self.is_on = is_done.then_some(on);
        let is_again = self.tried.is_some_and(|(before, _)| before == on);
        self.pause = match (is_done, is_again) {
            (true, _) => Duration::ZERO,
            (false, true) => (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE),
            (false, false) => FIRST_PAUSE,
        };
        self.tried = Some((on, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_unreachable_siren_is_retried_with_backoff_and_at_once_after_a_change() {
        let mut known = SirenState::default();
        assert!(known.is_due(false, Instant::now()), "after the start nobody knows");
        known.tried(true, false);
        assert!(!known.is_due(true, Instant::now()));
        assert!(known.is_due(false, Instant::now()));
        assert!(known.is_due(true, Instant::now() + FIRST_PAUSE));
        known.tried(true, false);
        assert!(!known.is_due(true, Instant::now() + FIRST_PAUSE));
        known.tried(true, true);
        assert_eq!((known.is_due(true, Instant::now()), known.again(true)), (false, None));
    }
}
