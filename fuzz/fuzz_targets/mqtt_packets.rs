//! Packets that clients send to the gateway's own broker: where one begins does not depend on how the bytes are cut, a
//! packet that is too long is refused by the time its length is known, and the first packet is read alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_drivers::mqtt::packet::{Connect, LONGEST, Packets};

/// The remaining length at the beginning of `bytes`, with the bytes that it takes: MQTT 5, 1.5.5. `None` when it is not
/// complete, an error when it has more than four bytes.
fn remaining(bytes: &[u8]) -> Option<Result<(usize, usize), ()>> {
    let end = bytes.iter().take(4).position(|byte| byte & 0x80 == 0);
    let Some(end) = end else { return (bytes.len() >= 4).then_some(Err(())) };
    let value = bytes[..=end].iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
    Some(Ok((value, end + 1)))
}

/// Whether every packet that begins in `bytes` may be that long, as far as it can be told.
fn is_permitted(mut bytes: &[u8]) -> bool {
    while let [_, rest @ ..] = bytes {
        match remaining(rest) {
            None => {
                // Bytes of a length that has already passed the longest are refused at once.
                let so_far = rest.iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
                return so_far <= LONGEST;
            }
            Some(Ok((length, head))) if length <= LONGEST => {
                bytes = rest.get(head + length..).unwrap_or_default()
            }
            Some(_) => return false,
        }
    }
    true
}

fuzz_target!(|bytes: &[u8]| {
    let whole = Packets::default().see(bytes).is_ok();
    assert_eq!(whole, is_permitted(bytes));
    let mut packets = Packets::default();
    assert_eq!(whole, bytes.chunks(1).all(|byte| packets.see(byte).is_ok()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut rest = bytes;
    if let Ok(connect) = runtime.block_on(Connect::read(&mut rest)) {
        // What it took is one packet, and the next one is still there.
        assert_eq!([&connect.bytes[..], rest].concat(), bytes);
        let (length, head) = remaining(&bytes[1..]).expect("a whole length").expect("a permitted length");
        assert_eq!(connect.bytes.len(), 1 + head + length);
    }
});
