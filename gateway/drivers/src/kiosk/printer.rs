//! The state of a printer, by RFC 3805 and RFC 2790 over SNMP or RFC 8011 over IPP.

use linli_domain::kiosk::Part;
use linli_domain::{Reason, Value};

use crate::points::{Point, count, flag, number, text};
use crate::publisher::PointResult;

/// Points of a printer; codes are those of kiosk components.
pub static POINTS: &[Point] = &[
    count("printer", "0 ok, 1 busy, 2 warn, 4 fault"),
    count("paper", "0 ok, 2 low, 4 out"),
    count("toner", "0 ok, 2 low, 4 out"),
    flag("jam", "paper is jammed"),
    flag("cover_open", "a cover or door is open"),
    number("supplies", "%", "the emptiest of toner, ink and drum; waste containers do not count"),
    text("detail", "what it says itself"),
];

/// The state of a printer.
#[derive(Debug, Clone, PartialEq)]
pub struct Printer {
    /// State of the printer as a whole.
    pub printer: Part,
    /// State of the paper supply.
    pub paper: Part,
    /// State of toner or ink.
    pub toner: Part,
    /// Whether paper is jammed.
    pub jam: bool,
    /// Whether a cover is open.
    pub cover_open: bool,
    /// Level of the emptiest supply, per cent.
    pub supplies: Option<f64>,
    /// Message of the printer itself.
    pub detail: String,
    /// Whether it says at all how it is.
    pub tells_state: bool,
    /// Whether it says at all what is wrong with it; without that paper, toner, jam and cover are unknown.
    pub tells_errors: bool,
}

/// Bits of `hrPrinterDetectedErrorState` (RFC 2790 clause 5), bit 0 is the highest of the first octet.
const ERRORS: [&str; 15] = [
    "lowPaper",
    "noPaper",
    "lowToner",
    "noToner",
    "doorOpen",
    "jammed",
    "offline",
    "serviceRequested",
    "inputTrayMissing",
    "outputTrayMissing",
    "markerSupplyMissing",
    "outputNearFull",
    "outputFull",
    "inputTrayEmpty",
    "overduePreventMaint",
];

/// Errors that stop the printer.
const DOWN: [&str; 9] = [
    "noPaper",
    "noToner",
    "doorOpen",
    "jammed",
    "offline",
    "inputTrayMissing",
    "markerSupplyMissing",
    "outputFull",
    "inputTrayEmpty",
];

// === impl Printer ===

impl Printer {
    fn blank(printer: Part, detail: String) -> Self {
        let (paper, toner) = (Part::Ok, Part::Ok);
        Self {
            printer,
            paper,
            toner,
            jam: false,
            cover_open: false,
            supplies: None,
            detail,
            tells_state: true,
            tells_errors: true,
        }
    }

    /// From `hrDeviceStatus`, `hrPrinterStatus` and `hrPrinterDetectedErrorState`. Makers do not
    /// agree on the bits: a device that calls itself down is down whatever they say.
    #[must_use]
    pub fn of_snmp(device: i64, printer: i64, errors: &[u8]) -> Self {
        let is_set = |bit: usize| errors.get(bit / 8).is_some_and(|octet| octet & (0x80 >> (bit % 8)) != 0);
        let reported: Vec<&str> =
            ERRORS.iter().enumerate().filter(|(bit, _)| is_set(*bit)).map(|(_, word)| *word).collect();
        let has = |word: &str| reported.contains(&word);
        let state = match (device, printer) {
            (5, _) => Part::Fault,
            _ if reported.iter().any(|word| DOWN.contains(word)) => Part::Fault,
            (3, _) => Part::Warn,
            _ if !reported.is_empty() => Part::Warn,
            (_, 4 | 5) => Part::Busy,
            _ => Part::Ok,
        };
        // "Other" and "unknown", of a device that does not say that it runs, say nothing.
        let tells_state = state != Part::Ok || matches!(printer, 3..=5) || (2..=5).contains(&device);
        Self {
            tells_state,
            paper: worst(has("noPaper") || has("inputTrayEmpty"), has("lowPaper")),
            toner: worst(has("noToner") || has("markerSupplyMissing"), has("lowToner")),
            jam: has("jammed"),
            cover_open: has("doorOpen"),
            ..Self::blank(state, reported.join(" "))
        }
    }

