//! Turns texts into a checked configuration: shape, then types, then meaning.

use std::collections::BTreeSet;
use std::path::Path;

use linli_domain::{DeviceClass, Id};
use linli_drivers::modbus::profile::ProfileSet;
use linli_mode::facility::Facility;
use serde::de::DeserializeOwned;

use super::checked::{Centre, Checked, ConfiguredLine, GatewayId, Room};
use super::checked_plan::CheckedPlan;
use super::diagnostics::Diagnostics;
use super::raw::plan::PlanFile;
use super::raw::{AlarmsFile, DevicesFile, FacilityFile, GatewayFile, MattersFile};
use super::report::Problem;
use super::text::Document;
use super::{
    accounts, alarms, aliases, building, canteen, facility, gateway_file, kiosks, lines, plans, policy,
    recovery, schema, shape,
};
use crate::settings::cabin::CabinSettings;
use crate::settings::canteen::CanteenDevice;
use crate::settings::kiosk::KioskSettings;
use crate::settings::webhook::Webhook;

/// Checks everything. `None` when an essential file cannot be parsed; its problems are then listed.
pub fn check(
    texts: &[(&str, &str)],
    profiles: &ProfileSet,
    dir: Option<&Path>,
    problems: &mut Vec<Problem>,
) -> Option<Checked> {
    let documents = parse_all(texts, problems);
    let mut invented = BTreeSet::new();
    let gateway = read::<GatewayFile>(&documents, "gateway.toml", problems, &mut invented);
    let facility = read::<FacilityFile>(&documents, "facility.toml", problems, &mut invented);
    let devices = read::<DevicesFile>(&documents, "devices.toml", problems, &mut invented);
    let alarm_file = read::<AlarmsFile>(&documents, "alarms.toml", problems, &mut invented);
    let matters = read::<MattersFile>(&documents, "matters.toml", problems, &mut invented);
    let plan_files = plan_files(&documents, problems, &mut invented);
    let shaped = problems.len();

    let centre = facility.as_ref().and_then(|(index, file)| {
        facility::check(file, dir, &mut Diagnostics::of(&documents[*index], problems))
    });
    let room_ids: Option<Vec<Id>> =
        centre.as_ref().map(|(_, rooms)| rooms.iter().map(|r| r.id.clone()).collect());
    let place = Place { documents: &documents, dir, centre: centre.as_ref().map(|(centre, _)| centre) };
    let files = Files::of(&facility, &devices, &alarm_file, &matters, gateway.as_ref());
    let equipment = place.equipment(&files, room_ids.as_deref(), profiles, problems);
    let Equipment { lines, canteen, kiosks, alarms: alarmed, webhooks, known_until } = equipment;
    let building = place.building(&files, centre.as_ref(), lines.as_deref(), problems);
    let known = lines.as_deref().unwrap_or_default();
    let data = policy::Data { lines: known, alarms: &alarmed, kiosks: &kiosks.kiosks };
    let plans = place.plans(&plan_files, &building, &data, problems);
    place.outputs(&plans, &building, &files, (known, &alarmed), problems);
    if let Some(count) = known_until {
        problems.truncate(count);
    }
    let gateway = gateway.and_then(|(index, file)| {
        let diagnostics = &mut Diagnostics::of(&documents[index], problems);
        checked_gateway(&file, centre.as_ref().map(|(centre, _)| centre), dir, diagnostics)
    });
    let deeper = problems.split_off(shaped);
    problems.extend(deeper.into_iter().filter(|p| !invented.contains(&(p.file.clone(), p.key.clone()))));
    let ((centre, rooms), lines, gateway) = (centre?, lines?, gateway?);
    Some(Checked {
        gateway: GatewayId { id: gateway.id },
        centre,
        rooms,
        building,
        plans,
        store: gateway.store,
        record_retention: gateway.record_retention,
        uplink: gateway.uplink,
        web: gateway.web,
        uplink_insecure: gateway.uplink_insecure,
        workers: gateway.workers,
        local_accounts: gateway.local_accounts,
        cabin: CabinSettings { rooms: measured(&lines), ..gateway.cabin },
        slip: gateway.slip,
        fhir: gateway.fhir,
        lines,
        alarms: alarmed.rules,
        asleep: alarmed.asleep,
        webhooks,
        sirens: alarmed.sirens,
        canteen,
        kiosks,
        image_keys: gateway.image_keys,
    })
}

/// Checks gateway.toml, and that its people are those of facility.toml.
fn checked_gateway(
    file: &GatewayFile,
    centre: Option<&Centre>,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<gateway_file::FromGatewayFile> {
    let checked = gateway_file::check(file, centre.map(|centre| &centre.id), dir, diagnostics)?;
    if let Some(centre) = centre {
        let people: Vec<&Id> = centre.people.people.iter().map(|person| &person.id).collect();
        accounts::people(&checked.local_accounts, &people, diagnostics);
    }
    Some(checked)
}

fn parse_all<'t>(texts: &[(&'t str, &'t str)], problems: &mut Vec<Problem>) -> Vec<Document<'t>> {
    texts.iter().filter_map(|(name, text)| parse(name, text, problems)).collect()
}

/// Where a configuration comes from: a directory, or texts alone.
struct Place<'p, 'a> {
    documents: &'p [Document<'a>],
    dir: Option<&'p Path>,
    centre: Option<&'p Centre>,
}

