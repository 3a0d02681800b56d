//! Keys that sign firmware. A secret key is one line of hexadecimal digits in a file that only its
//! owner reads; the public one lies beside it and is built into the bootloader.

use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ed25519_dalek::SigningKey;

use super::arguments::Arguments;
use super::home;

/// Path of the development key, which is public, for emulated boards and the bench.
pub fn development() -> PathBuf {
    home().join("keys/development.key")
}

/// Runs `keygen`: makes a key pair.
pub fn verb(arguments: &Arguments) -> anyhow::Result<()> {
    let [file] = arguments.rest.as_slice() else {
        bail!("说明密钥文件名 name the file: cargo xtask firmware keygen centre.key");
    };
    let mut seed = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    let key = SigningKey::from_bytes(&seed);
    write(Path::new(file), 0o600, &format!("{}\n", hex(&seed)))?;
    let public = public_beside(Path::new(file));
    write(&public, 0o644, &format!("{}\n", hex(key.verifying_key().as_bytes())))?;
    println!("私钥 secret key: {file} (0600) — 妥善保管，丢失后节点无法再升级");
    println!("  keep it: without it no node that trusts it is ever updated again");
    println!("公钥 public key: {} — cargo xtask firmware build --public {0}", public.display());
    Ok(())
}

fn write(file: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let mut opened = opened.with_context(|| {
        format!(
            "{} 无法新建（已有的密钥绝不覆盖） cannot be made; a key is never overwritten",
            file.display()
        )
    })?;
    Ok(opened.write_all(text.as_bytes())?)
}

fn public_beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

/// Reads a secret key.
pub fn secret(file: &Path) -> anyhow::Result<SigningKey> {
    let output = std::fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let is_development = file.canonicalize()? == development().canonicalize()?;
    ensure!(
        is_development || output.permissions().mode() & 0o077 == 0,
        "{} 其他用户可读 can be read by others: chmod 600 {0}",
        file.display()
    );
    Ok(SigningKey::from_bytes(&read(file)?))
}

/// Reads 32 bytes of hexadecimal digits.
pub fn read(file: &Path) -> anyhow::Result<[u8; 32]> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    unhex(line.unwrap_or_default()).with_context(|| {
        format!("{} 不是 64 位十六进制密钥 has no line of 64 hexadecimal digits", file.display())
    })
}

/// Returns bytes as hexadecimal digits in lower case.
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Parses 32 bytes of hexadecimal digits of either case.
fn unhex(text: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_back_and_others_are_refused() {
        let bytes: [u8; 32] = std::array::from_fn(|at| at as u8 * 7);
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        assert_eq!(unhex(&hex(&bytes)[1..]), None);
        assert_eq!(unhex(&hex(&bytes).to_uppercase()), Some(bytes));
        assert_eq!(unhex(&"zz".repeat(32)), None);
        assert_eq!(unhex(&"００".repeat(32)), None);
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("k").to_string_lossy().into_owned();
        let arguments = Arguments::read(&[&file], &[], &[]).expect("arguments");
        verb(&arguments).expect("made");
        let mode = std::fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let before = std::fs::read(&file).expect("there");
        assert!(verb(&arguments).is_err(), "never overwritten");
        assert_eq!(std::fs::read(&file).expect("there"), before);
        let public = read(&public_beside(Path::new(&file))).expect("a public key");
        assert_eq!(secret(Path::new(&file)).expect("a key").verifying_key().to_bytes(), public);
    }
}
