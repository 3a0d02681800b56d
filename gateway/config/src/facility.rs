//! Checks facility.toml: the centre, its sites and rooms.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use linli_mode::facility::Site;

use super::checked::{Centre, Room};
use super::diagnostics::{Diagnostics, keys, nth};
use super::raw::{FacilityFile, Form};
use super::site::named_site;
use super::text::Step;
use super::{background, outline, people};
use linli_domain::hours::Opening;
use linli_domain::timezone::Zone;
use linli_drivers::duration::format;

/// Longest walking time that is accepted between sites.
const LONGEST_WALK: Duration = Duration::from_secs(2 * 3600);

/// Time zone of a centre that names none: that of the machine, UTC if it has none that has a name.
pub fn machine_timezone() -> String {
    let machine = jiff::tz::TimeZone::try_system().ok();
    let name = machine.as_ref().and_then(jiff::tz::TimeZone::iana_name);
    name.filter(|name| Zone::find(name).is_some()).unwrap_or("UTC").to_owned()
}

/// Checks the file, and the drawings that it names if there is a directory.
pub fn check(
    file: &FacilityFile,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<(Centre, Vec<Room>)> {
    let id = diagnostics.id(&keys(&["centre", "id"]), &file.centre.id);
    if file.centre.name.trim().is_empty() {
        diagnostics.wrong(&keys(&["centre", "name"]), "must not be empty: people look for it");
    }
    let timezone = file.centre.timezone.clone().unwrap_or_else(machine_timezone);
    let zone = Zone::find(&timezone).filter(|_| timezone == "UTC" || timezone.contains('/'));
    if zone.is_none() {
        let message = format!("{timezone:?} is not a time zone such as \"Asia/Shanghai\"");
        diagnostics.wrong(&keys(&["centre", "timezone"]), message);
    }
    let is_zone_of_machine = file.centre.timezone.is_none();
    let opening = file.centre.opening.iter().enumerate().filter_map(|(index, text)| {
        let opening = Opening::parse(text);
        if opening.is_none() {
            let mut path = keys(&["centre", "opening"]);
            path.push(Step::Index(index));
            diagnostics.wrong(&path, format!("{text:?} is not a time such as \"mon-fri 08:30-17:30\""));
        }
        opening
    });
    let opening = opening.collect();
    let people = people::check(file, diagnostics);
    let sites = sites(file, diagnostics);
    if file.centre.form != Form::Compact && sites.len() < 2 {
        let message =
            "a strung or cluster centre has at least two [[site]]; a single one is form = \"compact\"";
        diagnostics.wrong(&keys(&["centre", "form"]), message);
    }
    let mut seen = BTreeSet::new();
    let rooms = file.room.iter().enumerate().filter_map(|(index, raw)| {
        let id = diagnostics.id(&nth("room", index, "id"), &raw.id)?;
        if !seen.insert(id.clone()) {
            diagnostics.wrong(&nth("room", index, "id"), format!("room {id} is there twice"));
        }
        let site = named_site("room", raw.site.as_deref(), index, &sites, diagnostics);
        Some(Room {
            id,
            name: raw.name.clone(),
            site,
            peace_role: raw.peace_role.clone(),
            emergency_roles: raw.emergency_roles.clone(),
            volume: raw.volume,
            floor: raw.floor.unwrap_or(1),
            outline: raw.outline.clone().unwrap_or_default(),
        })
    });
    let rooms: Vec<Room> = rooms.collect();
    let areas = outline::check(file, &rooms, &sites, diagnostics);
    let backgrounds = background::check(file, &sites, dir, diagnostics);
    let name = file.centre.name.clone();
    let centre = Centre {
        id: id?,
        name,
        form: file.centre.form,
        timezone,
        zone: zone?,
        is_zone_of_machine,
        opening,
        people,
        sites,
        areas,
        backgrounds,
    };
    Some((centre, rooms))
}

fn sites(file: &FacilityFile, diagnostics: &mut Diagnostics<'_, '_>) -> Vec<Site> {
    let mut sites: Vec<Site> = Vec::new();
    for (index, raw) in file.site.iter().enumerate() {
        let Some(id) = diagnostics.id(&nth("site", index, "id"), &raw.id) else { continue };
        if sites.iter().any(|site| site.id == id) {
            diagnostics.wrong(&nth("site", index, "id"), format!("site {id} is there twice"));
        }
        let walk = raw.walk.map(|walk| walk.0).unwrap_or_default();
        if walk > LONGEST_WALK {
            let message = format!("{} is longer than 2h; write how long people walk there", format(walk));
            diagnostics.wrong(&nth("site", index, "walk"), message);
        }
        sites.push(Site { id, name: raw.name.clone(), travel_time: walk });
    }
    sites
}
