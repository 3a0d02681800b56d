//! The document's part for technicians.
// tidy: table

use schemars::JsonSchema;

use super::operation::{Operation, get, post};
use super::schema::{Anything, Id, Moment, Nullable, Text};
use crate::technician::{Block, QrText, Units};

/// Whether the configuration on disk is good.
#[derive(JsonSchema)]
struct ConfigurationCheck {
    good: bool,
    /// What it would change; null when it is not good.
    changes: Nullable<String>,
    problems: Vec<ConfigurationProblem>,
    warnings: Vec<String>,
    lines: Vec<LineBudget>,
}

/// A problem of the configuration, with its place.
#[derive(JsonSchema)]
struct ConfigurationProblem {
    file: String,
    /// From one; zero when it is the file itself.
    line: u64,
    column: u64,
    key: String,
    /// What is wrong, and how to mend it.
    message: String,
    source: Option<String>,
}

/// How much of a line's time polling takes.
#[derive(JsonSchema)]
struct LineBudget {
    line: Id,
    devices: u64,
    /// From 0 to 1; null where it is not computed.
    share: Nullable<f64>,
}

/// Registers of a unit.
#[derive(JsonSchema)]
struct Registers {
    unit: u8,
    start: u16,
    /// Bits as one register each.
    words: Vec<u16>,
}

/// A record that the broker will never take as it is.
#[derive(JsonSchema)]
struct DeadLetter {
    seq: u64,
    at: Moment,
    refused: Moment,
    why: String,
    /// Its device, or the class of a message; null when it cannot be decoded.
    of: Nullable<String>,
    is_sent_again: bool,
}

/// The number under which it waits now.
#[derive(JsonSchema)]
struct SentAgain {
    seq: u64,
}

/// For whoever helps from afar: no value, no name, nothing personal.
#[derive(JsonSchema)]
struct Support {
    version: String,
    at: Moment,
    status: Anything,
    configuration: ConfigurationCheck,
    devices: Vec<Anything>,
    dead_letters: Vec<String>,
    metrics: Vec<String>,
}

/// A QR code: a digit for each square, 1 is dark.
#[derive(JsonSchema)]
struct Squares {
    rows: Vec<String>,
}

/// The operations.
pub fn operations() -> Vec<Operation> {
    const TAG: &str = "building";
    vec![
        get("/api/v1/configuration", TAG, ("Is the configuration on disk good, and what would it change", "检查配置"))
            .gives::<ConfigurationCheck>()
            .by_service(),
        get("/api/v1/lines/{line}/scan", TAG, ("Asks every unit of a Modbus line whether it is there", "扫描线路"))
            .about(
                "One JSON object a line for each unit; `answer`, `device` or `profiles` and `entry` for those that answer. \
                 The last has `result`. It stops when the caller leaves.",
            )
            .asks::<Units>()
            .gives_kind::<Text>(&["application/jsonl"])
            .refuses(&[404, 409])
            .by_service(),
        get("/api/v1/lines/{line}/registers", TAG, ("Reads registers of a unit", "读取寄存器"))
            .asks::<Block>()
            .gives::<Registers>()
            .refuses(&[404, 409])
            .by_service(),
        get("/api/v1/uplink/dead-letters", TAG, ("What the broker refused for ever", "平台拒收的记录"))
            .gives::<Vec<DeadLetter>>()
            .by_service(),
        post("/api/v1/uplink/dead-letters/{seq}/send-again", TAG, ("Sends it once more", "重发"))
            .gives::<SentAgain>()
            .refuses(&[404])
            .stored(),
        get("/api/v1/support", TAG, ("Everything that helps to find a fault, and nothing about people", "支持文件"))
            .gives::<Support>()
            .by_service(),
        get("/api/v1/qr", TAG, ("A text as a QR code, for labels", "二维码")).asks::<QrText>().gives::<Squares>(),
    ]
}
