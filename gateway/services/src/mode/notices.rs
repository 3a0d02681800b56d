//! What kiosks show while a room is in its emergency role: written by commands like everything else,
//! tried until it is read back, and taken back afterwards to what they showed before.

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
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::command_queue::Submission;
use crate::live::Live;
use crate::random::random;
use linli_domain::audit::hex;

/// Kind of the pages that say what was written over.
const NOTICE: &str = "mode-notice";

/// A kiosk fetches its text with its next report: the command lives for two of the slowest.
const EXPIRES: Duration = Duration::from_secs(60);

/// Longest wait for the service's answer.
const PATIENCE: Duration = Duration::from_secs(130);

/// A kiosk that does not show it yet is tried again after this.
const PAUSE: Duration = Duration::from_secs(5);

/// What the task is made of.
pub struct Deps {
    /// What holds.
    pub in_force: watch::Receiver<Arc<InForce>>,
    /// Where commands go.
    pub commands: mpsc::Sender<Submission>,
    /// What was written over.
    pub store: Documents,
    /// What kiosks show.
    pub live: Arc<Live>,
    /// For expiry and labels.
    pub clock: Arc<dyn Clock>,
}

/// A text that was written over another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    /// The text; none when it was taken back.
    pub(super) text: Option<String>,
    /// What the kiosk showed before.
    pub(super) before: String,
}

/// The task.
struct Notices {
    deps: Deps,
    /// Locked for moments only: what is done for one kiosk is known even if the rest is given up.
    written: Mutex<BTreeMap<Id, Written>>,
}

/// Makes every kiosk show what it is to show, for as long as the process lives.
pub async fn run(deps: Deps) {
    let mut changes = deps.in_force.clone();
    let notices = Notices { deps, written: Mutex::default() };
    while let Err(error) = notices.resume().await {
        tracing::warn!(%error, "texts of kiosks cannot be read");
        sleep(PAUSE).await;
    }
    loop {
        let wanted = changes.borrow_and_update().notices.clone();
        let made = async {
            while !notices.make(&wanted).await {
                sleep(PAUSE).await;
            }
            std::future::pending::<()>().await;
        };
        // Another mode waits for no kiosk.
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = made => {}
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
        for page in self.deps.store.of(NOTICE, ever.0, ever.1).await? {
            let device = Id::new(page.id.trim_start_matches(NOTICE).trim_start_matches('/'));
            let written = serde_json::from_str::<Written>(&page.body);
            if let (Ok(device), Ok(written)) = (device, written)
                && written.text.is_some()
            {
                self.lock().insert(device, written);
            }
        }
        Ok(())
    }

    /// Whether everything is as it is wanted.
    async fn make(&self, wanted: &BTreeMap<Id, String>) -> bool {
        let all: BTreeSet<Id> = self.lock().keys().chain(wanted.keys()).cloned().collect();
        let each = all.iter().map(|device| async move {
            match wanted.get(device) {
                Some(text) => self.show(device, text).await,
                None => self.take_back(device).await,
            }
        });
        join_all(each).await.into_iter().all(|is_done| is_done)
    }

    /// Whether a kiosk shows the text; what it showed before is on record first.
    async fn show(&self, device: &Id, text: &str) -> bool {
        let shown = self.shown(device);
        let known = self.lock().get(device).cloned();
        if shown.as_deref() == Some(text) && known.is_some() {
            return true;
        }
        let is_known = known.as_ref().is_some_and(|written| written.text.as_deref() == Some(text));
        if !is_known {
            let before = known.map(|written| written.before).or(shown).unwrap_or_default();
            let written = Written { text: Some(text.to_owned()), before };
            if !self.keep(device, &written).await {
                return false;
            }
            self.lock().insert(device.clone(), written);
        }
        self.write(device, text).await
    }

    /// Whether a kiosk shows what it showed before.
    async fn take_back(&self, device: &Id) -> bool {
        let Some(Written { before, .. }) = self.lock().get(device).cloned() else { return true };
        let is_back = self.shown(device).as_ref() == Some(&before) || self.write(device, &before).await;
        let is_over = is_back && self.keep(device, &Written { text: None, before }).await;
        if is_over {
            self.lock().remove(device);
        }
        is_over
    }

    /// What a kiosk says that it shows.
    fn shown(&self, device: &Id) -> Option<String> {
        let view = self.deps.live.device(device.as_str(), Instant::now())?;
        let point = view.points.into_iter().find(|point| point.point.as_str() == MESSAGE)?;
        match point.value {
            Some(Value::Text(text)) => Some(text.to_string()),
            _ => None,
        }
    }

    /// On record before it is written.
    async fn keep(&self, device: &Id, written: &Written) -> bool {
        let body = serde_json::to_string(written).expect("texts are JSON values");
        let at = self.deps.clock.now().at;
        let page = Document { id: format!("{NOTICE}/{device}"), kind: NOTICE.to_owned(), at, body };
        let kept =
            self.deps.store.keep(Entry { changes: vec![Change::Document(page)], ..Entry::default() }).await;
        if let Err(error) = &kept {
            tracing::warn!(%error, kiosk = %device, "what it shows is not on record yet: it is not written");
        }
        kept.is_ok()
    }

    async fn write(&self, device: &Id, text: &str) -> bool {
        let life = i64::try_from(EXPIRES.as_millis()).unwrap_or(i64::MAX);
        let id = format!("notice-{}", hex(&random::<8>().unwrap_or_default()));
        let expires = self.deps.clock.now().at.0.saturating_add(life);
        let body = json!({"id": id, "point": MESSAGE, "value": text, "expires": expires});
        let payload = body.to_string().into_bytes();
        let inbound = Inbound {
            device: device.to_string(),
            payload,
            retained: false,
            response_topic: None,
            correlation: None,
        };
        let (waiting, answer) = oneshot::channel();
        let submission = Submission { inbound, waiting: Some(waiting), taken_back: CancellationToken::new() };
        if self.deps.commands.send(submission).await.is_err() {
            return false;
        }
        let answer = timeout(PATIENCE, answer).await;
        let is_done = matches!(&answer, Ok(Ok(answer)) if answer.result == "done");
        if !is_done {
            tracing::warn!(kiosk = %device, ?answer, "does not show what it is to show; tried again");
        }
        is_done
    }
}
