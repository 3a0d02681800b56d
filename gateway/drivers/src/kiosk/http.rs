//! `kind = "kiosk_http"`: kiosks that report to the gateway. The row of the protocol table, and
//! the listener.

mod guard;
mod listener;
mod tokens;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
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

pub use tokens::Tokens;

/// A port that kiosks report to, each with its own token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSettings {
    /// IP address and port to listen on, such as 192.0.2.1:8081. Off this machine it is HTTPS with the
    /// gateway's certificate (`linli tls show`), unless `insecure` is given.
    listen: String,
    /// Why kiosks off this machine may report without encryption, such as "because they have a switch of their
    /// own". Without it the listener speaks TLS there.
    #[serde(default)]
    insecure: Option<String>,
}

/// One kiosk.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kiosk {
    tokens: CurrentTokens,
    poll: Duration,
}

/// The tokens of a kiosk, which change while the listener runs. All are equal: other tokens are no other line.
#[derive(Debug, Clone)]
struct CurrentTokens(Arc<RwLock<Tokens>>);

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    listen: SocketAddr,
    /// Why it is plain HTTP off this machine.
    insecure: Option<String>,
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
        if raw.insecure.is_some() {
            plan::insecure(raw.insecure.as_deref(), listen.ip().is_loopback(), "listen", "")?;
        }
        let mut known: Vec<Tokens> = Vec::new();
        let kiosks = plan::each(devices, |index, device| {
            let kiosk = kiosk(index, device)?;
            let tokens = kiosk.tokens.get();
            let is_taken = known.iter().any(|other| other.overlaps(&tokens));
            known.push(tokens);
            if is_taken {
                let message = "is another kiosk's token too; give each their own";
                return Err(problem(Some(index), "token", message));
            }
            Ok(kiosk)
        })?;
        let layout = |device| plan::layout(device, points::specs(report::POINTS));
        Ok((devices.iter().map(layout).collect(), Settings { listen, insecure: raw.insecure, kiosks }))
    }
}

fn kiosk(index: usize, device: &RawDevice) -> Result<Kiosk, Vec<Problem>> {
    plan::foreign(index, device, &["token"])?;
    if device.profile != report::PROFILE {
        return Err(plan::no_profile(index, device, &[report::PROFILE]));
    }
    let Some(token) = &device.token else {
        let message = "needs a token: the kiosk proves by it who it is; write token = \"file:KIOSK.token\", then \
                       `linli kiosks token KIOSK` makes one";
        return Err(problem(Some(index), "", message));
    };
    let tokens = Tokens::parse(token).map_err(|why| problem(Some(index), "token", why))?;
    Ok(Kiosk { tokens: CurrentTokens(Arc::new(RwLock::new(tokens))), poll: device.poll })
}

// === impl Settings ===

impl Settings {
    /// Whether the listener speaks TLS.
    fn is_secure(&self) -> bool {
        !self.listen.ip().is_loopback() && self.insecure.is_none()
    }
}

impl Work for Settings {
    fn exclusive(&self) -> Option<(&'static str, String)> {
        Some(("listen", self.listen.to_string()))
    }

    fn insecure(&self) -> Option<&str> {
        self.insecure.as_deref()
    }

    fn adopt(&self, other: &Self) {
        for (kiosk, other) in self.kiosks.iter().zip(&other.kiosks) {
            kiosk.tokens.set(other.tokens.get());
        }
    }

    fn target(&self, device: usize) -> Option<Target> {
        self.kiosks.get(device).map(|kiosk| Target::Token(kiosk.tokens.get().present()))
    }

    fn accepts(&self, _: usize, _: &PointSpec, value: &Value) -> Result<(), String> {
        report::accepts(value)
    }

    async fn run(plan: Arc<Plan<Self>>, context: LineContext) {
        listener::run(&plan, context).await;
    }
}

// === impl CurrentTokens ===

impl CurrentTokens {
    fn get(&self) -> Tokens {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, tokens: Tokens) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = tokens;
    }
}

impl PartialEq for CurrentTokens {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for CurrentTokens {}
