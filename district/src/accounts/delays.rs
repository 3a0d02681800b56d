//! Delays after wrong log-ins, shared by all copies: whoever guesses at one has guessed at all.

use std::time::Duration;

use linli_domain::Id;
use linli_login::lockout::Subject;
use sqlx::{PgConnection, Row};

use super::AccountError;

/// Without an error for so many hours, all is forgotten.
const FORGOTTEN_H: f64 = 24.0;

/// Longest name of a subject that is kept.
const LONGEST: usize = 64;

/// What a log-in is counted for.
pub fn subjects(account: &str, from: &str) -> [Subject; 2] {
    let short = |text: &str| text.chars().take(LONGEST).collect();
    [Subject::Account(short(account)), Subject::Address(short(from))]
}

fn key(subject: &Subject) -> String {
    let (kind, of) = match subject {
        Subject::Account(account) => ("account", account),
        Subject::Address(address) => ("address", address),
    };
    // A text of PostgreSQL cannot hold it.
    format!("{kind} {}", of.replace('\0', "\u{fffd}"))
}

/// Counts an attempt for each subject before it is looked at: of many at once, none is for nothing.
pub async fn attempt(database: &mut PgConnection, subjects: &[Subject]) -> Result<(), AccountError> {
    sqlx::query("DELETE FROM log_in_error WHERE last < now() - $1 * interval '1 hour'")
        .bind(FORGOTTEN_H)
        .execute(&mut *database)
        .await?;
    let mut left = Duration::ZERO;
    for subject in subjects {
        let row = sqlx::query(
            "INSERT INTO log_in_error AS e (subject, count, last) VALUES ($1, 0, now()) ON CONFLICT (subject) \
             DO UPDATE SET count = e.count RETURNING count, (extract(epoch FROM now() - last) * 1000)::int8",
        )
        .bind(key(subject))
        .fetch_one(&mut *database)
        .await?;
        let count = u32::try_from(row.try_get::<i32, _>(0)?).unwrap_or_default();
        let since = Duration::from_millis(u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default());
        left = left.max(subject.delay(count).saturating_sub(since));
    }
    if !left.is_zero() {
        return Err(AccountError::Wait(left));
    }
    for subject in subjects {
        sqlx::query(
            "UPDATE log_in_error SET count = least(count, 1000) + 1, last = now() WHERE subject = $1",
        )
        .bind(key(subject))
        .execute(&mut *database)
        .await?;
    }
    Ok(())
}

/// What was counted was right: the errors of the account are forgotten, and this one of the address.
pub async fn succeeded(database: &mut PgConnection, account: &Id, from: &str) -> Result<(), sqlx::Error> {
    right(database, account.as_str(), from).await
}

/// The same for whatever [`subjects`] names.
pub async fn right(database: &mut PgConnection, of: &str, from: &str) -> Result<(), sqlx::Error> {
    let [of_account, of_address] = subjects(of, from);
    sqlx::query("DELETE FROM log_in_error WHERE subject = $1")
        .bind(key(&of_account))
        .execute(&mut *database)
        .await?;
    sqlx::query("UPDATE log_in_error SET count = greatest(count - 1, 0) WHERE subject = $1")
        .bind(key(&of_address))
        .execute(database)
        .await?;
    Ok(())
}
