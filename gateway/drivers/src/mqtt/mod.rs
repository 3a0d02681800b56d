//! `kind = "mqtt"`: sensors and kiosks that publish to a broker. The row of the protocol table.

mod broker;
mod survey;
mod task;
pub mod zigbee;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{PointSpec, Value, ValueType, timezone};
use schemars::JsonSchema;
use serde::Deserialize;

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
    /// URL of the broker, such as "mqtt://192.0.2.5:1883". Either `url` or `listen` is required.
    #[serde(default)]
    url: Option<String>,
    /// IP address and port at which the gateway itself is the broker of this line, such as "127.0.0.1:1883".
    #[serde(default)]
    listen: Option<String>,
    /// Beginning of all topics, default "zigbee2mqtt".
    #[serde(default)]
    base: Option<String>,
    /// User name at the broker.
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

    fn check(raw: RawSettings, devices: &[RawDevice], _: &timezone::Zone) -> Checked<Settings> {
        let (host, port, is_broker) = address(&raw)?;
        let base = raw.base.unwrap_or_else(|| "zigbee2mqtt".to_owned());
        topic(&base).map_err(|why| problem(None, "base", why))?;
        let credentials = match (raw.username, raw.password) {
            (Some(username), password) => Some((username, password.unwrap_or_default())),
            (None, Some(_)) => return Err(problem(None, "password", "needs a username")),
            (None, None) => None,
        };
        if is_broker && credentials.is_some() {
            let why = "is for a broker elsewhere; linli's own takes whoever reaches the address in listen";
            return Err(problem(None, "username", why));
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
        Ok((layouts, Settings { host, port, is_broker, base, credentials, devices }))
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

/// Host and port of `mqtt://HOST` or `mqtt://HOST:PORT`.
fn address_of_url(url: &str) -> Option<(&str, u16)> {
    plan::host_port(url.strip_prefix("mqtt://")?.trim_end_matches('/'), 1883)
}

/// Host, port, and whether linli itself is the broker there.
fn address(raw: &RawSettings) -> Result<(String, u16, bool), Vec<Problem>> {
    match (&raw.url, &raw.listen) {
        (Some(url), None) => {
            let (host, port) = address_of_url(url).ok_or_else(|| {
                problem(None, "url", format!("{url:?} is not an address such as \"mqtt://192.0.2.5:1883\""))
            })?;
            Ok((host.to_owned(), port, false))
        }
        (None, Some(listen)) => {
            let address = plan::listen(listen, "127.0.0.1:1883")?;
            Ok((address.ip().to_string(), address.port(), true))
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

impl Work for Settings {
    fn exclusive(&self) -> Option<(&'static str, String)> {
        self.is_broker.then(|| ("listen", format!("{}:{}", self.host, self.port)))
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
