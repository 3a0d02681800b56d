//! Where everything lies: beginning and length. Read by the program, and by build.rs
//! for the linker.
//! The chip's sectors are 4 × 16 KB, 64 KB, 7 × 128 KB.

/// The bootloader: sectors 0 to 2.
pub const BOOT: (u32, u32) = (0x0800_0000, 0xC000);
/// embassy-boot's state: sector 3.
pub const STATE: (u32, u32) = (0x0800_C000, 0x4000);
/// The anti-rollback counter: sector 4.
pub const COUNTER: (u32, u32) = (0x0801_0000, 0x1_0000);
/// The image that runs, its header first: sector 5.
pub const ACTIVE: (u32, u32) = (0x0802_0000, 0x2_0000);
/// The other image: sectors 6 and 7, one more than the first, for the swap.
pub const OTHER: (u32, u32) = (0x0804_0000, 0x4_0000);
/// Memory that the programs may use.
pub const RAM: (u32, u32) = (0x2000_0000, 0x1_F000);
/// Memory that a reset leaves alone: the note, then the node's log and counters.
pub const KEPT: (u32, u32) = (0x2001_F000, 0x1000);
