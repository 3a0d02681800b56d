//! For technicians: what a scan of a line finds, registers of one unit, whether the configuration on disk is good and what
//! it would change, what the broker refused, and a file for whoever helps from afar.

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::unfold;
use linli_config::proposal::Proposal;
use linli_domain::Record;
use linli_drivers::modbus::data::{Span, Table};
use linli_nodes::Action;
use linli_services::VERSION;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::nodes::NodeClient;
use super::session::squares;
use super::{Problem, Who};
use crate::status::GatewayStatus;

/// Bound of the queue of steps for a slow reader; the scan waits for it.
const STEPS: usize = 16;

/// Dead letters that are shown.
const MOST_LETTERS: u32 = 100;

/// Longest text of a QR code, in characters: a phone reads it from a small label.
const LONGEST_TEXT: usize = 100;

/// Most registers of one request (Modbus application protocol V1.1b3, 6.3).
const MOST_REGISTERS: u16 = 125;

/// Asks the main loop whether the configuration on disk is good, and what it would change.
pub struct CheckRequest {
    /// What facility.toml would have in it; `None`: as it is.
    pub proposal: Option<Proposal>,
    /// Takes the result, as JSON.
    pub reply: oneshot::Sender<Value>,
}

/// What the routes reach.
#[derive(Clone)]
pub struct Workbench {
    /// The node service, which works on lines.
    pub nodes: NodeClient,
    /// Status of the gateway.
    pub status: Arc<GatewayStatus>,
    /// The main loop.
    pub check: mpsc::Sender<CheckRequest>,
}

/// Routes of technicians.
pub fn router(workbench: Workbench) -> Router {
    Router::new()
        .route("/api/v1/configuration", get(configuration))
        .route("/api/v1/lines/{line}/scan", get(scan))
        .route("/api/v1/lines/{line}/registers", get(registers))
        .route("/api/v1/uplink/dead-letters", get(letters))
        .route("/api/v1/uplink/dead-letters/{seq}/send-again", post(send_again))
        .route("/api/v1/support", get(support))
        .route("/api/v1/qr", get(qr))
        .with_state(workbench)
}

/// The refusal of what may be asked again.
pub(super) fn not_now(why: impl std::fmt::Display) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, why.to_string())
}

async fn configuration(_: Who, State(workbench): State<Workbench>) -> Result<Json<Value>, Problem> {
    checked(&workbench).await.map(Json)
}

async fn checked(workbench: &Workbench) -> Result<Value, Problem> {
    let (reply, answer) = oneshot::channel();
    let stopping = || not_now("the gateway is stopping");
    workbench.check.send(CheckRequest { proposal: None, reply }).await.map_err(|_| stopping())?;
    answer.await.map_err(|_| stopping())
}

/// Which units are asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// First unit id.
    #[schemars(range(min = 1, max = 247))]
    first: u8,
    /// Last unit id.
    #[schemars(range(min = 1, max = 247))]
    last: u8,
}

/// One JSON object a line for each unit; the last has `result`. When the client leaves, the scan stops.
async fn scan(
    who: Who,
    State(workbench): State<Workbench>,
    Path(line): Path<String>,
    Query(Units { first, last }): Query<Units>,
) -> Result<Response, Problem> {
    if first == 0 || last > 247 || first > last {
        let why = "单元号 1 至 247，先小后大 unit ids are 1 to 247, the lower one first";
        return Err(Problem::new(StatusCode::BAD_REQUEST, why));
    }
    let (progress, steps) = mpsc::channel(STEPS);
    workbench.nodes.service.ask(&who.0, Action::Scan { line, units: (first, last), progress }).await?;
    let lines = unfold(steps, async |mut steps: mpsc::Receiver<Value>| {
        let step = steps.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(format!("{step}\n"))), steps))
    });
    Ok(([(CONTENT_TYPE, "application/jsonl")], Body::from_stream(lines)).into_response())
}

/// Which registers are read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Unit id.
    #[schemars(range(min = 1, max = 247))]
    unit: u8,
    table: TableWord,
    /// First address, from zero.
    start: u16,
    /// How many: at most 125.
    #[schemars(range(min = 1, max = 125))]
    count: u16,
}

/// A table of Modbus.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum TableWord {
    /// Function code 3.
    Holding,
    /// Function code 4.
    Input,
    /// Function code 1.
    Coil,
    /// Function code 2.
    Discrete,
}

