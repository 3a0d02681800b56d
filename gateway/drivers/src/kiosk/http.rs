//! `kind = "kiosk_http"`: kiosks that report to the gateway. The row of the protocol table, and
//! the listener.

mod guard;
mod listener;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{PointSpec, Value};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;

use super::report;
use crate::line::LineContext;
use crate::modbus::profile::ProfileSet;
use crate::plan::{self, Plan, Work, problem};
use crate::points;
use crate::protocol::{LinePlan, Problem, Protocol, RawDevice, RawLine};

/// Shorter tokens can be guessed.
const SHORTEST_TOKEN: usize = 24;

/// A port that kiosks report to, each with its own token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    /// Address and port to listen on, such as 192.0.2.1:8081; plain HTTP, so only on the kiosks' own network.
    listen: String,
}

/// One kiosk.
#[derive(Clone, PartialEq, Eq)]
struct Kiosk {
    token: String,
    poll: Duration,
}

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    listen: SocketAddr,
    kiosks: Vec<Kiosk>,
}

/// The row of the protocol table.
pub struct KioskHttp;

/// Kiosks over HTTP.
pub static HTTP: KioskHttp = KioskHttp;

// === impl KioskHttp ===

impl Protocol for KioskHttp {
    fn kind(&self) -> &'static str {
        "kiosk_http"
    }

    fn summary(&self) -> &'static str {
        "Government kiosks that report to the gateway over HTTP"
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
        let listen = raw.listen.parse().map_err(|_| {
            let message = format!("{:?} is not an address and port such as \"192.0.2.1:8081\"", raw.listen);
            problem(None, "listen", message)
        })?;
        if devices.is_empty() {
            return Err(problem(None, "", "has no device; add a [[device]] with this line"));
        }
        let (mut kiosks, mut layouts, mut wrong) = (Vec::<Kiosk>::new(), Vec::new(), Vec::new());
        for (index, device) in devices.iter().enumerate() {
            match kiosk(index, device) {
                Ok(kiosk) if kiosks.iter().any(|other| other.token == kiosk.token) => {
                    let message = "is another kiosk's token too; give each their own";
                    wrong.extend(problem(Some(index), "token", message));
                }
                Ok(kiosk) => {
                    layouts.push(plan::layout(device, points::specs(report::POINTS)));
                    kiosks.push(kiosk);
                }
                Err(problems) => wrong.extend(problems),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Arc::new(Plan { line: line.id.clone(), layouts, work: Settings { listen, kiosks } }))
    }
}

fn kiosk(index: usize, device: &RawDevice) -> Result<Kiosk, Vec<Problem>> {
    plan::foreign(index, device, &["token"])?;
    if device.profile != report::PROFILE {
        return Err(plan::no_profile(index, device, &[report::PROFILE]));
    }
    let Some(token) = &device.token else {
        let message = "needs a token: the kiosk proves by it who it is; `linli visits keygen FILE` makes one";
        return Err(problem(Some(index), "", message));
    };
    if token.len() < SHORTEST_TOKEN {
        return Err(problem(
            Some(index),
            "token",
            format!("a token has at least {SHORTEST_TOKEN} characters"),
        ));
    }
    Ok(Kiosk { token: token.clone(), poll: device.poll })
}

// === impl Settings ===

impl Work for Settings {
    fn exclusive(&self) -> Option<(&'static str, String)> {
        Some(("listen", self.listen.to_string()))
    }

    fn accepts(&self, _: usize, _: &PointSpec, value: &Value) -> Result<(), String> {
        report::accepts(value)
    }

    async fn run(plan: Arc<Plan<Self>>, context: LineContext) {
        listener::run(&plan, context).await;
    }
}

// === impl Kiosk ===

impl std::fmt::Debug for Kiosk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "every {:?}", self.poll)
    }
}
