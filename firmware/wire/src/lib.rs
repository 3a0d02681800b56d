//! What a node and the gateway say to each other.
//!
//! A node is a Modbus RTU server. Everything both sides must agree on stands here once: the
//! register map, the kinds of nodes and their points, the configuration, the protocol of an
//! update, the signed image. The firmware, its bootloader, the gateway and the documentation
//! (`docs/protocols/node-registers.md`) are all made from these tables.
//!
//! Numbers wider than a register travel with the high word first; bytes fill a register from its
//! high half. What has once been on a wire never changes its meaning: `tests/versions/` holds the
//! bytes of every version.
#![no_std]

#[macro_use]
mod code;
pub mod board;
pub mod clock;
pub mod config;
pub mod crc;
pub mod field;
pub mod health;
pub mod identity;
pub mod image;
pub mod kind;
pub mod log;
pub mod map;
pub mod point;
pub mod quality;
pub mod selftest;
pub mod update;
pub mod version;

/// The version of the register map that this crate describes.
///
/// It rises when a reader of the old map would misread the new one. New registers in gaps, new
/// codes and new kinds do not raise it: a reader ignores what it does not know.
pub const MAP_VERSION: u16 = 1;
