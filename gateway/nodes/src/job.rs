//! Carries out one request with one node, through the maintenance handle of its line.

use linli_domain::Timestamp;
use linli_drivers::modbus::maintenance::MaintenanceHandle;
use linli_wire::identity::Identity;
use linli_wire::selftest::State;
use linli_wire::update::Command;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep};

use super::client::{Client, NodeError};
use super::flash::{Flash, UpdateOutcome, flash};
use super::image::Image;
use super::provision::{self, set_offset};
use super::record::NodeEvent;
use super::request::Do;
use super::view;
use linli_services::ServiceError;

/// Longest wait for a self-test.
const LONGEST_SELFTEST: Duration = Duration::from_secs(30);

/// Bound of the queue of progress steps.
const PROGRESS_QUEUE: usize = 8;

/// A node that a request is carried out with.
#[derive(Clone)]
pub struct Target {
    /// Id of the device, or line and unit id.
    pub device: String,
    /// Unit id.
    pub unit: u8,
    /// Handle of its line.
    pub maintenance: MaintenanceHandle,
    /// Required serial number, if configured.
    pub serial: Option<u64>,
    /// Required kind of node, if configured.
    pub kind: Option<u16>,
    /// Unit id at which it answers once the image runs, if that differs: see `Flash::afterwards`.
    pub afterwards: Option<u8>,
    /// Present time, for the clock of the node's log.
    pub now: Timestamp,
}

/// The answer to an operation, with its entry of the record.
pub struct Outcome {
    /// The answer to the request.
    pub answer: Result<Value, ServiceError>,
    /// The entry; `None` for operations that change nothing.
    pub entry: Option<NodeEvent>,
}

// === impl Target ===

impl Target {
    /// Returns a client of the node.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.maintenance.clone(), self.unit)
    }

    /// Reads the identity. An error if it is not the required node.
    async fn identity(&self) -> Result<Identity, ServiceError> {
        let node = self.client().identity().await.map_err(service_error)?;
        if let Some(kind) = self.kind.filter(|kind| *kind != node.kind) {
            return Err(ServiceError::Conflict(format!(
                "{}: a {} answers where a {} is configured: wrong node or wrong profile",
                self.device,
                super::image::kind(node.kind),
                super::image::kind(kind)
            )));
        }
        if let Some(serial) = self.serial.filter(|serial| *serial != node.serial) {
            return Err(ServiceError::Conflict(format!(
                "{}: serial number {:016x} answers where {serial:016x} is configured",
                self.device, node.serial
            )));
        }
        self.set_time().await;
        Ok(node)
    }

    /// Sets the clock of the node's log. Firmware without one refuses, which is ignored.
    async fn set_time(&self) {
        if let Ok(seconds) = u32::try_from(self.now.0 / 1000) {
            let _ = self.client().set_time(seconds).await;
        }
    }
}

/// Carries out a short operation.
pub async fn run(target: &Target, what: &Do, who: &str) -> Outcome {
    let answer = act(target, what).await;
    let entry = what.word().map(|action| NodeEvent {
        who: who.to_owned(),
        action: action.to_owned(),
        result: if answer.is_ok() { "done" } else { "failed" }.to_owned(),
        device: target.device.clone(),
        serial: answer.as_ref().ok().and_then(|answer| answer["serial"].as_str().map(str::to_owned)),
        about: about(what),
        detail: answer.as_ref().err().map(ToString::to_string),
    });
    Outcome { answer, entry }
}

fn about(what: &Do) -> Option<String> {
    match what {
        Do::Calibrate { point, offset, .. } => Some(format!("{point} {offset:+}")),
        Do::Provision { settings, .. } => serde_json::to_string(settings).ok(),
        _ => None,
    }
}

async fn act(target: &Target, what: &Do) -> Result<Value, ServiceError> {
    let client = target.client();
    if let Do::Provision { settings, .. } = what {
        return provision(target, settings).await;
    }
    let node = target.identity().await?;
    let mut answer = view::identity(&node);
    let mut add = |key: &str, value: Value| answer[key] = value;
    match what {
        Do::Status { .. } | Do::Look { .. } => {
            let config = client.config().await.map_err(service_error)?;
            let (counters, refused) = client.counters().await.map_err(service_error)?;
            add("update", view::update(&client.status().await.map_err(service_error)?));
            add("name", json!(config.name()));
            add("unit", json!(config.unit));
            add("baud", json!(config.baud.rate()));
            add("parity", json!(config.parity.as_str()));
            add("lease_s", json!(config.lease_s));
            add("offsets", offsets(&node, &config));
            let row = |word: &str, zh: &str, count: u32| json!({"code": word, "zh": zh, "count": count});
            let counters: Vec<Value> = counters.iter().map(|(c, n)| row(c.as_str(), c.zh(), *n)).collect();
            let refused = refused.iter().filter(|(_, n)| *n > 0);
            let refused: Vec<Value> =
                refused.map(|(why, n)| row(why.as_str(), why.zh(), u32::from(*n))).collect();
            add("counters", json!(counters));
            add("refused", json!(refused));
        }
        Do::Log { most, .. } => {
            let entries = client.log((*most).max(1)).await.map_err(service_error)?;
            add("entries", entries.iter().map(view::entry).collect());
        }
        Do::Selftest { .. } => add("selftest", selftest(&client).await?),
        Do::Confirm { .. } => {
            let image = node.image;
            client.order(Command::Confirm, image).await.map_err(service_error)?;
            answer = view::identity(&client.identity().await.map_err(service_error)?);
        }
        Do::Abort { .. } => {
            let session = client.status().await.map_err(service_error)?.session;
            client.order(Command::Abort, session).await.map_err(service_error)?;
            add("update", view::update(&client.status().await.map_err(service_error)?));
        }
        Do::Restart { .. } => client.order(Command::Restart, 0).await.map_err(service_error)?,
        Do::Calibrate { point, offset, .. } => {
            let mut config = client.config().await.map_err(service_error)?;
            set_offset(&mut config, point, *offset).map_err(ServiceError::Wrong)?;
            let reconnected = client.clone();
            let set = provision::set(&client, &config, || async { Ok(reconnected) }).await;
            let set = set.map_err(ServiceError::Conflict)?;
            add("offsets", offsets(&node, &set.config));
        }
        Do::Provision { .. } => {}
    }
    Ok(answer)
}

