//! Whether the gateway may read what its configuration names. A check by root reads everything; the gateway is another
//! user, the owner of its data directory.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::report::Problem;
use super::{named_files, schema, store_path};

/// A user, by number, and its group.
#[derive(Clone, Copy)]
struct User(u32, u32);

/// Files of a configuration that the owner of the data directory may not read. Empty unless root asks: everybody else
/// finds out by reading them.
#[must_use]
pub fn unreadable(dir: &Path) -> Vec<Problem> {
    let store = store_path(dir);
    let Some(data) = store.parent() else { return Vec::new() };
    match data.metadata() {
        Ok(found) if rustix::process::geteuid().is_root() && found.uid() != 0 => {
            unreadable_by(User(found.uid(), found.gid()), data, dir)
        }
        _ => Vec::new(),
    }
}

fn unreadable_by(user: User, data: &Path, dir: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in schema::FILES {
        let mut named = vec![dir.join(file)];
        let text = std::fs::read_to_string(&named[0]).unwrap_or_default();
        let table: toml::Table = toml::from_str(&text).unwrap_or_default();
        named_files::each(&mut table.into(), &mut |path| named.push(dir.join(path)));
        problems.extend(named.iter().filter_map(|path| {
            let mend = user.is_kept_from(path, data)?;
            let message =
                format!("{}: the gateway, as owner of {}, may not read it", path.display(), data.display());
            Some(Problem::file(file, format!("{message}; run `{mend}`")))
        }));
    }
    problems
}

// === impl User ===

impl User {
    /// What gives this user a file that is there and kept from it; `None` if it may read it.
    fn is_kept_from(self, path: &Path, data: &Path) -> Option<String> {
        let file = path.metadata().ok()?;
        if !self.may(&file, 0o4) {
            return Some(format!("chown --reference={} {}", data.display(), path.display()));
        }
        let closed =
            path.ancestors().skip(1).find(|dir| dir.metadata().is_ok_and(|dir| !self.may(&dir, 0o1)))?;
        Some(format!("chmod o+rx {}", closed.display()))
    }

    /// Whether the permission bit of the user's class is there.
    fn may(self, of: &Metadata, bit: u32) -> bool {
        let class = match of {
            of if of.uid() == self.0 => 6,
            of if of.gid() == self.1 => 3,
            _ => 0,
        };
        of.mode() >> class & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_the_gateway_may_not_read_is_told_with_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let mode = |file: &str, mode: u32| {
            std::fs::set_permissions(dir.path().join(file), Permissions::from_mode(mode)).unwrap();
        };
        let text =
            "[mqtt]\npassword = \"file:p\"\ntls = { ca = \"c.pem\" }\n[[worker]]\ntoken = \"file:t\"\n";
        for (file, text) in [("gateway.toml", text), ("p", ""), ("c.pem", ""), ("t", "")] {
            std::fs::write(dir.path().join(file), text).unwrap();
            mode(file, 0o644);
        }
        mode("", 0o755);
        let nobody = User(54_321, 54_321);
        let told = || -> Vec<String> {
            let found = unreadable_by(nobody, Path::new("/d"), dir.path());
            found.iter().map(|problem| format!("{}: {}", problem.file, problem.message)).collect()
        };
        assert_eq!(told(), [""; 0]);
        for file in ["p", "c.pem", "t"] {
            mode(file, 0o600);
            let path = dir.path().join(file).display().to_string();
            let expected = format!(
                "gateway.toml: {path}: the gateway, as owner of /d, may not read it; run `chown --reference=/d {path}`"
            );
            assert_eq!(told(), [expected]);
            mode(file, 0o640);
            assert_eq!(told().len(), 1, "not of its group");
            mode(file, 0o644);
        }
        mode("", 0o700);
        let path = dir.path().display().to_string();
        assert!(
            told().len() == 4 && told()[0].ends_with(&format!("run `chmod o+rx {path}`")),
            "{:?}",
            told()
        );
        mode("", 0o755);
    }
}
