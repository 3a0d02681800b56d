//! A visit as a transaction for a FHIR server: Patient, Encounter, Device, Observation and Provenance (FHIR R4,
//! clause 3.1.0.11).
//!
//! Every resource has an identifier of this centre and is put under the condition of it, so that the same transaction
//! sent twice, or sent again after a correction, changes the resources that are there and makes no others. A Provenance
//! has no identifier in R4: a tag takes its place.

use linli_domain::Timestamp;
use linli_domain::visit::{Ending, Status, Version, Visit};
use linli_domain::vital::{Limits, Sex};
use serde_json::{Value, json};

use super::{instant, observations, uuid};

/// What may be said of a resident beside the pseudonym.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// Name.
    pub name: String,
    /// Birthday as `1949-12-31`, where the identity number says it.
    pub birth: Option<String>,
    /// Sex, where the identity number says it.
    pub sex: Option<Sex>,
}

/// What is sent of a visit.
#[derive(Debug, Clone)]
pub struct Transfer<'a> {
    /// Id of the centre: part of every identifier.
    pub centre: &'a str,
    /// Name of the centre.
    pub name: &'a str,
    /// The visit.
    pub visit: &'a Visit,
    /// The resident, only where they agreed to it and the centre sends names.
    pub resident: Option<&'a Resident>,
    /// The newest version of each measurement of the visit.
    pub versions: &'a [Version],
    /// The newest version of those that were sent as its own before and are not any more.
    pub no_longer: &'a [Version],
    /// Limits that the centre has set otherwise.
    pub limits: &'a Limits,
}

/// Resources of a bundle, as entries of it.
struct Entries<'a> {
    of: &'a Transfer<'a>,
    all: Vec<Value>,
}

/// The Bundle of type `transaction`. The same visit gives the same bundle.
#[must_use]
pub fn transaction(transfer: &Transfer<'_>, now: Timestamp) -> Value {
    let mut entries = Entries { of: transfer, all: Vec::new() };
    let patient = entries.patient();
    let encounter = entries.encounter(&patient);
    let mut devices: Vec<&str> = transfer.versions.iter().map(|version| version.device.as_str()).collect();
    devices.extend(transfer.no_longer.iter().map(|version| version.device.as_str()));
    devices.sort_unstable();
    devices.dedup();
    for device in devices {
        entries.device(device);
    }
    for version in transfer.versions {
        entries.measurement(version, &patient, &encounter, version.status == Status::EnteredInError);
    }
    for version in transfer.no_longer {
        entries.measurement(version, &patient, &encounter, true);
    }
    json!({"resourceType": "Bundle", "type": "transaction", "timestamp": instant(now), "entry": entries.all})
}

/// The identifiers of the Observations of a measurement: its id, and the quantity.
#[must_use]
pub fn parts(version: &Version) -> Vec<String> {
    let part = |observation: &Value| observation["id"].as_str().map(str::to_owned);
    observations(version, None, "", &Limits::default()).iter().filter_map(part).collect()
}

// === impl Entries ===

