//! Embeds every `devices/<vendor>/<model>.toml`, so that the one binary knows them.

use std::fmt::Write;
use std::path::Path;

fn main() -> std::io::Result<()> {
    // As it is now: a build directory may be kept while the sources move.
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or_else(|| std::io::Error::other("no CARGO_MANIFEST_DIR"))?;
    let devices = Path::new(&here).join("../devices");
    println!("cargo::rerun-if-changed={}", devices.display());
    let mut files = Vec::new();
    for vendor in std::fs::read_dir(&devices)?.collect::<Result<Vec<_>, _>>()? {
        println!("cargo::rerun-if-changed={}", vendor.path().display());
        for model in std::fs::read_dir(vendor.path())?.collect::<Result<Vec<_>, _>>()? {
            files.push((format!("{}/{}", name(&vendor), name(&model)), model.path()));
        }
    }
    files.sort();
    let mut table =
        String::from("/// Name and text of every built-in profile.\nconst EMBEDDED: &[(&str, &str)] = &[\n");
    for (name, path) in files {
        let _ = writeln!(table, "    ({name:?}, include_str!({:?})),", path.canonicalize()?);
    }
    table.push_str("];\n");
    let out = std::env::var("OUT_DIR").map_err(std::io::Error::other)?;
    std::fs::write(Path::new(&out).join("profiles.rs"), table)
}

fn name(entry: &std::fs::DirEntry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}
