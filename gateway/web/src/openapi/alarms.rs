//! The document's part about alarms and kiosks.
// tidy: table

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::operation::{Operation, get, post};
use super::schema::{Day, Id, Moment, Nullable};
use crate::alarms::{How, JournalQuery, ListQuery};
use crate::kiosks::{Which as DaysQuery, Written};

/// An alarm (ISA-18.2).
#[derive(JsonSchema)]
struct Alarm {
    alarm: Id,
    /// For people.
    text: String,
    device: Id,
    point: Id,
    priority: Priority,
    state: AlarmState,
    /// Whether the condition holds.
    active: bool,
    /// Time of the last change of state.
    since: Option<Moment>,
    /// Latest value of the point.
    value: Option<f64>,
    /// Limit of the rule, in the point's unit.
    limit: Option<f64>,
    /// Seconds until shelving ends.
    shelved_for: Option<u64>,
    /// Account of the last operation.
    by: Option<String>,
    /// Reason of the last operation.
    why: Option<String>,
}

/// Who was told of an alarm, and whether it arrived.
#[derive(JsonSchema)]
struct AlarmNotices {
    /// What waits, then what was tried, newest first; of the newest 200 of all alarms.
    notices: Vec<AlarmNotice>,
    district: DistrictPath,
    /// Receivers of alarms of this priority.
    receivers: Vec<NoticeReceiver>,
    /// Sirens of this priority.
    sirens: Vec<SirenPath>,
    /// Who is told again, and when, unless somebody acknowledges before.
    next: Vec<NextNotice>,
}

/// One notification.
#[derive(JsonSchema)]
struct AlarmNotice {
    receiver: Id,
    /// Whether it is the repetition because nobody acknowledged.
    escalation: bool,
    /// When the alarm was raised or repeated.
    raised: Moment,
    result: NoticeWord,
    attempts: u32,
    /// When it was tried last; null before.
    at: Nullable<Moment>,
    /// Why it was not taken.
    why: Nullable<String>,
    /// It waits until then: quiet hours.
    not_before: Nullable<Moment>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum NoticeWord {
    Waiting,
    Delivered,
    Failing,
    Dropped,
}

/// The district, by MQTT.
#[derive(JsonSchema)]
struct DistrictPath {
    configured: bool,
    connected: bool,
    /// Records that wait for it.
    waiting: u64,
}

/// A receiver of alarms.
#[derive(JsonSchema)]
struct NoticeReceiver {
    receiver: Id,
    /// Without acknowledgement for so long, it is told again.
    escalate_after_s: Nullable<u64>,
    has_quiet_hours: bool,
}

/// A siren of the site.
#[derive(JsonSchema)]
struct SirenPath {
    device: Id,
    point: Id,
}

/// A repetition that is due.
#[derive(JsonSchema)]
struct NextNotice {
    receiver: Id,
    at: Moment,
}

/// A change of an alarm's state, or a test, which has no device, point and states.
#[derive(JsonSchema)]
pub struct AlarmStep {
    alarm: Id,
    text: String,
    device: Option<Id>,
    point: Option<Id>,
    priority: Priority,
    from: Option<AlarmState>,
    to: Option<AlarmState>,
    event: AlarmEvent,
    /// True of a test.
    test: Option<bool>,
    value: Option<f64>,
    limit: Option<f64>,
    /// It was the first of several.
    first_out: Option<bool>,
    by: Option<String>,
    why: Option<String>,
    at: Moment,
}

/// How soon somebody must act.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Priority {
    Low,
    Medium,
    High,
}

/// Where an alarm stands.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum AlarmState {
    Normal,
    Unacknowledged,
    Acknowledged,
    ReturnedUnacknowledged,
    LatchedUnacknowledged,
    LatchedAcknowledged,
    Shelved,
    Suppressed,
    OutOfService,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum AlarmEvent {
    Raised,
    Cleared,
    Acknowledge,
    Reset,
    Shelve,
    Unshelve,
    Suppress,
    Unsuppress,
    TakeOut,
    PutBack,
    Test,
}

/// What a kiosk can offer.
#[derive(JsonSchema)]
struct Kiosk {
    kiosk: Id,
    name: String,
    service: KioskService,
    /// State of each part.
    parts: BTreeMap<String, String>,
    message: String,
    busy: bool,
    version: String,
    /// Share of the opening hours, in percent.
    availability_today: Nullable<f64>,
    hours_today: Hours,
    matters: u64,
    matters_offered: u64,
    /// The newest note about it.
    note: Option<KioskNoteShort>,
    /// A person has put it out of service until then.
    out_until: Option<Moment>,
}

