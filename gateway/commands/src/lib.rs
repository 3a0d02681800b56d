//! The one way of every command to an output: its queues, who may ask, the route to its line, the journal, the
//! answer. Whoever commands, a service or a person, has nothing but a queue.

pub mod answer;
#[cfg(test)]
mod golden;
pub mod outputs;
pub mod queue;
pub mod refusal_budget;
pub mod routes;
pub mod service;
