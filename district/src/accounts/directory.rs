//! Accounts: added, set up, disabled, reset. They are never deleted, so that a record names the same person for ever.

use linli_domain::role::Factor;
use linli_domain::{Id, Timestamp};
use linli_login::account::{Account, Enrolled};
use linli_login::{secret, totp::Totp};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool, Row};

use super::hashing::LogIns;
use super::record::{self, Event};
use super::{AccountError, Role, clock, delays, random};

/// A code with which an account is set up, shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The account.
    pub account: Id,
    /// The code.
    pub code: String,
}

/// Milliseconds for which an enrolment code is valid.
pub const CODE_VALID_MS: i64 = 24 * 3_600_000;

/// Reads an account for a change: others wait until the transaction ends.
pub async fn locked(
    database: &mut PgConnection,
    id: &str,
) -> Result<Option<(Account, Vec<Role>)>, AccountError> {
    let row = sqlx::query("SELECT login, roles FROM account WHERE id = $1 FOR UPDATE").bind(id);
    let Some(row) = row.fetch_optional(database).await? else { return Ok(None) };
    let (login, roles): (String, Vec<String>) = (row.try_get(0)?, row.try_get(1)?);
    let account = serde_json::from_str(&login)
        .map_err(|error| AccountError::NotNow(format!("the account {id} cannot be read: {error}")))?;
    // A role of a newer program allows nothing here.
    Ok(Some((account, roles.iter().filter_map(|role| role.parse().ok()).collect())))
}

/// Keeps a changed account.
pub async fn keep(database: &mut PgConnection, account: &Account) -> Result<(), AccountError> {
    let login = serde_json::to_string(account)
        .map_err(|error| AccountError::NotNow(format!("the account cannot be written: {error}")))?;
    sqlx::query("UPDATE account SET login = $2 WHERE id = $1")
        .bind(account.id.as_str())
        .bind(login)
        .execute(database)
        .await?;
    Ok(())
}

/// Adds an account; its person sets it up with the code.
pub async fn add(
    pool: &PgPool,
    id: &Id,
    name: &str,
    roles: &[Role],
    by: &str,
) -> Result<Issued, AccountError> {
    if roles.is_empty() {
        return Err(AccountError::NoRole);
    }
    let mut tx = pool.begin().await?;
    let now = Timestamp(clock(&mut tx).await?);
    let (account, code) = Account::new(id.clone(), None, Vec::new(), random()?, now);
    let login = serde_json::to_string(&account)
        .map_err(|error| AccountError::NotNow(format!("the account cannot be written: {error}")))?;
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let added = sqlx::query(
        "INSERT INTO account (id, name, roles, login) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(id.as_str())
    .bind(name)
    .bind(&words)
    .bind(login)
    .execute(&mut *tx)
    .await?;
    if added.rows_affected() == 0 {
        return Err(AccountError::Known(id.clone()));
    }
    let event = Event::Account {
        account: id.clone(),
        what: "added".to_owned(),
        roles: roles.to_vec(),
        by: by.to_owned(),
    };
    record::append(&mut tx, &event).await?;
    tx.commit().await?;
    Ok(Issued { account: id.clone(), code })
}

/// Forgets every secret of an account, and ends its sessions; returns the code with which it is set up again.
pub async fn reset(pool: &PgPool, id: &Id, by: &str) -> Result<Issued, AccountError> {
    let mut tx = pool.begin().await?;
    let now = Timestamp(clock(&mut tx).await?);
    let (mut account, _) =
        locked(&mut tx, id.as_str()).await?.ok_or_else(|| AccountError::Unknown(id.clone()))?;
    let code = account.reset(random()?, now);
    keep(&mut tx, &account).await?;
    end_sessions(&mut tx, id).await?;
    changed(&mut tx, id, "reset", by).await?;
    tx.commit().await?;
    Ok(Issued { account: id.clone(), code })
}

/// Switches an account off or on. Off, its sessions end at once.
pub async fn set_disabled(pool: &PgPool, id: &Id, is_disabled: bool, by: &str) -> Result<(), AccountError> {
    let mut tx = pool.begin().await?;
    // One at a time: two administrators must not disable each other at once.
    sqlx::query("LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE").execute(&mut *tx).await?;
    let (mut account, roles) =
        locked(&mut tx, id.as_str()).await?.ok_or_else(|| AccountError::Unknown(id.clone()))?;
    if is_disabled && roles.contains(&Role::Administrator) {
        let others = sqlx::query(
            "SELECT count(*) FROM account WHERE id <> $1 AND 'administrator' = ANY (roles) \
             AND NOT coalesce((login::jsonb ->> 'is_disabled')::bool, false)",
        )
        .bind(id.as_str());
        if others.fetch_one(&mut *tx).await?.try_get::<i64, _>(0)? == 0 {
            return Err(AccountError::LastAdministrator(id.clone()));
        }
    }
    account.is_disabled = is_disabled;
    keep(&mut tx, &account).await?;
    if is_disabled {
        end_sessions(&mut tx, id).await?;
    }
    changed(&mut tx, id, if is_disabled { "disabled" } else { "enabled" }, by).await?;
    tx.commit().await?;
    Ok(())
}

async fn end_sessions(database: &mut PgConnection, id: &Id) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM session WHERE account = $1").bind(id.as_str()).execute(database).await?;
    Ok(())
}

