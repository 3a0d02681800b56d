//! A visit as screens and the API show it: what was measured and what it means, the guided series, critical values, the
//! values of the visit before.

use linli_config::settings::cabin::CabinSettings;
use linli_domain::visit::{Context, CriticalAnswer, Series, Status, Version, Visit, payload};
use linli_domain::vital::{self, CriticalLimit, Quantity, Reading};
use linli_domain::{Id, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::Identity;
use super::critical_watch::found_in;
use super::person_view::{FollowUpView, PersonView};

/// A visit as the API shows it.
#[derive(Debug, Serialize)]
pub struct VisitView {
    /// The visit.
    #[serde(flatten)]
    pub visit: Visit,
    /// The masked name: 张**.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Sex, age and conditions of the resident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonView>,
    /// The identity; only in an answer to a request that reveals it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The newest version of what was measured, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurements: Option<Vec<Version>>,
    /// The latest value of each quantity, its assessment and the NEWS2 score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Value>,
    /// The guided series of blood pressures, if one was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure: Option<SeriesView>,
    /// Critical values with their answers, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<CriticalView>,
    /// The latest value of each quantity at the resident's visits before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<ValueView>,
    /// When the resident's conditions are to be followed up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub follow_up: Vec<FollowUpView>,
}

/// A guided series of blood pressures as it stands.
#[derive(Debug, Serialize)]
pub struct SeriesView {
    /// When it began, Unix milliseconds UTC.
    pub begun: Timestamp,
    /// How many pressures there shall be.
    pub wanted: u8,
    /// When the next one may be taken, Unix milliseconds UTC; null when the series is complete.
    pub next_at: Option<Timestamp>,
    /// The pressures, oldest first.
    pub readings: Vec<PressureView>,
    /// Mean of those that count: systolic and diastolic.
    pub mean: Option<(f64, f64)>,
}

/// A pressure of a series.
#[derive(Debug, Serialize)]
pub struct PressureView {
    /// Id of the measurement.
    pub measurement: String,
    /// When it arrived, Unix milliseconds UTC.
    pub at: Timestamp,
    /// Systolic, mm\[Hg\].
    pub systolic: f64,
    /// Diastolic, mm\[Hg\].
    pub diastolic: f64,
    /// Whether it is part of the mean.
    pub counts: bool,
}

/// A critical value.
#[derive(Debug, Serialize)]
pub struct CriticalView {
    /// Id of the measurement.
    pub measurement: String,
    /// The quantity.
    pub quantity: Quantity,
    /// The number as people read it, which is to be read back.
    pub shown: String,
    /// UCUM code.
    pub unit: &'static str,
    /// Whether it is too high; else it is too low.
    pub is_high: bool,
    /// The limit that it reaches.
    pub limit: f64,
    /// Where the limit comes from.
    pub source: &'static str,
    /// When it arrived, Unix milliseconds UTC.
    pub at: Timestamp,
    /// The answer; null while nobody has answered.
    pub answer: Option<CriticalAnswer>,
}

/// A value of a visit before.
#[derive(Debug, Clone, Serialize)]
pub struct ValueView {
    /// The quantity.
    pub quantity: Quantity,
    /// Its value in the unit of the quantity.
    pub value: f64,
    /// UCUM code.
    pub unit: &'static str,
    /// When it was measured, Unix milliseconds UTC.
    pub at: Timestamp,
    /// Whether it is called anything but normal.
    pub notable: bool,
}

/// What a screen of the cabin needs to know beside the visits.
#[derive(Debug, Serialize)]
pub struct CabinView {
    /// The cabins, and the visit that is open in each.
    pub rooms: Vec<RoomView>,
    /// Whether residents can be named: the keys are set.
    pub names: bool,
    /// Version of the consent text in use.
    pub consent: Option<String>,
    /// Pressures of a guided series.
    pub pressure_readings: u8,
    /// Rest between two of them in seconds.
    pub pressure_rest_s: u64,
    /// What can be entered by hand, and what a living person can have.
    pub quantities: Vec<QuantityView>,
}

/// A cabin.
#[derive(Debug, Serialize)]
pub struct RoomView {
    /// The room.
    pub room: Id,
    /// Id of the visit that is open in it.
    pub visit: Option<String>,
}

/// A quantity.
#[derive(Debug, Serialize)]
pub struct QuantityView {
    /// The quantity.
    pub quantity: Quantity,
    /// UCUM code.
    pub unit: &'static str,
    /// Least possible value.
    pub least: f64,
    /// Largest possible value.
    pub most: f64,
    /// Decimals that people read.
    pub decimals: u8,
}

/// How many visits there were; it names nobody.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Visits.
    pub visits: usize,
    /// Those that are open.
    pub open: usize,
    /// Those that were completed.
    pub completed: usize,
    /// Those whose resident left.
    pub abandoned: usize,
    /// Those that ended because nothing happened.
    pub timed_out: usize,
    /// Those that ended because the next one began.
    pub superseded: usize,
    /// Those of residents who were named.
    pub named: usize,
    /// Answers to critical values.
    pub critical: usize,
    /// Residents who were referred to a hospital.
    pub referred: usize,
}

