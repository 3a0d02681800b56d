//! The task that owns a line: opens it, polls devices, publishes samples and executes commands
//! between two exchanges. A failing device does not block the others.

mod command;
mod counter;
mod device;
mod keep;
mod read;
mod reopen;
mod standing;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use linli_domain::{Quality, Reason, Sample};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::line::{DeviceState, LineCommand, LineContext, LineEvent, LineFault};
use crate::modbus::breaker::{Breaker, ProbeBudget};
use crate::modbus::link::{Answer, Failure};
use crate::modbus::maintenance::RegisterRequest;
use crate::modbus::plan::{Medium, ModbusPlan};
use crate::modbus::schedule::{Job, Schedule};
use crate::modbus::session::Session;
use crate::modbus::transport::{Opener, Real};
use crate::modbus::wire::pdu;
use device::Device;
use standing::Standing;

/// Time-outs in a row, over all devices, after which a connection counts as half open.
const HALF_OPEN_AFTER: u32 = 5;

/// An idle line reports progress to the watchdog this often.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Runs a line on its real port or connection.
pub(super) async fn run(plan: Arc<ModbusPlan>, context: LineContext) -> Result<(), LineFault> {
    let opener = Real { medium: plan.medium.clone(), connect_timeout: plan.timing.connect_timeout };
    run_on(plan, context, Box::new(opener)).await
}

/// Runs a line on whatever `opener` opens, until cancelled.
pub async fn run_on(
    plan: Arc<ModbusPlan>,
    context: LineContext,
    opener: Box<dyn Opener>,
) -> Result<(), LineFault> {
    let now = Instant::now();
    let devices = plan.devices.iter().map(Device::new).collect();
    let health = Arc::clone(&context.health);
    let session = Session::new(opener, plan.medium.clone(), plan.timing, health);
    let mut line = Line {
        schedule: Schedule::new(&plan, now),
        budget: ProbeBudget::new(plan.timing.probe_share_percent, now),
        maintenance_budget: ProbeBudget::unsaved(keep::SHARE_PERCENT, now),
        standing: Standing::default(),
        backoff: Backoff::default(),
        silent_in_a_row: 0,
        is_up: None,
        has_overrides: true,
        devices,
        session,
        plan,
        context,
    };
    line.apply_overrides();
    line.run().await;
    Ok(())
}

struct Line {
    plan: Arc<ModbusPlan>,
    context: LineContext,
    session: Session,
    schedule: Schedule,
    budget: ProbeBudget,
    maintenance_budget: ProbeBudget,
    standing: Standing,
    backoff: Backoff,
    devices: Vec<Device>,
    silent_in_a_row: u32,
    is_up: Option<bool>,
    /// Whether the sender of poll overrides still exists.
    has_overrides: bool,
}

/// What to do next.
enum Next {
    Stop,
    Serve(LineCommand),
    Refresh(usize, u16, linli_domain::Value),
    Maintain(RegisterRequest),
    Poll(Job),
    Probe(usize),
    Look,
}

// === impl Line ===

impl Line {
    async fn run(&mut self) {
        loop {
            self.context.health.progress.fetch_add(1, Ordering::Relaxed);
            if self.session.must_open() && !self.open().await {
                return;
            }
            match self.next().await {
                Next::Stop => return,
                Next::Serve(command) => self.serve(command).await,
                Next::Refresh(device, point, value) => self.refresh(device, point, &value).await,
                Next::Maintain(request) => self.maintain(request).await,
                Next::Poll(job) => self.poll(job).await,
                Next::Probe(device) => self.probe(device).await,
                Next::Look => {}
            }
        }
    }

