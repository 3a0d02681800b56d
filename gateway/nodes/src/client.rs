//! The protocol of the wire crate, spoken to one node through a maintenance handle.

use std::time::Duration;

use linli_drivers::modbus::maintenance::{self, MaintenanceHandle, NotDone, holdings, inputs};
use linli_wire::config::{self, CommitState, Config};
use linli_wire::health::{self, Counter};
use linli_wire::identity::{self, Identity, NotANode};
use linli_wire::log::{self, Entry};
use linli_wire::map;
use linli_wire::selftest;
use linli_wire::update::{self, Command, Message, Refusal, State};
use linli_wire::version::Version;

use super::ANSWER_TIMEOUT;

/// Attempts per request when the answer is lost or damaged. Repeating any request is harmless to a node.
const MAX_ATTEMPTS: usize = 5;

/// Pause before each further attempt.
const RETRY_PAUSE: Duration = Duration::from_millis(150);

/// Reads and writes the registers of one node.
#[derive(Debug, Clone)]
pub struct Client {
    maintenance: MaintenanceHandle,
    unit: u8,
}

/// Why a request to a node failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// The line or the node did not answer, or the node refused the request.
    #[error(transparent)]
    NotDone(#[from] NotDone),
    /// The unit that answers is no node.
    #[error("unit {unit}: {} ({})", .why.text().1, .why.text().0)]
    NotANode {
        /// Unit id.
        unit: u8,
        /// What in its identity is wrong.
        why: NotANode,
    },
    /// The node refused a message of an update.
    #[error("the node refuses: {} ({})", .0.en(), .0.zh())]
    Refused(Refusal),
    /// The node refused a configuration.
    #[error("the node refuses the settings: {} ({})", .0.en(), .0.zh())]
    Config(config::Refusal),
    /// The answer has a form or a code that this version does not know.
    #[error("{0}")]
    Unexpected(String),
}

/// Status of an update, as the node reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// State of the update.
    pub state: State,
    /// Why the last message was refused.
    pub reason: Option<Refusal>,
    /// Offset of the next byte that the node expects.
    pub next: u32,
    /// Length of the whole image in bytes.
    pub total: u32,
    /// Id of the image, 0 for none.
    pub session: u32,
    /// Version of the image.
    pub version: Version,
    /// Longest chunk in bytes.
    pub longest: u16,
    /// Size of a slot in bytes; 0 if the board takes no updates.
    pub capacity: u32,
    /// Lowest security version that the node accepts.
    pub floor: u16,
    /// Seconds left of the trial; 0 if the firmware is not on trial.
    pub trial_s: u16,
}

/// Result of a self-test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfTest {
    /// State of the test.
    pub state: selftest::State,
    /// Seconds since the test ended.
    pub age_s: u32,
    /// Each item with its verdict.
    pub items: Vec<(selftest::Item, selftest::Verdict)>,
}

/// Contents of the commit register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// State of the commit.
    pub state: CommitState,
    /// Why the configuration was refused.
    pub reason: Option<config::Refusal>,
    /// Seconds left of the trial.
    pub left_s: u16,
}

// === impl Client ===

impl Client {
    /// A client of the node at `unit` on the line of the handle.
    #[must_use]
    pub const fn new(maintenance: MaintenanceHandle, unit: u8) -> Self {
        Self { maintenance, unit }
    }

    /// Reads the identity.
    pub async fn identity(&self) -> Result<Identity, NodeError> {
        let words = self.inputs(map::identity::MAGIC.address, identity::WORDS).await?;
        Identity::decode(&words).map_err(|why| NodeError::NotANode { unit: self.unit, why })
    }

    /// Reads the identity in a single attempt, for callers that poll.
    pub async fn identity_once(&self) -> Result<Identity, NodeError> {
        let span = inputs(map::identity::MAGIC.address, identity::WORDS);
        let words = maintenance::read(&self.maintenance, self.unit, span, ANSWER_TIMEOUT).await?;
        Identity::decode(&words).map_err(|why| NodeError::NotANode { unit: self.unit, why })
    }

