//! Firmware images, whose form, hash and signature are checked before anything is sent.

use linli_config::settings::image_key::{ImageKeys, PublicKey};
use linli_domain::audit::hex;
use linli_wire::board::Board;
use linli_wire::identity::{BootState, Identity};
use linli_wire::image::{BODY, Header};
use linli_wire::kind::{ANY, KINDS, Kind};
use ring::digest::{SHA512, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

/// A complete image: its length and hash match its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The header.
    pub header: Header,
    /// The whole file, header included.
    pub bytes: Vec<u8>,
}

// === impl Image ===

impl Image {
    /// Checks length and hash of an image file. An error is a text in both languages.
    pub fn read(bytes: Vec<u8>) -> Result<Self, String> {
        let header = Header::decode(&bytes).map_err(|why| format!("{} ({})", why.en(), why.zh()))?;
        if bytes.len() != header.total() as usize {
            return Err(format!(
                "the file has {} bytes, its header says {}: it is cut short or was changed (文件不完整)",
                bytes.len(),
                header.total()
            ));
        }
        let hash = digest(&SHA512, bytes.get(BODY as usize..).unwrap_or_default());
        if hash.as_ref() != header.hash {
            return Err("its content does not fit its header: it was changed (内容与镜像头不符)".to_owned());
        }
        Ok(Self { header, bytes })
    }

    /// Checks that one of the keys has signed the image.
    pub fn is_signed(&self, keys: &ImageKeys) -> Result<(), String> {
        if keys.0.is_empty() {
            return Err(
                "no key to verify images with: set image_keys in [nodes] of gateway.toml, or give --key \
                 (没有配置镜像公钥)"
                    .to_owned(),
            );
        }
        let (message, signature) = (self.header.signed(), self.header.signature);
        let verifies =
            |key: &PublicKey| UnparsedPublicKey::new(&ED25519, key).verify(&message, &signature).is_ok();
        if keys.0.iter().any(verifies) {
            return Ok(());
        }
        let known: Vec<String> = keys.0.iter().map(|key| format!("{}…", hex(&key[..4]))).collect();
        Err(format!(
            "signed with the key {:08x}…, or changed afterwards; images here must be signed with {}. Sign it with the \
             right key, or add its public key to image_keys in [nodes] of gateway.toml (签名无效)",
            self.header.key,
            known.join(" or ")
        ))
    }

    /// Checks that the image may be installed on a node: board, kind, version.
    pub fn fits(&self, node: &Identity) -> Result<(), String> {
        let header = &self.header;
        if header.board != node.board {
            return Err(format!(
                "the image is for the board {}, the node is a {}: build it for that board (硬件不符)",
                board(header.board),
                board(node.board)
            ));
        }
        if !header.is_for_kind(node.kind) {
            return Err(format!(
                "the image is for {}, the node is a {} (节点类型不符)",
                kinds(header.kinds),
                kind(node.kind)
            ));
        }
        // In recovery no firmware runs that could be newer.
        if node.boot == BootState::Recovery.code() || self.runs_on(node) {
            return Ok(());
        }
        if header.firmware <= node.firmware {
            return Err(format!(
                "the image is version {}, the node runs {}: older or equal firmware is not installed; build it with a \
                 higher version (版本不高于当前固件)",
                header.firmware, node.firmware
            ));
        }
        Ok(())
    }

    /// Whether the node runs this image.
    #[must_use]
    pub fn runs_on(&self, node: &Identity) -> bool {
        node.image == self.header.id() && node.boot != BootState::Recovery.code()
    }
}

/// Name of a board.
#[must_use]
pub fn board(code: u16) -> String {
    Board::from_code(code).map_or_else(|| format!("board {code}"), |board| board.as_str().to_owned())
}

/// Name of a kind of node.
#[must_use]
pub fn kind(id: u16) -> String {
    Kind::from_id(id).map_or_else(|| format!("kind {id}"), |kind| kind.name.to_owned())
}

/// Names of the kinds in a mask.
#[must_use]
pub fn kinds(mask: u16) -> String {
    if mask == ANY {
        return "any kind".to_owned();
    }
    let named: Vec<&str> = KINDS.iter().filter(|kind| mask & kind.bit() != 0).map(|kind| kind.name).collect();
    if named.is_empty() { "no kind known here".to_owned() } else { named.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_wire::version::Version;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    fn image(version: Version) -> (Image, ImageKeys) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let body = vec![0x5A; 640];
        let mut header = Header {
            board: Board::Software.code(),
            kinds: KINDS[0].bit(),
            security: 1,
            firmware: version,
            length: 640,
            key: 1,
            hash: digest(&SHA512, &body).as_ref().try_into().unwrap(),
            signature: [0; 64],
        };
        header.signature = pair.sign(&header.signed()).as_ref().try_into().unwrap();
        let mut bytes = header.encode().to_vec();
        bytes.resize(BODY as usize, 0xFF);
        bytes.extend(body);
        let keys = ImageKeys(vec![pair.public_key().as_ref().try_into().unwrap()]);
        (Image::read(bytes).unwrap(), keys)
    }

    fn node(version: Version) -> Identity {
        let mut words = [0; linli_wire::identity::WORDS as usize];
        words.fill(0);
        Identity {
            map_version: 1,
            board: Board::Software.code(),
            kind: 1,
            firmware: version,
            security: 1,
            boot: 0,
            serial: 1,
            reset_cause: 0,
            status: 0,
            uptime_s: 0,
            points: 2,
            points_base: 0x20,
            inputs: 1,
            relays: 0,
            image: 0,
        }
    }

    #[test]
    fn what_was_changed_or_cut_is_no_image() {
        let (good, keys) = image(Version::new(1, 0, 0));
        assert_eq!(good.is_signed(&keys), Ok(()));
        let mut changed = good.bytes.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(Image::read(changed).unwrap_err().contains("does not fit its header"));
        assert!(Image::read(good.bytes[..900].to_vec()).unwrap_err().contains("cut short"));
        assert!(Image::read(b"hello".to_vec()).unwrap_err().contains("too short"));
        let mut newer = good.bytes.clone();
        newer[15] += 1;
        let newer = Image::read(newer).unwrap();
        assert!(newer.is_signed(&keys).unwrap_err().contains("changed afterwards"));
        assert!(good.is_signed(&ImageKeys(vec![[3; 32]])).unwrap_err().contains("03030303…"));
        assert!(good.is_signed(&ImageKeys::default()).unwrap_err().contains("image_keys"));
    }

    #[test]
    fn an_image_fits_only_its_own_nodes() {
        let (image, _) = image(Version::new(1, 2, 0));
        assert_eq!(image.fits(&node(Version::new(1, 1, 9))), Ok(()));
        let refused = |node: Identity| image.fits(&node).unwrap_err();
        assert!(refused(node(Version::new(1, 2, 0))).contains("older or equal"));
        assert!(refused(Identity { board: 3, ..node(Version::new(1, 0, 0)) }).contains("stm32f405"));
        assert!(refused(Identity { kind: 3, ..node(Version::new(1, 0, 0)) }).contains("the node is a room"));
        let lost = Identity { boot: BootState::Recovery.code(), ..node(Version::new(9, 0, 0)) };
        assert_eq!(image.fits(&lost), Ok(()));
    }
}
