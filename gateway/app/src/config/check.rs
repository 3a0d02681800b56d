//! From texts to a checked configuration: shape, then types, then meaning.

use std::collections::BTreeSet;
use std::path::Path;

use linli_domain::{DeviceClass, Id};
use linli_drivers::modbus::profile::ProfileSet;
use serde::de::DeserializeOwned;

use super::checked::{Checked, CheckedLine, GatewayId};
use super::notes::Notes;
use super::raw::{AlarmsFile, DevicesFile, FacilityFile, GatewayFile, MattersFile};
use super::report::Problem;
use super::text::Document;
use super::{alarms, facility, food, gateway_file, kiosks, lines, mend, schema, shape};
use crate::cabin::Settings;
use crate::kiosks::Setup;

/// Checks everything; nothing when something essential could not even be read.
pub fn check(
    texts: &[(&str, &str)],
    profiles: &ProfileSet,
    dir: Option<&Path>,
    problems: &mut Vec<Problem>,
) -> Option<Checked> {
    let documents: Vec<Document<'_>> =
        texts.iter().filter_map(|(name, text)| parse(name, text, problems)).collect();
    let mut invented = BTreeSet::new();
    let gateway = read::<GatewayFile>(&documents, "gateway.toml", problems, &mut invented);
    let facility = read::<FacilityFile>(&documents, "facility.toml", problems, &mut invented);
    let devices = read::<DevicesFile>(&documents, "devices.toml", problems, &mut invented);
    let alarms = read::<AlarmsFile>(&documents, "alarms.toml", problems, &mut invented);
    let matters = read::<MattersFile>(&documents, "matters.toml", problems, &mut invented);
    let shaped = problems.len();

    let centre = facility
        .and_then(|(index, file)| facility::check(&file, &mut Notes::of(&documents[index], problems)));
    let room_ids: Option<Vec<Id>> =
        centre.as_ref().map(|(_, rooms)| rooms.iter().map(|r| r.id.clone()).collect());
    let zone = centre.as_ref().map(|(centre, _)| centre.zone.clone());
    let opening = centre.as_ref().map(|(centre, _)| centre.opening.clone()).unwrap_or_default();
    let (mut lines, mut canteen, mut terminals) = (None, Vec::new(), Setup::default());
    let (mut rules, mut sirens, mut hooks) = (Vec::new(), Vec::new(), Vec::new());
    if let Some((index, file)) = &devices {
        let notes = &mut Notes::of(&documents[*index], problems);
        let checked = lines::check(file, room_ids.as_deref(), profiles, dir, notes);
        canteen = food::check(file, &checked, notes);
        (rules, sirens) = match &alarms {
            Some((index, alarms)) => {
                let notes = &mut Notes::of(&documents[*index], problems);
                hooks = alarms::webhooks(&alarms.webhook, zone.as_ref(), dir, notes);
                alarms::check(Some((alarms, notes)), file, &checked)
            }
            None => alarms::check(None, file, &checked),
        };
        terminals = match &matters {
            Some((index, file)) => {
                kiosks::check(Some((file, &mut Notes::of(&documents[*index], problems))), &checked, opening)
            }
            None => kiosks::check(None, &checked, opening),
        };
        lines = Some(checked);
    }
    let centre_id = centre.as_ref().map(|(centre, _)| centre.id.clone());
    let gateway = gateway.and_then(|(index, file)| {
        gateway_file::check(&file, centre_id.as_ref(), dir, &mut Notes::of(&documents[index], problems))
    });
    let deeper = problems.split_off(shaped);
    problems.extend(deeper.into_iter().filter(|p| !invented.contains(&(p.file.clone(), p.key.clone()))));
    let ((centre, rooms), lines, gateway) = (centre?, lines?, gateway?);
    Some(Checked {
        gateway: GatewayId { id: gateway.id },
        centre,
        rooms,
        store: gateway.store,
        uplink: gateway.uplink,
        web: gateway.web,
        workers: gateway.workers,
        cabin: Settings { rooms: measured(&lines), ..gateway.cabin },
        lines,
        alarms: rules,
        webhooks: hooks,
        sirens,
        canteen,
        kiosks: terminals,
    })
}

/// Rooms in which vital signs are measured.
fn measured(lines: &[CheckedLine]) -> Vec<Id> {
    let layouts = lines.iter().flat_map(|line| line.plan.layouts());
    let vital = layouts.filter(|layout| layout.class == DeviceClass::Vital);
    vital.filter_map(|layout| layout.room.clone()).collect::<BTreeSet<Id>>().into_iter().collect()
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

/// The shape of a file, then its types; its position among the documents comes with it. A file of
/// the wrong shape is mended so that the rest of it can be looked at too.
fn read<T: DeserializeOwned>(
    documents: &[Document<'_>],
    file: &str,
    problems: &mut Vec<Problem>,
    invented: &mut BTreeSet<(String, String)>,
) -> Option<(usize, T)> {
    let index = documents.iter().position(|document| document.name == file)?;
    let document = &documents[index];
    let mends = shape::check(document, &schema::of(file), problems);
    if !mends.is_empty() {
        invented.extend(mend::invented(&mends).map(|key| (file.to_owned(), key)));
        return mend::apply(document.text, &mends)?.try_into().ok().map(|read| (index, read));
    }
    match toml::from_str(document.text) {
        Ok(read) => Some((index, read)),
        // The shape check knows every rule of the types; this is the net below it.
        Err(error) => {
            let place = error.span().unwrap_or(0..0);
            problems.push(Problem::at(file, document.text, place, String::new(), error.message()));
            None
        }
    }
}
