//! All profiles: the built-in ones, and a site's own on top.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::raw::RawProfile;
use super::{Profile, check};

include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

/// Longest profile file that is looked at.
const LONGEST_FILE: u64 = 1 << 20;

/// Profiles by `vendor/model`.
#[derive(Debug, Clone, Default)]
pub struct ProfileSet {
    profiles: BTreeMap<String, Arc<Profile>>,
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
        if let Ok(profile) = parse(file, text) {
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

    /// Adds the profiles in `directory/<vendor>/<model>.toml`; they replace built-in ones of the
    /// same name.
    pub fn with_dir(mut self, directory: &Path) -> Result<Self, Vec<ProfileError>> {
        let mut problems = Vec::new();
        for file in files(directory, &mut problems) {
            let path = directory.join(&file);
            let text = match read(&path) {
                Ok(text) => text,
                Err(message) => {
                    problems.push(ProfileError { file, line: None, message });
                    continue;
                }
            };
            match parse(&file.to_string_lossy(), &text) {
                Ok(profile) => {
                    self.profiles.insert(profile.name.clone(), Arc::new(profile));
                }
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(self) } else { Err(problems) }
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
pub(super) fn parse(file: &str, text: &str) -> Result<Profile, Vec<ProfileError>> {
    let error = |line, message| ProfileError { file: file.into(), line, message };
    let raw: RawProfile = toml::from_str(text).map_err(|e| {
        let line = e.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        vec![error(line, e.message().to_owned())]
    })?;
    check::check(&raw, file).map_err(|problems| problems.into_iter().map(|p| error(None, p)).collect())
}

fn files(directory: &Path, problems: &mut Vec<ProfileError>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let list = |path: &Path| -> Result<Vec<std::fs::DirEntry>, String> {
        std::fs::read_dir(path).and_then(Iterator::collect).map_err(|e| e.to_string())
    };
    let vendors = list(directory).unwrap_or_else(|message| {
        problems.push(ProfileError { file: PathBuf::from("."), line: None, message });
        Vec::new()
    });
    for vendor in vendors.iter().filter(|entry| entry.path().is_dir()) {
        for model in list(&vendor.path()).unwrap_or_default() {
            if model.path().extension().is_some_and(|ending| ending == "toml") {
                found.push(PathBuf::from(vendor.file_name()).join(model.file_name()));
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

/// Checks a profile text for tests and fuzzing: the problems as sentences.
#[must_use]
pub fn problems_of(file: &str, text: &str) -> Vec<String> {
    parse(file, text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}
