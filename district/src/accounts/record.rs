//! Who did what: one append-only record whose lines contain the hash of the one before, as in the gateway
//! (`linli_domain::audit`). A line is written in the transaction of what it tells, so neither is without the other.

use linli_domain::audit::{AuditEntry, Broken, Chain, Head};
use linli_domain::{Id, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, Row};

use super::{Role, clock};

/// Lines read at a time.
const AT_ONCE: i64 = 5000;

/// Something that happened. Its stored form is frozen by `the_stored_form_is_frozen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A session was opened.
    LoggedIn {
        /// The account.
        account: Id,
        /// The session, as records name it.
        session: String,
        /// The address.
        from: String,
    },
    /// A session was ended.
    LoggedOut {
        /// The account.
        account: Id,
        /// The session, as records name it.
        session: String,
    },
    /// A log-in was refused.
    Refused {
        /// What was given for the account, where it has the form of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<Id>,
        /// Why.
        why: String,
        /// The address.
        from: String,
    },
    /// An account was set up by its person.
    Enrolled {
        /// The account.
        account: Id,
        /// The address.
        from: String,
    },
    /// An account was changed.
    Account {
        /// The account.
        account: Id,
        /// `added`, `disabled`, `enabled` or `reset`.
        what: String,
        /// Its roles, where it was added.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        roles: Vec<Role>,
        /// Who did it: an account, or `local:UID` for a user of the machine.
        by: String,
    },
    /// A centre was enrolled or revoked.
    Centre {
        /// The centre.
        centre: Id,
        /// Its gateway.
        gateway: Id,
        /// `enrolled`, `changed`, `revoked`, `code`, `certificate` or `renewed`.
        what: String,
        /// Who did it: an account, `local:UID`, or the address of a gateway.
        by: String,
    },
    /// A certificate was refused to a gateway.
    CentreRefused {
        /// The centre that it named.
        centre: Id,
        /// The gateway that it named.
        gateway: Id,
        /// Why.
        why: String,
        /// The address.
        from: String,
    },
    /// Lines of the record were exported.
    Exported {
        /// How many.
        lines: u64,
        /// Who did it.
        by: String,
    },
    /// A step of a mass order.
    Order {
        /// The order.
        order: String,
        /// `prepared`, `seen`, `approved`, `released`, `stopped`, `called` or `uncalled`.
        what: String,
        /// The hash of what was seen, for what is bound to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<String>,
        /// Its stage, or which of the two persons.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nth: Option<i32>,
        /// The gateway, `CENTRE/GATEWAY`, where it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<String>,
        /// Who did it.
        by: String,
    },
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The head over all lines.
    pub head: Head,
    /// Lines read.
    pub lines: u64,
}

/// Why a record does not hold.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A line was changed, moved or removed.
    #[error("记录被改动过 the record was changed: {0}")]
    Broken(#[from] Broken),
    /// The state from which it goes on does not fit its lines.
    #[error("记录被截断 the record was cut: {kept} lines were written, {found} are there")]
    Cut {
        /// Lines by the kept state.
        kept: u64,
        /// Lines found.
        found: u64,
    },
    /// The kept state cannot be read.
    #[error("the state of the record cannot be read: {0}")]
    State(String),
    /// The database fails.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
}

// === impl Event ===

impl Event {
    /// The order that it is about.
    fn subject(&self) -> Option<&str> {
        match self {
            Self::Order { order, .. } => Some(order),
            _ => None,
        }
    }
}

/// Appends a line. Others that append wait until the transaction ends.
pub async fn append(database: &mut PgConnection, event: &Event) -> Result<(), sqlx::Error> {
    let of_data = |error: serde_json::Error| sqlx::Error::Decode(Box::new(error));
    let empty = serde_json::to_string(&Chain::default()).map_err(of_data)?;
    sqlx::query("INSERT INTO record_chain (chain) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(empty)
        .execute(&mut *database)
        .await?;
    let row = sqlx::query("SELECT chain FROM record_chain FOR UPDATE").fetch_one(&mut *database).await?;
    let mut chain: Chain = serde_json::from_str(&row.try_get::<String, _>(0)?).map_err(of_data)?;
    let at = Timestamp(clock(&mut *database).await?);
    let (n, prev) = chain.next();
    let line = serde_json::to_string(&AuditEntry { n, prev, at, what: event }).map_err(of_data)?;
    chain.append(&line);
    sqlx::query("INSERT INTO record (n, subject, line) VALUES ($1, $2, $3)")
        .bind(i64::try_from(n).unwrap_or(i64::MAX))
        .bind(event.subject())
        .bind(&line)
        .execute(&mut *database)
        .await?;
    let state = serde_json::to_string(&chain).map_err(of_data)?;
    sqlx::query("UPDATE record_chain SET chain = $1").bind(state).execute(database).await?;
    Ok(())
}

/// Writes a line about a centre.
pub async fn note_centre(
    database: &mut PgConnection,
    (centre, gateway): (&Id, &Id),
    what: &str,
    by: &str,
) -> Result<(), sqlx::Error> {
    let event = Event::Centre {
        centre: centre.clone(),
        gateway: gateway.clone(),
        what: what.to_owned(),
        by: by.to_owned(),
    };
    append(database, &event).await
}

/// Most lines that are exported at once.
pub const MOST: i64 = 1_000_000;

/// Which lines are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words of events with commas between them, such as `order` or `refused,centre_refused`.
    pub event: Option<String>,
    /// Who did it, or what it is about: an account, a centre, an order, an address.
    pub who: Option<String>,
    /// Not before this time, Unix milliseconds.
    pub from: Option<i64>,
    /// Before this time, Unix milliseconds.
    pub to: Option<i64>,
}

