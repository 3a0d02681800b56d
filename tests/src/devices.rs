//! Devices of the tests, as `devices.toml` says them.

use std::fmt::Write;

use crate::flood::Flood;

/// `[store]` of every test: beside the configuration, committing often.
pub const STORE: &str = "path = \"../data/linli.db\"\ncommit_interval = \"20ms\"";

/// One device `d1` with a counter, on a Modbus TCP server of this machine.
#[must_use]
pub fn counter(port: u16, poll: &str) -> String {
    counter_on("l1", "d1", &format!("kind = \"modbus_tcp\"\nendpoint = \"127.0.0.1:{port}\""), poll)
}

/// One device with a counter, on a serial port.
#[must_use]
pub fn counter_serial(line: &str, device: &str, port: &std::path::Path, poll: &str) -> String {
    let medium = format!("kind = \"modbus_rtu\"\nport = \"{}\"\nbaud = 19200", port.display());
    counter_on(line, device, &medium, poll)
}

/// One device with a counter, on any medium.
#[must_use]
pub fn counter_on(line: &str, device: &str, medium: &str, poll: &str) -> String {
    format!(
        "[[line]]\nid = \"{line}\"\n{medium}\ntimeout = \"500ms\"\n\n\
         [[device]]\nid = \"{device}\"\nline = \"{line}\"\nunit = 1\nprofile = \"generic/counter\"\npoll = \"{poll}\"\n\n"
    )
}

/// Many lines with 125 registers each.
#[must_use]
pub fn floods(flood: &Flood, count: usize, poll: &str) -> String {
    let mut text = String::new();
    for i in 0..count {
        let _ = write!(
            text,
            "[[line]]\nid = \"l{i}\"\nkind = \"modbus_tcp\"\nendpoint = \"{}\"\n\n\
             [[device]]\nid = \"d{i}\"\nline = \"l{i}\"\nunit = 1\nprofile = \"generic/block-125\"\npoll = \"{poll}\"\n\n",
            flood.address
        );
    }
    text
}
