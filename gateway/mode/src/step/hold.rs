//! Fire, stop, failed guards and restarts: the room is made safe and stays held until a person resumes
//! it.

use super::super::event::{Actor, Effect, Refused, Timer};
use super::super::plan::Class;
use super::super::state::{Cause, Fire, Phase, StepState};
use super::super::truth::Truth;
use super::{Room, SafetyRule};

// === impl Room ===

impl Room<'_> {
    pub(super) fn fire(&mut self, alarm: Truth) {
        self.state.fire = match alarm {
            Truth::True => Fire::Alarm,
            Truth::False => Fire::Normal,
            // A panel that stops sending during an alarm has not ended it.
            Truth::Unknown => self.silent_panel(),
        };
        let concerned = match self.state.phase {
            Phase::Peace => false,
            // In a preview of the return, or over another run, outputs stand as an earlier run set them.
            Phase::Preview => self.keeps(SafetyRule::FireInPreview),
            _ => true,
        };
        if self.state.fire == Fire::Alarm && concerned && self.keeps(SafetyRule::FireHolds) {
            self.hold(Cause::Fire);
        } else {
            self.watch_guards();
            self.watch_claim();
        }
    }

    /// Returns what is known of the fire once nothing is heard of the panel.
    fn silent_panel(&self) -> Fire {
        let stays = self.state.fire == Fire::Alarm && self.keeps(SafetyRule::SilenceIsNoEnd);
        if stays { Fire::Alarm } else { Fire::Unknown }
    }

    pub(super) fn stop(&mut self) -> Result<(), Refused> {
        let is_ignored = self.state.phase == Phase::Ready && !self.keeps(SafetyRule::StopAlways);
        if self.run().is_none() || is_ignored {
            return Err(self.meaningless("stopping"));
        }
        self.hold(Cause::Stop);
        Ok(())
    }

    /// Holds the room: ends all actions and makes moved outputs safe.
    pub(super) fn hold(&mut self, cause: Cause) {
        let Some(run) = self.run_mut() else { return };
        run.causes.insert(cause);
        run.awaited.clear();
        let running: Vec<usize> =
            (0..run.steps.len()).filter(|step| run.steps[*step].is_in_flight()).collect();
        self.state.phase = Phase::Held;
        self.effects.push(Effect::DisarmAll);
        if self.keeps(SafetyRule::LeaseEnds) {
            self.effects.extend(running.into_iter().map(Effect::Unlease));
        }
        if self.keeps(SafetyRule::Rewalk) {
            self.rewalk();
        } else {
            self.skip_what_was_done();
        }
        self.doubt_watched();
        self.make_safe();
    }

    pub(super) fn resume(&mut self, who: &Actor, why: &str) -> Result<(), Refused> {
        if self.state.phase != Phase::Held {
            return Err(self.meaningless("resuming"));
        }
        self.needs("resuming", &self.resolved.plan.lead, who)?;
        if why.trim().is_empty() {
            return Err(Refused::NoReason);
        }
        if self.state.fire != Fire::Normal && self.keeps(SafetyRule::ResumeWithoutFire) {
            return Err(Refused::Fire);
        }
        // A cancelled run does not resume; it waits for the return plan.
        if let Some(run) = self.run_mut().filter(|run| run.causes.contains(&Cause::Cancel)) {
            run.causes = [Cause::Cancel].into();
            return Ok(());
        }
        self.effects.push(Effect::DisarmAll);
        let begins_safe = self.keeps(SafetyRule::SafeFirst);
        if let Some(run) = self.run_mut() {
            run.causes.clear();
            if !begins_safe {
                run.unproven.clear();
            }
        }
        self.rewalk();
        self.state.phase = Phase::Running;
        if begins_safe {
            self.make_safe_first();
        }
        self.effects.push(Effect::Reread((0..self.resolved.predicates.len()).collect()));
        Ok(())
    }

    /// Applies a restart: predicates are unknown, people's evidence is void, no device is switched on by
    /// itself, and what was moved is made safe until people confirm again.
    pub(super) fn restarted(&mut self) {
        self.state.fire = self.silent_panel();
        let (predicates, phase) = (self.resolved.predicates.len(), self.state.phase);
        let ends_waivers = self.keeps(SafetyRule::WaiverEnds);
        let Some(run) = self.run_mut() else { return };
        run.truths = vec![Truth::Unknown; predicates];
        run.settled.clear();
        let class = run.order.class;
        // The remaining time of a waiver is unknown after a restart: a person must waive again.
        if ends_waivers {
            run.waivers.clear();
            for state in &mut run.steps {
                if matches!(state, StepState::Waived(_)) {
                    *state = StepState::Failed;
                }
            }
        }
        self.effects.push(Effect::Reread((0..predicates).collect()));
        match phase {
            Phase::Peace => {}
            Phase::Preview => {
                if ends_waivers {
                    self.rewalk();
                }
                self.release();
                if class == Class::Actual {
                    let grace = self.resolved.plan.grace;
                    self.arm(Timer::Grace, grace);
                }
            }
            Phase::Running if self.keeps(SafetyRule::Rewalk) => {
                self.rewalk();
                self.release();
            }
            Phase::Running => self.skip_what_was_done(),
            Phase::Ready | Phase::Degraded | Phase::Proving if self.keeps(SafetyRule::ProveAgain) => {
                self.release_what_was_searched();
                self.prove();
            }
            Phase::Ready | Phase::Degraded | Phase::Proving => {}
            Phase::Held if self.keeps(SafetyRule::HoldStays) => {
                if let Some(run) = self.run_mut() {
                    let watched = std::mem::take(&mut run.watched);
                    run.moved.extend(watched);
                }
                self.make_safe();
            }
            Phase::Held => {
                self.rewalk();
                self.state.phase = Phase::Running;
            }
        }
    }

    /// Used by a mutant of the model checker instead of checking all steps again: repeats the step under
    /// way, keeps completed steps.
    fn skip_what_was_done(&mut self) {
        let Some(run) = self.run_mut() else { return };
        for state in &mut run.steps {
            if !state.is_settled() {
                *state = StepState::Pending;
            }
        }
    }
}
