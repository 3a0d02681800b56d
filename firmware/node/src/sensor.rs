//! Reads one sensor on the bus, by the driver that fits it.

use embedded_hal::i2c::{Error as _, ErrorKind, I2c};
use linli_wire::kind::{PointOf, Sensor};
use linli_wire::quality::Reason;
use lm75::Lm75;

/// Reads the sensor of a point, in the point's decimals.
pub fn read<I: I2c>(i2c: &mut I, point: &PointOf) -> Result<i32, Reason> {
    match point.sensor {
        Sensor::Lm75 { address } => temperature(i2c, address, point),
    }
}

fn temperature<I: I2c>(i2c: &mut I, address: u8, point: &PointOf) -> Result<i32, Reason> {
    // The PCT2075's mask reads eleven bits; an LM75 or a TMP105 at nine bits sends zeros there.
    let mut driver = Lm75::new_pct2075(i2c, lm75::Address::from(address));
    let celsius = driver.read_temperature().map_err(|error| match error {
        lm75::Error::I2C(error) => reason(error.kind()),
        lm75::Error::InvalidInputData => Reason::OutOfRange,
    })?;
    let scale = [1.0, 10.0, 100.0, 1000.0][usize::from(point.decimals.min(3))];
    let scaled = celsius * scale;
    let value = (scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i32;
    // A bus that is stuck low or high reads as 0.0 or -0.125 °C, which is plausible in a fridge;
    // beyond the sensor's range it cannot be a temperature.
    if (point.lowest..=point.highest).contains(&value) { Ok(value) } else { Err(Reason::OutOfRange) }
}

fn reason(error: ErrorKind) -> Reason {
    match error {
        ErrorKind::NoAcknowledge(_) => Reason::NoAnswer,
        _ => Reason::BusFault,
    }
}

#[cfg(test)]
mod tests {
    use embedded_hal::i2c::NoAcknowledgeSource;
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
    use linli_wire::kind::KINDS;

    use super::*;

    fn read_with(answer: Transaction) -> Result<i32, Reason> {
        let mut bus = Mock::new(&[answer]);
        let result = read(&mut bus, &KINDS[0].points[0]);
        bus.done();
        result
    }

    fn register(high: u8, low: u8) -> Transaction {
        Transaction::write_read(0x48, vec![0], vec![high, low])
    }

    #[test]
    fn the_temperature_register_is_read_as_the_data_sheet_says() {
        // TMP105 data sheet, table 8.
        for (high, low, value) in [
            (0x7D, 0x00, 12_500),
            (0x19, 0x00, 2500),
            (0x00, 0x20, 13),
            (0x00, 0x00, 0),
            (0xFF, 0xE0, -13),
            (0xE7, 0x00, -2500),
            (0xC9, 0x00, -5500),
            (0x0C, 0x80, 1250),
        ] {
            assert_eq!(read_with(register(high, low)), Ok(value), "{high:02x}{low:02x}");
        }
    }

    #[test]
    fn what_cannot_be_a_temperature_is_out_of_range() {
        assert_eq!(read_with(register(0x7F, 0xE0)), Err(Reason::OutOfRange));
        assert_eq!(read_with(register(0x80, 0x00)), Err(Reason::OutOfRange));
    }

    #[test]
    fn every_fault_of_the_bus_has_its_reason() {
        let nack = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
        assert_eq!(read_with(register(0, 0).with_error(nack)), Err(Reason::NoAnswer));
        assert_eq!(read_with(register(0, 0).with_error(ErrorKind::Bus)), Err(Reason::BusFault));
        let lost = ErrorKind::ArbitrationLoss;
        assert_eq!(read_with(register(0, 0).with_error(lost)), Err(Reason::BusFault));
    }
}