impl Entries<'_> {
    fn system(&self, what: &str) -> String {
        format!("urn:linli:{}:{what}", self.of.centre)
    }

    /// Adds a resource that has this identifier, and returns the reference to it within the bundle.
    fn put(&mut self, kind: &str, (system, value): (&str, &str), resource: Value) -> String {
        let urn = format!("urn:uuid:{}", uuid(&format!("{kind}/{system}/{value}")));
        let url = format!("{kind}?identifier={}|{}", escaped(system), escaped(value));
        self.all.push(json!({
            "fullUrl": urn, "resource": resource, "request": {"method": "PUT", "url": url},
        }));
        urn
    }

    fn patient(&mut self) -> String {
        let (visit, own) = (self.of.visit, self.system("visit"));
        let identifier = match &visit.pseudonym {
            Some(pseudonym) => ("urn:linli:pseudonym", pseudonym.as_str()),
            None => (own.as_str(), visit.id.as_str()),
        };
        let mut patient = json!({
            "resourceType": "Patient",
            "identifier": [{"system": identifier.0, "value": identifier.1}],
        });
        if let Some(resident) = self.of.resident {
            patient["name"] = json!([{"use": "official", "text": resident.name}]);
            if let Some(birth) = &resident.birth {
                patient["birthDate"] = json!(birth);
            }
            if let Some(sex) = resident.sex {
                patient["gender"] = json!(if sex == Sex::Male { "male" } else { "female" });
            }
        }
        self.put("Patient", identifier, patient)
    }

    fn encounter(&mut self, patient: &str) -> String {
        let visit = self.of.visit;
        let system = self.system("visit");
        let mut period = json!({"start": instant(visit.opened)});
        if let Some((ended, _)) = visit.ended {
            period["end"] = json!(instant(ended));
        }
        let status = match visit.ended {
            None => "in-progress",
            Some((_, Ending::Abandoned)) if self.of.versions.is_empty() => "cancelled",
            Some(_) => "finished",
        };
        let encounter = json!({
            "resourceType": "Encounter",
            "identifier": [{"system": system, "value": visit.id}],
            "status": status,
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory",
            },
            "subject": {"reference": patient},
            "period": period,
            "location": [{"location": {"display": visit.room}}],
            "serviceProvider": {
                "identifier": {"system": "urn:linli:centre", "value": self.of.centre}, "display": self.of.name,
            },
        });
        self.put("Encounter", (&system, &visit.id), encounter)
    }

    fn device(&mut self, device: &str) -> String {
        let system = self.system("device");
        let resource = json!({
            "resourceType": "Device",
            "identifier": [{"system": system, "value": device}],
            "deviceName": [{"name": device, "type": "user-friendly-name"}],
            "owner": {"identifier": {"system": "urn:linli:centre", "value": self.of.centre}},
        });
        self.put("Device", (&system, device), resource)
    }

    fn measurement(&mut self, version: &Version, patient: &str, encounter: &str, is_withdrawn: bool) {
        let system = self.system("observation");
        let device = uuid(&format!("Device/{}/{}", self.system("device"), version.device));
        let mut targets = Vec::new();
        for mut observation in observations(version, Some(self.of.visit), self.of.centre, self.of.limits) {
            let id = observation["id"].as_str().unwrap_or_default().to_owned();
            if let Some(members) = observation.as_object_mut() {
                // The server numbers the resource and its versions.
                members.remove("id");
                if let Some(meta) = members.get_mut("meta").and_then(Value::as_object_mut) {
                    meta.remove("versionId");
                    meta.remove("lastUpdated");
                }
            }
            if is_withdrawn {
                observation["status"] = json!("entered-in-error");
            }
            let own = json!({"system": system, "value": id});
            if let Some(identifiers) = observation["identifier"].as_array_mut() {
                identifiers.insert(0, own);
            }
            observation["subject"] = json!({"reference": patient});
            observation["encounter"] = json!({"reference": encounter});
            observation["device"] =
                json!({"reference": format!("urn:uuid:{device}"), "display": version.device});
            targets.push(self.put("Observation", (&system, &id), observation));
        }
        if !targets.is_empty() {
            self.provenance(version, &targets, is_withdrawn);
        }
    }

    /// Who made the version, when and why. It is made once: another version has another.
    fn provenance(&mut self, version: &Version, targets: &[String], is_withdrawn: bool) {
        let tag_system = self.system("version");
        let mark = if is_withdrawn && version.status != Status::EnteredInError { "-moved" } else { "" };
        let tag = format!("{}.{}{mark}", version.id, version.version);
        let (activity, word) = match version.status {
            _ if is_withdrawn => ("NULLIFY", "nullify"),
            Status::Final => ("CREATE", "create"),
            Status::Amended | Status::Corrected | Status::EnteredInError => ("UPDATE", "revise"),
        };
        let who = match version.by.as_str() {
            "device" => json!({"system": self.system("device"), "value": version.device}),
            account => json!({"system": self.system("account"), "value": account}),
        };
        let mut provenance = json!({
            "resourceType": "Provenance",
            "meta": {"tag": [{"system": tag_system, "code": tag}]},
            "target": targets.iter().map(|target| json!({"reference": target})).collect::<Vec<_>>(),
            "recorded": instant(version.at),
            "activity": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "code": activity, "display": word,
            }]},
            "agent": [{"who": {"identifier": who, "display": version.by}}],
        });
        if let Some(why) = &version.why {
            provenance["reason"] = json!([{"text": why}]);
        }
        let urn = format!("urn:uuid:{}", uuid(&format!("Provenance/{tag_system}/{tag}")));
        let condition = format!("_tag={}|{}", escaped(&tag_system), escaped(&tag));
        self.all.push(json!({
            "fullUrl": urn, "resource": provenance,
            "request": {"method": "POST", "url": "Provenance", "ifNoneExist": condition},
        }));
    }
}

