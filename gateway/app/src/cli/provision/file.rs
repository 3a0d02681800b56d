//! Appends a device to devices.toml, which keeps comments and order, and checks the result.

use std::path::{Path, PathBuf};

use anyhow::Context;
use linli_config::files;
use linli_drivers::node::profile_name;
use linli_wire::kind::Kind;

/// A `[[device]]` to append.
pub struct Entry<'e> {
    /// Id of the device.
    pub id: &'e str,
    /// Name for people.
    pub name: Option<&'e str>,
    /// Id of its room.
    pub room: Option<&'e str>,
    /// Id of its line.
    pub line: &'e str,
    /// Kind of node.
    pub kind: &'static Kind,
    /// Modbus unit id.
    pub unit: u8,
    /// Serial number, written as 16 hexadecimal digits.
    pub serial: u64,
    /// Poll interval, such as `5s`.
    pub poll: &'e str,
}

// === impl Entry ===

impl Entry<'_> {
    /// The TOML text, which begins with an empty line.
    #[must_use]
    pub fn text(&self) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let mut text = format!("\n[[device]]\nid = {}\n", quoted(self.id));
        for (key, value) in [("name", self.name), ("room", self.room), ("line", Some(self.line))] {
            if let Some(value) = value {
                text.push_str(&format!("{key} = {}\n", quoted(value)));
            }
        }
        text.push_str(&format!(
            "unit = {}\nserial = \"{:016x}\"\nprofile = {}\nclass = \"{}\"\npoll = {}\n",
            self.unit,
            self.serial,
            quoted(&profile_name(self.kind)),
            self.kind.class,
            quoted(self.poll)
        ));
        text
    }
}

/// Appends the device and checks the configuration. Returns the path of the backup.
///
/// # Errors
/// When a file cannot be written, or when the configuration has errors; devices.toml is then restored.
pub fn append(dir: &Path, entry: &Entry<'_>) -> anyhow::Result<PathBuf> {
    let (file, backup) = (dir.join("devices.toml"), dir.join("devices.toml.before"));
    let before = std::fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
    replace(&backup, &before)?;
    let joint = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    replace(&file, &format!("{before}{joint}{}", entry.text()))?;
    if let Err(report) = linli_config::load(dir) {
        replace(&file, &before)?;
        anyhow::bail!(
            "the node is set up, but devices.toml would be wrong with it and was left as it was:\n{report}\nAdd this by hand:\n{}",
            entry.text()
        );
    }
    Ok(backup)
}

fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    files::replace(file, text.as_bytes()).with_context(|| format!("{} cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_wire::kind::KINDS;

    #[test]
    fn a_device_is_written_as_a_person_would() {
        let entry = Entry {
            id: "fridge-node-1",
            name: Some("东厨“一号”冷柜"),
            room: None,
            line: "kitchen",
            kind: &KINDS[0],
            unit: 5,
            serial: 0xA1B2,
            poll: "5s",
        };
        let table: toml::Table = entry.text().parse().unwrap();
        let device = &table["device"][0];
        assert_eq!(device["profile"].as_str(), Some("linli/node-fridge"));
        assert_eq!(device["serial"].as_str(), Some("000000000000a1b2"));
        assert_eq!(device["name"].as_str(), Some("东厨“一号”冷柜"));
        assert!(device.get("room").is_none());
    }
}
