//! Arguments of a command line: `--name value`, `--flag`, and the rest.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

/// Arguments of a command line.
pub struct Arguments {
    named: BTreeMap<String, Vec<String>>,
    flags: Vec<String>,
    /// Arguments without a name.
    pub rest: Vec<String>,
}

// === impl Arguments ===

impl Arguments {
    /// Parses the arguments. An unknown name is an error.
    pub fn read(arguments: &[&str], names: &[&str], flags: &[&str]) -> anyhow::Result<Self> {
        let mut read = Self { named: BTreeMap::new(), flags: Vec::new(), rest: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(word) = arguments.next() {
            match word.strip_prefix("--") {
                Some(name) if flags.contains(&name) => read.flags.push(name.to_owned()),
                Some(name) if names.contains(&name) => {
                    let value = arguments.next().with_context(|| format!("--{name} 缺少值 needs a value"))?;
                    read.named.entry(name.to_owned()).or_default().push((*value).to_owned());
                }
                Some(name) => bail!("未知选项 unknown option --{name}"),
                None => read.rest.push((*word).to_owned()),
            }
        }
        Ok(read)
    }

    /// Whether the flag was given.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }

    /// The value of a name, the last one given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).last().map(String::as_str)
    }

    /// Every value of a name.
    pub fn all(&self, name: &str) -> &[String] {
        self.named.get(name).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_unknown_ones_refused() {
        let read = Arguments::read(&["--board", "a", "--slow", "x", "--board", "b"], &["board"], &["slow"]);
        let read = read.expect("they are known");
        assert_eq!((read.get("board"), read.all("board").len(), read.has("slow")), (Some("b"), 2, true));
        assert_eq!(read.rest, ["x"]);
        assert!(Arguments::read(&["--boards", "a"], &["board"], &[]).is_err());
        assert!(Arguments::read(&["--board"], &["board"], &[]).is_err());
    }
}
