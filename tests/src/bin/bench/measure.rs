//! What the kernel says of a process, and the rows of the table.

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use tokio::time::Instant;

/// Kernel ticks per second in `/proc/PID/stat` (proc(5)); 100 on every Linux that runs Rust.
const TICKS: f64 = 100.0;

/// One row of the table.
#[derive(Clone)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The target.
    pub target: String,
    /// The result.
    pub measured: String,
    /// What something simpler reached.
    pub limit: String,
    /// Result to limit.
    pub ratio: String,
}

impl Row {
    /// A row without a limit beside it.
    pub fn new(what: impl Into<String>, target: impl Into<String>, measured: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            target: target.into(),
            measured: measured.into(),
            limit: String::new(),
            ratio: String::new(),
        }
    }

    /// The limit, and how the result compares.
    pub fn against(mut self, limit: impl Into<String>, ratio: f64) -> Self {
        self.limit = limit.into();
        self.ratio = format!("{ratio:.2}");
        self
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, target, measured, limit, ratio } = self;
        write!(f, "| {what} | {target} | {measured} | {limit} | {ratio} |")
    }
}

/// CPU time of a process so far.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("the process has ended")?;
    let after_name = text.rsplit_once(')').context("misshapen stat")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    // Fields 14 and 15 of the file; the name and what is before it are gone.
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(Duration::from_secs_f64(ticks / TICKS))
}

/// Resident memory now and at most, in MB.
pub fn resident(pid: u32) -> anyhow::Result<(f64, f64)> {
    Ok((memory(pid, "VmRSS:")?, memory(pid, "VmHWM:")?))
}

/// The part of the resident memory that is the program itself, in MB: how large it is depends on how it was built.
pub fn of_the_file(pid: u32) -> anyhow::Result<f64> {
    memory(pid, "RssFile:")
}

fn memory(pid: u32, key: &str) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the process has ended")?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.with_context(|| format!("no {key}"))? * 1024.0 / 1e6)
}

/// CPU use of a process over a while, in cores.
pub struct Use {
    pid: u32,
    cpu: Duration,
    since: Instant,
}

impl Use {
    /// Begins now.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        Ok(Self { pid, cpu: cpu(pid)?, since: Instant::now() })
    }

    /// Seconds passed and cores used since the beginning.
    pub fn so_far(&self) -> anyhow::Result<(f64, f64)> {
        let (spent, passed) = (cpu(self.pid)?.saturating_sub(self.cpu), self.since.elapsed().as_secs_f64());
        Ok((passed, spent.as_secs_f64() / passed))
    }
}

/// The value below which that share of the values lies.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let at = ((values.len() as f64 - 1.0) * share).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}
