//! One connection, from the broker's acceptance to its end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use linli_domain::command::Inbound;
use linli_domain::{Message, Record, Topic};
use linli_store::{Heads, ReadError, Row};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use super::Context;
use super::announce::Announcer;
use super::lanes::Lanes;
use super::stored::Ranges;
use super::suspect::Suspect;
use super::unconfirmed::Unconfirmed;
use super::window::Window;
use crate::json;
use crate::session::{Publication, Session, SessionEvent, Verdict};
use crate::settings::Acknowledge;

/// How often acknowledgements are passed to the outbox and time-outs are checked.
const TICK: Duration = Duration::from_millis(100);

/// How long a clean disconnect waits for outstanding acknowledgements.
const DRAIN: Duration = Duration::from_secs(5);

/// How long a clean disconnect waits for the district to name what it has stored.
const NAMED_WITHIN: Duration = Duration::from_secs(2);

/// How long a clean disconnect waits for the acknowledgement of the offline status.
const DISCONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Pause after the broker reported that a quota is used up.
const QUOTA_PAUSE: Duration = Duration::from_secs(5);

/// Largest size in bytes of topic, header and properties of a message.
const OVERHEAD: usize = 1024;

/// How a connection ended.
pub enum End {
    /// The task was cancelled.
    Cancelled,
    /// By the broker, the network, or its own silence.
    Lost {
        /// The reason.
        why: String,
        /// Whether the broker had accepted it.
        was_connected: bool,
    },
}

/// What outlives a connection.
pub struct Kept<'a> {
    /// The message under suspicion.
    pub suspect: &'a mut Suspect,
    /// Which devices are described.
    pub announcer: &'a mut Announcer,
    /// What has left and is not stored.
    pub unconfirmed: &'a mut Unconfirmed,
}

/// A connection at work.
pub struct Connection<'a> {
    context: &'a mut Context,
    session: Box<dyn Session>,
    suspect: &'a mut Suspect,
    announcer: &'a mut Announcer,
    unconfirmed: &'a mut Unconfirmed,
    heads: watch::Receiver<Heads>,
    /// Rises when the database is a new one: answers to older messages mean nothing then.
    generation: u32,
    epoch: Arc<str>,
    window: Window,
    lanes: Option<Lanes>,
    buffer: Vec<u8>,
    longest: usize,
    paused_until: Option<Instant>,
    connected_at: Option<Instant>,
}

// === impl Connection ===

impl<'a> Connection<'a> {
    /// A connection whose session has just begun.
    pub fn new(context: &'a mut Context, session: Box<dyn Session>, kept: Kept<'a>) -> Self {
        let Kept { suspect, announcer, unconfirmed } = kept;
        let heads = context.outbox.heads();
        let epoch = heads.borrow().epoch.clone();
        let longest = context.settings.max_payload;
        Self {
            context,
            session,
            suspect,
            announcer,
            unconfirmed,
            heads,
            generation: 0,
            epoch,
            window: Window::default(),
            lanes: None,
            buffer: Vec::with_capacity(8192),
            longest,
            paused_until: None,
            connected_at: None,
        }
    }

    /// Serves until the end.
    pub async fn serve(mut self) -> End {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let why = loop {
            if let Err(why) = self.fill().await {
                break why;
            }
            let cancel = self.context.cancel.clone();
            tokio::select! {
                biased;
                () = cancel.cancelled() => {
                    self.disconnect().await;
                    return End::Cancelled;
                }
                event = self.session.next() => {
                    if let Err(why) = self.handle(event).await {
                        break why;
                    }
                }
                changed = self.heads.changed(), if self.lanes.is_some() => {
                    if changed.is_err() {
                        break "the store is closed".to_owned();
                    }
                    self.committed().await;
                }
                Ok(()) = self.context.layouts.changed(), if self.connected_at.is_some() => self.announcer.begin(self.context),
                Ok(()) = self.context.birth.changed(), if self.connected_at.is_some() => self.announcer.begin(self.context),
                _ = tick.tick(), if self.is_at_work() => {
                    if let Err(why) = self.check().await {
                        break why;
                    }
                }
            }
        };
        self.lost().await;
        End::Lost { why, was_connected: self.connected_at.is_some() }
    }