    /// Reads the status of the update.
    pub async fn status(&self) -> Result<Status, NodeError> {
        let base = map::update::STATE.address;
        let words = self.inputs(base, map::update::TRIAL.end() - base).await?;
        let half = |field: linli_wire::field::Field<u16>| field.get(&words, base).unwrap_or_default();
        let wide = |field: linli_wire::field::Field<u32>| field.get(&words, base).unwrap_or_default();
        let state = half(map::update::STATE);
        Ok(Status {
            state: State::from_code(state)
                .ok_or_else(|| NodeError::Unexpected(format!("unknown state of the update: {state}")))?,
            reason: Refusal::from_code(half(map::update::REASON)),
            next: wide(map::update::NEXT),
            total: wide(map::update::TOTAL),
            session: wide(map::update::SESSION),
            version: Version::from_code(wide(map::update::VERSION)),
            longest: half(map::update::LONGEST),
            capacity: wide(map::update::CAPACITY),
            floor: half(map::update::FLOOR),
            trial_s: half(map::update::TRIAL),
        })
    }

    /// Sends a message of an update. A refusal is returned with the node's own reason.
    pub async fn send(&self, message: &Message) -> Result<(), NodeError> {
        let mut words = [0; update::WORDS];
        let used = message.encode(&mut words);
        match self.write(update::BASE, words[..used].to_vec()).await {
            Err(NodeError::NotDone(NotDone::Refused { .. })) => {
                let status = self.status().await?;
                Err(status.reason.map_or_else(
                    || NodeError::Unexpected("the node refuses and does not say why".to_owned()),
                    NodeError::Refused,
                ))
            }
            other => other,
        }
    }

    /// Sends a command without data.
    pub async fn order(&self, command: Command, session: u32) -> Result<(), NodeError> {
        self.send(&Message::order(command, session)).await
    }

    /// Reads the configuration.
    pub async fn config(&self) -> Result<Config, NodeError> {
        let words = self.holdings(map::config::UNIT.address, config::WORDS as u16).await?;
        let words: [u16; config::WORDS] = words
            .try_into()
            .map_err(|_| NodeError::Unexpected("the configuration has another length".to_owned()))?;
        Config::decode(&words).map_err(NodeError::Config)
    }

    /// Writes the shadow configuration, which takes effect with [`Client::commit`].
    pub async fn set_config(&self, config: &Config) -> Result<(), NodeError> {
        self.write(map::config::UNIT.address, config.encode().to_vec()).await
    }

    /// Writes a command to the commit register and returns the register's new contents.
    pub async fn commit(&self, command: u16) -> Result<Commit, NodeError> {
        let written = self.write(map::commit::COMMIT.address, vec![command]).await;
        match written {
            // The commit register has the reason of a refusal.
            Ok(()) | Err(NodeError::NotDone(NotDone::Refused { .. })) => {}
            Err(other) => return Err(other),
        }
        let commit = self.commit_state().await?;
        match (commit.state, commit.reason) {
            (CommitState::Refused, Some(reason)) => Err(NodeError::Config(reason)),
            (CommitState::Refused, None) => {
                Err(NodeError::Unexpected("the node refuses the settings and does not say why".to_owned()))
            }
            _ if written.is_err() => {
                Err(NodeError::Unexpected(format!("the node refuses: {}", commit.state.en())))
            }
            _ => Ok(commit),
        }
    }

    /// Like [`Client::commit`], without reading the register afterwards: the node may answer with other line
    /// settings by then.
    pub async fn send_commit(&self, command: u16) -> Result<(), NodeError> {
        self.write(map::commit::COMMIT.address, vec![command]).await
    }

    /// Reads the commit register.
    pub async fn commit_state(&self) -> Result<Commit, NodeError> {
        let base = map::commit::COMMIT.address;
        let words = self.holdings(base, 3).await?;
        let state = words.first().copied().unwrap_or_default();
        Ok(Commit {
            state: CommitState::from_code(state)
                .ok_or_else(|| NodeError::Unexpected(format!("unknown state of the commit: {state}")))?,
            reason: words.get(1).and_then(|code| config::Refusal::from_code(*code)),
            left_s: words.get(2).copied().unwrap_or_default(),
        })
    }

    /// Sets the clock of the node's log, in Unix seconds.
    pub async fn set_time(&self, seconds: u32) -> Result<(), NodeError> {
        let words = vec![(seconds >> 16) as u16, seconds as u16];
        self.write(map::control::TIME.address, words).await
    }

