//! One update of one node, from the first look to the confirmation.
//!
//! Every step asks the node how it stands and goes on there. So an update that was broken off, by
//! whatever, is the same call again: what the node has, it keeps.

use std::time::Duration;

use linli_wire::identity::{BootState, Identity};
use linli_wire::selftest;
use linli_wire::update::{ALIGN, Command, LONGEST_CHUNK, Message, Refusal, State};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::client::{Client, Status, Trouble};
use super::image::Image;

/// Longest wait for flash to be erased, or an image to be verified: a slot is a few hundred
/// kilobytes, a small processor hashes one in seconds.
const LONGEST_WORK: Duration = Duration::from_secs(120);

/// Longest wait for a node that restarts: two slots are swapped page by page.
const LONGEST_RESTART: Duration = Duration::from_secs(120);

/// Longest wait for a self-test.
const LONGEST_SELFTEST: Duration = Duration::from_secs(30);

/// How often a node that works, or restarts, is looked at.
const LOOK: Duration = Duration::from_millis(300);

/// Refusals of a chunk in a row after which it is given up.
const MOST_REFUSALS: u32 = 8;

/// Progress is told after so many bytes.
const TELL_EVERY: u32 = 4 * LONGEST_CHUNK as u32;

/// How far an update is, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UpdateProgress {
    /// `check`, `erase`, `transfer`, `verify`, `restart`, `selftest`, `confirm`.
    pub stage: &'static str,
    /// Bytes the node has.
    pub done: u32,
    /// Bytes there are.
    pub total: u32,
    /// A sentence, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What an update is done with.
pub struct Flash<'f> {
    /// The image, whole and signed.
    pub image: &'f Image,
    /// Where progress goes. When nobody listens any more, the transfer stops; what is on trial is
    /// confirmed all the same.
    pub tell: mpsc::Sender<UpdateProgress>,
    /// Where it answers once the image runs, if that is elsewhere: a node in recovery waits at an
    /// address that is not its own.
    pub afterwards: Option<Client>,
}

/// How an update ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The node ran this image before.
    AlreadyRuns,
    /// It runs and is confirmed.
    Updated {
        /// The version before.
        from: String,
        /// The version now.
        to: String,
    },
    /// Nobody listened any more; the node keeps what it has.
    Stopped {
        /// Bytes the node has.
        next: u32,
    },
}

/// Updates a node; the error says what is in the way, and what state that leaves.
pub async fn flash(client: &Client, flash: &Flash<'_>) -> Result<Ended, String> {
    let say = |trouble: Trouble| trouble.to_string();
    let afterwards = flash.afterwards.as_ref().unwrap_or(client);
    flash.stage("check").await;
    let before = client.identity().await.map_err(say)?;
    flash.image.fits(&before)?;
    if !flash.image.runs_on(&before) {
        let status = client.status().await.map_err(say)?;
        flash.fits(&status)?;
        if let Some(stopped) = flash.bring(client, status).await? {
            return Ok(stopped);
        }
        flash.activate(client, afterwards).await?;
    } else if before.boot == BootState::Confirmed.code() {
        return Ok(Ended::AlreadyRuns);
    }
    flash.prove(afterwards, &before).await
}

// === impl Flash ===

