//! Texts of devices without the characters that act on a terminal, a log, a table or the order of letters.

use std::borrow::Cow;

/// Removes control characters (C0, C1, DEL) and those that change the direction or the end of a line of what
/// stands beside them; a tab or the end of a line becomes a blank.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_active) {
        return Cow::Borrowed(text);
    }
    let shown = |letter: char| match letter {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some(' '),
        letter if is_active(letter) => None,
        letter => Some(letter),
    };
    Cow::Owned(text.chars().filter_map(shown).collect())
}

/// Whether a character does something instead of being shown.
fn is_active(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_removed_and_what_is_shown_stays() {
        for plain in ["", "缺纸 no paper", "°C µg/m³ ½", "a\u{200d}b"] {
            assert!(matches!(printable(plain), Cow::Borrowed(text) if text == plain), "{plain:?}");
        }
        assert_eq!(printable("\u{1b}[2J清屏\0\u{7}"), "[2J清屏");
        assert_eq!(printable("a\r\nb\tc"), "a  b c");
        assert_eq!(printable("\u{9b}31m\u{7f}x\u{85}"), "31mx");
        assert_eq!(printable("\u{feff}abc\u{202e}gpj.exe\u{2066}\u{2028}"), "abcgpj.exe ");
    }
}