    /// Whether the periodic check has anything to do: an idle connection needs no timer.
    fn is_at_work(&self) -> bool {
        self.window.len() > 0
            || self.paused_until.is_some()
            || !self.unconfirmed.is_empty()
            || self.window.has_acknowledged()
            || (self.connected_at.is_some() && !self.announcer.is_done())
            || self.lanes.as_ref().is_some_and(Lanes::is_rate_limited)
    }

    async fn handle(&mut self, event: SessionEvent) -> Result<(), String> {
        match event {
            SessionEvent::Connected { max_packet } => self.connected(max_packet).await,
            SessionEvent::Answered((generation, seq), verdict) if generation == self.generation => {
                self.answered(seq, verdict).await
            }
            SessionEvent::Answered(..) => Ok(()),
            SessionEvent::Command(inbound) => {
                self.command(inbound);
                Ok(())
            }
            SessionEvent::Order(order) => {
                // Whoever takes orders sorts them without waiting for anything, and drops what there is no room for.
                let is_dropped = self.context.orders.send(order).await.is_err();
                self.count(is_dropped);
                Ok(())
            }
            SessionEvent::Stored(payload) => {
                self.stored(&payload).await;
                Ok(())
            }
            SessionEvent::Lost(why) => Err(why),
        }
    }

    async fn connected(&mut self, max_packet: Option<u32>) -> Result<(), String> {
        let now = Instant::now();
        self.connected_at = Some(now);
        if let Some(max_packet) = max_packet {
            let room = usize::try_from(max_packet).unwrap_or(usize::MAX).saturating_sub(OVERHEAD);
            self.longest = self.longest.min(room);
        }
        let at = (self.context.now)().at;
        self.context.status.send_modify(|status| {
            status.connected = true;
            status.since = at;
            status.last_error = None;
            status.connects += 1;
        });
        tracing::info!(broker = self.context.status.borrow().broker, "broker connected");
        self.announcer.begin(self.context);
        self.restart_lanes().await;
        Ok(())
    }

    async fn restart_lanes(&mut self) {
        let heads = self.heads.borrow_and_update().clone();
        let rate = self.context.settings.backlog_rate;
        match Lanes::begin(&self.context.outbox, &heads, rate, Instant::now()).await {
            Ok(lanes) => self.lanes = Some(lanes),
            // The next commit tries again.
            Err(error) => tracing::warn!(%error, "the outbox cannot be read"),
        }
    }

    async fn answered(&mut self, seq: u64, verdict: Verdict) -> Result<(), String> {
        match verdict {
            Verdict::Taken => {
                self.taken(seq, true);
                if self.window.is_full() {
                    self.report_acknowledged().await;
                }
                Ok(())
            }
            Verdict::NoSubscriber => {
                self.taken(seq, false);
                Ok(())
            }
            Verdict::Never(why) => {
                self.window.forget(seq);
                self.unconfirmed.forget(seq);
                self.dead_letter(seq, why).await;
                Ok(())
            }
            Verdict::NotNow(why) => {
                tracing::warn!(why, "sending pauses");
                self.paused_until = Some(Instant::now() + QUOTA_PAUSE);
                self.window.forget(seq);
                // The row is still in the outbox: read again from the beginning.
                self.restart_lanes().await;
                Ok(())
            }
            Verdict::Failed(why) => Err(why),
        }
    }

    /// The broker has acknowledged a message, for a subscriber or for nobody.
    fn taken(&mut self, seq: u64, has_subscriber: bool) {
        let Some(flight) = self.window.answered(seq) else { return };
        self.suspect.clear();
        let is_enough = self.context.settings.acknowledge == Acknowledge::Puback && has_subscriber;
        if is_enough || flight.is_stored {
            self.unconfirmed.taken(seq, flight.sent);
            self.window.acknowledge(seq);
        } else if has_subscriber {
            self.unconfirmed.wait_for_district(seq, flight.lane, flight.sent);
        } else {
            self.unconfirmed.wait_for_subscriber(seq, flight.lane, flight.sent);
        }
        self.context.status.send_modify(|status| status.acknowledged += u64::from(has_subscriber));
    }

