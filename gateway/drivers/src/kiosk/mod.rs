//! Government kiosks and their printers: reports over HTTP, printers and hosts by SNMP and IPP.

mod http;
pub mod ipp;
pub(crate) mod order;
pub mod printer;
pub mod report;
pub mod snmp;
mod turn;

pub use http::Tokens;

pub(crate) use http::KioskHttp;
pub(crate) use ipp::{Ipp, MORE};
pub(crate) use snmp::{HOST, Snmp, UP};
