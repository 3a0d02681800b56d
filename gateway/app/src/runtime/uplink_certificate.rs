//! Renews the certificate with which the uplink connects, before its end, and tells how long it lasts: to the screens, to
//! `/metrics`, and as a computed device to the alarm path. The next connection uses the new file; an open one goes on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use linli_config::settings::uplink_certificate::layout;
use linli_domain::{Batch, ClockQuality, Id, Layout, Quality, Sample, Stamp, Timestamp, Value};
use linli_drivers::Clock;
use linli_enrol::{CertificateState, District, EnrolError, Files, Given, LONGEST_PAUSE, Stage, pause};
use linli_uplink::Tls;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinError;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Interval between two looks at the file, which `linli uplink` may replace at any time.
const LOOK: Duration = Duration::from_secs(2);

/// The state is told again after this time, well before it is stale.
const AGAIN: Duration = Duration::from_secs(30);

/// Age at which the computed values are stale.
pub const STALE_AFTER: Duration = Duration::from_secs(120);

/// Id of the line under which the computed values appear.
#[must_use]
pub fn line() -> Id {
    Id::new("uplink").expect("an id")
}

/// The file that is renewed, and the district that does it.
#[must_use]
pub fn renewing(tls: Option<&Tls>) -> Option<(PathBuf, String)> {
    let tls = tls?;
    let (path, _) = tls.identity.as_ref()?;
    Some((path.clone(), tls.renew.clone()?))
}

/// The district, trusted like the broker; without a file of certificates as the system does.
///
/// # Errors
/// When the file cannot be read.
pub fn district(tls: Option<&Tls>, url: &str) -> Result<District, EnrolError> {
    match tls.and_then(|tls| tls.ca.as_ref()) {
        Some(path) if url.starts_with("https://") => {
            let text = std::fs::read_to_string(path);
            let text =
                text.map_err(|error| EnrolError::File { path: path.clone(), why: error.to_string() })?;
            District::trusting(url, &text)
        }
        _ => District::reach(url, None),
    }
}

/// The state of the certificate, as a configuration without a running gateway shows it.
#[must_use]
pub fn look(tls: Option<&Tls>, now: Timestamp) -> Option<CertificateState> {
    let tls = tls?;
    let (path, _) = tls.identity.as_ref()?;
    Some(CertificateState::read(path.clone(), tls.renew.clone(), now))
}

/// What of a state the record tells, once for each certificate; nothing while it is only due.
#[must_use]
pub fn told_in_record(state: &CertificateState) -> Option<&'static str> {
    Some(match state.stage {
        Stage::Valid => "in use",
        Stage::Due if state.attempts > 0 => "not renewed yet",
        Stage::Due | Stage::NotYet => return None,
        Stage::EndsSoon => "ends soon",
        Stage::Ended => "has ended",
        Stage::Unreadable => "cannot be read",
    })
}

/// Where the state is told.
#[derive(Clone)]
pub struct Receivers {
    /// For screens, metrics and the record; none where the uplink has no certificate.
    pub state: watch::Sender<Option<CertificateState>>,
    /// For alarms; the pipeline ends with its last sender, which this one is not.
    pub samples: mpsc::WeakSender<Batch>,
}

/// The renewal of one certificate.
struct Watch {
    tls: Tls,
    clock: Arc<dyn Clock>,
    told: Receivers,
    layout: Option<Arc<Layout>>,
    /// What was told to the alarm path last, and when.
    sent: Option<(Option<i64>, bool, Instant)>,
    /// End of the certificate that was there at the last look.
    seen: Option<Timestamp>,
    /// Attempts that failed one after the other, and why the last did.
    attempts: u32,
    failure: Option<String>,
    /// Not before then.
    next: Option<(Instant, Timestamp)>,
    renewals: u64,
    failures: u64,
}

/// Renews when it is due, until cancelled.
pub async fn watch(tls: Option<Tls>, clock: Arc<dyn Clock>, told: Receivers, cancel: CancellationToken) {
    let Some(tls) = tls.filter(|tls| tls.identity.is_some()) else {
        told.state.send_replace(None);
        return;
    };
    let layout = layout().map(Arc::new);
    let mut watch = Watch {
        tls,
        clock,
        told,
        layout,
        sent: None,
        seen: None,
        attempts: 0,
        failure: None,
        next: None,
        renewals: 0,
        failures: 0,
    };
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = tick.tick() => {}
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = watch.turn() => {}
        }
    }
}

