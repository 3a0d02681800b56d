//! Drafts as screens show them.

use linli_domain::Id;
use linli_domain::approval::WITHIN;
use linli_domain::audit::hex;
use linli_domain::caller::Caller;
use serde_json::{Value, json};

use crate::draft::Draft;
use crate::known::OrderKeys;

/// A draft, with what this caller would sign.
pub fn of(draft: &Draft, keys: &OrderKeys, caller: &Caller) -> Value {
    let order = &draft.envelope.order;
    let plans = order.targets.iter().flat_map(|target| &target.plans);
    let plans: Vec<Value> =
        plans.map(|named| json!({"plan": named.plan, "hash": hex(&named.hash)})).collect();
    let person = |id: &Id| json!({"person": id, "name": keys.name(id)});
    let own = caller.person.as_ref().filter(|person| !draft.signed.contains(person));
    let ids = own.map(|person| keys.keys_of(person, order.class)).unwrap_or_default();
    let to_sign: Vec<Value> = ids
        .into_iter()
        .map(|id| json!({"key": id.to_string(), "bytes": hex(&draft.envelope.to_be_signed(id))}))
        .collect();
    let left = draft.approved.as_ref().map(|_| WITHIN.saturating_sub(draft.since.elapsed()).as_secs());
    json!({
        "draft": draft.id(), "kind": order.kind.as_str(), "class": order.class, "mode": order.mode,
        "plans": plans, "supersedes": order.supersedes, "hash": hex(&draft.envelope.hash),
        "at": draft.at, "by": draft.by.as_ref().map(person),
        "signed": draft.signed.iter().map(person).collect::<Vec<_>>(), "quorum": keys.quorum,
        "left_s": left, "to_sign": to_sign,
    })
}
