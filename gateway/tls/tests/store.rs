//! The certificates of a state directory: made, renewed, imported, and refused with words.
#![allow(clippy::unwrap_used, reason = "helpers of a test file")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use linli_domain::Timestamp;
use linli_tls::{Certificate, CertificateStore, Names, Renewal, TlsError};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use time::OffsetDateTime;

const DAY: i64 = 86_400_000;

/// 2026-11-29.
const NOW: Timestamp = Timestamp(1_795_910_400_000);

fn names(names: &[&str]) -> Names {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn later(days: i64) -> Timestamp {
    Timestamp(NOW.0 + days * DAY)
}

struct Bench {
    dir: tempfile::TempDir,
    store: CertificateStore,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let store = CertificateStore::at(dir.path(), "xinghe");
    Bench { dir, store }
}

impl Bench {
    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("tls").join(name)
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn at(time: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(time.0 / 1000).unwrap()
}

/// A certificate made elsewhere: chain and key, valid between these days from now.
fn foreign(from: i64, to: i64, hosts: &[&str]) -> (String, String, String) {
    let (root, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut about = CertificateParams::default();
    about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (about.not_before, about.not_after) = (at(later(-4000)), at(later(4000)));
    let authority = about.self_signed(&root).unwrap();
    let issuer = Issuer::new(about, root);
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut about = CertificateParams::new(hosts).unwrap();
    (about.not_before, about.not_after) = (at(later(from)), at(later(to)));
    let leaf = about.signed_by(&key, &issuer).unwrap();
    (leaf.pem(), authority.pem(), key.serialize_pem())
}

#[test]
fn the_first_start_makes_an_authority_and_a_certificate_for_the_owner_alone() {
    let bench = bench();
    let wanted = names(&["xinghe", "192.0.2.5", "2001:db8::5"]);
    let (first, why) = bench.store.ensure(&wanted, NOW).unwrap();
    assert_eq!(why, Some(Renewal::First));
    for file in ["authority.pem", "server.pem"] {
        assert_eq!(mode(&bench.file(file)), 0o600, "{file}");
    }
    assert_eq!(mode(&bench.dir.path().join("tls")), 0o700);
    assert_eq!(
        first.server.names.iter().map(String::as_str).collect::<Vec<_>>(),
        wanted.iter().collect::<Vec<_>>()
    );
    assert_eq!(first.server.issuer, first.authority.subject);
    assert!(first.authority_pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert_eq!(first.fingerprints(), {
        let (again, why) = bench.store.ensure(&wanted, later(300)).unwrap();
        assert_eq!(why, None, "it is kept");
        again.fingerprints()
    });
    assert!(first.server.is_void(later(396)).is_none() && first.server.is_void(later(398)).is_some());
}

trait Fingerprints {
    fn fingerprints(&self) -> (String, String);
}

impl Fingerprints for linli_tls::Present {
    fn fingerprints(&self) -> (String, String) {
        (self.authority.fingerprint.clone(), self.server.fingerprint.clone())
    }
}

#[test]
fn a_certificate_is_renewed_when_it_is_due_and_the_authority_stays() {
    let bench = bench();
    let wanted = names(&["xinghe"]);
    let first = bench.store.ensure(&wanted, NOW).unwrap().0;
    for (now, more, expected) in [
        (later(338), None, Renewal::Due),
        (later(200), None, Renewal::Due), // The clock went back behind its beginning.
        (later(200), Some("box.lan"), Renewal::Names(vec!["box.lan".to_owned()])),
    ] {
        let wanted: Vec<&str> = ["xinghe"].into_iter().chain(more).collect();
        let before = std::fs::read(bench.file("server.pem")).unwrap();
        let (present, why) = bench.store.ensure(&names(&wanted), now).unwrap();
        assert_eq!(why, Some(expected));
        assert_eq!(present.authority.fingerprint, first.authority.fingerprint);
        assert_ne!(std::fs::read(bench.file("server.pem")).unwrap(), before);
        assert!(present.server.is_void(now).is_none());
    }
    // A name less is no reason.
    assert_eq!(bench.store.ensure(&wanted, later(200)).unwrap().1, None);
}

#[test]
fn an_authority_made_before_the_clock_was_set_lives_on() {
    let bench = bench();
    let (made, _) = bench.store.ensure(&names(&["xinghe"]), Timestamp(0)).unwrap();
    assert!(made.authority.is_void(later(18 * 365)).is_none());
    let (present, why) = bench.store.ensure(&names(&["xinghe"]), NOW).unwrap();
    assert_eq!(why, Some(Renewal::Due));
    assert_eq!(present.authority.fingerprint, made.authority.fingerprint);
}

#[test]
fn another_authority_signs_anew_and_says_so() {
    let bench = bench();
    let wanted = names(&["xinghe"]);
    let first = bench.store.ensure(&wanted, NOW).unwrap().0;
    let other = self::bench();
    other.store.ensure(&wanted, NOW).unwrap();
    std::fs::copy(other.file("authority.pem"), bench.file("authority.pem")).unwrap();
    let (present, why) = bench.store.ensure(&wanted, NOW).unwrap();
    assert_eq!(why, Some(Renewal::OtherAuthority));
    assert!(why.unwrap().to_string().contains("linli tls show --authority"));
    assert_ne!(present.authority.fingerprint, first.authority.fingerprint);
    let renewed = bench.store.renew_authority(&wanted, NOW).unwrap();
    assert_ne!(renewed.authority.fingerprint, present.authority.fingerprint);
    assert_eq!(bench.store.ensure(&wanted, NOW).unwrap().1, None);
}

#[test]
fn what_is_damaged_is_made_anew_and_a_damaged_authority_is_for_a_person() {
    let bench = bench();
    let wanted = names(&["xinghe"]);
    bench.store.ensure(&wanted, NOW).unwrap();
    let whole = std::fs::read_to_string(bench.file("server.pem")).unwrap();
    let other = bench.store.renew(&wanted, NOW).unwrap();
    let other_key = std::fs::read_to_string(bench.file("server.pem")).unwrap();
    let key_end = "-----END PRIVATE KEY-----\n";
    let mixed = format!(
        "{}{key_end}{}",
        whole.split(key_end).next().unwrap(),
        other_key.split(key_end).nth(1).unwrap()
    );
    for text in ["", "garbage", &whole[..whole.len() / 3], &mixed] {
        std::fs::write(bench.file("server.pem"), text).unwrap();
        let (present, why) = bench.store.ensure(&wanted, NOW).unwrap();
        assert!(matches!(why, Some(Renewal::Damaged(_))), "{why:?}");
        assert_eq!(present.authority.fingerprint, other.authority.fingerprint);
    }
    std::fs::write(bench.file("authority.pem"), "garbage").unwrap();
    let error = bench.store.ensure(&wanted, NOW).unwrap_err().to_string();
    assert!(error.contains("authority.pem") && error.contains("restore it from a backup"), "{error}");
}

#[test]
fn an_authority_that_is_too_old_is_for_a_person() {
    let bench = bench();
    bench.store.ensure(&names(&["xinghe"]), NOW).unwrap();
    let error = bench.store.ensure(&names(&["xinghe"]), later(21 * 365)).unwrap_err().to_string();
    assert!(error.contains("expired on") && error.contains("linli tls renew --authority"), "{error}");
}

#[test]
fn a_private_key_that_others_may_read_is_refused() {
    let bench = bench();
    let wanted = names(&["xinghe"]);
    bench.store.ensure(&wanted, NOW).unwrap();
    for file in ["authority.pem", "server.pem"] {
        let path = bench.file(file);
        for wide in [0o640, 0o604, 0o644, 0o660] {
            std::fs::set_permissions(&path, Permissions::from_mode(wide)).unwrap();
            let error = bench.store.ensure(&wanted, NOW).unwrap_err();
            assert!(matches!(&error, TlsError::Wide { mode, .. } if *mode == wide), "{error}");
            assert!(error.to_string().ends_with(&format!("run `chmod 600 {}`", path.display())), "{error}");
        }
        std::fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        bench.store.ensure(&wanted, NOW).unwrap();
    }
}

#[test]
fn an_imported_certificate_is_used_until_it_is_removed() {
    let bench = bench();
    let wanted = names(&["xinghe"]);
    let own = bench.store.ensure(&wanted, NOW).unwrap().0;
    let (leaf, root, key) = foreign(-1, 90, &["box.lan"]);
    let (chain, key) = (bench.put("chain.pem", &format!("{leaf}{root}")), bench.put("key.pem", &key));
    let imported = bench.store.import(&chain, &key, NOW).unwrap();
    assert_eq!(
        (imported.is_imported, imported.server.names.as_slice()),
        (true, ["box.lan".to_owned()].as_slice())
    );
    assert_eq!(mode(&bench.file("imported.pem")), 0o600);
    let (present, why) = bench.store.ensure(&wanted, NOW).unwrap();
    assert_eq!((&present.server, why, present.key.cert.len()), (&imported.server, None, 2));
    assert_eq!(present.concern(NOW), None);
    let soon = present.concern(later(70)).unwrap();
    assert!(soon.contains("expires on") && soon.contains("linli tls import"), "{soon}");
    assert!(present.concern(later(91)).unwrap().contains("expired on"));
    // Past its end it is still shown: a person decides.
    assert!(bench.store.ensure(&wanted, later(91)).unwrap().0.is_imported);
    assert!(bench.store.remove_import().unwrap() && !bench.store.remove_import().unwrap());
    assert_eq!(bench.store.ensure(&wanted, NOW).unwrap().0.server, own.server);
}

#[test]
fn an_import_that_does_not_fit_is_refused_and_changes_nothing() {
    let bench = bench();
    let (leaf, root, key) = foreign(-1, 90, &["box.lan"]);
    let (old, old_root, old_key) = foreign(-90, -1, &["box.lan"]);
    let (early, _, early_key) = foreign(2, 90, &["box.lan"]);
    let (nameless, _, nameless_key) = foreign(-1, 90, &[]);
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (chain, key, words) in [
        (leaf.clone(), old_key.clone(), "not that of the first certificate"),
        (old, old_key, "expired on 2026-11-28"),
        (format!("{leaf}{old_root}"), key.clone(), "not signed by the one after it"),
        (format!("{root}{leaf}"), key.clone(), "names no host"),
        (early, early_key, "is not valid before 2026-12-01"),
        (nameless, nameless_key, "names no host"),
        (key.clone(), key.clone(), "holds no certificate"),
        (leaf.clone(), leaf.clone(), "holds no private key"),
        (leaf.clone(), encrypted.to_owned(), "protected by a password"),
        (leaf.replacen("MII", "AAA", 1), key.clone(), "X.509"),
        (String::new(), key.clone(), "holds no certificate"),
    ] {
        let (chain, key) = (bench.put("chain.pem", &chain), bench.put("key.pem", &key));
        let error = bench.store.import(&chain, &key, NOW).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
        assert!(error.contains(".pem: "), "names the file: {error}");
        assert!(!bench.file("imported.pem").exists(), "{words}");
    }
    let (chain, wide) = (bench.put("chain.pem", &leaf), bench.put("key.pem", &key));
    std::fs::set_permissions(&wide, Permissions::from_mode(0o644)).unwrap();
    let error = bench.store.import(&chain, &wide, NOW).unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
    std::fs::write(&chain, [0x30, 0x82, 0xff]).unwrap();
    std::fs::set_permissions(&wide, Permissions::from_mode(0o600)).unwrap();
    let error = bench.store.import(&chain, &wide, NOW).unwrap_err().to_string();
    assert!(error.contains("openssl x509 -inform der"), "{error}");
    let error = bench.store.import(Path::new("/nowhere.pem"), &wide, NOW).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere.pem: "), "{error}");
}

#[test]
fn any_bytes_are_no_certificate() {
    for bytes in [&[][..], &[0x30], &[0x30, 0x80], &[0xff; 4096], b"-----BEGIN CERTIFICATE-----"] {
        assert!(Certificate::read(bytes).is_err());
    }
}
