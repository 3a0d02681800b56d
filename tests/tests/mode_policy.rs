//! Data are treated differently while a room is in its emergency role: from the commitment of the
//! order until peace, over a restart, and never a moment longer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use linli_tests::room::{Centre, ENTER, Room, rooms};
use linli_tests::switching::{PATIENCE, alarm, metric, order_to_enter, send, until, until_room};
use linli_tests::{Broker, Gateway, Operators, Workspace, eventually, free_port, http};
use serde_json::{Value, json};

const WAREHOUSE: &str = "kitchen.warehouse@1";
const KITCHEN: &str = "kitchen.from-warehouse@1";
const TOKEN: &str = "kiosk-token-for-tests-0123456789";

/// Waits until an alarm is in that state.
async fn alarm_is(gateway: &Gateway, id: &str, state: &str) -> anyhow::Result<Value> {
    let is = || alarm(gateway, id).is_ok_and(|alarm| alarm["state"] == state);
    let held = eventually(&format!("{id} is {state}"), PATIENCE, is).await;
    held.map_err(|error| anyhow::anyhow!("{error}: {:?}\n{}", alarm(gateway, id), gateway.log()))?;
    alarm(gateway, id)
}

/// How often a device was read while a controller on its line was read eighty times, which is four
/// seconds on a machine that is fast enough.
async fn reads(gateway: &Gateway, device: &str) -> anyhow::Result<f64> {
    let count = |device: &str| {
        let labels = format!("device=\"{device}\",line=\"panel\",result=\"ok\"");
        metric(gateway, &format!("linli_device_exchanges_total{{{labels}}}")).unwrap_or_default()
    };
    let (before, controller) = (count(device), count("reading-mode"));
    eventually("the controller is read", PATIENCE, || count("reading-mode") >= controller + 80.0).await?;
    Ok(count(device) - before)
}

async fn no_fire(gateway: &Gateway) -> anyhow::Result<()> {
    let normal = || rooms(gateway).is_ok_and(|rooms| rooms.iter().all(|room| room["fire"] == "normal"));
    eventually("no fire", PATIENCE, normal).await
}

#[tokio::test]
async fn a_kitchen_that_is_a_warehouse_has_no_alarm_of_hot_food() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let mut centre = Centre::new(Some(broker.port)).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let mut gateway = centre.gateway().await?;
    no_fire(&gateway).await?;
    alarm_is(&gateway, "hot-holding.cool", "unacknowledged").await?;
    let plan = centre.named_plan("xinghe", WAREHOUSE);
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    let shown = until_room(&gateway, "kitchen", "it is committed", |room| room["policy"].is_object()).await?;
    assert_eq!(shown["policy"]["plan"], WAREHOUSE);
    let silent = alarm_is(&gateway, "hot-holding.cool", "suppressed").await?;
    assert_eq!(silent["by"], "by-design");
    let why = silent["why"].as_str().unwrap_or_default();
    assert!(why.contains("热藏柜停用") && why.contains(WAREHOUSE), "{silent}");
    // What cold food needs travels with the alarms.
    let raised = || metric(&gateway, "linli_raised_batches_total{result=\"urgent\"}").unwrap_or_default();
    eventually("values travel with the alarms", PATIENCE, || raised() > 3.0).await?;
    // It is on record: a restart changes nothing, and tells nothing twice.
    gateway.kill().await?;
    gateway = centre.gateway().await?;
    no_fire(&gateway).await?;
    let shown = until_room(&gateway, "kitchen", "it goes on", |room| room["policy"].is_object()).await?;
    assert_eq!(shown["policy"]["plan"], WAREHOUSE);
    assert_eq!(alarm(&gateway, "hot-holding.cool")?["state"], "suppressed");
    let operators = Operators { resumes: true, retries: true };
    operators.work(&gateway, &mut place, &["ready"], PATIENCE * 2).await?;
    let shown = until_room(&gateway, "kitchen", "it is ready", |room| room["stage"] == "ready").await?;
    assert_eq!(shown["policy"]["plan"], WAREHOUSE);
    let back = centre.named_plan("xinghe", KITCHEN);
    let order = centre.order("return", "actual", &["--plan", &back], &["wang", "li"]).await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    let shown = until_room(&gateway, "kitchen", "it returns", |room| room["direction"] == "return").await?;
    assert_eq!(shown["policy"]["plan"], WAREHOUSE, "until peace");
    operators.work(&gateway, &mut place, &["peace"], PATIENCE).await?;
    let shown = until_room(&gateway, "kitchen", "peace", |room| room["stage"] == "peace").await?;
    assert_eq!(shown["policy"], Value::Null);
    alarm_is(&gateway, "hot-holding.cool", "unacknowledged").await?;
    let steps = || -> Vec<Value> {
        let all = subscriber.received().unwrap_or_default().into_iter();
        let of_it = all.filter(|message| message.topic.ends_with("event/alarm"));
        let of_it = of_it.filter(|message| message.payload["alarm"] == "hot-holding.cool");
        of_it.map(|message| message.payload["event"].clone()).collect()
    };
    eventually("the district hears of it", PATIENCE, || steps().last() == Some(&json!("unsuppress"))).await?;
    assert_eq!(steps(), [json!("raised"), json!("suppress"), json!("unsuppress")], "once each");
    let notes: Vec<Value> = subscriber
        .received()?
        .into_iter()
        .filter(|message| message.topic.ends_with("event/mode"))
        .flat_map(|message| message.payload["notes"].as_array().cloned().unwrap_or_default())
        .filter(|note| note.get("policy").is_some())
        .collect();
    assert_eq!(notes, [json!({"policy": "applied"}), json!({"policy": "taken_back"})]);
    gateway.stop().await
}

