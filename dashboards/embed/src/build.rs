//! Builds screens with npm and writes the table of their files that the program includes. The files go to OUT_DIR; in the
//! source tree only `node_modules` is written.
//!
//! A variable of the environment names a folder with built screens: for cross builds and packagers, no Node needed. Where
//! Node is missing or too old the build goes on without screens, and says so.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs, io};

/// Oldest Node that Vite 8 supports.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// Which screens, for what.
pub struct Screens<'a> {
    /// Their folder, relative to the crate that embeds them.
    pub folder: &'a str,
    /// What they are built from, relative to that folder. Not `node_modules`: the lock file stands for it.
    pub inputs: &'a [&'a str],
    /// Folder of `package.json`, relative to the crate.
    pub packages: &'a str,
    /// The script in it that builds them.
    pub script: &'a str,
    /// Variable that names a folder of built ones.
    pub variable: &'a str,
    /// The program, for messages.
    pub program: &'a str,
}

type Outcome<T> = Result<T, String>;

// === impl Screens ===

impl Screens<'_> {
    /// Builds them and writes `OUT_DIR/assets.rs`: `HOW`, how to get screens where there are none, and `ASSETS`.
    ///
    /// # Errors
    ///
    /// A sentence, where the folder of built screens has none, or npm fails.
    pub fn embed(&self) -> Outcome<()> {
        println!("cargo::rerun-if-changed=build.rs");
        println!("cargo::rerun-if-env-changed={}", self.variable);
        let how = format!(
            "install Node 20.19 or newer with npm and build again, or set {} to a folder of built screens",
            self.variable
        );
        let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
        let folder = match env::var_os(self.variable) {
            Some(dist) => {
                println!("cargo::rerun-if-changed={}", Path::new(&dist).display());
                let dist = PathBuf::from(dist);
                if !dist.join("index.html").is_file() {
                    return Err(format!(
                        "{}={}: there is no index.html in it",
                        self.variable,
                        dist.display()
                    ));
                }
                Some(dist)
            }
            None => self.built(&out.join("web"))?,
        };
        if folder.is_none() {
            println!("cargo::warning={} is built without its screens (屏幕未构建): {how}", self.program);
        }
        let table =
            table(folder.as_deref(), &out, &how).map_err(|error| format!("the table of assets: {error}"))?;
        fs::write(out.join("assets.rs"), table).map_err(|error| error.to_string())
    }

    /// Builds the screens and returns their folder; `None` where that is not possible.
    fn built(&self, to: &Path) -> Outcome<Option<PathBuf>> {
        // As it is now: a build directory may be kept while the sources move.
        let here = env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets CARGO_MANIFEST_DIR")?;
        let here = Path::new(&here);
        let (folder, packages) = (here.join(self.folder), here.join(self.packages));
        let mut inputs: Vec<PathBuf> = self.inputs.iter().map(|name| folder.join(name)).collect();
        inputs.extend(["package.json", "package-lock.json"].map(|name| packages.join(name)));
        inputs.iter().for_each(|input| println!("cargo::rerun-if-changed={}", input.display()));
        if !is_node_new_enough() {
            // Without this a later installation would not be noticed.
            println!("cargo::rerun-if-env-changed=PATH");
            return Ok(None);
        }
        if let Err(why) = install(&packages) {
            println!("cargo::warning=npm ci failed in {}: {}", packages.display(), why.replace('\n', " "));
            println!("cargo::rerun-if-changed={}", packages.join("node_modules").display());
            return Ok(None);
        }
        let newest = inputs.iter().filter_map(|input| newest(input)).max();
        if newest >= modified(&to.join("index.html")) {
            let to = to.to_str().ok_or("OUT_DIR is not UTF-8")?;
            npm(&packages, &["run", self.script, "--", "--outDir", to, "--emptyOutDir"])?;
        }
        Ok(Some(to.to_owned()))
    }
}

/// Installs the packages, unless they are there. The build scripts of two programs run at once: one installs, the other
/// waits for it.
fn install(packages: &Path) -> Outcome<()> {
    let lock_file = packages.join("package-lock.json");
    let lock = File::open(&lock_file).map_err(|error| format!("{}: {error}", lock_file.display()))?;
    lock.lock().map_err(|error| format!("{}: {error}", lock_file.display()))?;
    let installed = modified(&packages.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&lock_file) {
        return Ok(());
    }
    // Whoever has the packages of the tests keeps them.
    let is_developer = packages.join("node_modules/vitest").is_dir();
    npm(packages, &["ci", if is_developer { "--include=dev" } else { "--omit=dev" }, "--ignore-scripts"])
}

