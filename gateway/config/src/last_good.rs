//! The last configuration that worked, kept beside the database: after a bad edit and a power cut
//! the gateway still starts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::background::FOLDER;
use super::{Checked, Report, load, named_files, schema, store_path};

/// The copy's name inside the data directory.
const NAME: &str = "last-good";

/// The file that names the database.
const GATEWAY: &str = "gateway.toml";

/// Name of the previous copy while the two are exchanged: used after a power cut in between.
const BEFORE: &str = "last-good.old";

/// The configuration to run at start.
pub struct Booted {
    /// The configuration.
    pub checked: Checked,
    /// Errors of the configuration on disk when `checked` is the last good copy; `None` otherwise.
    pub fallback: Option<Report>,
}

/// Loads the configuration, or the last good copy when it has errors.
///
/// # Errors
/// The errors of the configuration when no usable copy exists.
pub fn load_or_last_good(dir: &Path) -> Result<Booted, Report> {
    let report = match load(dir) {
        Ok(checked) => return Ok(Booted { checked, fallback: None }),
        Err(report) => report,
    };
    // A file with errors may name no data directory: the default one is searched too.
    let candidates = [store_path(dir), PathBuf::from(super::DEFAULT_STORE)];
    let dirs = candidates.iter().filter_map(|store| store.parent());
    for kept in dirs.flat_map(|data| [data.join(NAME), data.join(BEFORE)]) {
        if kept.is_dir()
            && let Ok(checked) = load(&kept)
        {
            return Ok(Booted { checked, fallback: Some(report) });
        }
    }
    Err(report)
}

/// Copies a configuration that works to the data directory. The old copy remains until the new one
/// is complete on the disk; it stays as it is when it is the same, which spares the disk at every start.
/// Returns whether it was another one.
pub fn keep_last_good(dir: &Path, data_dir: &Path) -> anyhow::Result<bool> {
    let (kept, fresh, old) = (data_dir.join(NAME), data_dir.join("last-good.new"), data_dir.join(BEFORE));
    let mut files = BTreeMap::new();
    read(dir, Path::new(""), &mut files)?;
    pin(&mut files, dir)?;
    let mut before = BTreeMap::new();
    if kept.is_dir() && read(&kept, Path::new(""), &mut before).is_ok() && before == files {
        return Ok(false);
    }
    let _ = fs::remove_dir_all(&fresh);
    write(&fresh, &files)?;
    let _ = fs::remove_dir_all(&old);
    if kept.is_dir() {
        fs::rename(&kept, &old)?;
    }
    fs::rename(&fresh, &kept)?;
    fs::File::open(data_dir)?.sync_all()?;
    let _ = fs::remove_dir_all(&old);
    Ok(true)
}

/// Reads the files that `load` reads, by their path below `root`. Files that the configuration refers to are not read.
fn read(root: &Path, below: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let is_read = name == "devices" || name == "plans" || name == FOLDER || below.ends_with("devices");
        if path.is_dir() {
            if is_read {
                read(root, &below.join(name), files)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "toml" || ending == "sig")
            || (below == Path::new(FOLDER) && path.extension().is_some_and(|ending| ending == "svg"))
        {
            files.insert(below.join(name), fs::read(&path)?);
        }
    }
    Ok(())
}

/// Writes the files, and syncs them and their directories.
fn write(to: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
    let mut dirs = BTreeSet::from([to.to_owned()]);
    fs::create_dir_all(to)?;
    for (path, text) in files {
        let target = to.join(path);
        if let Some(dir) = target.parent() {
            fs::create_dir_all(dir)?;
            dirs.extend(dir.ancestors().take_while(|dir| *dir != to).map(Path::to_owned));
        }
        let mut file = fs::File::create(&target)?;
        file.write_all(text)?;
        file.sync_all()?;
    }
    dirs.iter().try_for_each(|dir| fs::File::open(dir)?.sync_all())
}

