//! What the record says of one order.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use linli_domain::audit::{Chain, Head, unhex};
use linli_domain::{Id, Timestamp};
use linli_mode::order::{Envelope, Kind};
use linli_mode::{ActionResult, Class, Direction, Effect, Event, Stage, Timer};

use linli_mode::Planned;
use linli_mode::record::{ModeEntry, ModeEvent, StepChange};

/// An order and what became of it.
#[derive(Debug)]
pub struct Switch {
    /// The order.
    pub order: String,
    /// Whether it was meant.
    pub class: Class,
    /// What was to be done.
    pub kind: Kind,
    /// What it was about.
    pub mode: String,
    /// The document it rested on.
    pub reference: Option<String>,
    /// When it was signed.
    pub sent: Timestamp,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Who signed.
    pub signers: Vec<Id>,
    /// What stands for the record that this was read from.
    pub head: Head,
    /// The rooms.
    pub rooms: Vec<RoomTold>,
    /// Findings: who found it, what, who mends it, until when.
    pub findings: Vec<[String; 4]>,
}

/// A room's part.
#[derive(Debug)]
pub struct RoomTold {
    /// The room.
    pub room: Id,
    /// The plan, `id@version`.
    pub plan: String,
    /// Where it led.
    pub direction: Direction,
    /// What was planned; none when the record does not have the plan.
    pub planned: Option<Planned>,
    /// When the order began there.
    pub ordered: Timestamp,
    /// When it was committed.
    pub committed: Option<Timestamp>,
    /// When each stage was reached first.
    pub stages: BTreeMap<Stage, Timestamp>,
    /// Where it is, or was when another order came.
    pub last: Stage,
    /// Steps, by their position in the plan.
    pub steps: BTreeMap<String, StepTold>,
    /// What happened besides.
    pub told: Vec<Told>,
    /// Since when it is held, and why.
    held: Option<(Timestamp, String)>,
}

/// A step's part.
#[derive(Debug, Default)]
pub struct StepTold {
    /// When its turn came.
    pub began: Option<Timestamp>,
    /// When it was settled last.
    pub ended: Option<Timestamp>,
    /// How many times it was walked.
    pub walks: u32,
    /// What it is.
    pub state: String,
    /// By which way that is known.
    pub channel: Option<&'static str>,
    /// Who did it.
    pub done_by: BTreeSet<Id>,
}

/// Something that happened besides the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Somebody higher heard of a step.
    Escalated {
        /// When.
        at: Timestamp,
        /// The step.
        step: String,
        /// Who.
        role: String,
    },
    /// A guard said no.
    Guard {
        /// When.
        at: Timestamp,
        /// The step, or what was asked.
        step: String,
        /// Why.
        why: String,
    },
    /// A device did not do, or was not read to have done, what was asked.
    Device {
        /// When.
        at: Timestamp,
        /// The step.
        step: String,
        /// What happened.
        what: &'static str,
    },
    /// It was held.
    Held {
        /// When.
        at: Timestamp,
        /// Until when; none when it still was.
        until: Option<Timestamp>,
        /// Why.
        cause: String,
        /// Who let it go on, and why.
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

/// Walks through a record.
struct Reader<'o> {
    order: &'o str,
    /// Reads the schedule of a plan from its file's text.
    schedule: &'o dyn Fn(&str) -> Option<Planned>,
    plans: BTreeMap<String, String>,
    /// Per room, whether the order in question is the one it follows.
    follows: BTreeSet<Id>,
    found: Option<Switch>,
}

