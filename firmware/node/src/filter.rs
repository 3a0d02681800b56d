//! What makes one number of many samples: median of three, then an exponential mean.
//!
//! The median takes single spikes, the mean takes noise. A jump further than plausible is doubted
//! until the next sample agrees; then it is believed at once, without the mean's delay.

/// Fractions of the mean: 1/256 of the last decimal, so that it ends exactly on a constant input.
const SHIFT: u32 = 8;

/// What became of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is part of the value.
    Accepted,
    /// It is too far from the value; the next one decides.
    Doubted,
}

/// The state of one point's filter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    recent: [i32; 3],
    count: u8,
    mean: i64,
    doubt: Option<i32>,
}

// === impl Filter ===

impl Filter {
    /// The filtered value, once there was a sample.
    #[must_use]
    pub fn value(&self) -> Option<i32> {
        // Rounded to the nearest.
        (self.count > 0).then(|| ((self.mean + (1 << (SHIFT - 1))) >> SHIFT) as i32)
    }

    /// Takes a sample. `percent` is its weight, `jump` how far is plausible.
    pub fn take(&mut self, sample: i32, percent: u16, jump: i32) -> Taken {
        let Some(value) = self.value() else {
            self.start(sample);
            return Taken::Accepted;
        };
        let is_near = |other: i32| sample.abs_diff(other) <= jump.unsigned_abs();
        if is_near(self.newest()) || is_near(value) {
            self.doubt = None;
            self.advance(sample, percent);
            return Taken::Accepted;
        }
        match self.doubt {
            Some(before) if is_near(before) => {
                self.start(sample);
                Taken::Accepted
            }
            _ => {
                self.doubt = Some(sample);
                Taken::Doubted
            }
        }
    }

    fn newest(&self) -> i32 {
        self.recent[usize::from(self.count.min(3)) - 1]
    }

    fn start(&mut self, sample: i32) {
        *self = Self { recent: [sample; 3], count: 1, mean: i64::from(sample) << SHIFT, doubt: None };
    }

    fn advance(&mut self, sample: i32, percent: u16) {
        if self.count < 3 {
            self.recent[usize::from(self.count)] = sample;
            self.count += 1;
        } else {
            self.recent.rotate_left(1);
            self.recent[2] = sample;
        }
        let [a, b, c] = self.recent;
        // Two samples have no middle: the newer one counts.
        let median = if self.count < 3 { sample } else { a.min(b).max(a.max(b).min(c)) };
        let apart = (i64::from(median) << SHIFT) - self.mean;
        let step = apart * i64::from(percent) / 100;
        // A step that rounds to nothing would leave the mean beside its goal for ever.
        self.mean += if step == 0 { apart.signum() } else { step };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(samples: &[i32], percent: u16) -> Option<i32> {
        let mut filter = Filter::default();
        for sample in samples {
            filter.take(*sample, percent, 800);
        }
        filter.value()
    }

    #[test]
    fn a_spike_does_not_show() {
        assert_eq!(run(&[400; 5], 100), Some(400));
        assert_eq!(run(&[400, 400, 400, 1100, 400, 400], 100), Some(400));
        assert_eq!(run(&[400, 400, 400, -5000, 400, 400], 100), Some(400));
    }

    #[test]
    fn it_ends_exactly_on_a_constant_input() {
        for goal in [-1250, -1, 0, 1, 412, 1200] {
            let mut samples = vec![goal - 300];
            samples.extend([goal; 60]);
            assert_eq!(run(&samples, 30), Some(goal));
        }
    }

    #[test]
    fn a_jump_is_doubted_once_and_then_believed_at_once() {
        let mut filter = Filter::default();
        filter.take(400, 30, 800);
        assert_eq!(filter.take(2500, 30, 800), Taken::Doubted);
        assert_eq!(filter.value(), Some(400));
        assert_eq!(filter.take(2510, 30, 800), Taken::Accepted);
        assert_eq!(filter.value(), Some(2510));
    }

    #[test]
    fn two_jumps_that_disagree_are_both_doubted() {
        let mut filter = Filter::default();
        filter.take(400, 30, 800);
        assert_eq!(filter.take(2500, 30, 800), Taken::Doubted);
        assert_eq!(filter.take(9000, 30, 800), Taken::Doubted);
        assert_eq!(filter.take(410, 30, 800), Taken::Accepted);
        assert_eq!(filter.value(), Some(403));
    }
}
