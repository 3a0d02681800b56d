//! Vital signs: what is measured, in which unit it is kept, what is believable, what it means.
//!
//! A device gives **readings**; those of one act of measuring form a **measurement**. Codes are
//! LOINC, units UCUM. What a number means is a reference-range flag, never a diagnosis.

mod assess;
mod attachment;
mod comparator;
mod convert;
mod critical;
#[cfg(test)]
mod golden;
mod measurement;
mod news2;
mod nomenclature;
mod patient;
mod plausible;
mod quantity;
mod ranges;
mod repeat;
mod sex;
mod site;
mod source;

pub use assess::{Assessment, Circumstances, GlucoseTime, Limits, assess, judge, normal};
pub use attachment::{Attachment, AttachmentInfo, LARGEST_ATTACHMENT, MOST_ATTACHMENTS, media_type};
pub use comparator::Comparator;
pub use convert::{NotConvertible, convert};
pub use critical::{CRITICAL, Critical, CriticalLimit, OF_CENTRE, critical};
pub use measurement::{Caveat, Measurement, NoReading, Reading, Taken};
pub use news2::{News2, Oxygen, Parameters, Risk, Score};
pub use nomenclature::{CONTROL_GLUCOSE, mdc_number, mdc_unit, site_of};
pub use patient::{Birth, Patient};
pub use plausible::{Implausible, check, is_placeholder, possible, sift};
pub use quantity::Quantity;
pub use repeat::settle;
pub use sex::{Sex, months_between};
pub use site::Site;
pub use source::source_of_centre;