    /// The district names records that it has stored.
    async fn stored(&mut self, payload: &[u8]) {
        let ranges = match Ranges::read(payload) {
            Some(ranges) if *ranges.epoch == *self.epoch => ranges,
            Some(ranges) => {
                tracing::debug!(epoch = ranges.epoch, "the district names records of another database");
                return;
            }
            None => {
                tracing::warn!(
                    bytes = payload.len(),
                    "no acknowledgement of a district can be read from this"
                );
                return;
            }
        };
        self.window.stored(&ranges);
        let named = self.unconfirmed.stored(&ranges);
        self.context.status.send_modify(|status| status.confirmed += named.len() as u64);
        if !named.is_empty() {
            self.context.outbox.acknowledge(named).await;
        }
        self.show_unconfirmed();
    }

    fn show_unconfirmed(&self) {
        let (unconfirmed, oldest) = self.unconfirmed.of_district();
        let age = oldest.map_or(Duration::ZERO, |sent| sent.elapsed());
        let no_subscriber = self.unconfirmed.without_subscriber();
        self.context.status.send_modify(|status| {
            status.unconfirmed = unconfirmed;
            status.oldest_unconfirmed_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
            status.no_subscriber = no_subscriber;
        });
    }

    fn command(&mut self, inbound: Inbound) {
        let is_dropped = self.context.inbound.try_send(inbound).is_err();
        self.count(is_dropped);
    }

    /// Counts commands and orders received, and those dropped because a queue was full.
    fn count(&self, is_dropped: bool) {
        self.context.status.send_modify(|status| {
            status.commands += 1;
            status.commands_dropped += u64::from(is_dropped);
        });
    }

    /// New rows, or a new database.
    async fn committed(&mut self) {
        let heads = self.heads.borrow_and_update().clone();
        if heads.epoch == self.epoch {
            if let Some(lanes) = &mut self.lanes {
                lanes.grow(&heads);
            }
            return;
        }
        self.generation += 1;
        self.epoch = heads.epoch;
        self.window = Window::default();
        self.unconfirmed.clear();
        self.announcer.begin(self.context);
        self.restart_lanes().await;
    }

