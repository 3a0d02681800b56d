//! One record of the gateway: every log of who did what, each a hash chain, shown together by time.
//!
//! The logs are stored apart, because each is written in one transaction with what it is about. The mode switch's
//! holds the heads of the others.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use linli_accounts::SecurityEvent;
use linli_cabin::AuditedReader;
use linli_domain::audit::{Chain, hex};
use linli_domain::caller::Caller;
use linli_mode::record::{LogHead, ModeEvent};
use linli_nodes::NodeEvent;
use linli_services::audit_log::{entries_after, entries_before, stored_chain};
use linli_services::client::ServiceClient;
use linli_services::mode::RequestedAction;
use linli_store::{Documents, NoCursor, ReadError, Trail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::page;
use super::{Problem, Who};

/// Most entries of a page, and how many without `limit`.
const MOST: u32 = 1000;
const USUAL: u32 = 100;

/// Longest time between an entry of a log and the head that is held.
const EVERY: Duration = Duration::from_secs(300);

/// Who holds it.
const ITSELF: &str = "linli";

/// The pattern of `next`, for the OpenAPI document.
pub const NEXT: &str = r"^[0-9]{1,15}(\.[0-9]{1,15}){4}$";

/// A log of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Log {
    /// The mode switch: orders, decisions, tasks of people.
    Mode,
    /// Log-ins, accounts, screens, the configuration, certificates.
    Accounts,
    /// Maintenance of nodes.
    Nodes,
    /// Access to personal data, exports, erasures; records of the canteen.
    Access,
    /// Operations on alarms.
    Alarms,
}

/// Reads the logs.
#[derive(Clone)]
pub struct RecordReader {
    /// Where the logs of services are.
    pub documents: Documents,
    /// Where the trails of access and alarms are, and how a look at them is noted.
    pub reader: AuditedReader,
}

/// Where a page begins: before these numbers, in the order of [`Log::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place([u64; Log::ALL.len()]);

/// An entry and the log that it is in.
#[derive(Debug, Serialize)]
struct Shown {
    log: Log,
    entry: Value,
}

/// The end of a log as it is now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecordHead")]
pub struct Head {
    log: Log,
    /// How many entries it has had.
    count: u64,
    /// Hash of its last entry, hexadecimal; zeros before the first.
    last: String,
    /// Root of the tree of all entries (RFC 9162), hexadecimal.
    root: String,
}

/// Which part of the record.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordQuery {
    /// Only this log.
    log: Option<Log>,
    /// Entries of a page, at most 1000; without it 100.
    limit: Option<u32>,
    /// Where the page begins: from the header Link of the one before.
    #[schemars(regex(pattern = NEXT))]
    next: Option<String>,
}

/// Which entries of a log.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// Number of the first entry.
    #[serde(default)]
    from: u64,
    /// Entries, at most 1000, which is also without it.
    limit: Option<u32>,
}

/// Routes of the record.
pub fn router(reader: RecordReader) -> Router {
    Router::new()
        .route("/api/v1/record", get(show))
        .route("/api/v1/record/heads", get(heads))
        .route("/api/v1/record/{log}", get(log))
        .with_state(reader)
}

async fn show(
    who: Who,
    State(reader): State<RecordReader>,
    uri: Uri,
    Query(which): Query<RecordQuery>,
) -> Result<Response, Problem> {
    let from = which.next.as_deref().map_or(Ok(Place::END), page::cursor)?;
    let limit = which.limit.unwrap_or(USUAL).clamp(1, MOST);
    reader.note(&who).await?;
    let (entries, next) = reader.newest(which.log, from, limit).await.map_err(unread)?;
    Ok(page::with_next(&uri, next.as_ref(), Json(entries).into_response()))
}

async fn heads(_: Who, State(reader): State<RecordReader>) -> Result<Json<Vec<Head>>, Problem> {
    let mut heads = Vec::new();
    for log in Log::ALL {
        let chain = reader.chain(log).await.map_err(unread)?;
        heads.push(Head { log, count: chain.count, last: hex(&chain.last), root: chain.head().root });
    }
    Ok(Json(heads))
}

/// Lines as their hashes cover them, each followed by a line feed.
async fn log(
    who: Who,
    State(reader): State<RecordReader>,
    Path(log): Path<String>,
    Query(LogQuery { from, limit }): Query<LogQuery>,
) -> Result<Response, Problem> {
    let log: Log = log.parse()?;
    reader.note(&who).await?;
    let lines = reader.lines(log, from, limit.unwrap_or(MOST).clamp(1, MOST)).await.map_err(unread)?;
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    Ok(([(CONTENT_TYPE, "application/jsonl")], text).into_response())
}

fn unread(error: ReadError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

// === impl Log ===

impl Log {
    /// Every log, in the order of cursors.
    pub const ALL: [Self; 5] = [Self::Mode, Self::Accounts, Self::Nodes, Self::Access, Self::Alarms];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::Accounts => "accounts",
            Self::Nodes => "nodes",
            Self::Access => "access",
            Self::Alarms => "alarms",
        }
    }
}

impl FromStr for Log {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|log| log.as_str() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Problem::new(StatusCode::NOT_FOUND, format!("there is no log {text:?}; logs are: {names}"))
        })
    }
}

// === impl Place ===

impl Place {
    /// Behind every entry.
    const END: Self = Self([999_999_999_999; Log::ALL.len()]);
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map(|n| n.to_string()).join("."))
    }
}

