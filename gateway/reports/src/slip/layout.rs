//! Where what the slip says stands on the paper: from the top down, in points.

use linli_domain::visit::Paper;
use qrcode::QrCode;

use super::font::{Faces, Run};
use super::words::{self, Text};
use super::{Referred, Slip, SlipRow};

/// Points of a millimetre.
const MM: f32 = 72.0 / 25.4;

/// Line height as a multiple of the font size.
const LEADING: f32 = 1.4;

/// Something on a page. Distances are from the top left corner; that of a text is of its baseline.
#[derive(Debug, Clone)]
pub enum Item {
    /// A text.
    Text { x: f32, y: f32, size: f32, runs: Vec<Run> },
    /// A line across the paper.
    Rule { y: f32 },
    /// A dark square of the code.
    Square { x: f32, y: f32, side: f32 },
}

/// Pages of one size.
#[derive(Debug, Clone)]
pub struct Pages {
    pub width: f32,
    pub height: f32,
    pub margin: f32,
    pub pages: Vec<Vec<Item>>,
}

/// Sizes that depend on the paper.
struct Sizes {
    width: f32,
    /// `None` of a roll: the page is as long as its contents.
    height: Option<f32>,
    margin: f32,
    title: f32,
    text: f32,
    small: f32,
    value: f32,
    /// Side of the code with its quiet zone.
    code: f32,
    /// Whether the value stands beside its name.
    is_wide: bool,
}

struct Sheet<'f, 'd> {
    sizes: Sizes,
    faces: &'f mut Faces<'d>,
    pages: Vec<Vec<Item>>,
    down: f32,
}

/// Lays a slip out.
pub fn sheet(slip: &Slip, paper: Paper, code: &QrCode, faces: &mut Faces<'_>) -> Pages {
    let sizes = sizes(paper);
    let down = sizes.margin;
    let mut sheet = Sheet { sizes, faces, pages: vec![Vec::new()], down };
    sheet.head(slip);
    for row in &slip.rows {
        sheet.row(row);
    }
    if slip.rows.is_empty() {
        sheet.both(words::NOTHING, sheet.sizes.text);
    }
    sheet.rule();
    sheet.foot(slip, code);
    let Sizes { width, height, margin, .. } = sheet.sizes;
    let height = height.unwrap_or(sheet.down + margin);
    Pages { width, height, margin, pages: sheet.pages }
}

fn sizes(paper: Paper) -> Sizes {
    let (width, height) = paper.millimetres();
    let (width, height) = (f32::from(width) * MM, height.map(|height| f32::from(height) * MM));
    match paper {
        Paper::A5 => Sizes {
            width,
            height,
            margin: 12.0 * MM,
            title: 18.0,
            text: 10.5,
            small: 8.0,
            value: 17.0,
            code: 32.0 * MM,
            is_wide: true,
        },
        Paper::Roll80 => Sizes {
            width,
            height,
            margin: 4.0 * MM,
            title: 15.0,
            text: 10.0,
            small: 8.0,
            value: 16.0,
            code: 34.0 * MM,
            is_wide: false,
        },
        Paper::Roll58 => Sizes {
            width,
            height,
            margin: 4.0 * MM,
            title: 13.0,
            text: 9.0,
            small: 7.5,
            value: 14.0,
            code: 34.0 * MM,
            is_wide: false,
        },
    }
}

// === impl Sheet ===

impl Sheet<'_, '_> {
    fn head(&mut self, slip: &Slip) {
        let (title, text) = (self.sizes.title, self.sizes.text);
        self.wrapped(&slip.centre, text);
        let heading = if slip.referred.is_empty() { words::TITLE } else { words::REFERRAL };
        self.line(heading.0, title);
        self.line(heading.1, text);
        self.down += text * 0.4;
        if let Some(name) = &slip.name {
            self.wrapped(&format!("{} {}：{name}", words::NAME.0, words::NAME.1), text * 1.2);
        }
        if let Some(code) = &slip.code {
            self.wrapped(&format!("{} {}：{code}", words::CODE.0, words::CODE.1), text);
        }
        self.wrapped(&format!("{} {}：{}", words::TIME.0, words::TIME.1, slip.opened), text);
        self.wrapped(&format!("{} {}：{}", words::ROOM.0, words::ROOM.1, slip.room), text);
        self.rule();
        for referred in &slip.referred {
            self.referred(referred);
        }
    }

