//! The audit as hash chains: every entry names the hash of the one before, so that nobody changes, adds or
//! removes one unseen. Each trail is a chain of its own; from its beginning entries go by a rule alone, and an
//! entry says so.

use linli_domain::Timestamp;
use linli_domain::audit::{AuditEntry, Chain, Hash};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::entry::Audit;

/// Rows chained at a time when a database of an older format is opened.
const AT_ONCE: i64 = 1000;

/// Who removes old entries.
const ITSELF: &str = "linli";

/// Which entries are in one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trail {
    /// Access to personal data, records of the canteen, and everything else but alarms.
    Access,
    /// Operations on alarms, whose oldest entries go when there are too many.
    Alarm,
}

/// What a chained entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Account that acted.
    pub who: String,
    /// The action: `visit.open`, `identity.reveal`, ….
    pub what: String,
    /// Id of the visit or measurement, or pseudonym.
    pub about: String,
    /// Further text for a reader.
    pub detail: String,
}

// === impl Trail ===

impl Trail {
    /// Every trail.
    pub const ALL: [Self; 2] = [Self::Access, Self::Alarm];

    /// Its name. It is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Alarm => "alarm",
        }
    }

    /// The action of the entry that says that older ones were removed; `about` is the number of the first that
    /// is left.
    #[must_use]
    pub const fn forget(self) -> &'static str {
        match self {
            Self::Access => "audit.forget",
            Self::Alarm => "alarm.forget",
        }
    }

    fn of(what: &str) -> Self {
        if what.starts_with("alarm.") { Self::Alarm } else { Self::Access }
    }
}

/// An entry as its hash covers it.
pub(crate) fn line(n: u64, prev: String, audit: &Audit) -> String {
    let own = |text: &String| text.clone();
    let Audit { at, who, what, about, detail } = audit;
    let what = AuditEvent { who: own(who), what: own(what), about: own(about), detail: own(detail) };
    serde_json::to_string(&AuditEntry { n, prev, at: *at, what }).expect("an entry is made of JSON values")
}

/// Stores an entry as the next of its trail.
pub(crate) async fn append(connection: &mut SqliteConnection, audit: &Audit) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO audit (at, who, what, about, detail) VALUES (?, ?, ?, ?, ?)";
    let added = sqlx::query(sql)
        .bind(audit.at.0)
        .bind(&audit.who)
        .bind(&audit.what)
        .bind(&audit.about)
        .bind(&audit.detail)
        .execute(&mut *connection)
        .await?;
    let trail = Trail::of(&audit.what);
    let mut chain = stored_chain(connection, trail).await?;
    link(connection, trail, &mut chain, (added.last_insert_rowid(), audit)).await?;
    store_chain(connection, trail, &chain).await
}

/// Chains the entries of a database of an older format, in their order.
pub(crate) async fn chain_all(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let (mut chains, mut last) = (Trail::ALL.map(|trail| (trail, Chain::default())), i64::MIN);
    loop {
        let sql = "SELECT id, CAST(at AS INTEGER), CAST(who AS BLOB), CAST(what AS BLOB), CAST(about AS BLOB), \
                   CAST(detail AS BLOB) FROM audit WHERE id > ? ORDER BY id LIMIT ?";
        let rows = sqlx::query(sql).bind(last).bind(AT_ONCE).fetch_all(&mut *connection).await?;
        for row in &rows {
            let audit = lossy(row)?;
            last = row.try_get(0)?;
            for (trail, chain) in chains.iter_mut().filter(|(trail, _)| *trail == Trail::of(&audit.what)) {
                link(connection, *trail, chain, (last, &audit)).await?;
            }
        }
        if rows.is_empty() {
            break;
        }
    }
    for (trail, chain) in chains.iter().filter(|(_, chain)| chain.count > 0) {
        store_chain(connection, *trail, chain).await?;
    }
    Ok(())
}

/// Removes the entries before a time.
pub(crate) async fn forget_before(
    connection: &mut SqliteConnection,
    before: Timestamp,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for trail in Trail::ALL {
        // A clock that was wrong stamped entries with a time to come: they keep nothing.
        let sql = "SELECT min(n) FROM audit_link JOIN audit ON audit.id = audit_link.id \
                   WHERE trail = ? AND at >= ? AND at <= ?";
        let kept: Option<i64> = sqlx::query_scalar(sql)
            .bind(trail.as_str())
            .bind(before.0)
            .bind(now.0)
            .fetch_one(&mut *connection)
            .await?;
        let first = match kept {
            Some(n) => n.cast_unsigned(),
            None => stored_chain(connection, trail).await?.count,
        };
        forget_to(connection, trail, first, now).await?;
    }
    Ok(())
}

