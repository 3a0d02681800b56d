//! The one hash-chained, append-only log: every entry names the hash of the one before, and the
//! chain's state is stored with it, so that nobody changes or removes an entry unseen. Each log of the
//! gateway is one of these, with entries of its own.

use linli_domain::Timestamp;
use linli_domain::audit::{AuditEntry, Base, Chain, Head};
use linli_store::{Change, Document, Documents, Entry, ReadError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a log's entries say, and under which names they are stored.
pub trait Audited: Serialize {
    /// Kind of the documents that hold an entry each.
    const ENTRY: &'static str;

    /// Id and kind of the document that holds the chain's state.
    const CHAIN: &'static str;

    /// Id and kind of the document that says which entries have left the store.
    const BASE: &'static str;

    /// What is stored of the log beside its entries: the chain's state, and more where a log needs it.
    type State: AsRef<Chain> + AsMut<Chain> + Clone + Default + Serialize + DeserializeOwned;
}

/// Most entries that leave a log at once.
const AT_ONCE: u32 = 1000;

/// The bodies of the entries that follow the one with that number, or of the first ones; at most so
/// many. Where entries have left the store, the line that stands for them comes first.
///
/// # Errors
/// When the store cannot be read.
pub async fn entries_after<T: Audited>(
    store: &Documents,
    n: Option<u64>,
    most: u32,
) -> Result<Vec<String>, ReadError> {
    let base = store.get(T::BASE).await?.map(|document| document.body);
    let earlier = base.as_deref().and_then(Base::of_line).map_or(0, |base| base.earlier.count);
    let base = base.filter(|_| n.map_or(0, |n| n.saturating_add(1)) < earlier);
    let documents = store.after(T::ENTRY, &entry_id::<T>(n), most).await?;
    Ok(base.into_iter().chain(documents.into_iter().map(|document| document.body)).collect())
}

/// Removes the oldest entries that were written before that time, some at a time, and stores what verifies the
/// others. `also` names what goes with an entry. Returns how many went.
///
/// # Errors
/// When the store cannot be read or written, or the entries do not follow from each other: then none goes.
pub async fn forget_before<T: Audited>(
    store: &Documents,
    before: Timestamp,
    also: impl Fn(&str) -> Option<Change>,
) -> anyhow::Result<u64> {
    let base = store.get(T::BASE).await?;
    let base = base.map(|document| serde_json::from_str::<Base>(&document.body)).transpose()?;
    let mut chain = base.map(|base| base.earlier).unwrap_or_default();
    let first = chain.count;
    let old = store.after(T::ENTRY, &entry_id::<T>(first.checked_sub(1)), AT_ONCE + 1).await?;
    let is_old = |document: &&Document| document.at < before;
    let (mut until, mut changes) = (Timestamp(0), Vec::new());
    for document in old.iter().take(AT_ONCE as usize).take_while(is_old) {
        chain.follow(&document.body)?;
        until = document.at;
        changes.extend(also(&document.body));
    }
    let count = chain.count - first;
    if count == 0 {
        return Ok(0);
    }
    // The last of them was not changed either, if one follows it.
    if let Some(next) = usize::try_from(count).ok().and_then(|count| old.get(count)) {
        chain.clone().follow(&next.body)?;
    }
    let (from, to) = (entry_id::<T>(Some(first)), entry_id::<T>(Some(chain.count - 1)));
    let body = serde_json::to_string(&Base { v: Base::VERSION, earlier: chain, until })?;
    let (id, kind) = (T::BASE.to_owned(), T::BASE.to_owned());
    changes.push(Change::ForgetDocuments { kind: T::ENTRY.to_owned(), from, to });
    changes.push(Change::Document(Document { id, kind, at: until, body }));
    store.keep(Entry { changes, ..Entry::default() }).await?;
    Ok(count)
}

/// The bodies of the entries before that number, newest first; at most so many.
///
/// # Errors
/// When the store cannot be read.
pub async fn entries_before<T: Audited>(
    store: &Documents,
    n: u64,
    most: u32,
) -> Result<Vec<String>, ReadError> {
    let end = format!("{}/{n:012}", T::ENTRY);
    let documents = store.before(T::ENTRY, &end, most).await?;
    Ok(documents.into_iter().map(|document| document.body).collect())
}

/// The state of a log's chain as it is stored.
///
/// # Errors
/// When the store cannot be read, or the state is none.
pub async fn stored_chain<T: Audited>(store: &Documents) -> Result<Chain, ReadError> {
    let Some(document) = store.get(T::CHAIN).await? else { return Ok(Chain::default()) };
    let state: T::State = serde_json::from_str(&document.body).map_err(|error| ReadError::Undecodable {
        table: "book",
        key: T::CHAIN.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(state.as_ref().clone())
}

/// Appends entries. What it returns becomes durable with whatever the entries are about; until then a
/// clone of it stands for the log as it will be.
#[derive(Debug, Clone)]
pub struct AuditLog<T: Audited> {
    state: T::State,
}

/// Id of the document with an entry; with none, the id before the first entry's.
#[must_use]
fn entry_id<T: Audited>(n: Option<u64>) -> String {
    n.map_or_else(|| format!("{}/", T::ENTRY), |n| format!("{}/{n:012}", T::ENTRY))
}

// === impl AuditLog ===

impl<T: Audited> AuditLog<T> {
    /// Goes on with the log as it was stored.
    ///
    /// # Errors
    /// When the chain's state cannot be read, or is none.
    pub async fn resume(store: &Documents) -> anyhow::Result<Self> {
        let state = match store.get(T::CHAIN).await? {
            Some(document) => serde_json::from_str(&document.body)?,
            None => T::State::default(),
        };
        Ok(Self { state })
    }

    /// Appends an entry; returns the document that holds it.
    pub fn append(&mut self, at: Timestamp, what: T) -> Change {
        let (n, prev) = self.chain().next();
        let entry = AuditEntry { n, prev, at, what };
        let body = serde_json::to_string(&entry).expect("an entry is made of JSON values");
        self.state.as_mut().append(&body);
        Change::Document(Document { id: entry_id::<T>(Some(n)), kind: T::ENTRY.to_owned(), at, body })
    }

    /// The document with the chain's state, to be stored with its entries.
    pub fn document(&self, at: Timestamp) -> Change {
        let body = serde_json::to_string(&self.state).expect("a state is made of JSON values");
        Change::Document(Document { id: T::CHAIN.to_owned(), kind: T::CHAIN.to_owned(), at, body })
    }

    /// The head of the chain so far.
    pub fn head(&self) -> Head {
        self.chain().head()
    }

    /// The number of the next entry.
    pub fn count(&self) -> u64 {
        self.chain().count
    }

    /// What is stored of the log beside its entries.
    pub const fn state(&self) -> &T::State {
        &self.state
    }

    /// The same, to be changed with the next entry.
    pub const fn state_mut(&mut self) -> &mut T::State {
        &mut self.state
    }

    fn chain(&self) -> &Chain {
        self.state.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use linli_domain::audit::Broken;
    use linli_store::Entry;
    use serde::Deserialize;

    use super::*;
    use crate::golden::site::{NOW, Site};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Note {
        text: String,
    }

    impl Audited for Note {
        const ENTRY: &'static str = "test-entry";
        const CHAIN: &'static str = "test-chain";
        const BASE: &'static str = "test-base";
        type State = Chain;
    }

    async fn append(log: &mut AuditLog<Note>, store: &Documents, text: &str) {
        let entry = log.append(NOW, Note { text: text.to_owned() });
        let changes = vec![entry, log.document(NOW)];
        store.keep(Entry { changes, ..Entry::default() }).await.unwrap();
    }

    fn followed(entries: &[String]) -> Result<Chain, Broken> {
        let mut chain = Chain::default();
        entries.iter().try_for_each(|entry| chain.follow(entry)).map(|()| chain)
    }

    #[tokio::test]
    async fn a_log_goes_on_after_a_restart_and_is_one_chain() {
        let site = Site::open().await;
        let store = site.store.documents();
        let mut log = AuditLog::<Note>::resume(&store).await.unwrap();
        assert_eq!(log.count(), 0);
        append(&mut log, &store, "first").await;
        append(&mut log, &store, "second").await;
        let mut log = AuditLog::<Note>::resume(&store).await.unwrap();
        append(&mut log, &store, "third").await;
        let all = entries_after::<Note>(&store, None, 10).await.unwrap();
        assert_eq!((all.len(), log.count()), (3, 3));
        assert_eq!(followed(&all).unwrap().head(), log.head());
        assert_eq!(entries_after::<Note>(&store, Some(1), 10).await.unwrap(), all[2..]);
        assert_eq!(entries_after::<Note>(&store, None, 2).await.unwrap(), all[..2]);
        let newest = entries_before::<Note>(&store, u64::MAX >> 24, 2).await.unwrap();
        assert_eq!(newest, [all[2].clone(), all[1].clone()]);
        assert_eq!(entries_before::<Note>(&store, 1, 9).await.unwrap(), all[..1]);
        assert_eq!(stored_chain::<Note>(&store).await.unwrap().head(), log.head());
        let third: AuditEntry<Note> = serde_json::from_str(&all[2]).unwrap();
        assert_eq!((third.n, third.at, third.what.text.as_str()), (2, NOW, "third"));
    }

    /// The oldest entries leave; the others are verified as before, and the log goes on.
    #[tokio::test]
    async fn what_is_too_old_leaves_and_the_rest_is_verified_all_the_same() {
        let site = Site::open().await;
        let store = site.store.documents();
        let mut log = AuditLog::<Note>::resume(&store).await.unwrap();
        let at = |nth: i64| Timestamp(NOW.0 + nth);
        for nth in 0..30 {
            let entry = log.append(at(nth), Note { text: format!("entry {nth}") });
            let changes = vec![entry, log.document(at(nth))];
            store.keep(Entry { changes, ..Entry::default() }).await.unwrap();
        }
        let whole = entries_after::<Note>(&store, None, 100).await.unwrap();
        let forget = async |before: Timestamp| forget_before::<Note>(&store, before, |_| None).await.unwrap();
        assert_eq!(forget(at(0)).await, 0);
        assert_eq!(forget(at(10)).await, 10);
        assert_eq!(forget(at(10)).await, 0);
        assert_eq!(forget(at(23)).await, 13);
        let kept = entries_after::<Note>(&store, None, 100).await.unwrap();
        assert_eq!((kept.len(), &kept[1..]), (8, &whole[23..]));
        assert_eq!(followed(&kept).unwrap().head(), log.head());
        assert_eq!(entries_after::<Note>(&store, Some(24), 100).await.unwrap(), whole[25..]);
        let from_left = entries_after::<Note>(&store, Some(3), 2).await.unwrap();
        assert_eq!(from_left, kept[..3], "whoever asks for what has left is told so");
        // The next process goes on, and an export from before fits what is left.
        let mut log = AuditLog::<Note>::resume(&store).await.unwrap();
        append(&mut log, &store, "after").await;
        let now = entries_after::<Note>(&store, None, 100).await.unwrap();
        assert_eq!(followed(&now).unwrap().head(), log.head());
        assert_eq!(followed(&[&whole[..23], &now].concat()).unwrap().head(), log.head());
    }

    /// Entries of which one was changed do not leave: whoever verifies them has to see it.
    #[tokio::test]
    async fn what_was_changed_does_not_leave() {
        let site = Site::open().await;
        let store = site.store.documents();
        let mut log = AuditLog::<Note>::resume(&store).await.unwrap();
        append(&mut log, &store, "first").await;
        append(&mut log, &store, "second").await;
        let later = Timestamp(NOW.0 + 1);
        let third = log.append(later, Note { text: "third".to_owned() });
        let changes = vec![third, log.document(later)];
        store.keep(Entry { changes, ..Entry::default() }).await.unwrap();
        // The first, and the last of those that would leave.
        for n in [0, 1] {
            let id = entry_id::<Note>(Some(n));
            let written = store.get(&id).await.unwrap().unwrap();
            let other =
                Document { body: written.body.replace("text\":\"", "text\":\"other "), ..written.clone() };
            for (document, is_changed) in [(other, true), (written, false)] {
                let changes = vec![Change::Document(document)];
                store.keep(Entry { changes, ..Entry::default() }).await.unwrap();
                if is_changed {
                    let refused = forget_before::<Note>(&store, later, |_| None).await.unwrap_err();
                    assert!(refused.to_string().contains("changed"), "{refused}");
                    assert_eq!(entries_after::<Note>(&store, None, 10).await.unwrap().len(), 3);
                }
            }
        }
        assert_eq!(forget_before::<Note>(&store, later, |_| None).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn an_entry_that_did_not_become_durable_leaves_no_gap() {
        let site = Site::open().await;
        let store = site.store.documents();
        let mut log = AuditLog::<Note>::resume(&store).await.unwrap();
        append(&mut log, &store, "first").await;
        let mut given_up = log.clone();
        drop(given_up.append(NOW, Note { text: "never stored".to_owned() }));
        append(&mut log, &store, "second").await;
        let all = entries_after::<Note>(&store, None, 10).await.unwrap();
        assert_eq!(followed(&all).unwrap().head(), log.head());
    }
}
