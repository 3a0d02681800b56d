//! The sheet for the wall: by which fingerprint people recognise the centre's authority, as text and as a code for
//! phones.

use crate::pdf;
use crate::sheet::Sheet;

/// What the sheet says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Name of the centre.
    pub centre: String,
    /// SHA-256 fingerprint, pairs of hexadecimal digits with colons between them.
    pub fingerprint: String,
    /// Further lines: names, end of the validity.
    pub lines: Vec<String>,
    /// The code, row by row; `true` is dark.
    pub code: Vec<Vec<bool>>,
}

/// Returns the sheet as PDF.
#[must_use]
pub fn fingerprint_sheet(fingerprint: &Fingerprint) -> Vec<u8> {
    let half = fingerprint.fingerprint.len() / 2;
    let (first, second) =
        fingerprint.fingerprint.split_at_checked(half).unwrap_or((&fingerprint.fingerprint, ""));
    let mut signature = vec![
        "首次连接时，请核对证书指纹 (SHA-256) 与下文完全一致。".to_owned(),
        "Compare this SHA-256 fingerprint at the first connection; trust the authority only if it is the same.".to_owned(),
        String::new(),
        first.to_owned(),
        second.to_owned(),
        String::new(),
    ];
    signature.extend(fingerprint.lines.iter().cloned());
    let title = format!("{} · 证书指纹 Certificate fingerprint", fingerprint.centre);
    pdf::with_code(&Sheet { title, signature, sections: Vec::new() }, &fingerprint.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_a_square_and_every_digit_is_printed() {
        let code = vec![vec![true, false, true], vec![false, true, false], vec![true, true, true]];
        let dark = code.iter().flatten().filter(|dark| **dark).count();
        let fingerprint = "AB:CD:EF:01".to_owned();
        let sheet =
            Fingerprint { centre: "星河".to_owned(), fingerprint, lines: vec!["x".to_owned()], code };
        let bytes = fingerprint_sheet(&sheet);
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("%PDF-"));
        assert_eq!(text.matches(" re\n").count(), dark, "{text}");
        // A text as the page shows it.
        let shown = |text: &str| {
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let mut content = pdf_writer::Content::new();
            content.show(pdf_writer::Str(&wide));
            content.finish().to_vec()
        };
        for part in ["AB:CD", ":EF:01"] {
            let part = shown(part);
            assert!(bytes.windows(part.len()).any(|window| window == part), "the digits are there");
        }
    }
}
