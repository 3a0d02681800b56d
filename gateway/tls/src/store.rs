//! The files of the certificates below the state directory: made when missing, renewed when due, replaced as a
//! whole.
//!
//! | file | content | mode |
//! |---|---|---|
//! | `tls/authority.pem` | private key and certificate of the centre's authority | 0600 |
//! | `tls/server.pem` | private key and certificate of the gateway, and the authority's certificate | 0600 |
//! | `tls/imported.pem` | private key and chain made elsewhere; used instead of `server.pem` | 0600 |
//!
//! Key and chain are one file, so that no moment exists in which they do not fit each other.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linli_config::files;
use linli_domain::Timestamp;
use rustls::sign::CertifiedKey;

use crate::authority::Authority;
use crate::certificate::{self, Certificate};
use crate::error::TlsError;
use crate::names::Names;
use linli_listen::pem;

/// A certificate of ours is renewed this long before its end.
const RENEW_BEFORE_MS: i64 = 60 * 86_400_000;

/// An imported certificate is warned of this long before its end: nobody but a person can renew it.
const WARN_BEFORE_MS: i64 = 30 * 86_400_000;

/// Longest file; a chain has a few kilobytes.
const LONGEST: u64 = 256 << 10;

/// The certificates of one state directory.
#[derive(Debug, Clone)]
pub struct CertificateStore {
    dir: PathBuf,
    centre: String,
}

/// The certificates in use.
#[derive(Debug, Clone)]
pub struct Present {
    /// The centre's authority.
    pub authority: Certificate,
    /// The authority's certificate as PEM.
    pub authority_pem: String,
    /// The gateway's certificate.
    pub server: Certificate,
    /// It was made elsewhere; nobody but a person renews it.
    pub is_imported: bool,
    /// Key and chain for connections.
    pub key: Arc<CertifiedKey>,
}

/// What the gateway shows of its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsStatus {
    /// End of its validity.
    pub not_after: Timestamp,
    /// The gateway's certificate.
    pub server: Certificate,
    /// The centre's authority.
    pub authority: Certificate,
    /// When it is renewed by itself; `None` for one made elsewhere, which a person renews.
    pub renews_at: Option<Timestamp>,
    /// What a person must do about it.
    pub concern: Option<String>,
    /// Why the files cannot be used, so that an earlier certificate stays in use.
    pub failure: Option<String>,
}

/// Why a certificate was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// There was none.
    First,
    /// It ends soon, or the clock went back behind its beginning.
    Due,
    /// It did not name these.
    Names(Vec<String>),
    /// The authority is not the one that signed it. Who trusts the earlier one refuses the new certificate.
    OtherAuthority,
    /// It could not be used.
    Damaged(String),
}

/// What tells that a file has changed: inode, length and time of the last change of each file.
pub type Stamps = [Option<(u64, u64, i64, i64)>; 3];

// === impl Renewal ===

impl std::fmt::Display for Renewal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::First => write!(f, "there was none"),
            Self::Due => write!(f, "the earlier one was near its end or not valid yet"),
            Self::Names(names) => write!(f, "the earlier one did not name {}", names.join(", ")),
            Self::OtherAuthority => write!(
                f,
                "another authority had signed the earlier one; clients that trust that authority need the present \
                 one: `linli tls show --authority`"
            ),
            Self::Damaged(why) => write!(f, "the earlier one {why}"),
        }
    }
}

// === impl Present ===

impl Present {
    /// Returns what a person must do about the certificate, if anything.
    #[must_use]
    pub fn concern(&self, now: Timestamp) -> Option<String> {
        if let Some(why) = self.server.is_void(now) {
            return Some(format!("the certificate {why}; {}", self.mend()));
        }
        let is_soon = self.is_imported && self.server.not_after.0 - now.0 < WARN_BEFORE_MS;
        is_soon.then(|| {
            let end = certificate::date(self.server.not_after);
            format!("the imported certificate expires on {end}; {}", self.mend())
        })
    }

    /// Whether [`CertificateStore::ensure`] would renew it for its age.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        !self.is_imported && is_old(&self.server, now)
    }

    /// What is shown of it.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> TlsStatus {
        let not_after = self.server.not_after;
        TlsStatus {
            not_after,
            server: self.server.clone(),
            authority: self.authority.clone(),
            renews_at: (!self.is_imported).then_some(Timestamp(not_after.0 - RENEW_BEFORE_MS)),
            concern: self.concern(now),
            failure: None,
        }
    }

    const fn mend(&self) -> &'static str {
        match self.is_imported {
            true => {
                "import a new one (`linli tls import`) or use the centre's own (`linli tls import --remove`)"
            }
            false => "`linli tls renew` makes a new one; check this machine's clock",
        }
    }
}

