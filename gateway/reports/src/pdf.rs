//! Writes a sheet as PDF on A4 landscape. The Chinese font is named and not embedded: readers provide or
//! substitute STSong-Light (ISO 32000-1 clause 9.7.5.2).

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::sheet::{Section, Sheet};
use super::timeline::{self, Timeline};

/// A4 landscape, in points.
const WIDE: f32 = 842.0;
const HIGH: f32 = 595.0;
const MARGIN: f32 = 34.0;

/// Line height as a multiple of the font size.
const LEADING: f32 = 1.5;

const FONT: Name<'static> = Name(b"F");
const FONT_NAME: Name<'static> = Name(b"STSong-Light");

/// Pages under construction.
struct Paper {
    pages: Vec<Content>,
    /// Used height of the last page, in points from its top.
    down: f32,
}

/// Side of a code, in points: 9 cm, so that a phone reads it from a wall.
const CODE: f32 = 255.0;

/// Returns the bytes of the document.
#[must_use]
pub fn document(sheet: &Sheet) -> Vec<u8> {
    written(sheet).bound(&sheet.title)
}

/// Returns the bytes of the document with a square code below its text, row by row; `true` is dark.
#[must_use]
pub fn with_code(sheet: &Sheet, code: &[Vec<bool>]) -> Vec<u8> {
    let mut paper = written(sheet);
    paper.code(code);
    paper.bound(&sheet.title)
}

/// Returns the bytes of the document with a drawing between its lines and its tables.
#[must_use]
pub fn with_timeline(sheet: &Sheet, timeline: &Timeline) -> Vec<u8> {
    let mut paper = head(sheet);
    paper.timeline(timeline);
    tables(paper, sheet).bound(&sheet.title)
}

fn written(sheet: &Sheet) -> Paper {
    tables(head(sheet), sheet)
}

fn head(sheet: &Sheet) -> Paper {
    let mut paper = Paper { pages: vec![Content::new()], down: MARGIN };
    paper.line(&sheet.title, 15.0);
    for line in &sheet.signature {
        paper.line(line, 9.0);
    }
    paper
}

fn tables(mut paper: Paper, sheet: &Sheet) -> Paper {
    for section in &sheet.sections {
        paper.section(section);
    }
    paper
}

// === impl Paper ===

impl Paper {
    /// Begins a new page unless so many points are left on this one.
    fn ensure_height(&mut self, height: f32) {
        if self.down + height > HIGH - MARGIN {
            self.pages.push(Content::new());
            self.down = MARGIN;
        }
    }

    fn line(&mut self, text: &str, size: f32) {
        self.ensure_height(size * LEADING);
        self.down += size * LEADING;
        self.text(text, MARGIN, size);
    }

    /// Writes text at the present height.
    fn text(&mut self, text: &str, x: f32, size: f32) {
        let encoded: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let y = HIGH - self.down;
        if let Some(page) = self.pages.last_mut() {
            page.begin_text().set_font(FONT, size).next_line(x, y).show(Str(&encoded)).end_text();
        }
    }

    fn timeline(&mut self, timeline: &Timeline) {
        self.ensure_height(timeline::HEIGHT + 10.0);
        self.down += timeline::HEIGHT + 10.0;
        let place = (MARGIN, HIGH - self.down, WIDE - 2.0 * MARGIN, timeline::HEIGHT);
        let Some(page) = self.pages.last_mut() else { return };
        let words = timeline.draw(page, place);
        for word in words {
            let encoded: Vec<u8> = word.text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let (x, y) = word.at;
            page.begin_text().set_font(FONT, word.size).next_line(x, y).show(Str(&encoded)).end_text();
        }
    }

    fn code(&mut self, code: &[Vec<bool>]) {
        self.ensure_height(CODE + 2.0 * MARGIN);
        let top = HIGH - self.down - MARGIN;
        #[expect(clippy::cast_precision_loss, reason = "a code has less than 200 rows")]
        let side = CODE / code.len().max(1) as f32;
        let Some(page) = self.pages.last_mut() else { return };
        for (row, modules) in code.iter().enumerate() {
            for (column, _) in modules.iter().enumerate().filter(|(_, is_dark)| **is_dark) {
                #[expect(clippy::cast_precision_loss, reason = "a code has less than 200 rows")]
                let (x, y) = (MARGIN + column as f32 * side, top - (row + 1) as f32 * side);
                page.rect(x, y, side, side);
            }
        }
        page.fill_nonzero();
        self.down += CODE + MARGIN;
    }

    fn section(&mut self, section: &Section) {
        const SIZE: f32 = 8.0;
        self.ensure_height(60.0);
        self.down += 6.0;
        self.line(&section.title, 11.0);
        if section.rows.is_empty() {
            self.line("无记录", SIZE);
            return;
        }
        let columns = columns(section, WIDE - 2.0 * MARGIN);
        let headings: Vec<String> = section.headings.iter().map(|heading| (*heading).to_owned()).collect();
        self.row(&headings, &columns, SIZE);
        for row in &section.rows {
            self.row(row, &columns, SIZE);
        }
    }

