//! Encodings of texts.

use serde::Deserialize;

/// How a device writes characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// UTF-8 where the bytes are valid as such, else GBK.
    #[default]
    Detect,
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// GBK, and GB 18030, of which it is a part.
    Gbk,
    /// ISO 8859-1.
    #[serde(rename = "latin-1")]
    Latin1,
}

// === impl Encoding ===

impl Encoding {
    /// Returns the text; none when the bytes are not valid in this encoding.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        let utf8 = || std::str::from_utf8(bytes).ok().map(str::to_owned);
        let gbk = || {
            let decoded = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes);
            decoded.map(std::borrow::Cow::into_owned)
        };
        match self {
            Self::Detect => utf8().or_else(gbk),
            Self::Utf8 => utf8(),
            Self::Gbk => gbk(),
            Self::Latin1 => Some(bytes.iter().copied().map(char::from).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_they_were_written() {
        let (utf8, gbk) = ("冷库".as_bytes(), &[0xC0, 0xE4, 0xBF, 0xE2][..]);
        assert_eq!(Encoding::Detect.decode(utf8).as_deref(), Some("冷库"));
        assert_eq!(Encoding::Detect.decode(gbk).as_deref(), Some("冷库"));
        assert_eq!(Encoding::Gbk.decode(gbk).as_deref(), Some("冷库"));
        assert_eq!(Encoding::Utf8.decode(gbk), None);
        assert_eq!(Encoding::Latin1.decode(b"K\xFChlraum").as_deref(), Some("K\u{fc}hlraum"));
        assert_eq!(Encoding::Detect.decode(&[0xFF, 0xFF]), None);
        assert_eq!(Encoding::Detect.decode(b"plain").as_deref(), Some("plain"));
    }
}
