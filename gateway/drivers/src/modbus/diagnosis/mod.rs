//! Commissioning: why the devices of a line do not answer as configured, and which option helps.
//!
//! Everything is asked as the line would ask it, first with the settings as they are. Where nobody answers, the usual
//! mistakes are tried: another unit id, other settings of the serial port, another kind of frames; where a device
//! refuses or gives what nobody can measure, other addresses and orders of bytes. Nothing is written.

mod symptom;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use linli_domain::{DeviceClass, Id, Layout};
use linli_profiles::plausible as values;
use tokio::time::Instant;

use crate::line::LineHealth;
use crate::modbus::codec::Codec;
use crate::modbus::link::Failure;
use crate::modbus::plan::{Block, Data, DevicePlan, Medium, ModbusPlan, Parity, Serial, Span, Table, Timing};
use crate::modbus::profile::{Point, ProfileSet};
use crate::modbus::session::Session;
use crate::modbus::transport::{Opener, Real, describe};
use crate::modbus::wire::pdu;

pub use symptom::{Closed, Sentence, Symptom};

/// Longest wait for an answer to a guess.
const PATIENCE: Duration = Duration::from_millis(250);

/// Devices that are asked with other settings, or waited for longer.
const ASKED: usize = 2;

/// A device that does not answer in time is waited for so many times its time-out, this long at least.
const SLOW: u32 = 4;
const SLOW_AT_LEAST: Duration = Duration::from_secs(2);

/// Unit ids that devices come with.
const USUAL_UNITS: std::ops::RangeInclusive<u8> = 1..=16;

/// Settings that devices come with, the most frequent first.
const USUAL_BAUDS: [u32; 7] = [9600, 19_200, 4800, 2400, 38_400, 57_600, 115_200];
const USUAL_FORMATS: [(Parity, u8); 4] =
    [(Parity::None, 1), (Parity::Even, 1), (Parity::None, 2), (Parity::Odd, 1)];

/// What was found out about a line, or about one of its devices.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The device; none for the line as a whole.
    pub device: Option<Id>,
    /// What is wrong.
    pub symptom: Symptom,
}

/// Opens the line with these settings.
pub type Reach<'r> = dyn Fn(&Medium) -> Box<dyn Opener> + Send + Sync + 'r;

/// Returns the name of a line's port or connection.
#[must_use]
pub fn place(plan: &ModbusPlan) -> String {
    describe(&plan.medium)
}

/// Returns the name of a port or connection.
#[must_use]
pub fn place_of(medium: &Medium) -> String {
    describe(medium)
}

/// Examines a line that nobody uses at the moment. Empty when every device answers as configured.
pub async fn diagnose(plan: &ModbusPlan, profiles: &ProfileSet) -> Vec<Finding> {
    let connect_timeout = plan.timing.connect_timeout;
    let real = move |medium: &Medium| -> Box<dyn Opener> {
        Box::new(Real { medium: medium.clone(), connect_timeout })
    };
    diagnose_on(plan, profiles, &real).await
}

/// Examines a port or a server of which nothing is configured yet; the devices may have these units. Empty when one of
/// them answers.
pub async fn diagnose_medium(medium: &Medium, timing: &Timing, units: &[u8]) -> Vec<Finding> {
    let profiles = ProfileSet::embedded();
    let Some(profile) = profiles.iter().next() else { return Vec::new() };
    let span = Span { table: Table::HoldingRegister, start: 0, count: 1 };
    let device = |unit: &u8| {
        let device = Id::new(&format!("unit-{unit}")).ok()?;
        let (name, profile_name) = (device.to_string(), profile.name().to_owned());
        let layout = Layout {
            device,
            name,
            room: None,
            class: DeviceClass::Telemetry,
            profile: profile_name,
            points: Vec::new(),
        };
        Some(DevicePlan {
            layout: Arc::new(layout),
            unit: *unit,
            poll: Duration::from_secs(10),
            timeout: PATIENCE,
            request_gap: Duration::ZERO,
            serial: None,
            blocks: vec![Block { span, points: Vec::new() }],
            profile: Arc::clone(profile),
        })
    };
    let devices: Vec<DevicePlan> = units.iter().filter_map(device).collect();
    let layouts = devices.iter().map(|device| Arc::clone(&device.layout)).collect();
    let Ok(line) = Id::new("scan") else { return Vec::new() };
    let plan = ModbusPlan { line, medium: medium.clone(), timing: *timing, devices, layouts };
    let findings = diagnose(&plan, &profiles).await;
    findings.into_iter().filter(|finding| finding.device.is_none()).collect()
}

