//! The label of a node: a QR code with the same data as text.

use std::path::Path;

use anyhow::Context;
use qrcode::QrCode;
use qrcode::render::{svg, unicode};

use super::file::Entry;

/// Size of the code and of the label, in SVG units.
const CODE: u32 = 200;
const LABEL: (u32, u32) = (520, 230);

/// The code as text, for a terminal.
pub fn text(content: &str) -> anyhow::Result<String> {
    let code = QrCode::new(content).context("the label is too long for a QR code")?;
    Ok(code.render::<unicode::Dense1x2>().build() + "\n")
}

/// The label as SVG, to be printed 50 mm wide.
pub fn write_svg(path: &Path, content: &str, entry: &Entry<'_>) -> anyhow::Result<()> {
    let code = QrCode::new(content).context("the label is too long for a QR code")?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(CODE, CODE).build();
    // Without its prologue an SVG can be part of another one.
    let drawn = drawn.split_once("?>").map_or(drawn.as_str(), |(_, rest)| rest);
    let lines = [
        entry.id.to_owned(),
        entry.name.unwrap_or_default().to_owned(),
        entry.kind.zh.to_owned(),
        format!("地址 unit {}  线路 {}", entry.unit, entry.line),
        format!("序列号 {:016x}", entry.serial),
    ];
    let mut words = String::new();
    for (line, y) in lines.iter().filter(|line| !line.is_empty()).zip((45..).step_by(36)) {
        words.push_str(&format!("<text x=\"240\" y=\"{y}\">{}</text>\n", escaped(line)));
    }
    let (width, height) = LABEL;
    let label = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"50mm\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n<svg x=\"15\" y=\"15\" width=\"{CODE}\" height=\"{CODE}\">{drawn}</svg>\n\
         <g font-family=\"sans-serif\" font-size=\"20\">\n{words}</g>\n</svg>\n"
    );
    std::fs::write(path, label).with_context(|| format!("{} cannot be written", path.display()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_wire::kind::KINDS;

    #[test]
    fn a_label_is_one_drawing_with_everything_a_person_needs() {
        let entry = Entry {
            id: "fridge-node-1",
            name: Some("东厨 <1> & 2"),
            room: None,
            line: "kitchen",
            kind: &KINDS[0],
            unit: 5,
            serial: 0xA1B2,
            poll: "5s",
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        write_svg(file.path(), "LINLI-NODE:1;D=fridge-node-1", &entry).unwrap();
        let label = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!((label.matches("<?xml").count(), label.matches("</svg>").count()), (1, 3));
        for part in ["fridge-node-1", "东厨 &lt;1&gt; &amp; 2", "unit 5", "000000000000a1b2", "<path"] {
            assert!(label.contains(part), "{part}: {label}");
        }
        assert!(text("LINLI-NODE:1").unwrap().lines().count() > 10);
    }
}
