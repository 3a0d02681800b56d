//! A DS1307 or DS1338 on the bus, for boards that have one: it tells the node the time at the start,
//! and is told when the gateway knows better.

use ds1307::{DateTimeAccess, Datelike, Ds1307, NaiveDate, Timelike};
use embedded_hal::i2c::I2c;

use crate::broken::Broken;

/// 1970-01-01, counted in days from the beginning of the common era.
const EPOCH_DAY: i32 = 719_163;

/// Seconds of a day.
const DAY: u32 = 86_400;

/// Unix seconds; `None` if the chip does not answer, stands still or shows no date.
pub fn read<I: I2c>(i2c: &mut I) -> Option<u32> {
    let mut chip = Ds1307::new(i2c);
    // Its oscillator stands still after the battery was changed: what it shows then is no time.
    if !chip.running().ok()? {
        return None;
    }
    let shown = chip.datetime().ok()?;
    let days = u32::try_from(shown.num_days_from_ce() - EPOCH_DAY).ok()?;
    days.checked_mul(DAY)?.checked_add(shown.num_seconds_from_midnight())
}

/// Sets the chip and makes it run.
pub fn write<I: I2c>(i2c: &mut I, unix_s: u32) -> Result<(), Broken> {
    let date = NaiveDate::from_num_days_from_ce_opt(EPOCH_DAY + (unix_s / DAY) as i32);
    let second = unix_s % DAY;
    let time = date.and_then(|date| date.and_hms_opt(second / 3600, second / 60 % 60, second % 60));
    let mut chip = Ds1307::new(i2c);
    chip.set_datetime(&time.ok_or(Broken)?).map_err(|_| Broken)?;
    chip.set_running().map_err(|_| Broken)
}

#[cfg(test)]
mod tests {
    use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction};

    use super::*;

    fn ask(register: u8, answer: &[u8]) -> Transaction {
        Transaction::write_read(0x68, vec![register], answer.to_vec())
    }

    fn read_with(transfers: &[Transaction]) -> Option<u32> {
        let mut bus = Mock::new(transfers);
        let time = read(&mut bus);
        bus.done();
        time
    }

    #[test]
    fn the_chip_s_registers_are_unix_seconds() {
        // 2026-11-25 09:46:27, as the data sheet codes it: a Wednesday, 24 hours.
        let shown = [0x27, 0x46, 0x09, 0x04, 0x25, 0x11, 0x26];
        assert_eq!(read_with(&[ask(0, &[0x27]), ask(0, &shown)]), Some(1_795_599_987));
        // Register 0 first, the halt bit as it was; then the bit is cleared.
        let halted = vec![0, 0x27 | 0x80, 0x46, 0x09, 0x04, 0x25, 0x11, 0x26];
        let mut bus = Mock::new(&[
            ask(0, &[0x80]),
            Transaction::write(0x68, halted),
            ask(0, &[0xA7]),
            Transaction::write(0x68, vec![0, 0x27]),
        ]);
        let written = write(&mut bus, 1_795_599_987);
        bus.done();
        assert_eq!(written, Ok(()));
    }

    #[test]
    fn a_chip_that_stands_still_or_is_not_there_tells_no_time() {
        assert_eq!(read_with(&[ask(0, &[0x80])]), None);
        let nack = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
        assert_eq!(read_with(&[ask(0, &[0]).with_error(nack)]), None);
        assert_eq!(read_with(&[ask(0, &[0]), ask(0, &[0, 0, 0, 1, 0x31, 0x02, 0x26])]), None, "31 February");
    }
}
