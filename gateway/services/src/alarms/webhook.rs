//! Notifications to receivers outside: one POST per raised alarm, repeated until it is accepted.
//!
//! A notification is stored in the same transaction as the alarm's transition, so a killed process
//! loses none. Its key is the same in every attempt: a receiver that remembers keys handles each
//! notification once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linli_drivers::Clock;
use linli_store::{Alarms, Change, Entry, Notification};
use ring::hmac;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::notice::{NoticeResult, Notices};
use linli_config::settings::webhook::Webhook;
use linli_domain::audit::hex;

/// Interval at which an empty queue is read.
const LOOK: Duration = Duration::from_millis(500);

/// Time within which a receiver must answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// First pause after a failure; doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Most notifications that wait for one receiver; the oldest beyond that are dropped.
const MOST: u64 = 1000;

/// Counters.
#[derive(Debug, Default)]
pub struct Health {
    /// Accepted by their receivers.
    pub delivered: AtomicU64,
    /// Attempts that failed.
    pub failed: AtomicU64,
    /// Dropped because too many waited.
    pub given_up: AtomicU64,
}

/// Serves every receiver in a task of its own, so that one that hangs delays no other.
pub async fn run(
    (store, notices): (Alarms, Notices),
    mut hooks: watch::Receiver<Arc<Vec<Webhook>>>,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
) {
    loop {
        let mut tasks = JoinSet::new();
        for hook in hooks.borrow_and_update().iter() {
            let stores = (store.clone(), notices.clone());
            tasks.spawn(serve(stores, hook.clone(), Arc::clone(&clock), Arc::clone(&health)));
        }
        if hooks.changed().await.is_err() {
            return;
        }
    }
}

async fn serve(
    (store, notices): (Alarms, Notices),
    hook: Webhook,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let (notification, waiting) = match store.next_notification(&hook.id, clock.now().at).await {
            Ok(Some(next)) => next,
            Ok(None) => {
                sleep(LOOK).await;
                continue;
            }
            Err(error) => {
                tracing::debug!(%error, "notifications cannot be read");
                sleep(LONGEST_PAUSE.min(pause)).await;
                continue;
            }
        };
        let id = notification.id;
        let outcome = if waiting > MOST {
            Err("too many wait".to_owned())
        } else {
            post(hook.clone(), notification.clone()).await
        };
        let result = match &outcome {
            Ok(()) => NoticeResult::Delivered,
            Err(_) if waiting > MOST => NoticeResult::Dropped,
            Err(_) => NoticeResult::Failing,
        };
        let why = outcome.as_ref().err().map(String::as_str);
        notices.tried(&notification, clock.now().at, result, why).await;
        match outcome {
            Ok(()) => {
                pause = FIRST_PAUSE;
                health.delivered.fetch_add(1, Ordering::Relaxed);
            }
            Err(why) if waiting > MOST => {
                tracing::error!(webhook = %hook.id, why, "a notification is dropped");
                health.given_up.fetch_add(1, Ordering::Relaxed);
            }
            Err(why) => {
                health.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(webhook = %hook.id, why, again_in = ?pause, "notification not accepted yet");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        }
        // Until it is removed, it is sent again with the same key.
        while store.keep(Entry { changes: vec![Change::Notified(id)], ..Entry::default() }).await.is_err() {
            sleep(FIRST_PAUSE).await;
        }
    }
}

async fn post(hook: Webhook, notification: Notification) -> Result<(), String> {
    let sent = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).build().into();
        let mut request = agent
            .post(&hook.url)
            .header("content-type", "application/json; charset=utf-8")
            .header("idempotency-key", &notification.key);
        if let Some(secret) = &hook.secret {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            let tag = hmac::sign(&key, notification.body.as_bytes());
            request = request.header("x-linli-signature", format!("sha256={}", hex(tag.as_ref())));
        }
        request.send(notification.body.as_bytes()).map(|answer| answer.status())
    });
    match sent.await {
        Ok(Ok(status)) if status.is_success() => Ok(()),
        Ok(Ok(status)) => Err(format!("it answers {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
