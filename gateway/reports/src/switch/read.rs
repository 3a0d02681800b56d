//! Reads from the record of the mode service what became of one order.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use linli_domain::audit::{Base, Chain, Head, unhex};
use linli_domain::caller::Acting;
use linli_domain::{Id, Timestamp};
use linli_mode::order::{Envelope, Kind};
use linli_mode::{ActionResult, Class, Direction, Effect, Event, Stage, Timer};

use linli_mode::Planned;
use linli_mode::record::{ModeEntry, ModeEvent, StepChange};

/// An order, and what happened in each room because of it.
#[derive(Debug)]
pub struct Switch {
    /// Its id.
    pub order: String,
    /// Real order or drill.
    pub class: Class,
    /// Enter, return, amend, cancel or stand down.
    pub kind: Kind,
    /// The mode that was ordered.
    pub mode: String,
    /// Number of the document that the order is based on.
    pub reference: Option<String>,
    /// Time of signing.
    pub sent: Timestamp,
    /// Time at which the gateway accepted it.
    pub accepted: Timestamp,
    /// The people who signed it.
    pub signers: Vec<Id>,
    /// Length and last hash of the record that this was read from.
    pub head: Head,
    /// One report per room that the order concerned.
    pub rooms: Vec<RoomReport>,
    /// Findings: finder, text, owner, due date.
    pub findings: Vec<[String; 4]>,
    /// Who acted under the order: the person, if one was named, and the account; `None` where the record does not say
    /// how they logged in.
    pub people: BTreeSet<(Option<Id>, Option<Acting>)>,
}

/// What an order did in one room.
#[derive(Debug)]
pub struct RoomReport {
    /// Id of the room.
    pub room: Id,
    /// The plan, `id@version`.
    pub plan: String,
    /// To the emergency use, or back.
    pub direction: Direction,
    /// The schedule of the plan; `None` when the record does not contain the plan.
    pub planned: Option<Planned>,
    /// When the room began to follow the order.
    pub ordered: Timestamp,
    /// When the preview was committed.
    pub committed: Option<Timestamp>,
    /// Time at which each stage was first reached.
    pub stages: BTreeMap<Stage, Timestamp>,
    /// Last stage reached under this order.
    pub last: Stage,
    /// Steps by their id.
    pub steps: BTreeMap<String, StepReport>,
    /// Escalations, refusals, device failures, holds and decisions, oldest first.
    pub occurrences: Vec<Occurrence>,
    /// Start and cause of the hold that is not over yet.
    held: Option<(Timestamp, String)>,
}

/// What became of one step.
#[derive(Debug, Default)]
pub struct StepReport {
    /// When it last began.
    pub began: Option<Timestamp>,
    /// When it last ended; `None` while it is under way.
    pub ended: Option<Timestamp>,
    /// How many times it was executed.
    pub walks: u32,
    /// Its last state, as the record names it.
    pub state: String,
    /// How the result was verified: `self`, `independent` or `human`.
    pub channel: Option<&'static str>,
    /// The people who confirmed it.
    pub done_by: BTreeSet<Id>,
}

/// An event that is not the progress of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occurrence {
    /// A step was escalated.
    Escalated {
        /// When.
        at: Timestamp,
        /// The step.
        step: String,
        /// The role that was notified.
        role: String,
    },
    /// A guard refused a step or a request.
    Guard {
        /// When.
        at: Timestamp,
        /// The step, or the request and its sender.
        step: String,
        /// Why.
        why: String,
    },
    /// A device failed to act, or its state could not be verified.
    Device {
        /// When.
        at: Timestamp,
        /// The step.
        step: String,
        /// What happened.
        what: &'static str,
    },
    /// The room was held.
    Held {
        /// When.
        at: Timestamp,
        /// End of the hold; `None` while it lasts.
        until: Option<Timestamp>,
        /// Why.
        cause: String,
        /// Who resumed, and why.
        resumed: String,
    },
    /// A person decided something.
    Decided {
        /// When.
        at: Timestamp,
        /// What.
        what: String,
    },
}

/// Reads a record line by line.
struct Reader<'o> {
    order: &'o str,
    /// Reads the schedule of a plan from its file's text.
    schedule: &'o dyn Fn(&str) -> Option<Planned>,
    plans: BTreeMap<String, String>,
    /// Rooms that follow the order in question at the present line.
    follows: BTreeSet<Id>,
    found: Option<Switch>,
    /// Who acted under the order; those who confirmed its code did so before it was accepted.
    people: BTreeSet<(Option<Id>, Option<Acting>)>,
}

