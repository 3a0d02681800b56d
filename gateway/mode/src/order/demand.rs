//! The requirements on an order, each by its name, so that the model checker can omit one and
//! show the consequence. The gateway makes all of them.

/// A requirement on an order, or on what it touches.
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
    /// The keys are valid now.
    ValidKey,
    /// The keys are not revoked.
    NotRevoked,
    /// An accepted order is not accepted again, and no two orders share a number.
    OnceOnly,
    /// No id is used by two orders, and none belongs to those that this centre makes itself.
    OwnId,
    /// Its number is higher than that of every earlier order of its authority and class.
    Rising,
    /// Its number is not far above.
    Window,
    /// Where earlier numbers were lost, two people on the spot confirm its code.
    KnownNumbers,
    /// Its validity has begun.
    NotEarly,
    /// It has not expired.
    NotExpired,
    /// It was not signed long ago, or in the future.
    Recent,
    /// A local order is valid for one hour at most.
    LocalIsShort,
    /// Without a trusted clock, two people on the spot confirm its code.
    TrustedClock,
    /// What confirms is two different people, and the code is that of the order.
    TwoConfirm,
    /// It touches runs of its class only; an Actual order to enter ends a drill.
    SameClass,
    /// It touches runs of its authority or a lower one.
    OwnAuthority,
    /// It amends and cancels only what it names.
    Named,
}

/// A set of requirements. The gateway makes all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demands(u32);

// === impl Demand ===

impl Demand {
    /// Every requirement.
    pub const EACH: [Self; 22] = [
        Self::Target,
        Self::Signature,
        Self::Quorum,
        Self::Person,
        Self::Role,
        Self::Class,
        Self::ValidKey,
        Self::NotRevoked,
        Self::OnceOnly,
        Self::OwnId,
        Self::Rising,
        Self::Window,
        Self::KnownNumbers,
        Self::NotEarly,
        Self::NotExpired,
        Self::Recent,
        Self::LocalIsShort,
        Self::TrustedClock,
        Self::TwoConfirm,
        Self::SameClass,
        Self::OwnAuthority,
        Self::Named,
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
