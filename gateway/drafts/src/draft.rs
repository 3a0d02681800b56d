//! A draft: an order that has not been given yet, with the signatures so far.

use linli_domain::approval::Approval;
use linli_domain::audit::hex;
use linli_domain::caller::Caller;
use linli_domain::{Id, Timestamp};
use linli_mode::order::{Authority, Envelope, Kind, LOCAL, Order, PlanHash, Target};
use linli_mode::{Class, Direction};
use linli_services::ServiceError;
use serde::Deserialize;
use tokio::time::Instant;

use crate::known::OrderKeys;

/// How long an order on the spot is good for, in milliseconds: an hour, the longest there is (docs/orders.md).
const VALID: i64 = 3_600_000;

/// Longest reference, in characters.
const LONGEST_REFERENCE: usize = 200;

/// Most plans of one draft.
const MOST_PLANS: usize = 16;

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftKind {
    /// Into an emergency role.
    Enter,
    /// Back to normal use.
    Return,
    /// Take back an order.
    Cancel,
}

/// Actual or a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftClass {
    /// A drill.
    Exercise,
    /// Actual.
    Actual,
}

/// What somebody drafts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDraft {
    /// What is ordered.
    pub kind: DraftKind,
    /// Actual or a drill.
    pub class: DraftClass,
    /// Names of plans, one for each room; none to take an order back.
    #[serde(default)]
    pub plans: Vec<String>,
    /// Ids of orders that are taken back.
    #[serde(default)]
    pub supersedes: Vec<String>,
    /// What it is based on (文号), such as the identifier of an alert message.
    pub reference: Option<String>,
}

/// A signature that was made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureGiven {
    /// Id of the key: the first 8 bytes of the SHA-256 of the public key, in hexadecimal digits.
    pub key: String,
    /// The Ed25519 signature, in hexadecimal digits.
    pub signature: String,
    /// Hash of the order that the signer saw.
    pub hash: String,
}

/// An order that has not been given.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The order with its signatures.
    pub envelope: Envelope,
    /// Who drafted it.
    pub by: Option<Id>,
    /// The latest approval, and its caller.
    pub approved: Option<(Approval, Caller)>,
    /// People who signed, in order.
    pub signed: Vec<Id>,
    /// When it was drafted.
    pub since: Instant,
    /// Wall time of that.
    pub at: Timestamp,
}

// === impl DraftKind ===

impl DraftKind {
    const fn kind(self) -> Kind {
        match self {
            Self::Enter => Kind::Enter,
            Self::Return => Kind::Return,
            Self::Cancel => Kind::Cancel,
        }
    }

    const fn direction(self) -> Option<Direction> {
        match self {
            Self::Enter => Some(Direction::Enter),
            Self::Return => Some(Direction::Return),
            Self::Cancel => None,
        }
    }
}

// === impl DraftClass ===

impl DraftClass {
    /// The class of the order.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Exercise => Class::Exercise,
            Self::Actual => Class::Actual,
        }
    }
}

// === impl NewDraft ===

impl NewDraft {
    /// The order, not signed by anybody.
    ///
    /// # Errors
    /// When a plan is unknown or leads the other way, or it names nothing.
    pub fn order(
        &self,
        keys: &OrderKeys,
        (seq, now): (u64, Timestamp),
        random: [u8; 6],
    ) -> Result<Order, ServiceError> {
        let wrong = |why: &str| ServiceError::Wrong(why.to_owned());
        let centre = keys.centre.clone().ok_or_else(|| wrong("the configuration is not read yet"))?;
        let (plans, mode) = self.plans(keys)?;
        if self.reference.as_ref().is_some_and(|text| text.chars().count() > LONGEST_REFERENCE) {
            let why =
                format!("文号最多 {LONGEST_REFERENCE} 字 at most {LONGEST_REFERENCE} characters: reference");
            return Err(ServiceError::Wrong(why));
        }
        if self.kind == DraftKind::Cancel && self.supersedes.is_empty() {
            return Err(wrong("取消要写明哪条指令 to cancel, name the order in supersedes"));
        }
        let target = Target { centre, site: None, plans, snapshot: None };
        Ok(Order {
            id: format!("{LOCAL}{}", hex(&random)),
            seq,
            kind: self.kind.kind(),
            class: self.class.class(),
            authority: Authority::Local,
            targets: vec![target],
            mode,
            not_before: now,
            expires: Timestamp(now.0.saturating_add(VALID)),
            sent: now,
            reference: self.reference.clone(),
            supersedes: self.supersedes.clone(),
            cap: None,
        })
    }

    /// The plans, and the mode that they lead to.
    fn plans(&self, keys: &OrderKeys) -> Result<(Vec<PlanHash>, String), ServiceError> {
        let Some(direction) = self.kind.direction() else { return Ok((Vec::new(), "cancel".to_owned())) };
        if self.plans.is_empty() || self.plans.len() > MOST_PLANS {
            let why = format!("请选择 1 至 {MOST_PLANS} 个预案 name 1 to {MOST_PLANS} plans");
            return Err(ServiceError::Wrong(why));
        }
        let (mut named, mut mode) = (Vec::new(), None);
        for name in &self.plans {
            let found = keys.plans.iter().find(|known| known.plan.plan == *name);
            let found = found.ok_or_else(|| {
                let known: Vec<&str> = keys.plans.iter().map(|known| known.plan.plan.as_str()).collect();
                ServiceError::Unknown(format!(
                    "没有预案 no plan {name:?}；现有 there are: {}",
                    known.join(", ")
                ))
            })?;
            if found.direction != direction {
                let why = format!("预案 {name} 方向不对 plan {name} leads the other way");
                return Err(ServiceError::Wrong(why));
            }
            mode.get_or_insert_with(|| found.role.clone());
            named.push(found.plan.clone());
        }
        let mode =
            if self.class == DraftClass::Exercise { "drill".to_owned() } else { mode.unwrap_or_default() };
        Ok((named, mode))
    }
}

// === impl Draft ===

impl Draft {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.envelope.order.id
    }
}
