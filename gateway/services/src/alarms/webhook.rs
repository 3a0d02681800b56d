//! Tells people outside: one POST per raised alarm, again and again until it is taken.
//!
//! What is to be told stands in the database since the alarm's own step was made durable, so a
//! killed process loses none. Each has a key that is the same in every attempt: a receiver that
//! keeps the keys it has seen gets each once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linli_drivers::Clock;
use linli_store::{Alarms, Change, Entry, Notification};
use ring::hmac;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use linli_config::settings::webhook::Webhook;
use linli_domain::audit::hex;

/// How often a quiet queue is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// A receiver has this long to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// First pause after a failure; doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// More than this many wait for a receiver that is gone for good: the oldest are given up.
const MOST: u64 = 1000;

/// Counters.
#[derive(Debug, Default)]
pub struct Health {
    /// Taken by their receivers.
    pub delivered: AtomicU64,
    /// Attempts that failed.
    pub failed: AtomicU64,
    /// Given up.
    pub given_up: AtomicU64,
}

/// Serves every receiver, each on its own: one that hangs delays no other.
pub async fn run(
    store: Alarms,
    mut hooks: watch::Receiver<Arc<Vec<Webhook>>>,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
) {
    loop {
        let mut tasks = JoinSet::new();
        for hook in hooks.borrow_and_update().iter() {
            tasks.spawn(serve(store.clone(), hook.clone(), Arc::clone(&clock), Arc::clone(&health)));
        }
        if hooks.changed().await.is_err() {
            return;
        }
    }
}

async fn serve(store: Alarms, hook: Webhook, clock: Arc<dyn Clock>, health: Arc<Health>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let (told, waiting) = match store.next_notification(&hook.id, clock.now().at).await {
            Ok(Some(next)) => next,
            Ok(None) => {
                sleep(LOOK).await;
                continue;
            }
            Err(error) => {
                tracing::debug!(%error, "what is to be told cannot be read");
                sleep(LONGEST_PAUSE.min(pause)).await;
                continue;
            }
        };
        let id = told.id;
        let outcome =
            if waiting > MOST { Err("too many wait".to_owned()) } else { post(hook.clone(), told).await };
        match outcome {
            Ok(()) => {
                pause = FIRST_PAUSE;
                health.delivered.fetch_add(1, Ordering::Relaxed);
            }
            Err(why) if waiting > MOST => {
                tracing::error!(webhook = %hook.id, why, "a notification is given up");
                health.given_up.fetch_add(1, Ordering::Relaxed);
            }
            Err(why) => {
                health.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(webhook = %hook.id, why, again_in = ?pause, "not told yet");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        }
        // Not forgotten: told again with the same key.
        while store.keep(Entry { changes: vec![Change::Notified(id)], ..Entry::default() }).await.is_err() {
            sleep(FIRST_PAUSE).await;
        }
    }
}

async fn post(hook: Webhook, told: Notification) -> Result<(), String> {
    let sent = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).build().into();
        let mut request = agent
            .post(&hook.url)
            .header("content-type", "application/json; charset=utf-8")
            .header("idempotency-key", &told.key);
        if let Some(secret) = &hook.secret {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            let tag = hmac::sign(&key, told.body.as_bytes());
            request = request.header("x-linli-signature", format!("sha256={}", hex(tag.as_ref())));
        }
        request.send(told.body.as_bytes()).map(|answer| answer.status())
    });
    match sent.await {
        Ok(Ok(status)) if status.is_success() => Ok(()),
        Ok(Ok(status)) => Err(format!("it answers {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
