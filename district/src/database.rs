//! Connections to PostgreSQL: to one server, or to the one of several that takes writes.
//!
//! Several servers are written as libpq writes them (PostgreSQL 15, 34.1.1.3 "Specifying Multiple Hosts"):
//! `postgres://linli@one:5432,two:5432/linli`. Of those that are not in recovery the one with the highest timeline is
//! used: a primary that comes back after its standby was promoted is on an older one.

use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool, Row};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::address::addresses;
use crate::config::Checked;

/// Longest wait for a connection of the pool.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(5);

/// A server that does not answer within this is away.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// How often it is looked which server takes writes.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the server does about a copy that has gone: without this its locks would stay for hours after a network cut.
const SETTINGS: [(&str, &str); 2] =
    [("idle_in_transaction_session_timeout", "20s"), ("client_connection_check_interval", "10s")];

/// Whether a server takes writes, and its timeline, which each promotion raises.
const STATE: &str = "SELECT CASE WHEN pg_is_in_recovery() THEN NULL \
    ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int4 END";

/// The pool, and the servers that it may use.
#[derive(Debug, Clone)]
pub struct Database {
    /// Connections to the server that takes writes.
    pub pool: PgPool,
    servers: Arc<[PgConnectOptions]>,
    chosen: Arc<Mutex<Chosen>>,
}

/// The server in use, and since when.
#[derive(Debug)]
struct Chosen {
    nth: usize,
    since: Instant,
}

// === impl Database ===

impl Database {
    /// Opens connections when they are needed. With several servers, those that take writes are looked for first; the
    /// first is used while none answers.
    pub async fn open(checked: &Checked) -> anyhow::Result<Self> {
        let database = &checked.config.database;
        let server = |url: &String| {
            let options = PgConnectOptions::from_str(url)?.options(SETTINGS);
            Ok(match &checked.database_password {
                Some(password) => options.password(password),
                None => options,
            })
        };
        let parsed: Result<Vec<PgConnectOptions>, sqlx::Error> =
            addresses(&database.url).iter().map(server).collect();
        let servers: Arc<[PgConnectOptions]> = parsed.context("database.url")?.into();
        let nth = if servers.len() > 1 { writable(&servers).await.unwrap_or(0) } else { 0 };
        let chosen = Arc::new(Mutex::new(Chosen { nth, since: Instant::now() }));
        let mut options =
            PgPoolOptions::new().max_connections(database.connections).acquire_timeout(ACQUIRE_WITHIN);
        if servers.len() > 1 {
            let of = Arc::clone(&chosen);
            // Those to the server before are not used any more.
            options = options.before_acquire(move |_, about| {
                let since = of.lock().unwrap_or_else(PoisonError::into_inner).since;
                let is_of_this = about.age <= since.elapsed();
                Box::pin(async move { Ok(is_of_this) })
            });
        }
        let first = servers.get(nth).context("database.url")?;
        let pool = options.connect_lazy_with(first.clone());
        Ok(Self { pool, servers, chosen })
    }

    /// Follows the server that takes writes, until cancelled.
    pub async fn follow(self, cancel: CancellationToken) {
        if self.servers.len() < 2 {
            return;
        }
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let Some(nth) = writable(&self.servers).await else { continue };
            let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
            if chosen.nth != nth
                && let Some(server) = self.servers.get(nth)
            {
                tracing::warn!(host = server.get_host(), "this database takes the writes from now on");
                self.pool.set_connect_options(server.clone());
                *chosen = Chosen { nth, since: Instant::now() };
            }
        }
    }
}

/// The server that is not in recovery, of several the one with the highest timeline.
async fn writable(servers: &[PgConnectOptions]) -> Option<usize> {
    let asked: Vec<_> = servers.iter().cloned().map(|server| tokio::spawn(timeline(server))).collect();
    let mut best: Option<(i32, usize)> = None;
    for (nth, answer) in asked.into_iter().enumerate() {
        let Ok(Some(timeline)) = answer.await else { continue };
        if best.is_none_or(|(highest, _)| timeline > highest) {
            best = Some((timeline, nth));
        }
    }
    best.map(|(_, nth)| nth)
}

async fn timeline(server: PgConnectOptions) -> Option<i32> {
    let ask = async {
        let mut connection = server.connect().await?;
        sqlx::query(STATE).fetch_one(&mut connection).await?.try_get::<Option<i32>, _>(0)
    };
    timeout(ANSWERS_WITHIN, ask).await.ok()?.ok()?
}
