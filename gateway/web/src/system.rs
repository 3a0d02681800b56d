//! The gateway itself, for whoever looks after it: its certificate and authority, its clock, how long the store lasts,
//! copies of the database, and what the binary is made of.

use std::sync::{Arc, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_accounts::Accounts;
use linli_store::GIVES_WAY;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};

use super::backup::{BackupView, Backups};
use super::{Problem, Who};
use crate::growth::NOTED_EVERY;
use crate::status::GatewayStatus;

/// Every crate and package that is part of the binary; `cargo xtask licences` writes it.
const THIRD_PARTY: &str = include_str!("../../../docs/reference/third-party.json");

/// What the routes reach.
#[derive(Clone)]
pub struct System {
    /// Status of the gateway.
    pub status: Arc<GatewayStatus>,
    /// Where acts are put on record.
    pub accounts: Accounts,
    /// Copies of the database.
    pub backups: Arc<Backups>,
}

/// Routes about the gateway itself.
pub fn router(system: System) -> Router {
    Router::new()
        .route("/api/v1/system", get(show))
        .route("/api/v1/system/backup", post(back_up))
        .route("/api/v1/licences", get(licences))
        .with_state(system)
}

/// Notes the size of the store for as long as the gateway runs.
pub async fn watch_growth(status: Arc<GatewayStatus>) {
    let mut tick = tokio::time::interval(NOTED_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let used = status.store.borrow().used_bytes;
        status.growth.lock().unwrap_or_else(PoisonError::into_inner).note(Instant::now(), used);
    }
}

async fn show(_: Who, State(system): State<System>) -> Json<Value> {
    let status = &system.status;
    let (tls, clock) = (status.tls.borrow().clone(), status.clock.now());
    let (used, max, epoch) = {
        let store = status.store.borrow();
        (store.used_bytes, store.max_bytes, store.epoch.clone())
    };
    let growth = status.growth.lock().unwrap_or_else(PoisonError::into_inner);
    let forecast = growth.forecast(Instant::now(), used, max);
    drop(growth);
    Json(json!({
        "certificate": tls.server,
        "authority": tls.authority,
        "renews_at": tls.renews_at,
        "concern": tls.concern.or(tls.failure),
        "uplink_certificate": *status.uplink_certificate.borrow(),
        "clock": {"at": clock.at, "quality": clock.clock.as_str()},
        "store": {
            "epoch": epoch, "used_bytes": used, "max_bytes": max,
            "measured_s": forecast.measured.as_secs(), "bytes_per_day": forecast.bytes_per_day,
            "lasts_s": forecast.lasts_s, "gives_way": GIVES_WAY.map(linli_store::Kind::as_str),
        },
        "backup": system.backups.view(),
    }))
}

async fn back_up(who: Who, State(system): State<System>) -> Result<(StatusCode, Json<BackupView>), Problem> {
    let (now, acting) = (system.status.clock.now().at, who.0.acting(who.0.person.as_ref()));
    system.backups.begin(now, system.accounts.clone(), acting)?;
    Ok((StatusCode::OK, Json(system.backups.view())))
}

async fn licences(_: Who) -> Response {
    ([(CONTENT_TYPE, "application/json")], THIRD_PARTY).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notices_are_a_list_of_what_has_a_name_a_version_and_a_licence() {
        let all: Vec<Value> = serde_json::from_str(THIRD_PARTY).unwrap();
        assert!(all.len() > 100);
        for one in &all {
            for member in ["name", "version", "licence"] {
                assert!(one[member].as_str().is_some_and(|text| !text.is_empty()), "{one}");
            }
        }
        assert!(all.iter().any(|one| one["name"] == "svelte") && all.iter().any(|one| one["name"] == "ring"));
    }
}