/// Every accepted order: its id and class, oldest first.
pub fn orders(record: &str) -> anyhow::Result<Vec<(String, Class)>> {
    let mut all = Vec::new();
    for line in record.lines() {
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

fn opened(hex: &str) -> anyhow::Result<Envelope> {
    Ok(Envelope::read(&unhex(hex).context("the order is not written in hexadecimal digits")?)?)
}

// === impl Switch ===

impl Switch {
    /// What a record says of an order. A record that was changed says nothing. `schedule` reads the
    /// schedule of a plan from its file's text.
    pub fn read(
        record: &str,
        order: &str,
        schedule: &dyn Fn(&str) -> Option<Planned>,
    ) -> anyhow::Result<Self> {
        let mut reader =
            Reader { order, schedule, plans: BTreeMap::new(), follows: BTreeSet::new(), found: None };
        let mut chain = Chain::default();
        for (index, text) in record.lines().enumerate() {
            chain.follow(text)?;
            let line: ModeEntry = serde_json::from_str(text)
                .with_context(|| format!("line {} is no line of a mode record", index + 1))?;
            reader.line(line)?;
        }
        let mut switch =
            reader.found.with_context(|| format!("the record has no accepted order {order:?}"))?;
        switch.head = chain.head();
        switch.rooms.iter_mut().for_each(RoomTold::close);
        Ok(switch)
    }

    /// Whether it was a drill.
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
            ModeEvent::Order { result, order: Some(id), signers, envelope: Some(envelope), .. }
                if result == "accepted" && id == self.order =>
            {
                let order = opened(&envelope)?.order;
                self.found = Some(Switch {
                    order: id,
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
                });
            }
            ModeEvent::Step { room, plan, event, by, from, to, effects, steps, .. } => {
                if let Event::Order(order) = &event {
                    self.turn(&room, &plan, order.direction, &order.id, at);
                }
                if let Some(told) = self.room(&room) {
                    told.step(at, &event, by.as_deref(), (from, to), &effects, steps);
                }
            }
            ModeEvent::Refused { room, event, by, why } => {
                if let Some(told) = self.room(&room) {
                    let who = by.unwrap_or_default();
                    told.told.push(Told::Guard { at, step: format!("{} {who}", asked(&event)), why });
                }
            }
            ModeEvent::Alternate { room, plan, order, by, why } if order == self.order => {
                if let Some(told) = self.room(&room) {
                    let what = format!("改用 {plan}：{why}（{by}）");
                    told.told.push(Told::Decided { at, what });
                }
            }
            ModeEvent::Finding { order, by, owner, due, text } if order == self.order => {
                if let Some(found) = &mut self.found {
                    found.findings.push([by.to_string(), text, owner, due]);
                }
            }
            ModeEvent::Started { .. } => {
                for told in self.found.iter_mut().flat_map(|found| &mut found.rooms) {
                    if self.follows.contains(&told.room) {
                        let what = "网关重新启动，人工证据作废并重走 restarted: walked again".to_owned();
                        told.told.push(Told::Decided { at, what });
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A room begins to follow an order; it may be another one.
    fn turn(&mut self, room: &Id, plan: &str, direction: Direction, order: &str, at: Timestamp) {
        if order != self.order {
            self.follows.remove(room);
            return;
        }
        self.follows.insert(room.clone());
        let planned = self.plans.get(plan).and_then(|text| (self.schedule)(text));
        let Some(found) = &mut self.found else { return };
        found.rooms.retain(|told| told.room != *room);
        found.rooms.push(RoomTold {
            room: room.clone(),
            plan: plan.to_owned(),
            direction,
            planned,
            ordered: at,
            committed: None,
            stages: BTreeMap::new(),
            last: Stage::Preview,
            steps: BTreeMap::new(),
            told: Vec::new(),
            held: None,
        });
    }

    fn room(&mut self, room: &Id) -> Option<&mut RoomTold> {
        let follows = self.follows.contains(room);
        let rooms = &mut self.found.as_mut()?.rooms;
        rooms.iter_mut().find(|told| told.room == *room).filter(|_| follows)
    }
}

/// What a person asked.
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

// === impl RoomTold ===

impl RoomTold {
    /// The id of a step by its position.
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
            self.told.push(Told::Held { at, until, cause, resumed });
        }
    }

    fn close(&mut self) {
        self.release(None, String::new());
    }

    fn moved(&mut self, at: Timestamp, moved: StepChange) {
        let step = self.steps.entry(moved.step.to_string()).or_default();
        match moved.state.as_str() {
            // Walked again from the first step: what it came to before stands until it is done anew.
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
            let told = match effect {
                Effect::Escalate { step, role } => {
                    Told::Escalated { at, step: self.id(*step), role: role.clone() }
                }
                Effect::GuardRefused(step) => Told::Guard {
                    at,
                    step: self.id(*step),
                    why: "守卫条件不成立 the guard did not hold".to_owned(),
                },
                Effect::Act { step, attempt, .. } if *attempt > 1 => {
                    Told::Device { at, step: self.id(*step), what: "重试 tried again" }
                }
                _ => continue,
            };
            self.told.push(told);
        }
    }

    fn event(&mut self, at: Timestamp, event: &Event) {
        let told = match event {
            Event::Acted { step, acted: ActionResult::Failed, .. } => {
                Told::Device { at, step: self.id(*step), what: "无应答或拒绝 no answer, or refused" }
            }
            Event::Elapsed(Timer::Verify(step)) => {
                Told::Device { at, step: self.id(*step), what: "时限内未证实 not proven in time" }
            }
            Event::Cannot { step, who, why } => Told::Decided {
                at,
                what: format!("{} 报告无法完成 cannot {}：{why}", who.id, self.id(*step)),
            },
            Event::Simulate { step, who } => {
                Told::Decided { at, what: format!("{} 模拟完成 simulated {}", who.id, self.id(*step)) }
            }
            Event::Waive { step, who, why, span } => {
                let minutes = span.as_secs() / 60;
                Told::Decided {
                    at,
                    what: format!("{} 豁免 waives {}（{minutes} min）：{why}", who.id, self.id(*step)),
                }
            }
            Event::Retry { step, who } => {
                Told::Decided { at, what: format!("{} 重试 retries {}", who.id, self.id(*step)) }
            }
            Event::Reject { who, why } => {
                Told::Decided { at, what: format!("{} 不予验收 rejects：{why}", who.id) }
            }
            Event::Commit { who } => Told::Decided { at, what: format!("{} 开始 commits", who.id) },
            _ => return,
        };
        self.told.push(told);
    }
}

/// Why it was held.
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
