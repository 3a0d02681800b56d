//! Configuration: raw text, then shape, then [`Checked`], which contains no errors.
//!
//! Everything is checked before anything starts, and all problems are reported together.

mod accounts;
mod alarms;
mod aliases;
mod background;
mod building;
mod cabin;
mod canteen;
mod check;
mod checked;
mod checked_plan;
mod diagnostics;
mod diff;
mod facility;
pub mod files;
mod gateway_file;
pub mod host;
mod kiosks;
mod last_good;
mod lines;
mod named_files;
mod outbound;
mod outline;
mod people;
mod planned;
mod plans;
mod policy;
pub mod proposal;
mod raw;
mod readable;
mod recovery;
mod report;
pub mod schema;
mod secret;
pub mod settings;
mod shape;
mod site;
mod text;

use std::path::{Path, PathBuf};

pub use checked::{Checked, ConfiguredLine, Insecure, LocalAccount, Room, Web, WebLimits, Worker};
pub use checked_plan::CheckedPlan;
pub use diff::{Changes, diff};
pub use kiosks::token_file;
pub use last_good::{Booted, keep_last_good, load_or_last_good};
pub use people::People;
pub use planned::planned;
pub use readable::unreadable;
pub use report::{Problem, Report};

use linli_drivers::modbus::profile::ProfileSet;
use proposal::{Proposal, Proposed};

/// Default path of the database.
pub const DEFAULT_STORE: &str = "/var/lib/linli/linli.db";

/// The file that proposals change.
const FACILITY: &str = "facility.toml";

/// Longest configuration file in bytes.
const LONGEST_FILE: u64 = 4 << 20;

/// Loads and checks a configuration directory completely. Opens no port.
///
/// # Errors
/// All problems found, with file, line and key.
pub fn load(dir: &Path) -> Result<Checked, Report> {
    load_as_far_as_may_be(dir).map(|(checked, _)| checked)
}

/// The same, with what belongs to the gateway's user and is kept from whoever asks: nothing is known of it.
///
/// # Errors
/// All problems found, with file, line and key.
pub fn load_as_far_as_may_be(dir: &Path) -> Result<(Checked, Vec<Problem>), Report> {
    load_instead(dir, None)
}

/// The same, with a proposal in facility.toml; no file is changed.
///
/// # Errors
/// All problems found, those of the proposal among them.
pub fn load_proposed(dir: &Path, proposal: &Proposal) -> Result<(Checked, Proposed), Report> {
    let mut problems = Vec::new();
    let before = read(dir, FACILITY, &mut problems);
    let Some(before) = before else { return Err(Report { problems }) };
    // A file that is wrong already is told with its place.
    let proposed = match proposal.put_into(&before) {
        Ok(proposed) => proposed,
        Err(problems) => return Err(load(dir).err().unwrap_or(Report { problems })),
    };
    let (checked, _) = load_instead(dir, Some(&proposed.text))?;
    Ok((checked, proposed))
}

/// Loads a directory, with another text of facility.toml if one is given.
fn load_instead(dir: &Path, facility: Option<&str>) -> Result<(Checked, Vec<Problem>), Report> {
    let mut problems = Vec::new();
    let text = |file: &'static str, problems: &mut Vec<Problem>| match facility {
        Some(text) if file == FACILITY => Some(text.to_owned()),
        _ => read(dir, file, problems),
    };
    let texts: Vec<(&str, Option<String>)> =
        schema::FILES.iter().map(|file| (*file, text(file, &mut problems))).collect();
    unknown_files(dir, &mut problems);
    let profiles = profiles(dir, &mut problems);
    let plans = plan_texts(dir, &mut problems);
    let given: Vec<(&str, &str)> = texts
        .iter()
        .filter_map(|(file, text)| Some((*file, text.as_deref()?)))
        .chain(plans.iter().map(|(file, text)| (file.as_str(), text.as_str())))
        .collect();
    let checked = check::check(&given, &profiles, Some(dir), &mut problems);
    let (kept, problems) = problems.into_iter().partition(|problem| problem.is_kept);
    match (Report::of(problems), checked) {
        (None, Some(checked)) => Ok((checked, kept)),
        (Some(report), _) => Err(report),
        (None, None) => {
            Err(Report { problems: vec![Problem::file("gateway.toml", "could not be understood")] })
        }
    }
}