    /// From `printer-state` and `printer-state-reasons`: keywords, with how bad each is.
    #[must_use]
    pub fn of_ipp(state: i32, reasons: &[String]) -> Self {
        let reported: Vec<(&str, Part)> =
            reasons.iter().filter(|reason| *reason != "none").map(|reason| severity(reason)).collect();
        let has = |words: &[&str]| {
            reported.iter().filter(|(word, _)| words.contains(word)).map(|(_, part)| *part).max()
        };
        let worst_reason = reported.iter().map(|(_, part)| *part).max().unwrap_or(Part::Ok);
        let printer = match state {
            5 => Part::Fault,
            4 => worst_reason.max(Part::Busy),
            _ => worst_reason,
        };
        // As bad as the keyword says: a report is neither a fault nor a warning.
        let state_of = |out: &[&str], low: &[&str]| has(out).max(has(low)).unwrap_or(Part::Ok);
        let is = |words: &[&str]| has(words).is_some_and(|part| part > Part::Ok);
        Self {
            // RFC 8011 clause 5.4.11 has no other states; a fault among the reasons is one in any.
            tells_state: matches!(state, 3..=5) || worst_reason == Part::Fault,
            paper: state_of(&["media-empty", "media-needed", "input-tray-missing"], &["media-low"]),
            toner: state_of(
                &["toner-empty", "marker-supply-empty", "marker-supply-missing", "marker-waste-full"],
                &["toner-low", "marker-supply-low", "marker-waste-almost-full"],
            ),
            jam: is(&["media-jam"]),
            cover_open: is(&["cover-open", "door-open", "interlock-open"]),
            ..Self::blank(printer, reasons.join(" "))
        }
    }

    /// Returns the values of its points.
    #[must_use]
    pub fn values(&self) -> Vec<(u16, PointResult)> {
        let value = |name: &str| match name {
            "paper" | "toner" | "jam" | "cover_open" if !self.tells_errors => None,
            "printer" if !self.tells_state => None,
            "printer" => Some(Value::Integer(self.printer.code().into())),
            "paper" => Some(Value::Integer(self.paper.code().into())),
            "toner" => Some(Value::Integer(self.toner.code().into())),
            "jam" => Some(Value::Bool(self.jam)),
            "cover_open" => Some(Value::Bool(self.cover_open)),
            "supplies" => self.supplies.and_then(Value::float),
            _ => Some(Value::Text(self.detail.as_str().into())),
        };
        (0..).zip(POINTS).map(|(index, point)| (index, value(point.name).ok_or(Reason::NoValue))).collect()
    }
}

fn worst(is_out: bool, is_low: bool) -> Part {
    match (is_out, is_low) {
        (true, _) => Part::Fault,
        (false, true) => Part::Warn,
        (false, false) => Part::Ok,
    }
}

/// Keywords without a suffix that stop a printer (RFC 8011 clause 5.4.12, PWG 5100.9).
const FAULTS: [&str; 22] = [
    "media-empty",
    "media-needed",
    "media-jam",
    "input-tray-missing",
    "output-tray-missing",
    "output-area-full",
    "cover-open",
    "door-open",
    "interlock-open",
    "toner-empty",
    "marker-supply-empty",
    "marker-supply-missing",
    "marker-waste-full",
    "developer-empty",
    "opc-life-over",
    "fuser-over-temp",
    "fuser-under-temp",
    "offline",
    "shutdown",
    "stopped-partly",
    "power-down",
    "timed-out",
];

/// Keywords without a suffix that describe what a printer or CUPS does.
const ACTIVITY: [&str; 12] = [
    "connecting-to-device",
    "moving-to-paused",
    "paused",
    "stopping",
    "resuming",
    "testing",
    "spool-area-full",
    "identify-printer-requested",
    "hold-new-jobs",
    "deactivated",
    "hibernate",
    "suspend",
];

/// The keyword, and how bad it is. The suffix decides; a keyword without one is looked up: what prints nothing is a
/// fault, what is done at the moment nothing, and any other worth a look.
fn severity(reason: &str) -> (&str, Part) {
    for (suffix, part) in [("-report", Part::Ok), ("-warning", Part::Warn), ("-error", Part::Fault)] {
        if let Some(word) = reason.strip_suffix(suffix) {
            return (word, part);
        }
    }
    let part = match reason {
        word if FAULTS.contains(&word) => Part::Fault,
        "cups-missing-filter" | "cups-insecure-filter" => Part::Warn,
        word if ACTIVITY.contains(&word) || word.starts_with("cups-") => Part::Ok,
        _ => Part::Warn,
    };
    (reason, part)
}