/// Returns id and class of every accepted order, oldest first.
///
/// # Errors
/// When a line is not an entry of a mode record, or an order in it cannot be decoded.
pub fn orders(record: &str) -> anyhow::Result<Vec<(String, Class)>> {
    let mut all = Vec::new();
    for line in record.lines().filter(|line| Base::of_line(line).is_none()) {
        let line: ModeEntry = serde_json::from_str(line).context("is no line of a mode record")?;
        if let ModeEvent::Order { result, envelope: Some(envelope), .. } = line.what
            && result == "accepted"
        {
            let envelope = opened(&envelope)?;
            all.push((envelope.order.id.clone(), envelope.order.class));
        }
    }
    Ok(all)
}

/// The report of an order as it begins: nothing has happened in any room yet.
fn accepted(envelope: &str, signers: Vec<Id>, at: Timestamp) -> anyhow::Result<Switch> {
    let order = opened(envelope)?.order;
    Ok(Switch {
        order: order.id,
        class: order.class,
        kind: order.kind,
        mode: order.mode,
        reference: order.reference,
        sent: order.sent,
        accepted: at,
        signers,
        head: Chain::default().head(),
        rooms: Vec::new(),
        findings: Vec::new(),
        people: BTreeSet::new(),
    })
}

fn opened(hex: &str) -> anyhow::Result<Envelope> {
    Ok(Envelope::read(&unhex(hex).context("the order is not written in hexadecimal digits")?)?)
}

// === impl Switch ===

impl Switch {
    /// Reads an order from a record. `schedule` parses the schedule of a plan from the text of its
    /// file.
    ///
    /// # Errors
    /// When the hash chain of the record is broken, a line cannot be parsed, or the record contains
    /// no accepted order of that id.
    pub fn read(
        record: &str,
        order: &str,
        schedule: &dyn Fn(&str) -> Option<Planned>,
    ) -> anyhow::Result<Self> {
        let mut reader = Reader {
            order,
            schedule,
            plans: BTreeMap::new(),
            follows: BTreeSet::new(),
            found: None,
            people: BTreeSet::new(),
        };
        let mut chain = Chain::default();
        for (index, text) in record.lines().enumerate() {
            chain.follow(text)?;
            if Base::of_line(text).is_some() {
                continue;
            }
            let line: ModeEntry = serde_json::from_str(text)
                .with_context(|| format!("line {} is no line of a mode record", index + 1))?;
            reader.line(line)?;
        }
        let mut switch =
            reader.found.with_context(|| format!("the record has no accepted order {order:?}"))?;
        (switch.head, switch.people) = (chain.head(), reader.people);
        switch.rooms.iter_mut().for_each(RoomReport::close);
        Ok(switch)
    }

    /// Whether no log-in proves that the person acted, at least once.
    #[must_use]
    pub fn is_unverified(&self, person: &Id) -> bool {
        let mut its = self.people.iter().filter(|(id, _)| id.as_ref() == Some(person));
        its.any(|(_, acting)| acting.as_ref().is_none_or(|acting| acting.unverified))
    }

    /// Whether the order was a drill.
    #[must_use]
    pub fn is_drill(&self) -> bool {
        self.class == Class::Exercise
    }
}

// === impl Reader ===

