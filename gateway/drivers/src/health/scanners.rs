//! `kind = "scanner"`: scanners of cards, QR codes and barcodes on a serial port. The row of the protocol table.

use linli_domain::timezone;
use schemars::JsonSchema;
use serde::Deserialize;

use super::plan::{self, Checked, Medium, Row, problem};
use super::scanner::Settings;
use crate::port::{Parity, Serial};
use crate::protocol::RawDevice;

/// The only profile of such a line.
pub const PROFILE: &str = "scanner/line";

/// Bits per second without a setting: what scanners are delivered with.
const BAUD: u32 = 9600;

/// A serial port with a scanner on it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSettings {
    /// The port, best by its stable name below /dev/serial/by-id/.
    port: String,
    /// Bits per second, 9600 unless given.
    #[serde(default)]
    baud: Option<u32>,
}

/// A scanner on a serial port.
pub(crate) struct Scanners;

// === impl Scanners ===

impl Row for Scanners {
    type Settings = RawSettings;
    type Work = Medium;
    const KIND: &'static str = "scanner";
    const SUMMARY: &'static str =
        "A scanner of cards, QR codes or barcodes on a serial port, for the health cabin";

    fn check(raw: RawSettings, devices: &[RawDevice], _: &timezone::Zone) -> Checked<Medium> {
        let device = plan::only(devices)?;
        if device.profile != PROFILE {
            return Err(plan::no_profile(0, device, &[PROFILE]));
        }
        if device.room.is_none() {
            let message = "must be given: what is scanned opens the visit of that room";
            return Err(problem(Some(0), "room", message));
        }
        let baud = raw.baud.unwrap_or(BAUD);
        let port = plan::serial(Serial { path: raw.port, baud, parity: Parity::None, stop_bits: 1 })?;
        Ok((vec![plan::layout(device, &[])], Medium::Scanner(Settings { port })))
    }
}
