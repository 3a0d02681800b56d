//! Which line, device and point a command's words mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use linli_domain::Id;
use linli_domain::command::{CommandError, Request};
use linli_drivers::modbus::maintenance::MaintenanceHandle;
use linli_drivers::{CheckedLine, LineCommand};
use tokio::sync::mpsc;

/// How one device is reached.
#[derive(Clone)]
pub struct Route {
    /// Its line's plan, which knows what the points accept.
    pub plan: Arc<dyn CheckedLine>,
    /// Its position in the plan.
    pub device: usize,
    /// The line's command queue.
    pub queue: mpsc::Sender<LineCommand>,
}

/// Every device and every line, by id.
#[derive(Clone, Default)]
pub struct Routes {
    /// How devices are reached.
    pub devices: BTreeMap<Id, Route>,
    /// How whoever maintains what is on a line reaches it.
    pub maintenance: BTreeMap<Id, MaintenanceHandle>,
}

// === impl Routes ===

impl Routes {
    /// The device and the position of the point.
    #[must_use]
    pub fn find(&self, device: &str, point: &str) -> Option<(&Route, u16)> {
        let route = self.devices.get(device)?;
        let layout = route.plan.layouts().get(route.device)?;
        let position = layout.points.iter().position(|spec| spec.name.as_str() == point)?;
        Some((route, u16::try_from(position).ok()?))
    }

    /// Whether the request fits the device it is for.
    pub fn check(&self, device: &str, request: &Request) -> Result<(), CommandError> {
        let route = self
            .devices
            .get(device)
            .ok_or_else(|| CommandError::UnknownDevice { device: device.chars().take(64).collect() })?;
        let layout = &route.plan.layouts()[route.device];
        let Some((_, point)) = self.find(device, &request.point) else {
            let writable: Vec<&str> =
                layout.points.iter().filter(|p| p.writable).map(|p| p.name.as_str()).collect();
            let writable = if writable.is_empty() { "none".to_owned() } else { writable.join(", ") };
            let point = request.point.chars().take(64).collect();
            return Err(CommandError::UnknownPoint { device: layout.device.clone(), point, writable });
        };
        let spec = &layout.points[usize::from(point)];
        if !spec.writable {
            return Err(CommandError::ReadOnly { device: layout.device.clone(), point: spec.name.clone() });
        }
        route.plan.accepts(route.device, point, &request.value).map_err(|why| CommandError::BadValue {
            point: spec.name.clone(),
            value: request.value.to_string().chars().take(64).collect(),
            why,
        })
    }
}
