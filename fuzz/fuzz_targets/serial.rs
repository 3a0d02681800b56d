//! Records on serial lines: whatever came before, a whole record is read after it, and no value is one that stands for
//! none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_drivers::health::models::{Decoded, MODELS};

/// A whole record of each model, twice: the first may end what was begun before.
fn record(name: &str) -> Vec<u8> {
    let mut packet = vec![0; 60];
    (packet[0], packet[2]) = (2, 10);
    packet[6..8].copy_from_slice(&767_u16.to_le_bytes());
    packet.extend(b"8032583C69");
    let record: &[u8] = match name {
        "nonin/8500" | "nonin/avant-9600" => b"\r\nSPO2=098 HR=072\r\n",
        "and/ua-767pbt" => &packet,
        _ => &[0x86, 0x3C, 0x05, 0x48, 0x62],
    };
    record.repeat(3)
}

fuzz_target!(|bytes: &[u8]| {
    for model in MODELS {
        let mut decoder = (model.decoder)();
        let mut push = |byte: &u8| {
            let heard = decoder.push(*byte);
            if let Some(Decoded::Moment(Some((saturation, pulse)))) = &heard {
                assert!((1..=100).contains(saturation) && *pulse > 0);
            }
            heard
        };
        bytes.iter().for_each(|byte| drop(push(byte)));
        let after = record(model.name).iter().filter_map(push).count();
        assert!(after > 0, "{}", model.name);
    }
});
