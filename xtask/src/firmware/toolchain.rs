//! Which compiler builds for a microcontroller: rustup's, where its target is installed, or the
//! distribution's, which builds `core` from its own source.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use super::home;
use crate::run::cargo_process;

/// One target for every board: a Cortex-M4 runs it too.
pub const TARGET: &str = "thumbv7m-none-eabi";

const LIBRARY: &str = "/usr/lib/rustlib/src/rust/library/core";

/// A compiler for the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// The compiler on the path, which has the target.
    Rustup,
    /// Debian's `rustc-web`, `cargo-web`, `rust-web-src` and `lld`.
    Distribution,
}

/// Whether the compiler on the path has the target.
pub fn has_rustup_target() -> bool {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    sysroot.is_ok_and(|root| Path::new(&root).join("lib/rustlib").join(TARGET).join("lib").is_dir())
}

// === impl Toolchain ===

impl Toolchain {
    /// Finds a compiler.
    pub fn find() -> anyhow::Result<Self> {
        if has_rustup_target() {
            return Ok(Self::Rustup);
        }
        let places = ["/usr/bin/rustc", "/usr/bin/cargo", "/usr/bin/ld.lld", LIBRARY];
        let missing: Vec<&str> = places.into_iter().filter(|place| !Path::new(place).exists()).collect();
        if missing.is_empty() {
            return Ok(Self::Distribution);
        }
        bail!(
            "没有可用的单片机编译器 no compiler for {TARGET}: either `rustup target add {TARGET}`, or \
             `apt-get install rustc-web cargo-web rust-web-src lld` (missing: {})",
            missing.join(", ")
        )
    }

    /// A cargo in the firmware's workspace that builds for the target.
    pub fn cargo(self, verb: &str) -> Command {
        let mut cargo = match self {
            Self::Rustup => cargo_process(),
            Self::Distribution => Command::new("/usr/bin/cargo"),
        };
        cargo.arg(verb).arg("--release").current_dir(home());
        // Flags meant for the host's programs do not fit another processor.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "RUSTC_WRAPPER"] {
            cargo.env_remove(name);
        }
        if self == Self::Distribution {
            // `core` from source is a feature that the stable compiler hides.
            cargo
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTDOC", "/usr/bin/rustdoc");
            cargo.arg("-Zbuild-std=core").arg("--config");
            cargo.arg(format!("target.{TARGET}.linker=\"ld.lld\""));
        }
        cargo
    }

    /// Runs a command of that compiler.
    pub fn run(self, cargo: &mut Command) -> anyhow::Result<()> {
        let status = cargo.status().with_context(|| format!("{cargo:?} cannot be started"))?;
        if !status.success() {
            bail!("the firmware does not build: {cargo:?}");
        }
        Ok(())
    }
}
