//! The record of who did what, over every log of a gateway: as people read it, as it is exported, and verified.

mod lines;
mod verify;

use std::collections::BTreeMap;

use anyhow::Context;
use linli_domain::{Civil, Timestamp};
use linli_mode::record::LogHead;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use lines::Lines;
pub use lines::number;
pub use verify::{Verified, verified};

/// The first line of an export: the ends of the logs when it was made.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    heads: BTreeMap<String, LogHead>,
}

/// A line of an export.
#[derive(Debug, Serialize, Deserialize)]
struct Exported {
    log: String,
    /// The entry as its hash covers it.
    line: String,
}

/// Every line of the logs that were there, and where each log ended.
#[derive(Debug, Default)]
pub struct Record {
    /// Where each log ended.
    pub heads: BTreeMap<String, LogHead>,
    /// The lines of each log.
    pub logs: BTreeMap<String, Vec<String>>,
}

// === impl Record ===

impl Record {
    /// The record in an export.
    ///
    /// # Errors
    /// The first line that is none of an export.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.lines();
        let first = lines.next().context("it is empty")?;
        let Header { heads } =
            serde_json::from_str(first).context("line 1 is not the first of `linli audit export`")?;
        let mut record = Self { logs: heads.keys().map(|log| (log.clone(), Vec::new())).collect(), heads };
        for (index, line) in lines.enumerate() {
            let place = || format!("line {} is not one of `linli audit export`", index + 2);
            let Exported { log, line } = serde_json::from_str(line).with_context(place)?;
            record.logs.entry(log).or_default().push(line);
        }
        Ok(record)
    }

    /// The record as it is exported: its ends, then every entry by time.
    #[must_use]
    pub fn written(&self) -> String {
        let mut text = json(&Header { heads: self.heads.clone() });
        for (log, entry) in Lines::by_time(&self.logs) {
            text += &json(&Exported { log: log.to_owned(), line: entry.to_owned() });
        }
        text
    }
}

fn json(line: &impl Serialize) -> String {
    serde_json::to_string(line).expect("it is made of JSON values") + "\n"
}

/// An entry as people read it: when, log, who, what, about what.
#[must_use]
pub fn line(shown: &Value) -> String {
    let (log, entry) = (shown["log"].as_str().unwrap_or_default(), &shown["entry"]);
    let at = Civil::of(Timestamp(entry["at"].as_i64().unwrap_or_default()));
    let (key, who) = who(entry);
    format!("{at}Z  {log:8}  {who:16}  {}", what(entry, key))
}

/// Who did it, and the member that says so.
fn who(entry: &Value) -> (&'static str, String) {
    let acting = &entry["acting"];
    let person = acting["person"].as_str().or_else(|| acting["account"].as_str()).map(|who| ("acting", who));
    let named =
        || ["who", "by", "account", "from"].into_iter().find_map(|key| Some((key, entry[key].as_str()?)));
    let (key, who) = person.or_else(named).unwrap_or(("", "linli"));
    (key, who.to_owned())
}

/// The members of an entry that are neither its place, nor who did it, nor long.
fn what(entry: &Value, who: &str) -> String {
    const ELSEWHERE: [&str; 4] = ["n", "prev", "at", "acting"];
    const FIRST: [&str; 3] = ["kind", "what", "action"];
    const LONGEST: usize = 80;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()).filter(|text| text.chars().count() <= LONGEST),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Array(all) => Some(all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")),
        _ => None,
    };
    let first = FIRST.iter().find_map(|key| entry[*key].as_str().map(|word| (*key, word.to_owned())));
    let named = first.as_ref().map(|(key, _)| *key);
    let is_said = |key: &str| ELSEWHERE.contains(&key) || key == who || Some(key) == named;
    let rest = entry.as_object().into_iter().flatten().filter(|(key, _)| !is_said(key));
    let rest = rest.filter_map(|(key, value)| {
        let text = text(value).filter(|text| !text.is_empty())?;
        Some(if matches!(key.as_str(), "about" | "detail") { text } else { format!("{key}={text}") })
    });
    first.map(|(_, word)| word).into_iter().chain(rest).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_is_one_line_for_people() {
        for (log, entry, expected) in [
            (
                "access",
                json!({"n": 3, "prev": "00", "at": 0, "who": "lin", "what": "visit.show", "about": "v-1", "detail": ""}),
                "1970-01-01T00:00:00Z  access    lin               visit.show  v-1",
            ),
            (
                "accounts",
                json!({"n": 0, "prev": "00", "at": 0, "kind": "refused", "why": "wrong secret", "from": "192.0.2.7"}),
                "1970-01-01T00:00:00Z  accounts  192.0.2.7         refused  why=wrong secret",
            ),
            (
                "mode",
                json!({"n": 0, "prev": "00", "at": 0, "kind": "finding", "by": "zhao", "order": "o-1", "text": "门坏了",
                    "acting": {"account": "lin", "person": "zhao"}}),
                "1970-01-01T00:00:00Z  mode      zhao              finding  by=zhao  order=o-1  text=门坏了",
            ),
        ] {
            assert_eq!(line(&json!({"log": log, "entry": entry})), expected);
        }
    }
}
