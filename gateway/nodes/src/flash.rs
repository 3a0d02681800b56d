//! One update of one node, from the first check to the confirmation.
//!
//! Every step reads the node's status and continues from it. An interrupted update is therefore continued
//! by the same call: the node keeps what it has received.

use std::time::Duration;

use linli_wire::identity::{BootState, Identity};
use linli_wire::selftest;
use linli_wire::update::{ALIGN, Command, LONGEST_CHUNK, Message, Refusal, State};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::client::{Client, NodeError, Status};
use super::image::Image;

/// Longest wait for a node to erase its flash or verify an image. A slot has a few hundred kilobytes, which a
/// small processor hashes in seconds.
const LONGEST_OPERATION: Duration = Duration::from_secs(120);

/// Longest wait for a node to restart: two slots are swapped page by page.
const LONGEST_RESTART: Duration = Duration::from_secs(120);

/// Longest wait for a self-test.
const LONGEST_SELFTEST: Duration = Duration::from_secs(30);

/// Interval at which a node that works or restarts is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// Number of consecutive refusals of a chunk after which the update fails.
const MOST_REFUSALS: u32 = 8;

/// Progress is reported each time this many bytes were sent.
const REPORT_EVERY: u32 = 4 * LONGEST_CHUNK as u32;

/// Progress of an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UpdateProgress {
    /// `check`, `erase`, `transfer`, `verify`, `restart`, `selftest`, `confirm`.
    pub stage: &'static str,
    /// Bytes that the node has received.
    pub done: u32,
    /// Length of the image in bytes.
    pub total: u32,
    /// A message for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Inputs of an update.
pub struct Flash<'f> {
    /// The signed image.
    pub image: &'f Image,
    /// Receives progress. When its receiver is closed, the transfer stops; firmware on trial is still
    /// confirmed.
    pub progress: mpsc::Sender<UpdateProgress>,
    /// The node once the image runs, if it then answers at another address: in recovery a node answers at the
    /// recovery address.
    pub afterwards: Option<Client>,
}

/// How an update ended without an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// The node already ran this image.
    AlreadyRuns,
    /// The image runs and is confirmed.
    Updated {
        /// Version before the update.
        from: String,
        /// Version after the update.
        to: String,
    },
    /// The progress receiver was closed. The node keeps what it has received.
    Stopped {
        /// Bytes that the node has received.
        next: u32,
    },
}

/// Updates a node. An error is a sentence that names the cause and the state in which the node is left.
pub async fn flash(client: &Client, flash: &Flash<'_>) -> Result<UpdateOutcome, String> {
    let text = |error: NodeError| error.to_string();
    let afterwards = flash.afterwards.as_ref().unwrap_or(client);
    flash.report_stage("check").await;
    let before = client.identity().await.map_err(text)?;
    flash.image.fits(&before)?;
    if !flash.image.runs_on(&before) {
        let status = client.status().await.map_err(text)?;
        flash.fits(&status)?;
        if let Some(stopped) = flash.install(client, status).await? {
            return Ok(stopped);
        }
        flash.activate(client, afterwards).await?;
    } else if before.boot == BootState::Confirmed.code() {
        return Ok(UpdateOutcome::AlreadyRuns);
    }
    flash.confirm(afterwards, &before).await
}

// === impl Flash ===

