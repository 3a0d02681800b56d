//! The bytes of version 1.
//!
//! If a test in this module fails, do not change the test. Nodes in the field and images on sticks
//! hold these bytes; make a new version, and read both.

use linli_wire::board::Board;
use linli_wire::config::{Baud, Config, Parity};
use linli_wire::health::Counter;
use linli_wire::identity::{BootState, Identity, reset, status};
use linli_wire::image::Header;
use linli_wire::kind::{ANY, Kind};
use linli_wire::log::{Code, Entry};
use linli_wire::point::{self, Point};
use linli_wire::quality::{Quality, Reason};
use linli_wire::update::{Command, Message, Refusal, State, WORDS};
use linli_wire::version::Version;
use linli_wire::{map, selftest};

fn hex(words: &[u16]) -> String {
    words.iter().map(|word| format!("{word:04x}")).collect::<Vec<_>>().join(" ")
}

const IDENTITY: Identity = Identity {
    map_version: 1,
    board: 1,
    kind: 3,
    firmware: Version::new(1, 4, 259),
    security: 2,
    boot: BootState::Trial as u16,
    serial: 0x1122_3344_5566_7788,
    reset_cause: reset::SOFTWARE | reset::BROWN_OUT,
    status: status::SENSOR_FAULTY | status::WATCHDOG_RUNS,
    uptime_s: 4_294_967,
    points: 1,
    points_base: 0x20,
    inputs: 4,
    relays: 2,
    image: 0xCAFE_F00D,
};

#[test]
fn identity() {
    let words = IDENTITY.encode();
    assert_eq!(
        hex(&words),
        "4c4c 0001 0001 0003 0104 0103 0002 0001 1122 3344 5566 7788 000a 0044 0041 8937 0001 0020 0004 0002 \
         cafe f00d ff0e"
    );
    assert_eq!(Identity::decode(&words), Ok(IDENTITY));
}

#[test]
fn points() {
    let good = Point { value: Some(412), quality: Quality::Good, age_s: 1 };
    assert_eq!(hex(&good.encode()), "0000 019c 0000 0001");
    let doubt = Point { value: Some(-1250), quality: Quality::Uncertain(Reason::Jump), age_s: 2 };
    assert_eq!(hex(&doubt.encode()), "ffff fb1e 0105 0002");
    let none = Point { value: None, quality: Quality::Bad(Reason::NoAnswer), age_s: 0xFFFF };
    assert_eq!(hex(&none.encode()), "8000 0000 0202 ffff");
    assert_eq!((point::address(0), point::address(7)), (0x20, 0x3C));
}

#[test]
fn configuration() {
    let mut config = Config::factory(Kind::from_name("room").expect("a kind"));
    config.unit = 12;
    config.baud = Baud::B115200;
    config.parity = Parity::Even;
    (config.gap, config.lease_s, config.safe, config.inverted) = (120, 90, 0b10, 0b1001);
    config.serial = 0x1122_3344_5566_7788;
    config.set_name("阅览室").expect("it fits");
    config.offsets[0] = -25;
    let words = config.encode();
    assert_eq!(
        hex(&words),
        "000c 0007 0001 0078 0003 03e8 001e 005a 0002 0009 001e 0000 1122 3344 5566 7788 e998 85e8 a788 e5ae \
         a400 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 ffe7 0000 0000 0000 0000 0000 0000 0000"
    );
    assert_eq!(Config::decode(&words), Ok(config));
}

#[test]
fn log_entries() {
    let entry = Entry { seq: 70_000, uptime_s: 3, code: Code::SensorFailed.code(), argument: 0x0001_0002 };
    assert_eq!(hex(&entry.encode()), "0001 1170 0000 0003 000a 0001 0002");
    assert_eq!(Entry::decode(&entry.encode()), Some(entry));
}

#[test]
fn messages() {
    let message = Message::chunk(0xAABB_CCDD, 0x0001_0200, &[1, 2, 3, 4, 5, 6, 7, 8]);
    let mut words = [0; WORDS];
    let used = message.encode(&mut words);
    assert_eq!(hex(&words[..used]), "0002 aabb ccdd 0001 0200 0008 3fca 88c5 0102 0304 0506 0708");
    let used = Message::order(Command::Activate, 0xAABB_CCDD).encode(&mut words);
    assert_eq!(hex(&words[..used]), "0004 aabb ccdd 0000 0000 0000 0000 0000");
}

