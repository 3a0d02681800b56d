//! Fonts of a slip: which has a character, how wide it is, and the subset that becomes part of the document.
//!
//! A subset is embedded as a CID font with the identity encoding (ISO 32000-1, clause 9.7), and with the characters of
//! its glyphs, so that the text can be searched and copied (clause 9.10.3).

use std::collections::{BTreeMap, BTreeSet};

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Finish, Name, Pdf, Rect, Ref, Str};
use ring::digest::{SHA256, digest};
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId, RawFace, Tag, name_id};

use super::NoSlip;

/// A font file: TrueType or OpenType, also a collection.
#[derive(Clone)]
pub struct FontFile {
    /// Its path, for messages.
    pub name: String,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// A part of a text in one font.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Index of the font.
    pub face: usize,
    /// Glyphs as two bytes each.
    pub glyphs: Vec<u8>,
}

/// Fonts, and what was used of them.
pub struct Faces<'d> {
    faces: Vec<Used<'d>>,
    missing: BTreeSet<char>,
}

struct Used<'d> {
    file: &'d FontFile,
    index: u32,
    face: Face<'d>,
    subset: GlyphRemapper,
    /// Characters and widths, in thousandths of the font size, of the glyphs of the subset.
    glyphs: BTreeMap<u16, (char, f32)>,
}

/// What PDF needs to know of the identity encoding.
const IDENTITY: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

// === impl Faces ===

impl<'d> Faces<'d> {
    /// Reads fonts. Of a collection, the face for simplified Chinese if it has one.
    pub fn parse(files: &'d [FontFile]) -> Result<Self, NoSlip> {
        let faces = files.iter().map(Used::parse).collect::<Result<_, _>>()?;
        Ok(Self { faces, missing: BTreeSet::new() })
    }

    /// The text in the fonts that have its characters, and its width as a multiple of the font size.
    pub fn set(&mut self, text: &str) -> (Vec<Run>, f32) {
        let (mut runs, mut width) = (Vec::<Run>::new(), 0.0);
        for character in text.chars().filter(|character| !is_invisible(*character)) {
            let Some((index, glyph, wide)) = self.glyph(character) else {
                self.missing.insert(character);
                continue;
            };
            width += wide;
            match runs.last_mut() {
                Some(run) if run.face == index => run.glyphs.extend(glyph.to_be_bytes()),
                _ => runs.push(Run { face: index, glyphs: glyph.to_be_bytes().to_vec() }),
            }
        }
        (runs, width)
    }

    /// Characters that no font has.
    pub fn missing(&self) -> Vec<char> {
        self.missing.iter().copied().collect()
    }

    fn glyph(&mut self, character: char) -> Option<(usize, u16, f32)> {
        self.faces.iter_mut().enumerate().find_map(|(index, used)| {
            let (glyph, width) = used.glyph(character)?;
            Some((index, glyph, width))
        })
    }

    /// Which fonts are used.
    pub fn used(&self) -> impl Iterator<Item = usize> + '_ {
        let is_used = |(index, used): (usize, &Used<'_>)| (!used.glyphs.is_empty()).then_some(index);
        self.faces.iter().enumerate().filter_map(is_used)
    }

    /// Writes the subset of a font, under five numbers from `ids`.
    pub fn embed(&self, index: usize, pdf: &mut Pdf, ids: [Ref; 5]) -> Result<(), NoSlip> {
        self.faces.get(index).map_or(Ok(()), |used| used.embed(pdf, ids))
    }
}

/// Characters that select a form or a direction and have no glyph of their own.
const fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0100}'..='\u{E01EF}')
}

// === impl Used ===

impl<'d> Used<'d> {
    fn parse(file: &'d FontFile) -> Result<Self, NoSlip> {
        let fail = |why: String| NoSlip::Font(file.name.clone(), why);
        let count = ttf_parser::fonts_in_collection(&file.data).unwrap_or(1);
        let parse = |index: u32| Face::parse(&file.data, index).map_err(|why| fail(why.to_string()));
        let mut chosen = (0, parse(0)?);
        for index in 1..count {
            let face = parse(index)?;
            if is_simplified(&face) {
                chosen = (index, face);
                break;
            }
        }
        let (index, face) = chosen;
        let (subset, glyphs) = (GlyphRemapper::new(), BTreeMap::new());
        Ok(Self { file, index, face, subset, glyphs })
    }

