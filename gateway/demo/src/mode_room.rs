//! Simulates the controller of a room that changes its use, the room itself, and the hard-wired
//! interlocks of lamps and doors.

use std::time::Duration;

/// The relay of the lamps drops out when it is not written for this long.
const LEASE: Duration = Duration::from_secs(10);

/// State of a room and its controller.
#[derive(Debug, Clone, PartialEq)]
pub struct ModeRoom {
    /// Entry permission as commanded: 0 public, 1 staff only, 2 in only.
    entry: u16,
    /// Outdoor air and recirculation as commanded, %.
    outdoor_air: u16,
    recirculation: u16,
    /// Lighting.
    scene: u16,
    /// The lamps as commanded, and the time until their relay drops out.
    lamps: bool,
    lease: Duration,
    /// Whether the relay is on.
    relay: bool,
    /// Position of the gate.
    gate_open: bool,
    /// Whether a door is open.
    pub door_open: bool,
    /// Whether the room is occupied.
    pub occupied: bool,
    /// Output of the fire panel.
    pub fire: bool,
    /// Whether the lamps stay dark although they accept commands.
    pub lamps_fail: bool,
    /// Air flow in m³/h, which follows the dampers slowly.
    air_flow: f64,
    /// Operating hours of the lamps.
    lamp_hours: f64,
}

// === impl ModeRoom ===

impl ModeRoom {
    /// A room in normal operation, occupied.
    pub const fn new() -> Self {
        Self {
            entry: 0,
            outdoor_air: 30,
            recirculation: 70,
            scene: 1,
            lamps: false,
            lease: Duration::ZERO,
            relay: false,
            gate_open: false,
            door_open: false,
            occupied: true,
            fire: false,
            lamps_fail: false,
            air_flow: 400.0,
            lamp_hours: 120.0,
        }
    }

    /// Advances the simulation by `passed` of real time.
    pub fn step(&mut self, passed: Duration) {
        self.lease = self.lease.saturating_sub(passed);
        if self.lease.is_zero() {
            self.lamps = false;
        }
        // Hard-wired: a fire releases the door. The lamps' interlock is in `burns`.
        if self.fire {
            self.entry = 0;
        }
        let wanted = 13.0 * f64::from(self.outdoor_air);
        self.air_flow += (wanted - self.air_flow) * (0.4 * passed.as_secs_f64()).min(1.0);
        if self.burns() {
            self.lamp_hours += passed.as_secs_f64() / 3600.0;
        }
    }

    /// Whether the lamps are lit.
    const fn burns(&self) -> bool {
        self.lamps && !self.door_open && !self.occupied && !self.fire && !self.lamps_fail
    }

    /// Values of the coils.
    pub fn coils(&self) -> Vec<bool> {
        vec![self.lamps, false, self.relay]
    }

    /// Values of the discrete inputs: door open, egress free, irradiance, occupied, fire, lamp interlock, gate
    /// open, load of the relay.
    pub const fn discretes(&self) -> [bool; 8] {
        let interlock = !self.door_open && !self.occupied;
        [self.door_open, true, self.burns(), self.occupied, self.fire, interlock, self.gate_open, self.relay]
    }

    /// Values of the holding registers.
    pub fn holdings(&self) -> Vec<(u16, u16)> {
        let words = [self.entry, self.outdoor_air, self.recirculation, self.scene];
        (0..).zip(words).collect()
    }

    /// Input registers: air flow, temperature and humidity in tenths, lamp hours.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
    pub fn inputs(&self, temperature: f64, humidity: f64) -> Vec<(u16, u16)> {
        let values = [self.air_flow, temperature * 10.0, humidity * 10.0, self.lamp_hours];
        (0..).zip(values.map(|value| value.round() as u16)).collect()
    }

    /// Writes a coil; `false` when there is none.
    pub const fn switch(&mut self, address: u16, on: bool) -> bool {
        match address {
            0 => {
                self.lamps = on;
                self.lease = LEASE;
            }
            1 => {
                if on {
                    self.gate_open = !self.gate_open;
                }
            }
            2 => self.relay = on,
            _ => return false,
        }
        true
    }

    /// Writes a register; `None` when there is none, `Some(false)` when it takes no such value.
    pub const fn set(&mut self, address: u16, word: u16) -> Option<bool> {
        let (slot, most) = match address {
            0 => (&mut self.entry, 2),
            1 => (&mut self.outdoor_air, 100),
            2 => (&mut self.recirculation, 100),
            3 => (&mut self.scene, 3),
            _ => return None,
        };
        if word > most {
            return Some(false);
        }
        *slot = word;
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lamps_go_out_when_nobody_refreshes_them_or_somebody_comes() {
        let mut room = ModeRoom::new();
        room.switch(0, true);
        room.step(Duration::from_secs(1));
        assert!(!room.discretes()[2], "somebody is there");
        room.occupied = false;
        assert!(room.discretes()[2]);
        room.step(Duration::from_secs(8));
        room.switch(0, true);
        room.step(Duration::from_secs(8));
        assert!(room.discretes()[2], "it was refreshed");
        room.door_open = true;
        assert!(!room.discretes()[2]);
        room.door_open = false;
        room.step(Duration::from_secs(3));
        assert!(!room.coils()[0], "the lease is over");
    }

    #[test]
    fn a_fire_frees_the_door_whatever_is_commanded() {
        let mut room = ModeRoom::new();
        assert_eq!(room.set(0, 1), Some(true));
        assert_eq!((room.set(0, 3), room.set(9, 0)), (Some(false), None));
        room.fire = true;
        room.step(Duration::from_millis(500));
        assert_eq!(room.holdings()[0], (0, 0));
    }
}
