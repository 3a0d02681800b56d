//! Medical floating-point numbers.

use linli_domain::vital::NoReading;
use linli_vitals::ble::{Real, float, sfloat};

#[test]
fn published_numbers() {
    let short = [
        (0x0002, 2.0, 0),
        (0xF014, 2.0, 1),
        (0xE0C8, 2.0, 2),
        (0x1002, 20.0, 0),
        (0x2002, 200.0, 0),
        (0x04D2, 1234.0, 0),
        (0x0B2E, -1234.0, 0),
        (0xF16C, 36.4, 1),
        (0xE16C, 3.64, 2),
        (0x016C, 364.0, 0),
        (0x116C, 3640.0, 0),
        (0xFE94, -36.4, 1),
        (0xC038, 0.0056, 4),
    ];
    for (word, value, decimals) in short {
        assert_eq!(sfloat(word), Real { value: Ok(value), decimals }, "{word:04X}");
    }
    let long =
        [(0xFF00_016C, 36.4, 1), (0xFE00_0EB0, 37.6, 2), (0xFF00_0172, 37.0, 1), (0xFFFF_FE94, -36.4, 1)];
    for (word, value, decimals) in long {
        assert_eq!(float(word), Real { value: Ok(value), decimals }, "{word:08X}");
    }
}

#[test]
fn words_that_are_no_numbers() {
    use NoReading::{Error, NegativeInfinity, NotANumber, PositiveInfinity};
    for (word, why) in [
        (0x07FF, NotANumber),
        (0x07FE, PositiveInfinity),
        (0x0802, NegativeInfinity),
        (0x0800, Error),
        (0x0801, Error),
    ] {
        assert_eq!(sfloat(word).value, Err(why), "{word:04X}");
    }
    for (word, why) in [
        (0x007F_FFFF, NotANumber),
        (0x007F_FFFE, PositiveInfinity),
        (0x0080_0002, NegativeInfinity),
        (0x0080_0000, Error),
        (0x0080_0001, Error),
    ] {
        assert_eq!(float(word).value, Err(why), "{word:08X}");
    }
}
