//! How long a plan takes: the longest way through its steps.

use std::time::Duration;

use super::brief::{Brief, Doing, Job};

/// How long it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// If every step takes all of its time.
    pub at_most: Duration,
    /// The steps on the longest way, in order.
    pub critical: Vec<usize>,
    /// Per step, when it ends at the latest.
    pub ends: Vec<Duration>,
}

/// Reckons when a plan ends at the latest. Its steps must not stand in a ring.
#[must_use]
pub fn forecast(brief: &Brief) -> Forecast {
    let mut ends = vec![None; brief.jobs.len()];
    for step in 0..brief.jobs.len() {
        end(brief, step, &mut ends);
    }
    let ends: Vec<Duration> = ends.into_iter().map(Option::unwrap_or_default).collect();
    let mut critical = Vec::new();
    let mut at = (0..ends.len()).max_by_key(|step| (ends[*step], std::cmp::Reverse(*step)));
    let at_most = at.map(|step| ends[step]).unwrap_or_default() + brief.plan.grace;
    while let Some(step) = at {
        critical.push(step);
        at = brief.jobs[step].after.iter().copied().max_by_key(|before| ends[*before]);
    }
    critical.reverse();
    Forecast { at_most, critical, ends }
}

fn end(brief: &Brief, step: usize, ends: &mut [Option<Duration>]) -> Duration {
    if let Some(known) = ends[step] {
        return known;
    }
    let begins = brief.jobs[step].after.iter().map(|before| end(brief, *before, ends)).max();
    let ended = begins.unwrap_or_default() + span(&brief.jobs[step]);
    ends[step] = Some(ended);
    ended
}

/// Gives people the time to come: whoever of a role comes first to the room's site walks there; who
/// follows is there already.
pub(super) fn walk(jobs: &mut [Job], walk: Duration) {
    let role = |job: &Job| match &job.doing {
        Doing::Human { role, .. } => Some(role.clone()),
        _ => None,
    };
    let roles: Vec<Option<String>> = jobs.iter().map(role).collect();
    for (job, role) in jobs.iter_mut().zip(&roles) {
        if role.is_none() || job.before.iter().any(|before| roles[*before] == *role) {
            continue;
        }
        job.deadline += walk;
        job.escalate.iter_mut().for_each(|(_, after)| *after += walk);
    }
}

/// How long a step takes at most, without tries that failed.
#[must_use]
pub fn span(job: &Job) -> Duration {
    match &job.doing {
        Doing::Human { .. } => job.deadline,
        Doing::Actuate { within, .. } | Doing::Verify { within, .. } => *within,
        Doing::Process { within, span, .. } => *within + *span + *within,
    }
}
