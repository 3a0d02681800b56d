//! Writes a slip that is laid out as PDF (ISO 32000-1).

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::NoSlip;
use super::font::Faces;
use super::layout::{Item, Pages};
use super::words;

/// The document.
pub fn document(pages: &Pages, faces: &Faces<'_>) -> Result<Vec<u8>, NoSlip> {
    let mut next = Ref::new(1);
    let (catalog, tree, info) = (next.bump(), next.bump(), next.bump());
    let mut pdf = Pdf::new();
    let mut fonts = Vec::new();
    for index in faces.used() {
        let ids = [next.bump(), next.bump(), next.bump(), next.bump(), next.bump()];
        faces.embed(index, &mut pdf, ids)?;
        fonts.push((name(index), ids[0]));
    }
    let ids: Vec<(Ref, Ref)> = pages.pages.iter().map(|_| (next.bump(), next.bump())).collect();
    pdf.catalog(catalog).pages(tree);
    // No name, no time: who keeps the file sees its title in lists.
    pdf.document_info(info).title(TextStr(words::TITLE.0)).producer(TextStr("linli"));
    let count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(count);
    for ((page_id, content_id), items) in ids.iter().zip(&pages.pages) {
        let mut page = pdf.page(*page_id);
        page.media_box(Rect::new(0.0, 0.0, pages.width, pages.height)).parent(tree).contents(*content_id);
        let mut resources = page.resources();
        let mut named = resources.fonts();
        for (name, font) in &fonts {
            named.pair(Name(name.as_bytes()), *font);
        }
        named.finish();
        resources.finish();
        page.finish();
        pdf.stream(*content_id, &content(items, pages).finish());
    }
    Ok(pdf.finish())
}

fn name(index: usize) -> String {
    format!("F{index}")
}

fn content(items: &[Item], pages: &Pages) -> Content {
    let mut content = Content::new();
    let up = |y: f32| pages.height - y;
    for item in items {
        match item {
            Item::Text { x, y, size, runs } => {
                content.begin_text().next_line(*x, up(*y));
                for run in runs {
                    content.set_font(Name(name(run.face).as_bytes()), *size).show(Str(&run.glyphs));
                }
                content.end_text();
            }
            Item::Rule { y } => {
                content.set_line_width(0.6).move_to(pages.margin, up(*y));
                content.line_to(pages.width - pages.margin, up(*y)).stroke();
            }
            Item::Square { .. } => {}
        }
    }
    // One path for all squares: nothing may stand between its parts (ISO 32000-1, clause 8.2).
    let mut is_dark = false;
    for item in items {
        if let Item::Square { x, y, side } = item {
            content.rect(*x, up(*y) - side, *side, *side);
            is_dark = true;
        }
    }
    if is_dark {
        content.fill_nonzero();
    }
    content
}
