//! The Modbus data model: tables, addresses, and what is read and written.

/// The four Modbus tables (Modbus Application Protocol V1.1b3, section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Read-write bits: FC 1, 5, 15.
    Coil,
    /// Read-only bits: FC 2.
    DiscreteInput,
    /// Read-only 16-bit words: FC 4.
    InputRegister,
    /// Read-write 16-bit words: FC 3, 6, 16.
    HoldingRegister,
}

// === impl Table ===

impl Table {
    /// Its name in the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coil => "coil",
            Self::DiscreteInput => "discrete input",
            Self::InputRegister => "input register",
            Self::HoldingRegister => "holding register",
        }
    }
}

/// Consecutive addresses of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which table.
    pub table: Table,
    /// First address, zero-based as on the wire.
    pub start: u16,
    /// How many; at least one.
    pub count: u16,
}

/// What a read of a span gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Coils and discrete inputs, exactly `count` of them.
    Bits(Vec<bool>),
    /// Registers, exactly `count` of them.
    Registers(Vec<u16>),
}

/// A request that changes the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// FC 5.
    Coil {
        /// Zero-based address.
        address: u16,
        /// On or off.
        on: bool,
    },
    /// FC 6.
    Register {
        /// Zero-based address.
        address: u16,
        /// The word.
        word: u16,
    },
    /// FC 15.
    Coils {
        /// First address.
        address: u16,
        /// The bits.
        bits: Vec<bool>,
    },
    /// FC 16.
    Registers {
        /// First address.
        address: u16,
        /// The words.
        words: Vec<u16>,
    },
}
