//! The canonical form of a plan as it is written: every member, its key written out.

use super::super::expression::Literal;
use super::super::plan::{
    Channel, Compensate, Direction, Drill, HumanTask, OnFail, Plan, Pressure, Retry, Step, Verify, VoidOn,
    Work,
};
use super::form::Form;

// === impl Form ===

impl Form {
    pub(super) fn plan(&mut self, plan: &Plan) {
        let Plan {
            id,
            version,
            direction,
            room,
            role,
            ready_within,
            lead,
            pressure,
            basis,
            return_plan,
            alternate,
            grace,
            params,
            steps,
        } = plan;
        let params: Vec<(&String, &Literal)> = params.iter().collect();
        let param = |form: &mut Self, (name, value): &(&String, &Literal)| {
            form.members(&[("name", &|form| form.text(name)), ("value", &|form| form.literal(value))]);
        };
        self.members(&[
            ("id", &|form| form.text(id.as_str())),
            ("version", &|form| form.whole(*version)),
            ("direction", &|form| form.text(direction_word(*direction))),
            ("room", &|form| form.text(room.as_str())),
            ("role", &|form| form.text(role)),
            ("ready_within", &|form| form.span(*ready_within)),
            ("lead", &|form| form.text(lead)),
            ("pressure", &|form| form.text(pressure_word(*pressure))),
            ("basis", &|form| form.texts(basis)),
            ("return_plan", &|form| form.maybe(return_plan.as_ref(), |form, plan| form.text(plan))),
            ("alternate", &|form| form.maybe(alternate.as_ref(), |form, plan| form.text(plan))),
            ("grace", &|form| form.span(*grace)),
            ("params", &|form| form.list(&params, param)),
            ("steps", &|form| form.list(steps, Self::step)),
        ]);
    }

    fn step(&mut self, step: &Step) {
        let Step { id, after, work, pre, deadline, escalate, on_fail, drill } = step;
        self.members(&[
            ("id", &|form| form.text(id.as_str())),
            ("after", &|form| form.texts(after)),
            ("work", &|form| form.work(work)),
            ("pre", &|form| form.texts(pre)),
            ("deadline", &|form| form.span(*deadline)),
            ("escalate", &|form| form.list(escalate, Self::rung)),
            ("on_fail", &|form| form.text(on_fail_word(*on_fail))),
            ("drill", &|form| form.text(drill_word(*drill))),
        ]);
    }

    fn work(&mut self, work: &Work) {
        match work {
            Work::Human(task) => self.variant("human", |form| form.human_task(task)),
            Work::Actuate { device, set, verify, retry, compensate, is_reasserted } => {
                self.variant("actuate", |form| {
                    form.members(&[
                        ("device", &|form| form.text(device)),
                        ("set", &|form| form.list(set, Self::assignment)),
                        ("verify", &|form| form.maybe(verify.as_ref(), Self::verify)),
                        ("retry", &|form| form.retry(*retry)),
                        ("compensate", &|form| form.maybe(compensate.as_ref(), Self::compensate)),
                        ("reassert", &|form| form.truth(*is_reasserted)),
                    ]);
                });
            }
            Work::Process { device, set, then, verify, span, lease, abort_on } => {
                self.variant("process", |form| {
                    form.members(&[
                        ("device", &|form| form.text(device)),
                        ("set", &|form| form.list(set, Self::assignment)),
                        ("then", &|form| form.list(then, Self::assignment)),
                        ("verify", &|form| form.maybe(verify.as_ref(), Self::verify)),
                        ("for", &|form| form.span(*span)),
                        ("lease", &|form| form.maybe(lease.as_ref(), |form, lease| form.span(*lease))),
                        ("abort_on", &|form| form.texts(abort_on)),
                    ]);
                });
            }
            Work::Verify(verify) => self.variant("verify", |form| form.verify(verify)),
        }
    }

    fn human_task(&mut self, task: &HumanTask) {
        let HumanTask { role, count, prompt, evidence, void_on, not_same_as, is_sweep, clears } = task;
        self.members(&[
            ("role", &|form| form.text(role)),
            ("count", &|form| form.whole(*count)),
            ("prompt", &|form| form.text(prompt)),
            ("evidence", &|form| form.texts(evidence)),
            ("void_on", &|form| form.void_on(void_on)),
            ("not_same_as", &|form| form.texts(not_same_as)),
            ("sweep", &|form| form.truth(*is_sweep)),
            ("clears", &|form| form.texts(clears)),
        ]);
    }

    fn assignment(&mut self, (output, value): &(String, Literal)) {
        self.members(&[("output", &|form| form.text(output)), ("value", &|form| form.literal(value))]);
    }

    fn compensate(&mut self, compensate: &Compensate) {
        let Compensate { set, pre } = compensate;
        self.members(&[("set", &|form| form.list(set, Self::assignment)), ("pre", &|form| form.texts(pre))]);
    }

    fn verify(&mut self, verify: &Verify) {
        let Verify { read, within, channel } = verify;
        self.members(&[
            ("read", &|form| form.texts(read)),
            ("within", &|form| form.span(*within)),
            ("channel", &|form| form.text(channel_word(*channel))),
        ]);
    }

    pub(super) fn void_on(&mut self, void_on: &VoidOn) {
        let VoidOn { door_opened, presence, after } = void_on;
        self.members(&[
            ("door_opened", &|form| form.truth(*door_opened)),
            ("presence", &|form| form.truth(*presence)),
            ("after", &|form| form.maybe(after.as_ref(), |form, after| form.span(*after))),
        ]);
    }

    pub(super) fn retry(&mut self, retry: Retry) {
        let Retry { times, gap } = retry;
        self.members(&[("n", &|form| form.whole(times)), ("gap", &|form| form.span(gap))]);
    }
}

pub(super) const fn on_fail_word(on_fail: OnFail) -> &'static str {
    match on_fail {
        OnFail::Hold => "hold",
        OnFail::Degrade => "degrade",
        OnFail::Human => "human",
    }
}

pub(super) const fn drill_word(drill: Drill) -> &'static str {
    match drill {
        Drill::Live => "live",
        Drill::Simulate => "simulate",
        Drill::Skip => "skip",
    }
}

pub(super) const fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Itself => "itself",
        Channel::Independent => "independent",
        Channel::Human => "human",
    }
}

const fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Enter => "enter",
        Direction::Return => "return",
    }
}

const fn pressure_word(pressure: Pressure) -> &'static str {
    match pressure {
        Pressure::Neutral => "neutral",
        Pressure::Negative => "negative",
        Pressure::Positive => "positive",
    }
}