async fn registers(
    who: Who,
    State(workbench): State<Workbench>,
    Path(line): Path<String>,
    Query(Block { unit, table, start, count }): Query<Block>,
) -> Result<Json<Value>, Problem> {
    let is_whole = start.checked_add(count.saturating_sub(1)).is_some();
    if !(1..=247).contains(&unit) || !(1..=MOST_REGISTERS).contains(&count) || !is_whole {
        let why = "单元号 1 至 247，一次 1 至 125 个，地址不超过 65535 unit 1 to 247, 1 to 125 at a time, addresses up to 65535";
        return Err(Problem::new(StatusCode::BAD_REQUEST, why));
    }
    let table = match table {
        TableWord::Holding => Table::HoldingRegister,
        TableWord::Input => Table::InputRegister,
        TableWord::Coil => Table::Coil,
        TableWord::Discrete => Table::DiscreteInput,
    };
    let read = Action::Read { line, unit, span: Span { table, start, count } };
    Ok(Json(workbench.nodes.service.ask(&who.0, read).await?))
}

/// What the broker will never take as it is, newest first: where it belongs, and why; no content.
async fn letters(_: Who, State(workbench): State<Workbench>) -> Result<Json<Value>, Problem> {
    let letters = workbench.status.outbox.dead_letters(MOST_LETTERS).await.map_err(not_now)?;
    let shown = letters.into_iter().map(|letter| {
        let of = match &letter.record {
            Some(Record::Samples(batch)) => Some(batch.layout.device.to_string()),
            Some(Record::Message(message)) => Some(message.class.as_str().to_owned()),
            None => None,
        };
        json!({
            "seq": letter.seq, "at": letter.at, "refused": letter.refused, "why": letter.detail, "of": of,
            "is_sent_again": letter.is_sent_again,
        })
    });
    Ok(Json(shown.collect()))
}

async fn send_again(
    _: Who,
    State(workbench): State<Workbench>,
    Path(seq): Path<u64>,
) -> Result<Json<Value>, Problem> {
    match workbench.status.outbox.send_again(seq).await.map_err(not_now)? {
        Some(number) => Ok(Json(json!({"seq": number}))),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "没有这条，或已重发过 there is no such record, or it was sent again already",
        )),
    }
}

/// Everything that helps to find a fault, and nothing about people: no value of a device, no name, no text that somebody
/// wrote.
async fn support(_: Who, State(workbench): State<Workbench>) -> Result<Response, Problem> {
    let status = &workbench.status;
    let oldest = status.oldest_waiting_s().await;
    let devices: Vec<Value> = status.live.view(Instant::now()).iter().map(without_values).collect();
    let metrics = crate::metrics::render(status, oldest).map_err(not_now)?;
    let letters = status.outbox.dead_letters(MOST_LETTERS).await.map_err(not_now)?;
    let why: Vec<&str> = letters.iter().map(|letter| letter.detail.as_str()).collect();
    let bundle = json!({
        "version": VERSION, "at": status.clock.now().at, "status": status.status(),
        "configuration": checked(&workbench).await?, "devices": devices, "dead_letters": why,
        "metrics": metrics.lines().collect::<Vec<_>>(),
    });
    let text = serde_json::to_vec_pretty(&bundle).map_err(not_now)?;
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"linli-support.json\""),
    ];
    Ok((headers, text).into_response())
}

/// A device with the quality of its points, without their values.
fn without_values(device: &linli_services::live::DeviceView) -> Value {
    let points: Vec<Value> = device
        .points
        .iter()
        .map(|point| json!({"point": point.point, "unit": point.unit, "quality": point.quality, "at": point.at}))
        .collect();
    json!({
        "device": device.device, "line": device.line, "profile": device.profile, "state": device.state,
        "detail": device.detail, "points": points,
    })
}

/// What a code says.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QrText {
    /// At most 100 characters.
    #[schemars(length(min = 1, max = 100))]
    text: String,
}

/// The rows of a QR code, for labels.
async fn qr(_: Who, Query(QrText { text }): Query<QrText>) -> Result<Json<Value>, Problem> {
    let rows = if text.chars().count() <= LONGEST_TEXT { squares(&text) } else { Vec::new() };
    if text.is_empty() || rows.is_empty() {
        let why = format!("1 to {LONGEST_TEXT} characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, format!("text is too long or empty: {why}")));
    }
    Ok(Json(json!({"rows": rows})))
}
