//! Shows the progress of an update: as a bar on a terminal, otherwise as lines, or as JSON.

use std::io::IsTerminal;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// Percent between two plain lines.
const PLAIN_STEP: u64 = 10;

/// The output for progress.
pub struct Screen {
    json: bool,
    bar: Option<ProgressBar>,
    printed: (String, u64),
    good: usize,
    failed: usize,
    last_is_good: bool,
    /// An update began, and its end is not known yet.
    is_open: bool,
}

// === impl Screen ===

impl Screen {
    /// Output as JSON, or for people.
    #[must_use]
    pub fn new(json: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal() && !json;
        let style = "{prefix}  {msg:18} {bar:30} {bytes}/{total_bytes} {eta}";
        let bar = is_terminal.then(|| {
            let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::no_length().with_style(style)
        });
        Self {
            json,
            bar,
            printed: (String::new(), 0),
            good: 0,
            failed: 0,
            last_is_good: true,
            is_open: false,
        }
    }

    /// Shows a step, or the result of a node.
    pub fn show(&mut self, step: &Value) {
        if self.json {
            println!("{step}");
        }
        self.is_open = step["result"].is_null();
        match step["result"].as_str() {
            Some(result) => self.ended(result, step),
            None => self.step(step),
        }
    }

    /// Whether the last node succeeded.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.last_is_good
    }

    /// Ends after Ctrl-C, and returns the exit code.
    pub fn interrupted(&self) -> ExitCode {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
        eprintln!(
            "linli: stopped; the node keeps what it has and runs its old firmware. The same command goes on there \
             (已停止，再次执行同一命令即可续传)"
        );
        ExitCode::FAILURE
    }

    /// Shows the summary, and returns the exit code.
    pub fn end(&self, asked: usize) -> ExitCode {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if self.is_open {
            eprintln!(
                "linli: the gateway ended meanwhile; the node keeps what it has. The same command goes on there (网关中断，再次执行同一命令即可续传)"
            );
            return ExitCode::FAILURE;
        }
        let left = asked.saturating_sub(self.good + self.failed);
        if !self.json && (asked > 1 || left > 0) {
            println!("{} done, {} failed, {left} not begun (完成、失败、未开始)", self.good, self.failed);
        }
        if self.good == asked { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn step(&mut self, step: &Value) {
        if self.json {
            return;
        }
        let device = step["device"].as_str().unwrap_or_default();
        let stage = step["stage"].as_str().unwrap_or_default();
        let (done, total) = (step["done"].as_u64().unwrap_or(0), step["total"].as_u64().unwrap_or(0));
        let (en, zh) = words(stage);
        if let Some(bar) = &self.bar {
            bar.set_prefix(device.to_owned());
            bar.set_message(format!("{en} ({zh})"));
            bar.set_length(total);
            if stage == "transfer" {
                bar.set_position(done);
            }
            if let Some(text) = step["text"].as_str() {
                bar.suspend(|| println!("{device}: {text}"));
            }
            return;
        }
        if let Some(text) = step["text"].as_str() {
            println!("{device}: {text}");
        }
        let percent = (done * 100).checked_div(total).unwrap_or(0) / PLAIN_STEP * PLAIN_STEP;
        let now = (format!("{device}/{stage}"), percent);
        if now != self.printed {
            let share = if stage == "transfer" { format!(" {percent} %") } else { String::new() };
            println!("{device}: {en}{share} ({zh})");
            self.printed = now;
        }
    }

    fn ended(&mut self, result: &str, step: &Value) {
        let device = step["device"].as_str().unwrap_or_default();
        let text = |key: &str| step[key].as_str().unwrap_or_default();
        self.last_is_good = matches!(result, "done" | "already");
        let line = match result {
            "done" => format!("{device}: {} → {}, tested and confirmed (升级完成)", text("from"), text("to")),
            "already" => format!("{device}: runs {} already (已是此版本)", text("to")),
            "refused" => format!("refused: {}", text("why")),
            _ => format!("{device}: {}", text("why")),
        };
        if self.last_is_good {
            self.good += 1;
        } else {
            self.failed += 1;
        }
        if self.json {
            return;
        }
        let print = || if self.last_is_good { println!("{line}") } else { eprintln!("linli: {line}") };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

/// Name of a stage.
fn words(stage: &str) -> (&'static str, &'static str) {
    match stage {
        "check" => ("looks at it", "检查"),
        "erase" => ("makes room", "擦除"),
        "transfer" => ("transfers", "传输"),
        "verify" => ("verifies", "校验"),
        "restart" => ("restarts", "重启"),
        "selftest" => ("tests itself", "自检"),
        "confirm" => ("confirms", "确认"),
        _ => ("works", "进行中"),
    }
}
