//! Sets up a node: address, name, kind, serial number, calibration.
//!
//! New line settings are on trial at first: the node reverts them by itself unless they are confirmed at the
//! new address. So a wrong setting does not make a node unreachable.

use linli_wire::board::Board;
use linli_wire::config::{self, Baud, CommitState, Config, Parity};
use linli_wire::identity::Identity;
use linli_wire::kind::Kind;
use serde::{Deserialize, Serialize};

use super::client::{Client, NodeError};

/// Settings of a node. Those that are `None` stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Unit id, 1 to 247.
    pub unit: Option<u8>,
    /// Bits per second.
    pub baud: Option<u32>,
    /// `none`, `even`, `odd`.
    pub parity: Option<String>,
    /// `fridge`, `cabin`, `room`.
    pub kind: Option<String>,
    /// Name, at most 32 bytes of UTF-8.
    pub name: Option<String>,
    /// Serial number; ignored if the node has one.
    pub serial: Option<u64>,
    /// Lease of its outputs in seconds.
    pub lease_s: Option<u16>,
    /// Calibration: point, and the offset that is added to it, in the point's unit.
    pub offsets: Vec<(String, f64)>,
}

/// A node as it is after it was set up.
#[derive(Debug, Clone, PartialEq)]
pub struct Provisioned {
    /// Its identity.
    pub identity: Identity,
    /// Its configuration.
    pub config: Config,
}

// === impl Settings ===

impl Settings {
    /// Returns `config` with these settings. An error names the setting that is invalid.
    pub fn apply(&self, node: &Identity, mut config: Config) -> Result<Config, String> {
        if let Some(name) = &self.kind {
            let kind = Kind::from_name(name).ok_or_else(|| format!("there is no kind {name:?}"))?;
            config.kind = kind.id;
        }
        if let Some(unit) = self.unit {
            config.unit = unit;
        }
        if let Some(baud) = self.baud {
            config.baud =
                Baud::from_rate(baud).ok_or_else(|| format!("{baud} is not a baud rate of nodes"))?;
        }
        if let Some(parity) = &self.parity {
            let found = Parity::ALL.iter().find(|known| known.as_str() == parity);
            config.parity = *found.ok_or_else(|| format!("{parity:?} is not none, even or odd"))?;
        }
        if let Some(name) = &self.name {
            config.set_name(name).map_err(|_| {
                format!("the name {name:?} has {} bytes of UTF-8, at most {} fit", name.len(), config::NAME)
            })?;
        }
        if let Some(lease) = self.lease_s {
            config.lease_s = lease;
        }
        if let Some(serial) = self.serial.filter(|_| node.serial == 0) {
            config.serial = serial;
        }
        for (point, offset) in &self.offsets {
            set_offset(&mut config, point, *offset)?;
        }
        Ok(config)
    }
}

/// Sets the calibration of a point. `offset` is in the point's unit.
pub fn set_offset(config: &mut Config, point: &str, offset: f64) -> Result<(), String> {
    let kind = Kind::from_id(config.kind).ok_or("the node has no kind known here")?;
    let Some((at, of)) = kind.points.iter().enumerate().find(|(_, of)| of.name == point) else {
        let known: Vec<&str> = kind.points.iter().map(|of| of.name).collect();
        return Err(format!("a {} node has no point {point:?}; there are: {}", kind.name, known.join(", ")));
    };
    let steps = (offset * 10_f64.powi(i32::from(of.decimals))).round();
    #[expect(clippy::cast_possible_truncation, reason = "within the limits of a calibration")]
    let steps = if steps.abs() <= 2000.0 { steps as i16 } else { i16::MAX };
    if steps == i16::MAX {
        let most = 2000.0 / 10_f64.powi(i32::from(of.decimals));
        return Err(format!("{point}: {offset} is more than ±{most}: such a probe is broken, replace it"));
    }
    config.offsets[at] = steps;
    Ok(())
}

/// Writes a configuration and commits it. After a change of unit id or line settings `reconnect` returns a
/// client that reaches the node with the new ones.
pub async fn set<F: Future<Output = Result<Client, String>>>(
    client: &Client,
    config: &Config,
    reconnect: impl FnOnce() -> F,
) -> Result<Provisioned, String> {
    let text = |error: NodeError| error.to_string();
    let before = client.config().await.map_err(text)?;
    if before == *config {
        return Ok(Provisioned { identity: client.identity().await.map_err(text)?, config: before });
    }
    client.set_config(config).await.map_err(text)?;
    let reached = if before.line_differs(config) {
        // The answer still comes with the old line settings. A lost answer is no error: the new address decides.
        match client.send_commit(config::COMMIT).await {
            Ok(()) => {}
            Err(
                refused @ NodeError::NotDone(linli_drivers::modbus::maintenance::NotDone::Refused { .. }),
            ) => {
                let why = client.commit_state().await.ok().and_then(|commit| commit.reason);
                return Err(why.map_or_else(|| refused.to_string(), |why| NodeError::Config(why).to_string()));
            }
            Err(_) => {}
        }
        let reached = reconnect().await?;
        let commit = reached.commit(config::CONFIRM).await.map_err(|error| {
            format!(
                "{error}: at its new address the node does not answer; it goes back to the old settings within {} s by itself",
                before.trial_s
            )
        })?;
        if commit.state == CommitState::Trial {
            return Err("the node does not keep its new settings".to_owned());
        }
        reached
    } else {
        client.commit(config::COMMIT).await.map_err(text)?;
        client.clone()
    };
    let (identity, now) = (reached.identity().await.map_err(text)?, reached.config().await.map_err(text)?);
    if now != *config {
        return Err("the node has other settings than it was given; look at `linli node status`".to_owned());
    }
    Ok(Provisioned { identity, config: now })
}

/// Returns a random serial number of 64 bits, never 0.
pub fn new_serial() -> anyhow::Result<u64> {
    Ok(u64::from_be_bytes(linli_services::random::random()?).max(1))
}

/// Returns the text of the node's label, which a scanner can read.
#[must_use]
pub fn label(device: &str, provisioned: &Provisioned) -> String {
    let Provisioned { identity, config } = provisioned;
    let kind = Kind::from_id(config.kind).map_or("?", |kind| kind.name);
    let board = Board::from_code(identity.board).map_or("?", Board::as_str);
    format!(
        "LINLI-NODE:1;D={device};K={kind};B={board};S={:016X};U={};R={};P={}",
        identity.serial,
        config.unit,
        config.baud.rate(),
        config.parity.as_str()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_wire::kind::KINDS;

    #[test]
    fn calibration_is_given_in_the_points_unit() {
        let mut config = Config::factory(&KINDS[0]);
        set_offset(&mut config, "product_temperature", -0.35).unwrap();
        assert_eq!(config.offsets[1], -35);
        assert!(set_offset(&mut config, "humidity", 1.0).unwrap_err().contains("air_temperature"));
        assert!(set_offset(&mut config, "air_temperature", 20.5).unwrap_err().contains("±20"));
        assert!(set_offset(&mut config, "air_temperature", f64::NAN).is_err());
    }
}
