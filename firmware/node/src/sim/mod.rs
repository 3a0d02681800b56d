//! The same node on a host, in a world that is made up.
//!
//! The demonstration puts a [`SoftwareNode`] behind a pseudo-terminal; the tests put it through
//! power cuts and years of virtual time. Nothing of the node is replaced: only its bus, its pins,
//! its memories and its bootloader are made of memory here.

mod bench;
mod bootloader;
mod crypto;
mod flash;
mod world;

pub use bench::{Options, SimBoard, SoftwareNode};
pub use bootloader::{Disk, SLOT};
pub use crypto::{Keys, Sha, image, key_id, public};
pub use flash::{Eeprom, Flash, Lost, Power};
pub use world::World;
