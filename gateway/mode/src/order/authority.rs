//! Who may order what: a row for each kind of order, class and authority. [`judge`](super::judge()) takes the
//! signers and the validity from it, the mode service the runs that an order may touch;
//! docs/orders.md prints it.

use std::fmt::Write;
use std::time::Duration;

use super::demand::{Demand, Demands};
use super::payload::{Authority, Kind, Order};
use crate::Class;

/// Validity of an order given on the spot, at most.
const HOUR: Duration = Duration::from_secs(3600);

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRule {
    /// Kind of the order.
    pub kind: Kind,
    /// Class of the order, and of the keys that sign it.
    pub class: Class,
    /// Authority that gives it.
    pub authority: Authority,
    /// How many different people sign it.
    pub signers: Signers,
    /// Runs that it may end, replace or stop. A room without a run follows every order.
    pub touches: &'static [Touch],
    /// Longest time from `not_before` to `expires`; `None`: as the order says.
    pub longest: Option<Duration>,
}

/// How many different people sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signers {
    /// One.
    One,
    /// As many as `[orders] quorum` says, 2 at least.
    Quorum,
}

/// Runs that an order may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// Class of the order that the room follows.
    pub class: Class,
    /// Authorities of that order.
    pub authorities: &'static [Authority],
    /// Which of these.
    pub which: Which,
}

/// Which runs of a class and authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All; if an order that does not enter names orders in `supersedes`, only these.
    All,
    /// Only orders that it names in `supersedes`.
    Named,
    /// Only rooms on their way back to peace.
    Returning,
}

/// The order that a room follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Followed<'o> {
    /// Its id.
    pub id: &'o str,
    /// Its class.
    pub class: Class,
    /// Its authority. An order that is no longer known counts as one of the district.
    pub authority: Authority,
    /// Whether it leads back to peace.
    pub is_return: bool,
}

/// Why an order may not touch a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutOfScope {
    /// The run belongs to the other class.
    #[error("it follows the {followed} order {id}, and an order of class {class} does not touch that")]
    Class {
        /// The order that the room follows.
        id: String,
        /// Its class.
        followed: Class,
        /// Class of the order that was judged.
        class: Class,
    },
    /// The run belongs to a higher authority.
    #[error("it follows the district's order {id}: an order given on the spot does not end that")]
    Authority {
        /// The order that the room follows.
        id: String,
    },
    /// The order does not name the one that the room follows.
    #[error("it follows order {id}, which is not named in supersedes")]
    NotNamed {
        /// The order that the room follows.
        id: String,
    },
    /// The room is on its way into its role, or has it.
    #[error("it follows order {id} already: name that in an order to amend or cancel")]
    NotReturning {
        /// The order that the room follows.
        id: String,
    },
}

const ALL: &[Authority] = &[Authority::District, Authority::Local];
const SPOT: &[Authority] = &[Authority::Local];

const fn touch(class: Class, authorities: &'static [Authority], which: Which) -> Touch {
    Touch { class, authorities, which }
}

/// The table: 6 kinds, 2 classes, 2 authorities.
pub const ORDER_RULES: [OrderRule; 24] = {
    use Authority::{District, Local};
    use Class::{Actual, Exercise};
    use Kind::{Amend, Cancel, Enter, Return, StandDown, Stop};
    use Signers::{One, Quorum};
    use Which::{All, Named, Returning};
    const fn row(
        kind: Kind,
        class: Class,
        authority: Authority,
        signers: Signers,
        touches: &'static [Touch],
    ) -> OrderRule {
        let longest = match authority {
            District => None,
            Local => Some(HOUR),
        };
        OrderRule { kind, class, authority, signers, touches, longest }
    }
    [
        row(Enter, Actual, District, Quorum, &[touch(Exercise, ALL, All), touch(Actual, ALL, Returning)]),
        row(Enter, Actual, Local, Quorum, &[touch(Exercise, ALL, All), touch(Actual, SPOT, Returning)]),
        row(Enter, Exercise, District, Quorum, &[touch(Exercise, ALL, Returning)]),
        row(Enter, Exercise, Local, Quorum, &[touch(Exercise, SPOT, Returning)]),
        row(Return, Actual, District, Quorum, &[touch(Actual, ALL, All)]),
        row(Return, Actual, Local, Quorum, &[touch(Actual, SPOT, All)]),
        row(Return, Exercise, District, Quorum, &[touch(Exercise, ALL, All)]),
        row(Return, Exercise, Local, Quorum, &[touch(Exercise, SPOT, All)]),
        row(Amend, Actual, District, Quorum, &[touch(Actual, ALL, Named)]),
        row(Amend, Actual, Local, Quorum, &[touch(Actual, SPOT, Named)]),
        row(Amend, Exercise, District, Quorum, &[touch(Exercise, ALL, Named)]),
        row(Amend, Exercise, Local, Quorum, &[touch(Exercise, SPOT, Named)]),
        row(Cancel, Actual, District, Quorum, &[touch(Actual, ALL, Named)]),
        row(Cancel, Actual, Local, Quorum, &[touch(Actual, SPOT, Named)]),
        row(Cancel, Exercise, District, Quorum, &[touch(Exercise, ALL, Named)]),
        row(Cancel, Exercise, Local, Quorum, &[touch(Exercise, SPOT, Named)]),
        row(StandDown, Actual, District, Quorum, &[touch(Actual, ALL, All)]),
        row(StandDown, Actual, Local, Quorum, &[touch(Actual, SPOT, All)]),
        row(StandDown, Exercise, District, Quorum, &[touch(Exercise, ALL, All)]),
        row(StandDown, Exercise, Local, Quorum, &[touch(Exercise, SPOT, All)]),
        row(Stop, Actual, District, One, &[touch(Actual, ALL, All), touch(Exercise, ALL, All)]),
        row(Stop, Actual, Local, One, &[touch(Actual, ALL, All), touch(Exercise, ALL, All)]),
        row(Stop, Exercise, District, One, &[touch(Exercise, ALL, All)]),
        row(Stop, Exercise, Local, One, &[touch(Exercise, ALL, All)]),
    ]
};

