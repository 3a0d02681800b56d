//! Keeps the drafts, checks each signature, and gives the order when enough people have signed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use linli_domain::approval::{Approval, NotApproved};
use linli_domain::audit::{Hash, hex, unhex};
use linli_domain::caller::Caller;
use linli_drivers::Clock;
use linli_mode::order::{Authority, Envelope, Key, Series};
use linli_services::ServiceError;
use linli_services::client::ServiceClient;
use linli_services::events::Events;
use linli_services::mode::RequestedAction;
use linli_services::random::random;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::draft::{Draft, NewDraft, SignatureGiven};
use crate::known::OrderKeys;
use crate::view;

/// Most drafts at once; the oldest goes.
const MOST: usize = 8;

/// A draft that nobody completes goes after this time.
const KEPT: Duration = Duration::from_secs(900);

/// What drafts need.
pub struct DraftsDeps {
    /// The mode service, which judges and follows orders.
    pub mode: ServiceClient<RequestedAction, Value>,
    /// Keys and plans of the current configuration.
    pub keys: watch::Receiver<Arc<OrderKeys>>,
    /// Clock of the orders.
    pub clock: Arc<dyn Clock>,
    /// Tells the screens that a draft waits.
    pub events: Events,
}

/// The drafts.
pub struct Drafts {
    deps: DraftsDeps,
    began: Instant,
    waiting: Mutex<BTreeMap<String, Draft>>,
}

// === impl Drafts ===

impl Drafts {
    /// None yet.
    #[must_use]
    pub fn new(deps: DraftsDeps) -> Self {
        Self { deps, began: Instant::now(), waiting: Mutex::default() }
    }

    /// All that wait, as this caller sees them.
    #[must_use]
    pub fn all(&self, caller: &Caller) -> Vec<Value> {
        let keys = self.keys();
        self.waiting().values().map(|draft| view::of(draft, &keys, caller)).collect()
    }

    /// Drafts an order, which nobody has signed yet.
    ///
    /// # Errors
    /// When the caller is no person with a key, or it names what is not there.
    pub async fn draft(&self, new: &NewDraft, caller: &Caller) -> Result<Value, ServiceError> {
        let (keys, class) = (self.keys(), new.class.class());
        let person = caller.person.as_ref().ok_or_else(|| refused(NotApproved::NoPerson))?;
        if keys.keys_of(person, class).is_empty() {
            return Err(ServiceError::Conflict(format!(
                "{} 没有这类指令的密钥 has no key for orders of class {class}: [[person.key]] of facility.toml",
                keys.name(person)
            )));
        }
        let seq = self.next_number(caller, class).await?;
        let random = random().map_err(|error| ServiceError::NotNow(error.to_string()))?;
        let now = self.deps.clock.now().at;
        let order = new.order(&keys, (seq, now), random)?;
        let draft = Draft {
            envelope: Envelope::of(order),
            by: Some(person.clone()),
            approved: None,
            signed: Vec::new(),
            since: Instant::now(),
            at: now,
        };
        let shown = view::of(&draft, &keys, caller);
        self.keep(draft);
        Ok(shown)
    }

    /// Adds a signature. With the last one that is needed the order is given: `result` says what became of it.
    ///
    /// # Errors
    /// When the signature does not hold, is not the caller's, or the rule of two persons is not kept.
    pub async fn sign(
        &self,
        id: &str,
        given: &SignatureGiven,
        caller: &Caller,
    ) -> Result<Value, ServiceError> {
        let draft = self.find(id)?;
        let keys = self.keys();
        let envelope = signed(&draft, given, &keys, caller)?;
        let subject = self.subject(&envelope, caller).await?;
        let approval = Approval::of(caller, subject, self.began.elapsed()).map_err(refused)?;
        if let Some((first, _)) = &draft.approved
            && let Err(why) = first.completed_by(&approval, caller.is_renewed)
        {
            if why.voids() {
                self.approve(&draft, envelope, approval, caller, true);
            }
            return Err(refused(why));
        }
        let draft_now = self.approve(&draft, envelope, approval, caller, false);
        if draft_now.signed.len() < keys.quorum {
            self.tell(&draft_now);
            return Ok(json!({"draft": view::of(&draft_now, &keys, caller), "result": null}));
        }
        self.waiting().remove(id);
        let first = draft.approved.map(|(_, first)| first);
        let result = self.give(&draft_now.envelope, first.as_ref(), caller).await?;
        self.tell(&draft_now);
        Ok(json!({"draft": null, "result": result}))
    }

    /// Takes a draft back.
    ///
    /// # Errors
    /// When there is none with this id.
    pub fn withdraw(&self, id: &str) -> Result<(), ServiceError> {
        let draft = self.find(id)?;
        self.waiting().remove(id);
        self.tell(&draft);
        Ok(())
    }

    /// Gives the order. One that waits for people on the spot, because clock or numbers are not known, is confirmed by
    /// those who have just signed it, as `linli mode enter` does.
    async fn give(
        &self,
        envelope: &Envelope,
        first: Option<&Caller>,
        second: &Caller,
    ) -> Result<Value, ServiceError> {
        let ask = |caller: &Caller, code: Option<String>| {
            let bytes = if code.is_some() { Vec::new() } else { envelope.bytes() };
            let (mode, caller) = (self.deps.mode.clone(), caller.clone());
            async move { mode.ask(&caller, RequestedAction::Order { bytes, code }).await }
        };
        let answer = ask(second, None).await?;
        let Some(first) = first.filter(|_| answer["result"] == "quarantined") else {
            return Ok(outcome(&answer));
        };
        ask(first, Some(envelope.code())).await?;
        Ok(outcome(&ask(second, Some(envelope.code())).await?))
    }

