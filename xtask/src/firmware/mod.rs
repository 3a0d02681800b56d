//! Firmware: built for every board, measured against its budget, signed.
//!
//! ```text
//! cargo xtask firmware build --development            every board, with the key of the tree
//! cargo xtask firmware build --public FILE.pub        every board, trusting that key
//! cargo xtask firmware keygen FILE                    a signing key: FILE and FILE.pub
//! cargo xtask firmware sign --key FILE --board BOARD  a signed image
//! cargo xtask firmware size                           what was built, against its budget
//! cargo xtask firmware test                           tests of the bootloader on the host
//! ```

mod arguments;
mod boards;
mod build;
mod elf;
mod keys;
mod sign;
mod size;
mod toolchain;

use std::path::PathBuf;

use anyhow::bail;

use crate::root;
use crate::run::cargo_process;
use arguments::Arguments;

const HELP: &str = "\
用法 usage: cargo xtask firmware <verb>

  build  [--board BOARD]… (--development | --public FILE.pub) [--slow]
  sign   --key FILE --board BOARD [--kind KIND]… [--version X.Y.Z] [--security N] [--out FILE]
  keygen FILE
  size   [--board BOARD]…
  test

例 examples:
  cargo xtask firmware build --development
  cargo xtask firmware keygen centre.key
  cargo xtask firmware build --public centre.key.pub
  cargo xtask firmware sign --key centre.key --board stm32f405 --kind room --version 1.2.0";

/// Runs a verb. `None` is wrong usage, and help was printed.
pub fn run(arguments: &[&str]) -> Option<anyhow::Result<()>> {
    let Some((verb, rest)) = arguments.split_first() else {
        eprintln!("{HELP}");
        return None;
    };
    let done = match *verb {
        "build" => {
            Arguments::read(rest, &["board", "public"], &["development", "slow"]).map(|w| build::verb(&w))
        }
        "sign" => Arguments::read(rest, &["key", "board", "kind", "version", "security", "out"], &[])
            .map(|w| sign::verb(&w)),
        "keygen" => Arguments::read(rest, &[], &[]).map(|w| keys::verb(&w)),
        "size" => Arguments::read(rest, &["board"], &[]).map(|w| size::verb(&w)),
        "test" => Arguments::read(rest, &[], &[]).map(|_| test()),
        "--help" | "help" => {
            println!("{HELP}");
            return Some(Ok(()));
        }
        other => Err(anyhow::anyhow!("未知动词 unknown verb {other:?}")),
    };
    match done {
        Ok(done) => Some(done),
        Err(usage) => {
            eprintln!("{usage:#}\n\n{HELP}");
            None
        }
    }
}

/// Whether the compiler on the path builds firmware by itself.
pub fn has_rustup_target() -> bool {
    toolchain::has_rustup_target()
}

/// The stage of `cargo xtask test`: every board built, in its budget, the bootloader tested.
pub fn stage() -> anyhow::Result<()> {
    build::all_for_tests()?;
    test()
}

/// Tests of the bootloader's own rules: the power cut at every write.
fn test() -> anyhow::Result<()> {
    let mut cargo = cargo_process();
    cargo.args(["test", "-p", "linli-bootloader", "--tests", "--target", host()?.trim()]).current_dir(home());
    let status = cargo.status()?;
    if !status.success() {
        bail!("tests of the bootloader failed; again: cargo xtask firmware test");
    }
    Ok(())
}

fn host() -> anyhow::Result<String> {
    let output = std::process::Command::new("rustc").args(["--print", "host-tuple"]).output()?;
    Ok(String::from_utf8(output.stdout)?)
}

/// Where the firmware's workspace is.
fn home() -> PathBuf {
    root().join("firmware")
}

/// Where the programs of a board are put after they are built.
fn output_dir(board: &str) -> PathBuf {
    root().join("target/firmware").join(board)
}
