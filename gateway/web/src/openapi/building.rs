//! The document's part about the building: status, centre, devices, trends, events, commands, reload.
// tidy: table

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::operation::{Operation, get, post};
use super::schema::{Anything, Id, Moment, Nullable, Scalar, Text};
use crate::control::CommandBody;
use crate::events::Which as EventsQuery;
use crate::show::Between;

/// A point of a device.
#[derive(JsonSchema)]
struct Point {
    point: Id,
    /// UCUM code.
    unit: String,
    /// Null when it is stale or bad.
    value: Nullable<Scalar>,
    /// `good`, or `uncertain:` or `bad:` with the reason.
    quality: String,
    /// Time of the reading.
    at: Option<Moment>,
    /// Whether commands may write it.
    writable: bool,
}

/// A device with its latest values.
#[derive(JsonSchema)]
struct Device {
    device: Id,
    name: String,
    room: Option<Id>,
    class: Class,
    line: Id,
    /// vendor/model
    profile: String,
    state: DeviceState,
    /// Code of the reason of `offline`.
    reason: Option<Reason>,
    /// The reason, for people.
    detail: Option<String>,
    /// Time of the last change of state.
    since: Option<Moment>,
    /// A value older than this is stale.
    stale_after_ms: u64,
    points: Vec<Point>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum Class {
    Telemetry,
    Kiosk,
    Actuator,
    FoodSafety,
    Vital,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum DeviceState {
    Online,
    Offline,
    Unknown,
}

/// Why a device is offline.
struct Reason;

impl JsonSchema for Reason {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": linli_domain::Reason::ALL.map(linli_domain::Reason::as_str)})
    }
}

/// One-minute roll-ups of a point.
#[derive(JsonSchema)]
struct Trend {
    device: Id,
    point: Id,
    /// UCUM code.
    unit: String,
    minutes: Vec<Minute>,
}

/// One minute.
#[derive(JsonSchema)]
struct Minute {
    /// Its beginning.
    t: Moment,
    min: f64,
    max: f64,
    mean: f64,
    last: f64,
    /// How many values there were.
    count: u64,
}

/// Counters of a device on its line.
#[derive(JsonSchema)]
struct LineDevice {
    device: Id,
    online: bool,
    ok: u64,
    timeouts: u64,
    refusals: u64,
    garbled: u64,
    latency_us: u64,
}

/// A line and its counters.
#[derive(JsonSchema)]
struct LineStatus {
    line: Id,
    /// It can be scanned, and registers of its units read.
    is_modbus: bool,
    up: bool,
    requests: u64,
    busy_us: u64,
    overruns: u64,
    late_replies: u64,
    resync_bytes: u64,
    opens: u64,
    devices: Vec<LineDevice>,
}

/// The store and its counters since the process began.
#[derive(JsonSchema)]
struct StoreStatus {
    writable: bool,
    /// Why the last transaction failed.
    trouble: Option<String>,
    device_failed: bool,
    disk_full: bool,
    epoch: String,
    /// Rows of each table of the outbox.
    rows: Vec<u64>,
    used_bytes: u64,
    max_bytes: u64,
    committed: u64,
    acknowledged: u64,
    given_up: u64,
    refused: u64,
    commits: u64,
    commit_us: u64,
    body_bytes: u64,
    at: Moment,
    turns: u64,
    /// Kinds of documents of which new ones are refused.
    full: Option<Vec<String>>,
    /// The whole store is full.
    is_over: Option<bool>,
    set_aside: u64,
    device_failures: u64,
    undecodable: u64,
}

/// The connection to the broker.
#[derive(JsonSchema)]
struct UplinkStatus {
    connected: bool,
    since: Moment,
    broker: String,
    last_error: Option<String>,
    connects: u64,
    sent: u64,
    acknowledged: u64,
    /// `puback`: a record is delivered when the broker acknowledges it. `district`: when the district has stored it.
    acknowledge: String,
    confirmed: u64,
    /// Acknowledged by the broker, not yet named by the district.
    unconfirmed: u64,
    oldest_unconfirmed_ms: u64,
    /// Nobody subscribes to their topics: kept, and sent again.
    no_subscriber: u64,
    repeated: u64,
    bytes: u64,
    dead_letters: u64,
    in_flight: u64,
    oldest_in_flight_ms: u64,
    /// Age of the oldest record that waits; null when none does.
    oldest_waiting_s: Nullable<u64>,
    behind: u64,
    commands: u64,
    commands_dropped: u64,
}

/// A listener or connection that leaves the machine without encryption.
#[derive(JsonSchema)]
struct Insecure {
    place: String,
    why: String,
}

/// The whole gateway.
#[derive(JsonSchema)]
struct Status {
    gateway: Id,
    centre: Id,
    version: String,
    uptime_s: u64,
    ready: bool,
    /// One sentence for each condition.
    findings: Vec<String>,
    lines: Vec<LineStatus>,
    values_read: u64,
    values_reported: u64,
    refused_by_store: u64,
    store: StoreStatus,
    uplink: UplinkStatus,
    insecure: Vec<Insecure>,
    configuration: Configuration,
}

#[derive(JsonSchema)]
#[schemars(inline)]
enum Configuration {
    #[schemars(rename = "current")]
    Current,
    #[schemars(rename = "last good")]
    LastGood,
}

/// A place of the centre.
#[derive(JsonSchema)]
struct Site {
    site: Id,
    name: String,
}

/// A room and its outline, for the map.
#[derive(JsonSchema)]
struct Room {
    room: Id,
    name: String,
    site: Nullable<Id>,
    floor: i64,
    peace_role: Nullable<String>,
    emergency_roles: Vec<String>,
    /// Corners, metres.
    outline: Vec<(f64, f64)>,
}

/// A part of the map that is no room.
#[derive(JsonSchema)]
struct Area {
    name: String,
    site: Nullable<Id>,
    floor: i64,
    /// Corners, metres.
    outline: Vec<(f64, f64)>,
}

/// A drawing below the outlines of a floor.
#[derive(JsonSchema)]
struct Background {
    /// What names its contents: `GET /api/v1/centre/backgrounds/{background}`.
    background: String,
    site: Nullable<Id>,
    floor: i64,
    /// Its north-west corner, metres.
    corner: (f64, f64),
    /// Its width and depth, metres.
    size: (f64, f64),
}

/// A cabinet of the canteen and its limits.
#[derive(JsonSchema)]
struct Cabinet {
    device: Id,
    name: String,
    keeps: Keeps,
    /// °C.
    low: Nullable<f64>,
    /// °C.
    high: Nullable<f64>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum Keeps {
    Cold,
    Frozen,
    Hot,
    Samples,
    DishMachine,
    Steam,
    Infrared,
}

/// The name of a plan of the mode switch.
#[derive(JsonSchema)]
struct PlanName {
    plan: super::schema::PlanKey,
    room: Id,
    role: String,
    direction: super::mode::Direction,
}

/// Where a room stands.
#[derive(JsonSchema)]
struct RoomStage {
    room: Id,
    stage: super::mode::Stage,
    in_stage_s: u64,
    is_exercise: bool,
    is_in_service: bool,
}

/// The centre as screens draw it.
#[derive(JsonSchema)]
struct Centre {
    centre: Id,
    name: String,
    timezone: String,
    sites: Vec<Site>,
    rooms: Vec<Room>,
    areas: Vec<Area>,
    backgrounds: Vec<Background>,
    cabinets: Vec<Cabinet>,
    plans: Vec<PlanName>,
    stages: Vec<RoomStage>,
    /// How many alarms stand: of low, medium and high priority.
    alarms: [u64; 3],
    open_visits: u64,
}

/// What became of a command.
#[derive(JsonSchema)]
struct CommandResult {
    id: Option<String>,
    device: String,
    result: CommandState,
    /// Why, for people.
    reason: Option<String>,
    /// The value that the device reports.
    value: Option<Scalar>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum CommandState {
    Accepted,
    Sent,
    Done,
    Failed,
    Unknown,
    Refused,
}

/// This document.
#[derive(JsonSchema)]
struct Document {
    openapi: String,
    info: Anything,
    paths: Anything,
    components: Anything,
}

const TAG: &str = "building";

/// The operations.
pub fn operations() -> Vec<Operation> {
    vec![
        get("/api/openapi.json", "document", ("This document", "本文档")).gives::<Document>(),
        get("/api/v1/status", TAG, ("The whole gateway in one answer", "网关总览")).gives::<Status>(),
        get("/api/v1/centre", TAG, ("Sites, rooms with their outlines, stages of the rooms", "站点、房间与阶段"))
            .gives::<Centre>(),
        get("/api/v1/centre/backgrounds/{background}", TAG, ("A drawing below the outlines of the map", "平面图底图"))
            .about("Written anew by the gateway: lines, areas and text, nothing that runs or refers to elsewhere.")
            .gives_kind::<Text>(&["image/svg+xml"])
            .refuses(&[404]),
        get("/api/v1/devices", TAG, ("Devices with their latest values", "设备与最新数值"))
            .gives::<Vec<Device>>(),
        get("/api/v1/devices/{device}", TAG, ("One device with its latest values", "一台设备"))
            .gives::<Device>()
            .refuses(&[404]),
        get("/api/v1/devices/{device}/points/{point}/trend", TAG, ("One-minute roll-ups of a point", "分钟曲线"))
            .about("At most 31 days.")
            .asks::<Between>()
            .gives::<Trend>()
            .refuses(&[404, 503]),
        get("/api/v1/events", TAG, ("What happens, as it happens", "事件流"))
            .about(
                "Server-sent events without an end. `event: values` has the devices that changed, `event: hb` comes \
                 every 3 seconds when topics are named, `event: missed` says that events were lost: read everything \
                 again. Every other kind has the body that the MQTT topic `event/KIND` has.",
            )
            .asks::<EventsQuery>()
            .gives_kind::<Text>(&["text/event-stream"])
            .refuses(&[503]),
        post("/api/v1/devices/{device}/command", TAG, ("Writes a point and reads it back", "下发命令"))
            .about("A repeated `id` is the same command. `result` says what became of it: a refusal is 200 too.")
            .takes::<CommandBody>()
            .gives::<CommandResult>()
            .refuses(&[404, 422, 503]),
        post("/api/v1/reload", TAG, ("Applies the changed configuration", "重新加载配置"))
            .about("The answer says what changed; 422 lists every fault of the configuration.")
            .gives_kind::<Text>(&["text/plain; charset=utf-8"])
            .refuses(&[422, 503]),
    ]
}
