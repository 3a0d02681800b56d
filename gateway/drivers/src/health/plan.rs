//! What a health line's plan shows to the rest of the gateway.

use std::any::Any;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use linli_domain::vital::Quantity;
use linli_domain::{DeviceClass, Id, Layout, PointSpec, Value, ValueType};

use serde::de::DeserializeOwned;

use super::zone::Zone;
use super::{bluetooth, listener, stream};
use crate::line::{LineContext, LineFault};
use crate::protocol::{Budget, LinePlan, Problem, RawDevice, RawLine};

/// A checked health line: one device that speaks of itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HealthPlan {
    pub line: Id,
    pub medium: Medium,
    pub layouts: Vec<Arc<Layout>>,
}

/// Where the device is heard.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Medium {
    Stream(stream::Settings),
    Listener(listener::Settings),
    Gatt(bluetooth::Gatt),
}

/// One problem, of a device or of the line itself.
pub(super) fn problem(device: Option<usize>, key: &str, message: impl Into<String>) -> Vec<Problem> {
    vec![Problem { device, key: key.to_owned(), message: message.into() }]
}

/// The protocol's own settings of a line.
pub(super) fn settings<T: DeserializeOwned>(line: &RawLine) -> Result<T, Vec<Problem>> {
    T::deserialize(line.settings.clone()).map_err(|error| problem(None, "", error.message()))
}

/// The offset of clocks that do not say theirs; China's unless given.
pub(super) fn zone(given: Option<&str>) -> Result<Zone, Vec<Problem>> {
    let offset = given.unwrap_or("+08:00");
    let wrong = || problem(None, "utc_offset", format!("{offset:?} is not an offset such as \"+08:00\""));
    Zone::parse(offset).ok_or_else(wrong)
}

/// The one device of a line, or what is wrong.
pub(super) fn only(devices: &[RawDevice]) -> Result<&RawDevice, Vec<Problem>> {
    match devices {
        [] => Err(problem(None, "", "has no device; add a [[device]] with this line")),
        [device] if device.class != DeviceClass::Vital => {
            Err(problem(Some(0), "class", "must be \"vital\" for a health-cabin device"))
        }
        [device] if device.unit.is_some() => Err(problem(Some(0), "unit", "is for Modbus; leave it out")),
        [device] => Ok(device),
        [_, ..] => Err(problem(
            Some(1),
            "line",
            "has a device already; each health-cabin device has a line of its own",
        )),
    }
}

/// The layout of a device that measures these.
pub(super) fn layout(device: &RawDevice, quantities: &[Quantity]) -> Arc<Layout> {
    let point = |quantity: &Quantity| {
        Some(PointSpec {
            name: Id::new(quantity.as_str()).ok()?,
            unit: quantity.unit().to_owned(),
            kind: ValueType::Float,
            writable: false,
        })
    };
    Arc::new(Layout {
        device: device.id.clone(),
        name: device.name.clone(),
        room: device.room.clone(),
        class: device.class,
        profile: device.profile.clone(),
        points: quantities.iter().filter_map(point).collect(),
    })
}

// === impl HealthPlan ===

impl LinePlan for HealthPlan {
    fn line(&self) -> &Id {
        &self.line
    }

    fn layouts(&self) -> &[Arc<Layout>] {
        &self.layouts
    }

    fn budget(&self) -> Option<Budget> {
        None
    }

    fn exclusive(&self) -> Option<(&'static str, String)> {
        Some(match &self.medium {
            Medium::Stream(settings) => ("port", settings.port.path.clone()),
            Medium::Listener(settings) => ("listen", settings.listen.to_string()),
            Medium::Gatt(settings) => ("address", settings.address.to_string()),
        })
    }

    fn accepts(&self, _: usize, _: u16, _: &Value) -> Result<(), String> {
        Err("a health-cabin device takes no commands".to_owned())
    }

    fn same_as(&self, other: &dyn LinePlan) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn run(self: Arc<Self>, context: LineContext) -> BoxFuture<'static, Result<(), LineFault>> {
        async move {
            let layout = Arc::clone(&self.layouts[0]);
            match &self.medium {
                Medium::Stream(settings) => stream::run(settings, self.line.clone(), layout, context).await,
                Medium::Listener(settings) => {
                    listener::run(settings, self.line.clone(), layout, context).await
                }
                Medium::Gatt(settings) => bluetooth::run(settings, self.line.clone(), layout, context).await,
            }
            Ok(())
        }
        .boxed()
    }
}
