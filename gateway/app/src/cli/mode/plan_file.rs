//! A plan on the command line: its file, or its name `id@version` in the configuration.

use std::path::{Path, PathBuf};

/// Returns the file of a plan that is named by its file or by `id@version`.
///
/// # Errors
/// When there is neither such a file nor such a plan; the error lists the plans of the configuration.
pub fn find(config: &linli_config::Checked, dir: &Path, name: &Path) -> anyhow::Result<PathBuf> {
    if name.is_file() {
        return Ok(name.to_owned());
    }
    let wanted = name.to_string_lossy();
    let found = config.plans.iter().find(|plan| plan.resolved.plan.is_named(&wanted));
    if let Some(plan) = found {
        return Ok(dir.join(&plan.file));
    }
    let known: Vec<String> = config.plans.iter().map(|plan| plan.resolved.plan.key()).collect();
    anyhow::bail!(
        "没有预案 there is no plan {wanted:?}, and no such file. 预案 plans of {}: {}",
        dir.display(),
        if known.is_empty() { "无 none".to_owned() } else { known.join(", ") }
    )
}