#[test]
fn image_header() {
    let header = Header {
        board: 3,
        kinds: ANY,
        security: 2,
        firmware: Version::new(1, 4, 259),
        length: 0x0001_0008,
        key: 0xDEAD_BEEF,
        hash: core::array::from_fn(|at| at as u8),
        signature: core::array::from_fn(|at| 0xFF - at as u8),
    };
    let bytes = header.encode();
    let front: String = bytes[..52].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        front,
        "4c4c465700010003ffff00020104010300010008deadbeef00000000000000000000000000000000000000000000000000010203"
    );
    assert_eq!((bytes[111], bytes[112], bytes[175], bytes.len()), (63, 255, 192, 176));
    assert_eq!(header.id(), 0xF2EB_3C52);
    assert_eq!(Header::decode(&bytes), Ok(header));
}

#[test]
fn addresses() {
    let at = [
        map::identity::CHECK.address,
        map::points::POINT,
        map::health::COUNTER,
        map::health::REFUSED,
        map::selftest::STATE.address,
        map::clock::NOW.address,
        map::log::HEAD.address,
        map::log::ENTRY,
        map::update::STATE.address,
        map::update::NEXT.address,
        map::update::FLOOR.address,
        map::config::UNIT.address,
        map::config::NAME,
        map::config::OFFSETS,
        map::commit::COMMIT.address,
        map::outputs::OUTPUT,
        map::control::SELFTEST.address,
        map::control::TIME.address,
        map::control::CURSOR.address,
        map::mailbox::COMMAND.address,
        map::mailbox::BYTES,
    ];
    assert_eq!(
        hex(&at),
        "0016 0020 0100 0140 0180 0190 0200 0210 0300 0302 0310 0000 0010 0020 0040 0100 0180 0190 0200 0400 0408"
    );
}

/// Every code that had a meaning in version 1, with its word. More may follow, none may change.
#[test]
fn codes() {
    fn check(of: fn(u16) -> Option<&'static str>, words: &str) {
        for (code, word) in words.split_whitespace().filter_map(|pair| pair.split_once('=')) {
            assert_eq!(of(code.parse().expect("a number")), Some(word));
        }
    }
    check(
        |c| Board::from_code(c).map(Board::as_str),
        "1=mps2-an385 2=lm3s6965evb 3=stm32f405 32512=software",
    );
    check(|c| Kind::from_id(c).map(|kind| kind.name), "1=fridge 2=cabin 3=room");
    check(|c| BootState::from_code(c).map(BootState::as_str), "0=confirmed 1=trial 2=reverted 3=recovery");
    check(
        |c| Reason::from_code(c).map(Reason::as_str),
        "1=starting 2=no_answer 3=bus_fault 4=out_of_range 5=jump 6=stale 7=not_fitted",
    );
    check(
        |c| Command::from_code(c).map(Command::as_str),
        "1=begin 2=chunk 3=finish 4=activate 5=confirm 6=abort 7=restart",
    );
    check(
        |c| State::from_code(c).map(State::as_str),
        "0=idle 1=erasing 2=receiving 3=verifying 4=verified 5=activating",
    );
    check(
        |c| Refusal::from_code(c).map(Refusal::as_str),
        "1=crc 2=length 3=unknown_command 4=busy 5=no_session 6=other_session 7=ahead 8=repeated 9=beyond_end \
         10=header 11=board 12=kind 13=older_version 14=security 15=too_large 16=incomplete 17=hash \
         18=signature 19=flash 20=not_verified 21=mark 22=not_on_trial 23=selftest_failed 24=not_supported \
         25=on_trial 26=torn 27=unknown_key",
    );
    check(
        |c| Counter::from_code(c).map(Counter::as_str),
        "0=frames 1=answers 2=exceptions 3=crc_errors 4=fragments 5=overruns 6=other_units 7=broadcasts \
         8=samples 9=sensor_errors 10=i2c_nacks 11=implausible 12=lease_drops 13=config_commits \
         14=config_repairs 15=trial_fallbacks 16=flash_writes 17=flash_erases 18=chunks 19=chunk_repeats \
         20=resets 21=watchdog_resets 22=brown_outs 23=log_overwrites 24=longest_loop_ms \
         25=stack_unused_bytes",
    );
    check(
        |c| Code::from_code(c).map(Code::as_str),
        "1=booted 2=firmware 3=boot_state 4=confirmed 5=trial_expired 6=clock_set 10=sensor_failed 11=sensor_back \
         12=lease_dropped 13=relay_set 14=input_changed 20=config_stored 21=config_default \
         22=config_repaired 23=config_refused 24=config_not_stored 25=trial_begun 26=trial_confirmed \
         27=trial_fell_back 30=update_begun 31=update_resumed 32=update_refused 33=update_verified \
         34=update_activated 35=update_aborted 40=selftest_passed 41=selftest_failed 42=restarting",
    );
    check(
        |c| selftest::Item::from_code(c).map(selftest::Item::as_str),
        "0=memory 1=storage 2=configuration 3=bus 4=sensors 5=outputs 6=image 7=clock",
    );
}
