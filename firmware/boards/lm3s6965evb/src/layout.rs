//! Where everything lies: beginning and length. Read by the program, and by build.rs
//! for the linker.

/// The program.
pub const FLASH: (u32, u32) = (0x0000_0000, 0x0004_0000);
/// Memory that the program may use.
pub const RAM: (u32, u32) = (0x2000_0000, 0xF000);
/// Memory that a reset leaves alone: the note, then the node's log and counters.
pub const KEPT: (u32, u32) = (0x2000_F000, 0x1000);
