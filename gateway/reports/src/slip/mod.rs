//! The result slip of a visit: what was measured and what it is called, for the resident to take home. A5 or a roll of
//! 80 or 58 mm, as PDF with its fonts embedded, and a square code with the values and nothing else.

mod font;
mod layout;
mod page;
mod words;

use linli_domain::Timestamp;
use linli_domain::timezone::Zone;
use linli_domain::visit::{Context, Paper, Status, Version};
use linli_domain::vital::{self, Assessment, Limits, Quantity, Reading};
use serde_json::Value;

pub use font::FontFile;

/// What a slip says.
#[derive(Debug, Clone)]
pub struct Slip {
    /// Name of the centre.
    pub centre: String,
    /// The room.
    pub room: String,
    /// The resident, as far as the slip names them.
    pub name: Option<String>,
    /// The code of the visit.
    pub code: Option<String>,
    /// When the visit began, as people of the centre read it.
    pub opened: String,
    /// The values, in the order people read them.
    pub rows: Vec<SlipRow>,
    /// How many measurements the blood pressure is the mean of.
    pub pressures: Option<u64>,
    /// When the slip was made.
    pub made: String,
    /// Critical values for which the resident is referred to a hospital: then it is a referral note.
    pub referred: Vec<Referred>,
}

/// A critical value that was answered with a referral.
#[derive(Debug, Clone)]
pub struct Referred {
    /// The quantity.
    pub quantity: Quantity,
    /// The number as it was read back.
    pub value: String,
    /// Whether it is too high; else it is too low.
    pub is_high: bool,
    /// The limit that it reaches.
    pub limit: f64,
    /// Where the limit comes from.
    pub source: &'static str,
    /// Account of who referred the resident.
    pub by: String,
    /// When, as people of the centre read it.
    pub at: String,
}

/// A value.
#[derive(Debug, Clone)]
pub struct SlipRow {
    /// Its quantities: two of a blood pressure.
    pub quantities: Vec<Quantity>,
    /// The number, as `138/88` or `>33.3`.
    pub value: String,
    /// Where on the body, of a temperature.
    pub site: Option<&'static str>,
    /// What it is called.
    pub found: Option<Assessment>,
    /// Why it is doubtful, in Chinese.
    pub doubts: Vec<&'static str>,
}

/// Why there is no slip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSlip {
    /// No font has these characters.
    #[error("no font here can print {}", listed(.0))]
    Characters(Vec<char>),
    /// A font file cannot be used.
    #[error("{0}: {1}")]
    Font(String, String),
    /// The code has no room for the values.
    #[error("the code has no room for the values")]
    Code,
}

fn listed(characters: &[char]) -> String {
    let one = |character: &char| format!("{character} (U+{:04X})", u32::from(*character));
    characters.iter().map(one).collect::<Vec<_>>().join(", ")
}

// === impl Slip ===

impl Slip {
    /// The slip of a visit as the API shows it: `summary` with the values that count, `versions` for what the ranges
    /// depend on. It names nobody.
    #[must_use]
    pub fn of(
        (room, code, opened): (&str, Option<&str>, Timestamp),
        (summary, versions): (&Value, &[Version]),
        limits: &Limits,
        (centre, zone, now): (&str, &Zone, Timestamp),
    ) -> Self {
        let values = summary["values"].as_array().map(Vec::as_slice).unwrap_or_default();
        let readings: Vec<Reading> = values.iter().filter_map(crate::visit_text::reading).collect();
        let found = vital::judge(&readings, context(versions).circumstances(), limits);
        Self {
            centre: centre.to_owned(),
            room: room.to_owned(),
            name: None,
            code: code.map(str::to_owned),
            opened: minute(&zone.shown(opened)),
            rows: rows(&readings, &found),
            pressures: summary["blood_pressure_of"].as_u64().filter(|count| *count > 1),
            made: minute(&zone.shown(now)),
            referred: Vec::new(),
        }
    }

    /// Makes it a referral note: adds a critical value that was answered with a referral.
    pub fn refer(&mut self, at: Timestamp, zone: &Zone, referred: Referred) {
        self.referred.push(Referred { at: minute(&zone.shown(at)), ..referred });
    }

    /// What the code says: the values and their units, so that a telephone shows them and a program reads them.
    #[must_use]
    pub fn encoded(&self) -> String {
        let mut text = format!("linli-slip/1\n{}", self.opened);
        for row in &self.rows {
            let word = row.quantities.iter().map(|quantity| quantity.as_str()).collect::<Vec<_>>().join("/");
            let unit = row.quantities.first().map_or("", |quantity| quantity.unit());
            text += &format!("\n{word} {} {unit}", row.value);
            if !row.doubts.is_empty() {
                text += " ?";
            }
        }
        text
    }

    /// The slip as PDF. Fonts are tried in their order; only the glyphs that it needs become part of it.
    ///
    /// # Errors
    /// [`NoSlip`]; of characters that no font has, which.
    pub fn pdf(&self, paper: Paper, fonts: &[FontFile]) -> Result<Vec<u8>, NoSlip> {
        let mut faces = font::Faces::parse(fonts)?;
        let code = qrcode::QrCode::with_error_correction_level(self.encoded(), qrcode::EcLevel::M)
            .map_err(|_| NoSlip::Code)?;
        let sheet = layout::sheet(self, paper, &code, &mut faces);
        let missing = faces.missing();
        if missing.is_empty() { page::document(&sheet, &faces) } else { Err(NoSlip::Characters(missing)) }
    }
}

/// What the ranges depend on: the latest that was said of each.
fn context(versions: &[Version]) -> Context {
    let counting = versions.iter().filter(|version| version.status != Status::EnteredInError);
    counting.fold(Context::default(), |so_far, version| Context {
        glucose_time: version.context.glucose_time.or(so_far.glucose_time),
        on_oxygen: version.context.on_oxygen.or(so_far.on_oxygen),
        is_alert: version.context.is_alert.or(so_far.is_alert),
        age_months: version.context.age_months.or(so_far.age_months),
        sex: version.context.sex.or(so_far.sex),
    })
}

/// One row a quantity, in the order of [`Quantity::ALL`]; the two blood pressures share one.
fn rows(readings: &[Reading], found: &[(Quantity, Assessment)]) -> Vec<SlipRow> {
    let of = |quantity: Quantity| readings.iter().find(|reading| reading.quantity == quantity);
    let mut rows = Vec::new();
    for quantity in Quantity::ALL {
        let Some(reading) = of(quantity) else { continue };
        let diastolic = of(Quantity::Diastolic);
        let together: Vec<&Reading> = match (quantity, diastolic, of(Quantity::Systolic)) {
            (Quantity::Diastolic, _, Some(_)) => continue,
            (Quantity::Systolic, Some(diastolic), _) => vec![reading, diastolic],
            _ => vec![reading],
        };
        let quantities: Vec<Quantity> = together.iter().map(|reading| reading.quantity).collect();
        let mut doubts: Vec<&str> =
            together.iter().flat_map(|r| &r.caveats).map(|caveat| caveat.chinese()).collect();
        doubts.dedup();
        let values: Vec<String> = together.iter().filter_map(|reading| reading.shown()).collect();
        rows.push(SlipRow {
            value: values.join("/"),
            site: reading.site.map(linli_domain::vital::Site::chinese),
            found: found.iter().find(|(quantity, _)| quantities.contains(quantity)).map(|(_, found)| *found),
            quantities,
            doubts,
        });
    }
    rows
}

/// A time without its seconds: `2026-11-30 09:10`.
fn minute(shown: &str) -> String {
    shown.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
