//! A Modbus RTU frame ends by silence. The interrupt gathers bytes, the gap's timer ends the frame,
//! the loop takes it. One frame at a time: the line is half-duplex, and a frame that begins before the
//! last was taken is dropped and counted.

use core::cell::RefCell;

use critical_section::Mutex;

/// The longest frame of Modbus RTU.
pub const LONGEST: usize = 256;

/// Between interrupts and the loop.
pub struct Frames {
    inner: Mutex<RefCell<Gathered>>,
}

struct Gathered {
    bytes: [u8; LONGEST],
    len: usize,
    has_ended: bool,
    is_too_long: bool,
    dropped: u32,
}

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Frames ===

impl Frames {
    /// Nothing gathered.
    #[must_use]
    pub const fn new() -> Self {
        let inner =
            Gathered { bytes: [0; LONGEST], len: 0, has_ended: false, is_too_long: false, dropped: 0 };
        Self { inner: Mutex::new(RefCell::new(inner)) }
    }

    /// A byte came.
    pub fn push(&self, byte: u8) {
        critical_section::with(|token| {
            let mut inner = self.inner.borrow_ref_mut(token);
            let len = inner.len;
            if inner.has_ended {
                inner.dropped = inner.dropped.saturating_add(1);
            } else if let Some(place) = inner.bytes.get_mut(len) {
                *place = byte;
                inner.len += 1;
            } else {
                inner.is_too_long = true;
            }
        });
    }

    /// The line was silent for the gap.
    pub fn end(&self) {
        critical_section::with(|token| {
            let mut inner = self.inner.borrow_ref_mut(token);
            if inner.is_too_long {
                inner.dropped = inner.dropped.saturating_add(1);
                (inner.len, inner.is_too_long) = (0, false);
            }
            inner.has_ended = inner.len > 0;
        });
    }

    /// Takes a whole frame.
    pub fn take(&self, into: &mut [u8; LONGEST]) -> Option<usize> {
        critical_section::with(|token| {
            let mut inner = self.inner.borrow_ref_mut(token);
            if !inner.has_ended {
                return None;
            }
            let len = inner.len;
            into[..len].copy_from_slice(&inner.bytes[..len]);
            (inner.len, inner.has_ended) = (0, false);
            Some(len)
        })
    }

    /// How often bytes or frames were dropped since it was asked last.
    pub fn take_dropped(&self) -> u32 {
        critical_section::with(|token| core::mem::take(&mut self.inner.borrow_ref_mut(token).dropped))
    }
}
