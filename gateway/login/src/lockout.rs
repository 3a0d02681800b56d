//! Delays after wrong log-ins, per account and per address. They grow, and they end: nobody is locked out for ever,
//! and what is tried during a delay is refused unseen and lengthens nothing.
//!
//! Time is monotonic: setting the clock changes no delay.

use std::collections::BTreeMap;
use std::time::Duration;

/// What wrong log-ins are counted for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An account, or what was given for one.
    Account(String),
    /// An address; the control socket is one, too.
    Address(String),
}

/// Most subjects that are remembered; those that erred longest ago go first.
const MOST: usize = 4096;

/// Without an error for so long, all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// The delay after the first error that has one; it doubles with each further one.
const FIRST: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
struct Errors {
    count: u32,
    last: Duration,
}

/// The errors so far. They are in memory only: a restart of the gateway needs the permission of the machine.
#[derive(Debug, Default)]
pub struct Lockout(BTreeMap<Subject, Errors>);

// === impl Subject ===

impl Subject {
    /// Errors without a delay, and the longest delay. Several people share an address; an account is one person's.
    const fn limits(&self) -> (u32, Duration) {
        match self {
            Self::Account(_) => (3, Duration::from_secs(5 * 60)),
            Self::Address(_) => (10, Duration::from_secs(15 * 60)),
        }
    }

    /// Returns the delay after so many errors.
    #[must_use]
    pub fn delay(&self, count: u32) -> Duration {
        let (free, longest) = self.limits();
        let Some(beyond) = count.checked_sub(free) else { return Duration::ZERO };
        let factor = 2_u32.checked_pow(beyond).unwrap_or(u32::MAX);
        FIRST.saturating_mul(factor).min(longest)
    }
}

// === impl Lockout ===

impl Lockout {
    /// Returns how long these subjects still have to wait; `None` when they may try.
    #[must_use]
    pub fn remaining(&self, subjects: &[Subject], now: Duration) -> Option<Duration> {
        let left = subjects.iter().filter_map(|subject| {
            let errors = self.0.get(subject)?;
            let until = errors.last + subject.delay(errors.count);
            until.checked_sub(now).filter(|left| !left.is_zero())
        });
        left.max()
    }

    /// Counts a log-in for each subject, before it is looked at: of many at once, none is for nothing.
    pub fn failed(&mut self, subjects: &[Subject], now: Duration) {
        for subject in subjects {
            let errors = self.0.entry(subject.clone()).or_insert(Errors { count: 0, last: now });
            if now.saturating_sub(errors.last) > FORGOTTEN {
                errors.count = 0;
            }
            *errors = Errors { count: errors.count.saturating_add(1), last: now };
        }
        while self.0.len() > MOST {
            let oldest =
                self.0.iter().min_by_key(|(_, errors)| errors.last).map(|(subject, _)| subject.clone());
            let Some(oldest) = oldest else { return };
            self.0.remove(&oldest);
        }
    }

    /// A log-in that was counted before it was looked at was right: forgets the errors of its account, and this one
    /// of its address. Those before stay: one right log-in does not pay for guessing at others.
    pub fn succeeded(&mut self, subjects: &[Subject]) {
        for subject in subjects {
            match subject {
                Subject::Account(_) => drop(self.0.remove(subject)),
                Subject::Address(_) => {
                    if let Some(errors) = self.0.get_mut(subject) {
                        errors.count = errors.count.saturating_sub(1);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Subject {
        Subject::Account("mei".to_owned())
    }

    fn address(n: u32) -> Subject {
        Subject::Address(format!("192.0.2.{n}"))
    }

    /// Errs until nobody has to wait less than `limit`; returns each delay in seconds.
    fn delays(subject: &Subject, errors: u32) -> Vec<u64> {
        let (mut lockout, mut now) = (Lockout::default(), Duration::from_secs(1000));
        (0..errors)
            .map(|_| {
                lockout.failed(std::slice::from_ref(subject), now);
                let left = lockout.remaining(std::slice::from_ref(subject), now).unwrap_or_default();
                now += left;
                left.as_secs()
            })
            .collect()
    }

    #[test]
    fn the_delay_grows_and_has_an_end() {
        assert_eq!(delays(&account(), 14), [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        let of_an_address = delays(&address(1), 24);
        assert_eq!(of_an_address[8..12], [0, 1, 2, 4]);
        assert_eq!(of_an_address[23], 900);
        assert_eq!(account().delay(u32::MAX), Duration::from_secs(300));
    }

    #[test]
    fn a_pin_that_is_guessed_at_two_screens_is_delayed_at_both() {
        let (mut lockout, now) = (Lockout::default(), Duration::from_secs(1000));
        for n in 0..6 {
            lockout.failed(&[account(), address(n % 2)], now);
        }
        for n in 0..3 {
            assert_eq!(lockout.remaining(&[account(), address(n)], now), Some(Duration::from_secs(8)), "{n}");
        }
        let other = Subject::Account("lan".to_owned());
        assert_eq!(lockout.remaining(&[other, address(0)], now), None, "nobody else waits");
        lockout.succeeded(&[account(), address(0)]);
        assert_eq!(lockout.remaining(&[account(), address(0)], now), None);
    }

    #[test]
    fn what_is_old_is_forgotten_and_memory_is_bounded() {
        let (mut lockout, now) = (Lockout::default(), Duration::from_secs(1000));
        (0..8).for_each(|_| lockout.failed(&[account()], now));
        let later = now + FORGOTTEN + Duration::from_secs(1);
        lockout.failed(&[account()], later);
        assert_eq!(lockout.remaining(&[account()], later), None, "the first error of a new day");
        for n in 0..10_000 {
            lockout.failed(&[Subject::Address(n.to_string())], later + Duration::from_millis(n));
        }
        assert_eq!(lockout.0.len(), MOST);
    }
}
