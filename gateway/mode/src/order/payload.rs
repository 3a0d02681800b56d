//! The content of an order. CBOR, deterministically encoded (RFC 8949 §4.2.1): one order has one
//! encoding, so that its hash identifies it.

use ciborium::Value;
use serde::{Deserialize, Serialize};

use crate::Class;
use linli_domain::{Id, Timestamp};

/// Times that an order can name: Unix milliseconds, the years 1970 to 9999.
const TIMES: std::ops::Range<i64> = 0..253_402_300_800_000;

/// The only version.
const VERSION: i128 = 1;

/// Beginnings of ids that a centre gives itself: to orders on the spot, and to its commands. No
/// order from elsewhere has such an id.
pub const OWN_PREFIXES: [&str; 5] = [LOCAL, "mode-", "notice-", "siren-", "linli-"];

/// Beginning of the ids of orders given on the spot.
pub const LOCAL: &str = "local-";

/// Validity of a local order, the longest permitted: one hour in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Enter the emergency mode.
    Enter,
    /// Return to normal operation.
    Return,
    /// Replace an order that has not begun.
    Amend,
    /// Cancel an order.
    Cancel,
    /// The emergency has ended.
    StandDown,
    /// Stop: outputs become safe, nothing moves.
    Stop,
}

/// The authority that gives an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The district.
    District,
    /// People on site, when the district cannot be reached.
    Local,
}

/// A plan, by its name and the hash of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanHash {
    /// `id@version`.
    pub plan: String,
    /// SHA-256 of the file.
    pub hash: [u8; 32],
}

/// A centre and the plans it is to carry out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The centre.
    pub centre: Id,
    /// Its site, where several gateways run one centre; `None` is all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Id>,
    /// Its plans, one for each room.
    pub plans: Vec<PlanHash>,
    /// Hash of the building model at the preview; `None` is not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<[u8; 32]>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// Sequence number per authority and class; strictly increasing for each target.
    pub seq: u64,
    /// What is ordered.
    pub kind: Kind,
    /// Actual or drill.
    pub class: Class,
    /// The authority that gives it.
    pub authority: Authority,
    /// The centres it is for.
    pub targets: Vec<Target>,
    /// The kind of emergency, such as `epidemic.sampling`.
    pub mode: String,
    /// Not before, Unix milliseconds UTC.
    pub not_before: Timestamp,
    /// Expiry: it begins nothing afterwards.
    pub expires: Timestamp,
    /// When it was signed.
    pub sent: Timestamp,
    /// The document it is based on (文号).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Orders that it amends or cancels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<String>,
    /// The message that it answers, unchanged (CAP or GB/T 35965).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Vec<u8>>,
}

/// Why bytes are not an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than any order.
    #[error(
        "an order of {0} bytes is too long, {max} at most: name fewer centres or plans in it, and sign several orders",
        max = super::LARGEST
    )]
    Large(usize),
    /// Not CBOR, or not COSE_Sign.
    #[error("not a COSE_Sign envelope: {0}")]
    Envelope(String),
    /// Not the CBOR map of an order.
    #[error("not an order: {0}")]
    Payload(String),
    /// Not the deterministic encoding: one order would have two hashes.
    #[error("not deterministically encoded CBOR (RFC 8949 section 4.2.1): one order has one form")]
    NotCanonical,
    /// A header is marked as critical (RFC 9052 §3.1) that is not understood here.
    #[error("the header {0} is critical and is not understood here")]
    Critical(String),
}

// === impl Order ===

impl Order {
    /// An order that people on the spot give to one centre: valid from now on for as long as a local order may be.
    /// `entropy` makes its id.
    #[must_use]
    pub fn on_the_spot(
        entropy: [u8; 6],
        now: Timestamp,
        seq: u64,
        (kind, class): (Kind, Class),
        mode: &str,
        target: Target,
    ) -> Self {
        Self {
            id: format!("{LOCAL}{}", linli_domain::audit::hex(&entropy)),
            seq,
            kind,
            class,
            authority: Authority::Local,
            targets: vec![target],
            mode: mode.to_owned(),
            not_before: now,
            expires: Timestamp(now.0.saturating_add(HOUR_MS)),
            sent: now,
            reference: None,
            supersedes: Vec::new(),
            cap: None,
        }
    }

