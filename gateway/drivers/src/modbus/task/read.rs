//! Reads of blocks: what an answer, a refusal, a busy device and silence mean for the points of a block.
//!
//! A block fails by itself. Its points turn bad with the first poll that gives nothing, whatever the device's other
//! blocks say; a block that stays silent while others answer is named in an event and asked less often. A block
//! that the device refuses because one of its addresses does not exist is read in halves until the hole is known.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Quality, Reason, Sample};
use tokio::time::Instant;

use super::Line;
use super::device::{self, ReadBlock};
use crate::line::DeviceState;
use crate::modbus::breaker::TOLERATED;
use crate::modbus::link::Failure;
use crate::modbus::plan::{Block, Span, Table};
use crate::modbus::schedule::Job;
use crate::modbus::wire::pdu;
use crate::modbus::{breaker, planner};

/// Pause before a busy device is asked once more.
const BUSY: Duration = Duration::from_millis(50);

/// What the read of a block gave.
pub(super) enum Got {
    /// Samples, good or not.
    Samples(Vec<Sample>),
    /// A refusal of several points, of which one may not exist.
    Hole(u8),
    /// Nothing.
    Missed(Failure),
}

// === impl Line ===

impl Line {
    pub(super) async fn poll(&mut self, job: Job) {
        if !self.is_right_device(job.device).await {
            return;
        }
        let block = Arc::clone(&self.devices[job.device].blocks[job.block].block);
        // An answer now might be an earlier one that comes late: others are read first.
        let unit = self.plan.devices[job.device].unit;
        let until = self.session.doubtful_until(unit, &pdu::Request::read(block.span));
        if until.is_some_and(|until| self.schedule.put_off(job, until)) {
            return;
        }
        match self.read(job.device, &block).await {
            Got::Samples(samples) => {
                self.block_answered(job, &samples).await;
                self.deliver(job.device, samples).await;
            }
            Got::Hole(code) => self.split(job, code).await,
            Got::Missed(failure) => self.block_missed(job, &failure).await,
        }
    }

    /// Probes a dead device with the smallest possible read.
    pub(super) async fn probe(&mut self, device: usize) {
        let began = Instant::now();
        let blocks = &self.devices[device].blocks;
        // Not with a block that was silent already while the device lived.
        let smallest = (0..blocks.len()).min_by_key(|at| (blocks[*at].misses, blocks[*at].block.span.count));
        if let Some(block) = smallest
            && self.is_right_device(device).await
        {
            let job = Job { device, block };
            let block = Arc::clone(&self.devices[device].blocks[block].block);
            match self.read(device, &block).await {
                Got::Samples(samples) => {
                    self.block_answered(job, &samples).await;
                    self.deliver(device, samples).await;
                }
                Got::Hole(code) => self.split(job, code).await,
                Got::Missed(failure) => self.failed(device, &failure).await,
            }
        }
        let now = Instant::now();
        // Silence for a late answer is part of what the probe costs.
        let owed = self.session.owed();
        self.budget.spend(now - began + owed, now);
    }

    /// Reads a block; an answer, also a refusal, closes the device's breaker.
    pub(super) async fn read(&mut self, device: usize, block: &Block) -> Got {
        let request = pdu::Request::read(block.span);
        let mut outcome = self.exchange(device, &request).await;
        if let Err(Failure::Refused(5 | 6)) = outcome {
            tokio::time::sleep(BUSY).await;
            outcome = self.exchange(device, &request).await;
        }
        // A device that starts may refuse once what it has: only what it refuses twice is missing.
        if block.points.len() > 1 && matches!(outcome, Err(Failure::Refused(2 | 3))) {
            outcome = self.exchange(device, &request).await;
        }
        let mut stamp = self.context.clock.now();
        let points = block.points.iter().copied();
        match outcome {
            Ok(answer) => {
                // The middle between request and answer: the device held the value at most half of it away.
                stamp.at.0 -= i64::try_from(answer.at.elapsed().as_millis()).unwrap_or_default();
                self.succeeded(device).await;
                let plan = Arc::clone(&self.plan);
                let data = pdu::data(block.span, &answer.pdu);
                let mut samples = device::decode(&plan.devices[device], block, &data, stamp);
                if answer.is_doubtful {
                    let good = samples.iter_mut().filter(|sample| sample.quality.is_good());
                    good.for_each(|sample| sample.quality = Quality::Uncertain(Reason::Doubtful));
                }
                self.devices[device].counters.judge(&mut samples);
                Got::Samples(samples)
            }
            Err(Failure::Refused(code @ (5 | 6))) => {
                self.succeeded(device).await;
                tracing::debug!(device = %self.plan.layouts[device].device, code, span = ?block.span, "busy");
                Got::Samples(device::all(points, Quality::Uncertain(Reason::Busy), stamp))
            }
            Err(Failure::Refused(code)) => {
                // An exception is an answer: the device is online, but refuses this block.
                self.succeeded(device).await;
                tracing::debug!(device = %self.plan.layouts[device].device, code, span = ?block.span, "refused");
                if matches!(code, 2 | 3) && block.points.len() > 1 {
                    return Got::Hole(code);
                }
                Got::Samples(device::all(points, Quality::Bad(Reason::Refused), stamp))
            }
            Err(failure) => Got::Missed(failure),
        }
    }

