//! What lines share that are not Modbus: the row of the protocol table, checks, and the checked line.

use std::any::Any;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use linli_domain::{Id, Layout, PointSpec, Value, timezone};
use schemars::{JsonSchema, Schema, schema_for};
use serde::de::DeserializeOwned;

use crate::insecure;
use crate::line::{LineContext, LineFault};
use crate::modbus::profile::ProfileSet;
use crate::protocol::{Budget, CheckedLine, Problem, Protocol, RawDevice, RawLine};
use crate::reach::{Reach, Target};

/// The checked settings of a line, and what its task does.
pub(crate) trait Work: PartialEq + Send + Sync + Sized + 'static {
    /// Returns what no other line may use, with the key that names it.
    fn exclusive(&self) -> Option<(&'static str, String)> {
        None
    }

    /// Why it may be unencrypted, where the configuration says it.
    fn insecure(&self) -> Option<&str> {
        None
    }

    /// Takes over what changes without a restart from equal work of a new configuration.
    fn adopt(&self, _other: &Self) {}

    /// Returns what a command to any writable point of the device reaches; `None` where it takes none.
    fn target(&self, _device: usize) -> Option<Target> {
        None
    }

    /// Whether the gateway polls the device, so that its poll period can be changed.
    fn is_polled(&self) -> bool {
        false
    }

    /// Whether the line asks or subscribes, and listens for nobody.
    fn is_observable(&self) -> bool {
        self.is_polled()
    }

    /// Whether a value may be written.
    fn accepts(&self, _device: usize, _point: &PointSpec, _value: &Value) -> Result<(), String> {
        Err("this device takes no commands".to_owned())
    }

    /// Owns the line until cancelled.
    fn run(plan: Arc<Plan<Self>>, context: LineContext) -> impl Future<Output = ()> + Send;
}

/// A protocol that is not Modbus: what differs between the rows of the protocol table. Every row is
/// a [`Protocol`].
pub(crate) trait Row: Sync {
    /// The line's own keys, with their documentation.
    type Settings: DeserializeOwned + JsonSchema;
    type Work: Work;
    const KIND: &'static str;
    const SUMMARY: &'static str;
    const SECRETS: &'static [&'static str] = &[];
    const FILES: &'static [&'static str] = &[];

    /// Checks the settings and the devices, in the centre's time zone; the layouts are in the order of the devices.
    fn check(settings: Self::Settings, devices: &[RawDevice], centre: &timezone::Zone)
    -> Checked<Self::Work>;
}

/// The layouts of a line's devices and the work on the line, or everything that is wrong.
pub(crate) type Checked<W> = Result<(Vec<Arc<Layout>>, W), Vec<Problem>>;

/// A checked line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan<W> {
    pub line: Id,
    pub layouts: Vec<Arc<Layout>>,
    pub work: W,
}

/// One problem, of a device or of the line itself.
pub(crate) fn problem(device: Option<usize>, key: &str, message: impl Into<String>) -> Vec<Problem> {
    vec![Problem { device, key: key.to_owned(), message: message.into() }]
}

/// The address in the line's key `listen`.
pub(crate) fn listen(text: &str, example: &str) -> Result<SocketAddr, Vec<Problem>> {
    text.parse().map_err(|_| {
        problem(None, "listen", format!("{text:?} is not an address and port such as {example:?}"))
    })
}

/// Checks a connection that is not encrypted; `instead` says what would be.
pub(crate) fn insecure(
    reason: Option<&str>,
    is_here: bool,
    key: &'static str,
    instead: &str,
) -> Result<(), Vec<Problem>> {
    insecure::check(reason, is_here, key, instead).map_err(|wrong| problem(None, wrong.key, wrong.message))
}

/// Host and port of `HOST` or `HOST:PORT`; the host is a name or an IPv4 address.
pub(crate) fn host_port(text: &str, default: u16) -> Option<(&str, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, default),
    };
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    (!host.is_empty() && host.chars().all(is_fine) && port != 0).then_some((host, port))
}

/// Rejects keys of a device that only other protocols have; `own` are those this protocol has.
pub(crate) fn foreign(index: usize, device: &RawDevice, own: &[&str]) -> Result<(), Vec<Problem>> {
    let given = [
        ("unit", device.unit.is_some(), "is for Modbus"),
        ("serial", device.serial.is_some(), "is for Modbus devices that tell it"),
        ("topic", device.topic.is_some(), "is for MQTT"),
        ("token", device.token.is_some(), "is for kiosks that report over HTTP"),
    ];
    match given.iter().find(|(key, is_given, _)| *is_given && !own.contains(key)) {
        Some((key, _, why)) => Err(problem(Some(index), key, format!("{why}; leave it out"))),
        None => Ok(()),
    }
}

/// The device of a line that has exactly one, without keys of other protocols.
pub(crate) fn only(devices: &[RawDevice]) -> Result<&RawDevice, Vec<Problem>> {
    match devices {
        [] => Err(no_device()),
        [device] => foreign(0, device, &[]).map(|()| device),
        [_, ..] => Err(problem(Some(1), "line", "has a device already; each has a line of its own here")),
    }
}

