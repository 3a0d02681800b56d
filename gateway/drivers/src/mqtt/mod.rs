//! `kind = "mqtt"`: sensors and kiosks that publish to a broker. The row of the protocol table.

mod broker;
mod listener;
pub mod packet;
mod survey;
mod task;
mod trust;
pub mod zigbee;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{PointSpec, Value, ValueType, timezone};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::insecure;
use crate::kiosk::report;
use crate::line::LineContext;
use crate::plan::{self, Checked, Plan, Row, Work, problem};
use crate::points::{self, Point};
use crate::protocol::{Problem, RawDevice};
use crate::reach::{FarEnd, Target};

pub use broker::Broker;
pub use survey::{Published, survey};

/// Longest topic in bytes.
const LONGEST_TOPIC: usize = 200;

/// A broker that devices publish to: that of Zigbee2MQTT, or one inside the gateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSettings {
    /// URL of the broker, such as "mqtts://192.0.2.5:8883", or "mqtt://127.0.0.1:1883" on this machine. Either
    /// `url` or `listen` is required.
    #[serde(default)]
    url: Option<String>,
    /// IP address and port at which the gateway itself is the broker of this line, such as "127.0.0.1:1883".
    #[serde(default)]
    listen: Option<String>,
    /// Reference to the certificates to trust, "file:zigbee-ca.pem", for mqtts://. Without it, those of the
    /// system.
    #[serde(default)]
    ca: Option<String>,
    /// Why the line may leave this machine without encryption, such as "because the coordinator has a cable of
    /// its own"; required for mqtt:// to another machine. A `listen` that others reach speaks TLS without it.
    #[serde(default)]
    insecure: Option<String>,
    /// Beginning of all topics, default "zigbee2mqtt".
    #[serde(default)]
    base: Option<String>,
    /// User name at the broker, also at the gateway's own; required for a `listen` that others reach.
    #[serde(default)]
    username: Option<String>,
    /// Reference to the password, "file:…" or "env:…".
    #[serde(default)]
    password: Option<String>,
}

/// How a device's messages are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PayloadFormat {
    /// As Zigbee2MQTT writes them.
    Zigbee(&'static zigbee::Kind),
    /// A kiosk's status, heartbeat and will.
    Kiosk,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subscription {
    topic: String,
    format: PayloadFormat,
    silent_after: Duration,
}

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    host: String,
    port: u16,
    /// linli itself is the broker.
    is_broker: bool,
    /// TLS with these certificates in PEM, or those of the system where it is empty.
    ca: Option<String>,
    /// Why it is unencrypted off this machine.
    insecure: Option<String>,
    base: String,
    credentials: Option<(String, String)>,
    devices: Vec<Subscription>,
}

/// Devices that publish to an MQTT broker.
pub(crate) struct Mqtt;

// === impl Mqtt ===

impl Row for Mqtt {
    type Settings = RawSettings;
    type Work = Settings;
    const KIND: &'static str = "mqtt";
    const SUMMARY: &'static str = "Devices that publish to an MQTT broker: Zigbee2MQTT, kiosks";
    const SECRETS: &'static [&'static str] = &["password"];
    const FILES: &'static [&'static str] = &["ca"];

    fn check(raw: RawSettings, devices: &[RawDevice], _: &timezone::Zone) -> Checked<Settings> {
        let Address { host, port, is_broker, is_secure } = address(&raw)?;
        let ca = security(&raw, &host, is_broker, is_secure)?;
        let base = raw.base.unwrap_or_else(|| "zigbee2mqtt".to_owned());
        topic(&base).map_err(|why| problem(None, "base", why))?;
        let credentials = match (raw.username, raw.password) {
            (Some(username), password) => Some((username, password.unwrap_or_default())),
            (None, Some(_)) => return Err(problem(None, "password", "needs a username")),
            (None, None) => None,
        };
        if is_broker {
            own_broker(&host, credentials.as_ref())?;
        }
        let mut topics = BTreeSet::new();
        let checked = plan::each(devices, |index, device| {
            let (heard, points) = self::device(index, device)?;
            if !topics.insert(heard.topic.clone()) {
                let message = format!("{:?} is another device's", heard.topic);
                return Err(problem(Some(index), "topic", message));
            }
            Ok((plan::layout(device, points::specs(points)), heard))
        })?;
        let (layouts, devices) = checked.into_iter().unzip();
        Ok((
            layouts,
            Settings { host, port, is_broker, ca, insecure: raw.insecure, base, credentials, devices },
        ))
    }
}

fn device(index: usize, device: &RawDevice) -> Result<(Subscription, &'static [Point]), Vec<Problem>> {
    plan::foreign(index, device, &["topic"])?;
    let topic_name = device.topic.clone().unwrap_or_else(|| device.id.to_string());
    topic(&topic_name).map_err(|why| problem(Some(index), "topic", why))?;
    let (format, points) = match zigbee::find(&device.profile) {
        Some(kind) => (PayloadFormat::Zigbee(kind), kind.points),
        None if device.profile == report::PROFILE => (PayloadFormat::Kiosk, report::POINTS),
        None => {
            let mut known: Vec<&str> = zigbee::KINDS.iter().map(|kind| kind.name).collect();
            known.push(report::PROFILE);
            return Err(plan::no_profile(index, device, &known));
        }
    };
    Ok((Subscription { topic: topic_name, format, silent_after: device.poll * 5 / 2 }, points))
}

fn topic(text: &str) -> Result<(), String> {
    let is_bad = text.is_empty()
        || text.len() > LONGEST_TOPIC
        || text.starts_with('/')
        || text.ends_with('/')
        || text.contains(['#', '+', '\0']);
    if is_bad {
        Err(format!("{text:?} is not a topic such as \"kitchen/fridge\", without # and +"))
    } else {
        Ok(())
    }
}

