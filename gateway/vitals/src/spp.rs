//! A&D UA-767PBT blood-pressure monitors over a serial port (Bluetooth SPP): a header of 60
//! bytes, then data in ASCII hexadecimal.
//!
//! The published description does not state the byte order; little-endian is assumed.

use data_encoding::HEXLOWER_PERMISSIVE;

/// Length of the header.
const HEADER: usize = 60;

/// The beginning of every data packet: type 2.
const DATA: [u8; 2] = [2, 0];

/// The device type of blood-pressure monitors.
const MONITOR: u16 = 767;

/// Length of the data: validity, difference, diastolic, pulse, mean, two digits each.
const LENGTH: usize = 10;

/// The validity of a measurement that succeeded.
const VALID: u16 = 0x80;

/// Answer to a packet that is taken: the monitor clears it and disconnects.
pub const TAKEN: &[u8] = b"PWA1";

/// Answer to a packet that is not taken: the monitor keeps it and sends it again.
pub const SEND_AGAIN: &[u8] = b"PWA0";

/// A data packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// The measurement; `None` when the device marks it as failed.
    pub pressures: Option<Pressures>,
    /// Year, month, day, hour, minute, second by the device's clock.
    pub time: [u16; 6],
    /// The device's serial number.
    pub serial: [u8; 12],
}

/// Pressures in mm\[Hg\], pulse per minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pressures {
    /// Systolic pressure.
    pub systolic: u16,
    /// Diastolic pressure.
    pub diastolic: u16,
    /// Mean arterial pressure.
    pub mean: u16,
    /// Pulse rate.
    pub pulse: u16,
}

/// Splits a stream of bytes into packets, and skips anything between them.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    held: Vec<u8>,
    skipped: u64,
}

// === impl Stream ===

impl Stream {
    /// Takes one byte. Returns the packet that it completes, if any.
    pub fn push(&mut self, byte: u8) -> Option<Packet> {
        self.held.push(byte);
        // Drop from the front until what is held may be the beginning of a packet.
        while !self.held.is_empty() && !is_beginning(&self.held) {
            self.held.remove(0);
            self.skipped += 1;
        }
        if self.held.len() < HEADER + LENGTH {
            return None;
        }
        let packet = decode(&self.held);
        if packet.is_some() {
            self.held.clear();
        } else {
            self.held.remove(0);
            self.skipped += 1;
        }
        packet
    }

    /// Bytes that belonged to no packet.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// Whether the bytes can be the beginning of a packet: type, length and device type, as far as
/// they are there.
fn is_beginning(bytes: &[u8]) -> bool {
    let [device_low, device_high] = MONITOR.to_le_bytes();
    let length = u8::try_from(LENGTH).unwrap_or(u8::MAX);
    let expect = [DATA[0], DATA[1], length, 0, 0, 0, device_low, device_high];
    bytes.iter().zip(expect).all(|(byte, expect)| *byte == expect)
}

fn decode(bytes: &[u8]) -> Option<Packet> {
    let (header, data) = bytes.split_at_checked(HEADER)?;
    let fields: Option<Vec<u16>> = data.chunks_exact(2).map(hexadecimal).collect();
    let [valid, difference, diastolic, pulse, mean] = fields?[..] else { return None };
    let mut serial = [0; 12];
    serial.copy_from_slice(header.get(35..47)?);
    let year = u16::from_le_bytes([header[9], header[10]]);
    let part = |at: usize| u16::from(header[at]);
    let pressures = Pressures { systolic: diastolic + difference, diastolic, mean, pulse };
    Some(Packet {
        pressures: (valid == VALID).then_some(pressures),
        time: [year, part(11), part(12), part(13), part(14), part(15)],
        serial,
    })
}

fn hexadecimal(pair: &[u8]) -> Option<u16> {
    HEXLOWER_PERMISSIVE.decode(pair).ok()?.first().copied().map(u16::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(data: &str) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        bytes[0] = 2;
        bytes[2] = u8::try_from(data.len()).unwrap();
        bytes[6..8].copy_from_slice(&MONITOR.to_le_bytes());
        bytes[9..11].copy_from_slice(&2026_u16.to_le_bytes());
        bytes[11..16].copy_from_slice(&[11, 23, 9, 30, 5]);
        bytes[35..47].copy_from_slice(b"5070800001  ");
        bytes.extend(data.as_bytes());
        bytes
    }

    fn packets(bytes: &[u8]) -> Vec<Packet> {
        let mut stream = Stream::default();
        bytes.iter().filter_map(|byte| stream.push(*byte)).collect()
    }

    #[test]
    fn the_published_packet() {
        let found = packets(&packet("8032583C69"));
        let expect = Pressures { systolic: 138, diastolic: 88, mean: 105, pulse: 60 };
        assert_eq!((found[0].pressures, found[0].time), (Some(expect), [2026, 11, 23, 9, 30, 5]));
        assert_eq!(packets(&packet("0032583C69"))[0].pressures, None, "marked as failed");
    }

    #[test]
    fn packets_come_out_of_whatever_is_around_them() {
        let good = packet("8032583C69");
        let bytes = [b"noise\x02\x00".as_slice(), &good, &good[..33], &good, &[2, 2, 0], &good].concat();
        assert_eq!(packets(&bytes).len(), 3);
        assert_eq!(packets(&packet("80325Z3C69")), []);
    }
}
