//! Settings of a canteen device, and the points that the canteen service computes for it.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::canteen::{Kept, wash};
use linli_domain::{
    Batch, DeviceClass, Id, Layout, PointSpec, Quality, Reason, Sample, Stamp, Value, ValueType,
};

/// Name of the temperature point.
pub const TEMPERATURE: &str = "temperature";

/// Name of the computed point: time in the danger zone within the last four hours.
pub const DANGER: &str = "danger_time";

/// Name of the computed point: time without a valid temperature within the last four hours.
pub const UNKNOWN: &str = "unknown_time";

/// Name of the computed point: number of retained samples past their time.
pub const OVERDUE: &str = "overdue_samples";

/// Name of the computed point: whether the last cycle was hot enough for long enough.
pub const CLEAN: &str = "last_clean";

/// A device that the canteen service watches.
#[derive(Debug, Clone, PartialEq)]
pub struct CanteenDevice {
    /// Id of the device.
    pub device: Id,
    /// Name for people.
    pub name: String,
    /// What is kept in it; `None` for a probe.
    pub kept: Option<Kept>,
    /// Index of its temperature point.
    pub point: u16,
    /// Age at which a value is stale.
    pub fresh: Duration,
    /// Layout of its computed points; `None` when it has none.
    pub computed: Option<Arc<Layout>>,
}

// === impl CanteenDevice ===

impl CanteenDevice {
    /// Settings of a device; `None` when it has no temperature.
    #[must_use]
    pub fn of(layout: &Layout, kept: Option<Kept>, fresh: Duration) -> Option<Self> {
        let point = layout.points.iter().position(|point| point.name.as_str() == TEMPERATURE)?;
        let computed = kept.and_then(|kept| computed_layout(layout, kept));
        Some(Self {
            device: layout.device.clone(),
            name: layout.name.clone(),
            kept,
            point: u16::try_from(point).ok()?,
            fresh,
            computed: computed.map(Arc::new),
        })
    }

    /// Layout of the computed points; `None` when there are none.
    #[must_use]
    pub fn batch(&self, stamp: Stamp, values: Vec<Option<Value>>) -> Option<Batch> {
        let sample = |(point, value): (u16, Option<Value>)| Sample {
            point,
            at: stamp.at,
            clock: stamp.clock,
            quality: if value.is_some() { Quality::Good } else { Quality::Bad(Reason::NoValue) },
            value,
        };
        let samples = (0..).zip(values).map(sample).collect();
        Some(Batch { layout: Arc::clone(self.computed.as_ref()?), samples })
    }
}

fn computed_layout(layout: &Layout, kept: Kept) -> Option<Layout> {
    let point = |name: &str, unit: &str, kind| {
        Some(PointSpec { name: Id::new(name).ok()?, unit: unit.to_owned(), kind, writable: false })
    };
    let float = ValueType::Float;
    let points = if wash::wanted(kept).is_some() {
        vec![
            point(CLEAN, "1", ValueType::Bool)?,
            point("last_highest", "Cel", float)?,
            point("last_held", "s", float)?,
        ]
    } else {
        let mut points = vec![point(DANGER, "min", float)?, point(UNKNOWN, "min", float)?];
        if kept == Kept::Samples {
            points.extend([
                point("samples", "1", ValueType::Integer)?,
                point(OVERDUE, "1", ValueType::Integer)?,
            ]);
        }
        points
    };
    Some(Layout {
        device: Id::new(&format!("{}.food", layout.device)).ok()?,
        name: format!("{}（食品安全）", layout.name),
        room: layout.room.clone(),
        class: DeviceClass::FoodSafety,
        profile: "linli/food".to_owned(),
        points,
    })
}
