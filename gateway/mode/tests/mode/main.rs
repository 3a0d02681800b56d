//! The mode switch: the function that the gateway runs, looked at in every state it can be in.

mod beside;
mod building;
mod explore;
mod harm;
mod holds;
mod model;
mod moves;
mod orders;
mod plan_rules;
mod plans;
mod rooms;
mod schedules;
mod wing;
mod world;
