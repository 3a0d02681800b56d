//! Outputs that fall back to their safe state unless they are refreshed.
//!
//! A device that holds an output only for the time of a lease makes sure that nothing stays on when
//! the gateway fails. So a commanded output that was read back is refreshed
//! until another command, or until the device or the line is lost. Then it is
//! forgotten: nothing is switched on again automatically after an outage.

use std::time::Duration;

use linli_domain::Value;
use tokio::time::Instant;

/// The outputs of a line that need refreshing.
#[derive(Debug, Default)]
pub struct Standing {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    device: usize,
    point: u16,
    value: Value,
    period: Duration,
    due: Instant,
}

// === impl Standing ===

impl Standing {
    /// Starts refreshing a value.
    pub fn put(&mut self, device: usize, point: u16, value: Value, period: Duration, now: Instant) {
        self.forget_point(device, point);
        self.rows.push(Row { device, point, value, period, due: now + period });
    }

    /// Stops refreshing a point.
    pub fn forget_point(&mut self, device: usize, point: u16) {
        self.rows.retain(|row| (row.device, row.point) != (device, point));
    }

    /// Stops refreshing all points of a device. Returns whether there were any.
    pub fn forget(&mut self, device: usize) -> bool {
        let before = self.rows.len();
        self.rows.retain(|row| row.device != device);
        self.rows.len() < before
    }

    /// Returns an output that is due at `now` and schedules its next refresh.
    pub fn take(&mut self, now: Instant) -> Option<(usize, u16, Value)> {
        let row = self.rows.iter_mut().filter(|row| row.due <= now).min_by_key(|row| row.due)?;
        row.due = now + row.period;
        Some((row.device, row.point, row.value.clone()))
    }

    /// Returns when the next refresh is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.rows.iter().map(|row| row.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_is_due_again_until_it_is_forgotten() {
        let (start, period) = (Instant::now(), Duration::from_secs(10));
        let mut standing = Standing::default();
        standing.put(0, 3, Value::Bool(true), period, start);
        standing.put(1, 0, Value::Bool(true), period * 2, start);
        assert_eq!((standing.take(start), standing.next_due()), (None, Some(start + period)));
        assert_eq!(standing.take(start + period), Some((0, 3, Value::Bool(true))));
        assert_eq!(standing.take(start + period), None);
        standing.put(0, 3, Value::Bool(false), period, start + period);
        assert_eq!(standing.take(start + period * 2), Some((1, 0, Value::Bool(true))));
        assert!(standing.forget(1) && !standing.forget(1));
        assert_eq!(standing.take(start + period * 2), Some((0, 3, Value::Bool(false))));
        standing.forget_point(0, 3);
        assert_eq!(standing.next_due(), None);
    }
}
