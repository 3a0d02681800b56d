//! The table `[enrolment]` of `district.toml`, checked.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::authority::{self, Authority};
use crate::certificates::{MqttVersion, Settings};
use serde::Deserialize;

/// Whose messages are stored.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enrolment {
    /// Whether only gateways that were added with `linli-district centre add` are heard. Without it whoever reaches the
    /// broker can add centres.
    pub required: bool,
    /// Private key and certificate of the authority for gateways, PEM in one file. With it `linli-district centre add`
    /// gives out codes for certificates.
    pub authority: Option<PathBuf>,
    /// What gateways trust at the broker and at `url`: certificate of their authority, PEM.
    pub trust: Option<PathBuf>,
    /// Addresses of the broker as gateways reach it, `mqtts://HOST:PORT`.
    pub brokers: Vec<String>,
    /// Address of this program as gateways reach it, `https://HOST:PORT`.
    pub url: Option<String>,
    /// Address and port of a listener of its own that gives gateways their certificates and nothing else.
    pub listen: Option<String>,
    /// Its certificate and key, PEM; without them those of `web`.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// Folder where the broker's `acl_file` (`rules`) and `crlfile` (`void.pem`) are kept up to date.
    pub broker_files: Option<PathBuf>,
}

/// Certificate and key.
type Files = (PathBuf, PathBuf);

/// What the table holds.
#[derive(Debug, Default)]
pub struct Parts {
    /// What signs the certificates of gateways.
    pub certificates: Option<Settings>,
    /// Where gateways alone are answered.
    pub gateways: Option<(SocketAddr, Option<Files>)>,
    /// Folder of the broker's files.
    pub broker_files: Option<PathBuf>,
}

impl Default for Enrolment {
    fn default() -> Self {
        Self {
            required: true,
            authority: None,
            trust: None,
            brokers: Vec::new(),
            url: None,
            listen: None,
            certificate: None,
            key: None,
            broker_files: None,
        }
    }
}

/// Checks the table; `web` are certificate and key of the screens' listener.
pub fn check(given: &Enrolment, web: Option<&Files>, dir: &Path, wrong: &mut Vec<String>) -> Parts {
    let certificates = certificates(given, dir, wrong);
    let gateways = listener(given, web, dir, wrong);
    let broker_files = given.broker_files.as_ref().map(|path| dir.join(path));
    if let Some(path) = broker_files.as_ref().filter(|path| !path.is_dir()) {
        wrong.push(format!("enrolment.broker_files: {} is no folder; make it", path.display()));
    }
    Parts { certificates, gateways, broker_files }
}

fn certificates(given: &Enrolment, dir: &Path, wrong: &mut Vec<String>) -> Option<Settings> {
    let Some(path) = &given.authority else {
        let others =
            [given.trust.is_some(), !given.brokers.is_empty(), given.url.is_some(), given.listen.is_some()];
        if others.contains(&true) {
            let how = "enrolment.authority: is missing; trust, brokers, url and listen are for the certificates that it signs";
            wrong.push(how.to_owned());
        }
        return None;
    };
    let authority =
        Authority::read(&dir.join(path)).map_err(|why| wrong.push(format!("enrolment.authority: {why}")));
    let Some(trust) = &given.trust else {
        wrong.push(
            "enrolment.trust: is missing: the certificate that gateways trust at the broker, PEM".to_owned(),
        );
        return None;
    };
    let read = std::fs::read_to_string(dir.join(trust)).map_err(|error| error.to_string());
    let read = read.and_then(|text| authority::fingerprint(&text).map(|fingerprint| (text, fingerprint)));
    let read =
        read.map_err(|why| wrong.push(format!("enrolment.trust: {}: {why}", dir.join(trust).display())));
    if given.brokers.is_empty() {
        wrong.push(
            "enrolment.brokers: is empty; write [\"mqtts://HOST:PORT\"] as gateways reach the broker"
                .to_owned(),
        );
    }
    for url in given.brokers.iter().filter(|url| !is_address(url, "mqtts://")) {
        wrong.push(format!("enrolment.brokers: {url:?} is not mqtts://HOST:PORT"));
    }
    if let Some(url) = given.url.as_ref().filter(|url| !is_address(url, "https://") && !is_here(url)) {
        wrong.push(format!("enrolment.url: {url:?} is not https://HOST:PORT"));
    }
    let (Ok(authority), Ok((trust, fingerprint))) = (authority, read) else { return None };
    Some(Settings {
        authority: Arc::new(authority),
        trust,
        fingerprint,
        brokers: given.brokers.clone(),
        version: MqttVersion::default(),
        url: given.url.clone(),
    })
}