/// The same on whatever `reach` opens.
pub async fn diagnose_on(plan: &ModbusPlan, profiles: &ProfileSet, reach: &Reach<'_>) -> Vec<Finding> {
    let examination = Examination { plan, profiles, reach };
    let (mut session, health) = examination.session(&plan.medium);
    if let Err(error) = session.open().await {
        let symptom = Symptom::Closed(Closed::of(&plan.medium, &error), error.to_string());
        return vec![Finding { device: None, symptom }];
    }
    let mut findings = Vec::new();
    let (mut mute, mut has_answer) = (Vec::new(), false);
    for device in &plan.devices {
        let first = match examination.first(&mut session, device).await {
            first @ (First::Nothing | First::Damaged) if mute.len() < ASKED => {
                examination.slowly(&mut session, device, first, &health).await
            }
            first => first,
        };
        match first {
            First::Answer => {
                has_answer = true;
                let symptom = examination.examine(&mut session, device).await;
                findings.extend(symptom.map(|symptom| found(device, symptom)));
            }
            First::Says(symptom) => {
                has_answer = true;
                findings.push(found(device, symptom));
            }
            First::Nothing => mute.push((device, Symptom::Missing { others: Vec::new() })),
            First::Damaged => mute.push((device, Symptom::Damaged)),
        }
    }
    if mute.is_empty() {
        return findings;
    }
    let others = examination.other_units(&mut session).await;
    if has_answer || !others.is_empty() {
        for (device, symptom) in mute {
            let symptom = match symptom {
                Symptom::Missing { .. } => Symptom::Missing { others: others.clone() },
                damaged => damaged,
            };
            findings.push(found(device, symptom));
        }
        return findings;
    }
    session.close();
    let symptom = examination.whole_line(&health).await;
    findings.push(Finding { device: None, symptom });
    findings
}

fn found(device: &DevicePlan, symptom: Symptom) -> Finding {
    Finding { device: Some(device.layout.device.clone()), symptom }
}

/// What a device does with its first request.
enum First {
    Answer,
    Nothing,
    Damaged,
    Says(Symptom),
}

/// An examination of one line.
struct Examination<'e> {
    plan: &'e ModbusPlan,
    profiles: &'e ProfileSet,
    reach: &'e Reach<'e>,
}

// === impl Examination ===

