//! Conversations that were recorded with real devices and servers, played to the line tasks over real sockets: what is
//! asked is what was asked then, and what was answered means what it says in `[expect]`.
//!
//! `tests/peers/tap.py` records one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{ClockQuality, DeviceClass, Id, Stamp, Timestamp};
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::{Clock, LineContext, LineEnds, PROTOCOLS, RawDevice, RawLine};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transcript {
    kind: String,
    profile: String,
    unit: Option<i64>,
    device: String,
    settings: String,
    /// Value and quality of points.
    expect: BTreeMap<String, String>,
    exchange: Vec<Exchange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    asked: String,
    told: String,
}

/// 2026-11-29T10:00:00Z.
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Stamp {
        Stamp { at: Timestamp(1_795_946_400_000), clock: ClockQuality::Synchronised }
    }
}

// === impl Exchange ===

impl Exchange {
    fn bytes(&self) -> (Vec<u8>, Vec<u8>) {
        let of = |hex: &str| data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        (of(&self.asked), of(&self.told))
    }
}

// === impl Transcript ===

impl Transcript {
    fn read(name: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(name);
        toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    /// Plays the other end once; returns its port.
    async fn play(&self) -> u16 {
        let exchanges: Vec<_> = self.exchange.iter().map(Exchange::bytes).collect();
        // The address of the recording is in what is asked over HTTP.
        let is_same = self.kind != "ipp";
        if self.kind == "snmp" {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let port = socket.local_addr().unwrap().port();
            tokio::spawn(async move {
                let mut datagram = [0; 2048];
                while let Ok((count, from)) = socket.recv_from(&mut datagram).await {
                    let asked = &datagram[..count];
                    let known = exchanges.iter().find(|(known, _)| known == asked);
                    let (_, told) = known.expect("it was asked when this was recorded");
                    socket.send_to(told, from).await.unwrap();
                }
            });
            return port;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for (asked, told) in exchanges {
                let mut heard = vec![0; asked.len()];
                stream.read_exact(&mut heard).await.unwrap();
                assert!(!is_same || heard == asked, "asked {heard:02x?} instead of {asked:02x?}");
                stream.write_all(&told).await.unwrap();
            }
            // The other end stays.
            let _ = stream.read(&mut [0; 1024]).await;
        });
        port
    }

    /// The values and qualities that the line delivers, as soon as all that are expected are there.
    async fn heard(&self) -> BTreeMap<String, String> {
        let port = self.play().await;
        let line = RawLine {
            id: Id::new("l").unwrap(),
            settings: self.settings.replace("{port}", &port.to_string()).parse().unwrap(),
            zone: linli_domain::timezone::Zone::utc(),
        };
        let device = RawDevice {
            id: Id::new(&self.device).unwrap(),
            name: String::new(),
            room: None,
            class: DeviceClass::Telemetry,
            unit: self.unit,
            topic: (self.kind == "mqtt").then(|| self.device.clone()),
            token: None,
            serial: None,
            profile: self.profile.clone(),
            poll: Duration::from_secs(30),
        };
        let kind = PROTOCOLS.iter().find(|kind| kind.kind() == self.kind).unwrap();
        let plan = kind.plan(&line, &[device], &ProfileSet::embedded()).expect("a good line");
        let (context, ends) = LineContext::alone(Id::new("g1").unwrap(), Arc::new(Fixed), 1, 64);
        let LineEnds { mut batches, mut events, commands, maintenance, cancel, poll_overrides, .. } = ends;
        let running = tokio::spawn(plan.run(context));
        let mut heard = BTreeMap::new();
        while !self.expect.keys().all(|point| heard.contains_key(point)) {
            let batch = tokio::select! {
                batch = batches.recv() => batch.expect("values"),
                _ = events.recv() => continue,
            };
            for sample in batch.samples {
                let point = batch.layout.points[usize::from(sample.point)].name.to_string();
                let value = sample.value.map_or("none".to_owned(), |value| value.to_string());
                heard.insert(point, format!("{value} {}", sample.quality));
            }
        }
        cancel.cancel();
        running.await.unwrap().expect("no fault");
        drop((commands, maintenance, poll_overrides));
        heard
    }
}

#[tokio::test]
async fn what_was_recorded_is_asked_and_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        let transcript = Transcript::read(&name);
        let heard = transcript.heard().await;
        for (point, expected) in &transcript.expect {
            assert_eq!(heard.get(point), Some(expected), "{name}: {point}");
        }
    }
}
