//! The protocol of the wire crate, spoken to one node through an attendant.

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

use super::PATIENCE;

/// Tries of a request whose answer is lost or damaged: everything a node takes may be sent again.
const TRIES: usize = 5;

/// Pause before a try.
const BETWEEN: Duration = Duration::from_millis(150);

/// One node.
#[derive(Debug, Clone)]
pub struct Client {
    attendant: MaintenanceHandle,
    unit: u8,
}

/// What went wrong with a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The line or the node did not answer.
    #[error(transparent)]
    NotDone(#[from] NotDone),
    /// Who answers is no node.
    #[error("unit {unit}: {} ({})", .why.text().1, .why.text().0)]
    NotANode {
        /// The unit.
        unit: u8,
        /// Why not.
        why: NotANode,
    },
    /// The node refuses, and says why.
    #[error("the node refuses: {} ({})", .0.en(), .0.zh())]
    Refused(Refusal),
    /// The node refuses a configuration, and says why.
    #[error("the node refuses the settings: {} ({})", .0.en(), .0.zh())]
    Config(config::Refusal),
    /// It says something that this version does not understand.
    #[error("{0}")]
    Strange(String),
}

/// How an update stands, as the node says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// How far it is.
    pub state: State,
    /// Why the last message was refused.
    pub reason: Option<Refusal>,
    /// Where to go on.
    pub next: u32,
    /// Bytes of the whole image.
    pub total: u32,
    /// Which image, 0 is none.
    pub session: u32,
    /// Its version.
    pub version: Version,
    /// Bytes of the longest chunk.
    pub longest: u16,
    /// Bytes of a slot; 0 if the board takes no updates.
    pub capacity: u32,
    /// Lowest security version taken.
    pub floor: u16,
    /// Seconds left of a trial; 0 if the firmware is not on trial.
    pub trial_s: u16,
}

/// The result of a self-test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfTest {
    /// How far it is.
    pub state: selftest::State,
    /// Seconds since it ran.
    pub age_s: u32,
    /// Every item.
    pub items: Vec<(selftest::Item, selftest::Verdict)>,
}

/// What the commit register says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// The state.
    pub state: CommitState,
    /// Why it was refused.
    pub reason: Option<config::Refusal>,
    /// Seconds left of the trial.
    pub left_s: u16,
}

// === impl Client ===

impl Client {
    /// The node with that unit id behind an attendant.
    #[must_use]
    pub const fn new(attendant: MaintenanceHandle, unit: u8) -> Self {
        Self { attendant, unit }
    }

    /// Who it is.
    pub async fn identity(&self) -> Result<Identity, Trouble> {
        let words = self.inputs(map::identity::MAGIC.address, identity::WORDS).await?;
        Identity::decode(&words).map_err(|why| Trouble::NotANode { unit: self.unit, why })
    }

    /// The same, asked once: for whoever waits until it is back.
    pub async fn glimpse(&self) -> Result<Identity, Trouble> {
        let span = inputs(map::identity::MAGIC.address, identity::WORDS);
        let words = maintenance::read(&self.attendant, self.unit, span, PATIENCE).await?;
        Identity::decode(&words).map_err(|why| Trouble::NotANode { unit: self.unit, why })
    }

