//! Routes: which line, device and point a command is for.

use std::collections::BTreeMap;
use std::sync::Arc;

use linli_domain::Id;
use linli_domain::command::{CommandError, Request};
use linli_drivers::modbus::maintenance::MaintenanceHandle;
use linli_drivers::{CheckedLine, LineCommand};
use tokio::sync::mpsc;

/// How a device is reached.
#[derive(Clone)]
pub struct Route {
    /// The plan of its line, which knows the valid values of its points.
    pub plan: Arc<dyn CheckedLine>,
    /// Its index in the plan.
    pub device: usize,
    /// The command queue of the line.
    pub queue: mpsc::Sender<LineCommand>,
}

/// Current routes to all devices and lines, by id.
#[derive(Clone, Default)]
pub struct Routes {
    /// Routes to devices.
    pub devices: BTreeMap<Id, Route>,
    /// Maintenance handles of the lines.
    pub maintenance: BTreeMap<Id, MaintenanceHandle>,
}

// === impl Routes ===

impl Routes {
    /// Returns the route to a device and the index of its point.
    #[must_use]
    pub fn find(&self, device: &str, point: &str) -> Option<(&Route, u16)> {
        let route = self.devices.get(device)?;
        let layout = route.plan.layouts().get(route.device)?;
        let position = layout.points.iter().position(|spec| spec.name.as_str() == point)?;
        Some((route, u16::try_from(position).ok()?))
    }

    /// Checks that the device accepts the request: the point exists, is writable, and takes the value.
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
