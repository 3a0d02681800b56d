//! `linli scan` of what is no Modbus line: a printer or computer by SNMP, a printer by IPP, the topics of a broker.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::timezone::Zone;
use linli_domain::{DeviceClass, Id, Reason};
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::{DeviceState, RawDevice, RawLine, mqtt, observe, protocol};
use serde_json::{Value, json};

use super::line_findings::{WATCHED, explained};
use crate::runtime::clock::SystemClock;

/// How long a broker is listened to.
const LISTENED: Duration = Duration::from_secs(5);

/// What to look for.
#[derive(Debug, Clone, clap::Args)]
pub struct Network {
    /// Host of a printer or computer that may answer SNMP
    #[arg(long, value_name = "HOST", conflicts_with_all = ["port", "tcp", "ipp", "mqtt"])]
    snmp: Option<String>,
    /// SNMP community
    #[arg(long, requires = "snmp", default_value = "public")]
    community: String,
    /// Printer or queue that may answer IPP, such as ipp://192.0.2.7/ipp/print
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "tcp", "mqtt"])]
    ipp: Option<String>,
    /// Broker whose topics are listed, such as mqtt://192.0.2.5:1883
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "tcp"])]
    mqtt: Option<String>,
}

// === impl Network ===

impl Network {
    /// Whether an option selects it.
    pub const fn is_given(&self) -> bool {
        self.snmp.is_some() || self.ipp.is_some() || self.mqtt.is_some()
    }

    /// Looks and prints what there is.
    pub fn scan(&self, is_json: bool) -> anyhow::Result<ExitCode> {
        let rows = super::runtime()?.block_on(async {
            match (&self.snmp, &self.ipp, &self.mqtt) {
                (Some(host), _, _) => {
                    let mut settings = toml::Table::new();
                    settings.insert("host".to_owned(), host.clone().into());
                    settings.insert("community".to_owned(), self.community.clone().into());
                    answers("snmp", &settings, &["snmp/printer", "snmp/host"]).await
                }
                (_, Some(url), _) => {
                    let mut settings = toml::Table::new();
                    settings.insert("url".to_owned(), url.clone().into());
                    answers("ipp", &settings, &["ipp/printer"]).await
                }
                (_, _, Some(url)) => topics(url).await,
                _ => Ok(Vec::new()),
            }
        })?;
        let is_found = rows.iter().any(|row| row["profile"].is_string() && row["why"].is_null());
        if is_json {
            println!("{}", serde_json::to_string_pretty(&rows)?);
        } else {
            rows.iter().for_each(|row| println!("{}", line(row)));
            println!(
                "{}",
                if is_found {
                    "Next: write it into devices.toml, then `linli probe`."
                } else {
                    "nothing found"
                }
            );
        }
        Ok(if is_found { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn line(row: &Value) -> String {
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    match (row["topic"].as_str(), row["why"].as_str()) {
        (Some(topic), _) => {
            let profile = row["profile"].as_str().map_or_else(|| "no profile".to_owned(), str::to_owned);
            let kept = if row["retained"] == true { ", kept by the broker" } else { "" };
            format!("{topic}: {profile}{kept}")
        }
        (None, Some(why)) => format!("{}: {why}", text("profile")),
        (None, None) => format!("{}: answers, {} points have values", text("profile"), row["points"]),
    }
}

/// Which of these profiles a device answers.
async fn answers(kind: &str, settings: &toml::Table, profiles: &[&str]) -> anyhow::Result<Vec<Value>> {
    let mut rows = Vec::new();
    // An agent that does not know the community says nothing (RFC 3584, 4.1.1).
    let question = if kind == "snmp" { "is the community right?" } else { "" };
    for profile in profiles {
        let protocol = protocol(kind).ok_or_else(|| anyhow::anyhow!("no lines of kind {kind}"))?;
        let line = RawLine { id: Id::new("scan")?, settings: settings.clone(), zone: Zone::utc() };
        let device = RawDevice {
            id: Id::new("found")?,
            name: String::new(),
            room: None,
            class: DeviceClass::Telemetry,
            unit: None,
            topic: None,
            serial: None,
            token: None,
            profile: (*profile).to_owned(),
            poll: Duration::from_secs(1),
        };
        let plan = protocol.plan(&line, &[device], &ProfileSet::embedded()).map_err(|problems| {
            let words: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            anyhow::anyhow!("{}", words.join("; "))
        })?;
        let seen = observe(plan, Arc::new(SystemClock::default()), WATCHED).await;
        let device = seen.and_then(|seen| seen.devices.into_iter().next());
        let Some(device) = device else { continue };
        let points = device.points.iter().flatten().filter(|(quality, _)| quality.is_good()).count();
        rows.push(match &device.state {
            Some((DeviceState::Offline(reason), detail)) => {
                json!({"profile": profile, "why": explained(*reason, detail)})
            }
            // Too few attempts so far for the device to count as offline.
            _ if points == 0 => json!({"profile": profile, "why": explained(Reason::Silent, question)}),
            _ => json!({"profile": profile, "points": points}),
        });
    }
    Ok(rows)
}

/// The topics of a broker.
async fn topics(url: &str) -> anyhow::Result<Vec<Value>> {
    let found = mqtt::survey(url, LISTENED)
        .await
        .map_err(|why| anyhow::anyhow!("{url}: {}", explained(Reason::LineDown, &why)))?;
    let row = |row: &mqtt::Published| json!({"topic": row.topic, "profile": row.profile, "retained": row.is_retained});
    Ok(found.iter().map(row).collect())
}
