//! Sends the settings of a step to the command service and reports their result. The command service
//! journals each command, sends it and reads the value back.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::command::Inbound;
use linli_drivers::Clock;
use linli_mode::facility::Facility;
use linli_mode::{ActionPhase, Setting};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::command_answer::Answer;
use crate::command_queue::{Lanes, OF_THIS_PROCESS, Submission};
use crate::outputs::Source;

/// A command expires this long after it was submitted.
const EXPIRES: Duration = Duration::from_secs(10);

/// The result of the commands of one [`Task`].
#[derive(Debug)]
pub struct Done {
    /// What the commands were for.
    pub task: Task,
    /// Whether every command was confirmed by its read-back.
    pub is_done: bool,
    /// Reason of the first command that failed.
    pub why: Option<String>,
}

/// What a group of commands is for.
#[derive(Debug, Clone)]
pub struct Task {
    /// Position of the room in the facility.
    pub room: usize,
    /// Number of the room's run ([`Room::serial`](super::room::Room::serial)).
    pub serial: u64,
    /// Step and phase; `None` for a safe state or a lease renewal.
    pub act: Option<(usize, ActionPhase)>,
    /// The output that is made safe, by its position in the plan.
    pub safe: Option<usize>,
    /// Predicates whose truth the commands may change.
    pub touches: Vec<usize>,
}

/// Submits commands to the command service.
pub struct Actuator {
    /// Queues of the command service.
    pub commands: Lanes,
    /// Receives one [`Done`] per task.
    pub done: mpsc::Sender<Done>,
    /// Gives commands their expiry time.
    pub clock: Arc<dyn Clock>,
}

// === impl Actuator ===

impl Actuator {
    /// Submits the settings in order and reports one result. `number` makes the command ids unique for
    /// ever; cancelling `taken_back` withdraws what was not sent yet.
    pub fn write(
        &self,
        facility: &Facility,
        settings: &[&Setting],
        number: &str,
        taken_back: &CancellationToken,
        task: Task,
    ) {
        self.submit(&self.commands.usual, (facility, settings), number, taken_back, task);
    }

    /// Does the same through the first lane, which is served before all others and does not wait for the
    /// disk. Used to end a step, to compensate it and to make an output safe; cannot be withdrawn.
    pub fn write_first(&self, facility: &Facility, settings: &[&Setting], number: &str, task: Task) {
        self.submit(&self.commands.first, (facility, settings), number, &CancellationToken::new(), task);
    }

    fn submit(
        &self,
        lane: &mpsc::Sender<Submission>,
        (facility, settings): (&Facility, &[&Setting]),
        number: &str,
        taken_back: &CancellationToken,
        task: Task,
    ) {
        let answers = settings.iter().enumerate().map(|(index, setting)| {
            let number = format!("{number}-{index}");
            let (submission, answer) = self.submission(facility, setting, &number, taken_back.clone())?;
            lane.try_send(submission).map_err(|_| "too many commands are waiting".to_owned())?;
            Ok(answer)
        });
        tokio::spawn(report_result(answers.collect(), task, self.done.clone()));
    }

    fn submission(
        &self,
        facility: &Facility,
        setting: &Setting,
        number: &str,
        taken_back: CancellationToken,
    ) -> Result<(Submission, oneshot::Receiver<Answer>), String> {
        let output = facility.fixtures.get(setting.fixture).and_then(|f| f.sets.get(setting.output));
        let point = &output.ok_or("the building has no such output")?.point;
        let lifetime = i64::try_from(EXPIRES.as_millis()).unwrap_or(i64::MAX);
        let body = json!({
            "id": format!("{OF_THIS_PROCESS}{number}"),
            "point": point.point,
            "value": setting.value,
            "expires": self.clock.now().at.0.saturating_add(lifetime),
        });
        let (device, payload) = (point.device.to_string(), body.to_string().into_bytes());
        let inbound = Inbound { device, payload, retained: false, response_topic: None, correlation: None };
        let (submission, answer) = Submission::asked(inbound, Source::Mode);
        Ok((Submission { taken_back, ..submission }, answer))
    }
}

async fn report_result(
    answers: Vec<Result<oneshot::Receiver<Answer>, String>>,
    task: Task,
    done: mpsc::Sender<Done>,
) {
    let mut why = None;
    for answer in answers {
        let failure = match answer {
            Err(why) => Some(why),
            Ok(answer) => match answer.await {
                Ok(answer) if answer.result == "done" => None,
                Ok(answer) => {
                    let reason = answer.reason.unwrap_or_else(|| answer.result.to_owned());
                    Some(format!("{}: {reason}", answer.device))
                }
                Err(_) => Some("the gateway is stopping".to_owned()),
            },
        };
        why = why.or(failure);
    }
    let is_done = why.is_none();
    // The service may have ended; the journal has the commands.
    let _ = done.send(Done { task, is_done, why }).await;
}