/// A text in a query: all but unreserved characters percent-encoded (RFC 3986, clause 2.3).
pub(super) fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::visit::{Context, OpenedBy, Progress};
    use linli_domain::vital::{Measurement, Quantity, Reading, Taken};
    use linli_domain::{ClockQuality, Id};

    const AT: Timestamp = Timestamp(1_795_428_000_000);

    fn visit() -> Visit {
        Visit {
            id: "v-1".to_owned(),
            room: Id::new("cabin").unwrap(),
            pseudonym: Some("P".to_owned()),
            code: None,
            consent: Some("2026-1".to_owned()),
            opened_by: OpenedBy::Card,
            opened: AT,
            ended: Some((Timestamp(AT.0 + 600_000), Ending::Completed)),
            progress: Progress::default(),
        }
    }

    fn version(number: u32, status: Status, why: Option<&str>) -> Version {
        let taken = Taken { at: AT, clock: ClockQuality::Synchronised, device: None };
        let readings = vec![
            Reading::of(Quantity::Systolic, 138.0),
            Reading::of(Quantity::Diastolic, 88.0),
            Reading::of(Quantity::PulseRate, 72.0),
        ];
        Version {
            id: "m-1".to_owned(),
            version: number,
            status,
            visit: Some("v-1".to_owned()),
            unassigned: None,
            device: Id::new("cuff-1").unwrap(),
            room: None,
            measurement: Measurement::of(taken, readings),
            context: Context::default(),
            at: AT,
            by: if why.is_some() { "lin" } else { "device" }.to_owned(),
            why: why.map(str::to_owned),
        }
    }

    fn of(versions: &[Version], no_longer: &[Version]) -> Value {
        let (visit, limits) = (visit(), Limits::default());
        let transfer = Transfer {
            centre: "xinghe",
            name: "星河",
            visit: &visit,
            resident: None,
            versions,
            no_longer,
            limits: &limits,
        };
        transaction(&transfer, AT)
    }

    fn kinds(bundle: &Value) -> Vec<&str> {
        let all = bundle["entry"].as_array().unwrap().iter();
        all.map(|entry| entry["resource"]["resourceType"].as_str().unwrap()).collect()
    }

    #[test]
    fn every_resource_is_put_under_a_condition_and_every_reference_is_in_the_bundle() {
        let bundle = of(&[version(1, Status::Final, None)], &[]);
        assert_eq!(
            kinds(&bundle),
            ["Patient", "Encounter", "Device", "Observation", "Observation", "Provenance"]
        );
        let text = bundle.to_string();
        let urns: Vec<&str> =
            bundle["entry"].as_array().unwrap().iter().map(|e| e["fullUrl"].as_str().unwrap()).collect();
        for reference in text.split("\"reference\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(urns.contains(&reference), "{reference} is nowhere");
        }
        for entry in bundle["entry"].as_array().unwrap() {
            let request = &entry["request"];
            let condition = request["ifNoneExist"].as_str().or(request["url"].as_str()).unwrap();
            assert!(condition.contains("%7C") || condition.contains('|'), "{condition}");
        }
        assert_eq!(bundle, of(&[version(1, Status::Final, None)], &[]), "the same visit, the same bundle");
        assert!(!text.contains("versionId"));
    }

    #[test]
    fn what_is_corrected_withdrawn_or_moved_says_so_under_the_same_identifier() {
        let status = |bundle: &Value| bundle["entry"][3]["resource"]["status"].clone();
        let url = |bundle: &Value| bundle["entry"][3]["request"]["url"].clone();
        let first = of(&[version(1, Status::Final, None)], &[]);
        for (status_now, word) in [
            (Status::Amended, "amended"),
            (Status::Corrected, "corrected"),
            (Status::EnteredInError, "entered-in-error"),
        ] {
            let later = of(&[version(2, status_now, Some("typed wrongly"))], &[]);
            assert_eq!((status(&later), url(&later)), (json!(word), url(&first)));
            assert!(later.to_string().contains("typed wrongly"));
        }
        let moved = of(&[], &[version(1, Status::Final, None)]);
        assert_eq!((status(&moved), url(&moved)), (json!("entered-in-error"), url(&first)));
    }

    #[test]
    fn ranges_are_those_of_the_table() {
        let bundle = of(&[version(1, Status::Final, None)], &[]);
        let panel = &bundle["entry"][3]["resource"];
        let range = &panel["component"][0]["referenceRange"][0];
        assert_eq!((&range["low"]["value"], &range["high"]["value"]), (&json!(90.0), &json!(119.0)));
        let pulse = &bundle["entry"][4]["resource"]["referenceRange"][0];
        assert_eq!((&pulse["low"]["value"], &pulse["high"]["value"]), (&json!(60.0), &json!(100.0)));
        assert_eq!(parts(&version(1, Status::Final, None)), ["m-1-blood-pressure", "m-1-pulse-rate"]);
    }
}