/// Checks texts without a directory: certificates, secrets and own profiles are not read. Never
/// panics, whatever the texts.
///
/// # Errors
/// All problems found, with file, line and key.
pub fn load_texts(texts: &[(&str, &str)]) -> Result<Checked, Report> {
    let mut problems = Vec::new();
    let checked = check::check(texts, &ProfileSet::embedded(), None, &mut problems);
    match (Report::of(problems), checked) {
        (None, Some(checked)) => Ok(checked),
        (Some(report), _) => Err(report),
        (None, None) => Err(Report { problems: vec![Problem::file("gateway.toml", "is missing")] }),
    }
}

/// Path of the database; the default when gateway.toml cannot be parsed.
#[must_use]
pub fn store_path(dir: &Path) -> PathBuf {
    let text = std::fs::read_to_string(dir.join("gateway.toml")).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    let path = table.get("store").and_then(|store| store.get("path")).and_then(|path| path.as_str());
    dir.join(path.unwrap_or(DEFAULT_STORE))
}

/// The centre's time zone; that of the machine when facility.toml cannot be parsed or names none.
#[must_use]
pub fn timezone(dir: &Path) -> String {
    let text = std::fs::read_to_string(dir.join("facility.toml")).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    let zone = table.get("centre").and_then(|centre| centre.get("timezone")).and_then(|zone| zone.as_str());
    zone.map_or_else(facility::machine_timezone, str::to_owned)
}

/// Log level; `info` when gateway.toml cannot be parsed.
#[must_use]
pub fn log_level(dir: &Path) -> String {
    let text = std::fs::read_to_string(dir.join("gateway.toml")).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    let level = table.get("log").and_then(|log| log.get("level")).and_then(|level| level.as_str());
    level.unwrap_or("info").to_owned()
}

fn read(dir: &Path, file: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let path = dir.join(file);
    let too_long = std::fs::metadata(&path).is_ok_and(|found| found.len() > LONGEST_FILE);
    if too_long {
        problems.push(Problem::file(file, "is longer than 4 MiB: that is no configuration"));
        return None;
    }
    match std::fs::read(&path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                problems
                    .push(Problem::file(file, format!("is not UTF-8 text (byte {at}); save it as UTF-8")));
                None
            }
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && schema::OPTIONAL.contains(&file) => {
            None
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("is missing in {}; `linli init` writes one to start from", dir.display());
            problems.push(Problem::file(file, message));
            None
        }
        Err(error) => {
            problems.push(Problem::file(file, format!("cannot be read: {error}")));
            None
        }
    }
}

/// Reports `.toml` files that are not read: most likely their names are misspelt.
fn unknown_files(dir: &Path, problems: &mut Vec<Problem>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") && !schema::FILES.contains(&name.as_str()) {
            let known = schema::FILES.join(", ");
            let near = shape::nearest(&name, &schema::FILES)
                .map(|n| format!("; did you mean {n:?}?"))
                .unwrap_or_default();
            problems.push(Problem::file(
                &name,
                format!("is not read by this version, which knows {known}{near}"),
            ));
        }
    }
}

/// Names and texts of the files in plans/, sorted by name.
fn plan_texts(dir: &Path, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(dir.join("plans")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| format!("plans/{}", entry.file_name().to_string_lossy()))
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort();
    names.into_iter().filter_map(|name| Some((name.clone(), read(dir, &name, problems)?))).collect()
}

fn profiles(dir: &Path, problems: &mut Vec<Problem>) -> ProfileSet {
    let own = dir.join("devices");
    if !own.is_dir() {
        return ProfileSet::embedded();
    }
    let (set, errors) = ProfileSet::embedded().extended(&own);
    problems.extend(errors.into_iter().map(|error| {
        let file = format!("devices/{}", error.file.display());
        Problem { line: error.line.unwrap_or(0), column: 1, ..Problem::file(&file, error.message) }
    }));
    set
}
