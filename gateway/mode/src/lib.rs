//! Switches rooms between normal operation and an emergency role.
//!
//! A **plan** lists the **steps** of a switch: what people do and what devices do, each with its
//! evidence. An **order** starts it. [`step()`] is the state machine of a room: a pure function from a
//! state and an event to the next state and its effects. The same function runs in the gateway, under
//! the model checker, and in replay. Unknown never counts as good: a room is not vacant, a door not
//! closed, a mode not reached, until evidence proves it.

pub mod advice;
pub mod cap;
mod centre;
mod check;
pub mod checkpoint;
mod event;
mod exits;
mod expression;
pub mod facility;
mod fold;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_plans;
#[cfg(test)]
mod golden_values;
mod hazards;
mod identity;
mod kept_plan;
pub mod labels;
mod left_out;
pub mod order;
mod path;
mod plan;
mod plan_resolver;
mod plan_rule;
mod planned;
mod policy;
mod predicate;
pub mod record;
mod replay;
mod resolve;
mod resolved_plan;
mod safety_rule;
mod state;
mod step;
mod truth;
mod vacancy;

pub use centre::{air_conflict, flows, run_flows};
pub use event::{ActionPhase, ActionResult, Actor, Effect, Event, OrderRef, Refused, Timer};
pub use exits::{check as check_exits, closed_rooms};
pub use expression::{Literal, Name, Op, Parsed, Side};
pub use fold::{Fold, fold};
pub use kept_plan::{Grafted, KeptPlan, KeptRoom};
pub use left_out::{LeftOut, is_mere_reading};
pub use path::{Forecast, forecast};
pub use plan::{
    Channel, Class, Compensate, Direction, Drill, HumanTask, OnFail, Plan, Pressure, Retry, Step, Verify,
    VoidOn, Work,
};
pub use plan_rule::PlanRule;
pub use planned::{Planned, PlannedStep};
pub use policy::{InForce, Notice, Policy, Reading, Ruling, Standing, bracketed, holds, unbracketed};
pub use predicate::{Claim, Predicate, Readings};
pub use replay::{ReplayMismatch, replay, replay_readings};
pub use resolved_plan::{Action, Condition, Fault, ResolvedPlan, ResolvedStep, Safe, Setting};
pub use safety_rule::{SafetyRule, SafetyRules};
pub use state::{Cause, Fire, Phase, Run, Silent, Stage, State, StepState, Waiver};
pub use step::{step, step_under};
pub use truth::Truth;