    fn row(&mut self, cells: &[String], columns: &[f32], size: f32) {
        let wrapped: Vec<Vec<String>> =
            cells.iter().zip(columns).map(|(cell, width)| wrap(cell, (width - 6.0) / size)).collect();
        let lines = wrapped.iter().map(Vec::len).max().unwrap_or(1);
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let height = lines as f32 * size * LEADING + 3.0;
        self.ensure_height(height);
        let (top, mut x) = (self.down, MARGIN);
        for (lines, width) in wrapped.iter().zip(columns) {
            if let Some(page) = self.pages.last_mut() {
                page.set_line_width(0.4).rect(x, HIGH - top - height, *width, height).stroke();
            }
            self.down = top;
            for line in lines {
                self.down += size * LEADING;
                self.text(line, x + 3.0, size);
            }
            x += width;
        }
        self.down = top + height;
    }

    fn bound(self, title: &str) -> Vec<u8> {
        let mut next = 1;
        let mut id = || {
            next += 1;
            Ref::new(next - 1)
        };
        let (catalog, tree, font, cid, descriptor, info) = (id(), id(), id(), id(), id(), id());
        let pages: Vec<(Ref, Ref, Content)> = self.pages.into_iter().map(|page| (id(), id(), page)).collect();
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(tree);
        pdf.document_info(info).title(TextStr(title)).producer(TextStr("linli"));
        let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
        pdf.pages(tree).kids(pages.iter().map(|(page, ..)| *page)).count(count);
        for (page_id, content_id, content) in pages {
            let mut page = pdf.page(page_id);
            page.media_box(Rect::new(0.0, 0.0, WIDE, HIGH)).parent(tree).contents(content_id);
            page.resources().fonts().pair(FONT, font);
            page.finish();
            pdf.stream(content_id, &content.finish());
        }
        let mut outer = pdf.type0_font(font);
        outer.base_font(FONT_NAME).encoding_predefined(Name(b"UniGB-UTF16-H")).descendant_font(cid);
        outer.finish();
        let mut inner = pdf.cid_font(cid);
        let collection = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"GB1"), supplement: 4 };
        inner.subtype(CidFontType::Type0).base_font(FONT_NAME).system_info(collection);
        inner.font_descriptor(descriptor).default_width(1000.0);
        // Widths of the Latin letters of the collection.
        inner.widths().same(1, 95, 500.0);
        inner.finish();
        let mut about = pdf.font_descriptor(descriptor);
        about.name(FONT_NAME).flags(FontFlags::SYMBOLIC | FontFlags::SERIF);
        about.bbox(Rect::new(-25.0, -254.0, 1000.0, 880.0)).italic_angle(0.0);
        about.ascent(880.0).descent(-120.0).cap_height(880.0).stem_v(93.0);
        about.finish();
        pdf.finish()
    }
}

/// Width of a text, in multiples of the font size.
fn width(text: &str) -> f32 {
    text.chars().map(|c| if c.is_ascii() { 0.5 } else { 1.0 }).sum()
}

/// Widths of the columns, in proportion to their contents and together as wide as the page.
fn columns(section: &Section, whole: f32) -> Vec<f32> {
    let wanted = |column: usize| {
        let cells = section.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
        cells.fold(width(section.headings[column]), f32::max).clamp(3.0, 24.0)
    };
    let wanted: Vec<f32> = (0..section.headings.len()).map(wanted).collect();
    let sum: f32 = wanted.iter().sum();
    wanted.iter().map(|one| whole * one / sum).collect()
}

/// Breaks a text into lines of at most that width.
fn wrap(text: &str, most: f32) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0.0;
    for letter in text.chars() {
        let wide = if letter.is_ascii() { 0.5 } else { 1.0 };
        if used + wide > most && used > 0.0 {
            lines.push(String::new());
            used = 0.0;
        }
        used += wide;
        if let Some(line) = lines.last_mut() {
            line.push(letter);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_days_take_several_pages() {
        let row = vec!["后厨冷库温度偏高，已调整".to_owned(), "2026-11-24 09:30:00".to_owned()];
        let section =
            Section { title: "报警".to_owned(), headings: vec!["说明", "时间"], rows: vec![row; 120] };
        let sheet = Sheet { title: "日记录".to_owned(), signature: vec![], sections: vec![section] };
        let document = document(&sheet);
        assert!(document.starts_with(b"%PDF-"));
        let text = String::from_utf8_lossy(&document);
        assert!(text.matches("/Type /Page\n").count() > 2);
        assert_eq!(wrap("温度ab", 2.0), ["温度", "ab"]);
    }
}
