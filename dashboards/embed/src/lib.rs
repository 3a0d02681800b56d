//! Screens within a program. Its build script makes them with npm and writes the table of their files ([`build`]); the
//! program answers from that table ([`serve()`]). The gateway and the district do it alike.

pub mod build;
#[cfg(feature = "serve")]
mod serve;

#[cfg(feature = "serve")]
pub use serve::{Asset, find, serve, wants_page};
