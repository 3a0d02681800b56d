//! A peripheral's register. Chips without a good crate of their own are driven by these.

/// A 32-bit register.
#[derive(Debug, Clone, Copy)]
pub struct Register(usize);

// === impl Register ===

impl Register {
    /// The register at an address.
    ///
    /// # Safety
    /// The address is that of a register, or of a word that nobody else holds a reference to; reading
    /// and writing it breaks nothing that the compiler relies on.
    #[must_use]
    pub const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    /// Reads it.
    #[must_use]
    pub fn read(self) -> u32 {
        // SAFETY: promised by whoever made it.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    /// Writes it.
    pub fn write(self, value: u32) {
        // SAFETY: promised by whoever made it.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }

    /// Sets bits.
    pub fn set(self, bits: u32) {
        self.write(self.read() | bits);
    }

    /// Clears bits.
    pub fn clear(self, bits: u32) {
        self.write(self.read() & !bits);
    }

    /// Whether any of these bits is set.
    #[must_use]
    pub fn has(self, bits: u32) -> bool {
        self.read() & bits != 0
    }
}
