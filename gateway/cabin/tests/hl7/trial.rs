//! Runs a stream against the gateway and asks the oracle: is any reading with somebody who was not measured, is any
//! accepted reading lost, is any message without its answer?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use linli_domain::visit::Version;
use linli_domain::vital::Quantity;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::act::{Act, Fault, Sent};
use super::gateway::Gateway;
use super::text::{Text, weight};

/// A message that is not answered within this real time is a violation.
const PATIENCE: Duration = Duration::from_secs(20);

/// Time between two streams, so that nothing of one can be meant in the next.
const APART: i64 = 40 * 60_000;

/// What came of streams.
#[derive(Debug, Default, Clone)]
pub struct Figures {
    pub streams: u64,
    pub messages: u64,
    pub answered: u64,
    pub refused: u64,
    pub in_visit: u64,
    pub nobodys: u64,
}

/// A stream that is being sent.
struct Stream<'g> {
    gateway: &'g Gateway,
    number: u64,
    from: i64,
    /// Two connections to each monitor's port.
    connections: BTreeMap<(u8, bool), TcpStream>,
    /// The visit that an act began, and its resident.
    visits: BTreeMap<String, u8>,
    open: BTreeMap<u8, String>,
    /// Whether an answer said that all was taken, by the act that it was about.
    taken: BTreeSet<usize>,
    figures: Figures,
}

/// Sends a stream; returns the time at which it ended, and the violation that was found.
pub async fn run(
    gateway: &Gateway,
    number: u64,
    from: i64,
    acts: &[Act],
    figures: &mut Figures,
) -> (i64, Option<String>) {
    let mut stream = Stream {
        gateway,
        number,
        from,
        connections: BTreeMap::new(),
        visits: BTreeMap::new(),
        open: BTreeMap::new(),
        taken: BTreeSet::new(),
        figures: Figures::default(),
    };
    let mut order: Vec<usize> = (0..acts.len()).collect();
    order.sort_by_key(|nth| (acts[*nth].at(), *nth));
    let (mut last, mut wrong) = (0, None);
    for nth in order {
        last = acts[nth].at();
        gateway.until(from + last).await;
        if let Err(violation) = stream.act(nth, &acts[nth]).await {
            wrong = Some(violation);
            break;
        }
    }
    for visit in std::mem::take(&mut stream.open).into_values() {
        gateway.end(&visit).await;
    }
    let to = from + last + 1;
    let wrong = match wrong {
        Some(violation) => Some(violation),
        None => stream.judge(acts, to).await,
    };
    figures.add(&stream.figures);
    (to + APART, wrong)
}

// === impl Figures ===

impl Figures {
    pub fn add(&mut self, other: &Self) {
        self.streams += 1;
        self.messages += other.messages;
        self.answered += other.answered;
        self.refused += other.refused;
        self.in_visit += other.in_visit;
        self.nobodys += other.nobodys;
    }
}

// === impl Stream ===

