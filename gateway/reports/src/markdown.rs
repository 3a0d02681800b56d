//! Writes a sheet as Markdown.

use super::sheet::Sheet;

/// Returns the text.
pub fn text(sheet: &Sheet) -> String {
    let mut text = format!("# {}\n\n", sheet.title);
    for line in &sheet.signature {
        text.push_str(&format!("{line}  \n"));
    }
    for section in &sheet.sections {
        text.push_str(&format!("\n## {}\n\n", section.title));
        if section.rows.is_empty() {
            text.push_str("无 none\n");
            continue;
        }
        let headings: Vec<String> = section.headings.iter().map(|heading| (*heading).to_owned()).collect();
        text.push_str(&row(&headings));
        text.push_str(&row(&vec!["---".to_owned(); headings.len()]));
        section.rows.iter().for_each(|cells| text.push_str(&row(cells)));
    }
    text
}

fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::Section;

    #[test]
    fn a_bar_in_a_cell_is_no_column() {
        let rows = vec![vec!["a|b".to_owned(), String::new()]];
        let section = Section { title: "步骤".to_owned(), headings: vec!["一", "二"], rows };
        let sheet =
            Sheet { title: "报告".to_owned(), signature: vec!["甲".to_owned()], sections: vec![section] };
        assert_eq!(text(&sheet), "# 报告\n\n甲  \n\n## 步骤\n\n| 一 | 二 |\n| --- | --- |\n| a\\|b |  |\n");
    }
}
