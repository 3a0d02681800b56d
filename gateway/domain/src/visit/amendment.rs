//! What becomes of a measurement whose results its device corrects or withdraws.

use super::{Status, Version};
use crate::vital::{Measurement, Quantity};

/// The version among `stored` that `report` corrects or withdraws: it has all the quantities, the same time by the
/// device's clock, and no other one has. `None` if it is not clear which is meant; then nothing is changed.
#[must_use]
pub fn amended<'v>(report: &Measurement, stored: &'v [Version]) -> Option<&'v Version> {
    let has = |version: &Version, quantity: &Quantity| {
        version.measurement.readings.iter().any(|reading| reading.quantity == *quantity)
    };
    let is_meant = |version: &&Version| {
        let is_same_time =
            report.taken.device.is_none() || report.taken.device == version.measurement.taken.device;
        version.status != Status::EnteredInError
            && is_same_time
            && report.amends.iter().all(|quantity| has(version, quantity))
    };
    let mut meant = stored.iter().filter(is_meant).filter(|_| !report.amends.is_empty());
    meant.next().filter(|_| meant.next().is_none())
}

/// `old` with the readings that `report` corrects. What keeps no value is withdrawn: its readings stay as they were,
/// for the history. The number of the version, who and when are the caller's.
#[must_use]
pub fn amend(old: &Version, report: &Measurement) -> Version {
    let mut new = Version { status: Status::Corrected, ..old.clone() };
    let amending = report.readings.iter().filter(|reading| report.amends.contains(&reading.quantity));
    for reading in amending {
        if let Some(place) = new.measurement.readings.iter_mut().find(|old| old.quantity == reading.quantity)
        {
            *place = reading.clone();
        }
    }
    if new.measurement.readings.iter().all(|reading| reading.value.is_err()) {
        return Version { status: Status::EnteredInError, ..old.clone() };
    }
    new
}
