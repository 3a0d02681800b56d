//! Compares two configurations: a reload applies only the difference.

use std::fmt;

use super::Checked;

/// The difference between two configurations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Lines to start.
    pub started: Vec<String>,
    /// Lines to stop.
    pub stopped: Vec<String>,
    /// Lines to restart because their settings changed.
    pub restarted: Vec<String>,
    /// Lines that keep running.
    pub kept: usize,
    /// Whether the connection to the broker is restarted.
    pub uplink: bool,
    /// Whether alarm rules change.
    pub alarms: bool,
    /// Whether settings of the health cabin or accounts change.
    pub people: bool,
    /// Changed keys that take effect only after a restart of the gateway.
    pub after_restart: Vec<&'static str>,
}

/// Compares the running configuration with a new one.
#[must_use]
pub fn diff(old: &Checked, new: &Checked) -> Changes {
    let mut changes = Changes {
        uplink: old.uplink != new.uplink,
        alarms: old.alarms != new.alarms || old.webhooks != new.webhooks,
        people: old.cabin != new.cabin
            || old.slip != new.slip
            || old.fhir != new.fhir
            || old.workers != new.workers
            || old.local_accounts != new.local_accounts,
        ..Changes::default()
    };
    for line in &new.lines {
        let id = line.plan.line();
        match old.lines.iter().find(|other| other.plan.line() == id) {
            None => changes.started.push(id.to_string()),
            Some(before) if before.plan.same_as(&*line.plan) => changes.kept += 1,
            Some(_) => changes.restarted.push(id.to_string()),
        }
    }
    let is_gone = |id| new.lines.iter().all(|line| line.plan.line() != id);
    changes.stopped =
        old.lines.iter().map(|l| l.plan.line()).filter(|id| is_gone(*id)).map(ToString::to_string).collect();
    for (what, changed) in [
        ("[store]", old.store != new.store),
        ("[web] listen", old.web != new.web),
        ("[gateway] id", old.gateway != new.gateway),
        ("[centre] id", old.centre.id != new.centre.id),
    ] {
        if changed {
            changes.after_restart.push(what);
        }
    }
    changes
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (word, lines) in
            [("started", &self.started), ("restarted", &self.restarted), ("stopped", &self.stopped)]
        {
            if !lines.is_empty() {
                parts.push(format!("{word} {}", lines.join(", ")));
            }
        }
        parts.push(format!("{} line{} untouched", self.kept, if self.kept == 1 { "" } else { "s" }));
        if self.alarms {
            parts.push("alarm rules follow".to_owned());
        }
        if self.people {
            parts.push("health cabin and accounts follow".to_owned());
        }
        if self.uplink {
            parts.push("broker connection begins anew".to_owned());
        }
        if !self.after_restart.is_empty() {
            parts.push(format!("only after a restart: {}", self.after_restart.join(", ")));
        }
        f.write_str(&parts.join("; "))
    }
}