// === impl CertificateStore ===

impl CertificateStore {
    /// The certificates in the state directory of a centre's gateway.
    #[must_use]
    pub fn at(data_dir: &Path, centre: &str) -> Self {
        Self { dir: data_dir.join("tls"), centre: centre.to_owned() }
    }

    /// Returns the certificates; makes what is missing and renews what is due, and says why.
    ///
    /// # Errors
    /// When a file cannot be read, written or used; when others may read a private key.
    pub fn ensure(&self, names: &Names, now: Timestamp) -> Result<(Present, Option<Renewal>), TlsError> {
        self.make_directory()?;
        let authority = self.authority(now)?;
        if let Some(text) = self.read(&self.imported())? {
            let present = self.present(&authority, &text, true);
            return Ok((present.map_err(|why| TlsError::unusable(&self.imported(), why))?, None));
        }
        let held = self.read(&self.server())?;
        let present = held.map(|text| self.present(&authority, &text, false));
        let reason = match &present {
            None => Some(Renewal::First),
            Some(Err(why)) => Some(Renewal::Damaged(why.clone())),
            Some(Ok(present)) => due(present, &authority, names, now),
        };
        match (present, reason) {
            (Some(Ok(present)), None) => Ok((present, None)),
            (_, reason) => Ok((self.issue(&authority, names, now)?, reason)),
        }
    }

    /// Makes a new certificate of the gateway at once.
    ///
    /// # Errors
    /// When a file cannot be read or written; when others may read a private key.
    pub fn renew(&self, names: &Names, now: Timestamp) -> Result<Present, TlsError> {
        self.make_directory()?;
        self.issue(&self.authority(now)?, names, now)
    }

    /// Makes a new authority, and with it a new certificate. Every client has to be told to trust it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn renew_authority(&self, names: &Names, now: Timestamp) -> Result<Present, TlsError> {
        self.make_directory()?;
        let (authority, text) = Authority::make(&self.centre, now)?;
        self.write(&self.authority_file(), &text)?;
        self.issue(&authority, names, now)
    }

    /// Checks a chain and its private key, both in PEM, and uses them from now on.
    ///
    /// # Errors
    /// Names the file, what is wrong with it and how to mend it; the present certificate then stays.
    pub fn import(&self, chain: &Path, key: &Path, now: Timestamp) -> Result<Present, TlsError> {
        self.make_directory()?;
        let authority = self.authority(now)?;
        let chain_text = text(chain)?;
        narrow(key)?;
        let key_text = text(key)?;
        let certificates = pem::certificates(&chain_text).map_err(|why| TlsError::unusable(chain, why))?;
        let private = pem::key(&key_text).map_err(|why| TlsError::unusable(key, why))?;
        check_chain(&certificates, now).map_err(|why| TlsError::unusable(chain, why))?;
        pem::certified(certificates, private).map_err(|why| TlsError::unusable(key, why))?;
        let whole = format!("{}\n{}\n", key_text.trim_end(), chain_text.trim_end());
        let present = self.present(&authority, &whole, true).map_err(|why| TlsError::unusable(chain, why))?;
        self.write(&self.imported(), &whole)?;
        Ok(present)
    }

    /// Stops using an imported certificate; returns whether there was one.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn remove_import(&self) -> Result<bool, TlsError> {
        match std::fs::remove_file(self.imported()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(TlsError::file(&self.imported(), error)),
        }
    }

    /// Returns what tells whether a file has changed since.
    #[must_use]
    pub fn stamps(&self) -> Stamps {
        [self.authority_file(), self.server(), self.imported()].map(|path| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
        })
    }

    fn authority_file(&self) -> PathBuf {
        self.dir.join("authority.pem")
    }

    fn server(&self) -> PathBuf {
        self.dir.join("server.pem")
    }

    fn imported(&self) -> PathBuf {
        self.dir.join("imported.pem")
    }

    /// Reads the authority, or makes it.
    fn authority(&self, now: Timestamp) -> Result<Authority, TlsError> {
        let path = self.authority_file();
        let how = "restore it from a backup, or remove it: a new authority is made, which every client must be told \
                   to trust";
        match self.read(&path)? {
            Some(text) => {
                let authority = Authority::read(&text);
                let authority =
                    authority.map_err(|why| TlsError::unusable(&path, format!("{why}; {how}")))?;
                let about = Certificate::read(&authority.certificate);
                match about.map(|about| about.is_void(now).filter(|_| now > about.not_after)) {
                    Ok(None) => Ok(authority),
                    Ok(Some(why)) => {
                        let renewed = "`linli tls renew --authority` makes a new one";
                        Err(TlsError::unusable(&path, format!("the centre's authority {why}; {renewed}")))
                    }
                    Err(why) => Err(TlsError::unusable(&path, format!("{why}; {how}"))),
                }
            }
            None => {
                let (authority, text) = Authority::make(&self.centre, now)?;
                self.write(&path, &text)?;
                Ok(authority)
            }
        }
    }

    fn issue(&self, authority: &Authority, names: &Names, now: Timestamp) -> Result<Present, TlsError> {
        let text = authority.issue(&self.centre, names, now)?;
        self.write(&self.server(), &text)?;
        self.present(authority, &text, false).map_err(|why| TlsError::unusable(&self.server(), why))
    }

    fn present(&self, authority: &Authority, text: &str, is_imported: bool) -> Result<Present, String> {
        let chain = pem::certificates(text)?;
        let server = Certificate::read(&chain[0])?;
        let key = Arc::new(pem::certified(chain, pem::key(text)?)?);
        let about = Certificate::read(&authority.certificate)?;
        Ok(Present { authority: about, authority_pem: authority.pem(), server, is_imported, key })
    }

    fn make_directory(&self) -> Result<(), TlsError> {
        if self.dir.is_dir() {
            return Ok(());
        }
        let made = std::fs::DirBuilder::new().mode(0o700).create(&self.dir);
        let made = made.and_then(|()| {
            let above = self.dir.parent().map_or_else(|| std::fs::metadata("."), std::fs::metadata)?;
            match rustix::process::geteuid().is_root() {
                true => std::os::unix::fs::chown(&self.dir, Some(above.uid()), Some(above.gid())),
                false => Ok(()),
            }
        });
        made.map_err(|error| TlsError::file(&self.dir, error))
    }

    /// Reads a file with a private key; `None` when there is none.
    fn read(&self, path: &Path) -> Result<Option<String>, TlsError> {
        if !path.exists() {
            return Ok(None);
        }
        narrow(path)?;
        text(path).map(Some)
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), TlsError> {
        files::replace_secret(path, text.as_bytes(), &self.dir).map_err(|error| TlsError::file(path, error))
    }
}

