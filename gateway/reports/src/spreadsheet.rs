//! CSV as spreadsheets read it: UTF-8 with a byte order mark, RFC 4180, and no cell that a
//! spreadsheet would run as a formula.

use csv::{Terminator, Writer, WriterBuilder};

/// Spreadsheets take UTF-8 for the local encoding unless the file begins with this.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Rows of cells on their way to one CSV text.
pub struct Spreadsheet(Writer<Vec<u8>>);

// === impl Spreadsheet ===

impl Default for Spreadsheet {
    fn default() -> Self {
        Self::new()
    }
}

impl Spreadsheet {
    /// An empty text.
    #[must_use]
    pub fn new() -> Self {
        let mut builder = WriterBuilder::new();
        builder.flexible(true).terminator(Terminator::CRLF);
        Self(builder.from_writer(BYTE_ORDER_MARK.as_bytes().to_vec()))
    }

    /// Adds a row. Cells are quoted where RFC 4180 requires it; rows may differ in length.
    ///
    /// # Panics
    /// Never: it is written to memory.
    pub fn row<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) {
        let written = self.0.write_record(cells.into_iter().map(without_formula));
        written.expect("writing to memory does not fail, and rows may differ in length");
    }

    /// Returns the text with its byte order mark.
    ///
    /// # Panics
    /// Never: it is UTF-8 in memory.
    #[must_use]
    pub fn into_text(self) -> String {
        let bytes = self.0.into_inner().expect("writing to memory does not fail");
        String::from_utf8(bytes).expect("cells are UTF-8, and what stands between them is ASCII")
    }
}

/// What a formula begins with, or what a spreadsheet drops before it: also in the full-width forms, which input
/// methods for Chinese write and some spreadsheets take for the same.
const FORMULA: [char; 13] = [
    '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{2212}',
    '\u{fe66}',
];

/// Prefixes an apostrophe to text that a spreadsheet would take for a formula. Numbers stay as they
/// are.
fn without_formula(cell: &str) -> String {
    if cell.starts_with(FORMULA) && !is_number(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// Whether a cell is a number in digits; `-inf` would be a formula about a name.
fn is_number(cell: &str) -> bool {
    let has_digits_only = cell.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    has_digits_only && cell.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: &[&[&str]]) -> String {
        let mut sheet = Spreadsheet::new();
        rows.iter().for_each(|row| sheet.row(row.iter().copied()));
        sheet.into_text()
    }

    #[test]
    fn text_begins_with_a_byte_order_mark_and_rows_end_with_crlf() {
        assert_eq!(written(&[&["冷柜"], &["4.5", "", "°C"]]), "\u{feff}冷柜\r\n4.5,,°C\r\n");
        assert_eq!(written(&[]), "\u{feff}");
    }

    #[test]
    fn commas_quotes_and_line_ends_are_quoted() {
        let expected = "\u{feff}\"a,b\",\"say \"\"yes\"\"\",\"one\ntwo\",\"one\r\",a b\r\n";
        assert_eq!(written(&[&["a,b", "say \"yes\"", "one\ntwo", "one\r", "a b"]]), expected);
    }

    #[test]
    fn full_width_signs_and_line_ends_are_guarded_too() {
        for first in ["＝", "＋", "－", "＠", "−", "﹦", "\n", "\t=", "\r\n="] {
            let cell = format!("{first}1+1");
            assert_eq!(without_formula(&cell), format!("'{cell}"), "{cell:?}");
        }
        for name in ["-inf", "+nan", "+infinity", "-1-1", "+1e3+1"] {
            assert_eq!(without_formula(name), format!("'{name}"));
        }
        for plain in ["a=1", "体温＝36", "-4.5", "+0.5E-3", ""] {
            assert_eq!(without_formula(plain), plain);
        }
    }

    #[test]
    fn a_formula_is_text_and_a_number_is_a_number() {
        let cells = ["=1+1", "+86 755", "-x", "@SUM(A1)", "\tx", "\rx", "-4.5", "+1e3", "=a,b"];
        let expected = "\u{feff}'=1+1,'+86 755,'-x,'@SUM(A1),'\tx,\"'\rx\",-4.5,+1e3,\"'=a,b\"\r\n";
        assert_eq!(written(&[&cells]), expected);
    }
}