impl FromStr for Place {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let numbers: Result<Vec<u64>, _> = text.split('.').map(str::parse).collect();
        Ok(Self(numbers.ok().and_then(|all| all.try_into().ok()).ok_or(NoCursor)?))
    }
}

// === impl RecordReader ===

impl RecordReader {
    /// The heads of every log but the mode switch's, which holds them.
    async fn other_heads(&self) -> Result<BTreeMap<String, LogHead>, ReadError> {
        let mut heads = BTreeMap::new();
        for log in Log::ALL.into_iter().filter(|log| *log != Log::Mode) {
            let chain = self.chain(log).await?;
            if chain.count > 0 {
                let head = LogHead { count: chain.count, last: hex(&chain.last) };
                heads.insert(log.as_str().to_owned(), head);
            }
        }
        Ok(heads)
    }

    /// Has the heads of the other logs held by the mode switch's, whose own head is published: whoever keeps what
    /// is published can prove every log. Runs until it is aborted.
    pub async fn hold_heads(self, mode: ServiceClient<RequestedAction, Value>) {
        let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut held, caller) = (BTreeMap::new(), Caller::local(ITSELF));
        loop {
            ticks.tick().await;
            let heads = match self.other_heads().await {
                Ok(heads) if heads == held => continue,
                Ok(heads) => heads,
                Err(error) => {
                    tracing::warn!(%error, "the heads of the logs cannot be read");
                    continue;
                }
            };
            match mode.ask(&caller, RequestedAction::Heads(heads.clone())).await {
                Ok(_) => held = heads,
                Err(error) => tracing::warn!(%error, "the heads of the logs cannot be held yet"),
            }
        }
    }

    async fn note(&self, who: &Who) -> Result<(), Problem> {
        Ok(self.reader.note(&who.0.account, "audit.show", "", "").await?)
    }

    async fn chain(&self, log: Log) -> Result<Chain, ReadError> {
        match log {
            Log::Mode => stored_chain::<ModeEvent>(&self.documents).await,
            Log::Accounts => stored_chain::<SecurityEvent>(&self.documents).await,
            Log::Nodes => stored_chain::<NodeEvent>(&self.documents).await,
            Log::Access => self.reader.store.chain(Trail::Access).await,
            Log::Alarms => self.reader.store.chain(Trail::Alarm).await,
        }
    }

    async fn lines(&self, log: Log, from: u64, most: u32) -> Result<Vec<String>, ReadError> {
        let after = from.checked_sub(1);
        match log {
            Log::Mode => entries_after::<ModeEvent>(&self.documents, after, most).await,
            Log::Accounts => entries_after::<SecurityEvent>(&self.documents, after, most).await,
            Log::Nodes => entries_after::<NodeEvent>(&self.documents, after, most).await,
            Log::Access => self.reader.store.trail(Trail::Access, from, most).await,
            Log::Alarms => self.reader.store.trail(Trail::Alarm, from, most).await,
        }
    }

    async fn before(&self, log: Log, n: u64, most: u32) -> Result<Vec<String>, ReadError> {
        match log {
            Log::Mode => entries_before::<ModeEvent>(&self.documents, n, most).await,
            Log::Accounts => entries_before::<SecurityEvent>(&self.documents, n, most).await,
            Log::Nodes => entries_before::<NodeEvent>(&self.documents, n, most).await,
            Log::Access => self.reader.store.trail_before(Trail::Access, n, most).await,
            Log::Alarms => self.reader.store.trail_before(Trail::Alarm, n, most).await,
        }
    }

    /// The newest entries before a place, of one log or all, newest first; and where the next page begins.
    async fn newest(
        &self,
        only: Option<Log>,
        Place(mut place): Place,
        limit: u32,
    ) -> Result<(Vec<Shown>, Option<Place>), ReadError> {
        let mut heads: Vec<(usize, std::vec::IntoIter<Value>, Option<Value>)> = Vec::new();
        for (index, log) in Log::ALL.into_iter().enumerate().filter(|(_, log)| only.is_none_or(|o| o == *log))
        {
            let lines = self.before(log, place[index], limit + 1).await?;
            let read: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let mut rest = read.into_iter();
            let first = rest.next();
            heads.push((index, rest, first));
        }
        let mut shown = Vec::new();
        while shown.len() < limit as usize {
            let at = |entry: &Option<Value>| entry.as_ref().map(|entry| entry["at"].as_i64());
            let Some((index, rest, first)) = heads.iter_mut().max_by_key(|(_, _, first)| at(first)) else {
                break;
            };
            let Some(entry) = first.take() else { break };
            *first = rest.next();
            place[*index] = entry["n"].as_u64().unwrap_or_default();
            shown.push(Shown { log: Log::ALL[*index], entry });
        }
        let is_more = heads.iter().any(|(_, _, first)| first.is_some());
        Ok((shown, is_more.then_some(Place(place))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = Place([1, 20, 0, 7, 999_999_999_999]);
        assert_eq!(place.to_string(), "1.20.0.7.999999999999");
        assert_eq!(place.to_string().parse(), Ok(place));
        for none in ["", "1", "1.2.3.4", "1.2.3.4.5.6", "1.2.3.4.x", "1.2.3.4.-5"] {
            assert_eq!(none.parse::<Place>(), Err(NoCursor), "{none}");
        }
    }

    #[test]
    fn a_log_is_known_by_its_name() {
        for log in Log::ALL {
            assert_eq!(log.as_str().parse::<Log>().unwrap(), log);
            assert_eq!(serde_json::to_value(log).unwrap(), log.as_str());
        }
        assert_eq!("cabin".parse::<Log>().unwrap_err().status, 404);
    }
}
