//! Where a frame ends: after a silence, as "Modbus over serial line" V1.02, 2.5.1.1 says.
//!
//! It is fed with bytes and microseconds, so it works from an interrupt, a poll loop or a test.

/// Bytes of the longest frame.
pub const LONGEST: usize = 256;

/// Gathers bytes until a silence ends the frame.
#[derive(Debug)]
pub struct Framer {
    bytes: [u8; LONGEST],
    count: usize,
    last_us: u32,
    gap_us: u32,
    lost: u32,
    is_too_long: bool,
}

// === impl Framer ===

impl Framer {
    /// A frame ends after this silence.
    #[must_use]
    pub const fn new(gap_us: u32) -> Self {
        Self { bytes: [0; LONGEST], count: 0, last_us: 0, gap_us, lost: 0, is_too_long: false }
    }

    /// Changes the silence; what was gathered is forgotten.
    pub fn set_gap(&mut self, gap_us: u32) {
        if self.gap_us != gap_us {
            self.gap_us = gap_us;
            self.clear();
        }
    }

    /// One byte came.
    pub fn byte(&mut self, now_us: u32, byte: u8) {
        if self.count > 0 && self.is_silent(now_us) {
            // A whole frame that nobody fetched: the line went on without us.
            self.lost += 1;
            self.clear();
        }
        self.last_us = now_us;
        match self.bytes.get_mut(self.count) {
            Some(place) => {
                *place = byte;
                self.count += 1;
            }
            None => self.is_too_long = true,
        }
    }

    /// The frame, once the silence behind it is long enough. Each is given once.
    pub fn poll(&mut self, now_us: u32) -> Option<&[u8]> {
        if self.count == 0 || !self.is_silent(now_us) {
            return None;
        }
        let count = self.count;
        let is_too_long = self.is_too_long;
        self.clear();
        if is_too_long {
            self.lost += 1;
            return None;
        }
        Some(&self.bytes[..count])
    }

    /// Frames lost since this was asked last: too long, or not fetched in time.
    pub fn take_lost(&mut self) -> u32 {
        core::mem::take(&mut self.lost)
    }

    /// Forgets what was gathered, for an error of the UART.
    pub fn clear(&mut self) {
        (self.count, self.is_too_long) = (0, false);
    }

    fn is_silent(&self, now_us: u32) -> bool {
        now_us.wrapping_sub(self.last_us) >= self.gap_us
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn silence_ends_a_frame_also_when_microseconds_start_over() {
        let mut framer = Framer::new(1750);
        let start = u32::MAX - 500;
        for (at, byte) in [1, 2, 3].into_iter().enumerate() {
            framer.byte(start.wrapping_add(at as u32 * 400), byte);
        }
        let last = start.wrapping_add(800);
        assert_eq!(framer.poll(last.wrapping_add(1749)), None);
        assert_eq!(framer.poll(last.wrapping_add(1750)), Some(&[1, 2, 3][..]));
        assert_eq!(framer.poll(last.wrapping_add(9000)), None);
    }

    #[test]
    fn what_is_too_long_is_dropped_whole() {
        let mut framer = Framer::new(1750);
        for at in 0..300 {
            framer.byte(at, 0x55);
        }
        assert_eq!(framer.poll(5000), None);
        assert_eq!(framer.take_lost(), 1);
        framer.byte(6000, 1);
        assert_eq!(framer.poll(8000), Some(&[1][..]));
    }

    #[test]
    fn a_frame_nobody_fetched_does_not_grow_into_the_next() {
        let mut framer = Framer::new(1750);
        framer.byte(0, 1);
        framer.byte(9000, 2);
        assert_eq!(framer.take_lost(), 1);
        assert_eq!(framer.poll(20_000), Some(&[2][..]));
    }

    proptest! {
        /// Bursts of anything, separated by silences: each comes out as it went in, or not at all.
        #[test]
        fn bursts_come_out_whole(bursts in proptest::collection::vec(
            proptest::collection::vec((any::<u8>(), 0_u32..1750), 1..300), 1..8), start in any::<u32>()) {
            let mut framer = Framer::new(1750);
            let mut now = start;
            for burst in bursts {
                let mut sent = Vec::new();
                for (byte, pause) in burst {
                    now = now.wrapping_add(pause);
                    prop_assert!(framer.poll(now).is_none());
                    framer.byte(now, byte);
                    sent.push(byte);
                }
                now = now.wrapping_add(1750);
                let got = framer.poll(now).map(<[u8]>::to_vec);
                prop_assert_eq!(got, (sent.len() <= LONGEST).then_some(sent));
            }
        }
    }
}
