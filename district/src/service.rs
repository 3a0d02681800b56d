//! One copy of the service, from its start to its end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api::{self, State};
use crate::broker_files;
use crate::config::{Checked, Engine};
use crate::consumer::{Consumer, Settings};
use crate::database::Database;
use crate::metrics::Metrics;
use crate::migrate;
use crate::orders;
use crate::source::{MqttSource, NatsSource, Source};
use crate::tls;
use crate::upkeep;

/// Pause before the database is asked again at the start.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Opens connections to the database, the first when it is needed.
pub async fn pool(checked: &Checked) -> anyhow::Result<PgPool> {
    Ok(Database::open(checked).await?.pool)
}

/// Runs until cancelled.
pub async fn run(checked: Checked, cancel: CancellationToken) -> anyhow::Result<()> {
    let database = Database::open(&checked).await?;
    let pool = database.pool.clone();
    let following = tokio::spawn(database.follow(cancel.clone()));
    if !ready(&pool, &cancel).await? {
        return Ok(());
    }
    // The database may go away again at any moment.
    while let Err(error) = upkeep::once(&pool, &checked.config.keep).await {
        tracing::warn!(%error, "partitions cannot be made; it is tried again");
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(AGAIN_AFTER) => {}
        }
    }
    let metrics = Arc::new(Metrics::default());
    let outcome = match checked.engine {
        Engine::Mqtt | Engine::Mqtts => {
            serve(MqttSource::open(&checked)?, checked, pool, metrics, cancel).await
        }
        Engine::Nats | Engine::NatsTls => {
            serve(NatsSource::open(&checked)?, checked, pool, metrics, cancel).await
        }
    };
    following.abort();
    outcome
}

/// The copy at work, whatever engine delivers.
async fn serve<S: Source>(
    source: S,
    checked: Checked,
    pool: PgPool,
    metrics: Arc<Metrics>,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    let (publisher, status) = (source.publisher(), source.status());
    let settings = Settings {
        required: checked.config.enrolment.required,
        batch: usize::try_from(checked.config.mqtt.batch).unwrap_or(usize::MAX),
        linger: Duration::from_millis(checked.config.mqtt.linger_ms),
    };
    let listener = TcpListener::bind(checked.listen)
        .await
        .with_context(|| format!("web.listen: {} cannot be opened", checked.listen))?;
    let web = listener.local_addr()?;
    let listener_tls = checked.tls.as_ref().map(tls::open).transpose().context("web.certificate")?;
    let state = State::new(pool.clone(), Arc::clone(&metrics), Arc::clone(&status), listener_tls.is_some())
        .with_outlines(checked.outlines.clone())
        .with_certificates(checked.certificates.clone());
    // The listener ends last: it shows how the others end.
    let (web_cancel, work) = (CancellationToken::new(), tokio_util::task::TaskTracker::new());
    let (hosts, until) = (checked.config.web.hosts.clone(), web_cancel.clone());
    if let (Some((_, resolver)), Some(files)) = (&listener_tls, &checked.tls) {
        work.spawn(tls::follow(files.clone(), Arc::clone(resolver), cancel.clone()));
    }
    if let Some(gateways) = &checked.gateways {
        work.spawn(for_gateways(gateways, &checked, state.clone(), cancel.clone()).await?);
    }
    let http = tokio::spawn(async move {
        let tls = listener_tls.as_ref().map(|(tls, _)| tls);
        api::serve(listener, tls, api::router(state), hosts, until).await;
    });
    if checked.certificates.is_some() || checked.broker_files.is_some() {
        work.spawn(broker_files::run(pool.clone(), checked.clone(), cancel.clone()));
    }
    work.spawn(upkeep::run(pool.clone(), checked.config.keep.clone(), cancel.clone()));
    work.spawn(orders::run(pool.clone(), publisher, Arc::clone(&metrics), cancel.clone()));
    work.spawn(Consumer::new(source, pool.clone(), settings, metrics).run(cancel.clone()));
    tracing::info!(%web, "ready");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    cancel.cancelled().await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    work.close();
    work.wait().await;
    web_cancel.cancel();
    let _ = http.await;
    pool.close().await;
    Ok(())
}

/// The listener of gateways that ask for their certificates.
async fn for_gateways(
    (address, files): &(std::net::SocketAddr, Option<(std::path::PathBuf, std::path::PathBuf)>),
    checked: &Checked,
    state: State,
    cancel: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("enrolment.listen: {address} cannot be opened"))?;
    let opened = files.as_ref().map(tls::open).transpose().context("enrolment.certificate")?;
    if let (Some((_, resolver)), Some(files)) = (&opened, files) {
        tokio::spawn(tls::follow(files.clone(), Arc::clone(resolver), cancel.clone()));
    }
    let mut hosts = checked.config.web.hosts.clone();
    hosts.extend(checked.config.enrolment.url.as_deref().and_then(host_of).map(str::to_owned));
    tracing::info!(%address, "gateways get their certificates");
    Ok(async move {
        let tls = opened.as_ref().map(|(tls, _)| tls);
        api::serve(listener, tls, api::gateways(state), hosts, cancel).await;
    })
}

/// The host of `https://HOST:PORT`.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1.trim_end_matches('/');
    Some(rest.rsplit_once(':').map_or(rest, |(host, _)| host))
}

/// Waits until the database answers; `false` when cancelled before. One of another format is refused.
async fn ready(pool: &PgPool, cancel: &CancellationToken) -> anyhow::Result<bool> {
    let mut is_told = false;
    loop {
        match migrate::check(pool).await {
            Ok(()) => return Ok(true),
            Err(migrate::FormatError::Database(error)) => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!(%error, "the database does not answer; it is asked again");
                }
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = cancel.cancelled() => return Ok(false),
            () = tokio::time::sleep(AGAIN_AFTER) => {}
        }
    }
}
