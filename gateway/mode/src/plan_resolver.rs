//! Resolves the names of a plan against the building; collects all errors.

use super::expression::{Literal, Name, Op, Parsed, Side};
use super::plan::{Plan, Step, Verify, Work};
use super::plan_rule::PlanRule;
use super::predicate::{Claim, Predicate};
use super::resolved_plan::{Action, Condition, Fault, ResolvedStep, Safe, Setting};
use crate::facility::{Contents, Facility, Fixture, Kind, ReadSource};
use linli_domain::Value;

/// Resolves names and collects errors.
pub(super) struct PlanResolver<'t> {
    pub facility: &'t Facility,
    pub plan: &'t Plan,
    pub room: usize,
    pub predicates: Vec<Predicate>,
    pub faults: Vec<Fault>,
    pub step: Option<usize>,
}

// === impl PlanResolver ===

impl<'t> PlanResolver<'t> {
    pub const fn new(facility: &'t Facility, plan: &'t Plan, room: usize) -> Self {
        Self { facility, plan, room, predicates: Vec::new(), faults: Vec::new(), step: None }
    }

    pub fn fault(&mut self, rule: PlanRule, key: &'static str, message: impl Into<String>) {
        self.faults.push(Fault { step: self.step, key, rule, message: message.into() });
    }

    pub fn resolve_step(&mut self, index: usize) -> Option<ResolvedStep> {
        self.step = Some(index);
        let step = &self.plan.steps[index];
        let before = self.faults.len();
        let after = self.steps(&step.after, "after", index);
        let pre = self.conds(&step.pre, "pre");
        let action = self.action(step, index);
        let Step { id, deadline, escalate, on_fail, drill, .. } = step.clone();
        self.step = None;
        let action = action.filter(|_| self.faults.len() == before)?;
        Some(ResolvedStep {
            id,
            after,
            before: Vec::new(),
            pre,
            action,
            deadline,
            escalate,
            on_fail,
            drill,
            touches: Vec::new(),
        })
    }

