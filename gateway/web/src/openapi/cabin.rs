//! The document's part about visits, measurements, exports.
// tidy: table

use schemars::JsonSchema;

use super::operation::{Operation, get, post};
use super::schema::{Anything, Id, Line, Moment, Nullable, Text};
use crate::cabin::{ExportQuery, PageQuery, VisitQuery, VisitsQuery};

/// Who a resident is.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Identity {
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// Resident identity number (GB 11643) with its check digit. This or `card` must be there.
    #[schemars(regex(pattern = r"^[0-9]{17}[0-9Xx]$"))]
    id_number: Option<String>,
    /// Number of another card.
    #[schemars(regex(pattern = r"^[0-9A-Za-z]{1,64}$"))]
    card: Option<String>,
    #[schemars(length(max = 64))]
    phone: Option<String>,
    /// The text of the health code.
    #[schemars(regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f\s]{1,128}$"))]
    health_code: Option<String>,
    sex: Option<Sex>,
    #[schemars(range(min = 1890, max = 2200))]
    birth_year: Option<u16>,
    /// Chronic conditions that are followed up; an empty list ends them.
    conditions: Option<Vec<Condition>>,
}

/// A chronic condition.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum Condition {
    Hypertension,
    Diabetes,
}

/// Who somebody is, as far as it is shown unasked.
#[derive(JsonSchema)]
pub(super) struct Person {
    sex: Option<Sex>,
    /// Full years.
    age: Option<i64>,
    /// The end of the number.
    tail: Option<String>,
    conditions: Option<Vec<Condition>>,
}

/// A visit that is to come.
#[derive(JsonSchema)]
pub(super) struct FollowUp {
    condition: Condition,
    last: Option<Moment>,
    controlled: Option<bool>,
    due: Moment,
    overdue: bool,
    source: String,
}

/// A value of a visit before.
#[derive(JsonSchema)]
pub(super) struct PreviousValue {
    quantity: Quantity,
    value: f64,
    unit: String,
    at: Moment,
    notable: bool,
}

/// A guided series of blood pressures.
#[derive(JsonSchema)]
struct PressureSeries {
    begun: Moment,
    wanted: u8,
    /// Null when the series is complete.
    next_at: Nullable<Moment>,
    readings: Vec<SeriesPressure>,
    /// Systolic and diastolic.
    mean: Nullable<(f64, f64)>,
}

#[derive(JsonSchema)]
struct SeriesPressure {
    measurement: String,
    at: Moment,
    systolic: f64,
    diastolic: f64,
    counts: bool,
}

/// A critical value.
#[derive(JsonSchema)]
struct CriticalValue {
    measurement: String,
    quantity: Quantity,
    /// The number that is to be read back.
    shown: String,
    unit: String,
    is_high: bool,
    limit: f64,
    source: String,
    at: Moment,
    /// Null while nobody has answered.
    answer: Nullable<Anything>,
}

/// A visit to be opened.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NewVisit {
    /// The cabin; needed only where there are several.
    room: Option<Id>,
    /// `worker` without it.
    #[schemars(default)]
    by: OpenedBy,
    /// It needs `consent`.
    identity: Option<Identity>,
    /// A number that stands for the resident in place of a name.
    code: Option<Line>,
    /// The version of the consent text.
    consent: Option<Line>,
    /// Pseudonym of a registered resident, in place of `identity`.
    resident: Option<String>,
}

#[derive(Default, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum OpenedBy {
    Card,
    Code,
    #[default]
    Worker,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum Ending {
    Completed,
    Abandoned,
    TimedOut,
    Superseded,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum AskedEnding {
    Completed,
    Abandoned,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct EndVisit {
    ending: AskedEnding,
}

/// Why somebody does it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Why {
    why: Line,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Assign {
    /// Null: to nobody.
    visit: Option<String>,
    why: Line,
}

/// A correction: all readings as they should be, or what the device cannot know.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Correction {
    readings: Option<Vec<NewReading>>,
    context: Option<NewContext>,
    why: Line,
}

/// What is measured.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(super) enum Quantity {
    Systolic,
    Diastolic,
    MeanArterial,
    PulseRate,
    OxygenSaturation,
    RespirationRate,
    Temperature,
    Weight,
    Height,
    BodyMassIndex,
    Glucose,
    WaistCircumference,
}

