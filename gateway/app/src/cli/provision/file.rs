//! A device more in devices.toml: appended, so that comments and order stay; checked afterwards.

use std::path::{Path, PathBuf};

use anyhow::Context;
use linli_drivers::node::profile_name;
use linli_wire::kind::Kind;

/// What is written.
pub struct Entry<'e> {
    /// The device's id.
    pub id: &'e str,
    /// What people call it.
    pub name: Option<&'e str>,
    /// Its room.
    pub room: Option<&'e str>,
    /// Its line.
    pub line: &'e str,
    /// What it is.
    pub kind: &'static Kind,
    /// Its unit id.
    pub unit: u8,
    /// Its serial number.
    pub serial: u64,
    /// How often it is read.
    pub poll: &'e str,
}

// === impl Entry ===

impl Entry<'_> {
    /// As it stands in the file.
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

/// Appends the device and checks everything; gives where the file before is kept. When the check
/// fails the file is put back as it was.
pub fn append(dir: &Path, entry: &Entry<'_>) -> anyhow::Result<PathBuf> {
    let (file, backup) = (dir.join("devices.toml"), dir.join("devices.toml.before"));
    let before = std::fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
    std::fs::write(&backup, &before).with_context(|| format!("{} cannot be written", backup.display()))?;
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

/// Renamed into place: a power cut leaves the one or the other.
fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let part = file.with_extension("toml.part");
    std::fs::write(&part, text).with_context(|| format!("{} cannot be written", part.display()))?;
    std::fs::rename(&part, file).with_context(|| format!("{} cannot be written", file.display()))
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