impl Stream<'_> {
    async fn act(&mut self, nth: usize, act: &Act) -> Result<(), String> {
        match act {
            Act::Open { room, who, .. } => {
                let visit = self.gateway.open(self.number, nth, *room, *who).await;
                self.visits.insert(visit.id.clone(), *who);
                self.open.insert(*room, visit.id);
            }
            Act::End { room, .. } => {
                if let Some(visit) = self.open.remove(room) {
                    self.gateway.end(&visit).await;
                }
            }
            Act::Send(sent) => self.send(nth, sent).await?,
        }
        Ok(())
    }

    async fn send(&mut self, nth: usize, sent: &Sent) -> Result<(), String> {
        let text = Text { stream: self.number, from: self.from, act: nth, sent };
        let (bytes, expected, is_closed) = text.written();
        let is_first = sent.id & 1 == 0;
        if sent.has(Fault::Reconnect) {
            self.connections.remove(&(sent.monitor, is_first));
        }
        let times = if sent.has(Fault::Duplicate) { 2 } else { 1 };
        for time in 0..times {
            let place = (sent.monitor, is_first != (time == 1));
            self.figures.messages += u64::try_from(expected).unwrap();
            if is_closed {
                let mut connection = self.connection(place).await;
                connection.write_all(&bytes).await.map_err(|error| error.to_string())?;
                connection.shutdown().await.map_err(|error| error.to_string())?;
                // The gateway has read it when it closes too.
                let mut rest = Vec::new();
                patiently(nth, connection.read_to_end(&mut rest)).await?;
                continue;
            }
            let mut connection = self.connection(place).await;
            let pieces = match () {
                () if sent.has(Fault::Slow) => bytes.chunks(1),
                () if sent.has(Fault::Split) => bytes.chunks(bytes.len() / 3 + 1),
                () => bytes.chunks(bytes.len().max(1)),
            };
            for piece in pieces {
                connection.write_all(piece).await.map_err(|error| error.to_string())?;
                tokio::task::yield_now().await;
            }
            for _ in 0..expected {
                let answer = patiently(nth, answer(&mut connection)).await?;
                self.figures.answered += 1;
                if !sent.is_cut() && answer.about != text.id() {
                    return Err(format!("act {nth} is answered with the id {:?}", answer.about));
                }
                match answer.code.as_str() {
                    "AA" => drop(self.taken.insert(nth)),
                    _ => self.figures.refused += 1,
                }
            }
            self.connections.insert(place, connection);
        }
        Ok(())
    }

    async fn connection(&mut self, place: (u8, bool)) -> TcpStream {
        match self.connections.remove(&place) {
            Some(connection) => connection,
            None => {
                let address = ("127.0.0.1", self.gateway.ports[usize::from(place.0)]);
                loop {
                    // The listener may still be about to open.
                    match TcpStream::connect(address).await {
                        Ok(connection) => return connection,
                        Err(_) => tokio::task::yield_now().await,
                    }
                }
            }
        }
    }

    /// The oracle.
    async fn judge(&mut self, acts: &[Act], to: i64) -> Option<String> {
        let stored = self.gateway.measured(self.from, to).await;
        let subjects = subjects(acts);
        let mut everything = BTreeSet::new();
        for history in stored.values() {
            everything.extend(history.iter().filter_map(value));
            let Some(newest) = history.last() else { continue };
            match &newest.visit {
                Some(_) => self.figures.in_visit += 1,
                None => self.figures.nobodys += 1,
            }
            let Some(named) = value(newest) else { continue };
            let Some((subject, room)) = subjects.get(&named) else {
                return Some(format!("{named} kg was never sent"));
            };
            let Some(visit) = &newest.visit else { continue };
            let resident = self.visits.get(visit).copied();
            if resident.is_none() || resident != *subject {
                return Some(format!("{named} kg of {subject:?} is in a visit of {resident:?}"));
            }
            if newest.room.as_ref().map(ToString::to_string) != Some(format!("cabin-{room}")) {
                return Some(format!("{named} kg of cabin {room} has room {:?}", newest.room));
            }
        }
        for act in &self.taken {
            let Act::Send(sent) = &acts[*act] else { continue };
            // What was cut may have been cut before its result.
            if !sent.is_cut() && !everything.contains(&weight(*act, 0)) {
                return Some(format!("{} kg was acknowledged and is not stored", weight(*act, 0)));
            }
        }
        None
    }
}

/// Who was measured, and in which cabin, by the weight that names the result.
fn subjects(acts: &[Act]) -> BTreeMap<String, (Option<u8>, u8)> {
    let mut subjects = BTreeMap::new();
    for (nth, act) in acts.iter().enumerate() {
        let Act::Send(sent) = act else { continue };
        subjects.insert(weight(nth, 0), (sent.who, sent.room()));
        for fault in &sent.faults {
            if let Fault::Second(who) = fault {
                subjects.insert(weight(nth, 1), (Some(*who), sent.room()));
            }
        }
    }
    subjects
}

fn value(version: &Version) -> Option<String> {
    version.measurement.value(Quantity::Weight).map(|value| format!("{value:.2}"))
}

/// Waits for something that the gateway owes, in real time: the runtime's stands still.
pub async fn patiently<T>(act: usize, owed: impl Future<Output = std::io::Result<T>>) -> Result<T, String> {
    let (tell, late) = oneshot::channel();
    let (cancel, cancelled) = std::sync::mpsc::sync_channel::<()>(1);
    let timer = std::thread::spawn(move || {
        if cancelled.recv_timeout(PATIENCE).is_err() {
            let _ = tell.send(());
        }
    });
    let outcome = tokio::select! {
        biased;
        done = owed => done.map_err(|error| format!("act {act}: {error}")),
        Ok(()) = late => Err(format!("act {act} is not answered")),
    };
    let _ = cancel.send(());
    let _ = timer.join();
    outcome
}

/// What an answer says.
pub struct Answer {
    /// MSA-1.
    pub code: String,
    /// MSA-2: the id of the message.
    pub about: String,
}

/// The next answer.
pub async fn answer(connection: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    loop {
        bytes.push(connection.read_u8().await?);
        if bytes.ends_with(&[0x1C, 0x0D]) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let fields = text.split("MSA|").nth(1).map(|rest| rest.split(['|', '\r']).map(str::to_owned));
            let fields: Vec<String> = fields.into_iter().flatten().take(2).collect();
            let [code, about] = <[String; 2]>::try_from(fields)
                .map_err(|_| std::io::Error::other(format!("no answer: {text:?}")))?;
            return Ok(Answer { code, about });
        }
    }
}
