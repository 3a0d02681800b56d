//! The linker's script from the board's layout: one folder for each program.

use std::path::PathBuf;

#[allow(dead_code, reason = "the program needs more of it than the linker")]
#[path = "src/layout.rs"]
mod layout;

use layout::{ACTIVE, BOOT, RAM};

/// The image's header before its vector table (`linli_wire::image::BODY`).
const HEADER: u32 = 512;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let node = (ACTIVE.0 + HEADER, ACTIVE.1 - HEADER);
    let whole = (BOOT.0, 0x10_0000);
    for (program, flash) in [("boot", BOOT), ("node", node), ("smoke", whole)] {
        let dir = out.join(program);
        std::fs::create_dir_all(&dir).expect("the build's folder can be written");
        let memory = format!(
            "MEMORY {{ FLASH : ORIGIN = {}, LENGTH = {}\n RAM : ORIGIN = {}, LENGTH = {} }}\n",
            flash.0, flash.1, RAM.0, RAM.1
        );
        std::fs::write(dir.join("memory.x"), memory).expect("the build's folder can be written");
        for argument in [&format!("-L{}", dir.display()), "-Tlink.x", "--nmagic"] {
            println!("cargo:rustc-link-arg-bin=stm32f405-{program}={argument}");
        }
    }
    println!("cargo:rerun-if-changed=src/layout.rs");
}
