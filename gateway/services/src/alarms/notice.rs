//! What became of each notification: to whom, when it was tried, whether it arrived. The newest are kept beside the
//! queue, which forgets what is delivered.

use linli_domain::{Id, Timestamp};
use linli_store::{Change, Document, Documents, Entry, Notification};
use serde::{Deserialize, Serialize};

/// Kind of the documents.
const KIND: &str = "alarm-notice";

/// Above every id of the kind.
const BEYOND: &str = "alarm-notice~";

/// Notices that are kept.
const KEPT: u32 = 200;

/// Longest reason that is kept, in characters.
const LONGEST: usize = 200;

/// What came of the attempts so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeResult {
    /// The receiver took it.
    Delivered,
    /// It did not, and is tried again.
    Failing,
    /// Too many waited: it was given up.
    Dropped,
}

/// What became of one notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Id of the alarm, or `test`.
    pub alarm: String,
    /// Id of the receiver.
    pub receiver: Id,
    /// Whether it is the repetition because nobody acknowledged.
    pub escalation: bool,
    /// When the alarm was raised or repeated.
    pub raised: Timestamp,
    /// What came of it.
    pub result: NoticeResult,
    /// Attempts so far.
    pub attempts: u32,
    /// When it was tried last.
    pub at: Timestamp,
    /// Why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
}

/// What a notification says of its alarm.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NoticeBody {
    /// Id of the alarm, or `test`.
    pub alarm: String,
    /// Whether it is the repetition.
    #[serde(default)]
    pub escalation: bool,
    /// When the alarm was raised or repeated.
    pub at: Timestamp,
}

/// Keeps notices.
#[derive(Clone)]
pub struct Notices {
    documents: Documents,
}

// === impl Notices ===

impl Notices {
    /// Keeps them in these documents.
    #[must_use]
    pub const fn new(documents: Documents) -> Self {
        Self { documents }
    }

    /// Notices, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn newest(&self) -> Result<Vec<Notice>, linli_store::ReadError> {
        let found = self.documents.before(KIND, BEYOND, KEPT).await?;
        Ok(found.iter().filter_map(|one| serde_json::from_str(&one.body).ok()).collect())
    }

    /// Keeps what came of an attempt. A store that takes nothing costs the notice, not the notification.
    pub(super) async fn tried(
        &self,
        of: &Notification,
        at: Timestamp,
        result: NoticeResult,
        why: Option<&str>,
    ) {
        let Ok(told) = serde_json::from_str::<NoticeBody>(&of.body) else { return };
        let id = format!("{KIND}-{:013}-{}", told.at.0.max(0), of.key);
        let before = self.documents.get(&id).await.ok().flatten();
        let before = before.and_then(|one| serde_json::from_str::<Notice>(&one.body).ok());
        let notice = Notice {
            alarm: told.alarm,
            receiver: of.hook.clone(),
            escalation: told.escalation,
            raised: told.at,
            result,
            attempts: before.map_or(0, |one| one.attempts).saturating_add(1),
            at,
            why: why.map(|why| why.chars().take(LONGEST).collect()),
        };
        let body = serde_json::to_string(&notice).unwrap_or_default();
        let document = Document { id, kind: KIND.to_owned(), at: told.at, body };
        let mut changes = Vec::new();
        let kept = self.documents.before(KIND, BEYOND, KEPT).await.unwrap_or_default();
        if let Some(last) = kept.get(KEPT as usize - 1) {
            let (kind, from, to) = (KIND.to_owned(), KIND.to_owned(), last.id.clone());
            changes.push(Change::ForgetDocuments { kind, from, to });
        }
        changes.push(Change::Document(document));
        if let Err(error) = self.documents.keep(Entry { changes, ..Entry::default() }).await {
            tracing::debug!(%error, "what became of a notification is not kept");
        }
    }
}
