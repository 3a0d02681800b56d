//! Forms of alarms: what is stored of each, what is told, what receivers outside get.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::alarm::{Event, Kept, Priority, Shelf, State, Transition};
use linli_domain::{Id, Timestamp};
use linli_mode::InForce;
use tokio::sync::watch;

use super::notice::{Notice, NoticeResult, Notices};
use super::payload::{self, AlarmView};
use super::service::{AlarmService, Deps, Health};
use super::stored::StoredAlarm;
use crate::golden::site::{NOW, Site, checked};
use linli_config::settings::webhook::Webhook;
use linli_golden::{frozen, sent, stored};

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

#[test]
fn what_is_stored_of_an_alarm() {
    let shelf = Shelf { span: Duration::from_secs(3600), is_one_shot: false };
    let kept = Kept {
        state: State::Shelved,
        is_active: true,
        shelf: Some(shelf),
        waited: Some(Duration::from_millis(1500)),
    };
    let whole = StoredAlarm {
        kept,
        at: NOW,
        by: Some("lin".to_owned()),
        why: Some("维修 maintenance".to_owned()),
        escalated: vec![id("duty")],
    };
    let least = StoredAlarm { kept: Kept::default(), at: NOW, by: None, why: None, escalated: Vec::new() };
    stored("alarms/alarm", &[whole, least]);
}

#[test]
fn what_is_stored_of_a_notification() {
    let failing = Notice {
        alarm: "fridge-1.warm".to_owned(),
        receiver: id("duty"),
        escalation: true,
        raised: NOW,
        result: NoticeResult::Failing,
        attempts: 3,
        at: Timestamp(NOW.0 + 7000),
        why: Some("it answers 503 Service Unavailable".to_owned()),
    };
    let delivered = Notice {
        escalation: false,
        result: NoticeResult::Delivered,
        attempts: 1,
        why: None,
        ..failing.clone()
    };
    let dropped = Notice { result: NoticeResult::Dropped, ..failing.clone() };
    stored("alarms/notice", &[failing, delivered, dropped]);
}

#[tokio::test]
async fn attempts_are_counted_and_only_the_newest_notices_are_kept() {
    let site = Site::open().await;
    let notices = Notices::new(site.store.documents());
    let told = |at: i64, key: &str| linli_store::Notification {
        id: 1,
        hook: id("duty"),
        key: key.to_owned(),
        body: format!("{{\"alarm\":\"fridge-1.warm\",\"at\":{at},\"escalation\":false}}"),
        after: NOW,
    };
    let first = told(NOW.0, "a");
    notices.tried(&first, NOW, NoticeResult::Failing, Some("it answers 503")).await;
    notices.tried(&first, Timestamp(NOW.0 + 1000), NoticeResult::Delivered, None).await;
    let kept = notices.newest().await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].attempts, kept[0].result), (2, NoticeResult::Delivered));
    assert_eq!(kept[0].why, None);
    for at in 1..=210 {
        notices.tried(&told(NOW.0 + at, "b"), NOW, NoticeResult::Delivered, None).await;
    }
    let kept = notices.newest().await.unwrap();
    assert_eq!((kept.len(), kept[0].raised), (200, Timestamp(NOW.0 + 210)));
    assert!(kept.iter().all(|one| one.raised > Timestamp(NOW.0 + 9)), "the oldest are gone");
}

#[test]
fn an_alarm_as_it_is_shown() {
    let whole = AlarmView {
        alarm: id("fridge-1.warm"),
        text: "温度过高".to_owned(),
        device: id("fridge-1"),
        point: id("temperature"),
        priority: Priority::High,
        state: State::Shelved,
        active: true,
        since: Some(NOW),
        value: Some(9.5),
        limit: Some(8.0),
        shelved_for: Some(600),
        by: Some("lin".to_owned()),
        why: Some("维修".to_owned()),
    };
    let least = AlarmView {
        since: None,
        value: None,
        limit: None,
        shelved_for: None,
        by: None,
        why: None,
        ..whole.clone()
    };
    sent("alarms/shown", &[whole, least]);
    let retired = payload::retired(&id("fridge-1.warm"), State::Acknowledged, Timestamp(7));
    sent("alarms/told", &[retired, payload::test("lin", Timestamp(7))]);
}

#[tokio::test]
async fn steps_as_they_are_recorded_and_told() {
    let site = Site::open().await;
    let checked = checked();
    let alarm = checked.alarms[0].id.clone();
    let hook = Webhook {
        id: id("duty"),
        url: "http://127.0.0.1:9/".to_owned(),
        insecure: None,
        secret: None,
        priorities: vec![Priority::High, Priority::Medium, Priority::Low],
        escalate_after: None,
        quiet: None,
    };
    let deps = Deps {
        store: site.store.alarms(),
        events: crate::events::Events::default(),
        clock: site.clock.clone(),
        health: Arc::new(Health::default()),
        rules: watch::Sender::new(Arc::new(checked.alarms)).subscribe(),
        asleep: watch::Sender::new(Arc::new(BTreeSet::new())).subscribe(),
        in_force: watch::Sender::new(Arc::new(InForce::default())).subscribe(),
        hooks: watch::Sender::new(Arc::new(vec![hook])).subscribe(),
        sirens: watch::Sender::new(Arc::new(Vec::new())).subscribe(),
    };
    let mut service = AlarmService::resume(deps).await.unwrap();
    let step = |event, from, to| Transition {
        alarm: alarm.clone(),
        from,
        to,
        event,
        value: Some(9.25),
        is_first_out: event == Event::Raised,
    };
    let (normal, unseen, known) = (State::Normal, State::Unacknowledged, State::Acknowledged);
    service.publish(vec![step(Event::Raised, normal, unseen)], None, None).await;
    let by_people = [
        step(Event::Acknowledge, unseen, known),
        step(Event::Cleared, known, normal),
        step(Event::Reset, State::LatchedAcknowledged, normal),
        step(Event::Shelve, unseen, State::Shelved),
        step(Event::Unshelve, State::Shelved, normal),
        step(Event::Suppress, normal, State::Suppressed),
        step(Event::Unsuppress, State::Suppressed, normal),
        step(Event::TakeOut, normal, State::OutOfService),
        step(Event::PutBack, State::OutOfService, normal),
        step(Event::Raised, normal, unseen),
    ];
    linli_golden::every!(by_people.iter().map(|step| step.event).collect::<Vec<_>>(); Event::Raised,
        Event::Cleared, Event::Acknowledge, Event::Reset, Event::Shelve, Event::Unshelve, Event::Suppress,
        Event::Unsuppress, Event::TakeOut, Event::PutBack);
    for step in by_people {
        service.publish(vec![step], Some("lin"), Some("试验 test")).await;
    }
    service.test("lin").await;
    let mut dump = site.dump().await;
    while let Some((notification, _)) =
        site.store.alarms().next_notification(&id("duty"), Timestamp(i64::MAX)).await.unwrap()
    {
        dump +=
            &format!("notification {} {} {}\n", notification.hook, notification.after.0, notification.body);
        let changes = vec![linli_store::Change::Notified(notification.id)];
        let entry = linli_store::Entry { changes, ..linli_store::Entry::default() };
        site.store.alarms().keep(entry).await.unwrap();
    }
    frozen("alarms/journey.txt", &dump);
}
