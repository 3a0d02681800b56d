//! The line task of a scanner.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use linli_domain::{Id, Layout};
use linli_vitals::Zone;
use linli_vitals::scanner::{Scan, Scanner};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::serial_task::keep_open;
use super::talk::Talk;
use crate::line::{CabinEvent, DeviceState, LineContext, ScannedCode};
use crate::port::Serial;

/// A code without an end is whole after this silence: at 9600 baud a character takes a millisecond.
const ENDED_AFTER: Duration = Duration::from_millis(200);

/// Interval of progress reports to the watchdog.
const LIFE: Duration = Duration::from_secs(10);

/// Checked settings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    pub port: Serial,
}

/// Opens the port and reads from it, until cancelled.
pub(super) async fn run(settings: &Settings, line: Id, layout: Arc<Layout>, context: LineContext) {
    let mut talk = Talk::new(line, Arc::clone(&layout), Zone::East(0), context);
    keep_open(&settings.port, &mut talk, |talk, port| {
        let layout = Arc::clone(&layout);
        async move {
            // It is silent until somebody comes.
            talk.is(DeviceState::Online, String::new()).await;
            listen(talk, &layout, port).await
        }
        .boxed()
    })
    .await;
}

/// Reads until the port fails. Returns `Ok` when cancelled.
async fn listen(talk: &Talk, layout: &Arc<Layout>, mut port: impl AsyncRead + Unpin) -> std::io::Result<()> {
    let (mut scanner, mut buffer) = (Scanner::default(), [0; 256]);
    let (cancel, health) = (talk.context.cancel.clone(), Arc::clone(&talk.context.health));
    loop {
        let wait = if scanner.is_within() { ENDED_AFTER } else { LIFE };
        let read = tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            read = tokio::time::timeout(wait, port.read(&mut buffer)) => read,
        };
        health.progress.fetch_add(1, Ordering::Relaxed);
        let before = scanner.skipped();
        let scans: Vec<Scan> = match read {
            Err(_) => scanner.end().into_iter().collect(),
            Ok(read) => match read? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                count => buffer[..count].iter().filter_map(|byte| scanner.push(*byte)).collect(),
            },
        };
        health.resync_bytes.fetch_add(scanner.skipped() - before, Ordering::Relaxed);
        for scan in scans {
            let text = match scan {
                Scan::Code(text) => Some(text),
                Scan::Unreadable => None,
            };
            if let Some(device) = health.devices.first().filter(|_| text.is_some()) {
                device.ok.fetch_add(1, Ordering::Relaxed);
            }
            let scanned = ScannedCode { layout: Arc::clone(layout), text };
            let _ = talk.context.measurements.send(CabinEvent::Scanned(scanned)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::{ClockQuality, DeviceClass, Stamp, Timestamp};
    use tokio::io::AsyncWriteExt;

    struct Fixed;

    impl crate::Clock for Fixed {
        fn now(&self) -> Stamp {
            Stamp { at: Timestamp(1_795_397_410_000), clock: ClockQuality::Synchronised }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_ends_with_its_line_or_with_silence() {
        let (context, mut ends) = LineContext::alone(Id::new("g1").unwrap(), Arc::new(Fixed), 1, 64);
        let layout = Arc::new(Layout {
            device: Id::new("scanner-1").unwrap(),
            name: "扫码器".to_owned(),
            room: Id::new("cabin").ok(),
            class: DeviceClass::Vital,
            profile: "scanner/line".to_owned(),
            points: Vec::new(),
        });
        let (near, mut port) = tokio::io::duplex(4096);
        let talk = Talk::new(Id::new("scan").unwrap(), Arc::clone(&layout), Zone::East(0), context);
        let held = tokio::spawn(async move { listen(&talk, &layout, near).await.is_err() });
        let mut scanned = async || match ends.measurements.recv().await {
            Some(CabinEvent::Scanned(code)) => {
                let shown = format!("{code:?}");
                assert!(code.text.iter().all(|text| !shown.contains(text)), "it is in no log");
                code.text.unwrap_or_else(|| "-".to_owned())
            }
            other => panic!("{other:?}"),
        };
        port.write_all(b"11010519491231002X\r\njkm:9d").await.unwrap();
        assert_eq!(scanned().await, "11010519491231002X");
        port.write_all(b"41").await.unwrap();
        assert_eq!(scanned().await, "jkm:9d41", "silence ends it");
        port.write_all(b"\xff\xff\r\nA1\r").await.unwrap();
        assert_eq!(scanned().await, "-", "noise is no code, and the screen is told so");
        assert_eq!(scanned().await, "A1");
        drop(port);
        assert!(held.await.unwrap());
        assert_eq!(ends.health.resync_bytes.load(Ordering::Relaxed), 2);
    }
}