    /// Encodes it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut members = vec![
            ("v", Value::from(1)),
            ("id", Value::from(self.id.as_str())),
            ("seq", Value::from(self.seq)),
            ("kind", Value::from(self.kind.as_str())),
            ("class", Value::from(self.class.to_string())),
            ("auth", Value::from(self.authority.as_str())),
            ("mode", Value::from(self.mode.as_str())),
            ("not_before", Value::from(self.not_before.0)),
            ("expires", Value::from(self.expires.0)),
            ("sent", Value::from(self.sent.0)),
            ("targets", Value::Array(self.targets.iter().map(Target::to_value).collect())),
        ];
        if let Some(reference) = &self.reference {
            members.push(("ref", Value::from(reference.as_str())));
        }
        if !self.supersedes.is_empty() {
            let ids = self.supersedes.iter().map(|id| Value::from(id.as_str())).collect();
            members.push(("supersedes", Value::Array(ids)));
        }
        if let Some(cap) = &self.cap {
            members.push(("cap", Value::Bytes(cap.clone())));
        }
        bytes(&map(members))
    }

    /// Decodes bytes, which must be the deterministic encoding.
    pub fn decode(encoded: &[u8]) -> Result<Self, Malformed> {
        if encoded.len() > super::LARGEST {
            return Err(Malformed::Large(encoded.len()));
        }
        let mut rest = encoded;
        let value = ciborium::de::from_reader_with_recursion_limit::<Value, _>(&mut rest, 16)
            .map_err(|error| Malformed::Payload(error.to_string()))?;
        if !rest.is_empty() {
            return Err(Malformed::Payload("something follows after it".to_owned()));
        }
        let order = Self::read(value).map_err(Malformed::Payload)?;
        if order.encode() != encoded {
            return Err(Malformed::NotCanonical);
        }
        Ok(order)
    }

    fn read(value: Value) -> Result<Self, String> {
        let mut members = Members::of(value, "an order")?;
        let version = members.integer("v")?;
        if version != VERSION {
            return Err(format!("version {version} is not understood, only {VERSION}"));
        }
        let order = Self {
            id: members.text("id")?,
            seq: members.integer("seq")?.try_into().map_err(|_| "seq must be 0 or more")?,
            kind: Kind::read(&members.text("kind")?)?,
            class: match members.text("class")?.as_str() {
                "Actual" => Class::Actual,
                "Exercise" => Class::Exercise,
                other => return Err(format!("class {other:?} is neither Actual nor Exercise")),
            },
            authority: match members.text("auth")?.as_str() {
                "district" => Authority::District,
                "local" => Authority::Local,
                other => return Err(format!("auth {other:?} is neither district nor local")),
            },
            mode: members.text("mode")?,
            not_before: members.time("not_before")?,
            expires: members.time("expires")?,
            sent: members.time("sent")?,
            targets: members.array("targets")?.into_iter().map(Target::read).collect::<Result<_, _>>()?,
            reference: members.optional("ref").map(text).transpose()?,
            supersedes: match members.optional("supersedes") {
                Some(Value::Array(ids)) => ids.into_iter().map(text).collect::<Result<_, _>>()?,
                Some(_) => return Err("supersedes must be a list".to_owned()),
                None => Vec::new(),
            },
            cap: match members.optional("cap") {
                Some(Value::Bytes(bytes)) => Some(bytes),
                Some(_) => return Err("cap must be bytes".to_owned()),
                None => None,
            },
        };
        members.end()?;
        if order.id.is_empty() || order.id.chars().count() > 64 || order.id.chars().any(char::is_control) {
            return Err("id must be 1 to 64 characters".to_owned());
        }
        if order.targets.is_empty() {
            return Err("targets must name at least one centre".to_owned());
        }
        if order.not_before >= order.expires {
            return Err("expires must be later than not_before".to_owned());
        }
        Ok(order)
    }

    /// Returns what it orders a centre.
    #[must_use]
    pub fn target(&self, centre: &Id) -> Option<&Target> {
        self.targets.iter().find(|target| target.centre == *centre)
    }

    /// Returns what it orders the gateway of these sites: a target that names one of them takes
    /// precedence over one for the whole centre.
    #[must_use]
    pub fn target_at(&self, centre: &Id, sites: &[Id]) -> Option<&Target> {
        let of_centre = || self.targets.iter().filter(|target| target.centre == *centre);
        let named = of_centre().find(|target| target.site.as_ref().is_some_and(|site| sites.contains(site)));
        named.or_else(|| of_centre().find(|target| target.site.is_none()))
    }
}

// === impl Target ===

impl Target {
    fn to_value(&self) -> Value {
        let plans = self.plans.iter().map(|plan| {
            map(vec![("plan", Value::from(plan.plan.as_str())), ("hash", Value::Bytes(plan.hash.to_vec()))])
        });
        let mut members =
            vec![("centre", Value::from(self.centre.as_str())), ("plans", Value::Array(plans.collect()))];
        if let Some(snapshot) = self.snapshot {
            members.push(("snapshot", Value::Bytes(snapshot.to_vec())));
        }
        if let Some(site) = &self.site {
            members.push(("site", Value::from(site.as_str())));
        }
        map(members)
    }

