//! The laws of the switch, each named, so that the model checker can break them one by one and
//! show what each is good for. The gateway keeps them all.

/// A law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SafetyRule {
    /// `vacant(n)` takes n evidences.
    Evidences,
    /// A sensor that says nothing says nothing.
    UnknownIsNotVacant,
    /// A sweep is worth nothing once a door opened or somebody was seen.
    SweepIsVoided,
    /// After a restart or a hold everything is walked again from the first step.
    Rewalk,
    /// Fire holds the room.
    FireHolds,
    /// A held room stays held until a person says otherwise.
    HoldStays,
    /// Nothing resumes while the fire panel is not normal.
    ResumeWithoutFire,
    /// A device is believed when it is read back, not when it says yes.
    ReadBack,
    /// What was read before the act does not prove the act.
    FreshEvidence,
    /// What is not known is not proven.
    UnknownIsNotVerified,
    /// A drill moves nothing that it must not.
    DrillIsSimulated,
    /// A process counts only without a break.
    Unbroken,
    /// A guard is asked before the act.
    GuardBefore,
    /// A guard that is lost during the act holds the room.
    GuardDuring,
    /// What moves with every write is never written twice for one intent.
    PulseOnce,
    /// Whoever did it does not accept it.
    SecondPerson,
    /// A step takes as many people as the plan says.
    Count,
    /// A step is done by whom the plan says.
    Role,
    /// What failed is told as a gap.
    GapIsTold,
    /// On hold everything that was moved is made safe.
    SafeOnHold,
    /// A process that ends is proven to have ended.
    OffIsProven,
    /// A claim that no longer holds is withdrawn.
    Drift,
    /// After a restart a claim is proven again before it is shown.
    ProveAgain,
    /// What makes good has a guard of its own.
    CompensateGuarded,
    /// What safety rests on cannot be waived.
    NotWaivable,
    /// Stop works in every state.
    StopAlways,
    /// Steps wait for those before them.
    Order,
    /// Whatever was moved and is proven by no step is made safe before anything is claimed.
    LooseEndsAreSafe,
}

/// Which laws are broken. None, in the gateway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SafetyRules(u64);

// === impl SafetyRule ===

impl SafetyRule {
    /// All of them.
    pub const ALL: [Self; 28] = [
        Self::Evidences,
        Self::UnknownIsNotVacant,
        Self::SweepIsVoided,
        Self::Rewalk,
        Self::FireHolds,
        Self::HoldStays,
        Self::ResumeWithoutFire,
        Self::ReadBack,
        Self::FreshEvidence,
        Self::UnknownIsNotVerified,
        Self::DrillIsSimulated,
        Self::Unbroken,
        Self::GuardBefore,
        Self::GuardDuring,
        Self::PulseOnce,
        Self::SecondPerson,
        Self::Count,
        Self::Role,
        Self::GapIsTold,
        Self::SafeOnHold,
        Self::OffIsProven,
        Self::Drift,
        Self::ProveAgain,
        Self::CompensateGuarded,
        Self::NotWaivable,
        Self::StopAlways,
        Self::Order,
        Self::LooseEndsAreSafe,
    ];
}

// === impl SafetyRules ===

impl SafetyRules {
    /// All are kept.
    pub const KEPT: Self = Self(0);

    /// These are broken.
    #[must_use]
    pub fn without(broken: &[SafetyRule]) -> Self {
        Self(broken.iter().fold(0, |bits, rule| bits | 1 << (*rule as u8)))
    }

    /// Whether a law is kept.
    #[must_use]
    pub const fn keep(self, rule: SafetyRule) -> bool {
        self.0 & (1 << (rule as u8)) == 0
    }
}
