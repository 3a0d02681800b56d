//! Updates in any order of messages, with power cuts anywhere: what is marked for the bootloader
//! is always a whole, signed image, and a client that only follows the status always arrives.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use linli_node::receiver::{Receiver, Rules, verify};
use linli_node::sim::{Disk, Keys, SLOT, image};
use linli_wire::board::Board;
use linli_wire::image::Header;
use linli_wire::kind::ANY;
use linli_wire::update::{Command, Message, State};
use linli_wire::version::Version;

/// Its public half, in the curve's encoding, is what the node believes.
const SECRET: [u8; 32] = [9; 32];
const PUBLIC: [u8; 32] = [
    0xfd, 0x17, 0x24, 0x38, 0x5a, 0xa0, 0xc7, 0x5b, 0x64, 0xfb, 0x78, 0xcd, 0x60, 0x2f, 0xa1, 0xd9, 0x91,
    0xfd, 0xeb, 0xf7, 0x6b, 0x13, 0xc5, 0x8e, 0xd7, 0x02, 0xea, 0xc8, 0x35, 0xe9, 0xf6, 0x18,
];

fn good() -> &'static [u8] {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let header = Header {
            board: Board::Software.code(),
            kinds: ANY,
            security: 1,
            firmware: Version::new(2, 0, 0),
            length: 0,
            key: 0,
            hash: [0; 64],
            signature: [0; 64],
        };
        let body: Vec<u8> = (0..6000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        image(header, &body, &SECRET)
    })
}

/// What is done: a choice, where, how much.
type Step = (u8, u16, u8);

fuzz_target!(|steps: Vec<Step>| {
    let keys = Keys::new(&[PUBLIC]).expect("the key is a point of the curve");
    let rules = Rules {
        board: Board::Software.code(),
        kind: Some(1),
        above: Some(Version::new(1, 0, 0)),
        floor: 0,
        capacity: SLOT,
    };
    let disk = Disk::new();
    let start = || Receiver::new(disk.slot.clone(), disk.clone(), keys.clone(), rules);
    let mut receiver = start();
    let header = Header::decode(good()).expect("it was made here");
    let session = header.id();
    for (choice, place, length) in steps.into_iter().take(64) {
        let offset = usize::from(place) % good().len() / 8 * 8;
        let next = receiver.status().next as usize;
        let piece =
            |from: usize| &good()[from..(from + usize::from(length).min(224) / 8 * 8).min(good().len())];
        let message = match choice % 12 {
            0 => Message::begin(&header),
            1 => Message::chunk(session, offset as u32, piece(offset)),
            2..=5 => Message::chunk(session, next as u32, piece(next)),
            6 => Message::order(Command::Finish, session),
            7 => Message::order(Command::Activate, session),
            8 => Message::order(Command::ALL[usize::from(length) % Command::ALL.len()], u32::from(place)),
            9 => {
                disk.power.cut_at(u64::from(length % 16));
                continue;
            }
            10 => {
                disk.power.restore();
                receiver = start();
                continue;
            }
            _ => {
                receiver.step();
                continue;
            }
        };
        let accepted = receiver.handle(&message, true).is_ok();
        assert!(receiver.status().next <= header.total());
        if accepted && message.command == Command::Activate.code() {
            assert_eq!(
                verify(&mut disk.slot.clone(), 0, &keys, &rules),
                Ok(header),
                "what is marked is whole"
            );
            return;
        }
    }
    disk.power.restore();
    let mut receiver = start();
    let arrived = (0..2000).any(|_| {
        let next = receiver.status().next as usize;
        let message = match receiver.status().state {
            State::Idle => Message::begin(&header),
            State::Receiving if next == good().len() => Message::order(Command::Finish, session),
            State::Receiving => {
                Message::chunk(session, next as u32, &good()[next..(next + 224).min(good().len())])
            }
            State::Verified => return true,
            _ => {
                receiver.step();
                return false;
            }
        };
        let _ = receiver.handle(&message, true);
        false
    });
    assert!(arrived, "who follows the status arrives");
});
