//! The checked configuration, and the way there.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::report::Report as Rule;
use linli_drivers::LinePlan;
use linli_drivers::modbus::profile::ProfileSet;
use serde::de::DeserializeOwned;

use super::raw::{DevicesFile, FacilityFile, Form, GatewayFile};
use super::report::Problem;
use super::text::{Document, Step, way};
use super::{facility, gateway_file, lines, mend, schema, shape};

/// A configuration that cannot be wrong.
pub struct Checked {
    /// `[gateway]`.
    pub gateway: GatewayId,
    /// `[centre]`.
    pub centre: Centre,
    /// Rooms.
    pub rooms: Vec<Room>,
    /// Lines with their devices.
    pub lines: Vec<CheckedLine>,
    /// The store.
    pub store: linli_store::Settings,
    /// The broker, if there is one.
    pub uplink: Option<linli_uplink::Settings>,
    /// The listener.
    pub web: Web,
}

/// `[gateway]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayId {
    /// Unique in the centre.
    pub id: Id,
}

/// `[centre]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Centre {
    /// Unique in the district.
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// compact, strung or cluster.
    pub form: Form,
    /// Time zone.
    pub timezone: String,
}

/// A room.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// Unique in the centre.
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// Its site.
    pub site: Option<Id>,
    /// What it is in peace.
    pub peace_role: Option<String>,
    /// What it can become.
    pub emergency_roles: Vec<String>,
    /// Cubic metres.
    pub volume: Option<f64>,
    /// Doors and windows.
    pub openings: Vec<Id>,
}

/// A line with its devices.
pub struct CheckedLine {
    /// What it does.
    pub plan: Arc<dyn LinePlan>,
    /// Per device of the plan, one rule per point of its layout.
    pub reports: Vec<Vec<Rule>>,
    /// Per device of the plan, the age at which a value is stale.
    pub stale_after: Vec<Duration>,
}

/// `[web]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// Where to listen.
    pub listen: SocketAddr,
}

/// Collects problems of one file.
pub struct Notes<'n, 'a> {
    document: &'n Document<'a>,
    problems: &'n mut Vec<Problem>,
}

// === impl Notes ===

impl<'n, 'a> Notes<'n, 'a> {
    /// Notes on one file.
    fn of(document: &'n Document<'a>, problems: &'n mut Vec<Problem>) -> Self {
        Self { document, problems }
    }

    /// Something is wrong at that key.
    pub fn wrong(&mut self, path: &[Step], message: impl Into<String>) {
        let Document { name, text, .. } = self.document;
        self.problems.push(Problem::at(name, text, self.document.place(path), way(path), message));
    }

    /// An id, or a note of what is wrong with it.
    pub fn id(&mut self, path: &[Step], text: &str) -> Option<Id> {
        match Id::new(text) {
            Ok(id) => Some(id),
            Err(error) => {
                self.wrong(path, format!("{text:?} {error}"));
                None
            }
        }
    }
}

/// A path of keys.
pub fn keys(keys: &[&str]) -> Vec<Step> {
    keys.iter().map(|key| Step::Key((*key).to_owned())).collect()
}

/// The path to a key of the nth table of an array.
pub fn nth(array: &str, index: usize, key: &str) -> Vec<Step> {
    let mut path = vec![Step::Key(array.to_owned()), Step::Index(index)];
    if !key.is_empty() {
        path.push(Step::Key(key.to_owned()));
    }
    path
}

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
    let shaped = problems.len();

    let centre = facility
        .and_then(|(index, file)| facility::check(&file, &mut Notes::of(&documents[index], problems)));
    let room_ids: Option<Vec<Id>> =
        centre.as_ref().map(|(_, rooms)| rooms.iter().map(|r| r.id.clone()).collect());
    let lines = devices.map(|(index, file)| {
        lines::check(&file, room_ids.as_deref(), profiles, &mut Notes::of(&documents[index], problems))
    });
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
        lines,
        store: gateway.store,
        uplink: gateway.uplink,
        web: gateway.web,
    })
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