// === impl Watch ===

impl Watch {
    async fn turn(&mut self) {
        let Some(mut state) = self.look() else { return };
        let is_time = self.next.is_none_or(|(at, _)| Instant::now() >= at);
        let is_due = matches!(state.stage, Stage::Due | Stage::EndsSoon) && state.district.is_some();
        if is_due && is_time {
            self.renew(&state).await;
            state = self.look().unwrap_or(state);
        }
        self.tell(&state);
        self.told.state.send_if_modified(|shown| {
            let is_new = shown.as_ref() != Some(&state);
            *shown = Some(state);
            is_new
        });
    }

    /// The file as it is, and what became of its renewal.
    fn look(&mut self) -> Option<CertificateState> {
        let state = look(Some(&self.tls), self.clock.now().at)?;
        if let Some(until) = state.until().filter(|until| self.seen.replace(*until) != Some(*until)) {
            tracing::debug!(until = until.0, "another certificate for the district");
            (self.attempts, self.failure) = (0, None);
        }
        let is_failing = self.attempts > 0;
        Some(CertificateState {
            attempts: self.attempts,
            failure: state.failure.clone().or_else(|| self.failure.clone()),
            next_attempt: self.next.filter(|_| is_failing).map(|(_, at)| at),
            renewals: self.renewals,
            failures: self.failures,
            ..state
        })
    }

    async fn renew(&mut self, state: &CertificateState) {
        let Some((file, url)) = renewing(Some(&self.tls)) else { return };
        let tls = self.tls.clone();
        let renewed =
            tokio::task::spawn_blocking(move || Files::renew(&file, &district(Some(&tls), &url)?)).await;
        let wait = self.settle(renewed, state);
        let ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        self.next = Some((Instant::now() + wait, Timestamp(self.clock.now().at.0.saturating_add(ms))));
    }

    /// Keeps what became of an attempt; returns the pause until the next.
    fn settle(
        &mut self,
        renewed: Result<Result<Given, EnrolError>, JoinError>,
        state: &CertificateState,
    ) -> Duration {
        let why = match renewed {
            Ok(Ok(given)) => {
                (self.attempts, self.failure) = (0, None);
                self.renewals += 1;
                tracing::info!(until = given.until.0, "the certificate for the district was renewed");
                return LONGEST_PAUSE;
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        self.attempts = self.attempts.saturating_add(1);
        self.failures += 1;
        let (wait, days) = (pause(self.attempts), state.days_left);
        let again_s = wait.as_secs();
        if state.stage == Stage::EndsSoon {
            tracing::error!(
                why,
                days,
                again_s,
                "the certificate for the district ends soon and cannot be renewed"
            );
        } else {
            tracing::warn!(why, days, again_s, "the certificate for the district is not renewed yet");
        }
        self.failure = Some(why);
        wait
    }

    /// Tells the alarm path. A clock that was never set tells nothing.
    fn tell(&mut self, state: &CertificateState) {
        let stamp = self.clock.now();
        let (Some(layout), false) = (&self.layout, stamp.clock == ClockQuality::Unset) else { return };
        let ends_soon = matches!(state.stage, Stage::EndsSoon | Stage::Ended | Stage::Unreadable);
        let (days, now) = (state.days_left, Instant::now());
        let is_known = self.sent.is_some_and(|(sent_days, was_soon, at)| {
            (sent_days, was_soon) == (days, ends_soon) && now.saturating_duration_since(at) < AGAIN
        });
        let Some(samples) = self.told.samples.upgrade().filter(|_| !is_known) else { return };
        let batch = Batch { layout: Arc::clone(layout), samples: readings(stamp, days, ends_soon) };
        // A full queue: told again with the next look.
        if samples.try_send(batch).is_ok() {
            self.sent = Some((days, ends_soon, now));
        }
    }
}

/// The points of the computed device, in the order of its layout.
fn readings(stamp: Stamp, days: Option<i64>, ends_soon: bool) -> Vec<Sample> {
    let sample = |point, quality, value| Sample { point, at: stamp.at, clock: stamp.clock, quality, value };
    let left = match days {
        Some(days) => sample(0, Quality::Good, Some(Value::Integer(days))),
        None => sample(0, Quality::Bad(linli_domain::Reason::NoValue), None),
    };
    vec![left, sample(1, Quality::Good, Some(Value::Bool(ends_soon)))]
}
