//! A day of the canteen as an inspector reads it: one sheet, as a page, a table or a document.

mod html;
mod sheet;
mod table;

use serde::Deserialize;

pub use sheet::sheet;

use super::pdf;
use super::sheet::Sheet;

/// How it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A page for a browser or a printer.
    #[default]
    Html,
    /// A table for spreadsheets.
    Csv,
    /// A document.
    Pdf,
}

/// Writes a sheet.
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
    /// For the HTTP header.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Pdf => "application/pdf",
        }
    }
}
