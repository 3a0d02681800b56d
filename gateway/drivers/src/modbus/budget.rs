//! How much of a serial line's time polling takes, before anything is wired.
//!
//! Modbus over Serial Line V1.02: a character is 11 bits with parity or two stop bits, 10 without
//! (2.5.1); frames are 3.5 characters apart, above 19 200 baud fixed at 1.75 ms (2.5.1.1).

use std::time::Duration;

use crate::modbus::plan::{DevicePlan, Medium, ModbusPlan, Parity, Serial, Span, Table};
use crate::protocol::Budget;

/// Above this baud rate the silence between frames is fixed.
const FIXED_ABOVE: u32 = 19_200;

/// Silence between frames above 19 200 bit/s, as the standard fixes it.
const FIXED_SILENCE: Duration = Duration::from_micros(1750);

/// Requests a device may miss before its breaker opens.
const DETECTION: u32 = 3;

/// A device is assumed to die once an hour: its detection is spread over this.
const AMORTISED: Duration = Duration::from_secs(3600);

/// Largest number of dead devices for which the share is computed.
const MOST_DEAD: usize = 3;

// === impl Serial ===

impl Serial {
    /// Time of one character.
    #[must_use]
    pub fn character(&self) -> Duration {
        let parity = u32::from(self.parity != Parity::None);
        let bits = 1 + 8 + parity + u32::from(self.stop_bits);
        Duration::from_secs(1) * bits / self.baud.max(1)
    }

    /// Silence between two frames.
    #[must_use]
    pub fn silence(&self) -> Duration {
        if self.baud > FIXED_ABOVE { FIXED_SILENCE } else { self.character() * 7 / 2 }
    }
}

/// Bytes of the request and the reply that read `span`, CRC included.
#[must_use]
pub fn frame_bytes(span: Span) -> (u32, u32) {
    let data = match span.table {
        Table::Coil | Table::DiscreteInput => u32::from(span.count).div_ceil(8),
        Table::InputRegister | Table::HoldingRegister => 2 * u32::from(span.count),
    };
    (8, 5 + data)
}

/// The budget of a line; none where no baud rate limits it.
#[must_use]
pub fn of(plan: &ModbusPlan) -> Option<Budget> {
    let Medium::Rtu(serial) = &plan.medium else { return None };
    let shares: Vec<f64> = plan.devices.iter().map(|d| share(plan, serial, d)).collect();
    let cycle = plan.devices.iter().map(|d| device_time(plan, serial, d)).sum();
    let share_with_dead = (1..=MOST_DEAD.min(plan.devices.len())).map(|dead| {
        // The living that take most stay; detection of the dead and their probes come on top.
        let mut living = shares.clone();
        living.sort_by(f64::total_cmp);
        let living: f64 = living.iter().skip(dead).sum();
        let longest = plan.devices.iter().map(|d| d.timeout).max().unwrap_or_default();
        let detection =
            (longest * DETECTION * u32::try_from(dead).unwrap_or(1)).as_secs_f64() / AMORTISED.as_secs_f64();
        living + detection + f64::from(plan.timing.probe_share_percent) / 100.0
    });
    let lines = plan.devices.iter().zip(&shares).map(|(device, share)| {
        format!(
            "{} (unit {}): {} requests, {:.1} ms every {}: {:.1} %",
            device.layout.device,
            device.unit,
            device.blocks.len(),
            device_time(plan, serial, device).as_secs_f64() * 1000.0,
            crate::duration::format(device.poll),
            share * 100.0
        )
    });
    Some(Budget {
        share: shares.iter().sum(),
        share_with_dead: share_with_dead.collect(),
        cycle,
        lines: lines.collect(),
    })
}

/// Time to read all blocks of a device once.
fn device_time(plan: &ModbusPlan, serial: &Serial, device: &DevicePlan) -> Duration {
    let pause = serial.silence() + plan.timing.frame_gap;
    let blocks = device.blocks.iter().map(|block| {
        let (request, reply) = frame_bytes(block.span);
        serial.character() * (request + reply) + pause * 2 + device.profile.limits.reply + device.request_gap
    });
    blocks.sum()
}

fn share(plan: &ModbusPlan, serial: &Serial, device: &DevicePlan) -> f64 {
    device_time(plan, serial, device).as_secs_f64() / device.poll.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serial(baud: u32, parity: Parity, stop_bits: u8) -> Serial {
        Serial { path: "/dev/null".to_owned(), baud, parity, stop_bits }
    }

    #[test]
    fn a_character_and_a_silence_last_as_the_standard_says() {
        let slow = serial(9600, Parity::Even, 1);
        assert_eq!(slow.character().as_micros(), 1145);
        assert_eq!(slow.silence().as_micros(), 4010);
        assert_eq!(serial(9600, Parity::None, 1).character().as_micros(), 1041);
        assert_eq!(serial(115_200, Parity::None, 1).silence(), FIXED_SILENCE);
    }

    #[test]
    fn frames_are_as_long_as_on_the_wire() {
        // 01 04 00 01 00 02 20 0B and 01 04 04 01 31 02 22 2A CE
        assert_eq!(frame_bytes(Span { table: Table::InputRegister, start: 1, count: 2 }), (8, 9));
        // FF 02 00 00 00 08 6C 12 and FF 02 01 01 51 A0
        assert_eq!(frame_bytes(Span { table: Table::DiscreteInput, start: 0, count: 8 }), (8, 6));
    }
}
