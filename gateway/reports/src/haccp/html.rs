//! Writes a sheet as an HTML page that prints on A4.

use std::fmt::Write;

use crate::sheet::Sheet;

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;margin:2em}table{border-collapse:collapse;width:100%}\
                     th,td{border:1px solid #888;padding:.2em .5em;text-align:left}th{background:#eee}\
                     h1{font-size:1.4em}h2{font-size:1.1em;margin-top:1.5em}.none{color:#666}\
                     @page{size:A4 landscape;margin:12mm}";

/// Returns the page.
pub fn page(sheet: &Sheet) -> String {
    let title = escaped(&sheet.title);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    );
    for line in &sheet.signature {
        let _ = writeln!(text, "<p>{}</p>", escaped(line));
    }
    for section in &sheet.sections {
        let _ = writeln!(text, "<h2>{}</h2>", escaped(&section.title));
        if section.rows.is_empty() {
            text.push_str("<p class=\"none\">无记录</p>\n");
            continue;
        }
        let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
            cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect::<String>()
        };
        let _ = writeln!(text, "<table><tr>{}</tr>", cells("th", &mut section.headings.iter().copied()));
        for row in &section.rows {
            let _ = writeln!(text, "<tr>{}</tr>", cells("td", &mut row.iter().map(String::as_str)));
        }
        text.push_str("</table>\n");
    }
    text.push_str("</body></html>\n");
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
