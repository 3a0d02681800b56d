//! An update through the registers, to its end: confirmed, reverted, replayed, refused.

use linli_node::sim::image;
use linli_wire::identity::BootState;
use linli_wire::image::Header;
use linli_wire::kind::ANY;
use linli_wire::map;
use linli_wire::update::{Command, LONGEST_CHUNK, Message, Refusal, State};
use linli_wire::version::Version;

use crate::rig::{Rig, SECRET};

fn firmware(version: Version, security: u16) -> Vec<u8> {
    let body: Vec<u8> = (0..20_000_u32).map(|at| ((at * at) >> 7) as u8 ^ version.minor).collect();
    let header = Header {
        board: linli_wire::board::Board::Software.code(),
        kinds: ANY,
        security,
        firmware: version,
        length: 0,
        key: 0,
        hash: [0; 64],
        signature: [0; 64],
    };
    image(header, &body, &SECRET)
}

/// Sends an image as far as `until`; the refusal if there is one.
fn flash(rig: &mut Rig, file: &[u8], until: u32) -> Result<(), Refusal> {
    let header = Header::decode(file).expect("an image");
    let session = header.id();
    tell(rig, &Message::begin(&header))?;
    wait(rig, State::Erasing);
    loop {
        let next = rig.input(map::update::NEXT);
        if next >= until.min(header.total()) {
            break;
        }
        let end = (next as usize + LONGEST_CHUNK).min(file.len());
        tell(rig, &Message::chunk(session, next, &file[next as usize..end]))?;
    }
    if until < header.total() {
        return Ok(());
    }
    tell(rig, &Message::order(Command::Finish, session))?;
    wait(rig, State::Verifying);
    tell(rig, &Message::order(Command::Activate, session))?;
    rig.pass_ms(1500);
    Ok(())
}

fn tell(rig: &mut Rig, message: &Message) -> Result<(), Refusal> {
    match rig.send(message) {
        Ok(()) => Ok(()),
        Err(exception) => {
            let reason = Refusal::from_code(rig.input(map::update::REASON)).expect("a reason");
            assert_eq!(exception, if reason == Refusal::Busy { 6 } else { 4 });
            Err(reason)
        }
    }
}

fn wait(rig: &mut Rig, while_in: State) {
    while rig.input(map::update::STATE) == while_in.code() {
        rig.pass_ms(20);
    }
}

fn runs(rig: &mut Rig) -> (Version, BootState) {
    let version = Version::from_code(rig.input(map::identity::FIRMWARE));
    (version, BootState::from_code(rig.input(map::identity::BOOT)).expect("a state"))
}

const NEW: Version = Version::new(1, 1, 0);
const FIRST: Version = Version::new(1, 0, 0);
const CONFIRM: Message = Message::order(Command::Confirm, 0);

#[test]
fn a_good_image_is_booted_confirmed_and_never_gone_behind() {
    let mut rig = Rig::new("fridge");
    rig.pass_ms(1500);
    let file = firmware(NEW, 2);
    assert_eq!(flash(&mut rig, &file, u32::MAX), Ok(()));
    assert_eq!(runs(&mut rig), (NEW, BootState::Trial));
    let left = rig.input(map::update::TRIAL);
    assert!((590..=600).contains(&left), "{left}");
    let another = firmware(Version::new(1, 2, 0), 2);
    assert_eq!(flash(&mut rig, &another, u32::MAX), Err(Refusal::OnTrial));
    assert_eq!(tell(&mut rig, &CONFIRM), Ok(()));
    assert_eq!(runs(&mut rig), (NEW, BootState::Confirmed));
    assert_eq!(rig.input(map::update::FLOOR), 2);
    assert_eq!(rig.input(map::identity::IMAGE), Header::decode(&file).expect("an image").id());
    let now = rig.now_us;
    rig.node.power_cycle(now);
    rig.pass_ms(1500);
    assert_eq!(runs(&mut rig), (NEW, BootState::Confirmed));
    assert_eq!(rig.input(map::update::STATE), State::Idle.code(), "what the swap left is no update");
    assert_eq!(flash(&mut rig, &file, u32::MAX), Err(Refusal::OlderVersion), "replayed");
    assert_eq!(flash(&mut rig, &firmware(Version::new(2, 0, 0), 1), u32::MAX), Err(Refusal::Security));
    assert_eq!(flash(&mut rig, &another, u32::MAX), Ok(()));
}

