//! The files below the state directory, where the running gateway can renew them.
//!
//! | file | content | mode |
//! |---|---|---|
//! | `district/district.pem` | private key and certificate for the broker, and their authority | 0600 |
//! | `district/trust.pem` | what to trust at the broker | 0600 |
//! | `district/asked.pem` | the key of a request that was not answered yet | 0600 |
//!
//! Key and certificate are one file, so that no moment exists in which they do not fit each other.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use linli_config::files;
use linli_domain::Timestamp;
use linli_listen::pem;
use linli_tls::Certificate;

use crate::district::{Ask, District, Given};
use crate::error::EnrolError;
use crate::request::Request;

/// The files of a gateway.
#[derive(Debug, Clone)]
pub struct Files {
    dir: PathBuf,
}

/// The certificate that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// What it says.
    pub certificate: Certificate,
}

// === impl Certified ===

impl Certified {
    /// Reads the certificate of a file with key and chain.
    ///
    /// # Errors
    /// When it cannot be read or used.
    pub fn read(path: &Path) -> Result<Self, EnrolError> {
        let text = std::fs::read_to_string(path).map_err(|error| EnrolError::file(path, error))?;
        let chain = pem::certificates(&text).map_err(|why| EnrolError::file(path, why))?;
        let certificate = Certificate::read(&chain[0]).map_err(|why| EnrolError::file(path, why))?;
        Ok(Self { certificate })
    }

    /// When it is renewed: with a third of its validity left.
    #[must_use]
    pub const fn renewed_at(&self) -> Timestamp {
        let (from, until) = (self.certificate.not_before.0, self.certificate.not_after.0);
        Timestamp(until - (until - from) / 3)
    }

    /// Whether it is to be renewed. A clock that was never set renews nothing.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        now >= self.renewed_at() && now <= self.certificate.not_after
    }
}

// === impl Files ===

impl Files {
    /// Those below a state directory.
    #[must_use]
    pub fn below(data_dir: &Path) -> Self {
        Self { dir: data_dir.join("district") }
    }

    /// Key and certificate.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.dir.join("district.pem")
    }

    /// What to trust at the broker.
    #[must_use]
    pub fn trust(&self) -> PathBuf {
        self.dir.join("trust.pem")
    }

    /// Asks for a certificate and keeps it. A request that was not answered is repeated with its key, so that a code is
    /// not lost with an answer.
    ///
    /// # Errors
    /// When the district refuses, or a file cannot be written. The certificate that was there stays.
    pub fn enrol(
        &self,
        district: &District,
        (centre, gateway, code): (&str, &str, &str),
    ) -> Result<Given, EnrolError> {
        self.make_directory()?;
        let (asked, name) = (self.dir.join("asked.pem"), format!("{centre}.{gateway}"));
        let before = std::fs::read_to_string(&asked).ok().and_then(|text| Request::read(&text, &name).ok());
        let request = match before {
            Some(before) => before,
            None => {
                let made = Request::make(&name)?;
                self.write(&asked, &made.key())?;
                made
            }
        };
        let given = district.enrol(&Ask { centre, gateway, code, request: &request.pem })?;
        self.keep(&request, &given, &self.identity())?;
        self.write(&self.trust(), &given.trust)?;
        // The key is in use now.
        std::fs::remove_file(&asked).map_err(|error| EnrolError::file(&asked, error))?;
        Ok(given)
    }

    /// Replaces the certificate of a file by the next one, with a new key.
    ///
    /// # Errors
    /// When the district refuses or does not answer, or the file cannot be written. The present certificate stays.
    pub fn renew(identity: &Path, district: &District) -> Result<Given, EnrolError> {
        let text = std::fs::read_to_string(identity).map_err(|error| EnrolError::file(identity, error))?;
        let present = Certified::read(identity)?;
        let name = present.certificate.subject.trim_start_matches("CN=").to_owned();
        let old = Request::read(&text, &name)?;
        let next = Request::make(&name)?;
        let certificate: String =
            text.split_inclusive('\n').skip_while(|line| !line.contains("BEGIN CERTIFICATE")).collect();
        let given = district.renew(&certificate, &next.pem, &old.vouch_for(&next)?)?;
        let dir = identity.parent().unwrap_or(Path::new(".")).to_owned();
        Self { dir }.keep(&next, &given, identity)?;
        Ok(given)
    }

    /// Keeps key and certificate, once it is certain that they belong together.
    fn keep(&self, request: &Request, given: &Given, identity: &Path) -> Result<(), EnrolError> {
        let chain = pem::certificates(&given.certificate).map_err(EnrolError::Answer)?;
        let key = pem::key(&request.key()).map_err(EnrolError::Key)?;
        pem::certified(chain, key).map_err(EnrolError::Answer)?;
        self.write(identity, &format!("{}{}", request.key(), given.certificate))
    }

    fn make_directory(&self) -> Result<(), EnrolError> {
        let above = self.dir.parent().unwrap_or(Path::new("."));
        let owner = std::fs::metadata(above).map_err(|error| {
            let how = "网关首次启动时建立此目录 the gateway makes this directory at its first start";
            EnrolError::file(above, format!("{error}; {how}"))
        })?;
        if self.dir.is_dir() {
            return Ok(());
        }
        let made = std::fs::DirBuilder::new().mode(0o700).create(&self.dir);
        let made = made.and_then(|()| match rustix::process::geteuid().is_root() {
            true => std::os::unix::fs::chown(&self.dir, Some(owner.uid()), Some(owner.gid())),
            false => Ok(()),
        });
        made.map_err(|error| EnrolError::file(&self.dir, error))
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), EnrolError> {
        files::replace_secret(path, text.as_bytes(), &self.dir).map_err(|error| EnrolError::file(path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certified(from: i64, until: i64) -> Certified {
        let certificate = Certificate {
            subject: "CN=c.gw".to_owned(),
            issuer: String::new(),
            names: Vec::new(),
            not_before: Timestamp(from),
            not_after: Timestamp(until),
            fingerprint: String::new(),
        };
        Certified { certificate }
    }

    #[test]
    fn it_is_renewed_with_a_third_left_and_never_after_its_end() {
        let day = 86_400_000;
        let of = certified(0, 180 * day);
        assert_eq!(of.renewed_at(), Timestamp(120 * day));
        assert!(!of.is_due(Timestamp(119 * day)));
        assert!(of.is_due(Timestamp(120 * day)) && of.is_due(Timestamp(180 * day)));
        assert!(!of.is_due(Timestamp(181 * day)), "a new code is needed");
        assert!(!of.is_due(Timestamp(0)), "a clock that was never set");
    }

    #[test]
    fn without_a_state_directory_nothing_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::below(&dir.path().join("none"));
        let district = District::reach("http://127.0.0.1:1", None).unwrap();
        let told = files.enrol(&district, ("c", "gw", "x")).unwrap_err().to_string();
        assert!(told.contains("first start"), "{told}");
    }

    #[test]
    fn a_request_without_an_answer_keeps_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::below(dir.path());
        let district = District::reach("http://127.0.0.1:1", None).unwrap();
        assert!(matches!(files.enrol(&district, ("c", "gw", "x")), Err(EnrolError::Unreachable(_))));
        let asked = dir.path().join("district/asked.pem");
        let first = std::fs::read_to_string(&asked).unwrap();
        assert_eq!(std::fs::metadata(&asked).unwrap().mode() & 0o777, 0o600);
        assert!(files.enrol(&district, ("c", "gw", "x")).is_err());
        assert_eq!(std::fs::read_to_string(&asked).unwrap(), first);
    }
}