    /// A critical value: the number, the limit with its source, who referred the resident.
    fn referred(&mut self, referred: &Referred) {
        let Sizes { text, small, value, .. } = self.sizes;
        self.ensure((value + text + 2.0 * small) * LEADING);
        let (chinese, english) = words::label(&[referred.quantity]);
        let unit = words::unit(referred.quantity.unit());
        let sign = if referred.is_high { "≥" } else { "≤" };
        self.wrapped(&format!("{} {}", words::CRITICAL.0, words::CRITICAL.1), small);
        self.wrapped(&format!("▲ {chinese} {english} {} {unit}", referred.value), value);
        self.wrapped(&format!("{sign} {} {unit}：{}", referred.limit, referred.source), small);
        let (told, at) = (words::REFERRED_BY, &referred.at);
        self.wrapped(&format!("{} {}：{} {at}", told.0, told.1, referred.by), text);
        self.rule();
    }

    fn row(&mut self, row: &SlipRow) {
        let Sizes { text, small, value, is_wide, width, margin, .. } = self.sizes;
        self.ensure((value + text + 2.0 * small) * LEADING);
        let (chinese, english) = words::label(&row.quantities);
        let site = row.site.map_or_else(String::new, |site| format!("（{site}）"));
        let unit = words::unit(row.quantities.first().map_or("", |quantity| quantity.unit()));
        let found = row.found.map(|found| format!("{} {}", found.chinese, found.english));
        let mark = if row.found.is_some_and(|found| found.is_notable) { "▲ " } else { "" };
        let found = found.map(|found| format!("{mark}{found}"));
        let doubts = (!row.doubts.is_empty())
            .then(|| format!("{} {}：{}", words::DOUBTFUL.0, words::DOUBTFUL.1, row.doubts.join("；")));
        self.down += small * 0.5;
        if is_wide {
            let (second, third) = (margin + 88.0, margin + 215.0);
            self.down += value;
            let number = self.put(second, value, &row.value);
            self.put(second + number + 4.0, text, unit);
            self.put(margin, text, &format!("{chinese}{site}"));
            let lines = found.as_deref().map(|found| self.broken(found, text, width - margin - third));
            let top = self.down;
            for (nth, line) in lines.iter().flatten().enumerate() {
                if nth > 0 {
                    self.down += text * LEADING;
                }
                self.put(third, text, line);
            }
            let bottom = self.down;
            self.down = top + small * LEADING;
            self.put(margin, small, english);
            self.down = self.down.max(bottom);
            if let Some(doubts) = doubts {
                self.wrapped(&doubts, small);
            }
        } else {
            self.wrapped(&format!("{chinese}{site} {english}"), small * 1.1);
            self.down += value;
            let number = self.put(margin, value, &row.value);
            self.put(margin + number + 3.0, text, unit);
            for line in found.iter().chain(&doubts) {
                self.wrapped(line, small * 1.1);
            }
        }
        self.down += small * 0.5;
    }

    fn foot(&mut self, slip: &Slip, code: &QrCode) {
        let (text, small) = (self.sizes.text, self.sizes.small);
        if let Some(count) = slip.pressures {
            let (chinese, english) = words::mean(count);
            self.wrapped(&format!("{chinese} {english}"), small);
        }
        let mut sources: Vec<&str> =
            slip.rows.iter().filter_map(|row| row.found.map(|found| found.source)).collect();
        sources.sort_unstable();
        sources.dedup();
        if !sources.is_empty() && self.sizes.is_wide {
            let (chinese, english) = words::SOURCES;
            self.wrapped(&format!("{chinese} {english}：{}", sources.join("；")), small);
        }
        match slip.referred.as_slice() {
            [] => self.both(words::NO_DIAGNOSIS, text),
            [..] => {
                self.both(words::REFERRAL_HOW, text);
                self.down += text;
                self.wrapped(&format!("{} {}：____________", words::SIGNED.0, words::SIGNED.1), text);
                self.down += text * 0.5;
                self.wrapped(&format!("{} {}：____________", words::RECEIVED.0, words::RECEIVED.1), text);
            }
        }
        self.code(code);
        self.both(words::QR, small);
        self.wrapped(&format!("{} {} {}", words::MADE.0, words::MADE.1, slip.made), small);
    }

