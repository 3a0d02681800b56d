//! CAP messages, and the proposals they lead to.

use serde::Serialize;

use super::time;
use super::xml::{self, Element, Malformed};
use crate::Class;
use crate::order::Kind;
use linli_domain::Timestamp;

/// `<alert>` (CAP 1.2 §3.2.1).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// `<identifier>`, unique for the sender.
    pub identifier: String,
    /// `<sender>`.
    pub sender: String,
    /// `<sent>`, Unix milliseconds UTC.
    pub sent: Timestamp,
    /// `<status>`: whether it is to be acted upon.
    pub status: Status,
    /// `<msgType>`.
    pub msg_type: MsgType,
    /// `<scope>`.
    pub scope: Scope,
    /// `<note>`.
    pub note: Option<String>,
    /// `<references>`: earlier messages it refers to.
    pub references: Vec<Reference>,
    /// `<incidents>`.
    pub incidents: Option<String>,
    /// `<info>` elements.
    pub info: Vec<Info>,
}

/// `<status>`: whether a message is to be acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Status {
    /// `Actual`: to be acted upon by all recipients.
    Actual,
    /// `Exercise`: for designated participants only.
    Exercise,
    /// `System`: for network-internal functions.
    System,
    /// `Test`: to be disregarded by recipients.
    Test,
    /// `Draft`: not actionable.
    Draft,
}

/// `<msgType>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum MsgType {
    /// `Alert`: new information.
    Alert,
    /// `Update`: supersedes earlier messages.
    Update,
    /// `Cancel`: cancels earlier messages.
    Cancel,
    /// `Ack`: acknowledges earlier messages.
    Ack,
    /// `Error`: rejects earlier messages.
    Error,
}

/// `<scope>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Scope {
    /// `Public`.
    Public,
    /// `Restricted`.
    Restricted,
    /// `Private`: for the named addresses.
    Private,
}

/// An earlier message: `sender,identifier,sent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// `<sender>`.
    pub sender: String,
    /// `<identifier>`.
    pub identifier: String,
    /// `<sent>`, Unix milliseconds UTC.
    pub sent: Timestamp,
}

/// `<info>` (§3.2.2).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Info {
    /// `<language>`, `en-US` by default.
    pub language: String,
    /// `<category>`; at least one.
    pub category: Vec<String>,
    /// `<event>`.
    pub event: String,
    /// `<urgency>`: `Immediate`, `Expected`, `Future`, `Past`, `Unknown`.
    pub urgency: String,
    /// `<severity>`: `Extreme`, `Severe`, `Moderate`, `Minor`, `Unknown`.
    pub severity: String,
    /// `<certainty>`: `Observed`, `Likely`, `Possible`, `Unlikely`, `Unknown`.
    pub certainty: String,
    /// `<effective>`.
    pub effective: Option<Timestamp>,
    /// `<onset>`.
    pub onset: Option<Timestamp>,
    /// `<expires>`.
    pub expires: Option<Timestamp>,
    /// `<headline>`.
    pub headline: Option<String>,
    /// `<description>`.
    pub description: Option<String>,
    /// `<instruction>`.
    pub instruction: Option<String>,
    /// `<parameter>`: names and values.
    pub parameters: Vec<(String, String)>,
    /// `<area>` elements.
    pub areas: Vec<Area>,
}

/// `<area>` (§3.2.4), without polygons and circles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Area {
    /// `<areaDesc>`.
    pub description: String,
    /// `<geocode>`, such as the code of the administrative division.
    pub geocodes: Vec<(String, String)>,
}

/// What a message proposes. People decide with a signed order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The proposed action.
    pub kind: Kind,
    /// `<status>`: whether it is to be acted upon.
    pub class: Class,
    /// Messages it supersedes.
    pub references: Vec<Reference>,
}