fn listener(
    given: &Enrolment,
    web: Option<&Files>,
    dir: &Path,
    wrong: &mut Vec<String>,
) -> Option<(SocketAddr, Option<Files>)> {
    let files = match (&given.certificate, &given.key) {
        (Some(certificate), Some(key)) => Some((dir.join(certificate), dir.join(key))),
        (None, None) => web.cloned(),
        _ => {
            wrong.push("enrolment.certificate: needs enrolment.key, and the other way round".to_owned());
            None
        }
    };
    let text = given.listen.as_ref()?;
    let Ok(address) = text.parse::<SocketAddr>() else {
        wrong.push(format!("enrolment.listen: {text:?} is not an address such as 0.0.0.0:8443"));
        return None;
    };
    if let Some(why) = files.as_ref().and_then(|(certificate, key)| crate::tls::read(certificate, key).err())
    {
        wrong.push(format!("enrolment.certificate: {why}"));
    }
    if !address.ip().is_loopback() && files.is_none() {
        wrong.push(format!(
            "enrolment.listen: {address} is not loopback; it needs enrolment.certificate and enrolment.key"
        ));
    }
    Some((address, files))
}

fn is_address(url: &str, scheme: &str) -> bool {
    let host = url.strip_prefix(scheme).map(|rest| rest.trim_end_matches('/'));
    host.is_some_and(|host| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_[]:".contains(c))
    })
}

/// Plain, on this machine: for trying it out.
fn is_here(url: &str) -> bool {
    is_address(url, "http://127.0.0.1:") || is_address(url, "http://localhost:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, dir: &Path) -> (Parts, Vec<String>) {
        let given: Enrolment = toml::from_str(text).expect("it parses");
        let mut wrong = Vec::new();
        (check(&given, None, dir, &mut wrong), wrong)
    }

    #[test]
    fn every_mistake_has_its_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let (_, wrong) = checked("url = \"https://d\"\n", dir.path());
        assert!(wrong[0].contains("enrolment.authority: is missing"), "{wrong:?}");
        let text = authority::for_tests();
        let file = dir.path().join("a.pem");
        std::fs::write(&file, &text).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        let given = "authority = \"a.pem\"\ntrust = \"no.pem\"\nbrokers = [\"mqtt://b\"]\nurl = \"ftp://d\"\n\
            listen = \"0.0.0.0:8443\"\nbroker_files = \"none\"\nkey = \"k\"\n";
        let (_, wrong) = checked(given, dir.path());
        for words in [
            "chmod 600",
            "enrolment.trust",
            "mqtts://HOST:PORT",
            "https://HOST:PORT",
            "not loopback",
            "no folder",
            "needs enrolment.key",
        ] {
            assert!(wrong.iter().any(|line| line.contains(words)), "{words} is not in {wrong:?}");
        }
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let given = "authority = \"a.pem\"\ntrust = \"a.pem\"\nbrokers = [\"mqtts://b:8884\"]\nurl = \"https://d:8443\"\n";
        let (parts, wrong) = checked(given, dir.path());
        assert_eq!(wrong, Vec::<String>::new());
        assert_eq!(parts.certificates.unwrap().fingerprint.len(), 95);
        // It does not show the key.
        assert!(!format!("{:?}", checked(given, dir.path()).0).contains("PRIVATE"));
    }
}
