//! The gateway's certificate at its district's broker.
//!
//! The gateway makes its private key itself; it never leaves the machine. With a one-time code of the district it asks for
//! a certificate, over TLS to whoever shows the authority with the fingerprint that people have compared. Before its end it
//! asks for the next one with a signature by the present key, and replaces the file: the next connection to the broker uses
//! it, and nothing is restarted.

mod district;
mod error;
mod files;
mod lines;
mod request;
mod state;

pub use district::{Ask, District, Given};
pub use error::EnrolError;
pub use files::{Certified, Files};
pub use lines::{Lines, MqttTable, NotByProgram};
pub use request::Request;
pub use state::{CertificateState, LONGEST_PAUSE, Stage, pause};