    /// A block gave samples. An event says so when it had been silent, and when the device lacks its only register.
    async fn block_answered(&mut self, job: Job, samples: &[Sample]) {
        let state = &mut self.devices[job.device].blocks[job.block];
        let was_silent = std::mem::take(&mut state.misses) >= TOLERATED;
        let is_refused = samples.iter().all(|sample| sample.quality == Quality::Bad(Reason::Refused));
        let is_news = is_refused && !std::mem::replace(&mut state.is_refused, is_refused);
        let block = Arc::clone(&state.block);
        if was_silent {
            let detail = format!("{} again", self.named(job.device, &block, "answers"));
            self.transition(job.device, DeviceState::Online, detail).await;
        }
        if is_news {
            let detail = self.named(job.device, &block, "the device refuses");
            let detail = format!("{detail}: leave it out of the profile if the model has no such address");
            self.transition(job.device, DeviceState::Online, detail).await;
        }
    }

    /// A block gave nothing: its points are bad from now on.
    async fn block_missed(&mut self, job: Job, failure: &Failure) {
        let state = &mut self.devices[job.device].blocks[job.block];
        state.misses = state.misses.saturating_add(1);
        let misses = state.misses;
        let block = Arc::clone(&state.block);
        // What is known to be silent says nothing about the device.
        if misses <= TOLERATED || matches!(failure, Failure::Down(_)) {
            self.failed(job.device, failure).await;
        }
        if !self.devices[job.device].breaker.is_closed() || matches!(failure, Failure::Down(_)) {
            return;
        }
        let reason = if matches!(failure, Failure::Garbled) { Reason::Garbled } else { Reason::Silent };
        let points = block.points.iter().copied();
        let samples = device::all(points, Quality::Bad(reason), self.context.clock.now());
        self.deliver(job.device, samples).await;
        if misses >= TOLERATED {
            let poll = self.plan.devices[job.device].poll;
            let pause =
                (poll * 2_u32.saturating_pow((misses - TOLERATED).min(16))).min(breaker::LONGEST_PAUSE);
            self.schedule.postpone(job, Instant::now() + pause.max(poll));
        }
        if misses == TOLERATED {
            let detail = self.silent_blocks(job.device);
            self.transition(job.device, DeviceState::Online, detail).await;
        }
    }

    /// Says which blocks of a device that answers are silent; empty when there are none.
    pub(super) fn silent_blocks(&self, device: usize) -> String {
        let silent = self.devices[device].blocks.iter().filter(|state| state.misses >= TOLERATED);
        let silent = silent.map(|state| self.named(device, &state.block, "no answer to"));
        silent.collect::<Vec<_>>().join("; ")
    }

    /// Reads a refused block in two halves from now on, the first of them at once.
    async fn split(&mut self, job: Job, code: u8) {
        let plan = Arc::clone(&self.plan);
        let planned = &plan.devices[job.device];
        let whole = Arc::clone(&self.devices[job.device].blocks[job.block].block);
        let (head, tail) = whole.points.split_at(whole.points.len() / 2);
        let halves = [head, tail].map(|points| planner::block(&planned.profile, points));
        let device = &mut self.devices[job.device];
        let is_first = device.blocks.len() == planned.blocks.len();
        let [head, tail] = halves.map(|block| ReadBlock::new(Arc::new(block)));
        device.blocks[job.block] = head;
        device.blocks.push(tail);
        let second = Job { device: job.device, block: device.blocks.len() - 1 };
        self.schedule.split(job, second, Instant::now());
        if is_first {
            let what = self.named(job.device, &whole, "read in parts:");
            let why = pdu::exception(code);
            let detail = format!(
                "{what} is refused in one request ({why}); gap_registers = 0 or a smaller block_registers in [limits] of the profile avoids it"
            );
            self.transition(job.device, DeviceState::Online, detail).await;
        }
    }

    /// A block for people: its addresses and its points.
    fn named(&self, device: usize, block: &Block, before: &str) -> String {
        let points = &self.plan.layouts[device].points;
        let names = block.points.iter().filter_map(|at| points.get(usize::from(*at)));
        let names: Vec<&str> = names.map(|point| point.name.as_str()).collect();
        let shown = match names.as_slice() {
            [first, .., last] if names.len() > 3 => format!("{first} to {last}"),
            names => names.join(", "),
        };
        format!("{before} {} ({shown})", addresses(block.span))
    }

    /// Reads every block as planned again.
    pub(super) fn rejoin(&mut self, device: usize) {
        let planned = &self.plan.devices[device].blocks;
        self.devices[device].blocks = planned.iter().map(|b| ReadBlock::new(Arc::new(b.clone()))).collect();
        self.schedule.rejoin(device, planned.len());
    }
}

fn addresses(span: Span) -> String {
    let table = match span.table {
        Table::Coil => "coil",
        Table::DiscreteInput => "discrete",
        Table::InputRegister => "input",
        Table::HoldingRegister => "holding",
    };
    let last = u32::from(span.start) + u32::from(span.count) - 1;
    if span.count == 1 {
        format!("{table} {}", span.start)
    } else {
        format!("{table} {} to {last}", span.start)
    }
}
