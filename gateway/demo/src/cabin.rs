//! The devices of the health cabin: an oximeter on a serial port and a monitor that sends HL7, each with
//! the bytes of the real device.

use std::net::SocketAddr;
use std::time::Duration;

use linli_vitals::hl7::mllp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until};

use super::cable;
use super::faults::{Fault, Faults};
use super::resident::{self, Resident};

/// The oximeter sends 60 frames a second; three at a time save processor time.
const FRAMES: Duration = Duration::from_millis(50);
const FRAMES_AT_ONCE: usize = 3;

/// Interval between residents. The times below count from the arrival: finger in, finger out, blood
/// pressure, departure.
pub const EVERY: Duration = Duration::from_secs(20);
pub const GOES: Duration = Duration::from_secs(14);
const FINGER_IN: std::ops::Range<Duration> = Duration::from_secs(2)..Duration::from_secs(10);
const PRESSURE: Duration = Duration::from_secs(9);

/// Frame of the oximeter without a finger.
const FINGER_OUT: [u8; 5] = [0x90, 0x00, 0x20, 0x7F, 0x7F];

/// Connects an oximeter and returns the path of its port.
pub fn oximeter(
    seed: u64,
    began: Instant,
    faults: &Faults,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<String> {
    let mut cable = cable::lay(faults, false, tasks)?;
    let faults = faults.clone();
    tasks.spawn(async move {
        let mut beat = interval(FRAMES);
        loop {
            beat.tick().await;
            let stayed = Duration::from_secs_f64(began.elapsed().as_secs_f64() % EVERY.as_secs_f64());
            let is_in = FINGER_IN.contains(&stayed) && !faults.is_on(Fault::FingerOut);
            let frame = if is_in { frame(resident(seed, began), stayed) } else { FINGER_OUT };
            let _ = cable.server.write_all(&frame.repeat(FRAMES_AT_ONCE)).await;
        }
    });
    Ok(cable.path)
}

/// Connects a monitor that sends blood pressure and temperature of each resident, with the visit code as
/// patient id.
pub fn monitor(seed: u64, began: Instant, gateway: SocketAddr, tasks: &mut JoinSet<()>) {
    tasks.spawn(async move {
        for nth in 0.. {
            sleep_until(began + EVERY * nth + PRESSURE).await;
            let Ok(mut stream) = TcpStream::connect(gateway).await else { continue };
            let message = message(u64::from(nth), Resident::nth(seed, u64::from(nth)));
            let mut answer = [0; 512];
            if stream.write_all(&mllp::frame(message.as_bytes())).await.is_ok() {
                let _ = stream.read(&mut answer).await;
            }
        }
    });
}

fn resident(seed: u64, began: Instant) -> Resident {
    Resident::nth(seed, began.elapsed().as_secs() / EVERY.as_secs())
}

/// One frame: status with signal strength, pulse wave, bar, pulse rate, saturation.
fn frame(resident: Resident, stayed: Duration) -> [u8; 5] {
    let pulse = resident.pulse;
    let phase = stayed.as_secs_f64() * f64::from(pulse) / 60.0 % 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a height of 0 to 127")]
    let wave = (phase * 127.0) as u8;
    [0x86, wave & 0x7F, pulse >> 1 & 0x40 | 0x05, pulse & 0x7F, resident.saturation & 0x7F]
}

fn message(nth: u64, resident: Resident) -> String {
    let Resident { systolic, diastolic, pulse, temperature, .. } = resident;
    format!(
        "MSH|^~\\&|MONITOR|CABIN|GW|CENTRE|||ORU^R01^ORU_R01|DEMO-{}-{nth}|P|2.6|||||||UNICODE UTF-8\r\
         PID|||{}\r\
         OBR|1|||85353-1^Vital signs^LN\r\
         OBX|1|NM|8480-6^Systolic^LN||{systolic}|mm[Hg]^^UCUM|||||F\r\
         OBX|2|NM|8462-4^Diastolic^LN||{diastolic}|mm[Hg]^^UCUM|||||F\r\
         OBX|3|NM|8867-4^Pulse^LN||{pulse}|/min^^UCUM|||||F\r\
         OBX|4|NM|8310-5^Temperature^LN||{temperature:.1}|Cel^^UCUM|||||F\r",
        std::process::id(),
        resident::code(nth)
    )
}
