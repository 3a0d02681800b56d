//! The record of the canteen (HACCP) of a day, a week or a month as HTML, CSV or PDF.

mod days;
mod html;
mod sheet;
mod span;
mod table;

use serde::Deserialize;

pub use days::Span;
pub use sheet::sheet;
pub use span::span_sheet;

use super::pdf;
use super::sheet::Sheet;

/// Output format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// HTML
    #[default]
    Html,
    /// CSV
    Csv,
    /// PDF
    Pdf,
}

/// Returns the bytes of a sheet in that format.
#[must_use]
pub fn render(sheet: &Sheet, form: Form) -> Vec<u8> {
    match form {
        Form::Html => html::page(sheet).into_bytes(),
        Form::Csv => table::table(sheet).into_bytes(),
        Form::Pdf => pdf::document(sheet),
    }
}

// === impl Form ===

impl Form {
    /// Media type for the HTTP header.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Pdf => "application/pdf",
        }
    }
}
