//! `kind = "serial"`: the row of the protocol table.

use std::sync::Arc;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;

use super::models;
use super::plan::{self, HealthPlan, Medium, problem};
use super::stream::Settings;
use crate::modbus::profile::ProfileSet;
use crate::port::Serial;
use crate::protocol::{LinePlan, Problem, Protocol, RawDevice, RawLine};

/// A serial port with one health-cabin device on it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    /// The port, best by its stable name below /dev/serial/by-id/.
    port: String,
    /// Bits per second; the model's unless given.
    #[serde(default)]
    baud: Option<u32>,
    /// Offset from UTC of the device's own clock, "+08:00" unless given.
    #[serde(default)]
    utc_offset: Option<String>,
}

/// The row of the protocol table.
pub struct SerialDevices;

/// Serial health-cabin devices.
pub static SERIAL: SerialDevices = SerialDevices;

// === impl SerialDevices ===

impl Protocol for SerialDevices {
    fn kind(&self) -> &'static str {
        "serial"
    }

    fn summary(&self) -> &'static str {
        "A health-cabin device on a serial port that speaks of itself"
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
        if !raw.port.starts_with('/') {
            let message = format!("{:?} is not an absolute path such as \"/dev/ttyUSB0\"", raw.port);
            return Err(problem(None, "port", message));
        }
        let device = plan::only(devices)?;
        let Some(model) = models::find(&device.profile) else {
            let known: Vec<&str> = models::MODELS.iter().map(|model| model.name).collect();
            return Err(plan::no_profile(0, device, &known));
        };
        let zone = plan::zone(raw.utc_offset.as_deref())?;
        let (baud, parity, stop_bits) = model.line;
        let port = Serial { path: raw.port, baud: raw.baud.unwrap_or(baud), parity, stop_bits };
        Ok(Arc::new(HealthPlan {
            line: line.id.clone(),
            layouts: vec![plan::layout(device, model.quantities)],
            work: Medium::Stream(Settings { port, model: model.name, zone }),
        }))
    }
}
