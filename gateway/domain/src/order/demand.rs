//! What is demanded of an order, each by its name, so that the model checker can leave one out and
//! show what it is good for. The gateway makes all of them.

/// A demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Demand {
    /// It names the centre.
    Target,
    /// Every signature by a known key holds.
    Signature,
    /// As many people as the centre says have signed.
    Quorum,
    /// Two keys of one person are one person.
    Person,
    /// They have a role that may order.
    Role,
    /// Their keys are of its class.
    Class,
    /// Their keys were valid when it was sent.
    ValidKey,
    /// What was accepted is not accepted again, and two orders never have one number.
    OnceOnly,
    /// Its number is above that of every order before.
    Rising,
    /// Its time has come.
    NotEarly,
    /// Its time is not over.
    NotExpired,
    /// People on the spot order for an hour.
    LocalIsShort,
    /// Without a clock that can be trusted, a person compares its code.
    TrustedClock,
}

/// Which demands are made. All of them, in the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demands(u32);

// === impl Demand ===

impl Demand {
    /// All of them.
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
    /// All are made.
    pub const ALL: Self = Self(0);

    /// These are not.
    #[must_use]
    pub fn without(left_out: &[Demand]) -> Self {
        Self(left_out.iter().fold(0, |bits, demand| bits | 1 << (*demand as u8)))
    }

    /// Whether a demand is made.
    #[must_use]
    pub const fn make(self, demand: Demand) -> bool {
        self.0 & (1 << (demand as u8)) == 0
    }
}
