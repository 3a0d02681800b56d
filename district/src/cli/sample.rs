//! Signed orders for `linli-district demo`, a drill and an actual one, so that a mass order can be tried without a signing
//! machine. Their keys are made for the demonstration and kept nowhere.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use linli_domain::Id;
use linli_mode::Class;
use linli_mode::order::{Authority, Envelope, Kind, Order, PlanHash, SecretKey, Target, sign, text};

/// How long they are valid.
const VALID_MS: i64 = 8 * 3_600_000;

/// Writes both into a folder; returns their files.
pub fn write(folder: &Path, centres: u16) -> anyhow::Result<[PathBuf; 2]> {
    let file = |class: Class, seq: u64, name: &str| -> anyhow::Result<PathBuf> {
        let mut envelope = Envelope::of(order(class, seq, centres)?);
        for _ in 0..2 {
            envelope = sign(&envelope, &SecretKey::from_seed(seed()?));
        }
        let path = folder.join(name);
        std::fs::write(&path, text::write(&envelope.bytes()))?;
        Ok(path)
    };
    Ok([file(Class::Exercise, 1, "order-drill.txt")?, file(Class::Actual, 2, "order-actual.txt")?])
}

fn order(class: Class, seq: u64, centres: u16) -> anyhow::Result<Order> {
    let now = Timestamp::now().as_millisecond();
    let plan = PlanHash { plan: "reading-room.sampling@3".to_owned(), hash: [0x20; 32] };
    let target = |number: u16| -> anyhow::Result<Target> {
        let centre = Id::new(&format!("demo-{number:03}")).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Target { centre, site: None, plans: vec![plan.clone()], snapshot: None })
    };
    let id = format!("demo-{}-{now:x}", if class == Class::Exercise { "drill" } else { "actual" });
    Ok(Order {
        id,
        seq,
        kind: Kind::Enter,
        class,
        authority: Authority::District,
        targets: (0..centres).map(target).collect::<anyhow::Result<_>>()?,
        mode: "epidemic.sampling".to_owned(),
        not_before: linli_domain::Timestamp(now),
        expires: linli_domain::Timestamp(now + VALID_MS),
        sent: linli_domain::Timestamp(now),
        reference: Some("演示".to_owned()),
        supersedes: Vec::new(),
        cap: None,
    })
}

fn seed() -> anyhow::Result<[u8; 32]> {
    let mut seed = [0; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut seed))
        .context("/dev/urandom")?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_can_be_read_name_every_centre_and_differ_in_class() {
        let dir = tempfile::tempdir().expect("a folder");
        let classes = write(dir.path(), 14).expect("written").map(|file| {
            let written = std::fs::read_to_string(file).expect("a file");
            let envelope = Envelope::read(&text::read(&written).expect("a text")).expect("an order");
            assert_eq!((envelope.order.targets.len(), envelope.key_ids().len()), (14, 2));
            envelope.order.class
        });
        assert_eq!(classes, [Class::Exercise, Class::Actual]);
    }
}
