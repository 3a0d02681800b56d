//! The two checksums: CRC-16 of Modbus frames, CRC-32 of chunks, headers and stored things.
//!
//! Bitwise on purpose: a table of 256 words is a kilobyte of flash, and the bus is slower.

/// CRC-16/MODBUS: reflected polynomial 0xA001, initial value 0xFFFF.
#[must_use]
pub fn modbus(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8)
            .fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 })
    })
}

/// CRC-32/ISO-HDLC, as in zip and Ethernet.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    !update(!0, bytes)
}

/// One more piece of a running CRC-32: begin with `!0`, invert the end.
#[must_use]
pub fn update(crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(crc, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_of_checksums_agrees() {
        assert_eq!(modbus(b"123456789"), 0x4B37);
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(!update(update(!0, b"1234"), b"56789"), 0xCBF4_3926);
    }
}
