//! A signed image: the header that `linli-wire` describes, before the program.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use ed25519_dalek::{Signer, SigningKey};
use linli_wire::image::{ALIGN, BODY, Header};
use linli_wire::kind::{self, Kind};
use linli_wire::version::Version;
use sha2::{Digest, Sha512};

use super::arguments::Arguments;
use super::boards::{self, Board};
use super::{elf, keys, output_dir};

/// Contents of the header of a signed image.
pub struct Release {
    /// Mask of the kinds of node that it runs as.
    pub kinds: u16,
    /// Version of the firmware.
    pub version: Version,
    /// Security version.
    pub security: u16,
}

/// Signs what was built for a board.
pub fn verb(arguments: &Arguments) -> anyhow::Result<()> {
    let (Some(key), Some(_)) = (arguments.get("key"), arguments.get("board")) else {
        bail!("缺少 missing --key FILE or --board BOARD");
    };
    let key = keys::secret(Path::new(key))?;
    let board = boards::named(arguments.all("board"))?.pop().context("no board")?;
    let release = Release {
        kinds: kinds(arguments.all("kind"))?,
        version: version(arguments.get("version").unwrap_or(env!("CARGO_PKG_VERSION")))?,
        security: arguments.get("security").unwrap_or("1").parse().context("--security is a number")?,
    };
    let built = output_dir(&board.name);
    let trusted = keys::read(&built.join("trusted.pub"))
        .context("先构建 build it first: cargo xtask firmware build --public KEY.pub")?;
    ensure!(
        trusted == key.verifying_key().to_bytes(),
        "固件信任的是另一把公钥 the bootloader that was built trusts another key; build it with --public of this one"
    );
    let out = arguments.get("out").map_or_else(|| built.join("node.llfw"), PathBuf::from);
    let image = image(&board, &release, &key)?;
    std::fs::write(&out, &image)?;
    println!(
        "{}: {} {} 字节 bytes, 版本 version {}, 安全版本 security version {}",
        out.display(),
        board.name,
        image.len(),
        release.version,
        release.security
    );
    Ok(())
}

/// The signed image of the node that was built for a board.
pub fn image(board: &Board, release: &Release, key: &SigningKey) -> anyhow::Result<Vec<u8>> {
    let file = output_dir(&board.name).join("node.elf");
    let elf = std::fs::read(&file)
        .with_context(|| format!("{} 还没有构建 is missing: cargo xtask firmware build", file.display()))?;
    let (_, body) = elf::Elf::read(&elf)?.flash()?;
    Ok(wrap(board.number.code(), release, body, key))
}

fn wrap(board: u16, release: &Release, mut body: Vec<u8>, key: &SigningKey) -> Vec<u8> {
    body.resize(body.len().next_multiple_of(ALIGN as usize), 0xFF);
    let public = key.verifying_key().to_bytes();
    let mut header = Header {
        board,
        kinds: release.kinds,
        security: release.security,
        firmware: release.version,
        length: body.len() as u32,
        key: u32::from_be_bytes([public[0], public[1], public[2], public[3]]),
        hash: Sha512::digest(&body).into(),
        signature: [0; 64],
    };
    header.signature = key.sign(&header.signed()).to_bytes();
    let mut image = header.encode().to_vec();
    image.resize(BODY as usize, 0xFF);
    image.extend(body);
    image
}

fn kinds(names: &[String]) -> anyhow::Result<u16> {
    let mut mask = 0;
    for name in names {
        let known: Vec<&str> = kind::KINDS.iter().map(|kind| kind.name).collect();
        let kind = Kind::from_name(name);
        mask |= kind.with_context(|| format!("no kind {name:?}; there are: {}", known.join(", ")))?.bit();
    }
    Ok(if names.is_empty() { kind::ANY } else { mask })
}

/// Parses a version such as `1.2.3`.
pub fn version(text: &str) -> anyhow::Result<Version> {
    let parts: Vec<&str> = text.split('.').collect();
    let [major, minor, patch] = parts.as_slice() else {
        bail!("版本写作 X.Y.Z a version is X.Y.Z, not {text:?}");
    };
    Ok(Version::new(major.parse()?, minor.parse()?, patch.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::Verifier;

    #[test]
    fn an_image_is_read_back_and_its_signature_holds() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let release = Release { kinds: kind::ANY, version: Version::new(1, 2, 3), security: 4 };
        let image = wrap(1, &release, vec![5; 1001], &key);
        let header = Header::decode(&image).expect("a header");
        assert_eq!(header.total() as usize, image.len());
        assert_eq!((header.firmware, header.security, header.board), (release.version, 4, 1));
        let body = &image[BODY as usize..];
        assert_eq!(header.hash, <[u8; 64]>::from(Sha512::digest(body)));
        let signature = ed25519_dalek::Signature::from_bytes(&header.signature);
        assert!(key.verifying_key().verify(&header.signed(), &signature).is_ok());
    }

    #[test]
    fn kinds_and_versions_are_read_or_refused_by_name() {
        assert_eq!(kinds(&[]).expect("any"), kind::ANY);
        assert_eq!(kinds(&["fridge".to_owned()]).expect("known"), kind::KINDS[0].bit());
        assert!(kinds(&["oven".to_owned()]).expect_err("unknown").to_string().contains("fridge"));
        assert_eq!(version("1.2.3").expect("one"), Version::new(1, 2, 3));
        assert!(version("1.2").is_err() && version("1.2.x").is_err());
    }
}
