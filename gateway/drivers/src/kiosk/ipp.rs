//! `kind = "ipp"`: a printer or a CUPS queue, by Get-Printer-Attributes (RFC 8011 clause 4.2.5).

mod message;

use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Reason, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use super::printer::{self, Printer};
use super::turn::{self, Answer};
use crate::line::LineContext;
use crate::plan::{self, Checked, Plan, Row, Work, problem};
use crate::points::{self, Point, count, flag};
use crate::protocol::RawDevice;

/// The only profile of such a line.
const PROFILE: &str = "ipp/printer";

/// Time limit for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The requested attributes (RFC 8011 clause 5.4).
const WANTED: [&str; 5] = [
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "queued-job-count",
    "marker-levels",
];

/// Status codes from here on are errors (RFC 8011 appendix B).
const FIRST_ERROR: u16 = 0x0100;

/// Longest answer that is read, in bytes.
const LONGEST: u64 = 256 << 10;

/// Points that only IPP provides.
pub(crate) static MORE: [Point; 2] =
    [flag("accepting", "it takes jobs"), count("queued_jobs", "jobs that wait")];

/// A printer that speaks IPP.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSettings {
    /// URL of the printer, such as "ipp://192.0.2.7/ipp/print" or "ipp://127.0.0.1/printers/kiosk".
    url: String,
}

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The printer URI in requests.
    uri: String,
    /// The HTTP URL that requests are sent to.
    http: String,
    poll: Duration,
}

/// A printer that speaks IPP.
pub(crate) struct Ipp;

// === impl Ipp ===

impl Row for Ipp {
    type Settings = RawSettings;
    type Work = Settings;
    const KIND: &'static str = "ipp";
    const SUMMARY: &'static str = "A printer or a CUPS queue, by the Internet Printing Protocol";

    fn check(raw: RawSettings, devices: &[RawDevice]) -> Checked<Settings> {
        let http = http(&raw.url).ok_or_else(|| {
            let message = format!("{:?} is not an address such as \"ipp://192.0.2.7/ipp/print\"", raw.url);
            problem(None, "url", message)
        })?;
        let device = plan::only(devices)?;
        if device.profile != PROFILE {
            return Err(plan::no_profile(0, device, &[PROFILE]));
        }
        let points = [points::specs(printer::POINTS), points::specs(&MORE)].concat();
        let work = Settings { uri: raw.url, http, poll: device.poll };
        Ok((vec![plan::layout(device, points)], work))
    }
}

/// IPP travels over HTTP, on port 631 unless the address says otherwise (RFC 8010 clause 4.1).
fn http(url: &str) -> Option<String> {
    let rest = url.strip_prefix("ipp://")?;
    let (authority, path) = rest.split_once('/')?;
    let (host, port) = plan::host_port(authority, 631)?;
    let is_path = path.chars().all(|c| c.is_ascii_graphic() && !"#?\"<>".contains(c));
    is_path.then(|| format!("http://{host}:{port}/{path}"))
}

// === impl Settings ===

impl Work for Settings {
    fn is_polled(&self) -> bool {
        true
    }

    async fn run(plan: Arc<Plan<Self>>, context: LineContext) {
        turn::take(&plan, context, plan.work.poll, || ask(plan.work.clone())).await;
    }
}

async fn ask(settings: Settings) -> Answer {
    let asked = tokio::task::spawn_blocking(move || answer(&settings)).await;
    asked.unwrap_or_else(|error| Err((Reason::Silent, error.to_string())))
}

fn answer(settings: &Settings) -> Answer {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).build().into();
    let question = message::question(&settings.uri, &WANTED);
    let posted = agent.post(&settings.http).header("content-type", "application/ipp").send(&question[..]);
    let mut response = match posted {
        Ok(response) => response,
        Err(ureq::Error::StatusCode(code)) => return Err((Reason::Refused, format!("HTTP status {code}"))),
        Err(error) => return Err((Reason::Silent, error.to_string())),
    };
    let body = response.body_mut().with_config().limit(LONGEST).read_to_vec();
    understood(&body.map_err(|error| (Reason::Garbled, error.to_string()))?)
}

/// Decodes an answer to the values of a printer's points.
pub fn understood(body: &[u8]) -> Answer {
    let garbled = |why: &str| (Reason::Garbled, why.to_owned());
    let answer = message::Answer::parse(body).map_err(garbled)?;
    if answer.status >= FIRST_ERROR {
        return Err((Reason::Refused, format!("IPP status {:#06x}", answer.status)));
    }
    let state = answer.number("printer-state").ok_or_else(|| garbled("no printer-state"))?;
    let keyword = |value: &message::Value| match value {
        message::Value::Keyword(word) => Some(word.clone()),
        _ => None,
    };
    let reasons: Vec<String> = answer.all("printer-state-reasons").iter().filter_map(keyword).collect();
    let mut printer = Printer::of_ipp(state, &reasons);
    // Negative levels are "other" and "unknown".
    let levels = answer.all("marker-levels").iter().filter_map(message::Value::number);
    printer.supplies = levels.filter(|level| *level >= 0).min().map(f64::from);
    let mut values = printer.values();
    let base = u16::try_from(printer::POINTS.len()).unwrap_or(u16::MAX);
    let accepting = match answer.all("printer-is-accepting-jobs") {
        [message::Value::Boolean(is)] => Ok(Value::Bool(*is)),
        _ => Err(Reason::NoValue),
    };
    let queued = answer.number("queued-job-count");
    values.push((base, accepting));
    values.push((base + 1, queued.map(|count| Value::Integer(count.into())).ok_or(Reason::NoValue)));
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(http("ipp://192.0.2.7/ipp/print").as_deref(), Some("http://192.0.2.7:631/ipp/print"));
        assert_eq!(http("ipp://a:8631/p").as_deref(), Some("http://a:8631/p"));
        for wrong in ["http://a/p", "ipp://", "ipp://a", "ipp://a:0/p", "ipp://a b/p", "ipp://a/p?q"] {
            assert_eq!(http(wrong), None, "{wrong}");
        }
    }
}