#[tokio::test]
async fn a_sampling_area_is_read_more_often_and_its_fridge_is_watched() -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    alarm_is(&gateway, "specimen-fridge.warm", "suppressed").await?;
    let before = reads(&gateway, "reading-air").await?;
    let opens = metric(&gateway, "linli_line_opens_total{line=\"panel\"}");
    order_to_enter(&gateway, &mut centre).await?;
    until(&gateway, "it is committed", |room| room["policy"].is_object()).await?;
    // It is as warm there as in the room, and from now on somebody has to know.
    let awake = alarm_is(&gateway, "specimen-fridge.warm", "unacknowledged").await?;
    assert!(awake["why"].as_str().is_some_and(|why| why.contains("标本")), "{awake}");
    let meanwhile = reads(&gateway, "reading-air").await?;
    assert!(meanwhile > before * 2.0 && meanwhile > 4.0, "{before} then {meanwhile} reads");
    assert_eq!(metric(&gateway, "linli_line_opens_total{line=\"panel\"}"), opens, "the line runs on");
    assert_eq!(metric(&gateway, "linli_mode_stage{room=\"reading-room\",stage=\"peace\"}"), None);
    // Stopped, it is still under the policy; only peace ends it.
    let (status, _) = gateway.ask("POST", "/api/v1/mode/rooms/reading-room/stop", &Value::Null)?;
    assert_eq!(status, 200);
    until(&gateway, "it is held", |room| room["stage"] == "held" && room["policy"].is_object()).await?;
    let operators = Operators { resumes: true, retries: true };
    operators.work(&gateway, &mut place, &["ready"], PATIENCE * 2).await?;
    // The page follows within a moment.
    let room = "room=\"reading-room\"";
    let at_least = async |series: String, least: f64| {
        let is_there = || metric(&gateway, &series).is_some_and(|value| value >= least);
        eventually(&series, PATIENCE, is_there).await
    };
    let took = format!("linli_mode_last_switch_seconds{{class=\"actual\",direction=\"enter\",{room}}}");
    at_least(took, 3.0).await?;
    at_least(format!("linli_mode_steps{{result=\"human\",{room}}}"), 4.0).await?;
    at_least(format!("linli_mode_holds_total{{cause=\"stop\",{room}}}"), 1.0).await?;
    at_least(format!("linli_mode_resumes_total{{{room}}}"), 1.0).await?;
    at_least("linli_mode_orders_total{result=\"accepted\"}".to_owned(), 1.0).await?;
    gateway.stop().await
}

