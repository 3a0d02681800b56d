//! Texts that kiosks show while a room is in its emergency role: written by commands, retried until the
//! read-back confirms them, and replaced by the earlier text afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use linli_domain::command::Inbound;
use linli_domain::{Id, Value};
use linli_drivers::Clock;
use linli_drivers::kiosk::report::MESSAGE;
use linli_mode::InForce;
use linli_store::{Change, Document, Documents, Entry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::command_queue::Submission;
use crate::live::Live;
use crate::outputs::Source;
use crate::random::command_id;

/// Kind of the documents that keep the replaced texts.
const NOTICE: &str = "mode-notice";

/// A kiosk fetches its text with its next report: a command lives for two report periods of the slowest
/// kiosk.
const EXPIRES: Duration = Duration::from_secs(60);

/// Longest wait for the command service's answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(130);

/// Time between two attempts.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Dependencies of the task.
pub struct Deps {
    /// Data policies in force, with the texts to show.
    pub in_force: watch::Receiver<Arc<InForce>>,
    /// Queue of the command service.
    pub commands: mpsc::Sender<Submission>,
    /// Keeps the replaced texts.
    pub store: Documents,
    /// Latest values of the kiosks.
    pub live: Arc<Live>,
    /// For expiry times and labels.
    pub clock: Arc<dyn Clock>,
}

/// A text written to a kiosk, and the one it replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    /// The written text; `None` once the earlier text is restored.
    pub(super) text: Option<String>,
    /// The text that the kiosk showed before.
    pub(super) before: String,
}

struct Notices {
    deps: Deps,
    /// Never locked across an await: progress of one kiosk is kept even if the others are interrupted.
    written: Mutex<BTreeMap<Id, Written>>,
}

/// Writes the texts of the policies in force to the kiosks, until the process ends.
pub async fn run(deps: Deps) {
    let mut changes = deps.in_force.clone();
    let notices = Notices { deps, written: Mutex::default() };
    while let Err(error) = notices.resume().await {
        tracing::warn!(%error, "the stored texts of kiosks cannot be read");
        sleep(RETRY_AFTER).await;
    }
    loop {
        let wanted = changes.borrow_and_update().notices.clone();
        let applied = async {
            while !notices.apply(&wanted).await {
                sleep(RETRY_AFTER).await;
            }
            std::future::pending::<()>().await;
        };
        // A changed policy interrupts kiosks that do not answer.
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = applied => {}
        }
    }
}

// === impl Notices ===

impl Notices {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Id, Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn resume(&self) -> Result<(), linli_store::ReadError> {
        let ever = (linli_domain::Timestamp(i64::MIN), linli_domain::Timestamp(i64::MAX));
        for document in self.deps.store.of(NOTICE, ever.0, ever.1).await? {
            let device = Id::new(document.id.trim_start_matches(NOTICE).trim_start_matches('/'));
            let written = serde_json::from_str::<Written>(&document.body);
            if let (Ok(device), Ok(written)) = (device, written)
                && written.text.is_some()
            {
                self.lock().insert(device, written);
            }
        }
        Ok(())
    }

    /// Brings every kiosk to its wanted text; returns whether all show it.
    async fn apply(&self, wanted: &BTreeMap<Id, String>) -> bool {
        let all: BTreeSet<Id> = self.lock().keys().chain(wanted.keys()).cloned().collect();
        let each = all.iter().map(|device| async move {
            match wanted.get(device) {
                Some(text) => self.show(device, text).await,
                None => self.restore(device).await,
            }
        });
        join_all(each).await.into_iter().all(|is_done| is_done)
    }

    /// Returns whether the kiosk shows the text. Stores the text it showed before, then writes the new
    /// one.
    async fn show(&self, device: &Id, text: &str) -> bool {
        let shown = self.reported_text(device);
        let stored = self.lock().get(device).cloned();
        if shown.as_deref() == Some(text) && stored.is_some() {
            return true;
        }
        let is_stored = stored.as_ref().is_some_and(|written| written.text.as_deref() == Some(text));
        if !is_stored {
            let before = stored.map(|written| written.before).or(shown).unwrap_or_default();
            let written = Written { text: Some(text.to_owned()), before };
            if !self.store(device, &written).await {
                return false;
            }
            self.lock().insert(device.clone(), written);
        }
        self.write(device, text).await
    }

    /// Restores the earlier text; returns whether the kiosk shows it.
    async fn restore(&self, device: &Id) -> bool {
        let Some(Written { before, .. }) = self.lock().get(device).cloned() else { return true };
        let is_back =
            self.reported_text(device).as_ref() == Some(&before) || self.write(device, &before).await;
        let is_over = is_back && self.store(device, &Written { text: None, before }).await;
        if is_over {
            self.lock().remove(device);
        }
        is_over
    }

    /// Returns the text that the kiosk reports.
    fn reported_text(&self, device: &Id) -> Option<String> {
        let view = self.deps.live.device(device.as_str(), Instant::now())?;
        let point = view.points.into_iter().find(|point| point.point.as_str() == MESSAGE)?;
        match point.value {
            Some(Value::Text(text)) => Some(text.to_string()),
            _ => None,
        }
    }

    /// Stores what is written to a kiosk; returns whether that succeeded.
    async fn store(&self, device: &Id, written: &Written) -> bool {
        let body = serde_json::to_string(written).expect("texts are JSON values");
        let at = self.deps.clock.now().at;
        let document = Document { id: format!("{NOTICE}/{device}"), kind: NOTICE.to_owned(), at, body };
        let outcome = self
            .deps
            .store
            .keep(Entry { changes: vec![Change::Document(document)], ..Entry::default() })
            .await;
        if let Err(error) = &outcome {
            tracing::warn!(%error, kiosk = %device, "the replaced text cannot be stored: the new text is not written");
        }
        outcome.is_ok()
    }

    async fn write(&self, device: &Id, text: &str) -> bool {
        let lifetime = i64::try_from(EXPIRES.as_millis()).unwrap_or(i64::MAX);
        let id = match command_id("notice-") {
            Ok(id) => id,
            Err(error) => {
                tracing::warn!(kiosk = %device, %error, "the kiosk does not show its text yet: trying again");
                return false;
            }
        };
        let expires = self.deps.clock.now().at.0.saturating_add(lifetime);
        let body = json!({"id": id, "point": MESSAGE, "value": text, "expires": expires});
        let payload = body.to_string().into_bytes();
        let inbound = Inbound {
            device: device.to_string(),
            payload,
            retained: false,
            response_topic: None,
            correlation: None,
        };
        let (submission, answer) = Submission::asked(inbound, Source::Notice);
        if self.deps.commands.send(submission).await.is_err() {
            return false;
        }
        let answer = timeout(ANSWER_TIMEOUT, answer).await;
        let is_done = matches!(&answer, Ok(Ok(answer)) if answer.result == "done");
        if !is_done {
            tracing::warn!(kiosk = %device, ?answer, "the kiosk does not show its text yet: trying again");
        }
        is_done
    }
}