/// Why the certificate must be made anew, if it must.
fn due(present: &Present, authority: &Authority, names: &Names, now: Timestamp) -> Option<Renewal> {
    let leaf = present.key.cert.first()?;
    if !certificate::is_signed_by(leaf, &authority.certificate) {
        return Some(Renewal::OtherAuthority);
    }
    if is_old(&present.server, now) {
        return Some(Renewal::Due);
    }
    let missing = names.missing(&present.server.names);
    (!missing.is_empty()).then_some(Renewal::Names(missing))
}

/// Whether a certificate of ours is near its end, or the clock is before its beginning.
const fn is_old(server: &Certificate, now: Timestamp) -> bool {
    now.0 < server.not_before.0 || server.not_after.0 - now.0 < RENEW_BEFORE_MS
}

/// Checks that every certificate of a chain is valid now and signed by the one after it.
fn check_chain(chain: &[rustls::pki_types::CertificateDer<'_>], now: Timestamp) -> Result<(), String> {
    for (number, der) in (1..).zip(chain) {
        let about = Certificate::read(der).map_err(|why| format!("certificate {number} {why}"))?;
        if let Some(why) = about.is_void(now) {
            let whose = about.subject;
            return Err(format!("certificate {number} ({whose}) {why}; ask its issuer for a new one"));
        }
        if number == 1 && about.names.is_empty() {
            let how = "ask for one with a subjectAltName: clients ignore the common name";
            return Err(format!("certificate 1 names no host and no address; {how}"));
        }
    }
    let pairs = chain.windows(2).zip(1..);
    for (pair, number) in pairs {
        if !certificate::is_signed_by(&pair[0], &pair[1]) {
            let order = "put the gateway's certificate first and after each one its issuer's";
            return Err(format!("certificate {number} is not signed by the one after it; {order}"));
        }
    }
    Ok(())
}

/// Refuses a private key that others may read.
fn narrow(path: &Path) -> Result<(), TlsError> {
    let found = std::fs::metadata(path).map_err(|error| TlsError::file(path, error))?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(TlsError::Wide { path: path.to_owned(), mode }) }
}

fn text(path: &Path) -> Result<String, TlsError> {
    let length = std::fs::metadata(path).map_err(|error| TlsError::file(path, error))?.len();
    if length > LONGEST {
        return Err(TlsError::unusable(path, format!("{length} bytes are no chain of certificates")));
    }
    let bytes = std::fs::read(path).map_err(|error| TlsError::file(path, error))?;
    String::from_utf8(bytes).map_err(|_| {
        let how = "`openssl x509 -inform der -in FILE -out PEM` converts a certificate";
        TlsError::unusable(path, format!("is not PEM; {how}"))
    })
}
