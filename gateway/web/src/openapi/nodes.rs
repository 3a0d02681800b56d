//! The document's part about sensor nodes.
// tidy: table

use schemars::JsonSchema;

use super::operation::{Operation, get, post};
use super::schema::{Anything, Nullable, Text};
use crate::nodes::{From, Which};

/// A short operation on one node.
#[derive(JsonSchema)]
#[schemars(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum NodeAction {
    /// Identity, settings, counters, state of an update.
    Status { device: String },
    /// The newest entries of its log.
    Log {
        device: String,
        #[schemars(default = "usual_log")]
        most: u32,
    },
    /// Runs the self-test.
    Selftest { device: String },
    /// Keeps the firmware that is on trial.
    Confirm { device: String },
    /// Drops an unfinished update.
    Abort { device: String },
    /// Restarts the node.
    Restart { device: String },
    /// Sets the calibration of a point: what is added, in its unit.
    Calibrate { device: String, point: String, offset: f64 },
    /// Sets up a node that answers at this unit id of a line.
    Provision { line: String, from: u8, settings: Settings },
    /// Identity of the node at a unit id of a line.
    Look { line: String, unit: u8 },
}

const fn usual_log() -> u32 {
    64
}

/// Settings of a node; what is missing stays as it is.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Settings {
    /// 1 to 247.
    unit: Option<u8>,
    baud: Option<u32>,
    /// `none`, `even`, `odd`.
    parity: Option<String>,
    /// `fridge`, `cabin`, `room`.
    kind: Option<String>,
    /// At most 32 bytes of UTF-8.
    name: Option<String>,
    /// Ignored by a node that has one.
    serial: Option<u64>,
    lease_s: Option<u16>,
    /// Calibration: point, and what is added in its unit.
    #[schemars(default)]
    offsets: Vec<(String, f64)>,
}

/// A code with its texts.
#[derive(JsonSchema)]
struct Words {
    /// A word, or a number that this version does not know.
    code: Code,
    zh: Option<String>,
    en: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum Code {
    Word(String),
    Number(u64),
}

/// A node, and what was asked for.
#[derive(JsonSchema)]
struct NodeAnswer {
    /// 16 hexadecimal digits.
    serial: String,
    kind: Words,
    board: String,
    firmware: String,
    security: u64,
    image: String,
    boot: Words,
    uptime_s: u64,
    status: Vec<Words>,
    reset_cause: Vec<Words>,
    is_provisioned: bool,
    update: Option<NodeUpdate>,
    name: Option<String>,
    unit: Option<u8>,
    baud: Option<u32>,
    parity: Option<String>,
    lease_s: Option<u16>,
    offsets: Option<Vec<Offset>>,
    counters: Option<Vec<Counter>>,
    refused: Option<Vec<Counter>>,
    entries: Option<Vec<LogEntry>>,
    selftest: Option<SelfTest>,
}

/// The state of an update.
#[derive(JsonSchema)]
struct NodeUpdate {
    state: Words,
    reason: Nullable<Words>,
    /// Bytes received.
    next: u64,
    total: u64,
    version: String,
    capacity: u64,
    /// Lowest security version that it takes.
    floor: u64,
    trial_s: u64,
}

/// Calibration of a point.
#[derive(JsonSchema)]
struct Offset {
    point: String,
    unit: String,
    offset: f64,
}

#[derive(JsonSchema)]
struct Counter {
    code: String,
    zh: String,
    count: u64,
}

#[derive(JsonSchema)]
struct LogEntry {
    seq: u64,
    uptime_s: u64,
    argument: u64,
    what: Words,
    /// The argument as text.
    value: Nullable<String>,
}

#[derive(JsonSchema)]
struct SelfTest {
    state: Words,
    age_s: Nullable<u64>,
    items: Vec<Anything>,
}

/// The operations.
pub fn operations() -> Vec<Operation> {
    const TAG: &str = "nodes";
    vec![
        post("/api/v1/nodes", TAG, ("A short operation on one node", "节点操作"))
            .about("`do` says what. The answer comes when it is done.")
            .takes::<NodeAction>()
            .gives::<NodeAnswer>()
            .refuses(&[404, 409, 422])
            .stored(),
        post("/api/v1/nodes/flash", TAG, ("Updates nodes with a signed image", "节点升级"))
            .about("One JSON object a line for each step; the last of a device has `result`. The transfer stops when the caller leaves.")
            .asks::<Which>()
            .takes_bytes(&["application/octet-stream"], false)
            .gives_kind::<Text>(&["application/jsonl"])
            .refuses(&[404, 409, 422])
            .stored(),
        get("/api/v1/nodes/record", TAG, ("Entries of the record of maintenance", "节点维护记录"))
            .about("One JSON object a line, 1000 at a time, from number `from` on.")
            .asks::<From>()
            .gives_kind::<Text>(&["application/jsonl"])
            .refuses(&[503]),
    ]
}
