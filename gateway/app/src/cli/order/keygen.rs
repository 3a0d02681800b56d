//! `linli order keygen`.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use anyhow::Context;
use linli_mode::order::SecretKey;

use linli_services::random::random;

/// Make a pair of keys (生成密钥).
///
/// The secret key stays in its file, readable by you only. The public one goes into the
/// configuration of every centre, below the person. To change a key: add the new one there, give
/// the old one an `until`, and destroy its file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the secret key is written
    file: PathBuf,
    /// What it signs: a drill has keys of its own
    #[arg(long, value_enum)]
    class: Class,
}

/// What a key signs.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Class {
    /// The real thing (实战)
    Actual,
    /// A drill (演练)
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

/// Makes them.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let secret = SecretKey::from_seed(random()?);
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.file);
    let mut file = opened
        .with_context(|| format!("{} cannot be written; a key is never overwritten", args.file.display()))?;
    writeln!(file, "{}", secret.reveal())?;
    file.sync_all()?;
    let public = secret.public();
    println!("# {} 私钥，只归本人保管 secret key, keep it to yourself", args.file.display());
    println!("# facility.toml, 写在本人的 [[person]] 之下 below the person:");
    println!("[[person.key]]\npublic = \"{public}\"   # {}", public.id());
    println!("class = \"{}\"", linli_mode::Class::from(args.class));
    Ok(())
}