/// Lines before that number, the newest first.
pub async fn before(
    pool: &PgPool,
    before: i64,
    limit: i64,
    filter: &Filter,
) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT line FROM record WHERE n < $1 AND ($3::text IS NULL OR line::jsonb ->> 'event' = ANY (string_to_array($3, ','))) \
         AND ($4::text IS NULL OR EXISTS (SELECT FROM jsonb_each_text(line::jsonb) e \
           WHERE e.key IN ('account', 'by', 'from', 'centre', 'gateway', 'order') AND e.value = $4)) \
         AND ($5::int8 IS NULL OR (line::jsonb ->> 'at')::int8 >= $5) \
         AND ($6::int8 IS NULL OR (line::jsonb ->> 'at')::int8 < $6) ORDER BY n DESC LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .bind(filter.event.as_deref())
    .bind(filter.who.as_deref())
    .bind(filter.from)
    .bind(filter.to)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Writes that lines were exported.
pub async fn exported(pool: &PgPool, lines: usize, by: &str) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    let lines = u64::try_from(lines).unwrap_or(u64::MAX);
    append(&mut tx, &Event::Exported { lines, by: by.to_owned() }).await?;
    tx.commit().await
}

/// Lines about an order, the first one first.
pub async fn about(pool: &PgPool, order: &str) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("SELECT line FROM record WHERE subject = $1 ORDER BY n").bind(order);
    rows.fetch_all(pool).await?.iter().map(|row| row.try_get(0)).collect()
}

/// The head, as it is kept.
pub async fn head(pool: &PgPool) -> Result<Head, RecordError> {
    let row = sqlx::query("SELECT chain FROM record_chain").fetch_optional(pool).await?;
    let Some(row) = row else { return Ok(Chain::default().head()) };
    let chain: Chain = serde_json::from_str(&row.try_get::<String, _>(0)?)
        .map_err(|error| RecordError::State(error.to_string()))?;
    Ok(chain.head())
}

/// Follows the chain through all lines, as they were at one moment.
pub async fn verify(pool: &PgPool) -> Result<Verified, RecordError> {
    let mut tx = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *tx).await?;
    let (mut chain, mut after) = (Chain::default(), -1_i64);
    loop {
        let rows = sqlx::query("SELECT n, line FROM record WHERE n > $1 ORDER BY n LIMIT $2")
            .bind(after)
            .bind(AT_ONCE)
            .fetch_all(&mut *tx)
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.try_get(0)?;
        for row in &rows {
            chain.follow(&row.try_get::<String, _>(1)?)?;
        }
    }
    let row = sqlx::query("SELECT chain FROM record_chain").fetch_optional(&mut *tx).await?;
    let kept: Chain = match row {
        Some(row) => serde_json::from_str(&row.try_get::<String, _>(0)?)
            .map_err(|error| RecordError::State(error.to_string()))?,
        None => Chain::default(),
    };
    if kept != chain {
        return Err(RecordError::Cut { kept: kept.count, found: chain.count });
    }
    Ok(Verified { head: chain.head(), lines: chain.count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_frozen() {
        let id = |text: &str| Id::new(text).unwrap();
        let entry = |what: Event| {
            serde_json::to_string(&AuditEntry { n: 7, prev: "00".to_owned(), at: Timestamp(1), what })
                .unwrap()
        };
        let order = Event::Order {
            order: "o-1".to_owned(),
            what: "approved".to_owned(),
            seen: Some("ab".to_owned()),
            nth: Some(2),
            of: None,
            by: "chen".to_owned(),
        };
        assert_eq!(
            entry(order),
            r#"{"n":7,"prev":"00","at":1,"event":"order","order":"o-1","what":"approved","seen":"ab","nth":2,"by":"chen"}"#
        );
        let refused = Event::Refused {
            account: Some(id("chen")),
            why: "wrong secret".to_owned(),
            from: "192.0.2.1".to_owned(),
        };
        let line = entry(refused.clone());
        assert_eq!(
            line,
            r#"{"n":7,"prev":"00","at":1,"event":"refused","account":"chen","why":"wrong secret","from":"192.0.2.1"}"#
        );
        assert_eq!(serde_json::from_str::<AuditEntry<Event>>(&line).unwrap().what, refused);
        let account = Event::Account {
            account: id("chen"),
            what: "added".to_owned(),
            roles: vec![Role::Commander],
            by: "local:0".to_owned(),
        };
        assert_eq!(
            entry(account),
            r#"{"n":7,"prev":"00","at":1,"event":"account","account":"chen","what":"added","roles":["commander"],"by":"local:0"}"#
        );
    }
}
