//! Configurations as files: one program, a module for each file.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod aliases;
mod certificate_alarms;
mod golden;
mod map;
mod report_profile;
mod site_profiles;
mod wrong_configurations;
mod zones;
