//! A&D UA-767PBT blood-pressure monitors and UC-321PBT scales over a serial port (Bluetooth SPP):
//! a header of 60 bytes, then data in ASCII hexadecimal.
//!
//! The published description does not state the byte order; little-endian is assumed.

/// Length of the header.
const HEADER: usize = 60;

/// The only packet type that carries data.
const DATA: u16 = 2;

/// Longest data anybody sends.
const LONGEST: usize = 256;

/// A blood-pressure packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BloodPressure {
    /// mm\[Hg\].
    pub systolic: u16,
    /// mm\[Hg\].
    pub diastolic: u16,
    /// mm\[Hg\].
    pub mean: u16,
    /// Per minute.
    pub pulse: u16,
    /// Year, month, day, hour, minute, second by the device's clock.
    pub measured: [u16; 6],
    /// The device's serial number.
    pub serial: [u8; 12],
}

/// Why a packet is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// More bytes are to come.
    #[error("incomplete")]
    Incomplete,
    /// The device says that the measurement failed.
    #[error("the device marks the measurement as failed")]
    Failed,
    /// Not such a packet.
    #[error("not a packet of this kind")]
    Foreign,
}

/// Decodes one packet from the beginning of `bytes`; how long it was comes with it.
pub fn blood_pressure(bytes: &[u8]) -> Result<(BloodPressure, usize), Rejected> {
    let header: &[u8; HEADER] =
        bytes.get(..HEADER).and_then(|b| b.try_into().ok()).ok_or(Rejected::Incomplete)?;
    let word = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let length = usize::from(word(2)) | usize::from(word(4)) << 16;
    if word(0) != DATA || word(6) != 767 || length > LONGEST {
        return Err(Rejected::Foreign);
    }
    let data = bytes.get(HEADER..HEADER + length).ok_or(Rejected::Incomplete)?;
    let fields: Vec<u16> = data.chunks_exact(2).map_while(hexadecimal).collect();
    let [valid, difference, diastolic, pulse, mean] = fields[..] else { return Err(Rejected::Foreign) };
    if valid != 0x80 {
        return Err(Rejected::Failed);
    }
    let mut serial = [0; 12];
    serial.copy_from_slice(&header[35..47]);
    let measured = [
        word(9),
        header[11].into(),
        header[12].into(),
        header[13].into(),
        header[14].into(),
        header[15].into(),
    ];
    let read = BloodPressure { systolic: diastolic + difference, diastolic, mean, pulse, measured, serial };
    Ok((read, HEADER + length))
}

fn hexadecimal(pair: &[u8]) -> Option<u16> {
    u16::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(data: &str) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        bytes[0] = 2;
        bytes[2] = u8::try_from(data.len()).unwrap();
        bytes[6..8].copy_from_slice(&767_u16.to_le_bytes());
        bytes[9..11].copy_from_slice(&2026_u16.to_le_bytes());
        bytes[11..16].copy_from_slice(&[11, 23, 9, 30, 5]);
        bytes.extend(data.as_bytes());
        bytes
    }

    #[test]
    fn the_published_packet() {
        let bytes = packet("8032583C69");
        let (read, length) = blood_pressure(&bytes).unwrap();
        assert_eq!((read.systolic, read.diastolic, read.pulse, read.mean), (138, 88, 60, 105));
        assert_eq!((read.measured, length), ([2026, 11, 23, 9, 30, 5], 70));
    }

    #[test]
    fn what_is_cut_failed_or_foreign_is_told_apart() {
        let bytes = packet("8032583C69");
        for cut in 0..bytes.len() {
            assert_eq!(blood_pressure(&bytes[..cut]), Err(Rejected::Incomplete));
        }
        assert_eq!(blood_pressure(&packet("0032583C69")), Err(Rejected::Failed));
        assert_eq!(blood_pressure(&packet("80325")), Err(Rejected::Foreign));
        let mut scale = packet("8032583C69");
        scale[6] = 0x41;
        assert_eq!(blood_pressure(&scale), Err(Rejected::Foreign));
    }
}
