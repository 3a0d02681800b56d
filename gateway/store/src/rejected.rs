//! Counts of the records that the full queues in front of the writer rejected.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use linli_domain::DeviceClass;

/// Records rejected since the writer last took the counts, per class.
#[derive(Default)]
pub(crate) struct Rejected {
    count: [AtomicU64; DeviceClass::ALL.len()],
    first: [AtomicI64; DeviceClass::ALL.len()],
    last: [AtomicI64; DeviceClass::ALL.len()],
}

// === impl Rejected ===

impl Rejected {
    /// Counts one record that was refused.
    pub(crate) fn note(&self, class: DeviceClass, at: i64) {
        let slot = usize::from(class.code());
        if self.count[slot].fetch_add(1, Ordering::AcqRel) == 0 {
            self.first[slot].store(at, Ordering::Release);
        }
        self.last[slot].store(at, Ordering::Release);
    }

    /// Takes the counts away: class, how many, first and last source time.
    pub(crate) fn take(&self) -> Vec<(DeviceClass, u64, i64, i64)> {
        let slots = DeviceClass::ALL.into_iter().enumerate();
        slots
            .filter_map(|(slot, class)| {
                let count = self.count[slot].swap(0, Ordering::AcqRel);
                let (first, last) =
                    (self.first[slot].load(Ordering::Acquire), self.last[slot].load(Ordering::Acquire));
                (count > 0).then_some((class, count, first, last))
            })
            .collect()
    }
}