// === impl OrderRule ===

impl OrderRule {
    /// The row of an order.
    #[must_use]
    pub fn of(order: &Order) -> &'static Self {
        let is_it = |rule: &&Self| {
            (rule.kind, rule.class, rule.authority) == (order.kind, order.class, order.authority)
        };
        ORDER_RULES.iter().find(is_it).expect("the table has a row for each kind, class and authority")
    }
}

/// Returns whether an order may end, replace or stop the run of a room that follows another order.
///
/// # Errors
/// Says why not.
pub fn may_touch(order: &Order, followed: &Followed<'_>) -> Result<(), OutOfScope> {
    may_touch_under(Demands::ALL, order, followed)
}

/// Does the same with some requirements disabled, for the model checker.
pub fn may_touch_under(demands: Demands, order: &Order, followed: &Followed<'_>) -> Result<(), OutOfScope> {
    let id = || followed.id.to_owned();
    let touches = OrderRule::of(order).touches;
    let of_class = touches.iter().find(|touch| touch.class == followed.class);
    let Some(touch) = of_class.or_else(|| touches.last().filter(|_| !demands.make(Demand::SameClass))) else {
        return Err(OutOfScope::Class { id: id(), followed: followed.class, class: order.class });
    };
    if !touch.authorities.contains(&followed.authority) && demands.make(Demand::OwnAuthority) {
        return Err(OutOfScope::Authority { id: id() });
    }
    let is_named = order.supersedes.iter().any(|named| named == followed.id);
    let must_name = match touch.which {
        Which::Named => true,
        Which::All => !order.supersedes.is_empty() && order.kind != Kind::Enter,
        Which::Returning => false,
    };
    if must_name && !is_named && demands.make(Demand::Named) {
        return Err(OutOfScope::NotNamed { id: id() });
    }
    if touch.which == Which::Returning && !followed.is_return {
        return Err(OutOfScope::NotReturning { id: id() });
    }
    Ok(())
}

/// The table as docs/orders.md prints it, in Markdown.
#[must_use]
pub fn order_rules_in_markdown() -> String {
    let mut text =
        String::from("| kind | class | given by | signed by | may end, replace or stop | valid |\n");
    text.push_str("|---|---|---|---|---|---|\n");
    for OrderRule { kind, class, authority, signers, touches, longest } in &ORDER_RULES {
        let (kind, authority) = (kind.as_str(), authority.as_str());
        let signers = match signers {
            Signers::One => "1",
            Signers::Quorum => "quorum",
        };
        let touches: Vec<String> = touches.iter().map(Touch::in_words).collect();
        let valid = if longest.is_some() { "1 h at most" } else { "as it says" };
        let touches = touches.join("; ");
        let _ = writeln!(text, "| {kind} | {class} | {authority} | {signers} | {touches} | {valid} |");
    }
    text
}

// === impl Touch ===

impl Touch {
    fn in_words(&self) -> String {
        let who = if self.authorities.len() == 1 { "local " } else { "" };
        let class = self.class;
        match self.which {
            Which::All => format!("any {who}{class} run"),
            Which::Named => format!("{who}{class} runs named in `supersedes`"),
            Which::Returning => format!("{who}{class} runs on their way back"),
        }
    }
}
