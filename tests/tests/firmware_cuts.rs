//! The power is cut at random moments of an update: in the download, the swap, the trial and the
//! revert. Whatever the moment, what runs is a whole, signed image, and it is the right one.
//!
//! `LINLI_SEED` and `LINLI_CUTS` say which moments and how many.

use std::time::Duration;

use linli_tests::Workspace;
use linli_tests::emulator::{Bench, Emulator};
use linli_tests::firmware::{Node, Said, node};
use linli_wire::identity::{BootState, Identity};
use linli_wire::update::{Command, Refusal};
use linli_wire::version::Version;

const CUTS: u32 = 50;

/// How many cuts fell where.
#[derive(Debug, Default)]
struct Tally {
    download: u32,
    swap: u32,
    trial: u32,
    revert: u32,
}

/// A node whose power comes and goes, and what it must be running.
struct Story {
    bench: Bench,
    client: Node,
    random: fastrand::Rng,
    tally: Tally,
    minor: u8,
}

// === impl Tally ===

impl Tally {
    /// As many as wanted, and some of every sort.
    fn is_enough(&self, cuts: u32) -> bool {
        let sorts = [self.download, self.swap, self.trial, self.revert];
        sorts.iter().sum::<u32>() >= cuts && sorts.iter().all(|sort| *sort > 0)
    }
}

// === impl Story ===

impl Story {
    fn image(minor: u8) -> anyhow::Result<Vec<u8>> {
        node(Said { board: 1, minor, security: 1 })
    }

    /// Asserts that exactly this version runs, byte for byte.
    fn runs(&mut self, minor: u8) -> anyhow::Result<Identity> {
        let identity = self.client.awake()?;
        assert_eq!(identity.firmware, Version::new(1, minor, 0), "{:?}", self.tally);
        assert!(self.bench.runs(&Self::image(minor)?)?, "byte for byte, {:?}", self.tally);
        Ok(identity)
    }

    /// Downloads the next version, cut off some times; comes back verified.
    async fn download(&mut self) -> anyhow::Result<Emulator> {
        let next = Self::image(self.minor + 1)?;
        let mut emulator = self.bench.mps2("boot.elf").await?;
        self.runs(self.minor)?;
        for _ in 0..2 + self.random.u64(..3) {
            let mut at = self.client.begin(&next)?;
            let chunks = 1 + self.random.u64(..90);
            let before = at;
            for _ in 0..chunks {
                if at as usize >= next.len() {
                    break;
                }
                at = self.client.chunk(&next, at)?;
            }
            let rest = Duration::from_millis(self.random.u64(..25));
            // The next chunk is on its way when the power goes.
            let session = linli_wire::image::Header::decode(&next).expect("ours").id();
            let end = (at as usize + 224).min(next.len());
            let piece = linli_wire::update::Message::chunk(session, at, &next[at as usize..end]);
            self.client.start_sending(&piece)?;
            tokio::time::sleep(rest).await;
            emulator.cut()?;
            self.tally.download += 1;
            emulator = self.bench.mps2("boot.elf").await?;
            self.runs(self.minor)?;
            let resumed = self.client.begin(&next)?;
            assert!(resumed >= before, "what was received is kept: {before} before, {resumed} after");
        }
        self.client.download(&next)?;
        assert_eq!(self.client.finish(&next)?, None);
        Ok(emulator)
    }

    /// Gives power again and again, each time for a moment, until a whole start succeeds.
    async fn until_it_runs(&mut self, cuts: u64, count: fn(&mut Tally)) -> anyhow::Result<Emulator> {
        for _ in 0..cuts {
            let emulator = self.bench.mps2("boot-slow.elf").await?;
            let before = self.bench.progress()?;
            tokio::time::sleep(Duration::from_millis(40 + self.random.u64(..700))).await;
            emulator.cut()?;
            // Only what struck in the middle of the copying counts as a cut in it.
            let after = self.bench.progress()?;
            if after > before && after < 128 {
                count(&mut self.tally);
            }
        }
        self.bench.mps2("boot-slow.elf").await
    }

    /// From the verified download to the trial: the swap, cut off some times.
    async fn swap(&mut self, emulator: Emulator) -> anyhow::Result<Emulator> {
        let next = Self::image(self.minor + 1)?;
        assert_eq!(self.client.order(Command::Activate, &next)?, None);
        // Its restart goes through the fast bootloader; the power is cut before it begins.
        emulator.cut()?;
        let cuts = 3 + self.random.u64(..4);
        self.until_it_runs(cuts, |tally| tally.swap += 1).await
    }

    /// One update: tried, then either kept, or cut off in its trial and undone.
    async fn update(&mut self) -> anyhow::Result<()> {
        let emulator = self.download().await?;
        let emulator = self.swap(emulator).await?;
        let identity = self.client.awake()?;
        if identity.boot != BootState::Trial.code() {
            // A cut came after the last word of the swap: that was the trial, and it was not confirmed.
            assert_eq!(identity.boot, BootState::Reverted.code());
            self.tally.trial += 1;
            self.runs(self.minor)?;
            return emulator.cut();
        }
        self.runs(self.minor + 1)?;
        if self.random.u64(..2) == 0 {
            self.confirm()?;
            self.minor += 1;
            emulator.cut()?;
            let emulator = self.bench.mps2("boot.elf").await?;
            assert_eq!(self.runs(self.minor)?.boot, BootState::Confirmed.code());
            return emulator.cut();
        }
        tokio::time::sleep(Duration::from_millis(self.random.u64(..300))).await;
        emulator.cut()?;
        self.tally.trial += 1;
        let cuts = 2 + self.random.u64(..4);
        let emulator = self.until_it_runs(cuts, |tally| tally.revert += 1).await?;
        let back = self.runs(self.minor)?;
        assert_ne!(back.boot, BootState::Trial.code());
        emulator.cut()
    }

    fn confirm(&mut self) -> anyhow::Result<()> {
        let image = Self::image(self.minor + 1)?;
        for _ in 0..200 {
            match self.client.order(Command::Confirm, &image)? {
                None => return Ok(()),
                Some(Refusal::SelftestFailed) => {}
                Some(other) => anyhow::bail!("not confirmed: {}", other.as_str()),
            }
        }
        anyhow::bail!("the self-test does not pass")
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_power_goes_a_whole_image_runs() -> anyhow::Result<()> {
    let seed = number("LINLI_SEED").unwrap_or_else(|| linli_tests::now_ms().unsigned_abs()).max(1);
    let cuts = number("LINLI_CUTS").map_or(CUTS, |cuts| cuts as u32);
    println!("again: LINLI_SEED={seed} LINLI_CUTS={cuts} cargo xtask e2e firmware_cuts");
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    bench.program(&Story::image(1)?)?;
    let client = Node::on(&bench.line, 247)?;
    let mut story =
        Story { bench, client, random: fastrand::Rng::with_seed(seed), tally: Tally::default(), minor: 1 };
    for _ in 0..100 {
        if story.tally.is_enough(cuts) {
            return Ok(());
        }
        story.update().await?;
        println!("{:?}, version 1.{}.0", story.tally, story.minor);
    }
    panic!("a hundred updates were not enough: {:?}", story.tally)
}
