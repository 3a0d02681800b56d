//! The document's part for technicians.
// tidy: table

use schemars::JsonSchema;

use super::operation::{Operation, get, post};
use super::schema::{Anything, Id, Moment, Nullable, Text};
use crate::proposals::Drawing;
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

/// Outlines that were drawn, as they are kept.
#[derive(JsonSchema)]
struct ProposalView {
    /// Path on the gateway's machine.
    file: String,
    name: String,
    /// Who drew it.
    by: String,
    /// When, RFC 3339.
    at: String,
    rooms: Vec<Id>,
}

/// The same, just kept, with what it changes.
#[derive(JsonSchema)]
struct ProposalKept {
    file: String,
    name: String,
    by: String,
    at: String,
    rooms: Vec<Id>,
    changes: Vec<RoomLines>,
}

/// What a proposal changes of a room: its lines in facility.toml.
#[derive(JsonSchema)]
struct RoomLines {
    room: Id,
    before: Vec<String>,
    after: Vec<String>,
}

/// A QR code: a digit for each square, 1 is dark.
#[derive(JsonSchema)]
struct Squares {
    rows: Vec<String>,
}

/// One exchange with a device.
#[derive(JsonSchema)]
struct Exchange {
    /// The request as it was on the line, in hexadecimal; null for a device of vital signs.
    request: Nullable<String>,
    /// Everything that came after it, likewise.
    answer: Nullable<String>,
    outcome: OutcomeWord,
    /// Exception code, or the unit that answered instead.
    code: Nullable<u8>,
    age_s: u64,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum OutcomeWord {
    Good,
    Silent,
    Garbled,
    Refused,
    NotReached,
    OtherUnit,
    Down,
}

/// A device that is not polled, because it does not answer.
#[derive(JsonSchema)]
struct DevicePause {
    since_s: u64,
    /// Until it is asked again.
    next_s: u64,
    /// Code of the reason.
    reason: String,
}

/// A sentence in both languages.
#[derive(JsonSchema)]
struct Sentence {
    zh: String,
    en: String,
}

/// The latest exchanges with a device; those of other protocols than Modbus are null.
#[derive(JsonSchema)]
struct Exchanges {
    is_modbus: bool,
    last: Nullable<Exchange>,
    /// The latest that gave no data.
    failed: Nullable<Exchange>,
    /// In a row, while it is polled; three begin a pause.
    failures: u32,
    pause: Nullable<DevicePause>,
    /// What the latest exchange shows, and the option that helps.
    symptom: Nullable<Sentence>,
}

/// What came of asking a paused device at once.
#[derive(JsonSchema)]
struct Retried {
    /// Whether it is polled again.
    online: bool,
}

/// What a certificate says.
#[derive(JsonSchema)]
struct Certificate {
    subject: String,
    issuer: String,
    /// Host names and addresses it is valid for.
    names: Vec<String>,
    not_before: Moment,
    not_after: Moment,
    /// SHA-256, pairs of hexadecimal digits with colons between them.
    fingerprint: String,
}

/// The gateway's clock.
#[derive(JsonSchema)]
struct GatewayClock {
    at: Moment,
    quality: ClockWord,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum ClockWord {
    Synchronised,
    FreeRunning,
    Unset,
}

/// How long the store lasts at the rate of the last day.
#[derive(JsonSchema)]
struct StoreForecast {
    epoch: String,
    used_bytes: u64,
    max_bytes: u64,
    /// Time that the rate was measured over: at most a day, and since the process began.
    measured_s: u64,
    /// Negative while it shrinks; null for the first ten minutes.
    bytes_per_day: Nullable<f64>,
    /// Until nine tenths are in use and something gives way; null while it does not grow.
    lasts_s: Nullable<f64>,
    /// Kinds that then give way, in this order (docs/store.md).
    gives_way: Vec<String>,
}

/// Copies of the database on the machine itself.
#[derive(JsonSchema)]
struct Backup {
    folder: String,
    state: BackupWord,
    /// Of the one that is being made.
    written_bytes: u64,
    /// Why the last one was not made.
    why: Nullable<String>,
    /// Newest first; the newest three are kept.
    copies: Vec<BackupCopy>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum BackupWord {
    Idle,
    Running,
    Done,
    Failed,
}

/// A complete, checked copy.
#[derive(JsonSchema)]
struct BackupCopy {
    file: String,
    bytes: u64,
    at: Moment,
}

/// How far a certificate is from its end.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum CertificateStage {
    Valid,
    NotYet,
    Due,
    EndsSoon,
    Ended,
    Unreadable,
}

/// The certificate with which the uplink connects.
#[derive(JsonSchema)]
struct UplinkCertificate {
    file: String,
    stage: CertificateStage,
    /// Null when the file cannot be read.
    certificate: Nullable<Certificate>,
    /// When it is renewed by itself; null where a person has to replace it.
    renewed_at: Nullable<Moment>,
    /// Address of the district that renews it.
    district: Nullable<String>,
    /// Whole days; negative after its end.
    days_left: Nullable<i64>,
    /// Attempts that failed since the last one that succeeded.
    attempts: u32,
    /// Why the last attempt failed, or the file cannot be read.
    failure: Nullable<String>,
    /// The next attempt, while one fails.
    next_attempt: Nullable<Moment>,
    /// Since the start of the process.
    renewals: u64,
    /// Since the start of the process.
    failures: u64,
}

/// The gateway itself.
#[derive(JsonSchema)]
struct SystemState {
    /// The one that the listeners show.
    certificate: Certificate,
    /// The centre's authority, which screens and kiosks trust.
    authority: Certificate,
    /// When the certificate is renewed by itself; null for one made elsewhere.
    renews_at: Nullable<Moment>,
    /// What a person must do about the certificate.
    concern: Nullable<String>,
    /// The certificate with which the uplink connects; null where it has none.
    uplink_certificate: Nullable<UplinkCertificate>,
    clock: GatewayClock,
    store: StoreForecast,
    backup: Backup,
}

/// A crate or package that is part of the binary.
#[derive(JsonSchema)]
struct ThirdParty {
    name: String,
    version: String,
    /// SPDX expression.
    licence: String,
    /// Lines of its licence files that say whose it is; those without have none.
    copyright: Vec<String>,
    /// Where its source is.
    source: String,
}

/// The operations.
pub fn operations() -> Vec<Operation> {
    const TAG: &str = "building";
    vec![
        get("/api/v1/configuration", TAG, ("Is the configuration on disk good, and what would it change", "检查配置"))
            .gives::<ConfigurationCheck>()
            .by_service(),
        get("/api/v1/centre/proposals", TAG, ("Proposals for the map", "平面图修改建议"))
            .gives::<Vec<ProposalView>>()
            .by_service(),
        post("/api/v1/centre/proposals", TAG, ("Keeps drawn outlines as a proposal", "存为修改建议"))
            .about(
                "The whole configuration is checked with it. Nothing changes until `linli proposal apply` puts it into \
                 facility.toml.",
            )
            .takes::<Drawing>()
            .creates::<ProposalKept>()
            .refuses(&[409, 422])
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
        get("/api/v1/devices/{device}/exchange", TAG, ("The latest frames both ways, the pause, and what helps", "最近的报文"))
            .gives::<Exchanges>()
            .refuses(&[404]),
        post("/api/v1/devices/{device}/retry", TAG, ("Asks a paused device at once", "马上重试"))
            .about("Who asked is put on record. 409 for a device on no Modbus line, while somebody works on the line, or while it is down.")
            .gives::<Retried>()
            .refuses(&[404, 409])
            .by_service(),
        get("/api/v1/system", TAG, ("Certificate, clock, how long the store lasts, copies of the database", "网关本身"))
            .gives::<SystemState>(),
        post("/api/v1/system/backup", TAG, ("Copies the database on the machine itself", "备份数据库"))
            .about(
                "The copy is made after the answer and is checked; GET /api/v1/system shows how far it is. One at a time. \
                 Who asked for it is put on record.",
            )
            .gives::<Backup>()
            .refuses(&[409, 507]),
        get("/api/v1/licences", TAG, ("What the binary is made of, with licences", "第三方声明")).gives::<Vec<ThirdParty>>(),
        get("/api/v1/support", TAG, ("Everything that helps to find a fault, and nothing about people", "支持文件"))
            .gives::<Support>()
            .by_service(),
        get("/api/v1/qr", TAG, ("A text as a QR code, for labels", "二维码")).asks::<QrText>().gives::<Squares>(),
    ]
}
