//! Orders that two people write together at the screens: one drafts and signs, another looks at the same preview and
//! signs, then it is given like any other order on the spot (docs/orders.md).
//!
//! The secret keys stay in the hands of their owners: a screen signs with the bytes that a draft names, and the gateway
//! sees signatures only. The mode switch judges the order anew; nothing here decides whether one is accepted. Drafts are
//! lost with the process: whoever began one begins again.

mod draft;
mod known;
mod proposals;
mod service;
mod view;

pub use draft::{DraftClass, DraftKind, NewDraft, SignatureGiven};
pub use known::OrderKeys;
pub use proposals::Proposals;
pub use service::{Drafts, DraftsDeps};