/// Removes that many of the oldest entries of a trail; returns how many went.
pub(crate) async fn forget_oldest(
    connection: &mut SqliteConnection,
    trail: Trail,
    rows: u64,
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let sql = "SELECT min(n) FROM audit_link WHERE trail = ?";
    let oldest: Option<i64> =
        sqlx::query_scalar(sql).bind(trail.as_str()).fetch_one(&mut *connection).await?;
    let Some(oldest) = oldest else { return Ok(0) };
    let count = stored_chain(connection, trail).await?.count;
    // The newest stays: it says that others went.
    let first = (oldest.cast_unsigned() + rows).min(count.saturating_sub(1));
    forget_to(connection, trail, first, now).await
}

/// Removes the entries before a number. One that cannot be decoded stays, outside the trail.
async fn forget_to(
    connection: &mut SqliteConnection,
    trail: Trail,
    first: u64,
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let sql = "DELETE FROM audit WHERE id IN (SELECT id FROM audit_link WHERE trail = ? AND n < ?) \
               AND id NOT IN (SELECT CAST(key AS INTEGER) FROM undecodable WHERE source = 'audit')";
    let gone = sqlx::query(sql)
        .bind(trail.as_str())
        .bind(first.cast_signed())
        .execute(&mut *connection)
        .await?
        .rows_affected();
    let sql = "DELETE FROM audit_link WHERE trail = ? AND n < ?";
    let unlinked =
        sqlx::query(sql).bind(trail.as_str()).bind(first.cast_signed()).execute(&mut *connection).await?;
    if unlinked.rows_affected() > 0 {
        let (who, what) = (ITSELF.to_owned(), trail.forget().to_owned());
        let detail = format!("{} entries", unlinked.rows_affected());
        append(connection, &Audit { at: now, who, what, about: first.to_string(), detail }).await?;
    }
    Ok(gone)
}

async fn link(
    connection: &mut SqliteConnection,
    trail: Trail,
    chain: &mut Chain,
    (id, audit): (i64, &Audit),
) -> Result<(), sqlx::Error> {
    let (n, prev) = chain.next();
    sqlx::query("INSERT INTO audit_link (trail, n, id, prev) VALUES (?, ?, ?, ?)")
        .bind(trail.as_str())
        .bind(n.cast_signed())
        .bind(id)
        .bind(chain.last.as_slice())
        .execute(connection)
        .await?;
    chain.append(&line(n, prev, audit));
    Ok(())
}

async fn stored_chain(connection: &mut SqliteConnection, trail: Trail) -> Result<Chain, sqlx::Error> {
    let sql = "SELECT state FROM audit_chain WHERE trail = ?";
    let state: Option<String> =
        sqlx::query_scalar(sql).bind(trail.as_str()).fetch_optional(&mut *connection).await?;
    let Some(state) = state else { return Ok(Chain::default()) };
    match serde_json::from_str(&state) {
        Ok(chain) => Ok(chain),
        Err(error) => {
            tracing::error!(trail = trail.as_str(), %error, "the state of a trail is unreadable: it goes on from its last entry");
            resumed(connection, trail).await
        }
    }
}

/// The chain as its last entry says it.
async fn resumed(connection: &mut SqliteConnection, trail: Trail) -> Result<Chain, sqlx::Error> {
    let sql = "SELECT audit.id, CAST(at AS INTEGER), CAST(who AS BLOB), CAST(what AS BLOB), CAST(about AS BLOB), \
               CAST(detail AS BLOB), n, prev FROM audit_link JOIN audit ON audit.id = audit_link.id \
               WHERE trail = ? ORDER BY n DESC LIMIT 1";
    let row = sqlx::query(sql).bind(trail.as_str()).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(Chain::default()) };
    let (n, prev): (i64, Vec<u8>) = (row.try_get(6)?, row.try_get(7)?);
    let mut chain = Chain::resumed(n.cast_unsigned(), Hash::try_from(prev).unwrap_or_default());
    let (n, prev) = chain.next();
    chain.append(&line(n, prev, &lossy(&row)?));
    Ok(chain)
}

/// An entry from a row of its id, its time and the bytes of its texts, whatever they are.
fn lossy(row: &SqliteRow) -> Result<Audit, sqlx::Error> {
    let text = |index: usize| -> Result<String, sqlx::Error> {
        Ok(String::from_utf8_lossy(row.try_get(index)?).into_owned())
    };
    let (who, what, about, detail) = (text(2)?, text(3)?, text(4)?, text(5)?);
    Ok(Audit { at: Timestamp(row.try_get(1)?), who, what, about, detail })
}

async fn store_chain(
    connection: &mut SqliteConnection,
    trail: Trail,
    chain: &Chain,
) -> Result<(), sqlx::Error> {
    let state = serde_json::to_string(chain).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let sql = "INSERT OR REPLACE INTO audit_chain (trail, state) VALUES (?, ?)";
    sqlx::query(sql).bind(trail.as_str()).bind(state).execute(connection).await.map(|_| ())
}
