//! The canonical form of a plan that is tied to a building: every member, its key written out.

use std::time::Duration;

use super::super::expression::{Literal, Op};
use super::super::predicate::{Claim, Predicate};
use super::super::resolved_plan::{Action, Condition, ResolvedPlan, ResolvedStep, Safe, Setting};
use super::form::Form;
use super::plan::{channel_word, drill_word, on_fail_word};
use crate::facility::Contents;
use linli_domain::Value;

// === impl Form ===

impl Form {
    pub(super) fn resolved(&mut self, resolved: &ResolvedPlan) {
        let ResolvedPlan { plan, room, predicates, steps, occupied, opened, ways_out, safe, contents } =
            resolved;
        self.members(&[
            ("plan", &|form| form.plan(plan)),
            ("room", &|form| form.position(*room)),
            ("atoms", &|form| form.list(predicates, Self::atom)),
            ("jobs", &|form| form.list(steps, Self::job)),
            ("occupied", &|form| form.positions(occupied)),
            ("opened", &|form| form.positions(opened)),
            ("ways_out", &|form| form.list(ways_out, |form, way| form.positions(way))),
            ("safe", &|form| form.list(safe, Self::safe)),
            ("contents", &|form| form.list(contents, Self::contents)),
        ]);
    }

    fn atom(&mut self, atom: &Predicate) {
        let Predicate { fixture, read, claim } = atom;
        self.members(&[
            ("fixture", &|form| form.position(*fixture)),
            ("read", &|form| form.position(*read)),
            ("claim", &|form| form.claim(claim)),
        ]);
    }

    fn claim(&mut self, claim: &Claim) {
        match claim {
            Claim::Is(op, literal) => self.variant("is", |form| {
                form.members(&[
                    ("op", &|form| form.text(op_word(*op))),
                    ("with", &|form| form.literal(literal)),
                ]);
            }),
            Claim::Within(low, high) => self.variant("within", |form| {
                form.members(&[("low", &|form| form.number(*low)), ("high", &|form| form.number(*high))]);
            }),
        }
    }