impl Flash<'_> {
    /// Checks the image against the node's slot size and lowest security version.
    fn fits(&self, status: &Status) -> Result<(), String> {
        let header = &self.image.header;
        if status.capacity == 0 {
            let why = Refusal::NotSupported;
            return Err(format!("{}; use a debug probe ({})", why.en(), why.zh()));
        }
        if header.total() > status.capacity {
            return Err(format!(
                "the image has {} bytes, the node's slot {} (镜像大于固件槽)",
                header.total(),
                status.capacity
            ));
        }
        if header.security < status.floor {
            return Err(format!(
                "the image has security version {}, the node takes {} and above: it cannot be rolled back ({})",
                header.security,
                status.floor,
                Refusal::Security.zh()
            ));
        }
        Ok(())
    }

    /// Transfers the image and has the node verify it. Returns an outcome only if the transfer was stopped.
    async fn install(&self, client: &Client, status: Status) -> Result<Option<UpdateOutcome>, String> {
        let text = |error: NodeError| error.to_string();
        let session = self.image.header.id();
        if status.session == session && status.state == State::Verified {
            return Ok(None);
        }
        if status.session != session {
            if status.session != 0 {
                let message = format!("another update ({}) was under way; it is dropped", status.version);
                self.report("check", 0, Some(message)).await;
                client.order(Command::Abort, status.session).await.map_err(text)?;
            }
            self.report_stage("erase").await;
            client.send(&Message::begin(&self.image.header)).await.map_err(text)?;
        } else if status.next > 0 {
            let message = format!("goes on where it was broken off, at byte {}", status.next);
            self.report("transfer", status.next, Some(message)).await;
        }
        let ready = self.wait_while(client, State::Erasing).await?;
        if ready.state == State::Receiving
            && let Some(next) = self.transfer(client, ready.next).await?
        {
            return Ok(Some(UpdateOutcome::Stopped { next }));
        }
        self.verify(client).await.map(|()| None)
    }

    /// Sends the rest of the image from offset `from`. Returns the offset reached if the transfer was
    /// stopped.
    async fn transfer(&self, client: &Client, from: u32) -> Result<Option<u32>, String> {
        let (total, session) = (self.image.header.total(), self.image.header.id());
        let (mut next, mut reported, mut refusals) = (from, from, 0);
        self.report("transfer", next, None).await;
        while next < total {
            if self.progress.is_closed() {
                return Ok(Some(next));
            }
            let longest = LONGEST_CHUNK as u32 / ALIGN * ALIGN;
            let end = total.min(next + longest);
            let data = &self.image.bytes[next as usize..end as usize];
            match client.send(&Message::chunk(session, next, data)).await {
                Ok(()) => (next, refusals) = (end, 0),
                Err(NodeError::Refused(
                    Refusal::Busy | Refusal::Crc | Refusal::Ahead | Refusal::Repeated | Refusal::Torn,
                )) if refusals < MOST_REFUSALS => {
                    refusals += 1;
                    tokio::time::sleep(POLL_INTERVAL / 3).await;
                    next = client.status().await.map_err(|error| error.to_string())?.next;
                }
                Err(error) => {
                    return Err(format!(
                        "{error}; {next} of {total} bytes are on the node, run it again to go on"
                    ));
                }
            }
            if next >= reported + REPORT_EVERY {
                reported = next;
                self.report("transfer", next, None).await;
            }
        }
        self.report("transfer", total, None).await;
        Ok(None)
    }

    async fn verify(&self, client: &Client) -> Result<(), String> {
        self.report_stage("verify").await;
        let text = |error: NodeError| error.to_string();
        let status = client.status().await.map_err(text)?;
        if status.state == State::Receiving {
            client.order(Command::Finish, self.image.header.id()).await.map_err(text)?;
        }
        let status = self.wait_while(client, State::Verifying).await?;
        match (status.state, status.reason) {
            (State::Verified, _) => Ok(()),
            (_, Some(reason)) => Err(NodeError::Refused(reason).to_string()),
            (state, None) => Err(format!("the image was not verified: {} ({})", state.en(), state.zh())),
        }
    }

    /// Polls until the state is no longer `busy`, and returns the status.
    async fn wait_while(&self, client: &Client, busy: State) -> Result<Status, String> {
        let end = Instant::now() + LONGEST_OPERATION;
        loop {
            let status = client.status().await.map_err(|error| error.to_string())?;
            if status.state != busy {
                return Ok(status);
            }
            if Instant::now() > end {
                return Err(format!("still {} after {} s", busy.en(), LONGEST_OPERATION.as_secs()));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Restarts the node into the image and waits until the image runs.
    async fn activate(&self, client: &Client, afterwards: &Client) -> Result<(), String> {
        self.report_stage("restart").await;
        match client.order(Command::Activate, self.image.header.id()).await {
            // The node may restart before its answer arrives.
            Ok(()) | Err(NodeError::NotDone(_)) => {}
            Err(error) => return Err(error.to_string()),
        }
        let end = Instant::now() + LONGEST_RESTART;
        let mut last = String::from("no answer");
        while Instant::now() < end {
            tokio::time::sleep(POLL_INTERVAL).await;
            match afterwards.identity_once().await {
                Ok(node) if self.image.runs_on(&node) => return Ok(()),
                Ok(node) if node.boot == BootState::Reverted.code() && node.uptime_s < 60 => {
                    let state = BootState::Reverted;
                    return Err(format!(
                        "the node did not start the new firmware: {} ({})",
                        state.en(),
                        state.zh()
                    ));
                }
                Ok(node) => last = format!("still runs {}", node.firmware),
                Err(error) => last = error.to_string(),
            }
        }
        Err(format!(
            "the node did not come back with the new firmware within {} s: {last}",
            LONGEST_RESTART.as_secs()
        ))
    }

    /// Requires the self-test to pass, then confirms the firmware.
    async fn confirm(&self, client: &Client, before: &Identity) -> Result<UpdateOutcome, String> {
        let text = |error: NodeError| error.to_string();
        self.report_stage("selftest").await;
        let end = Instant::now() + LONGEST_SELFTEST;
        loop {
            let test = client.selftest().await.map_err(text)?;
            match test.state {
                selftest::State::Passed => break,
                selftest::State::Failed => {
                    let failed = test.items.iter().filter(|(_, verdict)| *verdict == selftest::Verdict::Fail);
                    let failed: Vec<String> =
                        failed.map(|(item, _)| format!("{} ({})", item.as_str(), item.zh())).collect();
                    return Err(format!(
                        "the self-test of the new firmware failed: {}; it is not confirmed and reverts by itself",
                        failed.join(", ")
                    ));
                }
                selftest::State::NotRun => client.start_selftest().await.map_err(text)?,
                selftest::State::Running => {}
            }
            if Instant::now() > end {
                return Err(
                    "the self-test did not end; the new firmware is not confirmed and reverts by itself"
                        .to_owned(),
                );
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        self.report_stage("confirm").await;
        match client.order(Command::Confirm, self.image.header.id()).await {
            Ok(()) | Err(NodeError::Refused(Refusal::NotOnTrial)) => {}
            Err(error) => return Err(error.to_string()),
        }
        let now = client.identity().await.map_err(text)?;
        if !self.image.runs_on(&now) || now.boot != BootState::Confirmed.code() {
            let state = BootState::from_code(now.boot).map_or("unknown", BootState::en);
            return Err(format!("confirmed, but the node says: {}, {state}", now.firmware));
        }
        Ok(UpdateOutcome::Updated { from: before.firmware.to_string(), to: now.firmware.to_string() })
    }

    async fn report_stage(&self, stage: &'static str) {
        self.report(stage, 0, None).await;
    }

    async fn report(&self, stage: &'static str, done: u32, text: Option<String>) {
        let progress = UpdateProgress { stage, done, total: self.image.header.total(), text };
        // `transfer` notices when the receiver is closed.
        let _ = self.progress.send(progress).await;
    }
}