/// Files with the index of their documents.
struct Files<'f> {
    facility: &'f Option<(usize, FacilityFile)>,
    devices: &'f Option<(usize, DevicesFile)>,
    alarms: &'f Option<(usize, AlarmsFile)>,
    matters: &'f Option<(usize, MattersFile)>,
    /// Whether the uplink connects with a certificate.
    is_certified: bool,
}

/// What the devices lead to: nothing without their file.
#[derive(Default)]
struct Equipment {
    lines: Option<Vec<ConfiguredLine>>,
    canteen: Vec<CanteenDevice>,
    kiosks: KioskSettings,
    alarms: alarms::Checked,
    webhooks: Vec<Webhook>,
    /// What follows from a device cannot be checked while its profile has problems: those, so many, are told alone.
    known_until: Option<usize>,
}

// === impl Files ===

impl<'f> Files<'f> {
    fn of(
        facility: &'f Option<(usize, FacilityFile)>,
        devices: &'f Option<(usize, DevicesFile)>,
        alarms: &'f Option<(usize, AlarmsFile)>,
        matters: &'f Option<(usize, MattersFile)>,
        gateway: Option<&(usize, GatewayFile)>,
    ) -> Self {
        let is_certified = gateway.is_some_and(|(_, file)| gateway_file::is_certified(file));
        Self { facility, devices, alarms, matters, is_certified }
    }
}

// === impl Place ===

impl Place<'_, '_> {
    /// Checks the devices, and what names them: the canteen's, the alarms, the kiosks.
    fn equipment(
        &self,
        files: &Files<'_>,
        rooms: Option<&[Id]>,
        profiles: &ProfileSet,
        problems: &mut Vec<Problem>,
    ) -> Equipment {
        let Some((index, file)) = files.devices else { return Equipment::default() };
        let zone = self.centre.map(|centre| &centre.zone);
        let diagnostics = &mut Diagnostics::of(&self.documents[*index], problems);
        let lines = lines::check(file, (rooms, zone), profiles, self.dir, diagnostics);
        let is_partial = file.device.iter().any(|device| profiles.is_broken(&device.profile));
        let known_until = is_partial.then(|| diagnostics.count());
        let canteen = canteen::check(file, &lines, diagnostics);
        let (alarms, webhooks) = self.alarms(files, file, &lines, problems);
        let kiosks = self.matters(files.matters.as_ref(), &lines, problems);
        Equipment { lines: Some(lines), canteen, kiosks, alarms, webhooks, known_until }
    }

    /// Checks openings, zones and fixtures; nothing where a file that they need is missing.
    fn building(
        &self,
        files: &Files<'_>,
        centre: Option<&(Centre, Vec<Room>)>,
        lines: Option<&[ConfiguredLine]>,
        problems: &mut Vec<Problem>,
    ) -> Facility {
        match (files.facility, centre, files.devices, lines) {
            (Some((index, file)), Some((centre, rooms)), Some((_, devices)), Some(lines)) => {
                let diagnostics = &mut Diagnostics::of(&self.documents[*index], problems);
                building::check(file, centre, rooms, (devices, lines), diagnostics)
            }
            _ => Facility::default(),
        }
    }

    /// Checks alarm rules, sirens and webhooks.
    fn alarms(
        &self,
        files: &Files<'_>,
        devices: &DevicesFile,
        lines: &[ConfiguredLine],
        problems: &mut Vec<Problem>,
    ) -> (alarms::Checked, Vec<Webhook>) {
        let is_certified = files.is_certified;
        let Some((index, file)) = files.alarms else {
            return (alarms::check(None, devices, lines, is_certified), Vec::new());
        };
        let diagnostics = &mut Diagnostics::of(&self.documents[*index], problems);
        let hooks =
            alarms::webhooks(&file.webhook, self.centre.map(|centre| &centre.zone), self.dir, diagnostics);
        (alarms::check(Some((file, diagnostics)), devices, lines, is_certified), hooks)
    }

    /// Checks the kiosks and the matters they offer.
    fn matters(
        &self,
        matters: Option<&(usize, MattersFile)>,
        lines: &[ConfiguredLine],
        problems: &mut Vec<Problem>,
    ) -> KioskSettings {
        let opening = self.centre.map(|centre| centre.opening.clone()).unwrap_or_default();
        let Some((index, file)) = matters else { return kiosks::check(None, lines, opening) };
        let diagnostics = &mut Diagnostics::of(&self.documents[*index], problems);
        kiosks::check(Some((file, diagnostics)), lines, opening)
    }