impl Reader<'_> {
    fn line(&mut self, line: ModeEntry) -> anyhow::Result<()> {
        let at = line.at;
        match line.what {
            ModeEvent::Plan { plan, text, .. } => drop(self.plans.insert(plan, text)),
            ModeEvent::Order { result, order: Some(id), acting, .. }
                if result == "quarantined" && id == self.order =>
            {
                self.note(None, acting);
            }
            ModeEvent::Order {
                result,
                order: Some(id),
                signers,
                confirmed_by,
                envelope: Some(envelope),
                acting,
                ..
            } if result == "accepted" && id == self.order => {
                self.note(None, acting);
                self.note_unrecorded(confirmed_by);
                self.found = Some(accepted(&envelope, signers, at)?);
            }
            ModeEvent::Step { room, plan, event, by, from, to, effects, steps, acting, .. } => {
                if let Event::Order(order) = &event {
                    self.turn(&room, &plan, order.direction, &order.id, at);
                }
                if self.follows.contains(&room) {
                    self.note(event.who(), acting);
                }
                if let Some(report) = self.room(&room) {
                    report.step(at, &event, by.as_deref(), (from, to), &effects, steps);
                }
            }
            ModeEvent::Refused { room, event, by, why, acting } => {
                if self.follows.contains(&room) {
                    self.note(event.who(), acting);
                }
                if let Some(report) = self.room(&room) {
                    let who = by.unwrap_or_default();
                    report.occurrences.push(Occurrence::Guard {
                        at,
                        step: format!("{} {who}", asked(&event)),
                        why,
                    });
                }
            }
            ModeEvent::Alternate { room, plan, order, by, why, acting } if order == self.order => {
                self.note(None, acting);
                if let Some(report) = self.room(&room) {
                    let what = format!("改用 {plan}：{why}（{by}）");
                    report.occurrences.push(Occurrence::Decided { at, what });
                }
            }
            ModeEvent::Finding { order, by, owner, due, text, acting } if order == self.order => {
                self.note(Some(&by), acting);
                if let Some(found) = &mut self.found {
                    found.findings.push([by.to_string(), text, owner, due]);
                }
            }
            ModeEvent::Started { .. } => self.restarted(at),
            _ => {}
        }
        Ok(())
    }

    /// The gateway started again while rooms followed this order.
    fn restarted(&mut self, at: Timestamp) {
        for report in self.found.iter_mut().flat_map(|found| &mut found.rooms) {
            if self.follows.contains(&report.room) {
                let what = "网关重新启动，人工证据作废并重走 restarted: walked again".to_owned();
                report.occurrences.push(Occurrence::Decided { at, what });
            }
        }
    }

    /// Begins the report of a room that now follows this order; ends it when it follows another.
    fn turn(&mut self, room: &Id, plan: &str, direction: Direction, order: &str, at: Timestamp) {
        if order != self.order {
            self.follows.remove(room);
            return;
        }
        self.follows.insert(room.clone());
        let planned = self.plans.get(plan).and_then(|text| (self.schedule)(text));
        let Some(found) = &mut self.found else { return };
        found.rooms.retain(|report| report.room != *room);
        found.rooms.push(RoomReport {
            room: room.clone(),
            plan: plan.to_owned(),
            direction,
            planned,
            ordered: at,
            committed: None,
            stages: BTreeMap::new(),
            last: Stage::Preview,
            steps: BTreeMap::new(),
            occurrences: Vec::new(),
            held: None,
        });
    }

    /// Notes who acted under the order: the person of the event, and the account.
    fn note(&mut self, who: Option<&Id>, acting: Option<Acting>) {
        let person = acting.as_ref().and_then(|acting| acting.person.clone()).or_else(|| who.cloned());
        if person.is_some() || acting.is_some() {
            self.people.insert((person, acting));
        }
    }

    /// Notes people of whom an entry of an earlier version has only the names.
    fn note_unrecorded(&mut self, names: Vec<Id>) {
        for name in names {
            if !self.people.iter().any(|(person, _)| person.as_ref() == Some(&name)) {
                self.people.insert((Some(name), None));
            }
        }
    }

    fn room(&mut self, room: &Id) -> Option<&mut RoomReport> {
        let follows = self.follows.contains(room);
        let rooms = &mut self.found.as_mut()?.rooms;
        rooms.iter_mut().find(|report| report.room == *room).filter(|_| follows)
    }
}

/// The verb of a request; empty for events that are not requests.
fn asked(event: &Event) -> &'static str {
    match event {
        Event::Confirm { .. } => "confirm",
        Event::Simulate { .. } => "simulate",
        Event::Cannot { .. } => "cannot",
        Event::Waive { .. } => "waive",
        Event::Retry { .. } => "retry",
        Event::Commit { .. } => "commit",
        Event::Resume { .. } => "resume",
        Event::Reject { .. } => "reject",
        Event::Stop { .. } => "stop",
        _ => "",
    }
}

// === impl RoomReport ===

impl RoomReport {
    /// The id of a step by its position in the plan; `#n` when the plan is unknown.
    fn id(&self, step: usize) -> String {
        let planned = self.planned.as_ref().and_then(|planned| planned.steps.get(step));
        planned.map_or_else(|| format!("#{}", step + 1), |step| step.id.clone())
    }

    fn step(
        &mut self,
        at: Timestamp,
        event: &Event,
        by: Option<&str>,
        (from, to): (Stage, Stage),
        effects: &[Effect],
        moved: Vec<StepChange>,
    ) {
        self.last = to;
        self.stages.entry(to).or_insert(at);
        if from == Stage::Preview && to != Stage::Preview && to != Stage::Peace {
            self.committed.get_or_insert(at);
        }
        for moved in moved {
            self.moved(at, moved);
        }
        self.effects(at, effects);
        self.event(at, event);
        if to == Stage::Held && from != Stage::Held {
            self.held = Some((at, cause(event, by, effects)));
        }
        if from == Stage::Held && to != Stage::Held {
            let resumed = match event {
                Event::Resume { who, why } => format!("{}：{why}", who.id),
                Event::Order(order) => format!("指令 {}", order.id),
                _ => String::new(),
            };
            self.release(Some(at), resumed);
        }
    }

