//! The interface between a southbound protocol and the rest of the gateway.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use linli_domain::{DeviceClass, Id, Layout, Value, timezone};

use crate::line::{LineContext, LineFault};
use crate::modbus::profile::ProfileSet;
use crate::reach::Reach;

/// A southbound protocol: how its settings look, and how to plan a line from them.
pub trait Protocol: Sync {
    /// The `kind` of a line, e.g. `modbus_rtu`.
    fn kind(&self) -> &'static str;

    /// One line for `--help` and the documentation.
    fn summary(&self) -> &'static str;

    /// JSON Schema (an object with `properties`, `required`) of the line's own keys, i.e. without
    /// `id` and `kind`, with descriptions.
    fn schema(&self) -> schemars::Schema;

    /// Keys of the line that refer to a secret; `plan` is given the secret itself.
    fn secrets(&self) -> &'static [&'static str] {
        &[]
    }

    /// Keys of the line that refer to a file or variable that is not secret; `plan` is given its content.
    fn files(&self) -> &'static [&'static str] {
        &[]
    }

    /// Checks a line and its devices completely. Opens nothing.
    fn plan(
        &self,
        line: &RawLine,
        devices: &[RawDevice],
        profiles: &ProfileSet,
    ) -> Result<Arc<dyn CheckedLine>, Vec<Problem>>;
}

/// A completely checked line with its devices. Nothing is opened before [`CheckedLine::run`].
pub trait CheckedLine: Send + Sync {
    /// The line's id.
    fn line(&self) -> &Id;

    /// One layout per device, in the order the devices were given.
    fn layouts(&self) -> &[Arc<Layout>];

    /// How much of the line's time the polling takes; `None` when the line sets no limit.
    fn budget(&self) -> Option<Budget>;

    /// Why it is acceptable that this line is not encrypted although it leaves the machine; `None` where
    /// nobody needed to say it.
    fn insecure(&self) -> Option<&str> {
        None
    }

    /// What may be a mistake in the configuration and is accepted all the same, as sentences.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// What no other line may use, such as a serial port; with the key that names it.
    fn exclusive(&self) -> Option<(&'static str, String)>;

    /// Whether the line asks or subscribes, so that another program may run it for a while without taking anything
    /// from the gateway.
    fn is_observable(&self) -> bool {
        false
    }

    /// What commands to its writable points, and work on its devices, reach in the end.
    fn reaches(&self) -> Vec<Reach>;

    /// What a point is in the end, as one text: the far end, the unit and the addresses, whatever the configuration
    /// calls them. Another text for the same point means that it was wired anew. Stored; so the words stay.
    fn wiring(&self, device: usize, point: u16) -> String;

    /// Whether `value` may be written to that point (type, range, step). The error is a sentence
    /// for the sender. Only called for points whose layout says `writable`.
    fn accepts(&self, device: usize, point: u16, value: &Value) -> Result<(), String>;

    /// Checks temporary poll periods of devices on the running line. The error concerns the
    /// device at fault, or the line as a whole.
    fn check_polls(&self, poll_overrides: &BTreeMap<Id, Duration>) -> Result<(), Problem>;

    /// Whether `other` describes the very same work, so that a reload may leave it running.
    fn same_as(&self, other: &dyn CheckedLine) -> bool;

    /// Takes over what changes without a restart, such as tokens, from a line that is the same otherwise.
    fn adopt(&self, _other: &dyn CheckedLine) {}

    /// Returns `self` for downcasting in `same_as`.
    fn as_any(&self) -> &dyn Any;

    /// Runs the line until cancelled. Returns early only for a fault that requires a restart.
    fn run(self: Arc<Self>, context: LineContext) -> BoxFuture<'static, Result<(), LineFault>>;
}

/// A line as written: the common keys, and the protocol's own still raw.
#[derive(Debug, Clone)]
pub struct RawLine {
    /// The line's id.
    pub id: Id,
    /// The protocol's own keys (everything but `id` and `kind`).
    pub settings: toml::Table,
    /// The centre's time zone.
    pub zone: timezone::Zone,
}

/// A device as written, for whatever protocol its line has.
#[derive(Debug, Clone)]
pub struct RawDevice {
    /// The device's id.
    pub id: Id,
    /// Name that screens show.
    pub name: String,
    /// The room it stands in.
    pub room: Option<Id>,
    /// Its purpose, which decides priorities.
    pub class: DeviceClass,
    /// Unit id (Modbus), where the protocol has one.
    pub unit: Option<i64>,
    /// Topic (MQTT), where the protocol has one.
    pub topic: Option<String>,
    /// Expected serial number (Modbus), where the device reports it.
    pub serial: Option<String>,
    /// Token that authenticates the device, where the protocol requires one.
    pub token: Option<String>,
    /// Name of its profile, `vendor/model`.
    pub profile: String,
    /// How often to read it.
    pub poll: Duration,
}

/// Something wrong with a line or one of its devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Index into the devices given to `plan`; nothing for the line itself.
    pub device: Option<usize>,
    /// The key at fault; empty when the table as a whole is.
    pub key: String,
    /// What is wrong and how to correct it, as one or two sentences.
    pub message: String,
}

/// How a serial line's time is spent.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Share of the line's time that polling takes when everything answers (1.0 = all of it).
    pub share: f64,
    /// The same with one, two, three … devices dead: detection, probes and the living.
    pub share_with_dead: Vec<f64>,
    /// Time to read every device once.
    pub cycle: Duration,
    /// How the figures are calculated, one line per device.
    pub lines: Vec<String>,
}
