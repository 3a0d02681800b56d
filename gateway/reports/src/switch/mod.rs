//! A switch or a drill as it was: planned against real, from the record alone. Whoever has an
//! export of the record can make it, without the gateway and without its configuration.

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

/// Writes the report.
#[must_use]
pub fn render(switch: &Switch, form: Form, zone: &Zone) -> Vec<u8> {
    let sheet = sheet::of(switch, zone);
    match form {
        Form::Md => markdown::text(&sheet).into_bytes(),
        Form::Pdf => pdf::document(&sheet),
    }
}
