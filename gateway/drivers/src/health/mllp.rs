//! `kind = "mllp"`: the row of the protocol table.

use std::sync::Arc;

use linli_domain::vital::Quantity;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;

use super::listener::Settings;
use super::plan::{self, HealthPlan, Medium, problem};
use crate::modbus::profile::ProfileSet;
use crate::protocol::{LinePlan, Problem, Protocol, RawDevice, RawLine};

/// The only profile of such a line.
pub const PROFILE: &str = "hl7/oru-r01";

/// A port that monitors and analysers connect to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    /// Address and port to listen on, such as 192.0.2.1:2575; MLLP has no log-in, so only on a network of its own.
    listen: String,
    /// Offset from UTC of time stamps that do not say, "+08:00" unless given.
    #[serde(default)]
    utc_offset: Option<String>,
}

/// The row of the protocol table.
pub struct Mllp;

/// HL7 over MLLP.
pub static MLLP: Mllp = Mllp;

// === impl Mllp ===

impl Protocol for Mllp {
    fn kind(&self) -> &'static str {
        "mllp"
    }

    fn summary(&self) -> &'static str {
        "HL7 v2 results (ORU^R01) sent to the gateway over MLLP"
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
            problem(
                None,
                "listen",
                format!("{:?} is not an address and port such as \"192.0.2.1:2575\"", raw.listen),
            )
        })?;
        let zone = plan::zone(raw.utc_offset.as_deref())?;
        let device = plan::only(devices)?;
        if device.profile != PROFILE {
            return Err(plan::no_profile(0, device, &[PROFILE]));
        }
        Ok(Arc::new(HealthPlan {
            line: line.id.clone(),
            layouts: vec![plan::layout(device, &Quantity::ALL)],
            work: Medium::Listener(Settings { listen, zone }),
        }))
    }
}
