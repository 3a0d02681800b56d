//! Updates refused with a reason, and power cut at every single write and erase of one.

use ed25519_dalek::SigningKey;
use linli_wire::kind::ANY;

use super::*;
use crate::broken::Broken;
use crate::sim::{Flash, Keys, Power, image};

const SECRET: [u8; 32] = [42; 32];
const STRANGER: [u8; 32] = [43; 32];

/// Marks that are only remembered.
#[derive(Clone)]
struct Marks {
    state: BootState,
    is_updated: bool,
    floor: u16,
    capacity: u32,
}

impl Boot for Marks {
    fn state(&mut self) -> BootState {
        self.state
    }

    fn mark_updated(&mut self) -> Result<(), Broken> {
        self.is_updated = true;
        Ok(())
    }

    fn mark_booted(&mut self) -> Result<(), Broken> {
        self.state = BootState::Confirmed;
        Ok(())
    }

    fn floor(&mut self) -> u16 {
        self.floor
    }

    fn raise_floor(&mut self, to: u16) -> Result<(), Broken> {
        self.floor = to;
        Ok(())
    }

    fn image_id(&mut self) -> u32 {
        0
    }

    fn capacity(&mut self) -> u32 {
        self.capacity
    }
}

/// Small pages, so that every cut of a whole update is walked through in a moment.
type Slot = Flash<4, 1024>;
type Under = Receiver<Slot, Marks, Keys>;

const MARKS: Marks = Marks { state: BootState::Confirmed, is_updated: false, floor: 3, capacity: 8192 };

fn public(secret: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(secret).verifying_key().to_bytes()
}

fn receiver(slot: &Slot, marks: Marks) -> Under {
    let keys = Keys::new(&[public(&SECRET)]).expect("a point of the curve");
    let rules = Rules { board: 1, kind: Some(1), above: Some(Version::new(1, 0, 0)), floor: 0, capacity: 0 };
    Receiver::new(slot.clone(), marks, keys, rules)
}

fn header() -> Header {
    Header {
        board: 1,
        kinds: ANY,
        security: 3,
        firmware: Version::new(1, 1, 0),
        length: 0,
        key: 0,
        hash: [0; 64],
        signature: [0; 64],
    }
}