    fn glyph(&mut self, character: char) -> Option<(u16, f32)> {
        let GlyphId(glyph) = self.face.glyph_index(character).filter(|glyph| glyph.0 != 0)?;
        let advance = f32::from(self.face.glyph_hor_advance(GlyphId(glyph))?);
        let width = advance / f32::from(self.face.units_per_em());
        let new = self.subset.remap(glyph);
        self.glyphs.insert(new, (character, width * 1000.0));
        Some((new, width))
    }

    fn embed(
        &self,
        pdf: &mut Pdf,
        [font, cid, descriptor, program, unicode]: [Ref; 5],
    ) -> Result<(), NoSlip> {
        let fail = |why: String| NoSlip::Font(self.file.name.clone(), why);
        let subset = subsetter::subset(&self.file.data, self.index, &self.subset)
            .map_err(|why| fail(why.to_string()))?;
        // Compact fonts are embedded without the tables around them (ISO 32000-1, table 126).
        let compact = RawFace::parse(&subset, 0).ok().and_then(|raw| raw.table(Tag::from_bytes(b"CFF ")));
        let name = self.subset_name(&subset);
        let outer_name = if compact.is_some() { format!("{name}-Identity-H") } else { name.clone() };
        let mut outer = pdf.type0_font(font);
        outer.base_font(Name(outer_name.as_bytes())).encoding_predefined(Name(b"Identity-H"));
        outer.descendant_font(cid).to_unicode(unicode);
        outer.finish();
        let mut inner = pdf.cid_font(cid);
        inner.subtype(if compact.is_some() { CidFontType::Type0 } else { CidFontType::Type2 });
        inner.base_font(Name(name.as_bytes())).system_info(IDENTITY).font_descriptor(descriptor);
        inner.default_width(1000.0);
        if compact.is_none() {
            inner.cid_to_gid_map_predefined(Name(b"Identity"));
        }
        let mut widths = inner.widths();
        for (glyph, (_, width)) in &self.glyphs {
            widths.consecutive(*glyph, [*width]);
        }
        widths.finish();
        inner.finish();
        self.describe(pdf, &name, (descriptor, program), compact.is_some());
        match compact {
            Some(compact) => {
                pdf.stream(program, compact).pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
            }
            None => drop(pdf.stream(program, &subset)),
        }
        let mut characters = UnicodeCmap::new(Name(b"Custom"), IDENTITY);
        for (glyph, (character, _)) in &self.glyphs {
            characters.pair(*glyph, *character);
        }
        pdf.cmap(unicode, &characters.finish());
        Ok(())
    }

    fn describe(&self, pdf: &mut Pdf, name: &str, (descriptor, program): (Ref, Ref), is_compact: bool) {
        let scale = |units: i16| f32::from(units) * 1000.0 / f32::from(self.face.units_per_em());
        let bounds = self.face.global_bounding_box();
        let mut about = pdf.font_descriptor(descriptor);
        about.name(Name(name.as_bytes())).flags(FontFlags::SYMBOLIC);
        about.bbox(Rect::new(
            scale(bounds.x_min),
            scale(bounds.y_min),
            scale(bounds.x_max),
            scale(bounds.y_max),
        ));
        about.italic_angle(0.0).ascent(scale(self.face.ascender())).descent(scale(self.face.descender()));
        about.cap_height(scale(self.face.capital_height().unwrap_or(self.face.ascender()))).stem_v(80.0);
        if is_compact {
            about.font_file3(program);
        } else {
            about.font_file2(program);
        }
        about.finish();
    }

    /// The name of the font with the tag of a subset: six letters, by its contents (ISO 32000-1, clause 9.6.4).
    fn subset_name(&self, subset: &[u8]) -> String {
        let hash = digest(&SHA256, subset);
        let tag: String = hash.as_ref().iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect();
        let own = named(&self.face, name_id::POST_SCRIPT_NAME).unwrap_or_else(|| "Font".to_owned());
        format!("{tag}+{}", own.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', ""))
    }
}

fn named(face: &Face<'_>, id: u16) -> Option<String> {
    face.names().into_iter().filter(|name| name.name_id == id).find_map(|name| name.to_string())
}

/// Whether a face of a collection has the forms of simplified Chinese.
fn is_simplified(face: &Face<'_>) -> bool {
    let is_it = |name: &str| name.contains(" SC") || name.contains("-SC") || name.contains("CJKsc");
    let names = face.names().into_iter().filter_map(|name| name.to_string());
    names.into_iter().any(|name| is_it(&name))
}