#[test]
fn what_is_not_confirmed_reverts_by_power_cut_or_by_itself() {
    for by_itself in [false, true] {
        let mut rig = Rig::new("fridge");
        rig.pass_ms(1500);
        flash(&mut rig, &firmware(NEW, 2), u32::MAX).expect("a good image");
        assert_eq!(runs(&mut rig), (NEW, BootState::Trial));
        if by_itself {
            rig.pass(600_000_000, 50_000);
        } else {
            let now = rig.now_us;
            rig.node.power_cycle(now);
        }
        rig.pass_ms(1500);
        assert_eq!(runs(&mut rig), (FIRST, BootState::Reverted));
        assert_eq!(rig.input(map::update::STATE), State::Idle.code(), "it must be sent again");
        assert_eq!(rig.input(map::update::FLOOR), 1, "and binds nobody");
        assert_eq!(tell(&mut rig, &CONFIRM), Err(Refusal::NotOnTrial));
        assert_eq!(flash(&mut rig, &firmware(NEW, 2), u32::MAX), Ok(()));
    }
}

#[test]
fn firmware_that_cannot_reach_its_sensors_is_not_confirmed() {
    let mut rig = Rig::new("fridge");
    rig.pass_ms(1500);
    rig.world.set_temperature(0x49, None);
    flash(&mut rig, &firmware(NEW, 2), u32::MAX).expect("a good image");
    rig.pass_ms(6000);
    assert_eq!(tell(&mut rig, &CONFIRM), Ok(()), "one broken probe is no reason");
    rig.world.set_temperature(0x48, None);
    flash(&mut rig, &firmware(Version::new(1, 2, 0), 2), u32::MAX).expect("a good image");
    rig.pass_ms(6000);
    assert_eq!(tell(&mut rig, &CONFIRM), Err(Refusal::SelftestFailed));
}

#[test]
fn a_download_goes_on_after_a_power_cut_at_any_chunk_and_telemetry_never_stops() {
    let file = firmware(NEW, 2);
    let mut rig = Rig::new("fridge");
    rig.pass_ms(1500);
    let mut reached = 512;
    while reached + 4000 < file.len() as u32 {
        flash(&mut rig, &file, reached + 4000).expect("a part of it");
        assert!(rig.read(4, 0x20, 8).is_ok(), "points are read in between");
        let now = rig.now_us;
        rig.node.power_cycle(now);
        rig.pass_ms(50);
        let next = rig.input(map::update::NEXT);
        assert!(next >= reached + 4000 - 8, "{next} behind {reached}");
        reached = next;
    }
    assert_eq!(flash(&mut rig, &file, u32::MAX), Ok(()));
    assert_eq!(runs(&mut rig), (NEW, BootState::Trial));
    assert_eq!(rig.node.disk().active(), file);
}

#[test]
fn a_chunk_damaged_on_the_way_or_cut_short_is_refused() {
    let mut rig = Rig::new("fridge");
    rig.pass_ms(1500);
    let file = firmware(NEW, 2);
    flash(&mut rig, &file, 512 + 224).expect("the first chunk");
    let session = Header::decode(&file).expect("an image").id();
    let mut words = [0; linli_wire::update::WORDS];
    let used = Message::chunk(session, 736, &file[736..960]).encode(&mut words);
    words[50] ^= 4;
    assert_eq!(rig.write(0x0400, &words[..used]), Err(4));
    assert_eq!(rig.input(map::update::REASON), Refusal::Crc.code());
    assert_eq!(rig.write(0x0400, &words[..used - 10]), Err(4));
    assert_eq!(rig.input(map::update::REASON), Refusal::Length.code());
    assert_eq!(rig.write(0x0401, &words[1..used]), Err(2), "a message begins at the mailbox");
    assert_eq!(rig.input(map::update::NEXT), 736);
    assert_eq!(rig.input(linli_wire::field::Field::<u16>::at(map::health::REFUSED + Refusal::Crc.code())), 1);
}