    /// Reads the result of the self-test.
    pub async fn selftest(&self) -> Result<SelfTest, NodeError> {
        let base = map::selftest::STATE.address;
        let items = selftest::Item::ALL;
        let words = self.inputs(base, map::selftest::VERDICT - base + items.len() as u16).await?;
        let state = words[0];
        let verdicts = &words[usize::from(map::selftest::VERDICT - base)..];
        let verdict =
            |code: &u16| selftest::Verdict::from_code(*code).unwrap_or(selftest::Verdict::NotTested);
        Ok(SelfTest {
            state: selftest::State::from_code(state)
                .ok_or_else(|| NodeError::Unexpected(format!("unknown state of the self-test: {state}")))?,
            age_s: map::selftest::AGE.get(&words, base).unwrap_or_default(),
            items: items.iter().copied().zip(verdicts.iter().map(verdict)).collect(),
        })
    }

    /// Starts the self-test. Read the result with [`Client::selftest`].
    pub async fn start_selftest(&self) -> Result<(), NodeError> {
        self.write(map::control::SELFTEST.address, vec![selftest::START]).await
    }

    /// Reads at most `most` of the newest log entries, oldest first.
    pub async fn log(&self, most: u32) -> Result<Vec<Entry>, NodeError> {
        let base = map::log::HEAD.address;
        let words = self.inputs(base, map::log::COUNT.end() - base).await?;
        let wide = |field: linli_wire::field::Field<u32>| field.get(&words, base).unwrap_or_default();
        let (head, oldest) = (wide(map::log::HEAD), wide(map::log::OLDEST));
        let mut from = oldest.max(head.saturating_sub(most.saturating_sub(1))).max(1);
        let mut entries: Vec<Entry> = Vec::new();
        while head != 0 && from <= head {
            let cursor = vec![(from >> 16) as u16, from as u16];
            self.write(map::control::CURSOR.address, cursor).await?;
            let window = self.inputs(log::WINDOW_BASE, log::WINDOW * log::ENTRY_WORDS).await?;
            let (rows, _) = window.as_chunks::<{ log::ENTRY_WORDS as usize }>();
            let before = entries.len();
            entries.extend(rows.iter().filter_map(Entry::decode).filter(|entry| entry.seq >= from));
            let Some(last) = entries[before..].last() else { break };
            from = last.seq + 1;
        }
        Ok(entries)
    }

    /// Reads all counters, and the number of refused update messages by reason.
    pub async fn counters(&self) -> Result<(Vec<(Counter, u32)>, Vec<(Refusal, u16)>), NodeError> {
        let words = self.inputs(health::BASE, 2 * health::COUNT as u16).await?;
        let (pairs, _) = words.as_chunks::<2>();
        let counts = pairs.iter().map(|[high, low]| u32::from(*high) << 16 | u32::from(*low));
        let refused = self.inputs(health::REFUSALS, health::MOST_REFUSALS).await?;
        let of = |refusal: &Refusal| refused.get(usize::from(refusal.code())).copied().unwrap_or_default();
        Ok((
            Counter::ALL.iter().copied().zip(counts).collect(),
            Refusal::ALL.iter().map(|refusal| (*refusal, of(refusal))).collect(),
        ))
    }

    async fn inputs(&self, start: u16, count: u16) -> Result<Vec<u16>, NodeError> {
        self.retry(|| maintenance::read(&self.maintenance, self.unit, inputs(start, count), ANSWER_TIMEOUT))
            .await
    }

    async fn holdings(&self, start: u16, count: u16) -> Result<Vec<u16>, NodeError> {
        self.retry(|| maintenance::read(&self.maintenance, self.unit, holdings(start, count), ANSWER_TIMEOUT))
            .await
    }

    async fn write(&self, address: u16, words: Vec<u16>) -> Result<(), NodeError> {
        self.retry(|| {
            maintenance::write(&self.maintenance, self.unit, address, words.clone(), ANSWER_TIMEOUT)
        })
        .await
    }

    /// Repeats a request whose answer is lost or damaged. A refusal is an answer and is not repeated.
    async fn retry<T, F: Future<Output = Result<T, NotDone>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, NodeError> {
        let mut last = None;
        for attempt in 0..MAX_ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(refused @ NotDone::Refused { .. }) => return Err(refused.into()),
                Err(lost) => last = Some(lost),
            }
        }
        Err(last.expect("tried at least once").into())
    }
}
