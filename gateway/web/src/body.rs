//! JSON bodies of requests.
//!
//! serde reads the members of a structure from a list as well: `[null]` would be an operation without a reason. A body
//! with a list where the document has none is refused.

use std::time::Duration;

use axum::http::StatusCode;
use linli_drivers::duration;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::error::Category;

use super::Problem;

/// Members that are lists.
const LISTS: [&str; 11] = [
    "caveats",
    "conditions",
    "lines",
    "offsets",
    "outline",
    "plans",
    "readings",
    "roles",
    "rooms",
    "supersedes",
    "views",
];

/// Members whose items are lists too: pairs.
const PAIRS: [&str; 2] = ["offsets", "outline"];

/// Reads a span of time such as `30m`, which may be missing. For members of bodies: one that is there must be right,
/// whether or not the operation needs it.
pub fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.as_deref().map(duration::parse).transpose().map_err(D::Error::custom)
}

/// Reads a body.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    of(body, ToString::to_string)
}

/// Reads a body, or without one gives what it is by itself.
pub fn read_or_default<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Problem> {
    if body.is_empty() { Ok(T::default()) } else { read(body) }
}

/// Reads a body that may hold a secret, which no refusal quotes.
pub fn read_secret<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    of(body, |error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            Category::Data => {
                format!("the body has a key that is unknown, missing or of another type, at {at}")
            }
            _ => format!("the body is no JSON, at {at}"),
        }
    })
}

fn of<T: DeserializeOwned>(body: &[u8], why: fn(&serde_json::Error) -> String) -> Result<T, Problem> {
    let wrong = |error: serde_json::Error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why(&error));
    let read = serde_json::from_slice(body).map_err(wrong)?;
    let value: Value = serde_json::from_slice(body).map_err(wrong)?;
    if value.is_object() && lists_belong(None, &value) {
        return Ok(read);
    }
    let why = "the body is no JSON object, or has a list where none belongs";
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why))
}

/// Whether every list is one of [`LISTS`].
fn lists_belong(key: Option<&str>, value: &Value) -> bool {
    let is_pair = |item: &Value| {
        key.is_some_and(|key| PAIRS.contains(&key)) && item.as_array().is_some_and(|pair| pair.len() == 2)
    };
    match value {
        Value::Object(members) => members.iter().all(|(key, value)| lists_belong(Some(key), value)),
        Value::Array(items) => {
            key.is_some_and(|key| LISTS.contains(&key))
                && items.iter().all(|item| is_pair(item) || lists_belong(None, item))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        readings: Vec<Inner>,
        context: Option<Inner>,
        #[serde(default)]
        offsets: Vec<(String, f64)>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "value")]
        _value: Option<f64>,
    }

    #[test]
    fn a_list_is_no_object() {
        for good in
            [r#"{}"#, r#"{"readings":[{"value":1}],"context":{"value":2}}"#, r#"{"offsets":[["air",0.5]]}"#]
        {
            assert!(read::<Body>(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in ["[]", "[[],null]", r#"{"context":[1]}"#, r#"{"readings":[[1]]}"#, "null", "x", ""] {
            assert_eq!(read::<Body>(bad.as_bytes()).unwrap_err().status, 422, "{bad}");
        }
        let read: Body = read_or_default(b"").unwrap();
        assert!(read.readings.is_empty() && read.context.is_none() && read.offsets.is_empty());
    }

    #[derive(Debug, Default, Deserialize)]
    struct How {
        #[serde(default, rename = "for", deserialize_with = "span")]
        span: Option<Duration>,
    }

    #[test]
    fn a_span_that_is_there_is_right() {
        for (body, expected) in [
            (r#"{"for":"30m"}"#, Some(Duration::from_secs(1800))),
            (r#"{"for":null}"#, None),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(read_or_default::<How>(body.as_bytes()).unwrap().span, expected, "{body}");
        }
        for body in [r#"{"for":""}"#, r#"{"for":"soon"}"#, r#"{"for":30}"#] {
            assert_eq!(read::<How>(body.as_bytes()).unwrap_err().status, 422, "{body}");
        }
    }

    #[test]
    fn a_refusal_quotes_no_secret() {
        for body in [r#"{"context":"secret"}"#, r#"{"secret":1}"#, r#"{"context":secret}"#] {
            let problem = read_secret::<Body>(body.as_bytes()).unwrap_err();
            assert!(!problem.detail.contains("secret"), "{}", problem.detail);
        }
    }
}