const STATUS: [(&str, Status); 5] = [
    ("Actual", Status::Actual),
    ("Exercise", Status::Exercise),
    ("System", Status::System),
    ("Test", Status::Test),
    ("Draft", Status::Draft),
];
const MSG_TYPE: [(&str, MsgType); 5] = [
    ("Alert", MsgType::Alert),
    ("Update", MsgType::Update),
    ("Cancel", MsgType::Cancel),
    ("Ack", MsgType::Ack),
    ("Error", MsgType::Error),
];
const SCOPE: [(&str, Scope); 3] =
    [("Public", Scope::Public), ("Restricted", Scope::Restricted), ("Private", Scope::Private)];
const URGENCY: [&str; 5] = ["Immediate", "Expected", "Future", "Past", "Unknown"];
const SEVERITY: [&str; 5] = ["Extreme", "Severe", "Moderate", "Minor", "Unknown"];
const CERTAINTY: [&str; 5] = ["Observed", "Likely", "Possible", "Unlikely", "Unknown"];

// === impl Status ===

impl Status {
    /// The word of the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Actual => "Actual",
            Self::Exercise => "Exercise",
            Self::System => "System",
            Self::Test => "Test",
            Self::Draft => "Draft",
        }
    }
}

// === impl MsgType ===

impl MsgType {
    /// The word of the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "Alert",
            Self::Update => "Update",
            Self::Cancel => "Cancel",
            Self::Ack => "Ack",
            Self::Error => "Error",
        }
    }
}

// === impl Alert ===

impl Alert {
    /// Parses a message.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let root = xml::parse(bytes)?;
        if root.name != "alert" {
            return Err(Malformed::Message(format!("it is <{}>, not <alert>", root.name)));
        }
        Self::of(&root).map_err(Malformed::Message)
    }

    fn of(root: &Element) -> Result<Self, String> {
        let identifier = name(root, "identifier")?;
        let sender = name(root, "sender")?;
        let msg_type = word(root, "msgType", &MSG_TYPE)?;
        let references = match optional(root, "references")? {
            Some(text) => references(text)?,
            None => Vec::new(),
        };
        if matches!(msg_type, MsgType::Update | MsgType::Cancel) && references.is_empty() {
            return Err("an Update or Cancel says in <references> of what".to_owned());
        }
        let infos = root.children.iter().filter(|child| child.name == "info");
        Ok(Self {
            identifier,
            sender,
            sent: when(root, "sent")?.ok_or("<sent> is missing")?,
            status: word(root, "status", &STATUS)?,
            msg_type,
            scope: word(root, "scope", &SCOPE)?,
            note: optional(root, "note")?.map(str::to_owned),
            references,
            incidents: optional(root, "incidents")?.map(str::to_owned),
            info: infos.map(Info::of).collect::<Result<_, _>>()?,
        })
    }

    /// Returns the proposal; `None` when the message is only to be acknowledged.
    #[must_use]
    pub fn proposes(&self) -> Option<Proposal> {
        let class = match self.status {
            Status::Actual => Class::Actual,
            Status::Exercise => Class::Exercise,
            Status::System | Status::Test | Status::Draft => return None,
        };
        let kind = match self.msg_type {
            MsgType::Alert => Kind::Enter,
            MsgType::Update => Kind::Amend,
            MsgType::Cancel => Kind::Cancel,
            MsgType::Ack | MsgType::Error => return None,
        };
        Some(Proposal { kind, class, references: self.references.clone() })
    }
}

// === impl Info ===

impl Info {
    fn of(info: &Element) -> Result<Self, String> {
        let category: Vec<String> = texts(info, "category");
        if category.is_empty() {
            return Err("<category> is missing in <info>".to_owned());
        }
        let text = |name: &str| optional(info, name).map(|text| text.map(str::to_owned));
        Ok(Self {
            language: text("language")?.unwrap_or_else(|| "en-US".to_owned()),
            category,
            event: needed(info, "event")?.to_owned(),
            urgency: one_of(info, "urgency", &URGENCY)?,
            severity: one_of(info, "severity", &SEVERITY)?,
            certainty: one_of(info, "certainty", &CERTAINTY)?,
            effective: when(info, "effective")?,
            onset: when(info, "onset")?,
            expires: when(info, "expires")?,
            headline: text("headline")?,
            description: text("description")?,
            instruction: text("instruction")?,
            parameters: pairs(info, "parameter")?,
            areas: info
                .children
                .iter()
                .filter(|child| child.name == "area")
                .map(Area::of)
                .collect::<Result<_, _>>()?,
        })
    }
}

