//! The poll schedule. Pure: time arrives as an argument.
//!
//! Every block has its own due times, `start + phase + n × poll`, which never drift. Missed
//! due times are counted and skipped, never made up for in a burst. Among due
//! blocks the one that has waited for the most of its polls comes first; alarm-relevant devices
//! count as having waited for one more. So they are preferred, and no device starves.

use std::time::Duration;

use tokio::time::Instant;

use crate::modbus::plan::ModbusPlan;

/// The first round is spread at this interval, so that a line does not begin with everything due.
const FIRST_ROUND: Duration = Duration::from_millis(50);

/// One block of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// Position in the plan.
    pub device: usize,
    /// Position in the device's blocks.
    pub block: usize,
}

/// The due times of a line.
#[derive(Debug)]
pub struct Schedule {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    job: Job,
    poll: Duration,
    due: Instant,
    taken: Instant,
    head_start: f64,
    suspended: bool,
    /// Its due time after the present one, if that was put off.
    next: Option<Instant>,
}

// === impl Schedule ===

impl Schedule {
    /// Every block of the plan.
    #[must_use]
    pub fn new(plan: &ModbusPlan, start: Instant) -> Self {
        let blocks = plan.devices.iter().enumerate().flat_map(|(device, planned)| {
            (0..planned.blocks.len()).map(move |block| (Job { device, block }, planned))
        });
        let entries = blocks.zip(0_u32..).map(|((job, planned), nth)| Entry {
            job,
            poll: planned.poll,
            due: start + (FIRST_ROUND * nth).min(planned.poll),
            taken: start,
            head_start: if planned.layout.class.is_alarm_relevant() { 1.0 } else { 0.0 },
            suspended: false,
            next: None,
        });
        Self { entries: entries.collect() }
    }

    /// The next block that is due at `now`, and how many of its due times were missed. Its next
    /// due time is set.
    pub fn take(&mut self, now: Instant) -> Option<(Job, u64)> {
        let due = self.entries.iter_mut().filter(|entry| !entry.suspended && entry.due <= now);
        let entry = due.max_by(|a, b| a.waited(now).total_cmp(&b.waited(now)))?;
        if let Some(next) = entry.next.take().filter(|next| *next > now) {
            (entry.due, entry.taken) = (next, now);
            return Some((entry.job, 0));
        }
        let late = (now - entry.due).as_nanos();
        let missed = u32::try_from(late / entry.poll.as_nanos().max(1)).unwrap_or(u32::MAX);
        entry.due += entry.poll * (missed + 1);
        entry.taken = now;
        Some((entry.job, u64::from(missed)))
    }

    /// Returns when the next block is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.entries.iter().filter(|entry| !entry.suspended).map(|entry| entry.due).min()
    }

    /// From now on a device is read that often; sooner than it would have been when that is more often.
    pub fn set_period(&mut self, device: usize, poll: Duration, now: Instant) {
        for entry in self.of(device).filter(|entry| entry.poll != poll) {
            entry.due = entry.due.min(now + poll);
            entry.poll = poll;
        }
    }

    /// Reads a block not before `until`.
    pub fn postpone(&mut self, job: Job, until: Instant) {
        for entry in self.of(job.device).filter(|entry| entry.job == job) {
            entry.due = entry.due.max(until);
        }
    }

    /// Reads a block that was just taken at that time, and then at its due times. Returns whether that is before the next
    /// of them; otherwise nothing changes.
    pub fn put_off(&mut self, job: Job, until: Instant) -> bool {
        let Some(entry) = self.of(job.device).find(|entry| entry.job == job && until < entry.due) else {
            return false;
        };
        (entry.next, entry.due) = (Some(entry.due), until);
        true
    }

    /// Reads the two halves of a block from now on, both at once.
    pub fn split(&mut self, whole: Job, second: Job, now: Instant) {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.job == whole) else { return };
        entry.due = now;
        let second = Entry { job: second, ..*entry };
        self.entries.push(second);
    }

    /// Forgets the halves of blocks: the device is read with its first `blocks` requests.
    pub fn rejoin(&mut self, device: usize, blocks: usize) {
        self.entries.retain(|entry| entry.job.device != device || entry.job.block < blocks);
    }

    /// Stops polling a device, because its breaker is open.
    pub fn suspend(&mut self, device: usize) {
        self.of(device).for_each(|entry| entry.suspended = true);
    }

    /// Resumes polling a device: at once, then at its due times.
    pub fn resume(&mut self, device: usize, now: Instant) {
        for entry in self.of(device).filter(|entry| entry.suspended) {
            entry.suspended = false;
            while entry.due > now {
                entry.due -= entry.poll;
            }
            let periods = (now - entry.due).as_nanos() / entry.poll.as_nanos().max(1);
            entry.due += entry.poll * u32::try_from(periods).unwrap_or(u32::MAX);
        }
    }

    fn of(&mut self, device: usize) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut().filter(move |entry| entry.job.device == device)
    }
}