    /// Returns steps by their ids; `*` is every other step.
    fn steps(&mut self, names: &[String], key: &'static str, own: usize) -> Vec<usize> {
        let mut found = Vec::new();
        for name in names {
            if name == "*" {
                found.extend((0..self.plan.steps.len()).filter(|index| *index != own));
                continue;
            }
            match self.plan.steps.iter().position(|step| step.id.as_str() == name) {
                Some(index) if index != own => found.push(index),
                Some(_) => {
                    self.fault(PlanRule::NoRing, key, format!("{name:?} cannot stand before itself"));
                }
                None => {
                    let known: Vec<&str> = self.plan.steps.iter().map(|step| step.id.as_str()).collect();
                    self.fault(
                        PlanRule::NamesKnown,
                        key,
                        format!("there is no step {name:?}; steps are: {}", known.join(", ")),
                    );
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn action(&mut self, step: &Step, index: usize) -> Option<Action> {
        match &step.work {
            Work::Human(task) => {
                let clears = task.clears.iter().filter_map(|word| self.contents(word, "clears")).collect();
                Some(Action::Human {
                    role: task.role.clone(),
                    count: usize::from(task.count),
                    prompt: task.prompt.clone(),
                    void_on: task.void_on,
                    not_same_as: self.steps(&task.not_same_as, "not_same_as", index),
                    is_sweep: task.is_sweep,
                    clears,
                    evidence: task.evidence.clone(),
                })
            }
            Work::Actuate { device, set, verify, retry, compensate, is_reasserted } => {
                let fixture = self.fixture(device)?;
                let sets = self.settings(fixture, set, "set");
                let compensate = compensate.as_ref().map(|remedy| {
                    let sets = self.settings(fixture, &remedy.set, "compensate");
                    (sets, self.conds(&remedy.pre, "compensate"))
                });
                let Verify { read, within, channel } = self.verified(verify.as_ref())?;
                let outputs = &self.facility.fixtures[fixture].sets;
                let is_pulse = sets.iter().any(|set| outputs[set.output].is_pulse);
                Some(Action::Actuate {
                    sets,
                    verify: self.predicates(&read, "verify"),
                    within,
                    channel,
                    retry: *retry,
                    compensate,
                    is_reasserted: *is_reasserted,
                    is_pulse,
                    is_superseded: false,
                })
            }
            Work::Process { device, set, then, verify, span, lease, abort_on } => {
                let fixture = self.fixture(device)?;
                let sets = self.settings(fixture, set, "set");
                for needed in ["presence", "door_opened", "fire", "stop"] {
                    if !abort_on.iter().any(|on| on == needed) {
                        self.fault(PlanRule::AbortsAtOnce, "run", format!("abort_on lacks {needed:?}: a process ends at once on all of presence, door_opened, fire and stop"));
                    }
                }
                if lease.is_none() {
                    self.fault(
                        PlanRule::Leased,
                        "run",
                        "lease is missing: without it the process goes on when the gateway dies",
                    );
                }
                let off = self.off(&sets, then);
                let Verify { read, within, channel } = self.verified(verify.as_ref())?;
                let verify = self.predicates(&read, "verify");
                Some(Action::Process { sets, off, verify, within, channel, span: *span, lease: (*lease)? })
            }
            Work::Verify(Verify { read, within, channel }) => {
                let verify = self.predicates(read, "verify");
                Some(Action::Verify { verify, within: *within, channel: *channel })
            }
        }
    }

    fn verified(&mut self, verify: Option<&Verify>) -> Option<Verify> {
        match verify {
            Some(verify) if !verify.read.is_empty() => Some(verify.clone()),
            _ => {
                self.fault(PlanRule::ReadBack, "verify", "is missing: what is not read back is not believed");
                None
            }
        }
    }

    fn fixture(&mut self, id: &str) -> Option<usize> {
        match self.facility.fixture(id) {
            None => {
                let known: Vec<&str> = self.facility.fixtures.iter().map(|f| f.id.as_str()).collect();
                self.fault(
                    PlanRule::NamesKnown,
                    "device",
                    format!("there is no fixture {id:?}; fixtures are: {}", known.join(", ")),
                );
                None
            }
            Some(found) => {
                let fixture = &self.facility.fixtures[found];
                if !fixture.kind.is_movable() {
                    let kind = fixture.kind.as_str();
                    self.fault(
                        PlanRule::SafetyUntouched,
                        "device",
                        format!("{id} is of kind {kind}: a plan must not move it"),
                    );
                    return None;
                }
                if fixture.room != self.room {
                    let room = &self.facility.rooms[fixture.room].id;
                    self.fault(
                        PlanRule::OwnRoom,
                        "device",
                        format!("{id} belongs to the room {room}, not to this plan's"),
                    );
                    return None;
                }
                Some(found)
            }
        }
    }

    fn settings(&mut self, fixture: usize, set: &[(String, Literal)], key: &'static str) -> Vec<Setting> {
        if set.is_empty() {
            self.fault(PlanRule::StepActs, key, "sets nothing");
        }
        set.iter().filter_map(|(name, word)| self.setting(fixture, name, word, key)).collect()
    }

    fn setting(&mut self, fixture: usize, name: &str, word: &Literal, key: &'static str) -> Option<Setting> {
        let found = &self.facility.fixtures[fixture];
        let Some(output) = found.sets.iter().position(|output| output.name == name) else {
            let known: Vec<&str> = found.sets.iter().map(|output| output.name.as_str()).collect();
            let message =
                format!("{} has nothing called {name:?} to set; it has: {}", found.id, known.join(", "));
            self.fault(PlanRule::NamesKnown, key, message);
            return None;
        };
        let word = self.param(word, key)?;
        let is_text = found.kind.speaks() || found.kind == Kind::Kiosk;
        let words = &found.sets[output].words;
        let value = match &word {
            Literal::Word(word) => {
                let known = words.iter().find(|(known, _)| known == word);
                match known {
                    Some((_, value)) => value.clone(),
                    None if words.is_empty() && is_text => Value::Text(word.as_str().into()),
                    None => {
                        let known: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
                        let message = format!("{name} cannot be {word:?}; it can be: {}", known.join(", "));
                        self.fault(PlanRule::NamesKnown, key, message);
                        return None;
                    }
                }
            }
            Literal::Number(number) => Value::float(*number)?,
        };
        Some(Setting { fixture, output, word, value })
    }

    /// Replaces a parameter by its value.
    fn param(&mut self, word: &Literal, key: &'static str) -> Option<Literal> {
        let Literal::Word(text) = word else { return Some(word.clone()) };
        let Some(name) = text.strip_prefix("params.") else { return Some(word.clone()) };
        let found = self.plan.params.get(name).cloned();
        if found.is_none() {
            self.fault(PlanRule::NamesKnown, key, format!("there is no parameter {name:?} in [params]"));
        }
        found
    }

    /// Returns the settings that end a process: those of the plan, or the safe states of its outputs.
    fn off(&mut self, sets: &[Setting], then: &[(String, Literal)]) -> Vec<Setting> {
        let mut off = Vec::new();
        for set in sets {
            let output = &self.facility.fixtures[set.fixture].sets[set.output];
            let name = output.name.clone();
            let said = then.iter().find(|(named, _)| *named == name).map(|(_, word)| word.clone());
            match said.or_else(|| output.safe.as_deref().map(safe_literal)) {
                Some(word) => off.extend(self.setting(set.fixture, &name, &word, "run")),
                None => {
                    let message = format!(
                        "{name} has no safe state, and run.then does not name it: a process must be able to end"
                    );
                    self.fault(PlanRule::ProcessEnds, "run", message);
                }
            }
        }
        if let Some((stray, _)) = then.iter().find(|(named, _)| {
            !sets.iter().any(|set| self.facility.fixtures[set.fixture].sets[set.output].name == *named)
        }) {
            self.fault(
                PlanRule::NamesKnown,
                "run",
                format!("then names {stray:?}, which the step does not set"),
            );
        }
        off
    }

    fn conds(&mut self, texts: &[String], key: &'static str) -> Vec<Condition> {
        texts.iter().filter_map(|text| self.cond(text, key)).collect()
    }

    fn cond(&mut self, text: &str, key: &'static str) -> Option<Condition> {
        match Parsed::parse(text) {
            Err(error) => {
                self.fault(PlanRule::ExpressionsHold, key, format!("{text:?}: {error}"));
                None
            }
            Ok(Parsed::Vacant(count)) => Some(Condition::Vacant(count)),
            Ok(Parsed::ExitFree) => Some(Condition::ExitFree),
            Ok(Parsed::NoFire) => {
                if self.facility.rooms[self.room].fire_zone.is_none() {
                    self.fault(
                        PlanRule::FireZone,
                        key,
                        "the room has no fire_zone in facility.toml: nothing would be known of a fire",
                    );
                }
                Some(Condition::NoFire)
            }
            Ok(Parsed::FreeOf(word)) => self.contents(&word, key).map(Condition::FreeOf),
            Ok(Parsed::Compare { name, op, with }) => {
                let literal = match with {
                    Side::Literal(literal) => literal,
                    Side::Name(name) if name.of == "params" => {
                        self.param(&Literal::Word(name.to_string()), key)?
                    }
                    Side::Name(name) => {
                        self.fault(
                            PlanRule::ExpressionsHold,
                            key,
                            format!("{name}: on the right stands a number, a word or params.NAME"),
                        );
                        return None;
                    }
                };
                self.predicate(&name, Claim::Is(op, literal), key).map(Condition::Predicate)
            }
            Ok(Parsed::Within { name, low, high }) => {
                self.predicate(&name, Claim::Within(low, high), key).map(Condition::Predicate)
            }
        }
    }

    /// Resolves a proof: comparisons only.
    fn predicates(&mut self, texts: &[String], key: &'static str) -> Vec<usize> {
        let mut found = Vec::new();
        for text in texts {
            match self.cond(text, key) {
                Some(Condition::Predicate(predicate)) => found.push(predicate),
                Some(_) => self.fault(
                    PlanRule::ExpressionsHold,
                    key,
                    format!("{text:?} proves nothing: a comparison or range is needed"),
                ),
                None => {}
            }
        }
        found
    }

    fn predicate(&mut self, name: &Name, claim: Claim, key: &'static str) -> Option<usize> {
        let Some(fixture) = self.facility.fixture(&name.of) else {
            self.fault(
                PlanRule::NamesKnown,
                key,
                format!("there is no fixture {:?} in facility.toml", name.of),
            );
            return None;
        };
        let reads = &self.facility.fixtures[fixture].reads;
        let Some(read) = reads.iter().position(|read| read.name == name.what) else {
            let known: Vec<&str> = reads.iter().map(|read| read.name.as_str()).collect();
            let message = format!("{} has no reading {:?}; it has: {}", name.of, name.what, known.join(", "));
            self.fault(PlanRule::NamesKnown, key, message);
            return None;
        };
        if let Some(message) = claim.fault(&reads[read]) {
            self.fault(PlanRule::ExpressionsHold, key, message);
            return None;
        }
        Some(self.keep(Predicate { fixture, read, claim }))
    }

    /// Adds a predicate, or returns the position of the same one.
    pub fn keep(&mut self, predicate: Predicate) -> usize {
        self.predicates.iter().position(|known| *known == predicate).unwrap_or_else(|| {
            self.predicates.push(predicate);
            self.predicates.len() - 1
        })
    }

    /// Returns the predicates that report somebody in the room.
    pub fn occupied(&mut self) -> Vec<usize> {
        let room = self.room;
        let is_here = |fixture: &Fixture| fixture.room == room && fixture.kind == Kind::Occupancy;
        self.about("occupied", (Op::Equal, "true"), is_here)
    }

    /// Returns the predicates that report an open door of the room: first its own, then the doors of other
    /// rooms that lead here.
    pub fn opened(&mut self) -> Vec<usize> {
        let (facility, room) = (self.facility, self.room);
        let is_own = |fixture: &Fixture| fixture.room == room && fixture.kind == Kind::Door;
        let leads_here = |fixture: &Fixture| fixture.leads_to(facility, room);
        let own = self.about("contact", (Op::Unequal, "closed"), is_own);
        let more = self.about("contact", (Op::Unequal, "closed"), leads_here);
        let is_new = |predicate: &usize| !own.contains(predicate);
        let more: Vec<usize> = more.into_iter().filter(is_new).collect();
        [own, more].concat()
    }

    /// Adds the same predicate for every fixture that is meant.
    fn about(
        &mut self,
        read: &str,
        (op, word): (Op, &str),
        is_meant: impl Fn(&Fixture) -> bool,
    ) -> Vec<usize> {
        let facility = self.facility;
        let fixtures = facility.fixtures.iter().enumerate();
        let found: Vec<Predicate> = fixtures
            .filter(|(_, fixture)| is_meant(fixture))
            .filter_map(|(index, fixture)| {
                let read = fixture.reads.iter().position(|found| found.name == read)?;
                let claim = Claim::Is(op, Literal::Word(word.to_owned()));
                Some(Predicate { fixture: index, read, claim })
            })
            .collect();
        found.into_iter().map(|predicate| self.keep(predicate)).collect()
    }

    /// Returns every safe state in the room, proven by the reading of the same name.
    pub fn safe(&mut self) -> Vec<Safe> {
        let (facility, room) = (self.facility, self.room);
        let mut all = Vec::new();
        for (index, fixture) in facility.fixtures.iter().enumerate().filter(|(_, f)| f.room == room) {
            for output in fixture.sets.iter().filter(|_| fixture.kind.is_movable()) {
                let Some(safe) = &output.safe else { continue };
                let literal = safe_literal(safe);
                let Some(setting) = self.setting(index, &output.name, &literal, "device") else { continue };
                let read = fixture.reads.iter().position(|read| read.name == output.name);
                let claim = Claim::Is(Op::Equal, literal);
                let proof = read.map(|read| self.keep(Predicate { fixture: index, read, claim }));
                all.push(Safe { setting, proof, touches: Vec::new() });
            }
        }
        all
    }

    fn contents(&mut self, word: &str, key: &'static str) -> Option<Contents> {
        let found = serde_json::from_value(serde_json::Value::String(word.to_owned())).ok();
        if found.is_none() {
            let known = "hot_food, chilled, frozen, dry, medical, hazard";
            self.fault(
                PlanRule::NamesKnown,
                key,
                format!("{word:?} is not something a room holds; known are: {known}"),
            );
        }
        found
    }
}

/// Returns a safe state as written in the facility.
fn safe_literal(text: &str) -> Literal {
    text.parse().map_or_else(|_| Literal::Word(text.to_owned()), Literal::Number)
}

impl crate::facility::Read {
    /// Returns whether its values are words.
    pub fn speaks_words(&self) -> bool {
        !self.words.is_empty() && matches!(self.from, ReadSource::Point(_))
    }
}
