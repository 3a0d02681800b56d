//! Drawings that lie below the map (SVG 1.1): read once, and written anew from what is known to be harmless.
//!
//! Nothing of the file itself reaches a browser. What draws lines, areas and text is copied with the attributes of its
//! appearance; what a drawing program adds for itself is left out; what could run, load, refer to something or hide a part is
//! refused with its line, because without it the drawing would not be what its author saw.

use std::fmt::Write;
use std::ops::Range;

use quick_xml::XmlVersion;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Largest file in bytes: a floor plan has some ten kilobytes.
pub const LARGEST: usize = 512 * 1024;

/// Most elements: a browser must draw them each time the map is shown.
const MOST: usize = 20_000;

/// Deepest nesting.
const DEEPEST: usize = 64;

/// Elements that are kept.
const DRAWN: [&str; 12] = [
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "title",
];

/// Elements that are left out with everything in them: nothing of them is drawn.
const LEFT_OUT: [&str; 3] = ["metadata", "desc", "defs"];

/// Attributes that are kept, also when they stand in `style`.
const KEPT: [&str; 41] = [
    "cx",
    "cy",
    "d",
    "dominant-baseline",
    "dx",
    "dy",
    "fill",
    "fill-opacity",
    "fill-rule",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "letter-spacing",
    "opacity",
    "paint-order",
    "points",
    "r",
    "rx",
    "ry",
    "stroke",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-opacity",
    "stroke-width",
    "text-anchor",
    "transform",
    "vector-effect",
    "width",
    "word-spacing",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
    "visibility",
];

/// Attributes that hide or cut a part, or take it from elsewhere.
const REFERRING: [&str; 7] =
    ["clip-path", "mask", "filter", "marker-start", "marker-mid", "marker-end", "href"];

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Place in the text.
    pub place: Range<usize>,
    /// What is wrong, and how to mend it.
    pub message: String,
}

/// Reads a drawing and writes it anew; it fills whatever it is put into.
///
/// # Errors
/// What is not allowed, with its place.
pub fn clean(text: &str) -> Result<String, Wrong> {
    if text.len() > LARGEST {
        let message = format!(
            "is {} KiB long; at most {} KiB are read: leave out what the map does not need",
            text.len() / 1024,
            LARGEST / 1024
        );
        return Err(Wrong { place: 0..0, message });
    }
    let mut reader = Reader::from_str(text);
    let mut cleaning = Cleaning::default();
    loop {
        let begin = usize::try_from(reader.buffer_position()).unwrap_or_default();
        let event = reader.read_event();
        let end = usize::try_from(reader.buffer_position()).unwrap_or_default();
        let at = |message: String| Wrong { place: begin..end, message };
        let done = match event.map_err(|error| at(format!("is no XML: {error}")))? {
            Event::Start(start) => cleaning.open(&start, false),
            Event::Empty(start) => cleaning.open(&start, true),
            Event::End(_) => {
                cleaning.close();
                Ok(())
            }
            Event::Text(text) => {
                cleaning.write(&text.xml10_content());
                Ok(())
            }
            Event::CData(text) => {
                cleaning.write(&text.xml10_content());
                Ok(())
            }
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => {
                    cleaning.write(character.encode_utf8(&mut [0; 4]));
                    Ok(())
                }
                _ => match resolve_predefined_entity(&reference.xml10_content()) {
                    Some(text) => {
                        cleaning.write(text);
                        Ok(())
                    }
                    None => Err("has an entity of its own; write its text".to_owned()),
                },
            },
            Event::DocType(_) => Err("has a document type (<!DOCTYPE …>); take that line out".to_owned()),
            Event::PI(_) => {
                Err("refers to a style sheet or something else (<?…?>); take that line out".to_owned())
            }
            Event::Decl(_) | Event::Comment(_) => Ok(()),
            Event::Eof => break,
        };
        done.map_err(at)?;
    }
    cleaning.end().map_err(|message| Wrong { place: 0..0, message })
}

/// What has been read so far.
#[derive(Default)]
struct Cleaning {
    out: String,
    /// Names of the elements that are open.
    open: Vec<String>,
    /// Open elements that are left out.
    skipped: usize,
    count: usize,
    is_drawn: bool,
}

// === impl Cleaning ===

impl Cleaning {
    fn open(&mut self, start: &BytesStart<'_>, is_empty: bool) -> Result<(), String> {
        let name = start.name().as_ref().to_owned();
        self.count += 1;
        if self.count > MOST {
            return Err(format!("has more than {MOST} elements; simplify it"));
        }
        if self.open.len() + self.skipped >= DEEPEST {
            return Err(format!("has elements within more than {DEEPEST} others; ungroup them"));
        }
        let own = name.strip_prefix("svg:").unwrap_or(&name);
        // A drawing program's own elements have a prefix, and draw nothing.
        if self.skipped > 0 || LEFT_OUT.contains(&own) || own.contains(':') {
            self.skipped += usize::from(!is_empty);
            return Ok(());
        }
        if self.open.is_empty() && (own != "svg" || !self.out.is_empty()) {
            return Err(format!("begins with <{own}>; it must be one <svg>"));
        }
        if !DRAWN.contains(&own) {
            return Err(refused(own));
        }
        let root = self.open.is_empty().then(|| size(start)).transpose()?;
        let _ = write!(self.out, "<{own}");
        match root {
            Some([x, y, w, h]) => {
                let _ = write!(
                    self.out,
                    " xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{x} {y} {w} {h}\" preserveAspectRatio=\"none\""
                );
            }
            None => self.attributes(start)?,
        }
        self.is_drawn |= !["svg", "g", "title"].contains(&own);
        self.out.push_str(if is_empty { "/>" } else { ">" });
        if !is_empty {
            self.open.push(own.to_owned());
        }
        Ok(())
    }

