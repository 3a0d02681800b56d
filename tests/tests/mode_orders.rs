//! Orders that do not count, and those that are too late, with a real gateway and a real broker.

use linli_tests::room::{BACK, Centre, ENTER, Room, room, succeed};
use linli_tests::switching::{PATIENCE, send, until};
use linli_tests::{Broker, Gateway, Workspace, eventually, linli};
use serde_json::Value;

/// Orders that are well signed, or by nobody, and mean nothing here: what is tried, and a word of
/// the reason. Forged ones are in `forged.rs`.
async fn wrong_orders(centre: &Centre) -> anyhow::Result<Vec<(String, &'static str)>> {
    let plan = centre.named_plan("xinghe", ENTER);
    let plans = ["--plan", plan.as_str()];
    let back = centre.named_plan("xinghe", BACK);
    Ok(vec![
        (centre.order_with(51, "enter", "actual", &plans, &[]).await?, "2 different people"),
        (centre.order_with(54, "enter", "actual", &plans, &["chen", "deng"]).await?, "2 different people"),
        (
            centre.order_with(56, "return", "actual", &["--plan", &plan], &["wang", "li"]).await?,
            "the other way",
        ),
        (
            centre.order_with(57, "return", "actual", &["--plan", &back], &["wang", "li"]).await?,
            "no room can follow",
        ),
        (
            centre
                .order_with(58, "cancel", "actual", &["--plan", &plan, "--supersedes", "x"], &["wang", "li"])
                .await?,
            "takes back no order",
        ),
    ])
}

#[tokio::test]
async fn orders_that_do_not_count_move_nothing_and_are_on_record() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let mut centre = Centre::new(Some(broker.port)).await?;
    let place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    for (order, reason) in wrong_orders(&centre).await? {
        let (is_taken, reported) = send(&gateway, &order).await?;
        assert!(!is_taken && reported.contains(reason), "{order}: {reported}");
    }
    // This machine's clock is synchronised with nobody: two people have to compare the code.
    let plan = centre.named_plan("xinghe", ENTER);
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let sent = gateway.verb(&["order", "send", &order]).await?;
    let reported = String::from_utf8_lossy(&sent.stderr).into_owned();
    assert!(!sent.status.success() && reported.contains("not synchronised"), "{reported}");
    let base = "linli/1/xinghe/main";
    let text = succeed(&["order", "text", &order]).await?;
    let refusals = |reason: &str| {
        let all = subscriber.received().unwrap_or_default();
        let of_orders = all.iter().filter(|message| message.topic == format!("{base}/event/order"));
        of_orders
            .filter(|message| message.payload["reason"].as_str().is_some_and(|r| r.contains(reason)))
            .count()
    };
    for reason in ["not synchronised", "2 different people", "the other way"] {
        eventually(reason, PATIENCE, || refusals(reason) > 0).await?;
    }
    // The same order over MQTT waits for its code; two people admit it here, one is not enough.
    broker.publish(&format!("{base}/order"), &text, false).await?;
    eventually("it waits", PATIENCE, || refusals("not synchronised") > 1).await?;
    let shown: Value = serde_json::from_str(&succeed(&["order", "show", &order, "--json"]).await?)?;
    let code = shown["code"].as_str().unwrap_or_default();
    let password = gateway.password_file()?;
    let by = |person| ["order", "send", "--code", code, "--login", person, "--password-file", &password];
    for told in ["1 did", "another person"] {
        let sent = gateway.verb(&by("chen")).await?;
        assert!(String::from_utf8_lossy(&sent.stderr).contains(told), "the same person is one: {sent:?}");
        assert_eq!(room(&gateway)?["stage"], "peace");
    }
    // Whoever runs this machine is no person of the centre.
    let sent = gateway.verb(&["order", "send", "--code", code]).await?;
    assert!(String::from_utf8_lossy(&sent.stderr).contains("log in as yourself"), "{sent:?}");
    let sent = gateway.verb(&by("deng")).await?;
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    // Once more is answered and does nothing.
    let (is_taken, reported) = send(&gateway, &order).await?;
    assert!(is_taken && reported.contains("accepted before"), "{reported}");
    assert!(
        place.reported().iter().all(|line| line.get("write").is_none()),
        "something moved: {:?}",
        place.reported()
    );
    let record = gateway.get("/api/v1/mode/record")?;
    let refused = record.lines().filter(|line| line.contains("\"result\":\"refused\"")).count();
    assert!(refused >= 5, "{refused} refusals on record");
    gateway.stop().await
}

#[tokio::test]
async fn a_restored_or_lost_database_accepts_no_order_again() -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let _place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    let (config, copy) = (centre.config.to_string_lossy().into_owned(), centre.workspace.path("copy.db"));
    succeed(&["backup", &copy.to_string_lossy(), "--config", &config]).await?;
    let plan = centre.named_plan("xinghe", ENTER);
    let order = centre.order("enter", "exercise", &["--plan", &plan], &["drill-wang", "drill-li"]).await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    assert!(is_taken, "{reported}");
    gateway.stop().await?;
    // The copy was made before the order.
    let database = centre.data.join("linli.db");
    let remove = |endings: &[&str]| {
        for ending in endings {
            let _ = std::fs::remove_file(format!("{}{ending}", database.display()));
        }
    };
    remove(&["", "-wal", "-shm"]);
    std::fs::copy(&copy, &database)?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal" && room["stage"] == "peace").await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    assert!(!is_taken && reported.contains("number 1 is not above 1"), "{reported}");
    gateway.stop().await?;
    // Database and file are lost: the gateway does not take itself for a new one.
    remove(&["", "-wal", "-shm", ".orders"]);
    let mut gateway = Gateway::start(&centre.config, &centre.data).await?;
    gateway.answering().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    let sent = gateway.verb(&["order", "send", &order]).await?;
    let reported = String::from_utf8_lossy(&sent.stderr).into_owned();
    assert!(!sent.status.success() && reported.contains("which orders it accepted before"), "{reported}");
    let marked = linli(&["order", "commission", "--config", &config]).await?;
    assert!(String::from_utf8_lossy(&marked.stderr).contains("has run before"), "it is no new gateway");
    gateway.stop().await
}
