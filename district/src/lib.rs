//! The district: one program that stores what every centre delivers and tells each what is stored.
//!
//! It keeps nothing itself. Any number of copies share the messages of a [`source`]; each [`consumer`] commits a batch in
//! one transaction of PostgreSQL ([`store`]), acknowledges it to the broker afterwards, and names the committed numbers to
//! the gateways ([`acknowledge`]), which keep every record until then. So no crash of a copy, of the broker or of the
//! database loses a record, whatever the broker promised.

pub mod accounts;
pub mod acknowledge;
pub mod address;
pub mod api;
pub mod authority;
pub mod broker_files;
pub mod certificates;
pub mod cli;
pub mod config;
pub mod consumer;
pub mod database;
pub mod enrolment;
mod enrolment_config;
pub mod metrics;
pub mod migrate;
pub mod monthly;
pub mod names;
pub mod nats_rules;
pub mod orders;
pub mod outlines;
pub mod service;
pub mod source;
pub mod store;
pub mod tls;
pub mod upkeep;
pub mod wire;