    /// Sends until the window is full or nothing is left.
    async fn fill(&mut self) -> Result<(), String> {
        if self.connected_at.is_some() {
            self.announcer.send(self.session.as_mut(), self.longest);
        }
        let now = Instant::now();
        if self.paused_until.is_some_and(|until| until > now) {
            return Ok(());
        }
        self.paused_until = None;
        let alone = self.suspect.alone();
        let window = if alone.is_some() { 1 } else { self.context.settings.window };
        while self.window.len() < window {
            match self.next(now).await {
                Ok(Some(row)) => {
                    if !self.send(row).await {
                        return Ok(());
                    }
                }
                Ok(None) => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, "the outbox cannot be read");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The next row: one to send again, or one that has not been sent.
    async fn next(&mut self, now: Instant) -> Result<Option<Row>, ReadError> {
        if self.lanes.is_none() {
            return Ok(None);
        }
        let outbox = &self.context.outbox;
        while let Some((lane, seq)) = self.unconfirmed.next_again(now) {
            let Some(row) = outbox.read(lane, seq.saturating_sub(1), seq, 1, usize::MAX).await?.pop() else {
                self.unconfirmed.forget(seq);
                continue;
            };
            self.context.status.send_modify(|status| status.repeated += 1);
            return Ok(Some(row));
        }
        loop {
            let Some(lanes) = &mut self.lanes else { return Ok(None) };
            let row = match (self.unconfirmed.is_full_of_urgent(), self.unconfirmed.is_full()) {
                (true, _) => None,
                (false, true) => lanes.next_urgent(outbox).await?,
                (false, false) => lanes.next(outbox, now).await?,
            };
            match row {
                // Sent on an earlier connection; the district has yet to name it.
                Some(row) if self.unconfirmed.has(row.seq) => {}
                other => return Ok(other),
            }
        }
    }

    /// Sends one row; false when the session takes no more just now.
    async fn send(&mut self, row: Row) -> bool {
        json::record(&mut self.buffer, &self.epoch, row.seq, &row.record);
        if self.buffer.len() > self.longest {
            let detail = format!("{} bytes, at most {} can be sent", self.buffer.len(), self.longest);
            self.dead_letter(row.seq, detail).await;
            return true;
        }
        let payload = Bytes::copy_from_slice(&self.buffer);
        let bytes = payload.len() as u64;
        let topic = format!("{}/{}", self.context.settings.base, json::topic(&row.record));
        let correlation = correlation(&row.record);
        let publication = Publication { topic, payload: payload.clone(), retain: false, correlation: None };
        if !self.session.publish(publication, Some((self.generation, row.seq))) {
            if self.unconfirmed.has(row.seq) {
                self.unconfirmed.put_back(row.lane, row.seq);
            } else if let Some(lanes) = &mut self.lanes {
                lanes.put_back(row);
            }
            return false;
        }
        if let Some((topic, correlation)) = correlation {
            // A copy for the sender of the command; the message to the result topic is the durable one.
            self.session.publish(Publication { topic, payload, retain: false, correlation }, None);
        }
        self.window.sent(row.seq, row.lane, Instant::now());
        self.context.status.send_modify(|status| {
            status.sent += 1;
            status.bytes += bytes;
        });
        true
    }

    async fn dead_letter(&mut self, seq: u64, detail: String) {
        tracing::warn!(seq, detail, "message moved to the dead letters");
        self.context.status.send_modify(|status| status.dead_letters += 1);
        self.context.outbox.dead_letter(seq, detail).await;
    }

    /// Passes acknowledgements to the outbox, detects a broker that acknowledges nothing, and renews
    /// the status.
    async fn check(&mut self) -> Result<(), String> {
        self.report_acknowledged().await;
        if self.connected_at.is_some() {
            self.unconfirmed.look(Instant::now());
        }
        let (now, patience) = (Instant::now(), self.context.settings.ack_timeout);
        let oldest = self.window.oldest(now);
        if oldest > patience {
            return Err(format!("the broker has acknowledged nothing for {} s", patience.as_secs()));
        }
        let (in_flight, behind) = (self.window.len(), self.lanes.as_ref().map_or(0, Lanes::behind));
        self.context.status.send_modify(|status| {
            status.in_flight = in_flight;
            status.oldest_in_flight_ms = u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX);
            status.behind = behind;
        });
        self.show_unconfirmed();
        Ok(())
    }

    async fn report_acknowledged(&mut self) {
        let seqs = self.window.take_acknowledged();
        if !seqs.is_empty() {
            self.context.outbox.acknowledge(seqs).await;
        }
    }

    async fn lost(&mut self) {
        self.report_acknowledged().await;
        let Some(connected_at) = self.connected_at else { return };
        let convicted = self.suspect.lost(self.window.head(), self.window.len(), connected_at.elapsed());
        if let Some(seq) = convicted {
            self.dead_letter(seq, "the broker disconnects whenever it is sent".to_owned()).await;
        }
    }

    /// Waits for outstanding acknowledgements and publishes the offline status, since a clean
    /// disconnect does not send the will.
    async fn disconnect(&mut self) {
        if self.connected_at.is_none() {
            return;
        }
        let now = Instant::now();
        loop {
            let until = match (self.window.len(), self.unconfirmed.of_district().0) {
                (0, 0) => break,
                (0, _) => now + NAMED_WITHIN,
                _ => now + DRAIN,
            };
            match tokio::time::timeout_at(until, self.session.next()).await {
                Ok(event) => {
                    if self.handle(event).await.is_err() {
                        self.report_acknowledged().await;
                        return;
                    }
                }
                Err(_) => break,
            }
        }
        self.report_acknowledged().await;
        let offline = self.context.status_message(false);
        self.session.publish(offline, Some((u32::MAX, 0)));
        let taken = async {
            loop {
                match self.session.next().await {
                    SessionEvent::Answered((u32::MAX, _), _) | SessionEvent::Lost(_) => return,
                    _ => {}
                }
            }
        };
        let _ = tokio::time::timeout(DISCONNECT_WITHIN, taken).await;
        let _ = tokio::time::timeout(DISCONNECT_WITHIN, self.session.close()).await;
    }
}

/// The response topic and correlation data that the sender of a command asked for.
fn correlation(record: &Record) -> Option<(String, Option<Vec<u8>>)> {
    match record {
        Record::Message(Message {
            topic: Topic::CommandResult { response_topic, correlation, .. }, ..
        }) => {
            // A response topic is a topic, not a filter; anything else would end the connection.
            let topic = response_topic.clone().filter(|t| !t.is_empty() && !t.contains(['+', '#', '\0']))?;
            Some((topic, correlation.clone()))
        }
        _ => None,
    }
}
