//! The power is cut at every single write and erase, on the host: whatever the moment, what runs in
//! the end is a whole, signed image, and it is the right one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ed25519_dalek::{Signer, SigningKey};
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use linli_bootloader::{Choice, Counter, How, Marks, Parts, Salty, choose};
use linli_node::board::Boot;
use linli_wire::identity::BootState;
use linli_wire::image::{BODY, Header};
use linli_wire::kind;
use linli_wire::version::Version;
use sha2::{Digest, Sha512};

const PAGE: usize = 256;
const ACTIVE: usize = 6 * PAGE;
const BOARD: u16 = 1;

/// Memory that outlives the power; operations until it is cut.
#[derive(Clone)]
struct Fake {
    cells: Rc<RefCell<Vec<u8>>>,
    power: Rc<Power>,
}

/// What is left of it.
#[derive(Default)]
struct Power {
    operations: Cell<u32>,
    is_gone: Cell<bool>,
}

impl Power {
    fn full() -> Rc<Self> {
        let power = Rc::new(Self::default());
        power.restore(u32::MAX);
        power
    }

    /// It is back, for so many operations.
    fn restore(&self, operations: u32) {
        self.operations.set(operations);
        self.is_gone.set(false);
    }
}

enum Spent {
    Whole,
    Half,
    Nothing,
}

impl Spent {
    const fn done(self) -> Result<(), NorFlashErrorKind> {
        if matches!(self, Self::Whole) { Ok(()) } else { Err(NorFlashErrorKind::Other) }
    }
}

impl Fake {
    fn new(len: usize, power: &Rc<Power>) -> Self {
        Self { cells: Rc::new(RefCell::new(vec![0xFF; len])), power: Rc::clone(power) }
    }

    /// Whether there is power for one more operation, and if not, whether it goes just now.
    fn spend(&self) -> Spent {
        let left = self.power.operations.get();
        self.power.operations.set(left.saturating_sub(1));
        if left > 0 {
            Spent::Whole
        } else if self.power.is_gone.replace(true) {
            Spent::Nothing
        } else {
            Spent::Half
        }
    }