impl Examination<'_> {
    fn session(&self, medium: &Medium) -> (Session, Arc<LineHealth>) {
        let health = Arc::new(LineHealth::new(0));
        let opener = (self.reach)(medium);
        (Session::new(opener, medium.clone(), self.plan.timing, Arc::clone(&health)), health)
    }

    async fn read(&self, session: &mut Session, device: &DevicePlan, span: Span) -> Result<Data, Failure> {
        tokio::time::sleep(device.request_gap).await;
        let answer = session.exchange(device.unit, &pdu::Request::read(span), device.timeout).await?;
        Ok(pdu::data(span, &answer.pdu))
    }

    /// Asks for the smallest block; what is lost or busy once more.
    async fn first(&self, session: &mut Session, device: &DevicePlan) -> First {
        let Some(block) = device.blocks.iter().min_by_key(|block| block.span.count) else {
            return First::Answer;
        };
        let mut last = First::Nothing;
        for _ in 0..2 {
            last = match self.read(session, device, block.span).await {
                Ok(_) | Err(Failure::Refused(1..=4 | 7..)) => return First::Answer,
                Err(Failure::Refused(_)) => First::Says(Symptom::Busy),
                Err(Failure::NotReached(code)) => First::Says(Symptom::NotReached(code)),
                Err(Failure::Silent | Failure::Garbled) if session.other_unit().is_some() => {
                    return First::Says(Symptom::OtherUnit(session.other_unit().unwrap_or_default()));
                }
                Err(Failure::Garbled) => First::Damaged,
                Err(Failure::Silent | Failure::Down(_)) => First::Nothing,
            };
        }
        last
    }

    /// Waits longer for a device that did not answer in time.
    async fn slowly(
        &self,
        session: &mut Session,
        device: &DevicePlan,
        before: First,
        health: &LineHealth,
    ) -> First {
        let Some(block) = device.blocks.iter().min_by_key(|block| block.span.count) else {
            return before;
        };
        let late = health.late_replies.load(Ordering::Relaxed);
        // What comes late of the requests before is passed over.
        tokio::time::sleep(device.timeout * (SLOW - 1)).await;
        let (began, patience) = (Instant::now(), (device.timeout * SLOW).max(SLOW_AT_LEAST));
        let answer = session.exchange(device.unit, &pdu::Request::read(block.span), patience).await;
        let took = began.elapsed();
        match (answer, before) {
            (Ok(_) | Err(Failure::Refused(_)), _) if took > device.timeout => {
                First::Says(Symptom::Slow { takes: took })
            }
            // The answer to one of the requests before: it takes longer than the pause.
            (Ok(_) | Err(Failure::Refused(_)), First::Nothing) => {
                First::Says(Symptom::Slow { takes: device.timeout * SLOW })
            }
            (Err(_), _) if health.late_replies.load(Ordering::Relaxed) > late => {
                First::Says(Symptom::Slow { takes: device.timeout * SLOW })
            }
            (Ok(_) | Err(Failure::Refused(_)), _) => First::Answer,
            (Err(_), before) => before,
        }
    }

    /// Units that answer and that no device of the line has.
    async fn other_units(&self, session: &mut Session) -> Vec<u8> {
        let is_tcp = matches!(self.plan.medium, Medium::Tcp { .. });
        let special: &[u8] = if is_tcp { &[0, 255, 247] } else { &[247] };
        let is_known = |unit: u8| self.plan.devices.iter().any(|device| device.unit == unit);
        let mut found = Vec::new();
        for unit in USUAL_UNITS.chain(special.iter().copied()).filter(|unit| !is_known(*unit)) {
            let span = Span { table: Table::HoldingRegister, start: 0, count: 1 };
            let answer = session.exchange(unit, &pdu::Request::read(span), PATIENCE).await;
            if matches!(answer, Ok(_) | Err(Failure::Refused(_))) {
                found.push(unit);
            }
        }
        found
    }

    /// Why nobody answers.
    async fn whole_line(&self, health: &LineHealth) -> Symptom {
        match &self.plan.medium {
            Medium::Rtu(serial) => {
                for other in other_settings(serial) {
                    if self.answers_on(&Medium::Rtu(other.clone())).await {
                        return Symptom::OtherSettings(other);
                    }
                }
            }
            Medium::Tcp { host, port } => {
                if self.answers_on(&Medium::RtuOverTcp { host: host.clone(), port: *port }).await {
                    return Symptom::OtherKind("modbus_rtu_over_tcp");
                }
            }
            Medium::RtuOverTcp { host, port } => {
                if self.answers_on(&Medium::Tcp { host: host.clone(), port: *port }).await {
                    return Symptom::OtherKind("modbus_tcp");
                }
            }
        }
        let is_serial = matches!(self.plan.medium, Medium::Rtu(_));
        let has_noise = health.resync_bytes.load(Ordering::Relaxed) > 0;
        // A server that closes instead of an answer does not speak Modbus either.
        let is_closing = !is_serial && health.opens.load(Ordering::Relaxed) > 2;
        if health.echoes.load(Ordering::Relaxed) > 0 {
            Symptom::EchoOnly
        } else if is_closing || (has_noise && matches!(self.plan.medium, Medium::Tcp { .. })) {
            Symptom::NoModbus
        } else if has_noise {
            Symptom::Noise
        } else {
            Symptom::Silence { is_serial }
        }
    }

    /// Whether a device answers on a line with these settings.
    async fn answers_on(&self, medium: &Medium) -> bool {
        let (mut session, _) = self.session(medium);
        if session.open().await.is_err() {
            return false;
        }
        for device in self.plan.devices.iter().take(ASKED) {
            let Some(block) = device.blocks.iter().min_by_key(|block| block.span.count) else { continue };
            let request = pdu::Request::read(block.span);
            let answer = session.exchange(device.unit, &request, PATIENCE.min(device.timeout)).await;
            if matches!(answer, Ok(_) | Err(Failure::Refused(_) | Failure::NotReached(_))) {
                return true;
            }
        }
        false
    }

    /// What is wrong with a device that answers: the first thing found, which often explains the rest.
    async fn examine(&self, session: &mut Session, device: &DevicePlan) -> Option<Symptom> {
        let identity = device.identity().filter(|_| !device.layout.points.is_empty());
        if let Some(span) = identity
            && let Ok(data) = self.read(session, device, span).await
            && let Err(why) = device.identity_holds(&data)
        {
            let fits = self.fitting(session, device).await;
            return Some(Symptom::OtherModel { why, fits });
        }
        for block in &device.blocks {
            match self.read(session, device, block.span).await {
                Ok(Data::Registers(words)) => {
                    if let Some((point, words)) = implausible(device, block, &words) {
                        return Some(self.explain(session, device, point, Ok(words)).await);
                    }
                }
                Err(Failure::Refused(code)) => {
                    if let Some(point) = self.refused(session, device, block).await {
                        return Some(self.explain(session, device, point, Err(code)).await);
                    }
                }
                Ok(Data::Bits(_)) | Err(_) => {}
            }
        }
        None
    }

    /// Other profiles whose identity fits the device.
    async fn fitting(&self, session: &mut Session, device: &DevicePlan) -> Vec<String> {
        let mut fits = Vec::new();
        for profile in self.profiles.iter().filter(|profile| profile.name() != device.profile.name()) {
            let Some(identity) = &profile.identity else { continue };
            if let Ok(Data::Registers(words)) = self.read(session, device, identity.span).await
                && words.iter().any(|word| *word != 0)
                && identity.holds(&words, profile.name(), None).is_ok()
            {
                fits.push(profile.name().to_owned());
            }
        }
        fits
    }

    /// The first point of a refused block that is refused by itself.
    async fn refused<'d>(
        &self,
        session: &mut Session,
        device: &'d DevicePlan,
        block: &Block,
    ) -> Option<&'d Point> {
        for point in block.points.iter().map(|at| &device.profile.points[usize::from(*at)]) {
            if let Err(Failure::Refused(_)) = self.read(session, device, point.reach()).await {
                return Some(point);
            }
        }
        None
    }

    /// Looks for the meaning of a point whose registers hold `held`, or are refused with a code.
    async fn explain(
        &self,
        session: &mut Session,
        device: &DevicePlan,
        point: &Point,
        held: Result<&[u16], u8>,
    ) -> Symptom {
        let name = point.spec.name.to_string();
        // Registers of 0 or all bits are often unused ones: whatever rests on them is taken only after all else.
        for is_strict in [true, false] {
            let is_firm =
                |words: &[u16]| !is_strict || words.iter().all(|word| !matches!(*word, 0 | u16::MAX));
            if let Ok(words) = held {
                for order in values::other_orders(&point.codec).filter(|_| is_firm(words)) {
                    let codec = Codec { order, ..point.codec.clone() };
                    if values::speaks_for(&codec, words) {
                        return Symptom::OtherOrder { point: name, order };
                    }
                }
            }
            for place in values::other_places(point.span) {
                let is_it = match (self.read(session, device, place).await, held) {
                    (Ok(Data::Registers(words)), Ok(_)) => {
                        is_firm(own(point, &words)) && values::speaks_for(&point.codec, own(point, &words))
                    }
                    (Ok(Data::Registers(words)), Err(_)) => {
                        values::is_plausible(&point.codec, own(point, &words))
                    }
                    (Ok(Data::Bits(_)), Err(_)) => true,
                    _ => false,
                };
                if is_it {
                    let from = (point.span.table, point.span.start);
                    return Symptom::OtherAddress { point: name, from, to: (place.table, place.start) };
                }
            }
        }
        match held {
            Ok(_) => Symptom::Implausible { point: name },
            Err(code) => Symptom::Refused { point: name, code },
        }
    }
}

