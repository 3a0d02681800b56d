//! The line task of a serial health device.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use linli_domain::{Id, Layout, Reason};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::models::{self, Decoder};
use super::serial_task::keep_open;
use super::talk::Talk;
use crate::line::LineContext;
use crate::port::Serial;
use linli_vitals::Zone;

/// Silence after which a stream has no value any more.
const SILENT: Duration = Duration::from_secs(5);

/// Time limit for sending an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Checked settings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    pub port: Serial,
    pub model: &'static str,
    pub zone: Zone,
}

/// Opens the port and reads from it, until cancelled.
pub(super) async fn run(settings: &Settings, line: Id, layout: Arc<Layout>, context: LineContext) {
    let Some(model) = models::find(settings.model) else { return };
    let mut talk = Talk::new(line, layout, settings.zone.clone(), context);
    keep_open(&settings.port, &mut talk, |talk, port| listen(talk, (model.decoder)(), port).boxed()).await;
}

/// Reads until the port fails. Returns `Ok` when cancelled.
async fn listen(
    talk: &mut Talk,
    mut decoder: Box<dyn Decoder>,
    mut port: impl AsyncRead + AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let (mut buffer, cancel) = ([0; 256], talk.context.cancel.clone());
    loop {
        let read = tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            read = tokio::time::timeout(SILENT, port.read(&mut buffer)) => read,
        };
        talk.context.health.progress.fetch_add(1, Ordering::Relaxed);
        let Ok(read) = read else {
            // A stream that stops has no value; a monitor is silent between measurements.
            if talk.is_stream() {
                talk.lost(Reason::Silent).await;
            }
            continue;
        };
        match read? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => take(talk, &mut *decoder, &buffer[..count], &mut port).await?,
        }
    }
}

/// Handles what was read, and answers a device that waits for it.
async fn take(
    talk: &mut Talk,
    decoder: &mut dyn Decoder,
    bytes: &[u8],
    port: &mut (impl AsyncWrite + Unpin),
) -> std::io::Result<()> {
    let before = decoder.skipped();
    for byte in bytes {
        let Some(heard) = decoder.push(*byte) else { continue };
        if decoder.answer(true).is_none() {
            talk.hear(heard).await;
        } else if let Some(answer) =
            talk.hear_and_answer(heard).await.and_then(|may_forget| decoder.answer(may_forget))
        {
            let sent = tokio::time::timeout(ANSWER_WITHIN, port.write_all(answer)).await;
            sent.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
        }
    }
    let skipped = decoder.skipped() - before;
    talk.context.health.resync_bytes.fetch_add(skipped, Ordering::Relaxed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{CabinEvent, LineEnds, NotTaken, VitalMeasurement};
    use linli_domain::vital::{Caveat, NoReading, Quantity};
    use linli_domain::{ClockQuality, DeviceClass, Stamp, Timestamp};
    use tokio::io::DuplexStream;
    use tokio::sync::mpsc;

    struct Fixed;

    impl crate::Clock for Fixed {
        fn now(&self) -> Stamp {
            Stamp { at: Timestamp(1_795_397_410_000), clock: ClockQuality::Synchronised }
        }
    }

    /// A monitor at the far end of its port, and what arrives of it.
    struct Bench {
        port: DuplexStream,
        measured: mpsc::Receiver<CabinEvent>,
    }

    impl Bench {
        fn of(model: &'static str) -> Self {
            let (near, port) = tokio::io::duplex(4096);
            let (context, ends) = LineContext::alone(Id::new("g1").unwrap(), Arc::new(Fixed), 1, 64);
            let LineEnds { mut batches, measurements: measured, events: mut changes, .. } = ends;
            tokio::spawn(async move {
                while tokio::select! { got = batches.recv() => got.is_some(), got = changes.recv() => got.is_some() }
                {
                }
            });
            let layout = Layout {
                device: Id::new("cuff-1").unwrap(),
                name: "血压计".to_owned(),
                room: None,
                class: DeviceClass::Vital,
                profile: model.to_owned(),
                points: Vec::new(),
            };
            let mut talk = Talk::new(
                Id::new("cuff").unwrap(),
                Arc::new(layout),
                Zone::parse("+08:00").unwrap(),
                context,
            );
            tokio::spawn(async move {
                let decoder = (models::find(model).unwrap().decoder)();
                let _ = listen(&mut talk, decoder, near).await;
            });
            Self { port, measured }
        }

        async fn told(&mut self) -> VitalMeasurement {
            self.measured.recv().await.unwrap().measured().unwrap()
        }

        /// The answer to what was sent before, four bytes.
        async fn answer(&mut self) -> String {
            let mut answer = [0; 4];
            self.port.read_exact(&mut answer).await.unwrap();
            String::from_utf8(answer.to_vec()).unwrap()
        }
    }

    fn packet(year: u16, data: &str) -> Vec<u8> {
        let mut bytes = vec![0; 60];
        (bytes[0], bytes[2]) = (2, 10);
        bytes[6..8].copy_from_slice(&767_u16.to_le_bytes());
        bytes[9..11].copy_from_slice(&year.to_le_bytes());
        bytes[11..16].copy_from_slice(&[11, 23, 9, 30, 5]);
        bytes.extend(data.as_bytes());
        bytes
    }

    #[tokio::test(start_paused = true)]
    async fn a_monitor_that_waits_for_its_answer_gets_it_when_its_result_is_safe() {
        let mut bench = Bench::of("and/ua-767pbt");
        for (outcome, expected) in [
            (Ok(None), "PWA1"),
            (Err(NotTaken::NotStored("the store is full".to_owned())), "PWA0"),
            (Err(NotTaken::Wrong("no living person has it".to_owned())), "PWA1"),
        ] {
            bench.port.write_all(&packet(2026, "8032583C69")).await.unwrap();
            let told = bench.told().await;
            assert_eq!(told.measurements[0].value(Quantity::Systolic), Some(138.0));
            let mut early = [0; 1];
            let waited = tokio::time::timeout(Duration::from_secs(1), bench.port.read(&mut early)).await;
            assert!(waited.is_err(), "no answer before it is stored");
            told.reply.unwrap().send(outcome).unwrap();
            assert_eq!(bench.answer().await, expected);
        }
        // The gateway stops before it is stored.
        bench.port.write_all(&packet(2026, "8032583C69")).await.unwrap();
        drop(bench.told().await);
        assert_eq!(bench.answer().await, "PWA0");
    }

    #[tokio::test(start_paused = true)]
    async fn zero_is_no_value_and_an_unset_clock_is_no_time() {
        let mut bench = Bench::of("and/ua-767pbt");
        bench.port.write_all(&packet(0, "8032580000")).await.unwrap();
        let told = bench.told().await;
        let measurement = &told.measurements[0];
        assert_eq!(measurement.value(Quantity::Systolic), Some(138.0));
        assert_eq!(measurement.readings[3].value, Err(NoReading::NotPerformed));
        assert_eq!(measurement.taken.device, None);
        assert!(measurement.readings[0].caveats.contains(&Caveat::TimeUnclear));
    }
}
