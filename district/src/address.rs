//! Addresses of PostgreSQL with several hosts, as libpq reads them (PostgreSQL 15, 34.1.1.3 "Specifying Multiple Hosts").

/// Splits an address with several hosts into one of each.
#[must_use]
pub fn addresses(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.to_owned()] };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let tail = without_session_attributes(tail);
    hosts.split(',').map(|host| format!("{scheme}://{user}{host}{tail}")).collect()
}

/// The value of a parameter of an address.
#[must_use]
pub fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// libpq's `target_session_attrs` says what is done here in any case.
fn without_session_attributes(tail: &str) -> String {
    let Some((path, query)) = tail.split_once('?') else { return tail.to_owned() };
    let kept: Vec<&str> =
        query.split('&').filter(|pair| !pair.starts_with("target_session_attrs=")).collect();
    match kept.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", kept.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_are_one_address_each() {
        let url =
            "postgres://linli@one:5433,two.example/linli?target_session_attrs=read-write&sslmode=verify-full";
        assert_eq!(
            addresses(url),
            [
                "postgres://linli@one:5433/linli?sslmode=verify-full",
                "postgres://linli@two.example/linli?sslmode=verify-full"
            ]
        );
        assert_eq!(addresses("postgres://a@b/c?target_session_attrs=any"), ["postgres://a@b/c".to_owned()]);
        let socket = "postgres://linli-district@%2Fvar%2Frun%2Fpostgresql/linli";
        assert_eq!(addresses(socket), [socket]);
        assert_eq!(parameter(url, "sslmode"), Some("verify-full"));
        assert_eq!(parameter(socket, "sslmode"), None);
    }
}
