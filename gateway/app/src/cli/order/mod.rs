//! `linli order`: write an order, sign it, look at it, verify it. All of it works without a network.

mod cap;
mod file;
pub mod keygen;
pub mod new;
mod plan;
pub mod send;
pub mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use linli_mode::order::{SecretKey, sign};

use super::config_dir::ConfigDir;

/// Write, sign, show and verify orders to change a centre's mode (指令).
///
/// An order is signed by several people, each with a key of their own. It can be carried on a
/// stick, sent by MQTT, or read out as text: whoever has the centre's configuration can verify it
/// without a network. A drill has keys of its own and is never turned into the real thing.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli order keygen wang.key --class actual\n  linli order new --kind enter --class actual --mode epidemic.sampling --seq 117 \\\n      --plan xinghe:reading-room.sampling@3.toml --reference 区指〔2026〕117号 -o order.cbor\n  linli order show order.cbor\n  linli order sign order.cbor --key wang.key --code 7f3a09c1\n  linli order verify order.cbor --config /etc/linli\n  linli order sign plans/reading-room.sampling@3.toml --key wang.key\n  linli order text order.cbor\n  linli order send order.cbor\n  linli order cap message.xml"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a pair of keys; the secret one stays in its file (生成密钥)
    Keygen(keygen::Args),
    /// Write an order, not signed yet (起草指令)
    New(new::Args),
    /// Say what an order says, and who signed it (查看指令)
    Show {
        /// The order
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Sign an order, or the file of a plan: first look at it, then sign with its code (签署指令、预案)
    Sign {
        /// The order: the signature is added to it. The file of a plan (.toml): it stands beside it
        file: PathBuf,
        /// Your secret key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The code of an order that `linli order show` shows: you have looked at what you sign
        #[arg(long)]
        code: Option<String>,
    },
    /// Send an order, or a CAP message, to the running gateway (发送指令)
    Send {
        /// The order; none to admit one that waits for its code
        file: Option<PathBuf>,
        /// The code that you compared with the district by telephone, where the gateway asks for it
        #[arg(long)]
        code: Option<String>,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Verify who signed an order, by a centre's configuration (验证指令)
    Verify {
        /// The order
        file: PathBuf,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Read a CAP 1.2 or GB/T 35965 message, and what it proposes (预警消息)
    Cap {
        /// The message
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print an order as text that can be scanned, sent or read out (文本形式)
    Text {
        /// The order
        file: PathBuf,
    },
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Keygen(args) => keygen::run(args)?,
        Verb::New(args) => new::run(args)?,
        Verb::Show { file, json } => show::run(file, *json)?,
        Verb::Sign { file, key, .. } if file.extension().is_some_and(|ending| ending == "toml") => {
            plan::sign(file, &secret(key)?)?;
        }
        Verb::Sign { file, key, code } => {
            let look =
                || format!("look at it with `linli order show {}`, then sign with --code", file.display());
            let code = code.as_ref().with_context(look)?;
            let envelope = file::read(file)?;
            anyhow::ensure!(
                *code == envelope.code(),
                "the code of this order is not {code}: look at it with `linli order show {}`",
                file.display()
            );
            let secret = secret(key)?;
            let signed = sign(&envelope, &secret);
            file::write(file, &signed, true)?;
            println!("{} 已签署 signed with key {}", file.display(), secret.public().id());
            println!("{}", show::headline(&signed.order));
        }
        Verb::Verify { file, site } => return show::verify(file, &site.config),
        Verb::Send { file, code, site } => send::run(file.as_deref(), code.as_deref(), site)?,
        Verb::Cap { file, json } => cap::run(file, *json)?,
        Verb::Text { file } => println!("{}", linli_mode::order::text::write(&file::read(file)?.bytes())),
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a secret key.
pub fn secret(path: &std::path::Path) -> anyhow::Result<SecretKey> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", path.display()))?;
    SecretKey::parse(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}
