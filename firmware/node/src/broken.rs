//! The error of memories: of the configuration and of the bootloader's marks.

/// A memory could not be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;
