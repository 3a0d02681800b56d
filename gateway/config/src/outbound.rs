//! `[slip]` and `[fhir]` of gateway.toml: what leaves the health cabin.

use std::path::{Path, PathBuf};

use linli_domain::visit::Paper;
use linli_drivers::insecure::{self, host_of, is_here};
use linli_drivers::kiosk::ipp::http_or_https;

use super::diagnostics::{Diagnostics, keys};
use super::raw;
use super::raw::PaperWord;
use super::secret;
use crate::settings::fhir::FhirSettings;
use crate::settings::slip::{PrinterAddress, SlipSettings};

/// Checks `[slip]`. Without a directory, files are not looked for.
pub fn slip(
    raw: Option<&raw::Slip>,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> SlipSettings {
    let Some(raw) = raw else { return SlipSettings::default() };
    let paper = match raw.paper {
        Some(PaperWord::Roll80) => Paper::Roll80,
        Some(PaperWord::Roll58) => Paper::Roll58,
        Some(PaperWord::A5) | None => Paper::A5,
    };
    let printer = raw.printer.as_ref().and_then(|uri| printer(raw, uri, dir, diagnostics));
    if raw.printer.is_none() {
        for (key, is_given) in
            [("printer_ca", raw.printer_ca.is_some()), ("insecure", raw.insecure.is_some())]
        {
            if is_given {
                diagnostics.wrong(&keys(&["slip", key]), "is for a printer; give printer = \"ipps://…\"");
            }
        }
    }
    let mut fonts = SlipSettings::default().fonts;
    if let Some(given) = &raw.fonts {
        fonts =
            given.iter().map(|path| dir.map_or_else(|| PathBuf::from(path), |dir| dir.join(path))).collect();
        if given.is_empty() {
            diagnostics.wrong(&keys(&["slip", "fonts"]), "is empty: no slip could be set; leave it out");
        }
        for path in fonts.iter().filter(|path| dir.is_some() && !path.is_file()) {
            diagnostics
                .wrong(&keys(&["slip", "fonts"]), format!("{}: there is no such file", path.display()));
        }
    }
    SlipSettings { paper, printer, fonts }
}

fn printer(
    raw: &raw::Slip,
    uri: &str,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<PrinterAddress> {
    let at = |key: &str| keys(&["slip", key]);
    let Some((http, host)) = http_or_https(uri).zip(host_of(uri)) else {
        let message = format!("{uri:?} is not an address such as \"ipps://192.0.2.7/ipp/print\"");
        diagnostics.wrong(&at("printer"), message);
        return None;
    };
    let is_secure = uri.starts_with("ipps://");
    secured(
        "slip",
        ("printer", "use ipps://"),
        (is_secure, is_here(host)),
        raw.insecure.as_deref(),
        diagnostics,
    );
    let ca = certificates("slip", "printer_ca", (raw.printer_ca.as_deref(), is_secure), dir, diagnostics);
    Some(PrinterAddress { uri: uri.to_owned(), http, ca, insecure: raw.insecure.clone() })
}

/// Checks `[fhir]`.
pub fn fhir(
    raw: Option<&raw::Fhir>,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<FhirSettings> {
    let raw = raw?;
    let at = |key: &str| keys(&["fhir", key]);
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "@\\?#".contains(c);
    let is_secure = raw.url.starts_with("https://");
    let host = host_of(&raw.url).filter(|_| is_secure || raw.url.starts_with("http://"));
    match host.filter(|_| !raw.url.chars().any(is_odd)) {
        Some(host) => {
            let reason = raw.insecure.as_deref();
            secured("fhir", ("url", "use https://"), (is_secure, is_here(host)), reason, diagnostics);
        }
        None => {
            let message = format!(
                "{:?} is not an address such as \"https://fhir.example.org/fhir\", without a password",
                raw.url
            );
            diagnostics.wrong(&at("url"), message);
        }
    }
    if raw.consents.is_empty() && !raw.anonymous {
        let message = "is empty: nothing would be sent; name the versions of the consent text that allow it";
        diagnostics.wrong(&at("consents"), message);
    }
    let token = raw.token.as_ref().map(|reference| secret::read_private(reference, dir));
    let token = token.and_then(|read| read.map_err(|why| diagnostics.wrong(&at("token"), why)).ok());
    let ca = certificates("fhir", "ca", (raw.ca.as_deref(), is_secure), dir, diagnostics);
    Some(FhirSettings {
        url: raw.url.trim_end_matches('/').to_owned(),
        consents: raw.consents.clone(),
        names: raw.names,
        anonymous: raw.anonymous,
        token,
        ca,
        insecure: raw.insecure.clone(),
    })
}

/// Checks that a connection is encrypted, or stays on this machine, or says why not.
fn secured(
    table: &str,
    (key, instead): (&'static str, &str),
    (is_secure, is_here): (bool, bool),
    reason: Option<&str>,
    diagnostics: &mut Diagnostics<'_, '_>,
) {
    if is_secure {
        if reason.is_some() {
            diagnostics.wrong(&keys(&[table, "insecure"]), "is not needed: it is encrypted; leave it out");
        }
    } else if let Err(wrong) = insecure::check(reason, is_here, key, instead) {
        diagnostics.wrong(&keys(&[table, wrong.key]), wrong.message);
    }
}

/// The path of certificates to trust; they must be there.
fn certificates(
    table: &str,
    key: &str,
    (given, is_secure): (Option<&str>, bool),
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<PathBuf> {
    let given = given?;
    if !is_secure {
        diagnostics.wrong(&keys(&[table, key]), "is for an encrypted connection; this address has none");
    }
    let Some(dir) = dir else { return Some(PathBuf::from(given)) };
    let full = dir.join(given);
    if let Err(error) = std::fs::File::open(&full) {
        diagnostics.wrong(&keys(&[table, key]), secret::Finding::unread(&full, dir, &error));
    }
    Some(full)
}
