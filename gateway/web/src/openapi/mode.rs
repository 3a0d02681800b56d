//! The document's part about the mode switch.
// tidy: table

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::accounts::Login;
use super::operation::{Operation, delete, get, post};
use super::schema::{Anything, Day, Hash, Id, Line, Moment, Nullable, OrNull, PlanKey, Span, Text};
use crate::drafts::Which as ReportQuery;
use crate::mode::{How, OrderQuery, RecordQuery};

/// The stage of a room.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Stage {
    Peace,
    Preview,
    Notice,
    Clearing,
    Acting,
    Checking,
    Ready,
    Degraded,
    Proving,
    Held,
}

/// The direction of a plan.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub enum Direction {
    Enter,
    Return,
}

/// Actual or a drill (CAP `status`).
#[derive(JsonSchema)]
#[schemars(inline)]
enum Class {
    Exercise,
    Actual,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum Fire {
    Unknown,
    Normal,
    Alarm,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum Cause {
    Fire,
    Stop,
    Guard,
    Failed,
    Cancel,
    Silent,
}

/// A sentence in both languages.
#[derive(JsonSchema)]
struct Message {
    zh: String,
    en: String,
}

/// The state of every room, or of the room that was acted on.
#[derive(JsonSchema)]
struct Mode {
    centre: Id,
    together: Together,
    sites: Vec<SiteMode>,
    rooms: Vec<RoomMode>,
    /// Codes of orders that wait for people.
    quarantined: Vec<String>,
    waiting: Vec<WaitingOrder>,
    /// The highest accepted number of each series of orders.
    numbers: BTreeMap<String, Option<u64>>,
    record: RecordHead,
    /// The key that verifies checkpoints of the record.
    record_key: Nullable<String>,
    /// Only after a stop.
    stop: Option<Stopped>,
}

/// Several rooms together.
#[derive(JsonSchema)]
struct Together {
    stage: Stage,
    /// Number of rooms of each stage.
    rooms: BTreeMap<String, u64>,
    is_exercise: bool,
}

/// A site and its rooms together.
#[derive(JsonSchema)]
struct SiteMode {
    site: Id,
    name: String,
    /// How long people walk there.
    walk_s: u64,
    together: Together,
}

/// The end of the record.
#[derive(JsonSchema)]
struct RecordHead {
    count: u64,
    root: Hash,
    checkpoint: Option<String>,
    orders: Option<BTreeMap<String, u64>>,
}

/// An order that waits until two people have compared its code.
#[derive(JsonSchema)]
struct WaitingOrder {
    code: String,
    order: String,
    why: Vec<String>,
    confirmed_by: Vec<Id>,
}

/// A room; what is not required is there only while an order is followed.
#[derive(JsonSchema)]
struct RoomMode {
    room: Id,
    name: Nullable<String>,
    site: Nullable<Id>,
    stage: Stage,
    fire: Fire,
    fire_panel: Nullable<FirePanel>,
    /// All steps are proven.
    verified: bool,
    policy: Nullable<Anything>,
    alternate: Nullable<Alternate>,
    service: Option<ServiceState>,
    /// Its plan is no longer in the configuration.
    lost: Option<String>,
    notice: Option<String>,
    plan: Option<PlanKey>,
    role: Option<String>,
    order: Option<String>,
    class: Option<Class>,
    direction: Option<Direction>,
    causes: Option<Vec<Cause>>,
    ordered: Option<Moment>,
    since: Option<Moment>,
    ready_by: Option<Moment>,
    ready_within_until: Option<Moment>,
    /// The role that decides.
    lead: Option<String>,
    /// What an approval refers to.
    needs: Option<OrNull<Needed>>,
    /// Outputs that are not proven safe.
    unproven: Option<Vec<String>>,
    outputs: Option<Vec<Output>>,
    silent: Option<Vec<SilentInput>>,
    steps: Option<Vec<Step>>,
    held: Option<Vec<Held>>,
    asked: Option<Vec<Asked>>,
    /// What it waits for; null for nothing.
    waits: Option<OrNull<Message>>,
    people: Option<Vec<Acting>>,
}

/// The plan that a room follows, and the state that it depends on.
#[derive(JsonSchema)]
struct Needed {
    room: Id,
    stage: Stage,
    plan: PlanKey,
    hash: Hash,
    building: String,
    wiring: String,
}

/// The fire panel's state.
#[derive(JsonSchema)]
struct FirePanel {
    state: Fire,
    zh: String,
    en: String,
    input: String,
    /// Null as long as nothing was read.
    age_s: Nullable<u64>,
}

/// Another room that could be used.
#[derive(JsonSchema)]
struct Alternate {
    plan: PlanKey,
    room: Id,
    why: Anything,
    /// The present order covers it.
    covered: bool,
    needed: Nullable<Anything>,
}

/// The service state, in which technicians may move outputs.
#[derive(JsonSchema)]
struct ServiceState {
    state: ServiceWord,
    by: Option<Anything>,
    why: Option<String>,
    since: Option<Moment>,
    until: Option<Moment>,
    acting: Option<Anything>,
    unverified: Option<bool>,
    /// Outputs that are not proven safe, while it ends.
    unproven: Option<Vec<String>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum ServiceWord {
    Open,
    Ending,
}

/// An output and what became of it.
#[derive(JsonSchema)]
struct Output {
    output: String,
    /// Its safe state.
    safe: String,
    state: OutputState,
    why: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum OutputState {
    Safe,
    Written,
    NotWritten,
    Asked,
    Moved,
    MadeSafe,
    AlreadySafe,
}

/// Something that is not heard although the claim rests on it.
#[derive(JsonSchema)]
struct SilentInput {
    what: Nullable<String>,
    held_in_s: Option<OrNull<u64>>,
}

/// Why a room is held, and what ends it.
#[derive(JsonSchema)]
struct Held {
    cause: Cause,
    why: Message,
    ends: Message,
}

/// Who was asked to do a step.
#[derive(JsonSchema)]
struct Asked {
    step: Id,
    role: String,
    count: u64,
    done: u64,
    prompt: String,
    /// The step failed: the leading role decides.
    decide: bool,
    asked_s: Nullable<u64>,
    left_s: Nullable<u64>,
    escalated_to: Vec<String>,
}

/// Who acted under the present order.
#[derive(JsonSchema)]
struct Acting {
    person: Nullable<Id>,
    account: Option<String>,
    login: Option<Login>,
    screen: Option<Anything>,
    unverified: bool,
}

/// A step of a plan under way.
#[derive(JsonSchema)]
struct Step {
    step: Id,
    kind: StepKind,
    state: StepState,
    after: Vec<Id>,
    role: Option<String>,
    count: Option<u64>,
    prompt: Option<String>,
    evidence: Option<Vec<String>>,
    not_same_as: Option<Vec<Id>>,
    deadline_s: Option<u64>,
    channel: Option<Channel>,
    within_s: Option<u64>,
    span_s: Option<u64>,
    by: Option<Id>,
    waiver: Option<Anything>,
    done_by: Option<Vec<Id>>,
    waits_for: Option<Vec<String>>,
    left_s: Option<u64>,
}

/// A step as planned.
#[derive(JsonSchema)]
struct PlanStep {
    step: Id,
    kind: StepKind,
    after: Vec<Id>,
    role: Option<String>,
    count: Option<u64>,
    prompt: Option<String>,
    evidence: Option<Vec<String>>,
    not_same_as: Option<Vec<Id>>,
    deadline_s: Option<u64>,
    channel: Option<Channel>,
    within_s: Option<u64>,
    span_s: Option<u64>,
    /// Its end after the order, at the latest.
    ends_s: u64,
    /// The plan is late when it is late.
    critical: bool,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum StepKind {
    Human,
    Actuate,
    Process,
    Verify,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum StepState {
    Pending,
    Blocked,
    Asked,
    Intent,
    Sent,
    Pause,
    Running,
    Closing,
    Ending,
    Verified,
    AlreadyOk,
    Failed,
    Stuck,
    Waived,
    Simulated,
    Skipped,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum Channel {
    Itself,
    Independent,
    Human,
}

/// What a stop did.
#[derive(JsonSchema)]
struct Stopped {
    outputs: Vec<Output>,
    is_safe: bool,
    /// For people.
    text: String,
    /// False: it is executed and not stored yet.
    recorded: Option<bool>,
}

/// What a plan would do now.
#[derive(JsonSchema)]
struct PlanPreview {
    plan: PlanKey,
    room: Id,
    role: String,
    direction: Direction,
    stage: Nullable<Stage>,
    lead: String,
    basis: Vec<String>,
    hash: Hash,
    grace_s: u64,
    at_most_s: u64,
    ready_within_s: u64,
    steps: Vec<PlanStep>,
    /// Predicates that are unknown now.
    unknown: Vec<String>,
    /// Predicates that do not hold now.
    not_so_now: Vec<String>,
    alternate: Nullable<Anything>,
    /// The hash that an order can name.
    snapshot: Hash,
}

/// The state that the plans of an order depend on.
#[derive(JsonSchema)]
struct Snapshot {
    snapshot: Hash,
    facts: Vec<Fact>,
}

#[derive(JsonSchema)]
struct Fact {
    plan: PlanKey,
    hash: Hash,
    building: Anything,
    stage: Nullable<Stage>,
    fire: Nullable<Fire>,
    claims: Vec<String>,
}

/// What became of an order.
#[derive(JsonSchema)]
struct OrderResult {
    result: OrderWord,
    reason: Nullable<String>,
    order: Nullable<String>,
    kind: Nullable<String>,
    class: Nullable<Class>,
    number: Nullable<u64>,
    code: Nullable<String>,
    signers: Vec<Id>,
    rooms: Vec<OrderRoom>,
    security_alarm: bool,
    via: String,
    alarm: Option<String>,
    confirmed_by: Option<Vec<Id>>,
    waits_for: Option<Vec<String>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum OrderWord {
    Accepted,
    Refused,
    Quarantined,
    Repeated,
}

#[derive(JsonSchema)]
struct OrderRoom {
    room: Id,
    /// Null: it follows the order.
    refused: Nullable<String>,
}

/// An order that somebody drafts.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NewDraft {
    kind: DraftKind,
    class: DraftClass,
    /// Plans, one for each room.
    #[schemars(default)]
    plans: Vec<PlanKey>,
    /// Orders that it takes back.
    #[schemars(default)]
    supersedes: Vec<String>,
    /// What it is based on (文号): at most 200 characters.
    reference: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum DraftKind {
    Enter,
    Return,
    Cancel,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum DraftClass {
    Exercise,
    Actual,
}

/// A signature made on the signer's own device.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct DraftSignature {
    /// Id of the key, 16 hexadecimal digits.
    key: String,
    /// Ed25519, 128 hexadecimal digits.
    signature: String,
    /// The hash of the order that the signer saw.
    hash: String,
}

/// An order that waits for signatures.
#[derive(JsonSchema)]
struct Draft {
    draft: String,
    kind: String,
    class: Class,
    mode: String,
    plans: Vec<DraftPlan>,
    supersedes: Vec<String>,
    /// Identifies the order.
    hash: Hash,
    at: Moment,
    by: Nullable<Signer>,
    signed: Vec<Signer>,
    /// How many have to sign.
    quorum: u64,
    /// How long the latest signature counts; null before the first.
    left_s: Nullable<u64>,
    /// What the caller would sign, for each key that is the caller's.
    to_sign: Vec<ToSign>,
}

#[derive(JsonSchema)]
struct DraftPlan {
    plan: PlanKey,
    hash: Hash,
}

#[derive(JsonSchema)]
struct Signer {
    person: Id,
    name: String,
}

#[derive(JsonSchema)]
struct ToSign {
    /// Id of the key.
    key: String,
    /// The bytes that are signed (RFC 9052 section 4.4), in hexadecimal digits.
    bytes: String,
}

/// Drafts, and alert messages that propose an order.
#[derive(JsonSchema)]
struct Drafts {
    drafts: Vec<Draft>,
    proposals: Vec<AlertProposal>,
}

/// An alert message; it moves nothing.
#[derive(JsonSchema)]
struct AlertProposal {
    at: Moment,
    identifier: String,
    sender: String,
    via: String,
    /// What it proposes; null for nothing.
    proposal: Nullable<Anything>,
}

/// What became of a signature.
#[derive(JsonSchema)]
struct DraftSigned {
    /// Null when the order was given.
    draft: Nullable<Draft>,
    /// Null while others have to sign.
    result: Nullable<DraftResult>,
}

/// What became of the order.
#[derive(JsonSchema)]
struct DraftResult {
    result: OrderWord,
    reason: Option<String>,
    code: Option<String>,
}

/// A finding of a drill or a switch.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Finding {
    order: String,
    /// Who must correct it.
    owner: Line,
    /// Until when.
    due: Day,
    text: Line,
}

/// Why, and for how long.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct BeginService {
    why: String,
    /// Without it the usual time.
    #[schemars(rename = "for")]
    span: Option<Span>,
}

/// The record that now has the finding.
#[derive(JsonSchema)]
struct FindingRecorded {
    record: RecordHead,
}

const TAG: &str = "mode";

const REPORTS: &[&str] = &["application/pdf", "text/markdown"];

const ORDERS: &[&str] = &["application/octet-stream", "application/cose", "application/cap+xml"];

/// The operations.
pub fn operations() -> Vec<Operation> {
    let mut all = of_rooms();
    all.extend(of_drafts());
    all
}

fn of_drafts() -> Vec<Operation> {
    vec![
        get("/api/v1/mode/drafts", TAG, ("Orders that wait for signatures, and alert messages", "待复核的指令"))
            .about("`to_sign` has what the caller would sign; the key stays with its owner.")
            .gives::<Drafts>(),
        post("/api/v1/mode/drafts", TAG, ("Drafts an order that two people sign", "拟定指令"))
            .takes::<NewDraft>()
            .creates::<Draft>()
            .refuses(&[404, 409, 422])
            .by_service(),
        post("/api/v1/mode/drafts/{draft}/sign", TAG, ("Signs it; the last signature gives the order", "签署指令"))
            .about(
                "The second person renews the log-in before (POST /api/v1/session/renew). `result` says what became of the \
                 order: a refusal is 200 too.",
            )
            .takes::<DraftSignature>()
            .gives::<DraftSigned>()
            .refuses(&[404, 409, 422])
            .stored(),
        delete("/api/v1/mode/drafts/{draft}", TAG, ("Takes it back", "撤回指令")).refuses(&[404]),
        get("/api/v1/mode/report", TAG, ("The report of a drill or a switch", "演练或转换报告"))
            .asks::<ReportQuery>()
            .gives_kind::<Text>(REPORTS)
            .refuses(&[404, 409, 503]),
    ]
}

fn of_rooms() -> Vec<Operation> {
    let act = |path, summary| post(path, TAG, summary).gives::<Mode>().refuses(&[404, 409, 422]).stored();
    vec![
        get("/api/v1/mode", TAG, ("The mode of every room", "各房间状态")).gives::<Mode>().by_service(),
        get("/api/v1/mode/plans/{plan}", TAG, ("What a plan would do now", "预案预览"))
            .gives::<PlanPreview>()
            .refuses(&[404])
            .by_service(),
        get("/api/v1/mode/snapshot/{plans}", TAG, ("The state that plans depend on, as a hash", "现状摘要"))
            .gives::<Snapshot>()
            .refuses(&[404])
            .by_service(),
        get("/api/v1/mode/record", TAG, ("Entries of the record of the mode switch", "平急转换记录"))
            .about("One JSON object a line, 1000 at a time, from number `from` on.")
            .asks::<RecordQuery>()
            .gives_kind::<Text>(&["application/jsonl"])
            .refuses(&[503]),
        post("/api/v1/mode/order", TAG, ("Gives an order or an alert message", "下达指令"))
            .about(
                "A signed order (COSE, bytes or base 64) or a CAP message; with `code` and no body it confirms one that \
                 waits. `result` says what became of it: a refusal is 200 too.",
            )
            .asks::<OrderQuery>()
            .takes_bytes(ORDERS, true)
            .gives::<OrderResult>()
            .refuses(&[404, 409, 422])
            .stored(),
        post("/api/v1/mode/findings", TAG, ("Records a finding of a drill or a switch", "记录整改项"))
            .takes::<Finding>()
            .gives::<FindingRecorded>()
            .refuses(&[404, 409, 422])
            .stored(),
        act("/api/v1/mode/rooms/{room}/stop", ("Stops a room", "停止")),
        act("/api/v1/mode/rooms/{room}/service", ("Begins the service state of a room", "开始检修"))
            .takes::<BeginService>(),
        act("/api/v1/mode/rooms/{room}/end_service", ("Ends the service state of a room", "结束检修"))
            .may_take::<How>(),
        act("/api/v1/mode/rooms/{room}/{operation}", ("A task or a decision of a person", "执行任务或决定"))
            .about(
                "`confirm`, `simulate` and `retry` take `step`; `cannot` takes `step` and `why`; `waive` takes `step`, \
                 `why` and `for`; `resume`, `reject` and `alternate` take `why`; `commit` takes nothing.",
            )
            .operations(&crate::mode::OPERATIONS)
            .may_take::<How>(),
    ]
}