/// The newest note about a kiosk.
#[derive(JsonSchema)]
struct KioskNoteShort {
    text: String,
    by: String,
    at: Moment,
}

/// A note about a kiosk.
#[derive(JsonSchema)]
struct KioskNote {
    text: String,
    /// Account.
    by: String,
    at: Moment,
    /// It put the kiosk out of service until then.
    out_until: Option<Moment>,
    /// Who put it back before that.
    put_back: Option<KioskPutBack>,
}

#[derive(JsonSchema)]
struct KioskPutBack {
    by: String,
    at: Moment,
}

/// Whether a kiosk serves.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum KioskService {
    InService,
    Degraded,
    OutOfService,
    Maintenance,
    Offline,
}

/// Opening hours of a day, milliseconds in each state.
#[derive(JsonSchema)]
struct Hours {
    in_service: u64,
    degraded: u64,
    out_of_service: u64,
    maintenance: u64,
    offline: u64,
}

/// A day of a kiosk.
#[derive(JsonSchema)]
struct KioskDay {
    kiosk: Id,
    day: Day,
    /// Share of the opening hours, in percent.
    availability: Nullable<f64>,
    hours: Hours,
}

/// A matter of public administration that a kiosk offers.
#[derive(JsonSchema)]
struct Matter {
    id: String,
    name: String,
    department: String,
    /// The part that it lacks now.
    lacks: Nullable<String>,
}

/// The operations.
pub fn operations() -> Vec<Operation> {
    vec![
        get("/api/v1/alarms", "alarms", ("What is wrong; `all` also what is not", "当前报警"))
            .asks::<ListQuery>()
            .gives::<Vec<Alarm>>()
            .by_service(),
        get("/api/v1/alarms/journal", "alarms", ("Every step of alarms, newest first", "报警记录"))
            .asks::<JournalQuery>()
            .gives::<Vec<AlarmStep>>()
            .paged()
            .refuses(&[503]),
        get("/api/v1/alarms/{alarm}/notices", "alarms", ("Who was told, by which path, whether it arrived, who is next", "报警通知"))
            .gives::<AlarmNotices>()
            .refuses(&[404])
            .by_service(),
        post("/api/v1/alarms/test", "alarms", ("Tests notifications and sirens", "测试通知与警号")).stored(),
        post("/api/v1/alarms/{alarm}/{operation}", "alarms", ("An operation on one alarm", "处理报警"))
            .about("`shelve` takes `for` (without it 1 h) and `why`; `take-out` takes `why`. It answers the alarm as it is then.")
            .operations(&crate::alarms::OPERATIONS)
            .may_take::<How>()
            .gives::<Vec<Alarm>>()
            .refuses(&[404, 409, 422])
            .stored(),
        get("/api/v1/kiosks", "kiosks", ("Kiosks and what they can offer", "政务终端"))
            .gives::<Vec<Kiosk>>()
            .by_service(),
        get("/api/v1/kiosks/days", "kiosks", ("Availability of each day", "每日可用率"))
            .asks::<DaysQuery>()
            .gives::<Vec<KioskDay>>()
            .by_service(),
        get("/api/v1/kiosks/{kiosk}/notes", "kiosks", ("What people wrote about it, newest first", "终端备注"))
            .gives::<Vec<KioskNote>>()
            .refuses(&[404])
            .by_service(),
        post("/api/v1/kiosks/{kiosk}/notes", "kiosks", ("Writes about it, and may put it out of service for a time", "写终端备注"))
            .about("While it is out of service it counts as in maintenance, whatever it reports. Answers all notes.")
            .takes::<Written>()
            .gives::<Vec<KioskNote>>()
            .refuses(&[404, 422])
            .stored(),
        post("/api/v1/kiosks/{kiosk}/put-back", "kiosks", ("Puts it back into service before its time", "恢复终端"))
            .gives::<Vec<KioskNote>>()
            .refuses(&[404, 409])
            .stored(),
        get("/api/v1/kiosks/{kiosk}/matters", "kiosks", ("The matters of one kiosk", "终端事项"))
            .gives::<Vec<Matter>>()
            .refuses(&[404])
            .by_service(),
    ]
}
