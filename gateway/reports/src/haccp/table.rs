//! The daily record of the canteen as CSV.

use crate::sheet::Sheet;
use crate::spreadsheet::Spreadsheet;

/// Returns title and signature in rows of one cell, then the headings and rows of each section. The
/// first cell of those is the title of their section.
pub fn table(sheet: &Sheet) -> String {
    let mut table = Spreadsheet::new();
    table.row([sheet.title.as_str()]);
    sheet.signature.iter().for_each(|line| table.row([line.as_str()]));
    for section in &sheet.sections {
        let title = || std::iter::once(section.title.as_str());
        table.row(title().chain(section.headings.iter().copied()));
        for cells in &section.rows {
            table.row(title().chain(cells.iter().map(String::as_str)));
        }
    }
    table.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::Section;

    #[test]
    fn every_row_of_a_section_begins_with_its_title() {
        let rows = vec![vec!["9:00".to_owned(), "62.5".to_owned()], vec!["=9:30".to_owned(), String::new()]];
        let section = Section { title: "热菜, 中餐".to_owned(), headings: vec!["时间", "°C"], rows };
        let sheet =
            Sheet { title: "日报".to_owned(), signature: vec!["甲".to_owned()], sections: vec![section] };
        let expected = "\u{feff}日报\r\n甲\r\n\"热菜, 中餐\",时间,°C\r\n\"热菜, 中餐\",9:00,62.5\r\n\"热菜, 中餐\",'=9:30,\r\n";
        assert_eq!(table(&sheet), expected);
    }
}
