//! A table for spreadsheets: one row per line of the sheet, the section first.

use crate::csv::quoted;
use crate::sheet::Sheet;

/// RFC 4180, UTF-8 with the mark that spreadsheets want.
pub fn table(sheet: &Sheet) -> String {
    let mut text = format!("\u{feff}{}\r\n", quoted(&sheet.title));
    for line in &sheet.signature {
        text.push_str(&format!("{}\r\n", quoted(line)));
    }
    for section in &sheet.sections {
        let mut row = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> =
                std::iter::once(quoted(&section.title)).chain(cells.map(quoted)).collect();
            text.push_str(&cells.join(","));
            text.push_str("\r\n");
        };
        row(&mut section.headings.iter().copied());
        section.rows.iter().for_each(|cells| row(&mut cells.iter().map(String::as_str)));
    }
    text
}