// === impl VisitView ===

impl VisitView {
    /// A row of a list: no measurements.
    #[must_use]
    pub fn row(visit: Visit, identity: Option<&Identity>, at: Timestamp) -> Self {
        Self {
            name: identity.map(Identity::masked),
            person: identity.map(|identity| PersonView::of(identity, at)),
            visit,
            identity: None,
            measurements: None,
            summary: None,
            pressure: None,
            critical: Vec::new(),
            previous: Vec::new(),
            follow_up: Vec::new(),
        }
    }

    /// With what was measured, and what it means.
    #[must_use]
    pub fn with(mut self, measurements: Vec<Version>, settings: &CabinSettings) -> Self {
        let series = series(&self.visit, &measurements, settings);
        let mean = series.as_ref().and_then(|(_, series)| mean(series));
        self.summary = Some(summary(&measurements, mean, settings));
        self.pressure = series.map(|(begun, series)| SeriesView::of(begun, series));
        self.critical = critical(&self.visit, &measurements, &settings.critical);
        self.measurements = Some(measurements);
        self
    }
}

// === impl SeriesView ===

impl SeriesView {
    fn of(begun: Timestamp, series: Series) -> Self {
        let Series { readings, wanted, next_at, mean } = series;
        let view = |reading: linli_domain::visit::SeriesReading| PressureView {
            measurement: reading.measurement,
            at: reading.at,
            systolic: reading.systolic,
            diastolic: reading.diastolic,
            counts: reading.counts,
        };
        Self { begun, wanted, next_at, readings: readings.into_iter().map(view).collect(), mean }
    }
}

// === impl QuantityView ===

impl QuantityView {
    /// Every quantity.
    pub(super) fn all() -> Vec<Self> {
        let view = |quantity: Quantity| {
            let (least, most) = vital::possible(quantity);
            Self { quantity, unit: quantity.unit(), least, most, decimals: quantity.decimals() }
        };
        Quantity::ALL.into_iter().map(view).collect()
    }
}

// === impl Counts ===

impl Counts {
    /// Counts visits.
    #[must_use]
    pub fn of(visits: &[Visit]) -> Self {
        use linli_domain::visit::{CriticalDecision, Ending};
        let ended =
            |ending| visits.iter().filter(|visit| visit.ended.is_some_and(|(_, of)| of == ending)).count();
        let answers = || visits.iter().flat_map(|visit| &visit.progress.critical);
        let is_referred = |answer: &CriticalAnswer| answer.decision == CriticalDecision::Refer;
        Self {
            visits: visits.len(),
            open: visits.iter().filter(|visit| visit.ended.is_none()).count(),
            completed: ended(Ending::Completed),
            abandoned: ended(Ending::Abandoned),
            timed_out: ended(Ending::TimedOut),
            superseded: ended(Ending::Superseded),
            named: visits.iter().filter(|visit| visit.pseudonym.is_some()).count(),
            critical: answers().count(),
            referred: visits.iter().filter(|visit| visit.progress.critical.iter().any(is_referred)).count(),
        }
    }
}

/// The guided series of a visit, if one was begun, and when.
fn series(visit: &Visit, measurements: &[Version], settings: &CabinSettings) -> Option<(Timestamp, Series)> {
    let begun = visit.progress.pressure.as_ref()?.begun;
    Some((begun, settings.guide.series(begun, measurements)))
}

/// The mean of a series, and how many pressures it is of.
fn mean(series: &Series) -> Option<(f64, f64, usize)> {
    let (systolic, diastolic) = series.mean?;
    Some((systolic, diastolic, series.readings.iter().filter(|reading| reading.counts).count()))
}

/// The critical values of a visit.
fn critical(visit: &Visit, measurements: &[Version], limits: &[CriticalLimit]) -> Vec<CriticalView> {
    let of = |version: &Version| {
        let view = |found: super::critical_watch::Found| {
            let vital::Critical { quantity, is_high, limit, source } = found.critical;
            CriticalView {
                measurement: version.id.clone(),
                answer: visit.progress.answer(&version.id, quantity, &found.shown).cloned(),
                quantity,
                shown: found.shown,
                unit: quantity.unit(),
                is_high,
                limit,
                source,
                at: version.measurement.taken.at,
            }
        };
        found_in(version, limits).into_iter().map(view).collect::<Vec<_>>()
    };
    measurements.iter().flat_map(of).collect()
}

