//! `kind = "bluetooth"`: Bluetooth Low Energy health devices. The row of the protocol table.

#[cfg(feature = "bluetooth")]
mod bluez;
pub(super) mod gatt;
mod radio;

use linli_domain::timezone;
use schemars::JsonSchema;
use serde::Deserialize;

use super::plan::{self, Checked, Medium, Row, problem};
use crate::protocol::RawDevice;
use gatt::Settings;
pub use linli_vitals::ble::profiles;
use radio::Address;

/// A Bluetooth Low Energy device with a health profile. Pair it once with `bluetoothctl pair ADDRESS`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSettings {
    /// Bluetooth address of the device, such as "00:11:22:AA:BB:CC"; `bluetoothctl devices` lists them.
    address: String,
    /// Bluetooth adapter, default hci0.
    #[serde(default)]
    adapter: Option<String>,
    /// UTC offset of the clock of the device, default that of the centre's time zone.
    #[serde(default)]
    utc_offset: Option<String>,
}

/// A Bluetooth Low Energy health device through BlueZ.
pub(crate) struct Bluetooth;

// === impl Bluetooth ===

impl Row for Bluetooth {
    type Settings = RawSettings;
    type Work = Medium;
    const KIND: &'static str = "bluetooth";
    const SUMMARY: &'static str = "A Bluetooth Low Energy device with a health profile, through BlueZ";

    fn check(raw: RawSettings, devices: &[RawDevice], centre: &timezone::Zone) -> Checked<Medium> {
        let address = Address::parse(&raw.address).ok_or_else(|| {
            let message = format!("{:?} is not an address such as \"00:11:22:AA:BB:CC\"", raw.address);
            problem(None, "address", message)
        })?;
        let adapter = raw.adapter.unwrap_or_else(|| "hci0".to_owned());
        if adapter.is_empty() || !adapter.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(problem(None, "adapter", format!("{adapter:?} is not an adapter such as \"hci0\"")));
        }
        let zone = plan::zone(raw.utc_offset.as_deref(), centre)?;
        let device = plan::only(devices)?;
        let Some(profile) = profiles::find(&device.profile) else {
            let known: Vec<&str> = profiles::PROFILES.iter().map(|profile| profile.name).collect();
            return Err(plan::no_profile(0, device, &known));
        };
        let layout = plan::layout(device, profile.quantities);
        Ok((vec![layout], Medium::Gatt(Settings { adapter, address, profile: profile.name, zone })))
    }
}
