//! The requirements on an order, each by its name, so that the model checker can omit one and
//! show the consequence. The gateway makes all of them.

/// A requirement on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Demand {
    /// It names the centre.
    Target,
    /// Every signature by a known key is valid.
    Signature,
    /// The quorum of the centre has signed.
    Quorum,
    /// Two keys of one person count once.
    Person,
    /// The signers have a role that may order.
    Role,
    /// The keys are of the class of the order.
    Class,
    /// The keys were valid when it was sent.
    ValidKey,
    /// An accepted order is not accepted again, and no two orders share a number.
    OnceOnly,
    /// Its number is higher than that of every earlier order.
    Rising,
    /// Its validity has begun.
    NotEarly,
    /// It has not expired.
    NotExpired,
    /// A local order is valid for one hour at most.
    LocalIsShort,
    /// Without a synchronised clock, a person compares its code.
    TrustedClock,
}

/// A set of requirements. The gateway makes all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demands(u32);

// === impl Demand ===

impl Demand {
    /// Every requirement.
    pub const EACH: [Self; 13] = [
        Self::Target,
        Self::Signature,
        Self::Quorum,
        Self::Person,
        Self::Role,
        Self::Class,
        Self::ValidKey,
        Self::OnceOnly,
        Self::Rising,
        Self::NotEarly,
        Self::NotExpired,
        Self::LocalIsShort,
        Self::TrustedClock,
    ];
}

// === impl Demands ===

impl Demands {
    /// The set of all requirements.
    pub const ALL: Self = Self(0);

    /// Returns all requirements but these.
    #[must_use]
    pub fn without(left_out: &[Demand]) -> Self {
        Self(left_out.iter().fold(0, |bits, demand| bits | 1 << (*demand as u8)))
    }

    /// Whether the set contains a requirement.
    #[must_use]
    pub const fn make(self, demand: Demand) -> bool {
        self.0 & (1 << (demand as u8)) == 0
    }
}