    /// Commands first, then what is due, then maintenance and probes; waits when there is nothing.
    async fn next(&mut self) -> Next {
        if self.context.cancel.is_cancelled() {
            return Next::Stop;
        }
        if let Ok(command) = self.context.commands.try_recv() {
            return Next::Serve(command);
        }
        if self.context.poll_overrides.has_changed().unwrap_or_default() {
            self.apply_overrides();
        }
        let now = Instant::now();
        if let Some((device, point, value)) = self.standing.take(now) {
            return Next::Refresh(device, point, value);
        }
        if let Some(request) = self.maintenance_due(now) {
            return Next::Maintain(request);
        }
        if let Some((job, missed)) = self.schedule.take(now) {
            self.context.health.overruns.fetch_add(missed, Ordering::Relaxed);
            return Next::Poll(job);
        }
        if let Some(device) = self.probe_due(now) {
            return Next::Probe(device);
        }
        let due = [self.schedule.next_due(), self.standing.next_due()];
        let wake = [due[0], due[1], self.next_probe(), Some(now + HEARTBEAT)];
        let wake = wake.into_iter().flatten().min().unwrap_or(now + HEARTBEAT);
        tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => Next::Stop,
            Some(command) = self.context.commands.recv() => Next::Serve(command),
            Some(request) = self.context.maintenance.recv() => Next::Maintain(request),
            changed = self.context.poll_overrides.changed(), if self.has_overrides => {
                self.has_overrides = changed.is_ok();
                self.apply_overrides();
                Next::Look
            }
            () = tokio::time::sleep_until(wake) => Next::Look,
        }
    }

    /// Devices are read as often as is wanted now, at least as often as planned.
    fn apply_overrides(&mut self) {
        let (poll_overrides, now) =
            (Arc::clone(&self.context.poll_overrides.borrow_and_update()), Instant::now());
        for (device, planned) in self.plan.devices.iter().enumerate() {
            let wanted = poll_overrides.get(&planned.layout.device).copied().unwrap_or(planned.poll);
            self.schedule.set_period(device, wanted.min(planned.poll), now);
        }
    }

    fn probe_due(&mut self, now: Instant) -> Option<usize> {
        let open = self.devices.iter().enumerate();
        let due = open.filter_map(|(index, device)| Some((device.breaker.probe_at()?, index)));
        let (at, index) = due.min()?;
        (at <= now && self.budget.allows(now)).then_some(index)
    }

    fn next_probe(&self) -> Option<Instant> {
        let due = self.devices.iter().filter_map(|device| device.breaker.probe_at()).min()?;
        Some(due.max(self.budget.allows_at()))
    }

    /// One exchange with a device, with its pauses and counters.
    async fn exchange(&mut self, device: usize, request: &pdu::Request) -> Result<Answer, Failure> {
        let planned = &self.plan.devices[device];
        let gap_ends = self.devices[device].last_exchange.map(|last| last + planned.request_gap);
        if let Some(gap_ends) = gap_ends.filter(|_| !planned.request_gap.is_zero()) {
            tokio::time::sleep_until(gap_ends).await;
        }
        let began = Instant::now();
        let outcome = self.session.exchange(planned.unit, request, planned.timeout).await;
        let now = Instant::now();
        self.devices[device].last_exchange = Some(now);
        let took = u64::try_from((now - began).as_micros()).unwrap_or(u64::MAX);
        let health = &self.context.health;
        health.busy_us.fetch_add(took, Ordering::Relaxed);
        let counters = &health.devices[device];
        let counter = match &outcome {
            Ok(_) => {
                counters.latency_us.store(took, Ordering::Relaxed);
                &counters.ok
            }
            Err(Failure::Refused(_)) => &counters.refusals,
            Err(Failure::Silent | Failure::NotReached(_)) => &counters.timeouts,
            Err(Failure::Garbled | Failure::Down(_)) => &counters.garbled,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let came = device::outcome(&outcome, self.session.other_unit());
        counters.kept().note(self.session.frames(), came, now);
        match &outcome {
            Err(Failure::Silent) => self.silent_in_a_row += 1,
            _ => self.silent_in_a_row = 0,
        }
        outcome
    }

    async fn succeeded(&mut self, device: usize) {
        let was_dead = self.devices[device].breaker.answered();
        self.show_pause(device);
        if was_dead {
            self.schedule.resume(device, Instant::now());
        }
        if self.devices[device].state != Some(DeviceState::Online) {
            let detail = self.silent_blocks(device);
            self.transition(device, DeviceState::Online, detail).await;
        }
    }

    async fn failed(&mut self, device: usize, failure: &Failure) {
        if let Failure::Down(lost) = failure {
            self.lost(lost.error.to_string()).await;
            return;
        }
        // The unit that answers next may be another device.
        self.devices[device].identified = false;
        let (reason, detail) = match (failure, self.session.other_unit()) {
            (Failure::NotReached(code), _) => {
                let why = pdu::exception(*code);
                let check = "check the unit id, and power and wiring behind the gateway";
                (Reason::Silent, format!("its gateway does not reach it ({why}): {check}"))
            }
            (_, Some(unit)) => {
                let option = "for a server with one device also unit_mismatch = \"accept\"";
                (Reason::Silent, format!("unit {unit} answers instead: set unit = {unit}, {option}"))
            }
            (Failure::Garbled, None) => {
                let check = "check wiring, termination and unit ids";
                (Reason::Garbled, format!("its answers are damaged: {check}"))
            }
            _ => (Reason::Silent, "no answer: check power, wiring, unit id and baud rate".to_owned()),
        };
        self.trip(device, reason, detail).await;
        // Over a connection silence of everybody may be a half-open connection: only a new one tells.
        if self.is_connection() && self.silent_in_a_row >= HALF_OPEN_AFTER {
            tracing::debug!(line = %self.plan.line, "no device answers: reopening the connection");
            self.silent_in_a_row = 0;
            self.session.close();
        }
    }

    /// Whether the line is a connection, which its other end can close; a serial port has nothing to be half open.
    fn is_connection(&self) -> bool {
        !matches!(self.plan.medium, Medium::Rtu(_))
    }

    /// Counts a failure, and publishes once that the breaker has opened.
    async fn trip(&mut self, device: usize, reason: Reason, detail: String) {
        let poll = self.plan.devices[device].poll;
        let has_opened = self.devices[device].breaker.failed(reason, poll, Instant::now());
        self.show_pause(device);
        if has_opened {
            self.schedule.suspend(device);
            self.devices[device].identified = false;
            self.went_offline(device, reason, detail).await;
        }
    }

    /// Shows whether a device is polled, and when it is asked again.
    fn show_pause(&self, device: usize) {
        let mut kept = self.context.health.devices[device].kept();
        (kept.failures, kept.pause) = self.devices[device].breaker.shown();
    }

    async fn went_offline(&mut self, device: usize, reason: Reason, detail: String) {
        let state = DeviceState::Offline(reason);
        if self.devices[device].state == Some(state) {
            return;
        }
        let stamp = self.context.clock.now();
        let points = 0..u16::try_from(self.plan.layouts[device].points.len()).unwrap_or(u16::MAX);
        let detail = self.without_standing(device, detail);
        self.transition(device, state, detail).await;
        self.deliver(device, device::all(points, Quality::Bad(reason), stamp)).await;
    }

    async fn transition(&mut self, device: usize, state: DeviceState, detail: String) {
        self.devices[device].state = Some(state);
        let online = u64::from(state == DeviceState::Online);
        self.context.health.devices[device].online.store(online, Ordering::Relaxed);
        let id = self.plan.layouts[device].device.clone();
        let event = LineEvent {
            line: self.plan.line.clone(),
            device: Some(id),
            state,
            at: self.context.clock.now(),
            detail,
        };
        // A closed channel means the gateway ends.
        let _ = self.context.events.send(event).await;
    }

    async fn deliver(&mut self, device: usize, samples: Vec<Sample>) {
        if samples.is_empty() {
            return;
        }
        let layout = Arc::clone(&self.plan.layouts[device]);
        let _ = self.context.samples.send(linli_domain::Batch { layout, samples }).await;
    }

    /// Whether the device has shown, since it last came back, that it is the model it should be.
    async fn is_right_device(&mut self, device: usize) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(span) = plan.devices[device].identity().filter(|_| !self.devices[device].identified) else {
            return true;
        };
        match self.exchange(device, &pdu::Request::read(span)).await {
            Ok(answer) => match plan.devices[device].identity_holds(&pdu::data(span, &answer.pdu)) {
                Ok(()) => self.devices[device].identified = true,
                // It may be the answer to an earlier request: the next poll tells.
                Err(_) if answer.is_doubtful => {}
                Err(why) => self.trip(device, Reason::WrongDevice, why).await,
            },
            Err(Failure::Refused(code)) => {
                let why = format!("its identity register cannot be read: {}", pdu::exception(code));
                self.trip(device, Reason::WrongDevice, why).await;
            }
            Err(failure) => self.failed(device, &failure).await,
        }
        self.devices[device].identified
    }
}

// === impl Breaker ===

impl Default for Breaker {
    fn default() -> Self {
        Self::CLOSED
    }
}