    fn read(value: Value) -> Result<Self, String> {
        let mut members = Members::of(value, "a target")?;
        let id = |key: &str, text: String| Id::new(&text).map_err(|error| format!("{key} {text:?} {error}"));
        let centre = id("centre", members.text("centre")?)?;
        let site = match members.optional("site") {
            Some(Value::Text(site)) => Some(id("site", site)?),
            Some(_) => return Err("site must be a text".to_owned()),
            None => None,
        };
        let plans = members.array("plans")?.into_iter().map(|plan| {
            let mut members = Members::of(plan, "a plan")?;
            let read = PlanHash { plan: members.text("plan")?, hash: members.hash("hash")? };
            members.end().map(|()| read)
        });
        let plans = plans.collect::<Result<_, String>>()?;
        let snapshot = match members.optional("snapshot") {
            Some(value) => Some(hash(value, "snapshot")?),
            None => None,
        };
        members.end()?;
        Ok(Self { centre, site, plans, snapshot })
    }
}

// === impl Kind ===

impl Kind {
    /// Returns the name in an order.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enter => "Enter",
            Self::Return => "Return",
            Self::Amend => "Amend",
            Self::Cancel => "Cancel",
            Self::StandDown => "StandDown",
            Self::Stop => "Stop",
        }
    }

    fn read(text: &str) -> Result<Self, String> {
        [Self::Enter, Self::Return, Self::Amend, Self::Cancel, Self::StandDown, Self::Stop]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("kind {text:?} is none of Enter, Return, Amend, Cancel, StandDown, Stop"))
    }
}

// === impl Authority ===

impl Authority {
    /// Returns the name in an order.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::District => "district",
            Self::Local => "local",
        }
    }
}

/// The members of a map, taken one by one.
struct Members {
    left: Vec<(String, Value)>,
    of: &'static str,
}

// === impl Members ===

impl Members {
    fn of(value: Value, of: &'static str) -> Result<Self, String> {
        let Value::Map(members) = value else { return Err(format!("{of} must be a map")) };
        let mut left = Vec::with_capacity(members.len());
        for (key, value) in members {
            let key = text(key).map_err(|_| format!("the keys of {of} must be texts"))?;
            if left.iter().any(|(known, _)| *known == key) {
                return Err(format!("{key} stands twice in {of}"));
            }
            left.push((key, value));
        }
        Ok(Self { left, of })
    }

    fn optional(&mut self, key: &str) -> Option<Value> {
        let at = self.left.iter().position(|(known, _)| known == key)?;
        Some(self.left.swap_remove(at).1)
    }

    fn needed(&mut self, key: &str) -> Result<Value, String> {
        self.optional(key).ok_or_else(|| format!("{key} is missing in {}", self.of))
    }

    fn text(&mut self, key: &str) -> Result<String, String> {
        text(self.needed(key)?).map_err(|_| format!("{key} must be a text"))
    }

    fn integer(&mut self, key: &str) -> Result<i128, String> {
        match self.needed(key)? {
            Value::Integer(integer) => Ok(integer.into()),
            _ => Err(format!("{key} must be a whole number")),
        }
    }

    fn time(&mut self, key: &str) -> Result<Timestamp, String> {
        let ms = self.integer(key)?;
        let ms = i64::try_from(ms).ok().filter(|ms| TIMES.contains(ms));
        ms.map(Timestamp).ok_or_else(|| format!("{key} is no time between 1970 and 9999"))
    }

    fn array(&mut self, key: &str) -> Result<Vec<Value>, String> {
        match self.needed(key)? {
            Value::Array(items) => Ok(items),
            _ => Err(format!("{key} must be a list")),
        }
    }

    fn hash(&mut self, key: &str) -> Result<[u8; 32], String> {
        hash(self.needed(key)?, key)
    }

    fn end(self) -> Result<(), String> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => Err(format!("{key:?} is not known in {}", self.of)),
        }
    }
}

fn hash(value: Value, key: &str) -> Result<[u8; 32], String> {
    let Value::Bytes(bytes) = value else { return Err(format!("{key} must be 32 bytes")) };
    bytes.try_into().map_err(|_| format!("{key} must be 32 bytes"))
}

fn text(value: Value) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err("must be a text".to_owned()),
    }
}

/// A map with its keys in the order of their bytes.
fn map(members: Vec<(&str, Value)>) -> Value {
    let mut members: Vec<(Value, Value)> =
        members.into_iter().map(|(key, value)| (Value::from(key), value)).collect();
    members.sort_by_cached_key(|(key, _)| bytes(key));
    Value::Map(members)
}

fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("writing into memory does not fail");
    bytes
}

impl std::convert::From<&Order> for serde_json::Value {
    fn from(order: &Order) -> Self {
        serde_json::to_value(order).unwrap_or_default()
    }
}