fn offsets(node: &Identity, config: &linli_wire::config::Config) -> Value {
    let kind = linli_wire::kind::Kind::from_id(node.kind);
    let points = kind.map_or(&[][..], |kind| kind.points).iter().zip(config.offsets);
    points
        .map(|(of, steps)| {
            json!({"point": of.name, "unit": of.unit, "offset": f64::from(steps) / 10_f64.powi(i32::from(of.decimals))})
        })
        .collect()
}

async fn selftest(client: &Client) -> Result<Value, ServiceError> {
    client.start_selftest().await.map_err(service_error)?;
    let end = Instant::now() + LONGEST_SELFTEST;
    loop {
        sleep(Duration::from_millis(200)).await;
        let test = client.selftest().await.map_err(service_error)?;
        if matches!(test.state, State::Passed | State::Failed) || Instant::now() > end {
            return Ok(view::selftest(&test));
        }
    }
}

/// Sets up a node on a line of the running gateway. The line's own settings cannot be changed this way.
async fn provision(target: &Target, settings: &provision::Settings) -> Result<Value, ServiceError> {
    if settings.baud.is_some() || settings.parity.is_some() {
        let why = "over a line of the running gateway its speed and parity stay as they are; use --port";
        return Err(ServiceError::Wrong(why.to_owned()));
    }
    let client = target.client();
    let node = client.identity().await.map_err(service_error)?;
    let config = client.config().await.map_err(service_error)?;
    let wanted = settings.apply(&node, config).map_err(ServiceError::Wrong)?;
    let reconnected = Client::new(target.maintenance.clone(), wanted.unit);
    let set = provision::set(&client, &wanted, || async { Ok(reconnected) })
        .await
        .map_err(ServiceError::Conflict)?;
    let mut answer = view::identity(&set.identity);
    answer["config"] = json!(set.config.encode().to_vec());
    answer["identity"] = json!(set.identity.encode().to_vec());
    Ok(answer)
}

/// Updates one node and sends each step to `progress`. Returns the last step, whose `result` is `done`,
/// `already`, `stopped` or `failed`, with `why` in the last two cases, and the node's serial number if it
/// answered.
pub async fn update(target: &Target, image: &Image, progress: &mpsc::Sender<Value>) -> (Value, Option<u64>) {
    let node = match target.identity().await {
        Ok(node) => node,
        Err(why) => return (update_answer(target, "failed", Some(&why.to_string()), None), None),
    };
    let (steps, mut reported) = mpsc::channel(PROGRESS_QUEUE);
    let client = target.client();
    let afterwards = target.afterwards.map(|unit| Client::new(target.maintenance.clone(), unit));
    let job = Flash { image, progress: steps, afterwards };
    let outcome = {
        let running = flash(&client, &job);
        tokio::pin!(running);
        loop {
            tokio::select! {
                outcome = &mut running => break outcome,
                Some(step) = reported.recv() => {
                    let mut line = json!(step);
                    line["device"] = json!(target.device);
                    if progress.send(line).await.is_err() {
                        // The receiver is closed: let the transfer stop.
                        reported.close();
                    }
                }
            }
        }
    };
    let answer = match outcome {
        Ok(UpdateOutcome::AlreadyRuns) => {
            let version = node.firmware.to_string();
            update_answer(target, "already", None, Some(json!({"from": version, "to": version})))
        }
        Ok(UpdateOutcome::Updated { from, to }) => {
            update_answer(target, "done", None, Some(json!({"from": from, "to": to})))
        }
        Ok(UpdateOutcome::Stopped { next }) => {
            let why = format!("stopped: {next} bytes are on the node; the same command goes on there");
            update_answer(target, "stopped", Some(&why), None)
        }
        Err(why) => update_answer(target, "failed", Some(&why), None),
    };
    (answer, Some(node.serial))
}

fn update_answer(target: &Target, result: &str, why: Option<&str>, versions: Option<Value>) -> Value {
    let mut answer = versions.unwrap_or_else(|| json!({}));
    answer["device"] = json!(target.device);
    answer["result"] = json!(result);
    if let Some(why) = why {
        answer["why"] = json!(why);
    }
    answer
}

fn service_error(error: NodeError) -> ServiceError {
    match error {
        NodeError::NotDone(_) => ServiceError::NotNow(error.to_string()),
        _ => ServiceError::Conflict(error.to_string()),
    }
}