// === impl Area ===

impl Area {
    fn of(area: &Element) -> Result<Self, String> {
        Ok(Self { description: needed(area, "areaDesc")?.to_owned(), geocodes: pairs(area, "geocode")? })
    }
}

/// The triples of `<references>`.
fn references(text: &str) -> Result<Vec<Reference>, String> {
    // GB/T 35965 writes times with a blank: what follows a date belongs to it.
    let mut parts: Vec<String> = Vec::new();
    for part in text.split_whitespace() {
        match parts.last_mut() {
            Some(last) if !part.contains(',') => {
                last.push(' ');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    let triple = |text: &String| {
        let mut fields = text.splitn(3, ',');
        let (sender, identifier, sent) = (fields.next()?, fields.next()?, fields.next()?);
        let sent = time::parse(sent)?;
        let is_whole = !sender.is_empty() && !identifier.is_empty();
        is_whole.then(|| Reference { sender: sender.to_owned(), identifier: identifier.to_owned(), sent })
    };
    parts
        .iter()
        .map(|text| triple(text).ok_or(format!("<references>: {text:?} is not sender,identifier,sent")))
        .collect()
}

fn optional<'e>(of: &'e Element, name: &str) -> Result<Option<&'e str>, String> {
    let mut found = of.children.iter().filter(|child| child.name == name);
    let first = found.next();
    if found.next().is_some() {
        return Err(format!("<{name}> stands twice in <{}>", of.name));
    }
    Ok(first.map(|child| child.text.as_str()).filter(|text| !text.is_empty()))
}

fn needed<'e>(of: &'e Element, name: &str) -> Result<&'e str, String> {
    optional(of, name)?.ok_or_else(|| format!("<{name}> is missing in <{}>", of.name))
}

/// A name that references can carry: no blanks, commas, `<` or `&` (§3.2.1).
fn name(of: &Element, name: &str) -> Result<String, String> {
    let text = needed(of, name)?;
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '<' | '&');
    if text.chars().any(is_bad) || text.chars().count() > 256 {
        return Err(format!("<{name}> has a blank, a comma, < or & in it, or is too long"));
    }
    Ok(text.to_owned())
}

fn word<T: Copy>(of: &Element, name: &str, words: &[(&str, T)]) -> Result<T, String> {
    let text = needed(of, name)?;
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("<{name}> is {text:?}, none of {}", known.join(", "))
    })
}

fn one_of(of: &Element, name: &str, words: &[&str]) -> Result<String, String> {
    let text = needed(of, name)?;
    match words.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("<{name}> is {text:?}, none of {}", words.join(", "))),
    }
}

fn when(of: &Element, name: &str) -> Result<Option<Timestamp>, String> {
    let Some(text) = optional(of, name)? else { return Ok(None) };
    let example = "a time with its offset, such as 2026-11-24T08:00:00+08:00";
    time::parse(text).map(Some).ok_or(format!("<{name}> is {text:?}, not {example}"))
}

fn texts(of: &Element, name: &str) -> Vec<String> {
    let found = of.children.iter().filter(|child| child.name == name);
    found.map(|child| child.text.clone()).filter(|text| !text.is_empty()).collect()
}

fn pairs(of: &Element, name: &str) -> Result<Vec<(String, String)>, String> {
    let found = of.children.iter().filter(|child| child.name == name);
    let pair = |child: &Element| {
        Ok((needed(child, "valueName")?.to_owned(), optional(child, "value")?.unwrap_or_default().to_owned()))
    };
    found.map(pair).collect()
}
