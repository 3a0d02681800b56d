//! The outer form of MQTT packets (MQTT 5, 2.1 and 3.1): where one ends, and what the first one asks for.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest packet of a client, in bytes.
pub const LONGEST: usize = 256 << 10;

/// Longest first packet: names, passwords and a will.
const LONGEST_CONNECT: usize = 64 << 10;

/// Type of CONNECT in the first byte.
const CONNECT: u8 = 0x10;

/// First byte of CONNACK.
const CONNACK: u8 = 0x20;

/// Most bytes of a remaining length.
const LENGTH_BYTES: u32 = 4;

/// The first packet of a client.
#[derive(Debug)]
pub struct Connect {
    /// The whole packet, its header included.
    pub bytes: Vec<u8>,
    /// Longest pause between two packets of the client, where it names one.
    pub keep_alive: Option<Duration>,
}

/// A packet that is longer than allowed, with its length in bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong {
    /// Its remaining length in bytes, as far as it was read.
    pub length: usize,
}

/// Follows where packets begin and end.
#[derive(Debug, Default)]
pub struct Packets {
    /// Bytes left of the packet.
    left: usize,
    /// Bytes of the remaining length so far, and their value.
    length: Option<(u32, usize)>,
}

// === impl Connect ===

impl Connect {
    /// Reads the first packet.
    ///
    /// # Errors
    /// When it is another one, is too long, or does not come.
    pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let wrong = || io::Error::from(io::ErrorKind::InvalidData);
        let mut bytes = vec![from.read_u8().await?];
        if bytes[0] != CONNECT {
            return Err(wrong());
        }
        let mut length = 0_usize;
        for shift in 0..=LENGTH_BYTES {
            let byte = from.read_u8().await?;
            bytes.push(byte);
            length |= usize::from(byte & 0x7f) << (7 * shift);
            if byte & 0x80 == 0 {
                break;
            }
            if shift + 1 == LENGTH_BYTES {
                return Err(wrong());
            }
        }
        if length > LONGEST_CONNECT {
            return Err(wrong());
        }
        let head = bytes.len();
        bytes.resize(head + length, 0);
        from.read_exact(&mut bytes[head..]).await?;
        let keep_alive = keep_alive(&bytes[head..]).ok_or_else(wrong)?;
        let keep_alive = (keep_alive > 0).then(|| Duration::from_secs(keep_alive.into()));
        Ok(Self { bytes, keep_alive })
    }
}

/// The keep-alive in seconds: after the name of the protocol, its version and the flags.
fn keep_alive(body: &[u8]) -> Option<u16> {
    let name = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let at = 2 + name + 2;
    Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]))
}

/// Whether the first bytes of the broker say that the client may stay: CONNACK with code 0.
pub(super) fn is_welcome(bytes: &[u8]) -> bool {
    matches!(bytes, [CONNACK, _, _, 0, ..])
}

// === impl Packets ===

impl Packets {
    /// Takes the next bytes of a client.
    ///
    /// # Errors
    /// When a packet begins in them that is longer than [`LONGEST`].
    pub fn see(&mut self, mut bytes: &[u8]) -> Result<(), TooLong> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                bytes = &bytes[taken..];
                continue;
            }
            let byte = bytes[0];
            bytes = &bytes[1..];
            let Some((count, value)) = self.length else {
                // The type of the packet.
                self.length = Some((0, 0));
                continue;
            };
            let value = value | usize::from(byte & 0x7f) << (7 * count);
            if value > LONGEST || (byte & 0x80 != 0 && count + 1 >= LENGTH_BYTES) {
                return Err(TooLong { length: value });
            }
            if byte & 0x80 != 0 {
                self.length = Some((count + 1, value));
            } else {
                (self.left, self.length) = (value, None);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CONNECT of MQTT 3.1.1 with a keep-alive and the client id "a".
    fn connect(keep_alive: u8) -> Vec<u8> {
        let body = [0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, keep_alive, 0, 1, b'a'];
        [&[CONNECT, 13][..], &body].concat()
    }

    #[tokio::test]
    async fn the_first_packet_is_a_connect_of_bounded_length() {
        let read = Connect::read(&mut &connect(30)[..]).await.unwrap();
        assert_eq!((read.bytes, read.keep_alive), (connect(30), Some(Duration::from_secs(30))));
        assert_eq!(Connect::read(&mut &connect(0)[..]).await.unwrap().keep_alive, None);
        for wrong in [
            &[][..],
            &[0x30, 2, 0, 0],
            &[CONNECT, 0],
            &[CONNECT, 0xff, 0xff, 0xff, 0x7f],
            &[CONNECT, 0x80, 0x80, 0x80, 0x80, 1],
            &[CONNECT, 4, 0, 9, b'M', b'Q'],
            &connect(30)[..10],
        ] {
            assert!(Connect::read(&mut &wrong[..]).await.is_err(), "{wrong:02x?}");
        }
    }

    #[test]
    fn a_long_packet_is_found_wherever_its_bytes_are_cut() {
        let small = [&[0x30, 0x82, 0x01][..], &[7; 130]].concat();
        let long = [0x30, 0x81, 0x80, 0x10];
        let stream = [&small[..], &[0xc0, 0], &small, &long].concat();
        for step in [1, 2, 3, 7, 64, stream.len()] {
            let mut packets = Packets::default();
            let seen: Result<Vec<()>, TooLong> =
                stream.chunks(step).map(|bytes| packets.see(bytes)).collect();
            assert_eq!(seen, Err(TooLong { length: 1 + (16 << 14) }), "{step}");
        }
        let mut packets = Packets::default();
        assert_eq!(packets.see(&[0x30, 0x80, 0x80, 0x80, 0x80]), Err(TooLong { length: 0 }));
        let mut packets = Packets::default();
        assert!(packets.see(&[0x30, 0x80, 0x80, 0x10]).is_ok(), "just as long as allowed");
    }

    #[test]
    fn only_a_connack_without_a_reason_is_a_welcome() {
        assert!(is_welcome(&[CONNACK, 2, 0, 0]) && is_welcome(&[CONNACK, 3, 1, 0, 0]));
        assert!(
            !is_welcome(&[CONNACK, 2, 0, 5]) && !is_welcome(&[CONNACK, 2]) && !is_welcome(&[0x30, 2, 0, 0])
        );
    }
}
