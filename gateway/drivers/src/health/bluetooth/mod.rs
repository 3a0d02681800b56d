//! `kind = "bluetooth"`: the row of the protocol table.

#[cfg(feature = "bluetooth")]
mod bluez;
mod gatt;
pub mod profiles;
mod radio;

use std::sync::Arc;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;

use super::plan::{self, HealthPlan, Medium, problem};
use crate::modbus::profile::ProfileSet;
use crate::protocol::{LinePlan, Problem, Protocol, RawDevice, RawLine};
use gatt::Settings;
use radio::Address;

/// A Bluetooth Low Energy device with a health profile. Pair it once with `bluetoothctl pair ADDRESS`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    /// The device's address, such as "00:11:22:AA:BB:CC"; `bluetoothctl devices` lists them.
    address: String,
    /// The adapter, hci0 unless given.
    #[serde(default)]
    adapter: Option<String>,
    /// Offset from UTC of the device's own clock, "+08:00" unless given.
    #[serde(default)]
    utc_offset: Option<String>,
}

pub(super) use gatt::{Settings as Gatt, run};

/// The row of the protocol table.
pub struct Bluetooth;

/// Bluetooth health profiles.
pub static BLUETOOTH: Bluetooth = Bluetooth;

// === impl Bluetooth ===

impl Protocol for Bluetooth {
    fn kind(&self) -> &'static str {
        "bluetooth"
    }

    fn summary(&self) -> &'static str {
        "A Bluetooth Low Energy device with a health profile, through BlueZ"
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
        let address = Address::parse(&raw.address).ok_or_else(|| {
            problem(
                None,
                "address",
                format!("{:?} is not an address such as \"00:11:22:AA:BB:CC\"", raw.address),
            )
        })?;
        let adapter = raw.adapter.unwrap_or_else(|| "hci0".to_owned());
        if adapter.is_empty() || !adapter.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(problem(None, "adapter", format!("{adapter:?} is not an adapter such as \"hci0\"")));
        }
        let zone = plan::zone(raw.utc_offset.as_deref())?;
        let device = plan::only(devices)?;
        let Some(profile) = profiles::find(&device.profile) else {
            let known: Vec<&str> = profiles::PROFILES.iter().map(|profile| profile.name).collect();
            return Err(plan::no_profile(0, device, &known));
        };
        Ok(Arc::new(HealthPlan {
            line: line.id.clone(),
            layouts: vec![plan::layout(device, profile.quantities)],
            work: Medium::Gatt(Settings { adapter, address, profile: profile.name, zone }),
        }))
    }
}
