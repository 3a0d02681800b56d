//! The safety rules of the mode switch, each named, so that the model checker can disable them one
//! by one and show the consequence. The gateway applies all of them.

/// A safety rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SafetyRule {
    /// `vacant(n)` requires n independent pieces of evidence.
    Evidences,
    /// An unknown occupancy does not count as vacant.
    UnknownIsNotVacant,
    /// A sweep is void once a door opens or somebody is detected.
    SweepIsVoided,
    /// After a restart or a hold all steps are checked again from the first.
    Rewalk,
    /// Fire holds the room.
    FireHolds,
    /// A held room stays held until a person resumes it.
    HoldStays,
    /// Nothing resumes while the fire panel is not normal.
    ResumeWithoutFire,
    /// An action is done when it is read back, not when the device acknowledges.
    ReadBack,
    /// A reading from before an action does not prove it.
    FreshEvidence,
    /// An unknown reading proves nothing.
    UnknownIsNotVerified,
    /// A drill controls only what it may.
    DrillIsSimulated,
    /// A process counts only without interruption.
    Unbroken,
    /// The guard of a step is checked before it acts.
    GuardBefore,
    /// A guard that fails during an action holds the room.
    GuardDuring,
    /// A pulse output is never written twice for one intent.
    PulseOnce,
    /// The person who did a step does not accept it.
    SecondPerson,
    /// A step requires the number of people in the plan.
    Count,
    /// A step requires the role in the plan.
    Role,
    /// A failed step is reported as a gap.
    GapIsTold,
    /// On hold all outputs that were set take their safe states.
    SafeOnHold,
    /// The end of a process is proven.
    OffIsProven,
    /// A claim that no longer holds is withdrawn.
    Drift,
    /// After a restart a claim is proven again before it is shown.
    ProveAgain,
    /// A compensation has a guard of its own.
    CompensateGuarded,
    /// A step that safety depends on cannot be waived.
    NotWaivable,
    /// Stop works in every state.
    StopAlways,
    /// Steps wait for those before them.
    Order,
    /// Outputs that were set and are proven by no step are made safe before a claim.
    LooseEndsAreSafe,
    /// An unknown reading does not prove an output safe.
    UnknownIsNotSafe,
    /// An output that is proven safe is watched, and made safe again.
    Watched,
    /// A run that resumes or begins over another first proves every output safe that is not.
    SafeFirst,
    /// A restart makes safe what was moved, until people confirm again.
    RestartReleases,
    /// A waiver ends with a restart.
    WaiverEnds,
    /// A hold gives back the leases of processes.
    LeaseEnds,
    /// A fire holds the room in a preview, too.
    FireInPreview,
    /// A fire panel that falls silent, or a restart, does not end a fire.
    SilenceIsNoEnd,
    /// A claim does not stand while the fire panel, a door contact or a sensor for people is silent.
    SilenceIsTold,
    /// No order replaces a run that a fire or a person holds, and none begins in a fire.
    HoldOutranksOrders,
    /// A return that was not finished is not forgotten.
    ReturnIsOwed,
    /// What a room contains must be cleared before what it needs is switched.
    ClearedFirst,
    /// A device step that a person waived on the way back keeps the room out of peace.
    PeaceIsWhole,
}

/// The set of disabled rules. Empty in the gateway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SafetyRules(u64);

// === impl SafetyRule ===

impl SafetyRule {
    /// Every rule.
    pub const ALL: [Self; 41] = [
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
        Self::UnknownIsNotSafe,
        Self::Watched,
        Self::SafeFirst,
        Self::RestartReleases,
        Self::WaiverEnds,
        Self::LeaseEnds,
        Self::FireInPreview,
        Self::SilenceIsNoEnd,
        Self::SilenceIsTold,
        Self::HoldOutranksOrders,
        Self::ReturnIsOwed,
        Self::ClearedFirst,
        Self::PeaceIsWhole,
    ];
}

// === impl SafetyRules ===

impl SafetyRules {
    /// All rules apply.
    pub const KEPT: Self = Self(0);

    /// Returns the set in which these rules are disabled.
    #[must_use]
    pub fn without(broken: &[SafetyRule]) -> Self {
        Self(broken.iter().fold(0, |bits, rule| bits | 1 << (*rule as u8)))
    }

    /// Whether a rule applies.
    #[must_use]
    pub const fn keep(self, rule: SafetyRule) -> bool {
        self.0 & (1 << (rule as u8)) == 0
    }
}
