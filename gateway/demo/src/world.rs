//! Simulates the centre: temperatures that follow compressors and doors, power that follows what is
//! switched on. The same seed gives the same day.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;

use super::faults::{Fault, Faults};
use super::mode_room::ModeRoom;

/// Interval of the simulation steps.
const STEP: Duration = Duration::from_millis(500);

/// Simulated seconds per real second, so that changes become visible.
const HASTE: f64 = 20.0;

/// State of the centre. Temperatures in °C, power in W, energy in kWh.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    random: Rng,
    /// Fridge.
    pub fridge: Cabinet,
    /// Freezer.
    pub freezer: Cabinet,
    /// Hot-holding cabinet.
    pub hot: Cabinet,
    /// Air temperature of the reading room.
    pub room_temperature: f64,
    /// Relative humidity there, %.
    pub room_humidity: f64,
    /// Carbon dioxide there, ppm.
    pub co2: f64,
    /// Readers present.
    pub people: u32,
    /// Ventilation commanded on.
    pub fan: bool,
    /// Its speed, %.
    pub fan_speed: u16,
    /// Lamp commanded on.
    pub lamp: bool,
    /// Mains voltage.
    pub voltage: f64,
    /// Total power of the kitchen.
    pub power: f64,
    /// Energy meter of the kitchen.
    pub energy: f64,
    /// Visitors counted at the entrance.
    pub visitors: u32,
    /// Rooms that can change their use: reading room, hall, kitchen.
    pub modes: [ModeRoom; 3],
}

/// A cabinet with a thermostat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cabinet {
    /// Air temperature.
    pub temperature: f64,
    /// Whether the compressor or heater is on.
    pub running: bool,
    /// Temperatures at which it switches on and off.
    on_at: f64,
    off_at: f64,
    /// Final temperature while running, and while off.
    towards: f64,
    ambient: f64,
    /// Share of the difference that it covers in a minute.
    pace: f64,
    watts: f64,
    /// Minutes until the door closes.
    door: f64,
}

// === impl Cabinet ===

impl Cabinet {
    const fn new(start: f64, on_at: f64, off_at: f64, towards: f64, pace: f64, watts: f64) -> Self {
        Self {
            temperature: start,
            running: false,
            on_at,
            off_at,
            towards,
            ambient: 24.0,
            pace,
            watts,
            door: 0.0,
        }
    }

    /// Whether its door is open.
    pub fn is_door_open(&self) -> bool {
        self.door > 0.0
    }

    fn step(&mut self, minutes: f64, failed: bool) {
        let cools = self.towards < self.ambient;
        let (wants_on, wants_off) = if cools {
            (self.temperature > self.on_at, self.temperature < self.off_at)
        } else {
            (self.temperature < self.on_at, self.temperature > self.off_at)
        };
        self.running = !failed && (wants_on || (self.running && !wants_off));
        let target = if self.running { self.towards } else { self.ambient };
        let leak = if self.door > 0.0 { 4.0 } else { 1.0 };
        let pace = if self.running { self.pace * 3.0 } else { self.pace * leak };
        self.temperature += (target - self.temperature) * (1.0 - (-pace * minutes).exp());
        self.door = (self.door - minutes).max(0.0);
    }
}

// === impl World ===

impl World {
    /// State of the centre in the morning.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            fridge: Cabinet::new(4.0, 5.0, 2.5, -6.0, 0.012, 180.0),
            freezer: Cabinet::new(-19.0, -17.5, -20.5, -32.0, 0.008, 320.0),
            hot: Cabinet::new(66.0, 63.0, 69.0, 95.0, 0.02, 1500.0),
            room_temperature: 23.0,
            room_humidity: 48.0,
            co2: 520.0,
            people: 6,
            fan: true,
            fan_speed: 50,
            lamp: true,
            voltage: 229.0,
            power: 0.0,
            energy: 1234.5,
            visitors: 0,
            modes: [ModeRoom::new(), ModeRoom::new(), ModeRoom::new()],
        }
    }

    /// Advances the simulation.
    pub fn step(&mut self, passed: Duration, compressor_failed: bool) {
        let minutes = passed.as_secs_f64() / 60.0;
        self.fridge.step(minutes, compressor_failed);
        self.freezer.step(minutes, false);
        self.hot.step(minutes, false);
        if self.chance(0.02 * minutes) {
            self.fridge.door = 1.5;
        }
        self.move_people(minutes);
        let fan = if self.fan { f64::from(self.fan_speed) / 100.0 } else { 0.0 };
        let fresh = (0.01 + 0.08 * fan) * minutes;
        self.co2 += f64::from(self.people) * 7.0 * minutes - (self.co2 - 420.0) * fresh.min(1.0);
        self.room_temperature +=
            (22.5 + 0.15 * f64::from(self.people) - self.room_temperature) * (0.02 * minutes).min(1.0);
        self.room_humidity +=
            (45.0 + 0.4 * f64::from(self.people) - self.room_humidity) * (0.03 * minutes).min(1.0);
        self.voltage = 229.0 + 3.0 * (self.random.f64() - 0.5);
        let cabinets = [self.fridge, self.freezer, self.hot];
        self.power = 90.0 + cabinets.iter().filter(|c| c.running).map(|c| c.watts).sum::<f64>();
        self.energy += self.power / 1000.0 * minutes / 60.0;
    }

    fn move_people(&mut self, minutes: f64) {
        if self.chance(0.5 * minutes) && self.people < 30 {
            self.people += 1;
            self.visitors += 1;
        }
        if self.chance(0.04 * minutes * f64::from(self.people)) {
            self.people = self.people.saturating_sub(1);
        }
    }

    fn chance(&mut self, likelihood: f64) -> bool {
        self.random.f64() < likelihood
    }
}

/// Advances the simulation at each step; never returns.
pub async fn run(world: Arc<Mutex<World>>, faults: Faults) {
    let mut tick = tokio::time::interval(STEP);
    loop {
        tick.tick().await;
        let failed = faults.is_on(Fault::FridgeWarming);
        let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
        world.step(STEP.mul_f64(HASTE), failed);
        for room in &mut world.modes {
            room.occupied = !faults.is_on(Fault::RoomsCleared);
            room.fire = faults.is_on(Fault::FireAlarm);
            room.lamps_fail = faults.is_on(Fault::LampsFail);
            room.step(STEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(world: &mut World, hours: u32, failed: bool) -> Vec<f64> {
        (0..hours * 60)
            .map(|_| {
                world.step(Duration::from_secs(60), failed);
                world.fridge.temperature
            })
            .collect()
    }

    #[test]
    fn a_fridge_holds_its_temperature_until_its_compressor_fails() {
        let mut world = World::new(7);
        let day = hours(&mut world, 24, false);
        assert!(
            day.iter().all(|t| (0.0..8.0).contains(t)),
            "{:?}",
            day.iter().copied().fold(f64::NAN, f64::max)
        );
        let failed = hours(&mut world, 6, true);
        assert!(failed.last().is_some_and(|t| *t > 12.0), "{failed:?}");
        assert!(world.energy > 1234.5 && world.co2 > 400.0 && world.visitors > 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_day() {
        let (mut a, mut b) = (World::new(3), World::new(3));
        hours(&mut a, 5, false);
        hours(&mut b, 5, false);
        assert_eq!(a, b);
    }
}
