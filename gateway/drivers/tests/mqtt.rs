//! A line to an MQTT broker that does what the test says.
#![allow(clippy::unwrap_used, reason = "helpers of a test file")]

use std::sync::Arc;
use std::time::Duration;

use linli_domain::{ClockQuality, DeviceClass, Id, Reason, Stamp, Timestamp};
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::{
    Clock, DeviceState, LineContext, LineEvent, LineHealth, PROTOCOLS, PollOverrides, RawDevice, RawLine,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Stamp {
        Stamp { at: Timestamp(1_795_428_000_000), clock: ClockQuality::Synchronised }
    }
}

/// Reads one packet: its type, and its body. The packets of these tests are shorter than 16 kB.
async fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await.ok()?;
    let mut length = usize::from(stream.read_u8().await.ok()?);
    if length >= 128 {
        length = length - 128 + 128 * usize::from(stream.read_u8().await.ok()?);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((kind >> 4, body))
}

/// Answers subscriptions once `may_answer` comes; refuses those to topics that contain "hidden" (MQTT 3.1.1
/// §3.9.3, return code 0x80).
async fn broker(listener: TcpListener, may_answer: oneshot::Receiver<()>) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut may_answer = Some(may_answer);
    while let Some((kind, body)) = packet(&mut stream).await {
        match kind {
            1 => stream.write_all(&[0x20, 2, 0, 0]).await.unwrap(),
            8 => {
                if let Some(may_answer) = may_answer.take() {
                    may_answer.await.unwrap();
                }
                let code = if String::from_utf8_lossy(&body).contains("hidden") { 0x80 } else { 1 };
                stream.write_all(&[0x90, 3, body[0], body[1], code]).await.unwrap();
            }
            _ => {}
        }
    }
}

fn sensor(id: &str) -> RawDevice {
    RawDevice {
        id: Id::new(id).unwrap(),
        name: id.to_owned(),
        room: None,
        class: DeviceClass::FoodSafety,
        unit: None,
        topic: Some(id.to_owned()),
        token: None,
        serial: None,
        profile: "zigbee2mqtt/climate".to_owned(),
        poll: Duration::from_secs(60),
    }
}

#[tokio::test]
async fn a_line_is_up_when_the_broker_answered_and_a_refused_subscription_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = format!("url = \"mqtt://{}\"", listener.local_addr().unwrap());
    let line = RawLine { id: Id::new("zigbee").unwrap(), settings: settings.parse().unwrap() };
    let kind = PROTOCOLS.iter().find(|kind| kind.kind() == "mqtt").unwrap();
    let devices = [sensor("open"), sensor("hidden")];
    let plan = kind.plan(&line, &devices, &ProfileSet::embedded()).expect("a good line");
    let (may_answer, answers) = oneshot::channel();
    let broker = tokio::spawn(broker(listener, answers));

    let (events, mut reported) = mpsc::channel(64);
    let (_commands, commands) = mpsc::channel(16);
    let (_maintenance, maintenance) = mpsc::channel(16);
    let health = Arc::new(LineHealth::new(devices.len()));
    let cancel = CancellationToken::new();
    let context = LineContext {
        poll_overrides: watch::channel(PollOverrides::default()).1,
        samples: mpsc::channel(64).0,
        measurements: mpsc::channel(1).0,
        events,
        commands,
        maintenance,
        clock: Arc::new(Fixed),
        health: Arc::clone(&health),
        cancel: cancel.clone(),
    };
    let running = tokio::spawn(plan.run(context));
    let is_early = tokio::time::timeout(Duration::from_millis(300), reported.recv()).await;
    assert!(is_early.is_err(), "nothing is subscribed yet: {is_early:?}");
    may_answer.send(()).unwrap();
    let (mut is_up, mut refused) = (false, None);
    while refused.is_none() {
        let event: LineEvent = reported.recv().await.unwrap();
        match (&event.device, &event.state) {
            (None, DeviceState::Online) => is_up = true,
            (Some(device), DeviceState::Offline(Reason::Silent)) => {
                refused = Some((device.to_string(), event.detail));
            }
            other => panic!("{other:?}"),
        }
    }
    let (device, why) = refused.unwrap();
    assert!(is_up, "what the broker does not hide is heard");
    assert_eq!(device, "hidden");
    assert!(why.contains("zigbee2mqtt/hidden") && why.contains("拒绝"), "{why}");
    cancel.cancel();
    running.await.unwrap().expect("no fault");
    broker.abort();
}
