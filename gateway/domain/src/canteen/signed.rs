//! The daily record, signed: each signature covers the record and the signature before it, so a
//! record that was changed afterwards, or is missing, is found by anybody who has the chain.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::audit::hex;

/// A signed record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signed {
    /// Counts the signatures, from 1.
    pub number: u64,
    /// The day, `2026-11-24`.
    pub day: String,
    /// Who signed.
    pub by: String,
    /// What they had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When, Unix milliseconds UTC.
    pub at: i64,
    /// What was signed.
    pub record: Value,
    /// The hash of the signature before; empty for the first.
    pub previous: String,
    /// SHA-256 over everything above.
    pub hash: String,
}

// === impl Signed ===

impl Signed {
    /// Signs.
    #[must_use]
    pub fn new(previous: Option<&Self>, record: Value, by: String, note: Option<String>, at: i64) -> Self {
        let day = record["day"].as_str().unwrap_or_default().to_owned();
        let number = previous.map_or(0, |previous| previous.number) + 1;
        let previous = previous.map(|previous| previous.hash.clone()).unwrap_or_default();
        let mut signed = Self { number, day, by, note, at, record, previous, hash: String::new() };
        signed.hash = signed.reckon();
        signed
    }

    /// SHA-256 of its JSON with the members sorted and without `hash`.
    fn reckon(&self) -> String {
        let mut body = serde_json::to_value(self).unwrap_or_default();
        if let Some(body) = body.as_object_mut() {
            body.remove("hash");
        }
        hex(&Sha256::digest(canonical(&body).as_bytes()))
    }
}

/// JSON with sorted members and no blanks.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            let members: Vec<String> = names
                .iter()
                .map(|name| format!("{}:{}", Value::String((*name).clone()), canonical(&members[*name])))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// Whether a chain is whole; the error says where it is not.
pub fn verify(chain: &[Signed]) -> Result<(), String> {
    let mut previous: Option<&Signed> = None;
    for signed in chain {
        let (number, hash) =
            previous.map_or((1, String::new()), |previous| (previous.number + 1, previous.hash.clone()));
        if signed.number != number {
            return Err(format!("number {number} is missing before number {}", signed.number));
        }
        if signed.previous != hash {
            return Err(format!("number {number} ({}) does not follow the one before it", signed.day));
        }
        if signed.reckon() != signed.hash {
            return Err(format!("number {number} ({}) was changed after it was signed", signed.day));
        }
        previous = Some(signed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chain() -> Vec<Signed> {
        let mut chain: Vec<Signed> = Vec::new();
        for day in ["2026-11-23", "2026-11-24", "2026-11-24"] {
            let record = json!({"day": day, "z": 1.5, "a": [1, {"c": null, "b": "热"}]});
            let signed = Signed::new(chain.last(), record, "李".to_owned(), None, 7);
            chain.push(signed);
        }
        chain
    }

    #[test]
    fn whoever_changes_or_removes_a_record_is_found() {
        let good = chain();
        assert_eq!(verify(&good), Ok(()));
        let text = serde_json::to_string(&good).unwrap();
        assert_eq!(verify(&serde_json::from_str::<Vec<Signed>>(&text).unwrap()), Ok(()));
        let mut changed = chain();
        changed[1].record["z"] = json!(1.4);
        assert!(verify(&changed).unwrap_err().contains("number 2"));
        let mut signed_anew = changed.clone();
        signed_anew[1].hash = signed_anew[1].reckon();
        assert!(verify(&signed_anew).unwrap_err().contains("number 3"), "what follows gives it away");
        let mut removed = chain();
        removed.remove(1);
        assert!(verify(&removed).unwrap_err().contains("number 2 is missing"));
        let mut other = chain();
        other[2].by = "王".to_owned();
        assert!(verify(&other).is_err());
    }
}