impl Flash<'_> {
    /// What only the status says about whether the image fits.
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

    /// Brings the image onto the node and has it verified. Something when it was stopped.
    async fn bring(&self, client: &Client, status: Status) -> Result<Option<Ended>, String> {
        let say = |trouble: Trouble| trouble.to_string();
        let session = self.image.header.id();
        if status.session == session && status.state == State::Verified {
            return Ok(None);
        }
        if status.session != session {
            if status.session != 0 {
                let text = format!("another update ({}) was under way; it is dropped", status.version);
                self.say("check", 0, Some(text)).await;
                client.order(Command::Abort, status.session).await.map_err(say)?;
            }
            self.stage("erase").await;
            client.send(&Message::begin(&self.image.header)).await.map_err(say)?;
        } else if status.next > 0 {
            let text = format!("goes on where it was broken off, at byte {}", status.next);
            self.say("transfer", status.next, Some(text)).await;
        }
        let ready = self.settled(client, State::Erasing).await?;
        if ready.state == State::Receiving
            && let Some(next) = self.transfer(client, ready.next).await?
        {
            return Ok(Some(Ended::Stopped { next }));
        }
        self.verify(client).await.map(|()| None)
    }

    /// Sends what the node has not; the offset it has, when nobody listens any more.
    async fn transfer(&self, client: &Client, from: u32) -> Result<Option<u32>, String> {
        let (total, session) = (self.image.header.total(), self.image.header.id());
        let (mut next, mut told, mut refusals) = (from, from, 0);
        self.say("transfer", next, None).await;
        while next < total {
            if self.tell.is_closed() {
                return Ok(Some(next));
            }
            let longest = LONGEST_CHUNK as u32 / ALIGN * ALIGN;
            let end = total.min(next + longest);
            let data = &self.image.bytes[next as usize..end as usize];
            match client.send(&Message::chunk(session, next, data)).await {
                Ok(()) => (next, refusals) = (end, 0),
                Err(Trouble::Refused(
                    Refusal::Busy | Refusal::Crc | Refusal::Ahead | Refusal::Repeated | Refusal::Torn,
                )) if refusals < MOST_REFUSALS => {
                    refusals += 1;
                    tokio::time::sleep(LOOK / 3).await;
                    next = client.status().await.map_err(|trouble| trouble.to_string())?.next;
                }
                Err(trouble) => {
                    return Err(format!(
                        "{trouble}; {next} of {total} bytes are on the node, run it again to go on"
                    ));
                }
            }
            if next >= told + TELL_EVERY {
                told = next;
                self.say("transfer", next, None).await;
            }
        }
        self.say("transfer", total, None).await;
        Ok(None)
    }

    async fn verify(&self, client: &Client) -> Result<(), String> {
        self.stage("verify").await;
        let say = |trouble: Trouble| trouble.to_string();
        let status = client.status().await.map_err(say)?;
        if status.state == State::Receiving {
            client.order(Command::Finish, self.image.header.id()).await.map_err(say)?;
        }
        let status = self.settled(client, State::Verifying).await?;
        match (status.state, status.reason) {
            (State::Verified, _) => Ok(()),
            (_, Some(reason)) => Err(Trouble::Refused(reason).to_string()),
            (state, None) => Err(format!("the image was not verified: {} ({})", state.en(), state.zh())),
        }
    }

    /// Waits while the node is busy with that.
    async fn settled(&self, client: &Client, busy: State) -> Result<Status, String> {
        let end = Instant::now() + LONGEST_WORK;
        loop {
            let status = client.status().await.map_err(|trouble| trouble.to_string())?;
            if status.state != busy {
                return Ok(status);
            }
            if Instant::now() > end {
                return Err(format!("still {} after {} s", busy.en(), LONGEST_WORK.as_secs()));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Has the node restart into the image, and waits until it is back.
    async fn activate(&self, client: &Client, afterwards: &Client) -> Result<(), String> {
        self.stage("restart").await;
        match client.order(Command::Activate, self.image.header.id()).await {
            // It may have restarted before its answer was heard.
            Ok(()) | Err(Trouble::NotDone(_)) => {}
            Err(trouble) => return Err(trouble.to_string()),
        }
        let end = Instant::now() + LONGEST_RESTART;
        let mut last = String::from("no answer");
        while Instant::now() < end {
            tokio::time::sleep(LOOK).await;
            match afterwards.glimpse().await {
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
                Err(trouble) => last = trouble.to_string(),
            }
        }
        Err(format!(
            "the node did not come back with the new firmware within {} s: {last}",
            LONGEST_RESTART.as_secs()
        ))
    }

    /// The self-test must pass; then the firmware is kept.
    async fn prove(&self, client: &Client, before: &Identity) -> Result<Ended, String> {
        let say = |trouble: Trouble| trouble.to_string();
        self.stage("selftest").await;
        let end = Instant::now() + LONGEST_SELFTEST;
        loop {
            let test = client.selftest().await.map_err(say)?;
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
                selftest::State::NotRun => client.start_selftest().await.map_err(say)?,
                selftest::State::Running => {}
            }
            if Instant::now() > end {
                return Err(
                    "the self-test did not end; the new firmware is not confirmed and reverts by itself"
                        .to_owned(),
                );
            }
            tokio::time::sleep(LOOK).await;
        }
        self.stage("confirm").await;
        match client.order(Command::Confirm, self.image.header.id()).await {
            Ok(()) | Err(Trouble::Refused(Refusal::NotOnTrial)) => {}
            Err(trouble) => return Err(trouble.to_string()),
        }
        let now = client.identity().await.map_err(say)?;
        if !self.image.runs_on(&now) || now.boot != BootState::Confirmed.code() {
            let state = BootState::from_code(now.boot).map_or("unknown", BootState::en);
            return Err(format!("confirmed, but the node says: {}, {state}", now.firmware));
        }
        Ok(Ended::Updated { from: before.firmware.to_string(), to: now.firmware.to_string() })
    }

    async fn stage(&self, stage: &'static str) {
        self.say(stage, 0, None).await;
    }

    async fn say(&self, stage: &'static str, done: u32, text: Option<String>) {
        let told = UpdateProgress { stage, done, total: self.image.header.total(), text };
        // Whoever watched may be gone; the transfer looks at that.
        let _ = self.tell.send(told).await;
    }
}
