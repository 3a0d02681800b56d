//! The unit of the service manager: what it lets the gateway see and do.

use std::process::Command;

use crate::run::command;

const UNIT: &str = "deploy/systemd/linli.service";

/// Highest exposure, in tenths of the scale of `systemd-analyze security`: what remains is the network, serial ports
/// and the id of the boot in /proc.
const HIGHEST: &str = "15";

/// Checks the exposure of the unit. Needs no running service manager.
pub fn exposure() -> anyhow::Result<()> {
    let arguments = ["security", "--offline=true", "--no-pager", "--threshold", HIGHEST, UNIT];
    command(Command::new("systemd-analyze").args(arguments))
}