fn is_node_new_enough() -> bool {
    let Ok(answer) = Command::new("node").arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let mut numbers = text.trim().trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= OLDEST_NODE && Command::new("npm").arg("--version").output().is_ok()
}

fn npm(packages: &Path, arguments: &[&str]) -> Outcome<()> {
    let output = Command::new("npm").args(arguments).current_dir(packages).output();
    let output = output.map_err(|error| format!("npm cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    // npm names the cause in its last lines; before them it may print a tree of packages.
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    Err(format!("npm {}:\n{}", arguments.join(" "), lines[lines.len().saturating_sub(15)..].join("\n")))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|known| known.modified()).ok()
}

/// Time of the newest file or folder below a path. Folders count, so that a deletion is noticed.
fn newest(path: &Path) -> Option<SystemTime> {
    let below = fs::read_dir(path).into_iter().flatten().flatten();
    below.filter_map(|entry| newest(&entry.path())).chain(modified(path)).max()
}

/// The table: path, type, tag, whether the name holds a hash of the contents, and the bytes, plain and
/// compressed. `vite build` has written the compressed ones beside the others.
fn table(folder: Option<&Path>, out: &Path, how: &str) -> io::Result<String> {
    let mut rows = String::new();
    if let Some(folder) = folder {
        let mut names = Vec::new();
        list(folder, folder, &mut names)?;
        names.sort();
        // Copied, because a folder of built screens may go away.
        let kept = out.join("kept");
        let _ = fs::remove_dir_all(&kept);
        fs::create_dir_all(&kept)?;
        for (number, name) in names.iter().filter(|name| !name.ends_with(".gz")).enumerate() {
            let bytes = fs::read(folder.join(name))?;
            let plain = kept.join(number.to_string());
            fs::write(&plain, &bytes)?;
            let packed = folder.join(format!("{name}.gz"));
            let gzip = match packed.is_file() {
                true => {
                    let to = kept.join(format!("{number}.gz"));
                    fs::copy(&packed, &to)?;
                    format!("Some(include_bytes!({to:?}))")
                }
                false => "None".to_owned(),
            };
            let _ = writeln!(
                rows,
                "Asset {{ path: {name:?}, kind: {:?}, tag: \"\\\"{:016x}\\\"\", is_hashed: {}, plain: include_bytes!({plain:?}), gzip: {gzip} }},",
                kind(name),
                fnv(&bytes),
                name.starts_with("assets/"),
            );
        }
    }
    Ok(format!("const HOW: &str = {how:?};\npub(super) static ASSETS: &[Asset] = &[\n{rows}];\n"))
}

fn list(root: &Path, folder: &Path, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(root, &path, names)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            names.push(name.to_owned());
        }
    }
    Ok(())
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "webmanifest") => "application/json",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

/// FNV-1a, 64 bits: the tag only tells one version of a file from another.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_type_tag_and_both_forms_of_each_file() {
        let out = env::temp_dir().join(format!("linli-embed-{}", std::process::id()));
        let dist = out.join("dist");
        fs::create_dir_all(dist.join("assets")).expect("a folder");
        for (name, bytes) in
            [("index.html", "page"), ("assets/a-1.js", "script"), ("assets/a-1.js.gz", "packed")]
        {
            fs::write(dist.join(name), bytes).expect("a file");
        }
        let table = table(Some(&dist), &out, "do so").expect("a table");
        fs::remove_dir_all(&out).expect("removed");
        assert!(table.starts_with("const HOW: &str = \"do so\";"), "{table}");
        assert_eq!(table.matches("Asset {").count(), 2, "{table}");
        let script = table.lines().find(|line| line.contains("a-1.js")).expect("the script");
        assert!(script.contains("text/javascript") && script.contains("is_hashed: true"), "{script}");
        assert!(script.contains("gzip: Some("), "{script}");
        assert!(table.contains("text/html; charset=utf-8"), "{table}");
    }

    #[test]
    fn without_screens_the_table_is_empty_and_says_how_to_get_them() {
        let table = table(None, Path::new("/nowhere"), "install Node").expect("a table");
        assert!(table.contains("install Node") && !table.contains("Asset {"), "{table}");
    }
}