/// The words of the value itself, without the register of its quality.
fn own<'w>(point: &Point, words: &'w [u16]) -> &'w [u16] {
    words.get(..usize::from(point.codec.kind.words())).unwrap_or(words)
}

/// The first point of a block whose value nobody can measure, with its words.
fn implausible<'d, 'w>(
    device: &'d DevicePlan,
    block: &Block,
    words: &'w [u16],
) -> Option<(&'d Point, &'w [u16])> {
    let points = block.points.iter().map(|at| &device.profile.points[usize::from(*at)]);
    // What another register scales cannot be judged by itself.
    points.filter(|point| point.factor.is_none()).find_map(|point| {
        let from = usize::from(point.span.start - block.span.start);
        let words = own(point, words.get(from..from + usize::from(point.span.count))?);
        (!values::is_plausible(&point.codec, words)).then_some((point, words))
    })
}

/// The usual settings of a port, without those it has: the same speed first, then the same format.
fn other_settings(serial: &Serial) -> Vec<Serial> {
    let mut bauds = vec![serial.baud];
    bauds.extend(USUAL_BAUDS.into_iter().filter(|baud| *baud != serial.baud));
    let own = (serial.parity, serial.stop_bits);
    let mut formats = vec![own];
    formats.extend(USUAL_FORMATS.into_iter().filter(|format| *format != own));
    let all = bauds.iter().flat_map(|baud| formats.iter().map(move |format| (*baud, *format)));
    all.skip(1)
        .map(|(baud, (parity, stop_bits))| Serial { path: serial.path.clone(), baud, parity, stop_bits })
        .collect()
}
