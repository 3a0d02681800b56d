//! Forms of orders: as they are stored, and as they are signed and sent.

use super::{
    AcceptedOrder, Authority, Envelope, Kind, Order, PlanHash, ReplayGuard, SecretKey, Series, Target, sign,
    sign_plan,
};
use crate::Class;
use linli_domain::audit::hex;
use linli_domain::{Id, Timestamp};
use linli_golden::{stored, words};

/// An order with everything, and one with as little as may be.
pub(crate) fn orders() -> Vec<Order> {
    let id = |text| Id::new(text).unwrap();
    let plan = PlanHash { plan: "reading-room.sampling@1".to_owned(), hash: [0xA5; 32] };
    let target =
        Target { centre: id("xinghe"), site: Some(id("east")), plans: vec![plan], snapshot: Some([1; 32]) };
    let least = Target { centre: id("xinghe"), site: None, plans: Vec::new(), snapshot: None };
    let whole = Order {
        id: "0197f0c2-1".to_owned(),
        seq: 12,
        kind: Kind::Amend,
        class: Class::Actual,
        authority: Authority::District,
        targets: vec![target, least.clone()],
        mode: "epidemic.sampling".to_owned(),
        not_before: Timestamp(1_795_428_000_000),
        expires: Timestamp(1_795_471_200_000),
        sent: Timestamp(1_795_427_999_000),
        reference: Some("沪防〔2026〕12号".to_owned()),
        supersedes: vec!["0197f0c2-0".to_owned()],
        cap: Some(b"<alert/>".to_vec()),
    };
    let small = Order {
        kind: Kind::Enter,
        class: Class::Exercise,
        authority: Authority::Local,
        targets: vec![least],
        reference: None,
        supersedes: Vec::new(),
        cap: None,
        ..whole.clone()
    };
    vec![whole, small]
}

#[test]
fn words_of_orders() {
    words!(stored "order/kind", Kind: Enter, Return, Amend, Cancel, StandDown, Stop);
    words!(stored "order/authority", Authority: District, Local);
}

#[test]
fn orders_and_the_ledger() {
    stored("order/order", &orders());
    let ledger = ReplayGuard {
        last: [(Authority::District, 12), (Authority::Local, 3)].into(),
        accepted: vec![
            (Authority::District, 12, "0197f0c2-1".to_owned(), [7; 32]),
            (Authority::Local, 3, "0197f0c2-3".to_owned(), [8; 32]),
        ],
        ..ReplayGuard::default()
    };
    stored("order/ledger", &[ReplayGuard::default(), ledger]);
    // What is added since 0.1, which told classes apart nowhere.
    let accepted = Series::EACH.map(|series| AcceptedOrder {
        series,
        seq: 12,
        id: "0197f0c2-1".to_owned(),
        hash: [9; 32],
    });
    let numbers = Series::EACH.map(|series| (series, 12)).into();
    let guard = ReplayGuard { numbers, orders: accepted.into(), ..ReplayGuard::default() };
    stored("order/replay_guard", &[guard, ReplayGuard::lost()]);
}

#[test]
fn what_is_signed() {
    let key = SecretKey::from_seed([7; 32]);
    let kinds = [Kind::Enter, Kind::Return, Kind::Amend, Kind::Cancel, Kind::StandDown, Kind::Stop];
    let of_kind = kinds.map(|kind| Order { kind, ..orders().remove(0) });
    let all: Vec<Order> = orders().into_iter().chain(of_kind).collect();
    let payloads: Vec<String> = all.iter().map(|order| hex(&order.encode())).collect();
    stored("order/payload", &payloads);
    let signed: Vec<Envelope> = all.into_iter().map(|order| sign(&Envelope::of(order), &key)).collect();
    let envelopes: Vec<(String, String)> =
        signed.iter().map(|envelope| (hex(&envelope.bytes()), envelope.code())).collect();
    stored("order/envelope", &envelopes);
    let plan = sign_plan(b"[plan]\n", None, &key).unwrap();
    stored("order/plan_signature", &[hex(&plan), key.reveal(), key.public().id().to_string()]);
}
