//! What the golden tests of the services share.

pub mod site;
