//! The computed device that tells how long the certificate of the uplink lasts.

use linli_domain::{DeviceClass, Id, Layout, PointSpec, ValueType};

/// Id of the device.
pub const DEVICE: &str = "uplink-certificate";

/// Point: whole days until the end; negative after it.
pub const DAYS_LEFT: &str = "days_left";

/// Point: whether it ends soon, has ended or cannot be read.
pub const ENDS_SOON: &str = "ends_soon";

/// Layout of the device, which the alarm path watches; its points in this order.
#[must_use]
pub fn layout() -> Option<Layout> {
    let point = |name: &str, unit: &str, kind| {
        Some(PointSpec { name: Id::new(name).ok()?, unit: unit.to_owned(), kind, writable: false })
    };
    Some(Layout {
        device: Id::new(DEVICE).ok()?,
        name: "区级平台证书".to_owned(),
        room: None,
        class: DeviceClass::Telemetry,
        profile: "linli/uplink-certificate".to_owned(),
        points: vec![point(DAYS_LEFT, "d", ValueType::Integer)?, point(ENDS_SOON, "1", ValueType::Bool)?],
    })
}
