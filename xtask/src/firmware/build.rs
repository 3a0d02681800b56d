//! Builds bootloaders and nodes into `target/firmware/<board>/`.

use std::path::Path;

use anyhow::{Context, bail};

use super::arguments::Arguments;
use super::boards::{self, Board};
use super::sign::{self, Release};
use super::toolchain::{TARGET, Toolchain};
use super::{home, keys, output_dir, size};
use crate::root;

/// Builds the boards named, or all.
pub fn verb(arguments: &Arguments) -> anyhow::Result<()> {
    let key = match (arguments.has("development"), arguments.get("public")) {
        (true, None) => keys::secret(&keys::development())?.verifying_key().to_bytes(),
        (false, Some(file)) => keys::read(Path::new(file))?,
        _ => bail!(
            "说明信任哪把公钥 say which key the nodes trust: --public FILE.pub, or --development for the \
             key that everybody has (never for nodes in the field)"
        ),
    };
    let development = keys::secret(&keys::development())?.verifying_key().to_bytes();
    if !arguments.has("development") && key == development {
        bail!("这是开发密钥 this is the development key: say --development if you mean it");
    }
    let boards = boards::named(arguments.all("board"))?;
    build(&boards, &key, arguments.has("slow"))?;
    if arguments.has("development") {
        sign_for_development(&boards)?;
    }
    size::check(&boards)
}

/// What the end-to-end tests and the demonstration use: every board with the development key, and the
/// slowed bootloader beside the other.
pub fn all_for_tests() -> anyhow::Result<()> {
    verb(&Arguments::read(&["--development", "--slow"], &[], &["development", "slow"])?)
}

fn build(boards: &[Board], key: &[u8; 32], is_slow: bool) -> anyhow::Result<()> {
    let toolchain = Toolchain::find()?;
    for board in boards {
        let cargo = |features: &[&str]| {
            let mut cargo = toolchain.cargo("build");
            cargo.args(["-p", &board.name]).args(features).env("LINLI_FIRMWARE_KEY", keys::hex(key));
            cargo
        };
        if is_slow && has_slow(board)? {
            toolchain.run(cargo(&["--features", "slow"]).args(["--bin", &program(board, "boot")]))?;
            copy_program(board, "boot", "boot-slow")?;
        }
        toolchain.run(&mut cargo(&[]))?;
        for budget in &board.budgets {
            copy_program(board, &budget.program, &budget.program)?;
        }
        std::fs::write(output_dir(&board.name).join("trusted.pub"), format!("{}\n", keys::hex(key)))?;
    }
    Ok(())
}

/// Only boards whose flash is emulated have a slowed bootloader.
fn has_slow(board: &Board) -> anyhow::Result<bool> {
    let manifest = std::fs::read_to_string(home().join("boards").join(&board.name).join("Cargo.toml"))?;
    Ok(manifest.lines().any(|line| line.starts_with("slow =")))
}

fn program(board: &Board, program: &str) -> String {
    format!("{}-{program}", board.name)
}

fn copy_program(board: &Board, from: &str, to: &str) -> anyhow::Result<()> {
    let built = root().join("target/thumb").join(TARGET).join("release").join(program(board, from));
    let dir = output_dir(&board.name);
    std::fs::create_dir_all(&dir)?;
    let to = dir.join(format!("{to}.elf"));
    std::fs::copy(&built, &to).with_context(|| format!("{} to {}", built.display(), to.display()))?;
    Ok(())
}

fn sign_for_development(boards: &[Board]) -> anyhow::Result<()> {
    let key = keys::secret(&keys::development())?;
    let version = sign::version(env!("CARGO_PKG_VERSION"))?;
    for board in boards {
        if board.budgets.iter().any(|budget| budget.program == "boot") {
            let release = Release { kinds: linli_wire::kind::ANY, version, security: 1 };
            std::fs::write(output_dir(&board.name).join("node.llfw"), sign::image(board, &release, &key)?)?;
        }
    }
    Ok(())
}
