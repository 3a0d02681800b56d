//! Logging in and out, and what a session is good for.

use linli_domain::{Id, Timestamp};
use linli_login::code::{self, TOKEN};
use linli_login::session::{IDLE, LONGEST, PER_ACCOUNT};
use linli_login::totp::CodeRefused;
use linli_login::{account::Account, secret};
use sqlx::{PgConnection, PgPool, Row};

use super::directory::{keep, locked, named};
use super::hashing::LogIns;
use super::record::{self, Event};
use super::{AccountError, Person, clock, delays, random};

/// A request keeps a session from ending, and is noted this often in seconds.
const NOTED_EVERY_S: f64 = 30.0;

/// A log-in.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// The account.
    pub account: String,
    /// Its password.
    pub password: String,
    /// The one-time code of now.
    pub code: String,
}

/// A session that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its token, which its browser keeps.
    pub token: String,
    /// Whose it is.
    pub person: Person,
}

// === impl LogIns ===

impl LogIns {
    /// Opens a session.
    pub async fn log_in(&self, pool: &PgPool, log_in: LogIn, from: &str) -> Result<Opened, AccountError> {
        let LogIn { account, password, code } = log_in;
        if !self.is_password(pool, &account, password, from).await? {
            refused(pool, &account, "wrong secret", from).await?;
            return Err(AccountError::Wrong);
        }
        let mut tx = pool.begin().await?;
        let now = Timestamp(clock(&mut tx).await?);
        let found = locked(&mut tx, &account).await?.filter(|(account, _)| account.secret().is_some());
        let (mut known, _) = found.ok_or(AccountError::Wrong)?;
        if let Err(why) = known.accept_code(&code, now) {
            let why = match why {
                CodeRefused::Wrong => "wrong one-time code",
                CodeRefused::Used => "one-time code used before",
            };
            tx.rollback().await?;
            refused(pool, &account, why, from).await?;
            return Err(AccountError::Wrong);
        }
        keep(&mut tx, &known).await?;
        delays::succeeded(&mut tx, &known.id, from).await?;
        let token = code::token(&random::<TOKEN>()?);
        let hash = code::hash(&token);
        open(&mut tx, &known.id, &hash).await?;
        let event = Event::LoggedIn {
            account: known.id.clone(),
            session: hash.get(..12).unwrap_or_default().to_owned(),
            from: from.to_owned(),
        };
        record::append(&mut tx, &event).await?;
        tx.commit().await?;
        let person = person(pool, &token, true).await?.ok_or(AccountError::Wrong)?;
        Ok(Opened { token, person })
    }

    /// Whether this is the password of whoever is logged in, entered again.
    pub async fn renew(
        &self,
        pool: &PgPool,
        person: &Person,
        password: String,
        from: &str,
    ) -> Result<(), AccountError> {
        let account = person.account.as_str();
        if !self.is_password(pool, account, password, from).await? {
            refused(pool, account, "wrong secret", from).await?;
            return Err(AccountError::Wrong);
        }
        let mut connection = pool.acquire().await?;
        Ok(delays::succeeded(&mut connection, &person.account, from).await?)
    }

    async fn is_password(
        &self,
        pool: &PgPool,
        account: &str,
        password: String,
        from: &str,
    ) -> Result<bool, AccountError> {
        let mut tx = pool.begin().await?;
        delays::attempt(&mut tx, &delays::subjects(account, from)).await?;
        let found = locked(&mut tx, account).await?;
        let stored = found.as_ref().and_then(|(account, _)| account.secret()).map(str::to_owned);
        tx.commit().await?;
        self.off_the_runtime(move || secret::verify(&password, stored.as_deref())).await
    }
}

async fn refused(pool: &PgPool, account: &str, why: &str, from: &str) -> Result<(), AccountError> {
    let mut tx = pool.begin().await?;
    let event = Event::Refused { account: named(account), why: why.to_owned(), from: from.to_owned() };
    record::append(&mut tx, &event).await?;
    Ok(tx.commit().await?)
}

/// Opens a session; the oldest of the account go, and those that have ended.
async fn open(database: &mut PgConnection, account: &Id, hash: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM session WHERE until < now() OR used < now() - $1 * interval '1 s'")
        .bind(IDLE.as_secs_f64())
        .execute(&mut *database)
        .await?;
    sqlx::query(
        "DELETE FROM session WHERE hash IN \
         (SELECT hash FROM session WHERE account = $1 ORDER BY since DESC OFFSET $2)",
    )
    .bind(account.as_str())
    .bind(i64::try_from(PER_ACCOUNT - 1).unwrap_or_default())
    .execute(&mut *database)
    .await?;
    sqlx::query("INSERT INTO session (hash, account, until) VALUES ($1, $2, now() + $3 * interval '1 s')")
        .bind(hash)
        .bind(account.as_str())
        .bind(LONGEST.as_secs_f64())
        .execute(database)
        .await?;
    Ok(())
}

/// Who has this token; `None` when its session has ended. `is_attended`: somebody does something, so it goes on.
pub async fn person(pool: &PgPool, token: &str, is_attended: bool) -> Result<Option<Person>, AccountError> {
    let hash = code::hash(token);
    let row = sqlx::query(
        "SELECT a.id, a.name, a.roles, a.login, (extract(epoch FROM s.since) * 1000)::int8, \
         (extract(epoch FROM s.until) * 1000)::int8, s.used < now() - $3 * interval '1 s' \
         FROM session s JOIN account a ON a.id = s.account \
         WHERE s.hash = $1 AND s.until > now() AND s.used > now() - $2 * interval '1 s'",
    )
    .bind(&hash)
    .bind(IDLE.as_secs_f64())
    .bind(NOTED_EVERY_S)
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (id, name, roles, login): (String, String, Vec<String>, String) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    let is_good = serde_json::from_str::<Account>(&login).is_ok_and(|account| account.secret().is_some());
    let Some(account) = named(&id).filter(|_| is_good) else { return Ok(None) };
    if is_attended && row.try_get::<bool, _>(6)? {
        sqlx::query("UPDATE session SET used = now() WHERE hash = $1").bind(&hash).execute(pool).await?;
    }
    let roles = roles.iter().filter_map(|role| role.parse().ok()).collect();
    Ok(Some(Person {
        account,
        name,
        roles,
        session: hash,
        session_times: (row.try_get(4)?, row.try_get(5)?),
    }))
}

/// Ends a session.
pub async fn log_out(pool: &PgPool, person: &Person) -> Result<(), AccountError> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM session WHERE hash = $1").bind(&person.session).execute(&mut *tx).await?;
    let session = person.session.get(..12).unwrap_or_default().to_owned();
    record::append(&mut tx, &Event::LoggedOut { account: person.account.clone(), session }).await?;
    Ok(tx.commit().await?)
}
