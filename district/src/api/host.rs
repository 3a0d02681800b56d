//! Only requests for one of the district's own names are answered: a page of another site that a browser here has open
//! could otherwise reach loopback under a name of its own (DNS rebinding).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Problem;

/// Names of this machine to itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Names under which a proxy passes requests on, as in `web.hosts`.
pub type Names = Arc<Vec<String>>;

/// Passes a request on whose `Host` is one of ours.
pub async fn guard(State(names): State<Names>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has the name in the address of the request instead.
    let host = host.or_else(|| request.uri().host());
    if host.is_some_and(|host| is_own(host, &names)) {
        return next.run(request).await;
    }
    let zh = "Host 不是本平台的名字；如由代理转发，请写入 district.toml 的 web.hosts";
    let en = "the Host is no name of this district; that of a proxy belongs into web.hosts of district.toml";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, zh, en).into_response()
}

/// Whether a `Host`, with or without a port, is one of these names, a name of loopback, or an address.
fn is_own(host: &str, names: &[String]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    // An address is no name that another site could point here.
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    if address.parse::<std::net::IpAddr>().is_ok() && (address == name) != address.contains(':') {
        return true;
    }
    LOOPBACK.into_iter().chain(names.iter().map(String::as_str)).any(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_are_answered() {
        let names = ["district.example".to_owned()];
        for own in [
            "localhost",
            "LOCALHOST:8090",
            "127.0.0.1:8090",
            "[::1]:80",
            "[::1]",
            "District.Example:443",
            "10.1.2.3:8443",
        ] {
            assert!(is_own(own, &names), "{own}");
        }
        for foreign in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "::1",
            "[::1",
            "localhost:x",
        ] {
            assert!(!is_own(foreign, &names), "{foreign}");
        }
    }
}
