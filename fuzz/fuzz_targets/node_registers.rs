//! A node's registers under any requests, and the gateway's decoders under any registers: no panic,
//! every answer fits its request, the node stays the node.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_node::sim::{Disk, Keys, Options, SoftwareNode, World};
use linli_wire::config::{self, Config};
use linli_wire::identity::Identity;
use linli_wire::image::Header;
use linli_wire::kind::KINDS;
use linli_wire::log::Entry;
use linli_wire::point::Point;
use linli_wire::update::Message;
use linli_wire::{crc, update};

/// Kind, requests as function, address and data, words for the decoders, milliseconds between.
type Input = (u8, Vec<(u8, u16, Vec<u16>, u16)>, Vec<u16>, Vec<u8>);

fuzz_target!(|input: Input| {
    let (kind, requests, words, bytes) = input;
    let kind = &KINDS[usize::from(kind) % KINDS.len()];
    let options = Options::new(kind, Keys::default());
    let mut node = SoftwareNode::new(options, World::default(), Disk::new(), 0);
    let (mut now_us, mut unit) = (0, 247);
    for (function, address, data, ms) in requests {
        now_us += u64::from(ms) * 1000;
        node.poll(now_us);
        let mut body = vec![unit, function];
        body.extend(address.to_be_bytes());
        match function {
            15 | 16 => {
                let data = &data[..data.len().min(123)];
                let count = if function == 16 { data.len() } else { 16 * data.len() };
                body.extend((count as u16).to_be_bytes());
                body.push(2 * data.len() as u8);
                body.extend(data.iter().flat_map(|word| word.to_be_bytes()));
            }
            _ => body.extend(data.iter().flat_map(|word| word.to_be_bytes()).take(240)),
        }
        let sum = crc::modbus(&body);
        body.extend(sum.to_le_bytes());
        if let Some(answer) = node.ask(now_us, &body) {
            assert!(function < 0x80 && answer[0] == unit && answer[1] & 0x7F == function);
            assert_eq!(crc::modbus(answer), 0, "of a frame with its own checksum");
        }
        unit = node.node().line().unit;
        let identity = node.node().identity();
        assert_eq!(Identity::decode(&identity.encode()), Ok(identity));
    }
    decode(&words, &bytes);
});

fn decode(words: &[u16], bytes: &[u8]) {
    if let Ok(identity) = Identity::decode(words) {
        assert_eq!(identity.encode(), words[..usize::from(linli_wire::identity::WORDS)]);
    }
    if let Some(first) = words.first_chunk::<{ config::WORDS }>()
        && let Ok(config) = Config::decode(first)
    {
        assert_eq!(config.encode(), *first);
    }
    if let Some(first) = words.first_chunk::<4>()
        && let Some(point) = Point::decode(*first)
    {
        assert_eq!(Point::decode(point.encode()), Some(point));
    }
    if let Some(first) = words.first_chunk::<7>() {
        let _ = Entry::decode(first);
    }
    if let Ok(message) = Message::decode(words) {
        let mut again = [0; update::WORDS];
        let used = message.encode(&mut again);
        assert_eq!(Message::decode(&again[..used]), Ok(message));
    }
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(header.encode(), bytes[..linli_wire::image::HEADER]);
    }
}