async fn changed(database: &mut PgConnection, id: &Id, what: &str, by: &str) -> Result<(), sqlx::Error> {
    let event =
        Event::Account { account: id.clone(), what: what.to_owned(), roles: Vec::new(), by: by.to_owned() };
    record::append(database, &event).await
}

/// Every account, without a secret.
pub async fn list(pool: &PgPool) -> Result<Vec<Value>, AccountError> {
    let mut connection = pool.acquire().await?;
    let now = Timestamp(clock(&mut connection).await?);
    let rows = sqlx::query("SELECT id, name, roles, login FROM account ORDER BY id");
    let mut listed = Vec::new();
    for row in rows.fetch_all(&mut *connection).await? {
        let (id, name, roles, login): (String, String, Vec<String>, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let standing = serde_json::from_str::<Account>(&login).ok().map(|account| account.standing(now));
        listed.push(json!({"id": id, "name": name, "roles": roles, "standing": standing}));
    }
    Ok(listed)
}

/// Sets up an account with its code and the password that its person chose. Returns the secret of the one-time codes.
pub async fn enrol(
    pool: &PgPool,
    work: &LogIns,
    (id, code): (&str, &str),
    password: String,
    from: &str,
) -> Result<Totp, AccountError> {
    let mut tx = pool.begin().await?;
    delays::attempt(&mut tx, &delays::subjects(id, from)).await?;
    let now = Timestamp(clock(&mut tx).await?);
    let is_right = locked(&mut tx, id).await?.is_some_and(|(account, _)| account.is_enrolment(code, now));
    if !is_right {
        let event = Event::Refused {
            account: named(id),
            why: "wrong enrolment code".to_owned(),
            from: from.to_owned(),
        };
        record::append(&mut tx, &event).await?;
        tx.commit().await?;
        return Err(AccountError::Code);
    }
    // A weak password is no guess at the code.
    if let Some(id) = named(id) {
        delays::succeeded(&mut tx, &id, from).await?;
    }
    tx.commit().await?;
    secret::check(&password, Factor::PasswordAndCode, id)?;
    let salt = random()?;
    let hash = work.off_the_runtime(move || secret::hash(&password, salt)).await?;
    let hash = hash.map_err(|error| AccountError::NotNow(error.to_string()))?;
    let mut tx = pool.begin().await?;
    let (mut account, _) = locked(&mut tx, id).await?.ok_or(AccountError::Code)?;
    let Some(Enrolled::Totp(totp)) = account.enrol(code, hash, random()?, now) else {
        return Err(AccountError::Code);
    };
    keep(&mut tx, &account).await?;
    let event = Event::Enrolled { account: account.id.clone(), from: from.to_owned() };
    record::append(&mut tx, &event).await?;
    tx.commit().await?;
    Ok(totp)
}

/// What was given for an account, where it has the form of one.
pub fn named(account: &str) -> Option<Id> {
    Id::new(account).ok()
}