    /// How an update stands.
    pub async fn status(&self) -> Result<Status, Trouble> {
        let base = map::update::STATE.address;
        let words = self.inputs(base, map::update::TRIAL.end() - base).await?;
        let half = |field: linli_wire::field::Field<u16>| field.get(&words, base).unwrap_or_default();
        let wide = |field: linli_wire::field::Field<u32>| field.get(&words, base).unwrap_or_default();
        let state = half(map::update::STATE);
        Ok(Status {
            state: State::from_code(state)
                .ok_or_else(|| Trouble::Strange(format!("unknown state of the update: {state}")))?,
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

    /// Sends a message of an update. A refusal is told with the node's own reason.
    pub async fn send(&self, message: &Message) -> Result<(), Trouble> {
        let mut words = [0; update::WORDS];
        let used = message.encode(&mut words);
        match self.write(update::BASE, words[..used].to_vec()).await {
            Err(Trouble::NotDone(NotDone::Refused { .. })) => {
                let status = self.status().await?;
                Err(status.reason.map_or_else(
                    || Trouble::Strange("the node refuses and does not say why".to_owned()),
                    Trouble::Refused,
                ))
            }
            other => other,
        }
    }

    /// Sends an order without data.
    pub async fn order(&self, command: Command, session: u32) -> Result<(), Trouble> {
        self.send(&Message::order(command, session)).await
    }

    /// Its configuration.
    pub async fn config(&self) -> Result<Config, Trouble> {
        let words = self.holdings(map::config::UNIT.address, config::WORDS as u16).await?;
        let words: [u16; config::WORDS] = words
            .try_into()
            .map_err(|_| Trouble::Strange("the configuration has another length".to_owned()))?;
        Config::decode(&words).map_err(Trouble::Config)
    }

    /// Writes the shadow of the configuration; [`Client::commit`] makes it so.
    pub async fn set_config(&self, config: &Config) -> Result<(), Trouble> {
        self.write(map::config::UNIT.address, config.encode().to_vec()).await
    }

    /// Orders what is to become of the shadow; gives what the node says then.
    pub async fn commit(&self, command: u16) -> Result<Commit, Trouble> {
        let written = self.write(map::commit::COMMIT.address, vec![command]).await;
        match written {
            // Refused: the state says why.
            Ok(()) | Err(Trouble::NotDone(NotDone::Refused { .. })) => {}
            Err(other) => return Err(other),
        }
        let commit = self.commit_state().await?;
        match (commit.state, commit.reason) {
            (CommitState::Refused, Some(reason)) => Err(Trouble::Config(reason)),
            (CommitState::Refused, None) => {
                Err(Trouble::Strange("the node refuses the settings and does not say why".to_owned()))
            }
            _ if written.is_err() => {
                Err(Trouble::Strange(format!("the node refuses: {}", commit.state.en())))
            }
            _ => Ok(commit),
        }
    }

    /// The same without waiting for what it says: the settings of the line may have changed.
    pub async fn commit_blind(&self, command: u16) -> Result<(), Trouble> {
        self.write(map::commit::COMMIT.address, vec![command]).await
    }

    /// What the commit register says.
    pub async fn commit_state(&self) -> Result<Commit, Trouble> {
        let base = map::commit::COMMIT.address;
        let words = self.holdings(base, 3).await?;
        let state = words.first().copied().unwrap_or_default();
        Ok(Commit {
            state: CommitState::from_code(state)
                .ok_or_else(|| Trouble::Strange(format!("unknown state of the commit: {state}")))?,
            reason: words.get(1).and_then(|code| config::Refusal::from_code(*code)),
            left_s: words.get(2).copied().unwrap_or_default(),
        })
    }

    /// Tells it the time, in Unix seconds, for its log.
    pub async fn set_time(&self, seconds: u32) -> Result<(), Trouble> {
        let words = vec![(seconds >> 16) as u16, seconds as u16];
        self.write(map::control::TIME.address, words).await
    }

    /// The result of the self-test.
    pub async fn selftest(&self) -> Result<SelfTest, Trouble> {
        let base = map::selftest::STATE.address;
        let items = selftest::Item::ALL;
        let words = self.inputs(base, map::selftest::VERDICT - base + items.len() as u16).await?;
        let state = words[0];
        let verdicts = &words[usize::from(map::selftest::VERDICT - base)..];
        let verdict =
            |code: &u16| selftest::Verdict::from_code(*code).unwrap_or(selftest::Verdict::NotTested);
        Ok(SelfTest {
            state: selftest::State::from_code(state)
                .ok_or_else(|| Trouble::Strange(format!("unknown state of the self-test: {state}")))?,
            age_s: map::selftest::AGE.get(&words, base).unwrap_or_default(),
            items: items.iter().copied().zip(verdicts.iter().map(verdict)).collect(),
        })
    }

    /// Starts the self-test.
    pub async fn start_selftest(&self) -> Result<(), Trouble> {
        self.write(map::control::SELFTEST.address, vec![selftest::START]).await
    }

    /// The log, oldest first, at most `most` of the newest entries.
    pub async fn log(&self, most: u32) -> Result<Vec<Entry>, Trouble> {
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

    /// Every counter, then the refusals of updates by reason.
    pub async fn counters(&self) -> Result<(Vec<(Counter, u32)>, Vec<(Refusal, u16)>), Trouble> {
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

    async fn inputs(&self, start: u16, count: u16) -> Result<Vec<u16>, Trouble> {
        self.again(|| maintenance::read(&self.attendant, self.unit, inputs(start, count), PATIENCE)).await
    }

    async fn holdings(&self, start: u16, count: u16) -> Result<Vec<u16>, Trouble> {
        self.again(|| maintenance::read(&self.attendant, self.unit, holdings(start, count), PATIENCE)).await
    }

    async fn write(&self, address: u16, words: Vec<u16>) -> Result<(), Trouble> {
        self.again(|| maintenance::write(&self.attendant, self.unit, address, words.clone(), PATIENCE)).await
    }

    /// A lost or damaged answer is asked for again; a refusal is one.
    async fn again<T, F: Future<Output = Result<T, NotDone>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, Trouble> {
        let mut last = None;
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(BETWEEN).await;
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
