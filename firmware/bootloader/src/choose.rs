//! The choice of what runs.

use embassy_boot::{BootLoader, BootLoaderConfig, State};
use embedded_storage::nor_flash::NorFlash;
use linli_node::board::Crypto;
use linli_node::receiver::{Rules, verify};
use linli_wire::image::Header;
use linli_wire::update::Refusal;

use crate::counter::Counter;

/// The flash, part by part.
#[derive(Debug)]
pub struct Parts<F> {
    /// What runs.
    pub active: F,
    /// The other image; one page more than the first.
    pub other: F,
    /// embassy-boot's page.
    pub state: F,
    /// The anti-rollback counter's page.
    pub counter: F,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The active image.
    Run(Header, How),
    /// Nothing: what is wrong with the active one.
    Recover(Refusal),
}

/// How it came to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As ever.
    Confirmed,
    /// After a swap, for this one run.
    Trial,
    /// Brought back.
    Reverted,
    /// Copied from the other slot, because the active one was damaged.
    Rescued,
}

/// A swap, a revert, and the look after each.
const ROUNDS: usize = 3;

/// Brings the flash into order and says what runs. May be cut off at any moment and is then simply
/// called again. `buffer` divides a page evenly.
pub fn choose<F: NorFlash, C: Crypto>(
    parts: &mut Parts<F>,
    board: u16,
    crypto: &C,
    buffer: &mut [u8],
) -> Choice {
    // A counter that cannot be read must not open the door to old images.
    let floor = Counter::new(&mut parts.counter).value().unwrap_or(u16::MAX);
    let capacity = parts.active.capacity() as u32;
    let rules = Rules { board, kind: None, above: None, floor, capacity };
    let mut why = Refusal::Header;
    for _ in 0..ROUNDS {
        let state = prepare(parts, buffer);
        match verify(&mut parts.active, 0, crypto, &rules) {
            Ok(header) => {
                let how = how(state);
                // A confirmation that a power cut left half done is made whole here.
                if how == How::Confirmed {
                    let _ = Counter::new(&mut parts.counter).raise(header.security);
                }
                return Choice::Run(header, how);
            }
            Err(refusal) => why = refusal,
        }
        match state {
            Some(State::Swap) => {}
            Some(_) => break,
            // The flash failed in the middle of a swap: what is left of it is not to be touched.
            None => return Choice::Recover(why),
        }
    }
    match rescue(parts, crypto, &rules, buffer) {
        Some(header) => Choice::Run(header, How::Rescued),
        None => Choice::Recover(why),
    }
}

const fn how(state: Option<State>) -> How {
    match state {
        Some(State::Swap) => How::Trial,
        Some(State::Revert) => How::Reverted,
        _ => How::Confirmed,
    }
}

/// Swaps or reverts where that is due; the state afterwards.
fn prepare<F: NorFlash>(parts: &mut Parts<F>, buffer: &mut [u8]) -> Option<State> {
    let config =
        BootLoaderConfig { active: &mut parts.active, dfu: &mut parts.other, state: &mut parts.state };
    let mut loader = BootLoader::new(config);
    loader.prepare_boot(buffer).ok()?;
    loader.read_state(buffer).ok()
}

/// The other slot holds a whole image at its begin (downloaded, not swapped) or one page further
/// (swapped out). Copied over it becomes the active one; it stays where it is, so that a power cut
/// during the copy costs nothing.
fn rescue<F: NorFlash, C: Crypto>(
    parts: &mut Parts<F>,
    crypto: &C,
    rules: &Rules,
    buffer: &mut [u8],
) -> Option<Header> {
    let page = F::ERASE_SIZE as u32;
    let whole = [page, 0]
        .into_iter()
        .filter_map(|from| verify(&mut parts.other, from, crypto, rules).ok().map(|header| (header, from)));
    let (header, from) = whole.max_by_key(|(header, from)| (header.security, *from))?;
    parts.active.erase(0, rules.capacity).ok()?;
    let end = header.total().next_multiple_of(buffer.len() as u32).min(rules.capacity);
    // The block with the header comes last: until it is there, this is no image.
    for at in (0..end).step_by(buffer.len()).rev() {
        parts.other.read(from + at, buffer).ok()?;
        parts.active.write(at, buffer).ok()?;
    }
    verify(&mut parts.active, 0, crypto, rules).ok()
}
