//! FHIR R4: a Bundle of Observations that follow the vital-signs profile.
//!
//! The subject is a pseudonym in the district's own identifier system; no Patient is exported. What is sent to a FHIR
//! server is a transaction for each visit (`transaction`).

mod erasure;
mod transaction;

pub use erasure::{Erasure, erasure};
pub use transaction::{Resident, Transfer, parts, transaction};

use linli_domain::audit::hex;
use linli_domain::visit::{Status, Version, Visit};
use linli_domain::vital::{self, Assessment, Caveat, Limits, Quantity, Reading};
use linli_domain::{Civil, Timestamp};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::Measured;

const LOINC: &str = "http://loinc.org";
const UCUM: &str = "http://unitsofmeasure.org";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
const ABSENT: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
const INTERPRETATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";

/// Returns a Bundle of type `collection` with the Observations of all measurements.
#[must_use]
pub fn bundle(measured: &[Measured], centre: &str, limits: &Limits, now: Timestamp) -> Value {
    let entries: Vec<Value> = measured
        .iter()
        .flat_map(|(visit, version)| observations(version, visit.as_ref(), centre, limits))
        .map(|resource| {
            let id = resource["id"].as_str().unwrap_or_default();
            json!({"fullUrl": format!("urn:uuid:{}", uuid(&format!("{centre}/{id}"))), "resource": resource})
        })
        .collect();
    json!({"resourceType": "Bundle", "type": "collection", "timestamp": instant(now), "entry": entries})
}

/// Returns one Observation per quantity; blood pressures are components of a single one.
fn observations(version: &Version, visit: Option<&Visit>, centre: &str, limits: &Limits) -> Vec<Value> {
    let readings = &version.measurement.readings;
    let assessed = vital::judge(&version.measurement.readings, version.context.circumstances(), limits);
    let found = |quantity: Quantity| assessed.iter().find(|(q, _)| *q == quantity).map(|(_, a)| a);
    let (pressures, single): (Vec<&Reading>, Vec<&Reading>) =
        readings.iter().partition(|reading| is_pressure(reading.quantity));
    let mut all: Vec<Value> = Vec::new();
    if !pressures.is_empty() {
        let mut panel = observation(version, visit, centre, "blood-pressure");
        profile(&mut panel, "bp", "vital-signs");
        panel["code"] = json!({"coding": [coding(LOINC, "85354-9", "Blood pressure panel")], "text": "血压"});
        let component = |reading: &&Reading| {
            let mut component = json!({"code": code(reading.quantity)});
            value(&mut component, reading);
            range(&mut component, reading, version, limits);
            component
        };
        panel["component"] = pressures.iter().map(component).collect::<Vec<_>>().into();
        interpret(&mut panel, pressures.iter().find_map(|reading| found(reading.quantity)));
        note(&mut panel, &pressures);
        all.push(panel);
    }
    for reading in single {
        let quantity = reading.quantity;
        let mut one = observation(version, visit, centre, &quantity.as_str().replace('_', "-"));
        let (structure, category) = structure(quantity);
        profile(&mut one, structure, category);
        one["code"] = code(quantity);
        value(&mut one, reading);
        range(&mut one, reading, version, limits);
        interpret(&mut one, found(quantity));
        note(&mut one, &[reading]);
        if let Some(site) = reading.site {
            one["bodySite"] = json!({"text": site.as_str()});
        }
        all.push(one);
    }
    all
}

/// The elements common to all Observations of a measurement. `part` completes the id.
fn observation(version: &Version, visit: Option<&Visit>, centre: &str, part: &str) -> Value {
    let mut observation = json!({
        "resourceType": "Observation",
        "id": format!("{}-{part}", version.id),
        "meta": {"versionId": version.version.to_string(), "lastUpdated": instant(version.at)},
        "identifier": [{"system": format!("urn:linli:{centre}:measurement"), "value": version.id}],
        "status": match version.status {
            Status::Final if is_preliminary(version) => "preliminary",
            Status::Final => "final",
            Status::Amended => "amended",
            Status::Corrected => "corrected",
            Status::EnteredInError => "entered-in-error",
        },
        "effectiveDateTime": instant(version.measurement.when()),
        "issued": instant(version.at),
        "device": {
            "identifier": {"system": format!("urn:linli:{centre}:device"), "value": version.device},
            "display": version.device,
        },
        "subject": {"type": "Patient", "display": "unassigned"},
    });
    if let Some(visit) = visit {
        let identifier = match &visit.pseudonym {
            Some(pseudonym) => json!({"system": "urn:linli:pseudonym", "value": pseudonym}),
            None => json!({"system": format!("urn:linli:{centre}:visit"), "value": visit.id}),
        };
        observation["subject"] = json!({"type": "Patient", "identifier": identifier});
        observation["encounter"] =
            json!({"identifier": {"system": format!("urn:linli:{centre}:visit"), "value": visit.id}});
    }
    observation
}