/// Ends in words of ones, as a padded image does; holds a page of ones in the middle.
fn body() -> Vec<u8> {
    let mut body: Vec<u8> = (0..5000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    body[1600..2800].fill(0xFF);
    body.extend([0xFF; 40]);
    body
}

fn good() -> Vec<u8> {
    image(header(), &body(), &SECRET)
}

fn header_of(file: &[u8]) -> Header {
    Header::decode(file).expect("an image")
}

/// Steps until nothing is going on; the last event.
fn settle(receiver: &mut Under) -> Option<Event> {
    let mut last = None;
    for _ in 0..200 {
        last = receiver.step().or(last);
    }
    last
}

/// What a client does: begin, go on where the node says, finish. Never gives up while it goes forward.
fn send(receiver: &mut Under, file: &[u8]) -> Result<Option<Event>, Refusal> {
    let header = header_of(file);
    receiver.handle(&Message::begin(&header), true)?;
    settle(receiver);
    for _ in 0..200 {
        let next = receiver.status().next as usize;
        if next == file.len() {
            break;
        }
        let end = (next + LONGEST_CHUNK).min(file.len());
        match receiver.handle(&Message::chunk(header.id(), next as u32, &file[next..end]), true) {
            Ok(_) | Err(Refusal::Torn) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    receiver.handle(&Message::order(Command::Finish, header.id()), true)?;
    Ok(settle(receiver))
}

fn with(mut message: Message, change: impl FnOnce(&mut Message)) -> Message {
    change(&mut message);
    message
}

fn slot() -> (Slot, Power) {
    let power = Power::default();
    (Slot::new(9, power.clone()), power)
}

#[test]
fn a_good_image_is_received_verified_and_marked() {
    let (slot, _) = slot();
    let mut under = receiver(&slot, MARKS);
    let file = good();
    assert_eq!(send(&mut under, &file), Ok(Some(Event::Verified(Version::new(1, 1, 0)))));
    assert_eq!(slot.image()[BODY as usize..file.len()], file[BODY as usize..]);
    assert_eq!(under.status().state, State::Verified);
    let session = header_of(&file).id();
    let activated = under.handle(&Message::order(Command::Activate, session), true);
    assert_eq!(activated, Ok(Done::Event(Event::Activated(Version::new(1, 1, 0)))));
    assert!(under.boot().is_updated);
    let rules = Rules { capacity: 8192, ..under.rules };
    let keys = under.crypto.clone();
    assert_eq!(verify(&mut slot.clone(), 0, &keys, &rules), Ok(header_of(&file)), "the bootloader agrees");
}

#[test]
fn an_image_that_must_not_run_is_refused_before_anything_is_erased() {
    let cases = [
        (Header { board: 2, ..header() }, SECRET, Refusal::Board),
        (Header { kinds: 0b100, ..header() }, SECRET, Refusal::Kind),
        (Header { firmware: Version::new(1, 0, 0), ..header() }, SECRET, Refusal::OlderVersion),
        (Header { firmware: Version::new(0, 9, 9), ..header() }, SECRET, Refusal::OlderVersion),
        (Header { security: 2, ..header() }, SECRET, Refusal::Security),
        (header(), STRANGER, Refusal::UnknownKey),
    ];
    for (header, secret, why) in cases {
        let (slot, power) = slot();
        let mut under = receiver(&slot, MARKS);
        let file = image(header, &body(), &secret);
        assert_eq!(send(&mut under, &file), Err(why));
        assert_eq!((under.status().state, under.status().reason), (State::Idle, Some(why)));
        assert_eq!(power.changes(), 0, "{why:?} touched the slot");
    }
    let (slot, power) = slot();
    let mut under = receiver(&slot, MARKS);
    assert_eq!(send(&mut under, &image(header(), &[1; 9000], &SECRET)), Err(Refusal::TooLarge));
    let mut forged = good();
    forged[HEADER - 1] ^= 1;
    assert_eq!(send(&mut under, &forged), Err(Refusal::Signature));
    let mut renumbered = good();
    renumbered[13] = 9;
    assert_eq!(send(&mut under, &renumbered), Err(Refusal::Signature), "the version is signed");
    let truncated = Message::chunk(header_of(&good()).id(), 0, &good()[..100]);
    let truncated = with(truncated, |message| message.command = Command::Begin.code());
    assert_eq!(under.handle(&truncated, true), Err(Refusal::Header));
    assert_eq!(power.changes(), 0);
}

#[test]
fn a_body_that_was_changed_is_found_out_at_the_end_and_given_up() {
    let (slot, _) = slot();
    let mut under = receiver(&slot, MARKS);
    let mut file = good();
    file[3000] ^= 0x40;
    assert_eq!(send(&mut under, &file), Ok(Some(Event::Failed(Refusal::Hash))));
    assert_eq!((under.status().state, under.status().reason), (State::Idle, Some(Refusal::Hash)));
    assert_eq!(receiver(&slot, MARKS).status().state, State::Idle, "also after a restart");
    assert_eq!(send(&mut under, &good()), Ok(Some(Event::Verified(Version::new(1, 1, 0)))));
}

#[test]
fn chunks_that_do_not_fit_are_refused_and_the_next_offset_stays() {
    let (slot, _) = slot();
    let mut under = receiver(&slot, MARKS);
    let file = good();
    let session = header_of(&file).id();
    let chunk = |from: usize, to: usize| Message::chunk(session, from as u32, &file[from..to]);
    assert_eq!(under.handle(&chunk(512, 736), true), Err(Refusal::NoSession));
    under.handle(&Message::begin(&header_of(&file)), true).expect("a good header");
    assert_eq!(under.handle(&chunk(512, 736), true), Err(Refusal::Busy));
    settle(&mut under);
    assert_eq!(under.handle(&chunk(736, 960), true), Err(Refusal::Ahead));
    assert_eq!(under.handle(&chunk(512, 736), true), Ok(Done::Chunk));
    assert_eq!(under.handle(&chunk(512, 736), true), Ok(Done::Repeat), "the answer was lost");
    assert_eq!(under.handle(&chunk(736, 960), true), Ok(Done::Chunk));
    assert_eq!(under.handle(&chunk(512, 736), true), Err(Refusal::Repeated), "replayed");
    assert_eq!(under.handle(&chunk(736, 957), true), Err(Refusal::Length));
    assert_eq!(under.handle(&chunk(963, 971), true), Err(Refusal::Length));
    assert_eq!(under.handle(&Message::chunk(session, 960, &[]), true), Err(Refusal::Length));
    let other = with(chunk(960, 1184), |message| message.session ^= 1);
    assert_eq!(under.handle(&other, true), Err(Refusal::OtherSession));
    let beyond = Message::chunk(session, file.len() as u32, &[0; 8]);
    assert_eq!(under.handle(&beyond, true), Err(Refusal::BeyondEnd));
    let wrap = Message::chunk(session, u32::MAX - 7, &[0; 8]);
    assert_eq!(under.handle(&wrap, true), Err(Refusal::BeyondEnd));
    let order = |command| Message::order(command, session);
    assert_eq!(under.handle(&order(Command::Finish), true), Err(Refusal::Incomplete));
    assert_eq!(under.handle(&order(Command::Activate), true), Err(Refusal::NotVerified));
    assert_eq!(
        under.handle(&with(order(Command::Finish), |message| message.command = 99), true),
        Err(Refusal::UnknownCommand)
    );
    assert_eq!((under.status().next, under.status().reason), (960, Some(Refusal::UnknownCommand)));
    let another = image(Header { firmware: Version::new(2, 0, 0), ..header() }, &body(), &SECRET);
    assert_eq!(send(&mut under, &another), Err(Refusal::OtherSession));
    assert_eq!(under.handle(&order(Command::Abort), true), Ok(Done::Event(Event::Aborted)));
    assert_eq!(send(&mut under, &another), Ok(Some(Event::Verified(Version::new(2, 0, 0)))));
}

#[test]
fn power_cut_at_every_write_and_erase_and_the_update_still_arrives() {
    let file = good();
    for cut in 0.. {
        let (slot, power) = slot();
        // An old image lies in the slot, as after the last update.
        slot.load(0, &[0x13; 8192]);
        let mut under = receiver(&slot, MARKS);
        power.cut_at(cut);
        let _ = send(&mut under, &file);
        let was_cut = power.is_off();
        assert!(!under.boot().is_updated);
        power.restore();
        let mut under = receiver(&slot, MARKS);
        let resumed = under.status().next as usize;
        assert!(resumed <= file.len());
        let result = send(&mut under, &file);
        assert_eq!(
            result,
            Ok(Some(Event::Verified(Version::new(1, 1, 0)))),
            "cut {cut}, resumed at {resumed}"
        );
        assert_eq!(slot.image()[BODY as usize..file.len()], file[BODY as usize..], "cut {cut}");
        if !was_cut {
            assert!(cut > 20, "the walk went through the update");
            break;
        }
    }
}

#[test]
fn a_word_that_cannot_be_completed_costs_its_page_and_nothing_more() {
    let file = good();
    let session = header_of(&file).id();
    for (torn_at, goes_back_to) in [(968, 512), (2000, 1024), (3080, 3072)] {
        let (slot, _) = slot();
        let mut under = receiver(&slot, MARKS);
        under.handle(&Message::begin(&header_of(&file)), true).expect("a good header");
        settle(&mut under);
        for from in (512..torn_at).step_by(8) {
            let chunk = Message::chunk(session, from as u32, &file[from..from + 8]);
            under.handle(&chunk, true).expect("in order");
        }
        slot.load(torn_at, &[0x00, 0x81, 0xFF, 0xFF]);
        let mut under = receiver(&slot, MARKS);
        let next = under.status().next;
        assert_eq!(next as usize, torn_at);
        let chunk = Message::chunk(session, next, &file[torn_at..torn_at + 8]);
        assert_eq!(under.handle(&chunk, true), Err(Refusal::Torn));
        assert_eq!(under.status().next, goes_back_to);
        assert_eq!(send(&mut under, &file), Ok(Some(Event::Verified(Version::new(1, 1, 0)))));
    }
}

#[test]
fn two_power_cuts_in_one_update_are_survived_too() {
    let file = good();
    for first in (0..35).step_by(5) {
        for second in (0..30).step_by(3) {
            let (slot, power) = slot();
            power.cut_at(first);
            let _ = send(&mut receiver(&slot, MARKS), &file);
            power.restore();
            power.cut_at(second);
            let _ = send(&mut receiver(&slot, MARKS), &file);
            power.restore();
            let result = send(&mut receiver(&slot, MARKS), &file);
            assert_eq!(result, Ok(Some(Event::Verified(Version::new(1, 1, 0)))), "cuts {first}, {second}");
        }
    }
}

#[test]
fn a_broken_session_goes_on_where_it_stopped() {
    let (slot, _) = slot();
    let file = good();
    let session = header_of(&file).id();
    let mut under = receiver(&slot, MARKS);
    under.handle(&Message::begin(&header_of(&file)), true).expect("a good header");
    settle(&mut under);
    for from in (512..1600).step_by(64) {
        under.handle(&Message::chunk(session, from as u32, &file[from..from + 64]), true).expect("in order");
    }
    let mut again = receiver(&slot, MARKS);
    // The last word may be torn, so it is asked for again.
    assert_eq!((again.status().state, again.status().next), (State::Receiving, 1592));
    let begun = again.handle(&Message::begin(&header_of(&file)), true);
    assert_eq!(begun, Ok(Done::Event(Event::Resumed(1592))));
}

#[test]
fn the_slot_is_left_alone_while_it_holds_the_way_back() {
    let (slot, power) = slot();
    let mut under = receiver(&slot, Marks { state: BootState::Trial, ..MARKS });
    assert_eq!(send(&mut under, &good()), Err(Refusal::OnTrial));
    assert_eq!(power.changes(), 0);
    let confirm = Message::order(Command::Confirm, 0);
    assert_eq!(under.handle(&confirm, false), Err(Refusal::SelftestFailed));
    assert_eq!(under.handle(&confirm, true), Ok(Done::Event(Event::Confirmed)));
    assert_eq!(under.handle(&confirm, true), Err(Refusal::NotOnTrial));
}

#[test]
fn a_reverted_image_must_be_sent_again() {
    let (slot, _) = slot();
    assert!(send(&mut receiver(&slot, MARKS), &good()).is_ok());
    let under = receiver(&slot, Marks { state: BootState::Reverted, ..MARKS });
    assert_eq!(under.status().state, State::Idle);
    assert_eq!(receiver(&slot, MARKS).status().state, State::Idle, "also after the next restart");
}

#[test]
fn a_board_without_a_slot_says_so() {
    let (slot, _) = slot();
    let mut under = receiver(&slot, Marks { capacity: 0, ..MARKS });
    assert_eq!(send(&mut under, &good()), Err(Refusal::NotSupported));
}

#[test]
fn the_status_block_tells_where_to_go_on() {
    let (slot, _) = slot();
    let mut under = receiver(&slot, MARKS);
    let file = good();
    under.handle(&Message::begin(&header_of(&file)), true).expect("a good header");
    settle(&mut under);
    let words = under.words(9);
    let base = at::STATE.address;
    assert_eq!(at::STATE.get(&words, base), Some(State::Receiving.code()));
    assert_eq!(at::NEXT.get(&words, base), Some(512));
    assert_eq!(at::TOTAL.get(&words, base), Some(file.len() as u32));
    assert_eq!(at::SESSION.get(&words, base), Some(header_of(&file).id()));
    assert_eq!(at::CAPACITY.get(&words, base), Some(8192));
    assert_eq!((at::FLOOR.get(&words, base), at::TRIAL.get(&words, base)), (Some(3), Some(9)));
}
