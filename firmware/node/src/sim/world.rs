//! What is around the node: temperatures, contacts, relays, and a bus with its faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use embedded_hal::i2c::{self, ErrorKind, ErrorType, NoAcknowledgeSource, Operation};

use crate::inputs::Inputs;
use crate::outputs::Outputs;

/// The surroundings; every clone is the same world.
#[derive(Debug, Clone, Default)]
pub struct World(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    sensors: BTreeMap<u8, i32>,
    fault: Option<ErrorKind>,
    inputs: [bool; 8],
    relays: [bool; 4],
    feeds: u64,
}

// === impl World ===

impl World {
    /// A sensor at this address of the bus shows so many hundredths of a degree; `None` takes it away.
    pub fn set_temperature(&self, address: u8, hundredths: Option<i32>) {
        let mut state = self.state();
        match hundredths {
            Some(value) => state.sensors.insert(address, value),
            None => state.sensors.remove(&address),
        };
    }

    /// Disturbs the whole bus, or mends it.
    pub fn set_fault(&self, fault: Option<ErrorKind>) {
        self.state().fault = fault;
    }

    /// Opens or closes a contact.
    pub fn set_input(&self, index: usize, is_high: bool) {
        if let Some(input) = self.state().inputs.get_mut(index) {
            *input = is_high;
        }
    }

    /// Whether a relay is on.
    #[must_use]
    pub fn relay(&self, index: usize) -> bool {
        self.state().relays.get(index).copied().unwrap_or(false)
    }

    /// How often the watchdog was fed.
    #[must_use]
    pub fn feeds(&self) -> u64 {
        self.state().feeds
    }

    /// Power is lost: every relay drops.
    pub fn drop_relays(&self) {
        self.state().relays = [false; 4];
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl the node's traits for World ===

impl ErrorType for World {
    type Error = ErrorKind;
}

impl i2c::I2c for World {
    /// Every sensor is an LM75 with eleven bits; only its temperature register is there.
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let state = self.state();
        if let Some(fault) = state.fault {
            return Err(fault);
        }
        let absent = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
        let hundredths = *state.sensors.get(&address).ok_or(absent)?;
        // Eighths of a degree, rounded to the nearest, in the upper eleven bits.
        let eighths = (hundredths * 8 + hundredths.signum() * 50) / 100;
        let register = (eighths.clamp(-512, 1023) << 5) as u16;
        for operation in operations {
            if let Operation::Read(bytes) = operation {
                for (byte, value) in bytes.iter_mut().zip(register.to_be_bytes()) {
                    *byte = value;
                }
            }
        }
        Ok(())
    }
}

impl Inputs for World {
    fn is_high(&mut self, index: usize) -> Option<bool> {
        self.state().inputs.get(index).copied()
    }
}

impl Outputs for World {
    fn set(&mut self, index: usize, is_on: bool) -> bool {
        self.state().relays.get_mut(index).map(|relay| *relay = is_on).is_some()
    }
}

impl crate::board::Watchdog for World {
    fn feed(&mut self) {
        self.state().feeds += 1;
    }
}