/// Whether the device calls all of it preliminary.
fn is_preliminary(version: &Version) -> bool {
    version.measurement.readings.iter().all(|reading| reading.caveats.contains(&Caveat::Preliminary))
}

/// Name of the FHIR profile (empty: none) and the category code.
const fn structure(quantity: Quantity) -> (&'static str, &'static str) {
    match quantity {
        Quantity::PulseRate => ("heartrate", "vital-signs"),
        Quantity::OxygenSaturation => ("oxygensat", "vital-signs"),
        Quantity::RespirationRate => ("resprate", "vital-signs"),
        Quantity::Temperature => ("bodytemp", "vital-signs"),
        Quantity::Weight => ("bodyweight", "vital-signs"),
        Quantity::Height => ("bodyheight", "vital-signs"),
        Quantity::BodyMassIndex => ("bmi", "vital-signs"),
        Quantity::Systolic | Quantity::Diastolic | Quantity::MeanArterial => ("bp", "vital-signs"),
        Quantity::Glucose => ("", "laboratory"),
        Quantity::WaistCircumference => ("", "vital-signs"),
    }
}

const fn is_pressure(quantity: Quantity) -> bool {
    matches!(quantity, Quantity::Systolic | Quantity::Diastolic | Quantity::MeanArterial)
}

fn profile(observation: &mut Value, structure: &str, category: &str) {
    if !structure.is_empty() {
        observation["meta"]["profile"] =
            json!([format!("http://hl7.org/fhir/StructureDefinition/{structure}")]);
    }
    observation["category"] = json!([{"coding": [{"system": CATEGORY, "code": category}]}]);
}

fn code(quantity: Quantity) -> Value {
    let own = coding(LOINC, quantity.loinc(), quantity.english());
    // The profile requires 2708-6; the second coding says that pulse oximetry measured it.
    let codings = match quantity {
        Quantity::OxygenSaturation => vec![coding(LOINC, "2708-6", "Oxygen saturation"), own],
        _ => vec![own],
    };
    json!({"coding": codings, "text": quantity.chinese()})
}

fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({"system": system, "code": code, "display": display})
}

fn value(observation: &mut Value, reading: &Reading) {
    match reading.value {
        Ok(value) => {
            let unit = reading.quantity.unit();
            let quantity = |value: f64| json!({"value": value, "unit": unit, "system": UCUM, "code": unit});
            match (reading.comparator, reading.upper) {
                (Some(comparator), _) => {
                    observation["valueQuantity"] = quantity(value);
                    observation["valueQuantity"]["comparator"] = json!(comparator);
                }
                (None, Some(upper)) => {
                    observation["valueRange"] = json!({"low": quantity(value), "high": quantity(upper)});
                }
                (None, None) => observation["valueQuantity"] = quantity(value),
            }
        }
        Err(why) => {
            observation["dataAbsentReason"] = json!({"coding": [{"system": ABSENT, "code": why}]});
        }
    }
}

/// Sets what the table of ranges calls normal for this person.
fn range(observation: &mut Value, reading: &Reading, version: &Version, limits: &Limits) {
    let (quantity, circumstances) = (reading.quantity, version.context.circumstances());
    let Some((low, high, source)) = vital::normal(quantity, reading.site, circumstances, limits) else {
        return;
    };
    let number = |value: f64| {
        let value = (value * 10.0).round() / 10.0;
        json!({"value": value, "unit": quantity.unit(), "system": UCUM, "code": quantity.unit()})
    };
    let mut range = json!({"text": source});
    if low > 0.0 {
        range["low"] = number(low);
    }
    if let Some(high) = high {
        range["high"] = number(high);
    }
    observation["referenceRange"] = json!([range]);
}

/// Sets the reference-range flag: A (abnormal) or N (normal).
fn interpret(observation: &mut Value, found: Option<&Assessment>) {
    if let Some(found) = found {
        let code = if found.is_notable { "A" } else { "N" };
        observation["interpretation"] =
            json!([{"coding": [{"system": INTERPRETATION, "code": code}], "text": found.chinese}]);
    }
}

fn note(observation: &mut Value, readings: &[&Reading]) {
    let mut caveats: Vec<String> = readings
        .iter()
        .flat_map(|reading| &reading.caveats)
        .map(|caveat| json!(caveat).to_string())
        .collect();
    caveats.sort_unstable();
    caveats.dedup();
    if !caveats.is_empty() {
        observation["note"] = json!([{"text": caveats.join(", ").replace('"', "")}]);
    }
}

fn instant(at: Timestamp) -> String {
    format!("{}.{:03}Z", Civil::of(at), at.0.rem_euclid(1000))
}

/// UUID of version 8 (RFC 9562) from the hash of a text: the same text always gives the same UUID.
fn uuid(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let mut bytes: [u8; 16] = std::array::from_fn(|i| hash.as_ref()[i]);
    bytes[6] = bytes[6] & 0x0F | 0x80;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let digits = hex(&bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
