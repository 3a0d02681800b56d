//! `linli order`: writes, signs, shows and verifies orders, without a network.

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
use crate::runtime::state_dir;

/// Write, sign, show and verify orders to change the mode of a centre (指令).
///
/// An order is signed by several people, each with their own key. It can be carried on a USB stick,
/// sent by MQTT, or read out as text. With the configuration of the centre it can be verified
/// without a network. Drills have separate keys, which cannot sign real orders.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli order keygen wang.key --class actual\n  linli order new --kind enter --class actual --mode epidemic.sampling --seq 117 \\\n      --plan xinghe:reading-room.sampling@3.toml --reference 区指〔2026〕117号 -o order.cbor\n  linli order show order.cbor\n  linli order sign order.cbor --key wang.key --code 7f3a09c1\n  linli order verify order.cbor --config /etc/linli\n  linli order sign plans/reading-room.sampling@3.toml --key wang.key\n  linli order text order.cbor\n  linli order send order.cbor\n  linli order send --code 7f3a09c1 --as zhao\n  linli order commission --config /etc/linli\n  linli order cap message.xml"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a key pair; the secret key stays in its file (生成密钥)
    Keygen(keygen::Args),
    /// Write an unsigned order (起草指令)
    New(new::Args),
    /// Show an order and its signers (查看指令)
    Show {
        /// The order
        file: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Sign an order, with the code that `show` prints, or a plan file (签署指令、预案)
    Sign {
        /// An order, to which the signature is added, or a plan file (.toml), signed in FILE.sig
        file: PathBuf,
        /// Your secret key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Code of the order, from `linli order show`: it proves that you have seen what you sign
        #[arg(long)]
        code: Option<String>,
    },
    /// Send an order, or a CAP message, to the running gateway (发送指令)
    Send {
        /// The order; leave out to confirm one that waits for its code
        file: Option<PathBuf>,
        /// Code that you compared with the district by telephone, if the gateway asks for it
        #[arg(long)]
        code: Option<String>,
        /// Who compared it on the spot: ids in facility.toml; two different people are needed
        #[arg(long = "as", value_name = "PERSON")]
        people: Vec<String>,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Mark a new gateway before its first start: no order was accepted there yet (投运登记)
    Commission {
        /// Highest number of the district's orders so far; its next order has a higher one
        #[arg(long, default_value_t = 0)]
        above: u64,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Verify the signatures of an order with the configuration of a centre (验证指令)
    Verify {
        /// The order
        file: PathBuf,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Show a CAP 1.2 or GB/T 35965 message and the orders that it suggests (预警消息)
    Cap {
        /// The message
        file: PathBuf,
        /// Print as JSON
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
        Verb::Send { file, code, people, site } => {
            send::run(file.as_deref(), code.as_deref(), people, site)?;
        }
        Verb::Commission { above, site } => {
            state_dir::keep_to_ourselves();
            state_dir::prepare(&site.data_dir())?;
            linli_services::mode::commission(&site.database(), *above)?;
            println!("已登记，尚未接受过指令 marked: no order was accepted here yet");
        }
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