// === impl Entry ===

impl Entry {
    /// Returns for how many poll periods it has waited.
    fn waited(&self, now: Instant) -> f64 {
        (now - self.taken).as_secs_f64() / self.poll.as_secs_f64() + self.head_start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(polls: &[(u64, bool)]) -> (Schedule, Instant) {
        let start = Instant::now();
        let entries = polls.iter().enumerate().map(|(device, (ms, alarm))| {
            let poll = Duration::from_millis(*ms);
            let head_start = if *alarm { 1.0 } else { 0.0 };
            Entry {
                job: Job { device, block: 0 },
                poll,
                due: start,
                taken: start,
                head_start,
                suspended: false,
                next: None,
            }
        });
        (Schedule { entries: entries.collect() }, start)
    }

    /// Runs for `seconds`, each exchange taking `cost`; how often each device was read.
    fn run(polls: &[(u64, bool)], cost: Duration, seconds: u64) -> (Vec<u64>, u64) {
        let (mut schedule, start) = schedule(polls);
        let (mut now, end) = (start, start + Duration::from_secs(seconds));
        let (mut reads, mut missed) = (vec![0; polls.len()], 0);
        while now < end {
            match schedule.take(now) {
                Some((job, late)) => {
                    reads[job.device] += 1;
                    missed += late;
                    now += cost;
                }
                None => now = schedule.next_due().expect("nothing is suspended"),
            }
        }
        (reads, missed)
    }

    #[test]
    fn due_times_do_not_drift_in_a_day() {
        let (reads, missed) = run(&[(1000, false), (5000, false)], Duration::from_millis(7), 86_400);
        assert_eq!((reads, missed), (vec![86_400, 17_280], 0));
    }

    #[test]
    fn an_overloaded_line_shares_and_nobody_starves() {
        // Ten devices ask for twice what the line gives; two of them are alarm-relevant.
        let polls: Vec<(u64, bool)> = (0..10).map(|i| (100, i < 2)).collect();
        let (reads, missed) = run(&polls, Duration::from_millis(20), 100);
        assert_eq!(reads.iter().sum::<u64>(), 5000);
        assert!(missed > 0);
        assert!(reads.iter().all(|count| *count >= 400), "{reads:?}");
        assert!(reads[0] >= *reads[2..].iter().max().expect("eight"), "{reads:?}");
    }

    #[test]
    fn what_is_put_off_keeps_its_due_times() {
        let (mut schedule, start) = schedule(&[(1000, false)]);
        let (job, second) = (Job { device: 0, block: 0 }, Duration::from_secs(1));
        assert_eq!(schedule.take(start), Some((job, 0)));
        assert!(!schedule.put_off(job, start + second), "it is due again by then");
        assert!(schedule.put_off(job, start + second / 2));
        assert_eq!(
            (schedule.take(start + second / 4), schedule.next_due()),
            (None, Some(start + second / 2))
        );
        assert_eq!(schedule.take(start + second / 2), Some((job, 0)));
        assert_eq!(schedule.next_due(), Some(start + second));
        assert!(!schedule.put_off(Job { device: 1, block: 0 }, start));
    }

    #[test]
    fn late_is_late_once() {
        let (mut schedule, start) = schedule(&[(100, false)]);
        let now = start + Duration::from_millis(1050);
        assert_eq!(schedule.take(now), Some((Job { device: 0, block: 0 }, 10)));
        assert_eq!(schedule.take(now), None);
        assert_eq!(schedule.next_due(), Some(start + Duration::from_millis(1100)));
    }

    #[test]
    fn a_device_that_came_back_is_read_at_once() {
        let (mut schedule, start) = schedule(&[(1000, false)]);
        schedule.suspend(0);
        let now = start + Duration::from_millis(4321);
        assert_eq!((schedule.take(now), schedule.next_due()), (None, None));
        schedule.resume(0, now);
        assert_eq!(schedule.take(now), Some((Job { device: 0, block: 0 }, 0)));
        assert_eq!(schedule.next_due(), Some(start + Duration::from_secs(5)));
    }
}
