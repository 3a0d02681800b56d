//! How a profile and its units are called. A site's own profile may be short: what it does not say follows from its
//! file, and units are written as people write them.

use linli_domain::unit;

use super::raw::RawPoint;

/// Where a profile comes from: a site's own needs points only, a built-in one also names itself and proves by a
/// capture that it is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    BuiltIn,
    Site,
}

/// The folder, if there is one, and the name of a file without its ending.
pub(super) fn of_file(file: &str) -> (Option<&str>, &str) {
    let (folder, name) = file.rsplit_once('/').map_or((None, file), |(folder, name)| (Some(folder), name));
    (folder, name.strip_suffix(".toml").unwrap_or(name))
}

/// A text that a built-in profile must have; in a site's own it is `otherwise` when it is missing.
pub(super) fn text(
    key: &str,
    written: Option<&String>,
    otherwise: &str,
    origin: Origin,
    problems: &mut Vec<String>,
) -> String {
    match (written, origin) {
        (Some(text), _) if !text.trim().is_empty() => return text.clone(),
        (_, Origin::Site) => {}
        (Some(_), Origin::BuiltIn) => problems.push(format!("{key} is empty")),
        (None, Origin::BuiltIn) => problems.push(format!("missing field `{key}`")),
    }
    otherwise.to_owned()
}

/// The UCUM code of a point's unit. In a site's own profile another spelling is taken for the unit it means, which a
/// warning says.
pub(super) fn unit(
    raw: &RawPoint,
    is_number: bool,
    origin: Origin,
    warnings: &mut Vec<String>,
) -> Result<String, String> {
    let Some(written) = &raw.unit else {
        let why = "needs a unit (UCUM code; \"1\" when dimensionless)";
        return if is_number { Err(why.to_owned()) } else { Ok("1".to_owned()) };
    };
    if unit::find(written).is_some() {
        return Ok(written.clone());
    }
    let meant = unit::spelled(written);
    match (meant, origin) {
        (Some(unit), Origin::Site) => {
            let note = format!("point {}: unit {written:?} is read as {:?} (UCUM)", raw.name, unit.code);
            warnings.push(format!("{note}; 单位按 UCUM 读作 {:?}", unit.code));
            Ok(unit.code.to_owned())
        }
        (Some(unit), Origin::BuiltIn) => {
            Err(format!("unit {written:?} is not a UCUM code linli knows; did you mean {:?}?", unit.code))
        }
        (None, _) => Err(format!("unit {written:?} is not a UCUM code linli knows")),
    }
}