    pub(super) fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::Number(number) => self.number(*number),
            Literal::Word(word) => self.text(word),
        }
    }

    fn job(&mut self, job: &ResolvedStep) {
        let ResolvedStep { id, after, before, pre, action, deadline, escalate, on_fail, drill, touches } =
            job;
        self.members(&[
            ("id", &|form| form.text(id.as_str())),
            ("after", &|form| form.positions(after)),
            ("before", &|form| form.positions(before)),
            ("pre", &|form| form.list(pre, Self::cond)),
            ("doing", &|form| form.action(action)),
            ("deadline", &|form| form.span(*deadline)),
            ("escalate", &|form| form.list(escalate, Self::rung)),
            ("on_fail", &|form| form.text(on_fail_word(*on_fail))),
            ("drill", &|form| form.text(drill_word(*drill))),
            ("touches", &|form| form.positions(touches)),
        ]);
    }

    pub(super) fn rung(&mut self, (role, after): &(String, Duration)) {
        self.members(&[("role", &|form| form.text(role)), ("after", &|form| form.span(*after))]);
    }

    fn cond(&mut self, cond: &Condition) {
        match cond {
            Condition::Predicate(predicate) => self.variant("atom", |form| form.position(*predicate)),
            Condition::Vacant(count) => self.variant("vacant", |form| form.whole(*count)),
            Condition::ExitFree => self.bare("exit_free"),
            Condition::FreeOf(contents) => self.variant("free_of", |form| form.contents(contents)),
            Condition::NoFire => self.bare("no_fire"),
        }
    }

    fn contents(&mut self, contents: &Contents) {
        self.text(match contents {
            Contents::HotFood => "hot_food",
            Contents::Chilled => "chilled",
            Contents::Frozen => "frozen",
            Contents::Dry => "dry",
            Contents::Medical => "medical",
            Contents::Hazard => "hazard",
        });
    }

    fn setting(&mut self, setting: &Setting) {
        let Setting { fixture, output, word, value } = setting;
        self.members(&[
            ("fixture", &|form| form.position(*fixture)),
            ("output", &|form| form.position(*output)),
            ("word", &|form| form.literal(word)),
            ("value", &|form| form.value(value)),
        ]);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Bool(is_true) => self.truth(*is_true),
            Value::Integer(number) => self.whole(*number),
            Value::Unsigned(number) => self.whole(*number),
            Value::Float(number) => self.number(*number),
            Value::Text(text) => self.text(text),
        }
    }

    fn safe(&mut self, safe: &Safe) {
        let Safe { setting, proof, touches } = safe;
        self.members(&[
            ("setting", &|form| form.setting(setting)),
            ("proof", &|form| form.maybe(proof.as_ref(), |form, atom| form.position(*atom))),
            ("touches", &|form| form.positions(touches)),
        ]);
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Human { role, count, prompt, void_on, not_same_as, is_sweep, clears, evidence } => {
                self.variant("human", |form| {
                    form.members(&[
                        ("role", &|form| form.text(role)),
                        ("count", &|form| form.position(*count)),
                        ("prompt", &|form| form.text(prompt)),
                        ("void_on", &|form| form.void_on(void_on)),
                        ("not_same_as", &|form| form.positions(not_same_as)),
                        ("sweep", &|form| form.truth(*is_sweep)),
                        ("clears", &|form| form.list(clears, Self::contents)),
                        ("evidence", &|form| form.texts(evidence)),
                    ]);
                });
            }
            Action::Actuate { .. } => self.variant("actuate", |form| form.actuate(action)),
            Action::Process { sets, off, verify, within, channel, span, lease } => {
                self.variant("process", |form| {
                    form.members(&[
                        ("set", &|form| form.list(sets, Self::setting)),
                        ("off", &|form| form.list(off, Self::setting)),
                        ("verify", &|form| form.positions(verify)),
                        ("within", &|form| form.span(*within)),
                        ("channel", &|form| form.text(channel_word(*channel))),
                        ("for", &|form| form.span(*span)),
                        ("lease", &|form| form.span(*lease)),
                    ]);
                });
            }
            Action::Verify { verify, within, channel } => self.variant("verify", |form| {
                form.members(&[
                    ("verify", &|form| form.positions(verify)),
                    ("within", &|form| form.span(*within)),
                    ("channel", &|form| form.text(channel_word(*channel))),
                ]);
            }),
        }
    }

    fn actuate(&mut self, action: &Action) {
        let Action::Actuate {
            sets,
            verify,
            within,
            channel,
            retry,
            compensate,
            is_reasserted,
            is_pulse,
            is_superseded,
        } = action
        else {
            return;
        };
        let remedy = |form: &mut Self, (sets, pre): &(Vec<Setting>, Vec<Condition>)| {
            form.members(&[
                ("set", &|form| form.list(sets, Self::setting)),
                ("pre", &|form| form.list(pre, Self::cond)),
            ]);
        };
        self.members(&[
            ("set", &|form| form.list(sets, Self::setting)),
            ("verify", &|form| form.positions(verify)),
            ("within", &|form| form.span(*within)),
            ("channel", &|form| form.text(channel_word(*channel))),
            ("retry", &|form| form.retry(*retry)),
            ("compensate", &|form| form.maybe(compensate.as_ref(), remedy)),
            ("reassert", &|form| form.truth(*is_reasserted)),
            ("pulse", &|form| form.truth(*is_pulse)),
            ("superseded", &|form| form.truth(*is_superseded)),
        ]);
    }
}

const fn op_word(op: Op) -> &'static str {
    match op {
        Op::Equal => "==",
        Op::Unequal => "!=",
        Op::Less => "<",
        Op::AtMost => "<=",
        Op::More => ">",
        Op::AtLeast => ">=",
    }
}
