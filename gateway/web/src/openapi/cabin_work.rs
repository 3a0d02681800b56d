//! The document's part about the work in a cabin: entering by hand, repeated pressure, critical values, the register of
//! residents.
// tidy: table

use schemars::JsonSchema;

use super::cabin::{FollowUp, Identity, NewContext, NewReading, Person, Quantity, Version, Visit, Why};
use super::operation::{Operation, get, post};
use super::schema::{Id, Line, Moment, Nullable};
use crate::cabin_work::{SheetQuery, SpanQuery};

/// What a screen of the cabin needs beside the visits.
#[derive(JsonSchema)]
struct Cabin {
    rooms: Vec<CabinRoom>,
    /// Whether residents can be named.
    names: bool,
    /// Version of the consent text in use.
    consent: Nullable<String>,
    pressure_readings: u8,
    pressure_rest_s: u64,
    quantities: Vec<CabinQuantity>,
}

#[derive(JsonSchema)]
struct CabinRoom {
    room: Id,
    /// The visit that is open in it.
    visit: Nullable<String>,
}

#[derive(JsonSchema)]
struct CabinQuantity {
    quantity: Quantity,
    /// UCUM code.
    unit: String,
    least: f64,
    most: f64,
    decimals: u8,
}

/// How many visits there were; it names nobody.
#[derive(JsonSchema)]
struct VisitCounts {
    visits: u64,
    open: u64,
    completed: u64,
    abandoned: u64,
    timed_out: u64,
    superseded: u64,
    named: u64,
    critical: u64,
    referred: u64,
}

/// A measurement that a person writes down.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct EnteredByHand {
    readings: Vec<NewReading>,
    context: Option<NewContext>,
    /// When it was measured; without it now.
    at: Option<Moment>,
    why: Line,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct GuidedPressure {
    /// Whether the series begins; else it ends.
    begins: bool,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum CriticalDecision {
    Repeat,
    Refer,
    Handled,
}

/// The answer to a critical value.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NewCriticalAnswer {
    measurement: String,
    quantity: Quantity,
    /// The number as it is shown.
    read_back: String,
    decision: CriticalDecision,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NewResident {
    identity: Identity,
    /// The version of the consent text.
    consent: Line,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Search {
    /// A number, its last four digits, or a name.
    #[schemars(length(min = 1, max = 128))]
    text: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Merge {
    /// Pseudonym of the record that stays.
    into: String,
    why: Line,
}

/// A resident, and how many visits were changed.
#[derive(JsonSchema)]
pub(super) struct ChangedResident {
    pseudonym: String,
    visits: u64,
}

/// A resident in a list.
#[derive(JsonSchema)]
struct ResidentRow {
    pseudonym: String,
    /// The masked name.
    name: String,
    person: Person,
    /// Whether the text is one of the numbers.
    exact: bool,
    last_visit: Option<Moment>,
    follow_up: Option<Vec<FollowUp>>,
}

/// Everything known of a resident.
#[derive(JsonSchema)]
struct ResidentSheet {
    pseudonym: String,
    /// The masked name.
    name: String,
    person: Person,
    identity: Option<Identity>,
    /// Records that were joined to this one.
    joined: Option<Vec<String>>,
    visits: Vec<SheetVisit>,
    follow_up: Vec<FollowUp>,
}

/// A visit of a sheet: as a visit, with its values.
#[derive(JsonSchema)]
struct SheetVisit {
    id: String,
    room: Id,
    opened: Moment,
    values: Vec<super::cabin::PreviousValue>,
}

const TAG: &str = "cabin";

/// The operations.
pub fn operations() -> Vec<Operation> {
    let one = |path, summary| post(path, TAG, summary).refuses(&[404, 409, 422]).stored();
    vec![
        get("/api/v1/cabin", TAG, ("The cabins, their open visits, what can be entered", "小屋概况"))
            .gives::<Cabin>()
            .stored(),
        get("/api/v1/visits/counts", TAG, ("How many visits there were, naming nobody", "就诊统计"))
            .asks::<SpanQuery>()
            .gives::<VisitCounts>()
            .stored(),
        one("/api/v1/visits/{id}/measurements", ("Enters a measurement by hand", "手工录入"))
            .takes::<EnteredByHand>()
            .creates::<Version>(),
        one("/api/v1/visits/{id}/pressure", ("Begins or ends the guided series of pressures", "重测血压"))
            .takes::<GuidedPressure>()
            .gives::<Visit>(),
        one("/api/v1/visits/{id}/critical", ("Answers a critical value", "处理危急值"))
            .takes::<NewCriticalAnswer>()
            .gives::<Visit>(),
        one("/api/v1/residents", ("Registers a resident", "登记居民"))
            .takes::<NewResident>()
            .creates::<ChangedResident>(),
        one("/api/v1/residents/search", ("Finds residents by number, its end, or name", "搜索居民"))
            .takes::<Search>()
            .gives::<Vec<ResidentRow>>(),
        get("/api/v1/residents/follow-up", TAG, ("Residents whose conditions are followed up", "随访名单"))
            .gives::<Vec<ResidentRow>>()
            .refuses(&[409])
            .stored(),
        get("/api/v1/residents/{pseudonym}", TAG, ("A resident's visits and values", "居民档案"))
            .asks::<SheetQuery>()
            .gives::<ResidentSheet>()
            .refuses(&[404, 409])
            .stored(),
        one(
            "/api/v1/residents/{pseudonym}",
            ("Changes what the register says of a resident", "修改居民档案"),
        )
        .takes::<Identity>()
        .gives::<ChangedResident>(),
        one("/api/v1/residents/{pseudonym}/merge", ("Joins this record to another", "合并档案"))
            .takes::<Merge>()
            .gives::<ChangedResident>(),
        one("/api/v1/residents/{pseudonym}/unmerge", ("Takes a joined record apart again", "拆分档案"))
            .takes::<Why>()
            .gives::<ChangedResident>(),
    ]
}
