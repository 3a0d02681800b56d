//! `kind = "serial"`: health-cabin devices on a serial port. The row of the protocol table.

use linli_domain::timezone;
use schemars::JsonSchema;
use serde::Deserialize;

use super::models;
use super::plan::{self, Checked, Medium, Row};
use super::stream::Settings;
use crate::port::Serial;
use crate::protocol::RawDevice;

/// A serial port with one health-cabin device on it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSettings {
    /// The port, best by its stable name below /dev/serial/by-id/.
    port: String,
    /// Bits per second, default that of the model.
    #[serde(default)]
    baud: Option<u32>,
    /// UTC offset of the clock of the device, default that of the centre's time zone.
    #[serde(default)]
    utc_offset: Option<String>,
}

/// A health-cabin device on a serial port.
pub(crate) struct SerialDevices;

// === impl SerialDevices ===

impl Row for SerialDevices {
    type Settings = RawSettings;
    type Work = Medium;
    const KIND: &'static str = "serial";
    const SUMMARY: &'static str = "A health-cabin device on a serial port that speaks of itself";

    fn check(raw: RawSettings, devices: &[RawDevice], centre: &timezone::Zone) -> Checked<Medium> {
        let device = plan::only(devices)?;
        let Some(model) = models::find(&device.profile) else {
            let known: Vec<&str> = models::MODELS.iter().map(|model| model.name).collect();
            return Err(plan::no_profile(0, device, &known));
        };
        let zone = plan::zone(raw.utc_offset.as_deref(), centre)?;
        let (baud, parity, stop_bits) = model.line;
        let baud = raw.baud.unwrap_or(baud);
        let port = plan::serial(Serial { path: raw.port, baud, parity, stop_bits })?;
        let layout = plan::layout(device, model.quantities);
        Ok((vec![layout], Medium::Stream(Settings { port, model: model.name, zone })))
    }
}