    fn attributes(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        let mut written: Vec<(String, String)> = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| format!("has a wrong attribute: {error}"))?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| format!("has a wrong attribute: {error}"))?;
            let name = attribute.key.as_ref();
            let own = name.rsplit(':').next().unwrap_or(name);
            if own.to_ascii_lowercase().starts_with("on") {
                return Err(format!("has {name}, which runs a script; take it out"));
            }
            if REFERRING.contains(&own) && value.trim() != "none" {
                return Err(format!(
                    "has {name}, which refers to something else; draw it out, or take it out"
                ));
            }
            match name {
                "style" => {
                    for (property, value) in value.split(';').filter_map(|one| one.split_once(':')) {
                        keep(property.trim(), value.trim(), &mut written)?;
                    }
                }
                name => keep(name, &value, &mut written)?,
            }
        }
        for (name, value) in written {
            let _ = write!(self.out, " {name}=\"{}\"", escape(value.as_str()));
        }
        Ok(())
    }

    fn close(&mut self) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else if let Some(name) = self.open.pop() {
            let _ = write!(self.out, "</{name}>");
        }
    }

    /// Text is kept where it is shown.
    fn write(&mut self, text: &str) {
        let is_shown =
            self.open.last().is_some_and(|name| ["text", "tspan", "title"].contains(&name.as_str()));
        if is_shown && self.skipped == 0 {
            self.out.push_str(&escape(text));
        }
    }

    fn end(self) -> Result<String, String> {
        match (self.open.is_empty(), self.is_drawn) {
            (false, _) => Err("ends too early".to_owned()),
            (true, false) => Err("draws nothing; save it as SVG with its lines".to_owned()),
            (true, true) => Ok(self.out),
        }
    }
}

/// Keeps an attribute or a property of `style`; a later one wins, as in CSS.
fn keep(name: &str, value: &str, written: &mut Vec<(String, String)>) -> Result<(), String> {
    let value = value.trim_end_matches("!important").trim();
    let lower = value.to_ascii_lowercase();
    if lower.contains("url(") || lower.contains("javascript:") || lower.contains("expression(") {
        return Err(format!("has {name} = {value:?}, which refers to something else; use a plain colour"));
    }
    if REFERRING.contains(&name) && value != "none" {
        return Err(format!("has {name}, which refers to something else; draw it out, or take it out"));
    }
    if name == "display" && value == "none" {
        return keep("visibility", "hidden", written);
    }
    if KEPT.contains(&name) {
        written.retain(|(known, _)| known != name);
        written.push((name.to_owned(), value.to_owned()));
    }
    Ok(())
}

/// The view box of the root: x, y, width, height.
fn size(start: &BytesStart<'_>) -> Result<[f64; 4], String> {
    let value = |name: &str| {
        let found = start.attributes().flatten().find(|attribute| attribute.key.as_ref() == name);
        found.and_then(|attribute| {
            Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
        })
    };
    let numbers: Vec<f64> = match (value("viewBox"), value("width"), value("height")) {
        (Some(given), ..) => given
            .split([' ', ',', '\n', '\t'])
            .filter(|one| !one.is_empty())
            .filter_map(|one| one.parse().ok())
            .collect(),
        (None, Some(width), Some(height)) => {
            let plain = |text: String| text.trim().trim_end_matches("px").parse().ok();
            [Some(0.0), Some(0.0), plain(width), plain(height)].into_iter().flatten().collect()
        }
        _ => Vec::new(),
    };
    match numbers.as_slice() {
        &[x, y, w, h] if [x, y, w, h].iter().all(|one| one.abs() <= 1e6) && w > 0.0 && h > 0.0 => {
            Ok([x, y, w, h])
        }
        _ => Err("has no size: <svg> needs viewBox=\"0 0 WIDTH HEIGHT\", four numbers, the last two above 0"
            .to_owned()),
    }
}

/// Why an element is refused, and what to do instead.
fn refused(name: &str) -> String {
    let why = match name {
        "script" | "handler" => "a drawing runs no scripts; take it out",
        "foreignObject" | "iframe" | "embed" | "object" | "audio" | "video" => {
            "a drawing holds no other documents; take it out"
        }
        "image" => "a drawing holds no pictures: trace it, or draw its lines",
        "a" => "a drawing has no links; ungroup it",
        "use" | "symbol" => "a drawing refers to nothing: unlink the clones (Inkscape: Edit, Clone, Unlink)",
        "style" => {
            "write the appearance at each element (Inkscape: save as plain SVG; Illustrator: Styling, Presentation Attributes)"
        }
        "animate" | "set" | "animateTransform" | "animateMotion" => "a drawing does not move; take it out",
        _ => "this element is not known here: convert it to a path, or take it out",
    };
    format!("has <{name}>: {why}")
}
