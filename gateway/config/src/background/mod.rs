//! Checks `[[background]]`: drawings that lie below the outlines of the map.

mod svg;

use std::path::Path;

use ring::digest::{SHA256, digest};

use super::checked::{Background, Corner};
use super::diagnostics::{Diagnostics, nth};
use super::raw::FacilityFile;
use super::report::Problem;
use super::site::named_site;
use linli_mode::facility::Site;

/// The folder of the drawings in the configuration directory.
pub const FOLDER: &str = "maps";

/// Most drawings of a centre: each is held in memory.
const MOST: usize = 16;

/// Length of a site that is accepted, in metres.
const LONGEST: f64 = 1000.0;

/// Shortest side of a drawing, in metres.
const SHORTEST: f64 = 1.0;

/// Bytes of the digest that name a drawing.
const NAME: usize = 8;

/// Checks the drawings. Without a directory the files are not read.
pub fn check(
    file: &FacilityFile,
    sites: &[Site],
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<Background> {
    if file.background.len() > MOST {
        let message =
            format!("{} drawings are more than {MOST}; one a floor is enough", file.background.len());
        diagnostics.wrong(&nth("background", MOST, ""), message);
        return Vec::new();
    }
    let mut known: Vec<Background> = Vec::new();
    for (index, raw) in file.background.iter().enumerate() {
        super::outline::floor(raw.floor, &nth("background", index, "floor"), diagnostics);
        let site = named_site("background", raw.site.as_deref(), index, sites, diagnostics);
        let floor = raw.floor.unwrap_or(1);
        if known.iter().any(|other| other.site == site && other.floor == floor) {
            diagnostics.wrong(
                &nth("background", index, "file"),
                "a floor of a site has one drawing; this is the second",
            );
        }
        let corner = raw.corner.unwrap_or_default();
        place(corner, raw.size, index, diagnostics);
        let Some(name) = named(&raw.file, index, diagnostics) else { continue };
        let svg = dir.and_then(|dir| read(dir, name, index, diagnostics));
        let digest = digest(&SHA256, svg.as_deref().unwrap_or_default().as_bytes());
        let id = hex(&digest.as_ref()[..NAME]);
        known.push(Background {
            site,
            floor,
            corner,
            size: raw.size,
            id,
            svg: svg.unwrap_or_default().into(),
        });
    }
    known
}

/// Hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn place(corner: Corner, size: Corner, index: usize, diagnostics: &mut Diagnostics<'_, '_>) {
    if corner.iter().any(|length| !(0.0..=LONGEST).contains(length)) {
        let message = format!(
            "{corner:?} is outside the site: metres from its north-west corner, [east, south], 0 to {LONGEST}"
        );
        diagnostics.wrong(&nth("background", index, "corner"), message);
    }
    if size.iter().any(|length| !(SHORTEST..=LONGEST).contains(length)) {
        let message = format!(
            "{size:?} is no size of a floor: how many metres the drawing is wide and deep, each {SHORTEST} to {LONGEST}"
        );
        diagnostics.wrong(&nth("background", index, "size"), message);
    }
}

/// The name of a file in the folder: nothing outside it is read.
fn named<'n>(name: &'n str, index: usize, diagnostics: &mut Diagnostics<'_, '_>) -> Option<&'n str> {
    let is_plain = |name: &str| {
        name.len() <= 80
            && !name.starts_with('.')
            && !name.contains(['/', '\\', '\0'])
            && name.ends_with(".svg")
    };
    if is_plain(name) {
        return Some(name);
    }
    let message = format!(
        "{name:?} is not the name of an SVG file in {FOLDER}/ beside facility.toml, such as \"ground-floor.svg\""
    );
    diagnostics.wrong(&nth("background", index, "file"), message);
    None
}

fn read(dir: &Path, name: &str, index: usize, diagnostics: &mut Diagnostics<'_, '_>) -> Option<String> {
    let path = dir.join(FOLDER).join(name);
    let key = nth("background", index, "file");
    let length = match std::fs::metadata(&path) {
        Ok(found) if found.is_file() => found.len(),
        Ok(_) => {
            diagnostics.wrong(&key, format!("{FOLDER}/{name} is no file"));
            return None;
        }
        Err(error) => {
            let message =
                format!("{FOLDER}/{name} cannot be read: {error}; put it beside facility.toml, in {FOLDER}/");
            diagnostics.wrong(&key, message);
            return None;
        }
    };
    if length > svg::LARGEST as u64 {
        let message = format!(
            "{FOLDER}/{name} is {} KiB long; at most {} KiB are read: leave out what the map does not need",
            length / 1024,
            svg::LARGEST / 1024
        );
        diagnostics.wrong(&key, message);
        return None;
    }
    let text = match std::fs::read(&path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            diagnostics.wrong(
                &key,
                format!("{FOLDER}/{name} is not UTF-8 text; save it as plain SVG, not compressed (.svgz)"),
            );
            return None;
        }
        Err(error) => {
            diagnostics.wrong(&key, format!("{FOLDER}/{name} cannot be read: {error}"));
            return None;
        }
    };
    match svg::clean(&text) {
        Ok(clean) => Some(clean),
        Err(svg::Wrong { place, message }) => {
            let file = format!("{FOLDER}/{name}");
            diagnostics.add(Problem::at(&file, &text, place, String::new(), message));
            None
        }
    }
}