    fn hold(&self, offset: usize, bytes: &[u8]) {
        self.cells.borrow_mut()[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    fn holds(&self, image: &[u8]) -> bool {
        self.cells.borrow()[..image.len()] == *image
    }
}

impl ErrorType for Fake {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Fake {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let offset = offset as usize;
        bytes.copy_from_slice(&self.cells.borrow()[offset..offset + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.cells.borrow().len()
    }
}

impl NorFlash for Fake {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        for page in (from as usize..to as usize).step_by(PAGE) {
            let spent = self.spend();
            // An erase that is cut leaves the page half erased; after that nothing happens any more.
            let len = match spent {
                Spent::Whole => PAGE,
                Spent::Half => PAGE / 2,
                Spent::Nothing => 0,
            };
            self.cells.borrow_mut()[page..page + len].fill(0xFF);
            spent.done()?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        for (at, word) in (offset as usize..).step_by(4).zip(bytes.chunks(4)) {
            self.spend().done()?;
            let mut cells = self.cells.borrow_mut();
            for (cell, byte) in cells[at..].iter_mut().zip(word) {
                assert_eq!(*cell & *byte, *byte, "a cell is only programmed from one to zero");
                *cell &= *byte;
            }
        }
        Ok(())
    }
}

struct Bench {
    active: Fake,
    other: Fake,
    state: Fake,
    counter: Fake,
    power: Rc<Power>,
    key: SigningKey,
}

impl Bench {
    /// A node with version 1 in it, and version 2 downloaded.
    fn new() -> Self {
        let power = Power::full();
        let fake = |len| Fake::new(len, &power);
        let bench = Self {
            active: fake(ACTIVE),
            other: fake(ACTIVE + PAGE),
            state: fake(PAGE),
            counter: fake(PAGE),
            key: SigningKey::from_bytes(&[7; 32]),
            power: Rc::clone(&power),
        };
        bench.active.hold(0, &bench.image(1, 1));
        bench.other.hold(0, &bench.image(2, 2));
        bench
    }

    fn image(&self, version: u8, security: u16) -> Vec<u8> {
        let body: Vec<u8> = (0..640_u32).map(|at| (at % 251) as u8 ^ version).collect();
        let key = self.key.verifying_key().to_bytes();
        let mut header = Header {
            board: BOARD,
            kinds: kind::ANY,
            security,
            firmware: Version::new(version, 0, 0),
            length: 640,
            key: u32::from_be_bytes([key[0], key[1], key[2], key[3]]),
            hash: Sha512::digest(&body).into(),
            signature: [0; 64],
        };
        header.signature = self.key.sign(&header.signed()).to_bytes();
        let mut image = vec![0xFF; BODY as usize];
        image[..header.encode().len()].copy_from_slice(&header.encode());
        image.extend(body);
        image
    }

    fn boot(&self) -> Choice {
        let mut parts = Parts {
            active: self.active.clone(),
            other: self.other.clone(),
            state: self.state.clone(),
            counter: self.counter.clone(),
        };
        let crypto = Salty(self.key.verifying_key().to_bytes());
        choose(&mut parts, BOARD, &crypto, &mut [0; 128])
    }

    fn marks(&self) -> Marks<Fake> {
        let image = Header::decode(&self.active.cells.borrow()).ok();
        Marks::new(self.state.clone(), self.counter.clone(), image.as_ref(), ACTIVE as u32)
    }

    fn security(&self) -> u16 {
        Counter::new(self.counter.clone()).value().expect("it can be read")
    }

    /// Does it with power for so many operations; says whether they were enough.
    fn cut_after(&self, operations: u32, what: impl FnOnce(&Self)) -> bool {
        self.power.restore(operations);
        what(self);
        let was_enough = !self.power.is_gone.get();
        self.power.restore(u32::MAX);
        was_enough
    }
}

fn runs(choice: &Choice) -> (u8, How) {
    match choice {
        Choice::Run(header, how) => (header.firmware.major, *how),
        Choice::Recover(why) => panic!("nothing to run: {why:?}"),
    }
}

/// Cuts `what` at its every operation, boots twice more and looks.
fn sweep(prepare: impl Fn(&Bench), what: impl Fn(&Bench), then: impl Fn(&Bench, u32)) -> u32 {
    for operations in 0.. {
        let bench = Bench::new();
        prepare(&bench);
        let was_enough = bench.cut_after(operations, &what);
        then(&bench, operations);
        if was_enough {
            return operations;
        }
    }
    unreachable!("an endless sweep")
}

#[test]
fn the_update_runs_on_trial_and_stays_when_it_is_confirmed() {
    let bench = Bench::new();
    assert_eq!(runs(&bench.boot()), (1, How::Confirmed));
    assert_eq!(bench.security(), 1);
    bench.marks().mark_updated().unwrap();
    assert_eq!(runs(&bench.boot()), (2, How::Trial));
    assert_eq!(bench.marks().state(), BootState::Trial);
    assert_eq!(bench.security(), 1, "a trial raises nothing");
    bench.marks().mark_booted().unwrap();
    assert_eq!(runs(&bench.boot()), (2, How::Confirmed));
    assert_eq!(bench.security(), 2, "what is confirmed shuts out what is older");
}

#[test]
fn an_update_that_is_not_confirmed_reverts() {
    let bench = Bench::new();
    bench.marks().mark_updated().unwrap();
    assert_eq!(runs(&bench.boot()), (2, How::Trial));
    assert_eq!(runs(&bench.boot()), (1, How::Reverted));
    assert_eq!(runs(&bench.boot()), (1, How::Reverted), "nobody has seen it yet");
    let mut marks = bench.marks();
    marks.acknowledge_revert().unwrap();
    assert_eq!(marks.state(), BootState::Reverted, "this run began with it");
    assert_eq!(runs(&bench.boot()), (1, How::Confirmed));
}

#[test]
fn a_cut_in_the_swap_costs_nothing() {
    let cuts = sweep(
        |bench| bench.marks().mark_updated().unwrap(),
        |bench| {
            bench.boot();
        },
        |bench, at| {
            // A cut after the last word of the swap is a trial that was not confirmed.
            let (version, how) = runs(&bench.boot());
            let is_right = matches!((version, how), (2, How::Trial) | (1, How::Reverted));
            assert!(is_right, "cut at {at}: version {version} runs as {how:?}");
        },
    );
    assert!(cuts > 500, "{cuts} cuts");
}

#[test]
fn a_cut_in_the_revert_costs_nothing() {
    let cuts = sweep(
        |bench| {
            bench.marks().mark_updated().unwrap();
            bench.boot();
        },
        |bench| {
            bench.boot();
        },
        |bench, at| {
            assert_eq!(runs(&bench.boot()).0, 1, "cut at {at}");
            assert!(bench.active.holds(&bench.image(1, 1)), "cut at {at}: byte for byte");
        },
    );
    assert!(cuts > 500, "{cuts} cuts");
}

#[test]
fn a_cut_while_marking_leaves_the_old_or_the_new() {
    sweep(
        |_| (),
        |bench| {
            let _ = bench.marks().mark_updated();
        },
        |bench, at| assert!(matches!(runs(&bench.boot()), (1, _) | (2, How::Trial)), "cut at {at}"),
    );
    sweep(
        |bench| {
            bench.marks().mark_updated().unwrap();
            bench.boot();
        },
        |bench| {
            let _ = bench.marks().mark_booted();
        },
        |bench, at| {
            let (version, how) = runs(&bench.boot());
            assert!(version == 1 || how != How::Trial, "cut at {at}: version {version} runs as {how:?}");
            assert!(bench.security() <= u16::from(version), "cut at {at}: the counter shuts nobody out");
        },
    );
}

#[test]
fn a_damaged_image_is_rescued_from_the_other_slot_whatever_the_moment() {
    let damage = |bench: &Bench| {
        bench.other.hold(0, &[0; ACTIVE + PAGE]);
        bench.other.hold(PAGE, &bench.image(1, 1));
        bench.active.hold(BODY as usize + 100, &[0, 0, 0, 0]);
    };
    let cuts = sweep(
        damage,
        |bench| {
            bench.boot();
        },
        |bench, at| {
            assert_eq!(runs(&bench.boot()).0, 1, "cut at {at}");
        },
    );
    assert!(cuts > 200, "{cuts} cuts");
    let bench = Bench::new();
    damage(&bench);
    assert_eq!(runs(&bench.boot()), (1, How::Rescued));
}

#[test]
fn what_is_not_signed_or_too_old_is_never_run() {
    let bench = Bench::new();
    let mut image = bench.image(2, 2);
    image[600] ^= 1;
    bench.other.hold(0, &image);
    bench.marks().mark_updated().unwrap();
    assert_eq!(runs(&bench.boot()).0, 1, "a mark does not make an image whole");

    let bench = Bench::new();
    Counter::new(bench.counter.clone()).raise(2).unwrap();
    assert_eq!(runs(&bench.boot()), (2, How::Rescued), "version 1 is below the counter");

    let bench = Bench::new();
    Counter::new(bench.counter.clone()).raise(3).unwrap();
    assert!(matches!(bench.boot(), Choice::Recover(_)), "both are below the counter");
}

#[test]
fn the_counter_only_rises_and_a_torn_record_counts_for_nothing() {
    let power = Power::full();
    let page = Fake::new(PAGE, &power);
    let mut counter = Counter::new(page.clone());
    assert_eq!(counter.value(), Ok(0));
    for value in [3, 2, 5] {
        counter.raise(value).unwrap();
    }
    assert_eq!(counter.value(), Ok(5));
    power.restore(1);
    assert!(counter.raise(6).is_err());
    power.restore(u32::MAX);
    assert_eq!(counter.value(), Ok(5));
    counter.raise(7).unwrap();
    assert_eq!(counter.value(), Ok(7));
    for value in 8..200 {
        let before = counter.value();
        if counter.raise(value).is_err() {
            assert_eq!(counter.value(), before, "a full page is refused, not erased");
            return;
        }
    }
    panic!("the page never fills");
}
