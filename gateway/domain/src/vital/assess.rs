//! What a value is called by the table of reference ranges ([`super::ranges`]), for a person of that age and sex. The
//! result is a flag beside the number, with its source; it is no diagnosis.

use serde::{Deserialize, Serialize};

use super::ranges::{
    self, DIABETES, GRADE_1, GRADE_3, HIGH_OF_CHILD, IMPAIRED, ISOLATED, LOW, Limit, NORMAL, RANGES, Range,
    Word,
};
use super::{OF_CENTRE, Quantity, Reading, Sex, Site};

/// When glucose was taken; without it glucose is not classified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GlucoseTime {
    /// At least eight hours after the last meal.
    Fasting,
    /// Two hours after a meal.
    AfterMeal,
    /// Any time.
    Random,
}

/// Limits a centre may set otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Blood pressure from which it is hypertension, systolic and diastolic. 140/90 by the Chinese
    /// guideline of 2018 and 2024; a clinical-practice guideline of 2022 proposed 130/80.
    pub hypertension: (f64, f64),
    /// Axillary temperature from which it is fever.
    pub fever: f64,
    /// Altitude of the centre in metres: oxygen saturation depends on it.
    #[serde(default, skip_serializing_if = "is_sea_level")]
    pub altitude: u16,
    /// Who set them, and when; see [`super::source_of_centre`]. `None` when nobody signed for them.
    #[serde(skip)]
    pub source: Option<&'static str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
const fn is_sea_level(altitude: &u16) -> bool {
    *altitude == 0
}

/// What a value is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// The word used in payloads.
    pub flag: &'static str,
    /// English.
    pub english: &'static str,
    /// Chinese.
    pub chinese: &'static str,
    /// Whether somebody should look.
    pub is_notable: bool,
    /// Where the range comes from.
    pub source: &'static str,
}

/// Who was measured, as far as reference ranges depend on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// When glucose was taken.
    pub glucose_time: Option<GlucoseTime>,
    /// Age in full months; without it the ranges of adults apply.
    pub age_months: Option<u16>,
    /// Sex; without it only what holds for both is said.
    pub sex: Option<Sex>,
}

/// A value that is judged, and where on the body it was measured.
type Judged = (Quantity, Option<Site>, f64);

const GLUCOSE: &str =
    "中国2型糖尿病防治指南（2020年版）, venous plasma; capillary readings are for screening";

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self { hypertension: (140.0, 90.0), fever: 37.3, altitude: 0, source: None }
    }
}

impl Limits {
    /// Those of the documents, at the same altitude.
    fn of_documents(&self) -> Self {
        Self { altitude: self.altitude, ..Self::default() }
    }

    /// Whether the centre set none of its own.
    fn are_of_documents(&self) -> bool {
        let documents = self.of_documents();
        (self.hypertension, self.fever) == (documents.hypertension, documents.fever)
    }

    /// The source of what only these limits say.
    fn own_source(&self) -> &'static str {
        self.source.unwrap_or(OF_CENTRE)
    }
}

// === impl Circumstances ===

impl Circumstances {
    /// An age of an adult where none is known.
    fn months(&self) -> u16 {
        self.age_months.unwrap_or(ranges::ADULT.0)
    }

    /// Whether a row applies to somebody of that sex.
    fn fits(&self, row: &Range, sex: Sex, site: Option<Site>) -> bool {
        (row.sites.is_empty() || row.sites.contains(&site))
            && (row.ages.0..row.ages.1).contains(&self.months())
            && row.sex.is_none_or(|of| of == sex)
    }

    /// What a value is called; `None` where no row says, or it depends on a sex that is not known.
    fn called(&self, (quantity, site, value): Judged, limits: &Limits) -> Option<Found> {
        let sexes = self.sex.map_or_else(|| vec![Sex::Male, Sex::Female], |sex| vec![sex]);
        let mut all = sexes.into_iter().map(|sex| self.called_of(quantity, site, value, sex, limits));
        let first = all.next()?;
        let found = if all.all(|other| other == first) { first } else { None };
        if limits.are_of_documents() {
            return found;
        }
        // The document is the source of what it says as well.
        let (word, _) = found?;
        let by_document = self.called((quantity, site, value), &limits.of_documents());
        let is_own = by_document.is_none_or(|(other, _)| other != word);
        if is_own { Some((word, limits.own_source())) } else { found }
    }