    /// Checks each plan alone, then all of them against each other.
    fn plans(
        &self,
        files: &[(usize, PlanFile)],
        building: &Facility,
        data: &policy::Data<'_>,
        problems: &mut Vec<Problem>,
    ) -> Vec<CheckedPlan> {
        // Plans are checked only when the files they refer to are free of errors: otherwise every name in them would be reported.
        if problems.iter().any(|problem| !problem.file.starts_with("plans/")) {
            return Vec::new();
        }
        let mut known = Vec::new();
        for (index, file) in files {
            let document = &self.documents[*index];
            let diagnostics = &mut Diagnostics::of(document, problems);
            let mut checked = plans::check(file, document.text, building, data, diagnostics);
            if let (Some(dir), Some(people)) = (self.dir, self.centre.map(|centre| &centre.people)) {
                let signature = std::fs::read(dir.join(format!("{}.sig", document.name))).ok();
                let signed = plans::signed(document.text, signature.as_deref(), people, diagnostics);
                if let Some(checked) = &mut checked {
                    checked.signed = signed;
                }
            }
            known.extend(checked);
        }
        let written: Vec<String> =
            files.iter().map(|(_, file)| format!("{}@{}", file.plan.id, file.plan.version)).collect();
        let mut wrong = |name: &str, path: &[super::text::Step], message: String| {
            if let Some(document) = self.documents.iter().find(|document| document.name == name) {
                Diagnostics::of(document, problems).wrong(path, message);
            }
        };
        plans::together(&known, &written, building, &mut wrong);
        policy::together(&known, data, &mut wrong);
        known
    }

    /// Checks that nothing but the mode switch reaches the outputs of the plans.
    fn outputs(
        &self,
        plans: &[CheckedPlan],
        building: &Facility,
        files: &Files<'_>,
        (lines, alarmed): (&[ConfiguredLine], &alarms::Checked),
        problems: &mut Vec<Problem>,
    ) {
        if let Some((index, file)) = files.devices {
            let diagnostics = &mut Diagnostics::of(&self.documents[*index], problems);
            aliases::of_devices(file, lines, plans, building, diagnostics);
        }
        if let Some((index, file)) = files.facility {
            let diagnostics = &mut Diagnostics::of(&self.documents[*index], problems);
            aliases::of_fixtures(file, plans, building, diagnostics);
        }
        if let Some((index, _)) = files.alarms {
            let diagnostics = &mut Diagnostics::of(&self.documents[*index], problems);
            alarms::sirens_of_plans(&alarmed.sirens, plans, building, diagnostics);
        }
    }
}

/// Rooms with a device that measures vital signs.
fn measured(lines: &[ConfiguredLine]) -> Vec<Id> {
    let layouts = lines.iter().flat_map(|line| line.plan.layouts());
    let vital = layouts.filter(|layout| layout.class == DeviceClass::Vital);
    vital.filter_map(|layout| layout.room.clone()).collect::<BTreeSet<Id>>().into_iter().collect()
}

/// The parsed plans, each with the index of its document.
fn plan_files(
    documents: &[Document<'_>],
    problems: &mut Vec<Problem>,
    invented: &mut BTreeSet<(String, String)>,
) -> Vec<(usize, PlanFile)> {
    let names = documents.iter().map(|document| document.name).filter(|name| name.starts_with("plans/"));
    names.filter_map(|name| read::<PlanFile>(documents, name, problems, invented)).collect()
}

fn parse<'a>(name: &'a str, text: &'a str, problems: &mut Vec<Problem>) -> Option<Document<'a>> {
    match Document::parse(name, text) {
        Ok(document) => Some(document),
        Err((place, message)) => {
            problems.push(Problem::at(name, text, place, String::new(), format!("not TOML: {message}")));
            None
        }
    }
}

/// Checks the shape of a file, then deserialises it; also returns the index of its document. A file
/// of the wrong shape is corrected in memory, so that the rest of it can be checked too.
fn read<T: DeserializeOwned>(
    documents: &[Document<'_>],
    file: &str,
    problems: &mut Vec<Problem>,
    invented: &mut BTreeSet<(String, String)>,
) -> Option<(usize, T)> {
    let index = documents.iter().position(|document| document.name == file)?;
    let document = &documents[index];
    let recoveries = shape::check(document, &schema::of(file), problems);
    if !recoveries.is_empty() {
        invented.extend(recovery::invented(&recoveries).map(|key| (file.to_owned(), key)));
        return recovery::apply(document.text, &recoveries)?.try_into().ok().map(|read| (index, read));
    }
    match toml::from_str(document.text) {
        Ok(read) => Some((index, read)),
        // The shape check covers every rule of the types. Should it miss one, the error is reported here.
        Err(error) => {
            let place = error.span().unwrap_or(0..0);
            problems.push(Problem::at(file, document.text, place, String::new(), error.message()));
            None
        }
    }
}
