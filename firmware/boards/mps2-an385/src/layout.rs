//! Where everything lies: beginning and length. Read by the program, and by build.rs
//! for the linker.

/// The bootloader: the emulator loads it here.
pub const BOOT: (u32, u32) = (0x0000_0000, 0x0001_0000);
/// embassy-boot's state: one page.
pub const STATE: (u32, u32) = (0x2100_0000, 0x1000);
/// The anti-rollback counter: one page.
pub const COUNTER: (u32, u32) = (0x2100_1000, 0x1000);
/// The configuration: two pages, written in turn.
pub const CONFIG: (u32, u32) = (0x2100_4000, 0x2000);
/// The image that runs: its header, then its vector table.
pub const ACTIVE: (u32, u32) = (0x2101_0000, 0x2_0000);
/// The other image: one page more than the first, for the swap.
pub const OTHER: (u32, u32) = (0x2104_0000, 0x2_1000);
/// Memory that the programs may use.
pub const RAM: (u32, u32) = (0x2000_0000, 0xF000);
/// Memory that a reset leaves alone: the note, then the node's log and counters.
pub const KEPT: (u32, u32) = (0x2000_F000, 0x1000);
