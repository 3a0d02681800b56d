//! The units of the service manager: what they let the gateway and the district see and do.

use std::process::Command;

use crate::run::command;

const UNITS: [&str; 2] = ["deploy/systemd/linli.service", "deploy/district/linli-district.service"];

/// Highest exposure, in tenths of the scale of `systemd-analyze security`: what remains is the network, serial ports
/// and the id of the boot in /proc.
const HIGHEST: &str = "15";

/// Checks the exposure of the units. Needs no running service manager.
pub fn exposure() -> anyhow::Result<()> {
    UNITS.iter().try_for_each(|unit| {
        let arguments = ["security", "--offline=true", "--no-pager", "--threshold", HIGHEST, unit];
        command(Command::new("systemd-analyze").args(arguments))
    })
}