/// Checks who may log in at the gateway's own broker.
fn own_broker(host: &str, credentials: Option<&(String, String)>) -> Result<(), Vec<Problem>> {
    match credentials {
        Some((_, password)) if password.is_empty() => {
            Err(problem(None, "password", "is missing: devices log in at linli's own broker with both"))
        }
        None if !insecure::is_here(host) => {
            let how = "username = \"sensors\" and password = \"file:sensors.password\"";
            Err(problem(
                None,
                "username",
                format!("is missing: other machines reach this broker; give {how}"),
            ))
        }
        Some(_) | None => Ok(()),
    }
}

/// Where the broker is.
struct Address {
    host: String,
    port: u16,
    /// linli itself is the broker there.
    is_broker: bool,
    /// Over TLS.
    is_secure: bool,
}

/// The certificates to trust where the line speaks TLS: empty for those of the system.
fn security(
    raw: &RawSettings,
    host: &str,
    is_broker: bool,
    is_secure: bool,
) -> Result<Option<String>, Vec<Problem>> {
    if is_secure {
        if raw.insecure.is_some() {
            return Err(problem(None, "insecure", "is not needed: mqtts:// is encrypted; leave it out"));
        }
        return Ok(Some(raw.ca.clone().unwrap_or_default()));
    }
    if raw.ca.is_some() {
        return Err(problem(None, "ca", "is for url = \"mqtts://…\"; this line is not encrypted"));
    }
    // Without a reason the own broker speaks TLS off this machine.
    if !is_broker || raw.insecure.is_some() {
        plan::insecure(raw.insecure.as_deref(), insecure::is_here(host), "url", "use mqtts://")?;
    }
    Ok(None)
}

/// Host, port and whether it speaks TLS, of `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`.
fn address_of_url(url: &str) -> Option<(&str, u16, bool)> {
    let (rest, is_secure, default) = match url.split_once("://")? {
        ("mqtt", rest) => (rest, false, 1883),
        ("mqtts", rest) => (rest, true, 8883),
        _ => return None,
    };
    let (host, port) = plan::host_port(rest.trim_end_matches('/'), default)?;
    Some((host, port, is_secure))
}

fn address(raw: &RawSettings) -> Result<Address, Vec<Problem>> {
    match (&raw.url, &raw.listen) {
        (Some(url), None) => {
            let (host, port, is_secure) = address_of_url(url).ok_or_else(|| {
                let example = "\"mqtts://192.0.2.5:8883\" or \"mqtt://127.0.0.1:1883\"";
                problem(None, "url", format!("{url:?} is not an address such as {example}"))
            })?;
            Ok(Address { host: host.to_owned(), port, is_broker: false, is_secure })
        }
        (None, Some(listen)) => {
            let address = plan::listen(listen, "127.0.0.1:1883")?;
            let (host, port) = (address.ip().to_string(), address.port());
            Ok(Address { host, port, is_broker: true, is_secure: false })
        }
        (Some(_), Some(_)) => Err(problem(
            None,
            "listen",
            "linli is not the broker of a line that has a url; keep one of the two",
        )),
        (None, None) => Err(problem(None, "", "needs url (a broker elsewhere) or listen (linli itself)")),
    }
}

// === impl Settings ===

impl Settings {
    /// Whether the own broker speaks TLS.
    fn is_own_secure(&self) -> bool {
        self.is_broker && !insecure::is_here(&self.host) && self.insecure.is_none()
    }
}

impl Work for Settings {
    fn exclusive(&self) -> Option<(&'static str, String)> {
        self.is_broker.then(|| ("listen", format!("{}:{}", self.host, self.port)))
    }

    fn insecure(&self) -> Option<&str> {
        self.insecure.as_deref()
    }

    fn is_observable(&self) -> bool {
        !self.is_broker
    }

    fn target(&self, device: usize) -> Option<Target> {
        let topic = &self.devices.get(device)?.topic;
        Some(Target::Topic(FarEnd::server(&self.host, self.port), format!("{}/{topic}", self.base)))
    }

    fn accepts(&self, device: usize, point: &PointSpec, value: &Value) -> Result<(), String> {
        match (self.devices.get(device).map(|subscription| subscription.format), point.kind, value) {
            (Some(PayloadFormat::Kiosk), ..) => report::accepts(value),
            (Some(PayloadFormat::Zigbee(_)), ValueType::Bool, Value::Bool(_)) => Ok(()),
            _ => Err("write true or false".to_owned()),
        }
    }

    async fn run(plan: Arc<Plan<Self>>, context: LineContext) {
        task::run(&plan, context).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_battery_sensor_may_be_silent_for_two_and_a_half_of_its_reports() {
        for kind in zigbee::KINDS {
            let device = RawDevice {
                id: linli_domain::Id::new("a").unwrap(),
                name: String::new(),
                room: None,
                class: linli_domain::DeviceClass::Telemetry,
                unit: None,
                topic: None,
                serial: None,
                token: None,
                profile: kind.name.to_owned(),
                poll: crate::default_poll(kind.name).expect("a period of its own"),
            };
            let subscription = super::device(0, &device).expect("a good device").0;
            assert_eq!(subscription.silent_after, Duration::from_secs(9000), "{}", kind.name);
        }
    }

    #[test]
    fn topics_have_no_wildcards() {
        for wrong in ["", "/a", "a/", "a/#", "+/b", "a\0"] {
            assert!(topic(wrong).is_err(), "{wrong:?}");
        }
        assert!(topic("后厨/冰箱 1").is_ok());
    }
}
