//! `linli order keygen`: makes the key pair of a person.

use std::path::PathBuf;

use anyhow::Context;
use linli_config::files;
use linli_mode::order::SecretKey;

use linli_services::random::random;

/// Make a pair of keys (生成密钥).
///
/// The secret key stays in its file, readable by you only. Add the public key to the person in the
/// configuration of every centre. To change a key: add the new one, give the old one an `until`,
/// and destroy its file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File for the secret key
    file: PathBuf,
    /// What it signs: real orders or drills
    #[arg(long, value_enum)]
    class: Class,
}

/// What a key signs.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Class {
    /// Real orders (实战)
    Actual,
    /// Drills (演练)
    Exercise,
}

impl From<Class> for linli_mode::Class {
    fn from(class: Class) -> Self {
        match class {
            Class::Actual => Self::Actual,
            Class::Exercise => Self::Exercise,
        }
    }
}

/// Writes the secret key and prints the public one as TOML.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let secret = SecretKey::from_seed(random()?);
    files::create_secret(&args.file, format!("{}\n", secret.reveal()).as_bytes())
        .with_context(|| format!("{} cannot be written; a key is never overwritten", args.file.display()))?;
    let public = secret.public();
    println!("# {} 私钥，只归本人保管 secret key, keep it to yourself", args.file.display());
    println!("# facility.toml, 写在本人的 [[person]] 之下 below the person:");
    println!("[[person.key]]\npublic = \"{public}\"   # {}", public.id());
    println!("class = \"{}\"", linli_mode::Class::from(args.class));
    Ok(())
}
