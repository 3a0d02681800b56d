//! What every board shares. A board's own folder has only what its chip makes different.

#![no_std]

pub mod boot;
pub mod fixed;
pub mod frames;
pub mod key;
pub mod nor;
pub mod note;
pub mod register;
pub mod run;
pub mod serial;
pub mod stack;
pub mod twowire;
pub mod vectors;