    fn release(&mut self, until: Option<Timestamp>, resumed: String) {
        if let Some((at, cause)) = self.held.take() {
            self.occurrences.push(Occurrence::Held { at, until, cause, resumed });
        }
    }

    fn close(&mut self) {
        self.release(None, String::new());
    }

    fn moved(&mut self, at: Timestamp, moved: StepChange) {
        let step = self.steps.entry(moved.step.to_string()).or_default();
        match moved.state.as_str() {
            // The plan restarts: the previous result stays valid until the step ends again.
            "pending" => return,
            "asked" | "blocked" | "sent" | "intent" if step.began.is_none() || step.ended.is_some() => {
                (step.began, step.ended) = (Some(at), None);
                step.walks += 1;
            }
            "verified" | "already_ok" | "waived" | "simulated" | "skipped" | "failed" | "stuck" => {
                if step.began.is_none() || step.ended.is_some() {
                    step.began = Some(at);
                    step.walks += 1;
                }
                step.ended = Some(at);
            }
            _ => {}
        }
        step.state = moved.state;
        step.channel = moved.channel.map(|channel| match channel {
            linli_mode::Channel::Itself => "self",
            linli_mode::Channel::Independent => "independent",
            linli_mode::Channel::Human => "human",
        });
        step.done_by = moved.done_by;
        step.done_by.extend(moved.by);
    }

    fn effects(&mut self, at: Timestamp, effects: &[Effect]) {
        for effect in effects {
            let occurrence = match effect {
                Effect::Escalate { step, role } => {
                    Occurrence::Escalated { at, step: self.id(*step), role: role.clone() }
                }
                Effect::GuardRefused(step) => Occurrence::Guard {
                    at,
                    step: self.id(*step),
                    why: "守卫条件不成立 the guard did not hold".to_owned(),
                },
                Effect::Act { step, attempt, .. } if *attempt > 1 => {
                    Occurrence::Device { at, step: self.id(*step), what: "重试 tried again" }
                }
                _ => continue,
            };
            self.occurrences.push(occurrence);
        }
    }

    fn event(&mut self, at: Timestamp, event: &Event) {
        let occurrence = match event {
            Event::Acted { step, acted: ActionResult::Failed, .. } => {
                Occurrence::Device {
                    at, step: self.id(*step), what: "无应答或拒绝 no answer, or refused"
                }
            }
            Event::Elapsed(Timer::Verify(step)) => {
                Occurrence::Device { at, step: self.id(*step), what: "时限内未证实 not proven in time" }
            }
            Event::Cannot { step, who, why } => Occurrence::Decided {
                at,
                what: format!("{} 报告无法完成 cannot {}：{why}", who.id, self.id(*step)),
            },
            Event::Simulate { step, who } => Occurrence::Decided {
                at,
                what: format!("{} 模拟完成 simulated {}", who.id, self.id(*step)),
            },
            Event::Waive { step, who, why, span, .. } => {
                let minutes = span.as_secs() / 60;
                Occurrence::Decided {
                    at,
                    what: format!("{} 豁免 waives {}（{minutes} min）：{why}", who.id, self.id(*step)),
                }
            }
            Event::Retry { step, who } => {
                Occurrence::Decided { at, what: format!("{} 重试 retries {}", who.id, self.id(*step)) }
            }
            Event::Reject { who, why } => {
                Occurrence::Decided { at, what: format!("{} 不予验收 rejects：{why}", who.id) }
            }
            Event::Commit { who } => Occurrence::Decided { at, what: format!("{} 开始 commits", who.id) },
            _ => return,
        };
        self.occurrences.push(occurrence);
    }
}

/// The cause of a hold.
fn cause(event: &Event, by: Option<&str>, effects: &[Effect]) -> String {
    match event {
        Event::Fire(_) => "消防 fire".to_owned(),
        Event::Stop { by: who } => format!("停止 stop：{}", by.unwrap_or(who)),
        Event::Cancel { by } => format!("撤销 cancelled：{by}"),
        _ if effects.iter().any(|effect| matches!(effect, Effect::GuardRefused(_))) => {
            "守卫 guard".to_owned()
        }
        _ => "步骤失败 a step failed".to_owned(),
    }
}