/// The values that a person remembers of a visit: the latest of each quantity that is certain.
#[must_use]
pub fn values(visit: &Visit, measurements: &[Version], settings: &CabinSettings) -> Vec<ValueView> {
    let series = series(visit, measurements, settings);
    let (newest, _, context) = newest(measurements, series.as_ref().and_then(|(_, series)| mean(series)));
    let judged = vital::judge(&newest, context.circumstances(), &settings.limits);
    let at = |wanted: Quantity| {
        let is_it = |version: &&Version| {
            version.status != Status::EnteredInError
                && version.measurement.readings.iter().any(|r| r.quantity == wanted && r.value.is_ok())
        };
        measurements.iter().rev().find(is_it).map(|version| version.measurement.when())
    };
    let view = |reading: &Reading| {
        let notable =
            judged.iter().any(|(quantity, found)| *quantity == reading.quantity && found.is_notable);
        let (quantity, unit) = (reading.quantity, reading.quantity.unit());
        Some(ValueView { quantity, value: reading.certain()?, unit, at: at(quantity)?, notable })
    };
    newest.iter().filter_map(view).collect()
}

/// Of each quantity the latest reading that is certain, else the latest with its doubts; how many pressures the mean is
/// of; and what is known besides.
fn newest(
    measurements: &[Version],
    mean: Option<(f64, f64, usize)>,
) -> (Vec<Reading>, Option<usize>, Context) {
    let counting: Vec<&Version> =
        measurements.iter().filter(|v| v.status != Status::EnteredInError).collect();
    let taken: Vec<&vital::Measurement> = counting.iter().map(|version| &version.measurement).collect();
    let mut newest: Vec<Reading> = Vec::new();
    for reading in taken.iter().flat_map(|measurement| &measurement.readings).filter(|r| r.value.is_ok()) {
        let is_better = |old: &Reading| old.certain().is_some() && reading.certain().is_none();
        if newest.iter().any(|old| old.quantity == reading.quantity && is_better(old)) {
            continue;
        }
        newest.retain(|old| old.quantity != reading.quantity);
        newest.push(reading.clone());
    }
    let pressure = mean.or_else(|| vital::settle(&taken));
    if let Some((systolic, diastolic, _)) = pressure {
        newest.retain(|old| !matches!(old.quantity, Quantity::Systolic | Quantity::Diastolic));
        newest
            .extend([Reading::of(Quantity::Systolic, systolic), Reading::of(Quantity::Diastolic, diastolic)]);
    }
    let context = counting.iter().fold(Context::default(), |so_far, version| Context {
        glucose_time: version.context.glucose_time.or(so_far.glucose_time),
        on_oxygen: version.context.on_oxygen.or(so_far.on_oxygen),
        is_alert: version.context.is_alert.or(so_far.is_alert),
        age_months: version.context.age_months.or(so_far.age_months),
        sex: version.context.sex.or(so_far.sex),
    });
    (newest, pressure.map(|(.., count)| count), context)
}

/// A visit's measurements together: the latest of each quantity that is certain, else the latest with its doubts;
/// blood pressure as the mean of the guided series, else of the last two that are certain.
fn summary(measurements: &[Version], mean: Option<(f64, f64, usize)>, settings: &CabinSettings) -> Value {
    let (newest, pressures, context) = newest(measurements, mean);
    let shown = |reading: &Reading| {
        let quantity = reading.quantity;
        let mut shown =
            json!({"quantity": quantity.as_str(), "unit": quantity.unit(), "value": reading.value.ok()});
        payload::qualify(&mut shown, reading);
        if !reading.caveats.is_empty() {
            shown["caveats"] = json!(reading.caveats);
        }
        shown
    };
    let latest: Vec<Value> = newest.iter().map(shown).collect();
    let judged = vital::judge(&newest, context.circumstances(), &settings.limits);
    let verdict = |(quantity, found): &(Quantity, vital::Assessment)| {
        json!({
            "quantity": quantity.as_str(), "flag": found.flag, "text": found.chinese, "english": found.english,
            "source": found.source, "notable": found.is_notable,
        })
    };
    json!({
        "values": latest,
        "blood_pressure_of": pressures,
        "assessment": judged.iter().map(verdict).collect::<Vec<_>>(),
        "news2": context.is_scored().then(|| payload::news2(&newest, context).score),
    })
}