/// Makes the paths in the copy absolute: in the original they are relative to its directory.
fn pin(files: &mut BTreeMap<PathBuf, Vec<u8>>, dir: &Path) -> anyhow::Result<()> {
    let dir = std::path::absolute(dir)?;
    let store = dir.join(store_path(&dir)).to_string_lossy().into_owned();
    let file = files.get_mut(Path::new(GATEWAY)).context("there is no gateway.toml")?;
    let mut table: toml::Table = toml::from_str(std::str::from_utf8(file)?)?;
    let section = table.entry("store").or_insert_with(|| toml::Table::new().into());
    if let Some(section) = section.as_table_mut() {
        section.insert("path".to_owned(), store.into());
    }
    *file = toml::to_string(&table)?.into_bytes();
    for file in schema::FILES {
        let Some(bytes) = files.get_mut(Path::new(file)) else { continue };
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let Ok(table) = toml::from_str::<toml::Table>(text) else { continue };
        let (mut value, mut is_changed) = (toml::Value::Table(table), false);
        named_files::each(&mut value, &mut |path| {
            *path = dir.join(&path).to_string_lossy().into_owned();
            is_changed = true;
        });
        if is_changed {
            *bytes = toml::to_string(&value)?.into_bytes();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn write_all(dir: &Path, files: &[(&str, &str)]) {
        for (file, text) in files {
            let path = dir.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn the_copy_is_whole_and_is_written_again_only_when_it_is_another() {
        let scratch = tempfile::tempdir().unwrap();
        let (dir, data) = (scratch.path().join("config"), scratch.path().join("data"));
        fs::create_dir_all(&data).unwrap();
        write_all(
            &dir,
            &[
                ("gateway.toml", "[gateway]\nid = \"g\"\n"),
                ("facility.toml", "a"),
                ("notes.txt", "not read"),
                ("devices/maker/model.toml", "b"),
                ("plans/p@1.toml", "c"),
                ("plans/p@1.toml.sig", "d"),
                ("other/x.toml", "not read"),
            ],
        );
        keep_last_good(&dir, &data).unwrap();
        let kept = data.join(NAME);
        let mut files = BTreeMap::new();
        read(&kept, Path::new(""), &mut files).unwrap();
        let names: Vec<String> = files.keys().map(|path| path.display().to_string()).collect();
        let expected = [
            "devices/maker/model.toml",
            "facility.toml",
            "gateway.toml",
            "plans/p@1.toml",
            "plans/p@1.toml.sig",
        ];
        assert_eq!(names, expected);
        assert!(!kept.join("other").exists() && !kept.join("notes.txt").exists());
        assert!(String::from_utf8_lossy(&files[Path::new("gateway.toml")]).contains("path = \"/"), "pinned");

        let inode = || fs::metadata(data.join(NAME)).unwrap().ino();
        let first = inode();
        assert!(!keep_last_good(&dir, &data).unwrap());
        assert_eq!(inode(), first, "the same configuration is not written again");
        fs::remove_file(dir.join("plans/p@1.toml.sig")).unwrap();
        keep_last_good(&dir, &data).unwrap();
        assert!(
            inode() != first && !data.join(NAME).join("plans/p@1.toml.sig").exists(),
            "a file less is another"
        );
        write_all(&data.join(NAME), &[("facility.toml", "damaged")]);
        keep_last_good(&dir, &data).unwrap();
        assert_eq!(fs::read_to_string(data.join(NAME).join("facility.toml")).unwrap(), "a");
    }

    #[test]
    fn every_file_that_is_named_is_found_from_the_copy() {
        let scratch = tempfile::tempdir().unwrap();
        let (dir, data) = (scratch.path().join("config"), scratch.path().join("data"));
        fs::create_dir_all(&data).unwrap();
        let gateway = "[gateway]\nid = \"g\"\n[mqtt]\npassword = \"file:p\"\ntls = { ca = \"c.pem\", cert = \"/c\" }\n\
            [slip]\nprinter_ca = \"s.pem\"\n[fhir]\nca = \"f.pem\"\n";
        let devices = "# ours\n[[device]]\nid = \"k\"\ntoken = \"file:k.token\"\n";
        let alarms = "[[webhook]]\nsecret = \"file:hook\"\n";
        write_all(&dir, &[("gateway.toml", gateway), ("devices.toml", devices), ("alarms.toml", alarms)]);
        write_all(&dir, &[("facility.toml", "# as it is\n[centre]\nid = \"c\"\n")]);
        keep_last_good(&dir, &data).unwrap();
        let kept = |file: &str| fs::read_to_string(data.join(NAME).join(file)).unwrap();
        let here = dir.display();
        for (file, path) in [
            ("gateway.toml", format!("\"file:{here}/p\"")),
            ("gateway.toml", format!("\"{here}/c.pem\"")),
            ("gateway.toml", "\"/c\"".to_owned()),
            ("gateway.toml", format!("\"{here}/s.pem\"")),
            ("gateway.toml", format!("\"{here}/f.pem\"")),
            ("devices.toml", format!("\"file:{here}/k.token\"")),
            ("alarms.toml", format!("\"file:{here}/hook\"")),
            ("facility.toml", "# as it is".to_owned()),
        ] {
            assert!(kept(file).contains(&path), "{path} in {}", kept(file));
        }
    }
}
