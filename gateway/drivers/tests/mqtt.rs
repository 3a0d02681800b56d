//! A line to an MQTT broker that does what the test says.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Batch, ClockQuality, DeviceClass, Id, Reason, Stamp, Timestamp};
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::{
    Clock, DeviceState, LineCommand, LineContext, LineEnds, LineEvent, PROTOCOLS, RawDevice, RawLine,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
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

/// A line of these sensors whose broker answers subscriptions once it is told to.
struct Bench {
    reported: mpsc::Receiver<LineEvent>,
    may_answer: oneshot::Sender<()>,
    cancel: CancellationToken,
    running: tokio::task::JoinHandle<Result<(), linli_drivers::LineFault>>,
    _ends: (mpsc::Receiver<Batch>, mpsc::Sender<LineCommand>),
}

async fn bench(devices: &[RawDevice]) -> Bench {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = format!("url = \"mqtt://{}\"", listener.local_addr().unwrap());
    let line = RawLine {
        id: Id::new("zigbee").unwrap(),
        settings: settings.parse().unwrap(),
        zone: linli_domain::timezone::Zone::utc(),
    };
    let kind = PROTOCOLS.iter().find(|kind| kind.kind() == "mqtt").unwrap();
    let plan = kind.plan(&line, devices, &ProfileSet::embedded()).expect("a good line");
    let (may_answer, answers) = oneshot::channel();
    tokio::spawn(broker(listener, answers));
    let (context, ends) = LineContext::alone(Id::new("g1").unwrap(), Arc::new(Fixed), devices.len(), 64);
    let LineEnds { batches, events: reported, cancel, commands, .. } = ends;
    let ends = (batches, commands);
    Bench { reported, may_answer, cancel, running: tokio::spawn(plan.run(context)), _ends: ends }
}

#[tokio::test]
async fn a_line_is_up_when_the_broker_answered_every_subscription() {
    let Bench { mut reported, may_answer, cancel, running, _ends } = bench(&[sensor("open")]).await;
    let is_early = tokio::time::timeout(Duration::from_millis(300), reported.recv()).await;
    assert!(is_early.is_err(), "nothing is subscribed yet: {is_early:?}");
    may_answer.send(()).unwrap();
    let event = reported.recv().await.unwrap();
    assert_eq!((event.device, event.state), (None, DeviceState::Online));
    cancel.cancel();
    running.await.unwrap().expect("no fault");
}

#[tokio::test]
async fn a_refused_subscription_takes_the_line_down_with_its_topic() {
    let Bench { mut reported, may_answer, cancel, running, _ends } =
        bench(&[sensor("open"), sensor("hidden")]).await;
    may_answer.send(()).unwrap();
    let event = loop {
        let event = reported.recv().await.unwrap();
        if event.device.is_none() {
            break event;
        }
    };
    assert_eq!(event.state, DeviceState::Offline(Reason::LineDown));
    assert!(event.detail.contains("zigbee2mqtt/hidden"), "{}", event.detail);
    cancel.cancel();
    running.await.unwrap().expect("no fault");
}

#[tokio::test]
async fn subscriptions_that_are_never_answered_take_the_line_down() {
    let Bench { mut reported, may_answer, cancel, running, _ends } = bench(&[sensor("open")]).await;
    let event = loop {
        let event = reported.recv().await.unwrap();
        if event.device.is_none() {
            break event;
        }
    };
    assert_eq!(event.state, DeviceState::Offline(Reason::LineDown));
    assert!(event.detail.contains("subscriptions"), "{}", event.detail);
    drop(may_answer);
    cancel.cancel();
    running.await.unwrap().expect("no fault");
}