#[derive(JsonSchema)]
#[schemars(inline)]
enum Comparator {
    #[schemars(rename = "<")]
    Below,
    #[schemars(rename = "<=")]
    AtMost,
    #[schemars(rename = ">=")]
    AtLeast,
    #[schemars(rename = ">")]
    Above,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum BodySite {
    Axillary,
    Body,
    Ear,
    Tympanic,
    Finger,
    Forehead,
    Gastrointestinal,
    Oral,
    Rectal,
    Skin,
    Toe,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum GlucoseTime {
    Fasting,
    AfterMeal,
    Random,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum Sex {
    Female,
    Male,
}

/// A reading in the unit of its quantity.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct NewReading {
    quantity: Quantity,
    value: Option<f64>,
    comparator: Option<Comparator>,
    upper: Option<f64>,
    site: Option<BodySite>,
    absent: Option<Absent>,
    #[schemars(default)]
    caveats: Vec<Caveat>,
}

/// Why there is no value (FHIR data-absent-reason).
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Absent {
    NotANumber,
    PositiveInfinity,
    NegativeInfinity,
    NotPerformed,
    Error,
}

/// A reason to doubt a reading.
#[derive(serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Caveat {
    BodyMovement,
    CuffLoose,
    IrregularPulse,
    PulseOutOfRange,
    ImproperPosition,
    PoorSignal,
    LowPerfusion,
    Preliminary,
    Questionable,
    Demonstration,
    FromStorage,
    Unusual,
    Inconsistent,
    ClockSkew,
    Corrected,
    ControlSolution,
    StripError,
    SampleTooSmall,
    DeviceFault,
    TemperatureOutOfRange,
    Interrupted,
    TimeUnclear,
}

/// What the device cannot know.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct NewContext {
    glucose_time: Option<GlucoseTime>,
    on_oxygen: Option<bool>,
    is_alert: Option<bool>,
    age_months: Option<u16>,
    sex: Option<Sex>,
}

/// A reading in the unit of its quantity.
#[derive(JsonSchema)]
struct Reading {
    quantity: Quantity,
    /// Null when there is none: see `absent`.
    value: Nullable<f64>,
    /// The true value is beyond this one.
    comparator: Option<Comparator>,
    /// The true value lies between this one and `upper`.
    upper: Option<f64>,
    site: Option<BodySite>,
    /// Why there is no value.
    absent: Option<Absent>,
    /// Reasons to doubt it.
    caveats: Option<Vec<Caveat>>,
}

