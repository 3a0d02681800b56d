//! Host names, as certificates and connections name machines.

/// Longest host name (RFC 1035, 2.3.4).
const LONGEST: usize = 253;

/// Whether a text is a host name (RFC 1123, 2.1).
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= LONGEST && text.split('.').all(is_label)
}

/// Whether a text is a host name or an address.
#[must_use]
pub fn is_name_or_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok() || is_name(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_letters_digits_and_inner_hyphens() {
        for good in ["box", "box-1.lan", "192.0.2.5", "2001:db8::5", "a.b.c"] {
            assert!(is_name_or_address(good), "{good}");
        }
        for bad in ["", "under_score", "-a", "a-", "a..b", "邻里", "a b", "https://box", "box:80"] {
            assert!(!is_name_or_address(bad), "{bad}");
        }
    }
}
