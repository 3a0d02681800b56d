//! The names and addresses that the gateway's certificate is valid for.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use linli_config::{Checked, host};

/// Addresses for documentation (RFC 5737, RFC 3849): nothing is sent to them.
const ELSEWHERE: [&str; 2] = ["192.0.2.1:9", "[2001:db8::1]:9"];

/// Names and addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(BTreeSet<String>);

// === impl Names ===

impl Names {
    /// The names of a configuration on a machine: the centre, the machine, the loopback and local addresses, the
    /// addresses listened on, and those of `[web] names`.
    #[must_use]
    pub fn of(checked: &Checked, local: &[IpAddr]) -> Self {
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let centre = checked.centre.id.as_str();
        let names =
            [machine.clone(), format!("{machine}.local"), centre.to_owned(), format!("{centre}.local")];
        let listened = checked.lines.iter().filter_map(|line| match line.plan.exclusive() {
            Some(("listen", address)) => address.parse::<SocketAddr>().ok(),
            _ => None,
        });
        let listened = listened.chain([checked.web.listen]).map(|address| address.ip());
        let own = [IpAddr::from([127, 0, 0, 1]), IpAddr::from(std::net::Ipv6Addr::LOCALHOST)];
        let addresses = listened.chain(own).chain(local.iter().copied()).filter(|ip| !ip.is_unspecified());
        let names =
            names.into_iter().chain(["localhost".to_owned()]).chain(checked.web.names.iter().cloned());
        let addresses = addresses.map(|address| address.to_canonical().to_string());
        Self::from_iter(names.chain(addresses))
    }

    /// These and further addresses.
    #[must_use]
    pub fn with(self, local: &[IpAddr]) -> Self {
        Self::from_iter(self.0.into_iter().chain(local.iter().map(IpAddr::to_string)))
    }

    /// All of them, as text.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Those that are not in `held`.
    pub(crate) fn missing(&self, held: &[String]) -> Vec<String> {
        self.iter().filter(|name| !held.iter().any(|other| other == name)).map(str::to_owned).collect()
    }
}

impl FromIterator<String> for Names {
    /// Keeps addresses and host names (RFC 1123, 2.1) and drops the rest, in lower case.
    fn from_iter<T: IntoIterator<Item = String>>(names: T) -> Self {
        let names = names.into_iter().map(|name| name.to_ascii_lowercase());
        Self(names.filter(|name| host::is_name_or_address(name)).collect())
    }
}

/// The addresses by which this machine reaches others; none without a network. Nothing is sent.
#[must_use]
pub fn local_addresses() -> Vec<IpAddr> {
    let address = |elsewhere: &&str| {
        let any = if elsewhere.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(elsewhere).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    };
    ELSEWHERE.iter().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_host_name_is_left_out() {
        let given = ["Box-1", "box.lan", "192.0.2.5", "2001:db8::5", "under_score", "-a", "a..b", "", "邻里"];
        let names: Names = given.into_iter().map(str::to_owned).collect();
        assert_eq!(names.iter().collect::<Vec<_>>(), ["192.0.2.5", "2001:db8::5", "box-1", "box.lan"]);
        assert_eq!(names.missing(&["box.lan".to_owned()]), ["192.0.2.5", "2001:db8::5", "box-1"]);
    }
}
