//! Connections without encryption: allowed within this machine; off it only where the configuration says why, in
//! the key `insecure` of that listener or connection. The reason is shown wherever the gateway shows its state.

use std::net::IpAddr;

/// Shortest reason in characters: one that says something.
const SHORTEST: usize = 8;

/// Longest reason in characters.
const LONGEST: usize = 200;

/// What is wrong with the key `insecure`, or with an address without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insecure {
    /// The key at fault.
    pub key: &'static str,
    /// What is wrong and how to mend it.
    pub message: String,
}

/// Whether a host is this machine.
#[must_use]
pub fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The host of an address with a scheme, without user and port; `None` when it has none.
#[must_use]
pub fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '\\', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(address) => address.split_once(']')?.0,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

/// Checks the reason of a connection that is not encrypted, whose address is in `key`.
///
/// # Errors
/// When other machines are involved and no reason is given, when one is given without need, or when it says
/// nothing. `instead` says what would be secure.
pub fn check(reason: Option<&str>, is_here: bool, key: &'static str, instead: &str) -> Result<(), Insecure> {
    let Some(reason) = reason else {
        let message = format!(
            "goes over the network without encryption: everybody there can read and change it; {instead}, or say why \
             it is acceptable here: insecure = \"because …\""
        );
        return if is_here { Ok(()) } else { Err(Insecure { key, message }) };
    };
    if is_here {
        let message = "is not needed: nothing leaves this machine unencrypted here; leave it out".to_owned();
        return Err(Insecure { key: "insecure", message });
    }
    let length = reason.trim().chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) || reason.chars().any(char::is_control) {
        let message = format!(
            "must say in {SHORTEST} to {LONGEST} characters why it is acceptable here, such as \"because the monitors \
             have a switch of their own\""
        );
        return Err(Insecure { key: "insecure", message });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_needs_no_reason() {
        for here in ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"] {
            assert!(is_here(here), "{here}");
        }
        for (url, host) in [
            ("http://127.0.0.1:8080/a", "127.0.0.1"),
            ("http://[::1]:8080", "::1"),
            ("https://sms.example?a=b", "sms.example"),
            ("http://localhost@sms.example/", "sms.example"),
            ("http://localhost.sms.example", "localhost.sms.example"),
            ("http://127.sms.example", "127.sms.example"),
        ] {
            assert_eq!(host_of(url), Some(host), "{url}");
        }
        for none in ["127.0.0.1", "http://", "http:///a", "http://[::1", "http://:80/"] {
            assert_eq!(host_of(none), None, "{none}");
        }
        for elsewhere in ["0.0.0.0", "::", "192.0.2.1", "localhost.example", "broker", ""] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
        let key = |reason: Option<&str>, is_here| check(reason, is_here, "listen", "x").err().map(|e| e.key);
        assert_eq!(key(None, true), None);
        assert_eq!(key(None, false), Some("listen"));
        assert_eq!(key(Some("because it is a test"), false), None);
        assert_eq!(key(Some("监护仪使用独立的交换机"), false), None);
        assert_eq!(key(Some("because it is a test"), true), Some("insecure"));
        for reason in ["", "because", "          ", "because\u{7} it is"] {
            assert_eq!(key(Some(reason), false), Some("insecure"), "{reason:?}");
        }
    }
}
