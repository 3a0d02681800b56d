//! One transaction to a FHIR server, and what its answer means.

use std::time::Duration;

use linli_config::settings::fhir::FhirSettings;
use serde_json::Value;

use crate::http;

/// Time limit of a transaction.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest reason that is kept, in characters.
const LONGEST: usize = 300;

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The server has it.
    Taken,
    /// It may be taken later: nobody answers, or the server has trouble of its own.
    Later(String),
    /// It will not be taken as it is.
    Refused(String),
}

/// A FHIR server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where it is, and the token.
    pub settings: FhirSettings,
}

// === impl Server ===

impl Server {
    /// Sends a bundle. Blocks.
    #[must_use]
    pub fn send(&self, bundle: &Value) -> Verdict {
        let authorization = self.settings.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers = vec![
            ("content-type", "application/fhir+json; charset=utf-8"),
            ("accept", "application/fhir+json"),
        ];
        headers.extend(authorization.as_ref().map(|value| ("authorization", value.as_str())));
        let body = bundle.to_string().into_bytes();
        let ca = self.settings.ca.as_deref();
        match http::post(&self.settings.url, ca, &headers, &body, PATIENCE) {
            Ok(answer) => verdict(answer.status, &answer.body),
            Err(why) => Verdict::Later(why),
        }
    }
}

/// What an answer means. Refusals of who asks (401, 403, 404) are those of the configuration and not of the visit: they
/// are mended there, and the visits wait.
fn verdict(status: u16, body: &[u8]) -> Verdict {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = diagnostics(&answer);
    match status {
        200 | 201 => match refused_entry(&answer) {
            _ if answer["resourceType"] != "Bundle" => Verdict::Later(
                "the address answers, but not with a FHIR bundle; look at url in [fhir]".to_owned(),
            ),
            Some(why) => Verdict::Refused(why),
            None => Verdict::Taken,
        },
        401 | 403 => Verdict::Later(format!(
            "HTTP {status}: the server refuses the token; look at token in [fhir]{said}"
        )),
        404 | 405 => Verdict::Later(format!(
            "HTTP {status}: there is no FHIR server at this address; look at url in [fhir]{said}"
        )),
        408 | 425 | 429 | 500..=599 => Verdict::Later(format!("HTTP {status}{said}")),
        300..=399 => Verdict::Later(format!("HTTP {status}: the server is elsewhere; look at url in [fhir]")),
        _ => Verdict::Refused(format!("HTTP {status}{said}")),
    }
}

/// What an OperationOutcome says, after `: `.
fn diagnostics(answer: &Value) -> String {
    let issues = answer["issue"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |issue: &Value| {
        let said = issue["diagnostics"].as_str().or_else(|| issue["details"]["text"].as_str());
        let place = issue["expression"][0].as_str().map(|place| format!(" ({place})")).unwrap_or_default();
        said.map(|said| format!("{said}{place}"))
    };
    let all: Vec<String> = issues.iter().filter_map(text).collect();
    if all.is_empty() { String::new() } else { format!(": {}", shortened(&all.join("; "))) }
}

/// Some servers answer a transaction with 200 and a refusal among its entries, which the standard has for batches only.
fn refused_entry(answer: &Value) -> Option<String> {
    let entries = answer["entry"].as_array()?;
    entries.iter().find_map(|entry| {
        let status = entry["response"]["status"].as_str()?;
        let is_refused = !status.starts_with('2') && !status.starts_with("304");
        is_refused.then(|| format!("an entry: {status}{}", diagnostics(&entry["response"]["outcome"])))
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(status: u16, body: &Value) -> Verdict {
        verdict(status, body.to_string().as_bytes())
    }

    #[test]
    fn what_a_person_must_mend_here_waits_and_what_the_server_never_takes_does_not() {
        let entry = |status: &str| json!({"response": {"status": status}});
        let bundle = |entries: &[Value]| json!({"resourceType": "Bundle", "entry": entries});
        let good = bundle(&[entry("201 Created"), entry("200"), entry("304")]);
        assert_eq!(of(200, &good), Verdict::Taken);
        assert!(matches!(of(200, &bundle(&[entry("201"), entry("400")])), Verdict::Refused(_)));
        for status in [401, 403, 404, 405, 408, 429, 500, 503, 307] {
            assert!(matches!(of(status, &json!({})), Verdict::Later(_)), "{status}");
        }
        assert!(matches!(of(200, &json!({"hello": "world"})), Verdict::Later(_)), "a page of somebody else");
        let outcome = json!({"resourceType": "OperationOutcome", "issue": [
            {"diagnostics": "unknown code", "expression": ["Observation.code"]}
        ]});
        for status in [400, 409, 412, 422] {
            let why = format!("HTTP {status}: unknown code (Observation.code)");
            assert_eq!(of(status, &outcome), Verdict::Refused(why));
        }
    }
}