/// Checks each device of a line that has at least one: the results of all, or the problems of all.
pub(crate) fn each<T>(
    devices: &[RawDevice],
    mut check: impl FnMut(usize, &RawDevice) -> Result<T, Vec<Problem>>,
) -> Result<Vec<T>, Vec<Problem>> {
    if devices.is_empty() {
        return Err(no_device());
    }
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    for (index, device) in devices.iter().enumerate() {
        match check(index, device) {
            Ok(checked) => good.push(checked),
            Err(problems) => wrong.extend(problems),
        }
    }
    if wrong.is_empty() { Ok(good) } else { Err(wrong) }
}

fn no_device() -> Vec<Problem> {
    problem(None, "", "has no device; add a [[device]] with this line")
}

/// The problem of an unknown profile, with the profiles this line accepts.
pub(crate) fn no_profile(index: usize, device: &RawDevice, known: &[&str]) -> Vec<Problem> {
    let message = format!("there is no {:?} on such a line; there are: {}", device.profile, known.join(", "));
    problem(Some(index), "profile", message)
}

/// The layout of a device with these points.
pub(crate) fn layout(device: &RawDevice, points: Vec<PointSpec>) -> Arc<Layout> {
    Arc::new(Layout {
        device: device.id.clone(),
        name: device.name.clone(),
        room: device.room.clone(),
        class: device.class,
        profile: device.profile.clone(),
        points,
    })
}

// === impl Row ===

impl<R: Row> Protocol for R {
    fn kind(&self) -> &'static str {
        R::KIND
    }

    fn summary(&self) -> &'static str {
        R::SUMMARY
    }

    fn schema(&self) -> Schema {
        schema_for!(R::Settings)
    }

    fn secrets(&self) -> &'static [&'static str] {
        R::SECRETS
    }

    fn files(&self) -> &'static [&'static str] {
        R::FILES
    }

    fn plan(
        &self,
        line: &RawLine,
        devices: &[RawDevice],
        _: &ProfileSet,
    ) -> Result<Arc<dyn CheckedLine>, Vec<Problem>> {
        let settings: R::Settings =
            line.settings.clone().try_into().map_err(|error| problem(None, "", error.message()))?;
        let (layouts, work) = R::check(settings, devices, &line.zone)?;
        Ok(Arc::new(Plan { line: line.id.clone(), layouts, work }))
    }
}

// === impl Plan ===

impl<W: Work> CheckedLine for Plan<W> {
    fn line(&self) -> &Id {
        &self.line
    }

    fn layouts(&self) -> &[Arc<Layout>] {
        &self.layouts
    }

    fn budget(&self) -> Option<Budget> {
        None
    }

    fn is_observable(&self) -> bool {
        self.work.is_observable()
    }

    fn exclusive(&self) -> Option<(&'static str, String)> {
        self.work.exclusive()
    }

    fn insecure(&self) -> Option<&str> {
        self.work.insecure()
    }

    fn reaches(&self) -> Vec<Reach> {
        let each = self.layouts.iter().enumerate().filter_map(|(device, layout)| {
            let target = self.work.target(device)?;
            let points = (0..).zip(&layout.points).filter(|(_, point)| point.writable);
            let reach = |(point, _)| Reach { device, point: Some(point), target: target.clone() };
            Some(points.map(reach).collect::<Vec<_>>())
        });
        each.flatten().collect()
    }

    fn wiring(&self, device: usize, point: u16) -> String {
        let point = self.layouts.get(device).and_then(|layout| layout.points.get(usize::from(point)));
        let point = point.map_or("", |point| point.name.as_str());
        match (self.work.target(device), self.work.exclusive()) {
            (Some(target), _) => format!("{target} {point}"),
            (None, Some((_, end))) => format!("{end} {point}"),
            (None, None) => format!("{} {point}", self.line),
        }
    }

    fn accepts(&self, device: usize, point: u16, value: &Value) -> Result<(), String> {
        match self.layouts.get(device).and_then(|layout| layout.points.get(usize::from(point))) {
            Some(point) => self.work.accepts(device, point, value),
            None => Err("there is no such point".to_owned()),
        }
    }

    fn check_polls(&self, poll_overrides: &BTreeMap<Id, Duration>) -> Result<(), Problem> {
        let own = self.layouts.iter().position(|layout| poll_overrides.contains_key(&layout.device));
        match own.filter(|_| !self.work.is_polled()) {
            None => Ok(()),
            Some(device) => Err(Problem {
                device: Some(device),
                key: "poll".to_owned(),
                message: "speaks when it likes: nobody can ask it more often".to_owned(),
            }),
        }
    }

    fn same_as(&self, other: &dyn CheckedLine) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }

    fn adopt(&self, other: &dyn CheckedLine) {
        if let Some(other) = other.as_any().downcast_ref::<Self>() {
            self.work.adopt(&other.work);
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn run(self: Arc<Self>, context: LineContext) -> BoxFuture<'static, Result<(), LineFault>> {
        async move {
            W::run(self, context).await;
            Ok(())
        }
        .boxed()
    }
}