    /// Hash of an order and of the state that its plans depend on now.
    async fn subject(&self, envelope: &Envelope, caller: &Caller) -> Result<Hash, ServiceError> {
        let plans = envelope.order.targets.iter().flat_map(|target| &target.plans);
        let names: Vec<&str> = plans.map(|named| named.plan.as_str()).collect();
        let mut state = Vec::new();
        if !names.is_empty() {
            let shown = self.deps.mode.ask(caller, RequestedAction::Snapshot(names.join(","))).await?;
            state = shown["snapshot"].as_str().unwrap_or_default().as_bytes().to_vec();
        }
        let mut hash = Hash::default();
        hash.copy_from_slice(digest(&SHA256, &[envelope.hash.to_vec(), state].concat()).as_ref());
        Ok(hash)
    }

    /// The number of the next order of a class given on the spot. Where earlier ones were lost it is the time, which is
    /// above all of them.
    async fn next_number(&self, caller: &Caller, class: linli_mode::Class) -> Result<u64, ServiceError> {
        let shown = self.deps.mode.ask(caller, RequestedAction::Status).await?;
        let series = Series { authority: Authority::Local, class };
        let last = shown["numbers"][series.to_string()].as_u64();
        let now = u64::try_from(self.deps.clock.now().at.0).unwrap_or_default();
        Ok(last.map_or(now, |last| last.saturating_add(1)))
    }

    /// Keeps an approval; `is_first` when it replaces one that is void.
    fn approve(
        &self,
        draft: &Draft,
        envelope: Envelope,
        approval: Approval,
        caller: &Caller,
        is_first: bool,
    ) -> Draft {
        let mut next = draft.clone();
        let person = approval.person.clone();
        if is_first {
            next.signed.clear();
        }
        if !next.signed.contains(&person) {
            next.signed.push(person);
        }
        (next.envelope, next.since) = (envelope, Instant::now());
        next.approved = Some((approval, Caller { is_renewed: false, ..caller.clone() }));
        self.waiting().insert(next.id().to_owned(), next.clone());
        next
    }

    fn keep(&self, draft: Draft) {
        let mut waiting = self.waiting();
        waiting.insert(draft.id().to_owned(), draft);
        while waiting.len() > MOST {
            let oldest = waiting.values().min_by_key(|draft| draft.since).map(|draft| draft.id().to_owned());
            oldest.and_then(|oldest| waiting.remove(&oldest));
        }
    }

    fn find(&self, id: &str) -> Result<Draft, ServiceError> {
        let gone = || {
            let why = "没有这份待复核的指令，可能已超时或撤回 no such draft: it is out of date or taken back";
            ServiceError::Unknown(why.to_owned())
        };
        self.waiting().get(id).cloned().ok_or_else(gone)
    }

    /// The drafts that are not too old.
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, Draft>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, draft| draft.since.elapsed() < KEPT);
        waiting
    }

    fn keys(&self) -> Arc<OrderKeys> {
        Arc::clone(&self.deps.keys.borrow())
    }

    fn tell(&self, draft: &Draft) {
        self.deps.events.publish("order", &json!({"result": "draft", "order": draft.id()}));
    }
}

/// The envelope with a signature that holds, by a key of the caller and of the order's class.
fn signed(
    draft: &Draft,
    given: &SignatureGiven,
    keys: &OrderKeys,
    caller: &Caller,
) -> Result<Envelope, ServiceError> {
    let order = &draft.envelope.order;
    let conflict = |why: String| Err(ServiceError::Conflict(why));
    if given.hash != hex(&draft.envelope.hash) {
        return conflict(
            "指令已不是您看到的那份，请重新查看 the order is not the one you saw: look again".to_owned(),
        );
    }
    let bytes = unhex(&given.key).unwrap_or_default();
    let Some(Key { person, public, class, .. }) = keys.keyring.key(&bytes) else {
        let why = format!("本中心没有这把密钥 this centre does not know key {}", short(&given.key));
        return Err(ServiceError::Unknown(why));
    };
    if caller.person.as_ref() != Some(person) {
        let name = keys.name(person);
        return conflict(format!(
            "这是{name}的密钥，请用本人的密钥签署 this key is {name}'s: sign with your own"
        ));
    }
    if *class != order.class {
        return conflict(format!(
            "这把密钥只签 {class}，此指令是 {}：演练与实战密钥不同 this key signs {class}, the order is {0}: drills have keys of their own",
            order.class
        ));
    }
    let signature = unhex(&given.signature).unwrap_or_default();
    let envelope = draft.envelope.with_signature(public.id(), &signature);
    match envelope.signers(&keys.keyring) {
        Ok(_) => Ok(envelope),
        Err(why) => Err(ServiceError::Wrong(format!("签名无效 the signature does not hold: {why}"))),
    }
}

/// What became of an order. One that was accepted is answered with the state of all rooms.
fn outcome(answer: &Value) -> Value {
    match answer["result"].as_str() {
        Some(_) => answer.clone(),
        None => json!({"result": "accepted"}),
    }
}

fn refused(why: NotApproved) -> ServiceError {
    ServiceError::Conflict(why.to_string())
}

fn short(text: &str) -> String {
    text.chars().take(16).collect()
}

#[cfg(test)]
mod tests;
