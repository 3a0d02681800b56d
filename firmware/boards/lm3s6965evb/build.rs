//! The linker's script from the board's layout.

use std::path::PathBuf;

#[allow(dead_code, reason = "the program needs more of it than the linker")]
#[path = "src/layout.rs"]
mod layout;

use layout::{FLASH, RAM};

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let memory = format!(
        "MEMORY {{ FLASH : ORIGIN = {}, LENGTH = {}\n RAM : ORIGIN = {}, LENGTH = {} }}\n",
        FLASH.0, FLASH.1, RAM.0, RAM.1
    );
    std::fs::write(out.join("memory.x"), memory).expect("the build's folder can be written");
    // The start-up code wants this file; the vectors themselves are in src/interrupts.rs.
    std::fs::write(out.join("device.x"), "").expect("the build's folder can be written");
    for argument in [&format!("-L{}", out.display()), "-Tlink.x", "--nmagic"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
    println!("cargo:rerun-if-changed=src/layout.rs");
}