/// A kiosk that shows the texts it receives, and a list of everything it has shown.
fn kiosk(port: u16) -> Arc<Mutex<Vec<String>>> {
    let shown = Arc::new(Mutex::new(vec!["欢迎".to_owned()]));
    let screen = Arc::clone(&shown);
    tokio::task::spawn_blocking(move || {
        for seq in 0.. {
            let Some(text) = screen.lock().ok().and_then(|all| all.last().cloned()) else { return };
            if Arc::strong_count(&screen) == 1 {
                return;
            }
            let body = json!({"boot": "b", "seq": seq, "parts": {}, "message": text});
            let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n");
            let answer = std::net::TcpStream::connect(("127.0.0.1", port)).ok().and_then(|stream| {
                http::ask(stream, "POST", "/kiosk/v1/kiosk-1/report", &headers, &body.to_string()).ok()
            });
            let reported = answer.and_then(|(_, body)| serde_json::from_str::<Value>(&body).ok());
            if let Some(text) = reported.and_then(|reported| reported["message"].as_str().map(str::to_owned))
                && let Ok(mut all) = screen.lock()
                && all.last() != Some(&text)
            {
                all.push(text);
            }
            // A kiosk of a test reports five times a second.
            let (_wait, nobody) = std::sync::mpsc::channel::<()>();
            let _ = nobody.recv_timeout(Duration::from_millis(200));
        }
    });
    shown
}

/// A centre with a kiosk, whose sampling plan takes it out of service.
async fn with_kiosk(port: u16) -> anyhow::Result<Centre> {
    use std::os::unix::fs::PermissionsExt;
    let centre = Centre::new(None).await?;
    let token = centre.config.join("kiosk.token");
    std::fs::write(&token, TOKEN)?;
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600))?;
    let file = centre.config.join("devices.toml");
    let devices = std::fs::read_to_string(&file)?
        + &format!(
            "\n[[line]]\nid = \"kiosks\"\nkind = \"kiosk_http\"\nlisten = \"127.0.0.1:{port}\"\n\n\
             [[device]]\nid = \"kiosk-1\"\nline = \"kiosks\"\nprofile = \"kiosk/terminal\"\nclass = \"kiosk\"\n\
             poll = \"1s\"\ntoken = \"file:kiosk.token\"\n"
        );
    std::fs::write(file, devices)?;
    let notice =
        "[[policy.kiosk]]\ndevice = \"kiosk-1\"\ntext = \"采样进行中\"\ndrill = \"live\"\n\n[[step]]";
    centre.replan(ENTER, |text| text.replacen("[[step]]", notice, 1)).await?;
    Ok(centre)
}

#[tokio::test]
async fn a_kiosk_shows_where_else_to_go_and_a_drill_says_that_it_is_one() -> anyhow::Result<()> {
    let port = free_port()?;
    let mut centre = with_kiosk(port).await?;
    let _place = Room::start(centre.port, "2").await?;
    let mut gateway = centre.gateway().await?;
    let screen = kiosk(port);
    let shows = |text: &str| screen.lock().is_ok_and(|all| all.last().is_some_and(|last| last == text));
    no_fire(&gateway).await?;
    let welcome = || {
        let (_, shown) = gateway.ask("GET", "/api/v1/kiosks", &Value::Null).unwrap_or_default();
        shown.to_string().contains("欢迎")
    };
    eventually("the gateway knows what it shows", PATIENCE, welcome).await?;
    // First as a drill: live, in brackets, and back.
    let plan = centre.named_plan("xinghe", ENTER);
    let order = centre.order("enter", "exercise", &["--plan", &plan], &["drill-wang", "drill-li"]).await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    until(&gateway, "it waits", |room| room["stage"] == "preview").await?;
    assert!(shows("欢迎"), "nothing is committed");
    let body = json!({"person": "zhao"});
    let (status, reported) = gateway.ask("POST", "/api/v1/mode/rooms/reading-room/commit", &body)?;
    assert_eq!(status, 200, "{reported}");
    eventually("in brackets", PATIENCE, || shows("【演练】采样进行中【演练】")).await?;
    // Serious now: the drill ends, its text too.
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    eventually("without brackets", PATIENCE, || shows("采样进行中")).await?;
    // Over a restart it stays, and is not written again.
    gateway.kill().await?;
    gateway = centre.gateway().await?;
    until(&gateway, "it goes on", |room| room["policy"].is_object()).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let texts = screen.lock().map(|all| all.clone()).unwrap_or_default();
    assert_eq!(texts.iter().filter(|text| *text == "采样进行中").count(), 1, "{texts:?}");
    gateway.stop().await
}
