//! The report of a switch or a drill, from the record alone: an export of the record suffices, without
//! the gateway and its configuration.

mod read;
mod sheet;

pub use read::{Switch, orders};

use super::{markdown, pdf};
use linli_domain::timezone::Zone;

/// How it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// Text that people and programs read.
    #[default]
    Md,
    /// A document.
    Pdf,
}

/// Returns the bytes of the report in that format.
#[must_use]
pub fn render(switch: &Switch, form: Form, zone: &Zone) -> Vec<u8> {
    let sheet = sheet::of(switch, zone);
    match form {
        Form::Md => markdown::text(&sheet).into_bytes(),
        Form::Pdf => pdf::document(&sheet),
    }
}