    /// The limits of the rows for a quantity at a site.
    fn ends(
        &self,
        quantity: Quantity,
        site: Option<Site>,
        sex: Sex,
        limits: &Limits,
    ) -> impl Iterator<Item = f64> {
        let rows = RANGES.iter().filter(move |row| row.quantity == quantity && self.fits(row, sex, site));
        rows.map(|row| self.limit(row, limits))
    }

    /// From which value on a row holds.
    fn limit(&self, row: &Range, limits: &Limits) -> f64 {
        let years = f64::from(self.months() / 12);
        match (row.from, row.quantity) {
            (Limit::At(from), _) => from,
            (Limit::PerYear(from, each), _) => from + each * years,
            (Limit::Hypertension, Quantity::Systolic) => limits.hypertension.0,
            (Limit::Hypertension, _) => limits.hypertension.1,
            (Limit::Fever, _) => limits.fever,
        }
    }

    fn called_of(
        &self,
        quantity: Quantity,
        site: Option<Site>,
        value: f64,
        sex: Sex,
        limits: &Limits,
    ) -> Option<Found> {
        if quantity == Quantity::BodyMassIndex && self.months() < ranges::ADULT.0 {
            let rows = ranges::body_mass_of_child(self.months(), sex)?;
            let reached = rows.into_iter().rev().find(|(from, ..)| value >= *from);
            return reached.map(|(_, word, source)| (word, source));
        }
        if quantity == Quantity::OxygenSaturation
            && let Some(rows) = ranges::oxygen_at(limits.altitude)
        {
            let (_, word, source) = rows.iter().rfind(|(from, ..)| value >= *from)?;
            return word.map(|word| (word, *source));
        }
        let mut rows = RANGES.iter().filter(|row| row.quantity == quantity && self.fits(row, sex, site));
        let row = rows.rfind(|row| value >= self.limit(row, limits))?;
        row.word.map(|word| (word, row.source))
    }
}

/// A word and where it comes from.
type Found = (&'static Word, &'static str);

const fn of((word, source): Found) -> Assessment {
    let Word { flag, english, chinese, is_notable, .. } = *word;
    Assessment { flag, english, chinese, is_notable, source }
}

/// What a blood pressure is called: the higher grade of the two, and low if one of them is. One alone is judged only
/// if that says enough.
fn pressure(systolic: Option<Found>, diastolic: Option<Found>) -> Option<Assessment> {
    let says_enough = |found: &Found| [&LOW, &GRADE_3, &HIGH_OF_CHILD].contains(&found.0);
    let (Some(one), Some(other)) = (systolic, diastolic) else {
        return systolic.or(diastolic).filter(says_enough).map(of);
    };
    if one.0 == &GRADE_1 && other.0.rank < GRADE_1.rank {
        return Some(of((&ISOLATED, one.1)));
    }
    Some(of(if other.0.rank > one.0.rank { other } else { one }))
}

fn glucose(value: f64, time: GlucoseTime) -> Assessment {
    let (impaired, diabetic) = match time {
        GlucoseTime::Fasting => (6.1, 7.0),
        GlucoseTime::AfterMeal => (7.8, 11.1),
        GlucoseTime::Random => (f64::INFINITY, 11.1),
    };
    // 3.9: of people with diabetes, who may not be known as such; of others 2.8.
    let word = if value < 3.9 {
        &LOW
    } else if value >= diabetic {
        &DIABETES
    } else if value >= impaired {
        &IMPAIRED
    } else {
        &NORMAL
    };
    of((word, GLUCOSE))
}

/// What is worth a look whenever it was taken: low, or in the diabetes range of each time.
fn glucose_at_any_time(value: f64) -> Option<Assessment> {
    let [first, rest @ ..] =
        [GlucoseTime::Fasting, GlucoseTime::AfterMeal, GlucoseTime::Random].map(|time| glucose(value, time));
    Some(first).filter(|found| found.is_notable && rest.iter().all(|other| other == found))
}