/// When it was taken, by both clocks.
#[derive(JsonSchema)]
struct Taken {
    at: Moment,
    clock: ClockQuality,
    /// The device's wall reading as if it were UTC.
    device: Option<Moment>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum ClockQuality {
    Synchronised,
    FreeRunning,
    Unset,
}

#[derive(JsonSchema)]
struct Measurement {
    taken: Taken,
    readings: Vec<Reading>,
    /// The device's own name for it.
    key: Option<String>,
    key_reused: Option<bool>,
    /// Documents that came with it.
    attached: Option<Vec<AttachmentInfo>>,
    user: Option<u8>,
}

/// A document that came with a measurement; its number is its place in the list, from 0.
#[derive(JsonSchema)]
struct AttachmentInfo {
    title: String,
    media_type: String,
    bytes: u64,
    /// Hexadecimal.
    sha256: String,
}

/// What a device cannot know.
#[derive(JsonSchema)]
struct Context {
    glucose_time: Option<GlucoseTime>,
    on_oxygen: Option<bool>,
    is_alert: Option<bool>,
    age_months: Option<u16>,
    sex: Option<Sex>,
}

/// One version of a measurement.
#[derive(JsonSchema)]
pub(super) struct Version {
    id: String,
    /// 1 is what the device told.
    version: u32,
    status: VersionStatus,
    visit: Option<String>,
    /// Why it belongs to no visit.
    unassigned: Option<String>,
    device: Id,
    room: Option<Id>,
    measurement: Measurement,
    context: Context,
    at: Moment,
    /// `device`, or an account.
    by: String,
    why: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum VersionStatus {
    Final,
    Amended,
    Corrected,
    EnteredInError,
}

/// A resident's stay in a cabin.
#[derive(JsonSchema)]
pub(super) struct Visit {
    id: String,
    room: Id,
    pseudonym: Option<String>,
    code: Option<String>,
    consent: Option<String>,
    opened_by: OpenedBy,
    opened: Moment,
    /// When and how it ended.
    ended: Option<(Moment, Ending)>,
    /// The masked name.
    name: Option<String>,
    /// Only in an answer that reveals it.
    identity: Option<KnownIdentity>,
    /// The newest version of each, oldest first.
    measurements: Option<Vec<Version>>,
    summary: Option<Summary>,
    person: Option<Person>,
    /// What happened during it.
    progress: Option<Anything>,
    pressure: Option<PressureSeries>,
    critical: Option<Vec<CriticalValue>>,
    previous: Option<Vec<PreviousValue>>,
    follow_up: Option<Vec<FollowUp>>,
}

/// A resident's identity.
#[derive(JsonSchema)]
struct KnownIdentity {
    name: String,
    id_number: Option<String>,
    card: Option<String>,
    phone: Option<String>,
    health_code: Option<String>,
    sex: Option<Sex>,
    birth_year: Option<u16>,
    conditions: Option<Vec<Condition>>,
}

/// The latest value of each quantity.
#[derive(JsonSchema)]
struct Summary {
    values: Vec<SummaryValue>,
    /// How many measurements the blood pressure is the mean of.
    blood_pressure_of: Nullable<u64>,
    assessment: Vec<Assessment>,
    /// The early-warning score; null for children.
    news2: Nullable<Anything>,
}

#[derive(JsonSchema)]
struct SummaryValue {
    quantity: Quantity,
    /// UCUM code.
    unit: String,
    value: Nullable<f64>,
    comparator: Option<Comparator>,
    upper: Option<f64>,
    site: Option<BodySite>,
    caveats: Option<Vec<Caveat>>,
}

/// How a value stands to the reference range.
#[derive(JsonSchema)]
struct Assessment {
    quantity: Quantity,
    flag: String,
    /// For people.
    text: String,
    english: String,
    source: String,
    notable: bool,
}

/// How many visits and measurements were erased.
#[derive(JsonSchema)]
struct Erased {
    erased: ErasedCounts,
}

#[derive(JsonSchema)]
struct ErasedCounts {
    visits: u64,
    measurements: u64,
}

#[derive(JsonSchema)]
struct Pseudonym {
    pseudonym: String,
}

/// An entry of the audit of access to personal data.
#[derive(JsonSchema)]
struct AuditEntry {
    at: Moment,
    who: String,
    /// `visit.open`, `identity.reveal`, …
    what: String,
    about: String,
    detail: String,
}

/// A bundle of FHIR R4.
#[derive(JsonSchema)]
struct Bundle {
    #[schemars(rename = "resourceType")]
    resource_type: BundleWord,
    #[schemars(rename = "type")]
    kind: String,
    timestamp: Anything,
    entry: Vec<Anything>,
}

#[derive(JsonSchema)]
#[schemars(inline)]
enum BundleWord {
    Bundle,
}

const TAG: &str = "cabin";

/// The operations.
pub fn operations() -> Vec<Operation> {
    let one = |path, summary| post(path, TAG, summary).refuses(&[404, 409, 422]).stored();
    vec![
        get("/api/v1/visits", TAG, ("Visits: those that are open, or of a time span", "就诊列表"))
            .asks::<VisitsQuery>()
            .gives::<Vec<Visit>>()
            .paged()
            .stored(),
        post("/api/v1/visits", TAG, ("Opens a visit; the one before it in that room ends", "开始就诊"))
            .takes::<NewVisit>()
            .creates::<Visit>()
            .refuses(&[404, 409, 422])
            .stored(),
        get(
            "/api/v1/visits/{id}",
            TAG,
            ("A visit with its measurements; `reveal` names the resident", "就诊详情"),
        )
        .asks::<VisitQuery>()
        .gives::<Visit>()
        .refuses(&[404])
        .stored(),
        one("/api/v1/visits/{id}/end", ("Ends a visit", "结束就诊")).takes::<EndVisit>().gives::<Visit>(),
        one("/api/v1/visits/{id}/erase", ("Erases a visit and what was measured", "删除就诊"))
            .takes::<Why>()
            .gives::<Erased>(),
        post("/api/v1/residents/find", TAG, ("The pseudonym of an identity", "查找居民"))
            .takes::<Identity>()
            .gives::<Pseudonym>()
            .refuses(&[404, 409, 422])
            .stored(),
        one(
            "/api/v1/residents/{pseudonym}/erase",
            ("Erases a resident: identity, visits, measurements", "删除居民"),
        )
        .takes::<Why>()
        .gives::<Erased>(),
        get("/api/v1/measurements/unassigned", TAG, ("Measurements that wait for their visit", "待归属测量"))
            .asks::<PageQuery>()
            .gives::<Vec<Version>>()
            .paged()
            .stored(),
        get("/api/v1/measurements/{id}", TAG, ("All versions of a measurement", "测量的各版本"))
            .gives::<Vec<Version>>()
            .refuses(&[404])
            .stored(),
        one("/api/v1/measurements/{id}/assign", ("Assigns a measurement to a visit, or to none", "归属测量"))
            .takes::<Assign>()
            .gives::<Version>(),
        one(
            "/api/v1/measurements/{id}/correct",
            ("Corrects a measurement, or adds what is known", "更正测量"),
        )
        .takes::<Correction>()
        .gives::<Version>(),
        one("/api/v1/measurements/{id}/withdraw", ("Marks a measurement as entered in error", "撤回测量"))
            .takes::<Why>()
            .gives::<Version>(),
        get("/api/v1/export/fhir", TAG, ("Measurements as FHIR R4", "导出 FHIR"))
            .asks::<ExportQuery>()
            .gives_kind::<Bundle>(&["application/fhir+json"])
            .paged()
            .refuses(&[404])
            .stored(),
        get("/api/v1/export/csv", TAG, ("Measurements as CSV", "导出 CSV"))
            .asks::<ExportQuery>()
            .gives_kind::<Text>(&["text/csv; charset=utf-8"])
            .paged()
            .refuses(&[404])
            .stored(),
        get("/api/v1/audit", TAG, ("Who looked at personal data, newest first", "访问审计"))
            .asks::<PageQuery>()
            .gives::<Vec<AuditEntry>>()
            .paged()
            .stored(),
    ]
}
