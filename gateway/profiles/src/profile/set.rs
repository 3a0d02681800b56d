//! All profiles: the built-in ones, and a site's own on top.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::naming::{self, Origin};
use super::raw::RawProfile;
use super::{Profile, check};

include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

/// Longest profile file that is looked at.
const LONGEST_FILE: u64 = 1 << 20;

/// Profiles by `vendor/model`.
#[derive(Debug, Clone, Default)]
pub struct ProfileSet {
    profiles: BTreeMap<String, Arc<Profile>>,
    /// Names of profiles that have problems of their own.
    broken: BTreeSet<String>,
}

/// Something wrong with a profile file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileError {
    /// Which file, relative to the directory given.
    pub file: PathBuf,
    /// Which line, where it is known.
    pub line: Option<usize>,
    /// What and how to mend it.
    pub message: String,
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.message),
            None => write!(f, "{}: {}", self.file.display(), self.message),
        }
    }
}

static BUILT_IN: LazyLock<ProfileSet> = LazyLock::new(|| {
    let mut set = ProfileSet::default();
    for (file, text) in EMBEDDED {
        // Each is checked by a test; one that is bad all the same is not there.
        if let Ok(profile) = parse(file, text, Origin::BuiltIn) {
            set.profiles.insert(profile.name.clone(), Arc::new(profile));
        }
    }
    set
});

// === impl ProfileSet ===

impl ProfileSet {
    /// The profiles linli comes with.
    #[must_use]
    pub fn embedded() -> Self {
        BUILT_IN.clone()
    }

    /// Adds the profiles in `directory/<vendor>/<model>.toml` and `directory/*.toml`; they replace built-in ones of
    /// the same name. The errors are all problems found.
    pub fn with_dir(self, directory: &Path) -> Result<Self, Vec<ProfileError>> {
        let (set, problems) = self.extended(directory);
        if problems.is_empty() { Ok(set) } else { Err(problems) }
    }

    /// The same with the good profiles beside the problems of the others; the set keeps which names those have, so that
    /// a problem of a profile is not told again for each of its devices.
    #[must_use]
    pub fn extended(mut self, directory: &Path) -> (Self, Vec<ProfileError>) {
        let mut problems = Vec::new();
        let mut own = BTreeMap::new();
        for file in files(directory, &mut problems) {
            let path = directory.join(&file);
            let relative = file.to_string_lossy().into_owned();
            let text = match read(&path) {
                Ok(text) => text,
                Err(message) => {
                    self.broken.insert(name_of(&relative, ""));
                    problems.push(ProfileError { file, line: None, message });
                    continue;
                }
            };
            match parse(&relative, &text, Origin::Site) {
                Ok(profile) => {
                    if let Some(other) = own.insert(profile.name.clone(), relative) {
                        let message = format!("{} is already in {other}: keep one of the two", profile.name);
                        problems.push(ProfileError { file, line: None, message });
                    }
                    self.profiles.insert(profile.name.clone(), Arc::new(profile));
                }
                Err(more) => {
                    // Both names it may be called by: what it says, and what its folder says.
                    self.broken.extend([name_of(&relative, &text), name_of(&relative, "")]);
                    problems.extend(more);
                }
            }
        }
        (self, problems)
    }

    /// Whether a profile of that name has problems of its own.
    #[must_use]
    pub fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(name)
    }

    /// The profile of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Arc<Profile>> {
        self.profiles.get(name).cloned()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.profiles.values()
    }

    /// The name most like `name`, for a question.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let likeness = |known: &&String| {
            let model = known.split('/').next_back().unwrap_or_default();

            strsim::jaro_winkler(known, name).max(strsim::jaro_winkler(model, name))
        };
        let best = self.profiles.keys().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
        (likeness(&best) > 0.7).then_some(best.as_str())
    }
}

/// Parses and checks one profile. Never panics, whatever the text.
pub(super) fn parse(file: &str, text: &str, origin: Origin) -> Result<Profile, Vec<ProfileError>> {
    let error = |line, message| ProfileError { file: file.into(), line, message };
    let raw: RawProfile = toml::from_str(text).map_err(|e| {
        let line = e.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        vec![error(line, e.message().to_owned())]
    })?;
    check::check(&raw, file, origin)
        .map_err(|problems| problems.into_iter().map(|p| error(None, p)).collect())
}

/// The name that a file's profile has, although it cannot be understood.
fn name_of(file: &str, text: &str) -> String {
    let head: String = text.lines().take_while(|line| !line.trim_start().starts_with('[')).fold(
        String::new(),
        |mut head, line| {
            // Line by line: one that is wrong does not hide the others.
            if line.parse::<toml::Table>().is_ok() {
                head.push_str(line);
                head.push('\n');
            }
            head
        },
    );
    let table: toml::Table = head.parse().unwrap_or_default();
    let (folder, stem) = naming::of_file(file);
    let part = |key: &str, otherwise: &str| -> String {
        table.get(key).and_then(|value| value.as_str()).unwrap_or(otherwise).to_owned()
    };
    format!("{}/{}", part("vendor", folder.unwrap_or("site")), part("model", stem))
}

/// The files of profiles, sorted. What lies elsewhere and would be overlooked is a problem.
fn files(directory: &Path, problems: &mut Vec<ProfileError>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let list = |path: &Path| -> Result<Vec<std::fs::DirEntry>, String> {
        std::fs::read_dir(path).and_then(Iterator::collect).map_err(|e| e.to_string())
    };
    let is_profile = |path: &Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"));
    let mut wrong =
        |file: PathBuf, message: String| problems.push(ProfileError { file, line: None, message });
    let entries = list(directory).unwrap_or_else(|message| {
        wrong(PathBuf::from("."), message);
        Vec::new()
    });
    for entry in entries {
        let name = PathBuf::from(entry.file_name());
        if !entry.path().is_dir() {
            found.extend(is_profile(&name).then_some(name));
            continue;
        }
        for model in list(&entry.path()).unwrap_or_default() {
            let file = name.join(model.file_name());
            if model.path().is_dir() {
                let inner = list(&model.path()).unwrap_or_default();
                if let Some(deep) = inner.iter().find(|entry| is_profile(&entry.path())) {
                    let message = "lies too deep to be read: a profile is devices/<vendor>/<model>.toml";
                    wrong(file.join(deep.file_name()), message.to_owned());
                }
            } else {
                found.extend(is_profile(&file).then_some(file));
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if length > LONGEST_FILE {
        return Err(format!("{length} bytes is too long for a profile"));
    }
    std::fs::read_to_string(path).map_err(|e| e.to_string())
}

/// Checks the text of a site's own profile: the problems as sentences.
#[must_use]
pub fn problems_of_own(file: &str, text: &str) -> Vec<String> {
    parse(file, text, Origin::Site).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// Checks the text of a built-in profile: the problems as sentences.
#[must_use]
pub fn problems_of(file: &str, text: &str) -> Vec<String> {
    parse(file, text, Origin::BuiltIn).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}