    /// The code, with a quiet zone of four modules (ISO/IEC 18004, clause 6.3.8).
    fn code(&mut self, code: &QrCode) {
        const QUIET: usize = 4;
        let side = self.sizes.code;
        self.ensure(side);
        #[expect(clippy::cast_precision_loss, reason = "a code has less than 200 rows")]
        let module = side / (code.width() + 2 * QUIET) as f32;
        let left = (self.sizes.width - side) / 2.0;
        let colours = code.to_colors();
        for (nth, _) in colours.iter().enumerate().filter(|(_, colour)| **colour == qrcode::Color::Dark) {
            let (row, column) = (nth / code.width(), nth % code.width());
            #[expect(clippy::cast_precision_loss, reason = "a code has less than 200 rows")]
            let (x, y) = (left + (column + QUIET) as f32 * module, self.down + (row + QUIET) as f32 * module);
            self.item(Item::Square { x, y, side: module });
        }
        self.down += side;
    }

    fn rule(&mut self) {
        self.down += self.sizes.small * 0.6;
        self.item(Item::Rule { y: self.down });
        self.down += self.sizes.small * 0.3;
    }

    /// A text in both languages.
    fn both(&mut self, (chinese, english): Text, size: f32) {
        self.wrapped(chinese, size);
        self.wrapped(english, size * 0.85);
    }

    fn line(&mut self, text: &str, size: f32) {
        self.ensure(size * LEADING);
        self.down += size * LEADING;
        self.put(self.sizes.margin, size, text);
    }

    fn wrapped(&mut self, text: &str, size: f32) {
        let most = self.sizes.width - 2.0 * self.sizes.margin;
        for line in self.broken(text, size, most) {
            self.line(&line, size);
        }
    }

    /// Begins a page unless so many points are left on this one.
    fn ensure(&mut self, height: f32) {
        if self.sizes.height.is_some_and(|page| self.down + height > page - self.sizes.margin) {
            self.pages.push(Vec::new());
            self.down = self.sizes.margin;
        }
    }

    fn item(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.push(item);
        }
    }

    /// Writes a text at the present height and returns its width.
    fn put(&mut self, x: f32, size: f32, text: &str) -> f32 {
        let (runs, width) = self.faces.set(text);
        self.item(Item::Text { x, y: self.down, size, runs });
        width * size
    }

    /// A text in lines of at most that width; words of Latin letters stay whole where they can.
    fn broken(&mut self, text: &str, size: f32, most: f32) -> Vec<String> {
        let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0.0);
        for character in text.chars() {
            let wide = self.faces.set(character.encode_utf8(&mut [0; 4])).1 * size;
            // What closes never begins a line (GB/T 15834-2011, clause 5.1).
            let is_closing = "，。；：、）？！”》,.;:)".contains(character);
            if used + wide > most && !line.is_empty() && !is_closing {
                let is_inside =
                    character.is_ascii_alphanumeric() && line.ends_with(|c: char| c.is_ascii_alphanumeric());
                let rest = match line.rfind(' ').filter(|_| is_inside) {
                    Some(space) => line.split_off(space).trim_start().to_owned(),
                    None => String::new(),
                };
                lines.push(std::mem::replace(&mut line, rest));
                used = self.faces.set(&line).1 * size;
            }
            if !(line.is_empty() && character == ' ') {
                line.push(character);
                used += wide;
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }
}