/// What the table calls normal for a quantity at a site of the body, for such a person: from, to, and the source. The
/// second number is the last that is normal, at the decimals people read; `None` where there is no such limit.
/// `None` where the table names nothing normal, or it depends on a sex that is not known.
#[must_use]
pub fn normal(
    quantity: Quantity,
    site: Option<Site>,
    circumstances: Circumstances,
    limits: &Limits,
) -> Option<(f64, Option<f64>, &'static str)> {
    let (from, to, source) = normal_by(quantity, site, circumstances, limits)?;
    if limits.are_of_documents() {
        return Some((from, to, source));
    }
    let by_document = normal_by(quantity, site, circumstances, &limits.of_documents());
    let is_own = by_document.is_none_or(|(first, last, _)| (first, last) != (from, to));
    Some((from, to, if is_own { limits.own_source() } else { source }))
}

fn normal_by(
    quantity: Quantity,
    site: Option<Site>,
    circumstances: Circumstances,
    limits: &Limits,
) -> Option<(f64, Option<f64>, &'static str)> {
    let is_normal = |value: f64| {
        circumstances.called((quantity, site, value), limits).filter(|(word, _)| word.flag == NORMAL.flag)
    };
    let sexes =
        [Sex::Male, Sex::Female].into_iter().filter(|sex| circumstances.sex.is_none_or(|of| of == *sex));
    let mut ends: Vec<f64> = sexes.flat_map(|sex| circumstances.ends(quantity, site, sex, limits)).collect();
    ends.sort_by(f64::total_cmp);
    let (first, source) = ends.iter().find_map(|end| Some((*end, is_normal(*end)?.1)))?;
    let after = ends.iter().find(|end| **end > first && is_normal(**end).is_none());
    let step = 10_f64.powi(-i32::from(quantity.decimals()));
    Some((first, after.map(|after| after - step), source))
}

/// What readings of one measurement mean. One that is no exact number is judged only if all that it can be is called
/// the same.
#[must_use]
pub fn judge(
    readings: &[Reading],
    circumstances: Circumstances,
    limits: &Limits,
) -> Vec<(Quantity, Assessment)> {
    let judged = || readings.iter().filter_map(|r| Some((r.quantity, r.site, r.judged()?)));
    let least: Vec<Judged> = judged().map(|(quantity, site, (least, _))| (quantity, site, least)).collect();
    let most: Vec<Judged> = judged().map(|(quantity, site, (_, most))| (quantity, site, most)).collect();
    let of_most = assessed(&most, circumstances, limits);
    assessed(&least, circumstances, limits).into_iter().filter(|found| of_most.contains(found)).collect()
}

/// What the values mean. Blood pressure needs both values unless one of them is extreme, glucose its time unless it
/// is low or in the diabetes range; what cannot be classified is not.
#[must_use]
pub fn assess(
    values: &[(Quantity, f64)],
    circumstances: Circumstances,
    limits: &Limits,
) -> Vec<(Quantity, Assessment)> {
    let values: Vec<Judged> = values.iter().map(|(quantity, value)| (*quantity, None, *value)).collect();
    assessed(&values, circumstances, limits)
}

fn assessed(values: &[Judged], circumstances: Circumstances, limits: &Limits) -> Vec<(Quantity, Assessment)> {
    let value = |quantity: Quantity| {
        let (_, site, found) = *values.iter().find(|(q, ..)| *q == quantity)?;
        // As people read it: 94.96 is 95, and 37.29999 is 37.3.
        let scale = 10_f64.powi(i32::from(quantity.decimals()));
        Some((quantity, site, (found * scale).round() / scale))
    };
    let called = |quantity: Quantity| circumstances.called(value(quantity)?, limits);
    let (systolic, diastolic) = (called(Quantity::Systolic), called(Quantity::Diastolic));
    let pressures = pressure(systolic, diastolic);
    let of_pressure =
        if value(Quantity::Systolic).is_some() { Quantity::Systolic } else { Quantity::Diastolic };
    let sugar = value(Quantity::Glucose).and_then(|(.., value)| match circumstances.glucose_time {
        Some(time) => Some(glucose(value, time)),
        None => glucose_at_any_time(value),
    });
    let by_itself = |quantity| called(quantity).map(|found| (quantity, of(found)));
    [
        pressures.map(|found| (of_pressure, found)),
        by_itself(Quantity::OxygenSaturation),
        by_itself(Quantity::Temperature),
        sugar.map(|found| (Quantity::Glucose, found)),
        by_itself(Quantity::PulseRate),
        by_itself(Quantity::RespirationRate),
        by_itself(Quantity::BodyMassIndex),
        by_itself(Quantity::WaistCircumference),
    ]
    .into_iter()
    .flatten()
    .collect()
}
