//! `kind = "ipp"`: a printer or a CUPS queue, by Get-Printer-Attributes (RFC 8011 clause 4.2.5).

pub mod message;

use std::sync::Arc;
use std::time::Duration;

use linli_domain::kiosk::Part;
use linli_domain::{Reason, Value, timezone};
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
const WANTED: [&str; 6] = [
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "queued-job-count",
    "marker-levels",
    "marker-types",
];

/// Level at which a container for waste is full, per cent.
const WASTE_FULL: i32 = 100;

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

    fn check(raw: RawSettings, devices: &[RawDevice], _: &timezone::Zone) -> Checked<Settings> {
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
    Some(format!("http://{}", place(url.strip_prefix("ipp://")?)?))
}

/// The same for an address that may also be `ipps://`, which is IPP over TLS (RFC 7472).
#[must_use]
pub fn http_or_https(url: &str) -> Option<String> {
    let secure = || Some(format!("https://{}", place(url.strip_prefix("ipps://")?)?));
    http(url).or_else(secure)
}

/// Host, port and path.
fn place(rest: &str) -> Option<String> {
    let (authority, path) = rest.split_once('/')?;
    let (host, port) = plan::host_port(authority, 631)?;
    let is_path = path.chars().all(|c| c.is_ascii_graphic() && !"#?\"<>".contains(c));
    is_path.then(|| format!("{host}:{port}/{path}"))
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
    if answer.status >= message::FIRST_ERROR {
        return Err((Reason::Refused, format!("IPP status {:#06x}", answer.status)));
    }
    let state = answer.number("printer-state").ok_or_else(|| garbled("no printer-state"))?;
    let keyword = |value: &message::Value| match value {
        message::Value::Keyword(word) => Some(word.clone()),
        _ => None,
    };
    let reasons: Vec<String> = answer.all("printer-state-reasons").iter().filter_map(keyword).collect();
    let mut printer = Printer::of_ipp(state, &reasons);
    let types: Vec<Option<String>> = answer.all("marker-types").iter().map(keyword).collect();
    let mut levels = Vec::new();
    for (index, level) in answer.all("marker-levels").iter().enumerate() {
        // Negative levels are "other", "unknown" and "some remaining"; they are per cent.
        let Some(level) = message::Value::number(level).filter(|level| (0..=100).contains(level)) else {
            continue;
        };
        let kind = types.get(index).and_then(Option::as_deref).unwrap_or_default();
        if !kind.starts_with("waste") {
            levels.push(level);
        } else if level >= WASTE_FULL {
            printer.toner = printer.toner.max(Part::Warn);
            printer.printer = printer.printer.max(Part::Warn);
            printer.detail = format!("{} {kind} full", printer.detail).trim_start().to_owned();
        }
    }
    printer.supplies = levels.into_iter().min().map(f64::from);
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

    /// An answer with an idle printer and these attributes: tag, name, values.
    fn told(attributes: &[(u8, &str, &[&[u8]])]) -> Vec<(u16, crate::publisher::PointResult)> {
        let mut message = vec![1, 1, 0, 0, 0, 0, 0, 1, 4];
        let state: (u8, &str, &[&[u8]]) = (0x23, "printer-state", &[&[0, 0, 0, 3]]);
        for (tag, name, values) in std::iter::once(&state).chain(attributes) {
            for (nth, value) in values.iter().enumerate() {
                message.push(*tag);
                for part in [if nth == 0 { name.as_bytes() } else { b"" }, value] {
                    message.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
                    message.extend(part);
                }
            }
        }
        message.push(3);
        understood(&message).expect("an answer")
    }

    #[test]
    fn a_container_for_waste_is_no_supply() {
        let supplies = |types: &[&[u8]], levels: &[&[u8]]| {
            let values = told(&[(0x44, "marker-types", types), (0x21, "marker-levels", levels)]);
            (values[5].1.clone(), values[2].1.clone())
        };
        let ok = Ok(Value::Integer(0));
        let level = |number: i32| number.to_be_bytes();
        let (full, half, none, unknown) = (level(100), level(50), level(0), level(-3));
        assert_eq!(
            supplies(&[b"toner", b"waste-toner"], &[&half, &none]),
            (Ok(Value::Float(50.0)), ok.clone()),
            "empty waste is well"
        );
        assert_eq!(
            supplies(&[b"toner", b"waste-toner"], &[&half, &full]),
            (Ok(Value::Float(50.0)), Ok(Value::Integer(2))),
            "full waste must be emptied soon"
        );
        assert_eq!(supplies(&[b"toner"], &[&unknown]), (Err(Reason::NoValue), ok.clone()));
        assert_eq!(supplies(&[b"toner"], &[&level(255)]), (Err(Reason::NoValue), ok.clone()), "no per cent");
        assert_eq!(supplies(&[], &[&none]), (Ok(Value::Float(0.0)), ok));
    }
}
