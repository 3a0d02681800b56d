//! `kind = "kiosk_http"`: kiosks that report to the gateway. The row of the protocol table, and
//! the listener.

mod guard;
mod listener;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{PointSpec, Value, timezone};
use schemars::JsonSchema;
use serde::Deserialize;

use super::report;
use crate::line::LineContext;
use crate::plan::{self, Checked, Plan, Row, Work, problem};
use crate::points;
use crate::protocol::{Problem, RawDevice};
use crate::reach::Target;

/// Shortest token, in characters; shorter ones can be guessed.
const SHORTEST_TOKEN: usize = 24;

/// A port that kiosks report to, each with its own token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSettings {
    /// IP address and port to listen on, such as 192.0.2.1:8081. Plain HTTP: use a network of the kiosks
    /// only.
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

/// Kiosks that report over HTTP: a line with one listener.
pub(crate) struct KioskHttp;

// === impl KioskHttp ===

impl Row for KioskHttp {
    type Settings = RawSettings;
    type Work = Settings;
    const KIND: &'static str = "kiosk_http";
    const SUMMARY: &'static str = "Government kiosks that report to the gateway over HTTP";

    fn check(raw: RawSettings, devices: &[RawDevice], _: &timezone::Zone) -> Checked<Settings> {
        let listen = plan::listen(&raw.listen, "192.0.2.1:8081")?;
        let mut tokens = BTreeSet::new();
        let kiosks = plan::each(devices, |index, device| {
            let kiosk = kiosk(index, device)?;
            if !tokens.insert(kiosk.token.clone()) {
                let message = "is another kiosk's token too; give each their own";
                return Err(problem(Some(index), "token", message));
            }
            Ok(kiosk)
        })?;
        let layout = |device| plan::layout(device, points::specs(report::POINTS));
        Ok((devices.iter().map(layout).collect(), Settings { listen, kiosks }))
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

    fn target(&self, device: usize) -> Option<Target> {
        self.kiosks.get(device).map(|kiosk| Target::Token(kiosk.token.clone()))
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
