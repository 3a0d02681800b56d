//! The document's part about the canteen.
// tidy: table

use std::borrow::Cow;

use linli_domain::canteen::cooling::COOLING;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::alarms::AlarmStep;
use super::operation::{Operation, get, post};
use super::schema::{Anything, Day, Hash, Id, Line, Moment, Nullable, Text};
use crate::canteen::Which;

/// What to do.
#[derive(JsonSchema)]
#[schemars(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum FoodAction {
    /// The record of a day; without it of today.
    Record { day: Option<Day> },
    /// A sample is retained.
    Retain {
        food: Line,
        /// GB 31654-2021: at least 125 g.
        #[schemars(range(min = 125, max = 5000))]
        grams: f64,
        /// A cabinet that keeps samples.
        cabinet: String,
        meal: Option<Line>,
        by: Line,
    },
    /// A sample is destroyed.
    Destroy {
        sample: String,
        by: Line,
        /// Needed before 48 h have passed.
        why: Option<Line>,
    },
    /// The retained samples.
    Samples {},
    /// Begins the cooling record of a batch of food.
    Cool {
        food: Line,
        /// Device of the probe in it.
        probe: String,
        /// Name of a cooling rule; without it the usual one.
        rule: Option<CoolingRuleName>,
        by: Line,
    },
    /// Adds a note to the record of today.
    Note { text: Line, by: Line },
    /// Signs the record of a day.
    Sign { day: Option<Day>, by: Line, note: Option<Line> },
    /// Every signed record, oldest first.
    Signed {},
}

/// The name of a cooling rule.
struct CoolingRuleName;

impl JsonSchema for CoolingRuleName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "CoolingRuleName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = COOLING.iter().map(|rule| rule.name).collect();
        json_schema!({"type": "string", "enum": names})
    }
}

/// What was asked for: the record, a sample, a batch, a note, a signature, or a list.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum FoodAnswer {
    Record(FoodRecord),
    Sample(Sample),
    Cooling(CoolingBegun),
    Note(Note),
    Signed(Signed),
    Samples(Vec<Sample>),
    AllSigned(Vec<Signed>),
}

/// The record of a day.
#[derive(JsonSchema)]
struct FoodRecord {
    centre: Id,
    day: Day,
    timezone: String,
    from: Moment,
    until: Moment,
    /// The day is over.
    complete: bool,
    cabinets: Vec<CabinetDay>,
    cycles: Vec<MachineCycle>,
    cooling: Vec<CoolingBatch>,
    samples: Vec<Sample>,
    alarms: Vec<AlarmStep>,
    notes: Vec<Note>,
}

/// A cabinet's day.
#[derive(JsonSchema)]
struct CabinetDay {
    device: Id,
    name: String,
    /// In Chinese.
    keeps: String,
    /// Where the limit comes from.
    rule: String,
    /// °C.
    limit: Nullable<f64>,
    within_s: u64,
    beyond_s: u64,
    /// Between 8 and 60 °C.
    danger_s: u64,
    /// Without a reading.
    unknown_s: u64,
    lowest: Nullable<f64>,
    highest: Nullable<f64>,
    excursions: Vec<Excursion>,
}

/// A time beyond the limit.
#[derive(JsonSchema)]
struct Excursion {
    from: Moment,
    /// Null while it lasts.
    to: Nullable<Moment>,
    worst: f64,
}

/// A cycle of a dishwasher or disinfection cabinet.
#[derive(JsonSchema)]
struct MachineCycle {
    device: Id,
    cycle: Cycle,
}

#[derive(JsonSchema)]
struct Cycle {
    from: Moment,
    to: Moment,
    highest: f64,
    /// Milliseconds at or above the limit.
    held: u64,
    is_clean: bool,
}

/// A batch of food that cools, or has cooled.
#[derive(JsonSchema)]
struct CoolingBatch {
    food: String,
    probe: Id,
    by: String,
    begun: Moment,
    seen: Moment,
    ended: Option<Moment>,
    cooling: Cooling,
}

#[derive(JsonSchema)]
struct Cooling {
    rule: String,
    outcome: String,
    /// Milliseconds.
    elapsed: u64,
    /// Steps reached.
    reached: u64,
    /// Milliseconds since the start, °C.
    curve: Vec<(u64, f64)>,
}

/// A batch whose cooling is recorded from now on.
#[derive(JsonSchema)]
struct CoolingBegun {
    cooling: String,
    probe: Id,
    rule: String,
    source: String,
}

/// A retained sample.
#[derive(JsonSchema)]
struct Sample {
    sample: String,
    food: String,
    grams: f64,
    cabinet: Id,
    meal: Nullable<String>,
    by: String,
    at: Moment,
    keep_until: Moment,
    destroyed: Option<Destroyed>,
}

#[derive(JsonSchema)]
struct Destroyed {
    at: Moment,
    by: String,
    why: Nullable<String>,
    early: bool,
}

/// A person's note.
#[derive(JsonSchema)]
struct Note {
    text: String,
    by: String,
    at: Moment,
}

/// A signed record; each hash covers the one before.
#[derive(JsonSchema)]
struct Signed {
    number: u64,
    day: Day,
    by: String,
    note: Option<String>,
    at: Moment,
    record: Anything,
    previous: Hash,
    hash: Hash,
}

/// The operations.
pub fn operations() -> Vec<Operation> {
    vec![
        post("/api/v1/food", "food", ("Samples, cooling, notes, the signed day", "食堂记录"))
            .about("`do` says what.")
            .takes::<FoodAction>()
            .gives::<FoodAnswer>()
            .refuses(&[404, 409, 422])
            .stored(),
        get(
            "/api/v1/food/record",
            "food",
            ("A day as people read it, with its latest signature", "当日记录"),
        )
        .asks::<Which>()
        .gives_kind::<Text>(&["text/html; charset=utf-8", "text/csv; charset=utf-8", "application/pdf"])
        .refuses(&[409, 422])
        .by_service(),
    ]
}
