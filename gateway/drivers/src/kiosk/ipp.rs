//! `kind = "ipp"`: a printer or a CUPS queue, by Get-Printer-Attributes (RFC 8011 clause 4.2.5).

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use ::ipp::attribute::IppAttribute;
use ::ipp::model::DelimiterTag;
use ::ipp::operation::{IppOperation, builder::IppOperationBuilder};
use ::ipp::parser::IppParser;
use ::ipp::value::IppValue;
use linli_domain::{Reason, Value};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;

use super::printer::{self, Printer};
use super::turn::{self, Answer};
use crate::line::LineContext;
use crate::modbus::profile::ProfileSet;
use crate::plan::{self, Plan, Work, problem};
use crate::points::{self, Point, count, flag};
use crate::protocol::{LinePlan, Problem, Protocol, RawDevice, RawLine};

/// The only profile of such a line.
const PROFILE: &str = "ipp/printer";

/// How long a printer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer that is read.
const LONGEST: u64 = 256 << 10;

/// What IPP tells besides.
pub(crate) static MORE: [Point; 2] =
    [flag("accepting", "it takes jobs"), count("queued_jobs", "jobs that wait")];

/// A printer that speaks IPP.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    /// The printer, such as "ipp://192.0.2.7/ipp/print" or "ipp://127.0.0.1/printers/kiosk".
    url: String,
}

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// As the printer is named in requests.
    uri: String,
    /// Where they are posted.
    http: String,
    poll: Duration,
}

/// The row of the protocol table.
pub struct Ipp;

/// Printers by IPP.
pub static IPP: Ipp = Ipp;

// === impl Ipp ===

impl Protocol for Ipp {
    fn kind(&self) -> &'static str {
        "ipp"
    }

    fn summary(&self) -> &'static str {
        "A printer or a CUPS queue, by the Internet Printing Protocol"
    }

    fn schema(&self) -> Schema {
        schema_for!(RawSettings)
    }

    fn plan(
        &self,
        line: &RawLine,
        devices: &[RawDevice],
        _: &ProfileSet,
    ) -> Result<Arc<dyn LinePlan>, Vec<Problem>> {
        let raw: RawSettings = plan::settings(line)?;
        let http = http(&raw.url).ok_or_else(|| {
            let message = format!("{:?} is not an address such as \"ipp://192.0.2.7/ipp/print\"", raw.url);
            problem(None, "url", message)
        })?;
        let device = plan::only(devices)?;
        plan::foreign(0, device, &[])?;
        if device.profile != PROFILE {
            return Err(plan::no_profile(0, device, &[PROFILE]));
        }
        let points = [points::specs(printer::POINTS), points::specs(&MORE)].concat();
        let work = Settings { uri: raw.url, http, poll: device.poll };
        Ok(Arc::new(Plan { line: line.id.clone(), layouts: vec![plan::layout(device, points)], work }))
    }
}

/// IPP travels over HTTP, on port 631 unless the address says otherwise (RFC 8010 clause 4.1).
fn http(url: &str) -> Option<String> {
    let rest = url.strip_prefix("ipp://")?;
    let (authority, path) = rest.split_once('/')?;
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "631"));
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_path = path.chars().all(|c| c.is_ascii_graphic() && !"#?\"<>".contains(c));
    let port: u16 = port.parse().ok()?;
    (!host.is_empty() && host.chars().all(is_fine) && is_path && port != 0)
        .then(|| format!("http://{host}:{port}/{path}"))
}

// === impl Settings ===

impl Work for Settings {
    async fn run(plan: Arc<Plan<Self>>, context: LineContext) {
        turn::take(&plan, context, plan.work.poll, || ask(plan.work.clone())).await;
    }
}

async fn ask(settings: Settings) -> Answer {
    let asked = tokio::task::spawn_blocking(move || answer(&settings)).await;
    asked.unwrap_or_else(|error| Err((Reason::Silent, error.to_string())))
}

fn answer(settings: &Settings) -> Answer {
    let garbled = |why: String| (Reason::Garbled, why);
    let uri = settings.uri.parse().map_err(|_| garbled("an address of its own kind".to_owned()))?;
    let request = IppOperationBuilder::get_printer_attributes(uri)
        .attributes([
            "printer-state",
            "printer-state-reasons",
            "printer-is-accepting-jobs",
            "queued-job-count",
            "marker-levels",
        ])
        .build()
        .map_err(|error| garbled(error.to_string()))?
        .into_ipp_request();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).build().into();
    let posted =
        agent.post(&settings.http).header("content-type", "application/ipp").send(&request.to_bytes()[..]);
    let mut response = match posted {
        Ok(response) => response,
        Err(ureq::Error::StatusCode(code)) => return Err((Reason::Refused, format!("HTTP status {code}"))),
        Err(error) => return Err((Reason::Silent, error.to_string())),
    };
    let body = response.body_mut().with_config().limit(LONGEST).read_to_vec();
    understood(body.map_err(|error| garbled(error.to_string()))?)
}

/// What a printer's answer says.
pub fn understood(body: Vec<u8>) -> Answer {
    let garbled = |why: String| (Reason::Garbled, why);
    let parsed = IppParser::new(::ipp::reader::IppReader::new(Cursor::new(body))).parse();
    let parsed = parsed.map_err(|error| garbled(error.to_string()))?;
    if !parsed.header().status_code().is_success() {
        return Err((Reason::Refused, format!("{:?}", parsed.header().status_code())));
    }
    let group = parsed.attributes().first_of(DelimiterTag::PrinterAttributes);
    let group = group.ok_or_else(|| garbled("no printer in the answer".to_owned()))?;
    let find = |name: &str| group.get(name).map(IppAttribute::value);
    let state =
        find("printer-state").and_then(integer).ok_or_else(|| garbled("no printer-state".to_owned()))?;
    let reasons: Vec<String> = find("printer-state-reasons")
        .map(|value| all(value).filter_map(keyword).collect())
        .unwrap_or_default();
    let mut printer = Printer::of_ipp(state, &reasons);
    let levels = find("marker-levels").map(|value| all(value).filter_map(integer).collect::<Vec<_>>());
    // Negative levels are "other" and "unknown".
    printer.supplies =
        levels.unwrap_or_default().into_iter().filter(|level| *level >= 0).min().map(f64::from);
    let mut values = printer.values();
    let base = u16::try_from(printer::POINTS.len()).unwrap_or(u16::MAX);
    let accepting = match find("printer-is-accepting-jobs") {
        Some(&IppValue::Boolean(is)) => Ok(Value::Bool(is)),
        _ => Err(Reason::NoValue),
    };
    let queued = find("queued-job-count").and_then(integer);
    values.push((base, accepting));
    values.push((base + 1, queued.map(|count| Value::Integer(count.into())).ok_or(Reason::NoValue)));
    Ok(values)
}

/// One value, or each of several.
fn all(value: &IppValue) -> Box<dyn Iterator<Item = &IppValue> + '_> {
    match value {
        IppValue::Array(values) => Box::new(values.iter()),
        one => Box::new(std::iter::once(one)),
    }
}

fn integer(value: &IppValue) -> Option<i32> {
    match value {
        IppValue::Integer(number) | IppValue::Enum(number) => Some(*number),
        _ => None,
    }
}

fn keyword(value: &IppValue) -> Option<String> {
    match value {
        IppValue::Keyword(word) => Some(word.to_string()),
        _ => None,
    }
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
