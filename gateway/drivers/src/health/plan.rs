//! What the lines of health devices share.

use std::sync::Arc;

use linli_domain::vital::Quantity;
use linli_domain::{DeviceClass, Id, Layout, PointSpec, ValueType, timezone};

use super::bluetooth::gatt;
use super::{listener, scanner, stream};
use crate::line::LineContext;
use crate::plan::{self, Plan, Work};
pub(super) use crate::plan::{Checked, Row, insecure, listen, no_profile, problem};
use crate::port::{Serial, baud_problem, path_problem};
use crate::protocol::{Problem, RawDevice};
use linli_vitals::Zone;

/// A checked health line: one device that sends by itself.
pub(super) type HealthPlan = Plan<Medium>;

/// The transport of the device.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Medium {
    Stream(stream::Settings),
    Listener(listener::Settings),
    Scanner(scanner::Settings),
    Gatt(gatt::Settings),
}

/// The time zone of device clocks without one: the offset that is given, else the centre's.
pub(super) fn zone(given: Option<&str>, centre: &timezone::Zone) -> Result<Zone, Vec<Problem>> {
    let Some(offset) = given else { return Ok(Zone::Of(centre.clone())) };
    let wrong = || problem(None, "utc_offset", format!("{offset:?} is not an offset such as \"+08:00\""));
    Zone::parse(offset).ok_or_else(wrong)
}

/// A serial port, or everything that is wrong with it.
pub(super) fn serial(port: Serial) -> Result<Serial, Vec<Problem>> {
    let wrong = [("port", path_problem(&port.path)), ("baud", baud_problem(port.baud))];
    let problem = |(key, message): (&str, Option<String>)| message.map(|message| problem(None, key, message));
    let problems: Vec<Problem> = wrong.into_iter().filter_map(problem).flatten().collect();
    if problems.is_empty() { Ok(port) } else { Err(problems) }
}

/// The one device of a line, or what is wrong.
pub(super) fn only(devices: &[RawDevice]) -> Result<&RawDevice, Vec<Problem>> {
    let device = plan::only(devices)?;
    if device.class != DeviceClass::Vital {
        return Err(problem(Some(0), "class", "must be \"vital\" for a health-cabin device"));
    }
    Ok(device)
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
    plan::layout(device, quantities.iter().filter_map(point).collect())
}

// === impl Medium ===

impl Work for Medium {
    fn exclusive(&self) -> Option<(&'static str, String)> {
        Some(match self {
            Self::Stream(stream::Settings { port, .. }) | Self::Scanner(scanner::Settings { port }) => {
                ("port", port.path.clone())
            }
            Self::Listener(settings) => ("listen", settings.listen.to_string()),
            Self::Gatt(settings) => ("address", settings.address.to_string()),
        })
    }

    fn insecure(&self) -> Option<&str> {
        match self {
            Self::Listener(settings) => settings.insecure.as_deref(),
            Self::Stream(_) | Self::Scanner(_) | Self::Gatt(_) => None,
        }
    }

    async fn run(plan: Arc<HealthPlan>, context: LineContext) {
        let (line, layout) = (plan.line.clone(), Arc::clone(&plan.layouts[0]));
        match &plan.work {
            Self::Stream(settings) => stream::run(settings, line, layout, context).await,
            Self::Listener(settings) => listener::run(settings, line, layout, context).await,
            Self::Scanner(settings) => scanner::run(settings, line, layout, context).await,
            Self::Gatt(settings) => gatt::run(settings, line, layout, context).await,
        }
    }
}
