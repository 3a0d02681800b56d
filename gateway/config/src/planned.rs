//! Computes the schedule of a plan from its file alone, so that a report needs no configuration.

use std::time::Duration;

use linli_mode::{Planned, PlannedStep};

use super::plans::DEADLINE;
use super::raw::plan::{Kind, PlanFile, Step};

/// Parses the text of a plan file.
pub fn planned(text: &str) -> Result<Planned, toml::de::Error> {
    let file: PlanFile = toml::from_str(text)?;
    let mut ends = vec![None; file.step.len()];
    for step in 0..file.step.len() {
        end(&file.step, step, &mut ends, 0);
    }
    let steps = file.step.iter().zip(&ends).map(|(step, ends)| PlannedStep {
        id: step.id.clone(),
        role: step.role.clone().filter(|_| step.kind == Kind::Human),
        count: usize::from(step.count.unwrap_or(1)),
        device: step.device.clone(),
        span: span(step),
        ends: ends.unwrap_or_default(),
    });
    Ok(Planned { ready_within: file.plan.ready_within.0, steps: steps.collect() })
}

fn span(step: &Step) -> Duration {
    let within = step.verify.as_ref().map(|verify| verify.within.0).unwrap_or_default();
    match step.kind {
        Kind::Human => step.deadline.map_or(DEADLINE, |deadline| deadline.0),
        Kind::Actuate | Kind::Verify => within,
        Kind::Process => within * 2 + step.run.as_ref().map(|run| run.span.0).unwrap_or_default(),
    }
}

/// End of a step after the beginning of the plan. A cycle of steps, which no checked plan has, ends at zero.
fn end(steps: &[Step], step: usize, ends: &mut [Option<Duration>], depth: usize) -> Duration {
    if let Some(known) = ends[step] {
        return known;
    }
    if depth > steps.len() {
        return Duration::ZERO;
    }
    let is_all = steps[step].after.iter().any(|name| name == "*");
    let before: Vec<usize> = (0..steps.len())
        .filter(|other| *other != step && (is_all || steps[step].after.contains(&steps[*other].id)))
        .collect();
    let begins = before.into_iter().map(|other| end(steps, other, ends, depth + 1)).max().unwrap_or_default();
    let ended = begins + span(&steps[step]);
    ends[step] = Some(ended);
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_alone_says_how_long_it_may_take() {
        let text = include_str!("../../../deploy/example/plans/reading-room.sampling@1.toml");
        let planned = planned(text).unwrap();
        let ends = |id: &str| planned.steps.iter().find(|step| step.id == id).unwrap().ends.as_secs();
        assert_eq!((ends("notice"), ends("sweep"), ends("entry-closed")), (600, 1500, 1510));
        assert_eq!(ends("uv-dose"), 1510 + 1800 + 30);
        assert_eq!(ends("accept"), ends("layout") + 900);
        assert!(planned.ready_within >= Duration::from_secs(ends("accept")));
    }
}
