//! Government kiosks and their printers: reports over HTTP, printers and hosts by SNMP and IPP.

mod http;
pub mod ipp;
pub mod printer;
pub mod report;
mod snmp;
mod turn;

pub(crate) use ipp::MORE;
pub(crate) use snmp::{HOST, UP};

pub use http::{HTTP, KioskHttp};
pub use ipp::{IPP, Ipp};
pub use snmp::{SNMP, Snmp};
