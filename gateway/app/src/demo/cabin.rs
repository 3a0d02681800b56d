//! The health cabin: residents come, put a finger into the oximeter, have their blood pressure
//! taken by a monitor that speaks HL7. Byte for byte what the real devices send.

use std::net::SocketAddr;
use std::time::Duration;

use linli_drivers::health::hl7::mllp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

use super::cable;
use super::faults::{Fault, Faults};
use super::resident::Resident;

/// The oximeter sends sixty frames a second; three at a time keep the demonstration light.
const FRAMES: Duration = Duration::from_millis(50);
const FRAMES_AT_ONCE: usize = 3;

/// How long a resident stays, and how much of it the finger is in.
const VISIT: Duration = Duration::from_secs(20);
const FINGER_IN: Duration = Duration::from_secs(12);

/// An oximeter's frame while nobody's finger is in.
const FINGER_OUT: [u8; 5] = [0x90, 0x00, 0x20, 0x7F, 0x7F];

/// Plugs in an oximeter; gives the path of its port.
pub fn oximeter(seed: u64, faults: &Faults, tasks: &mut JoinSet<()>) -> anyhow::Result<String> {
    let mut cable = cable::lay(faults, false, tasks)?;
    let faults = faults.clone();
    tasks.spawn(async move {
        let (began, mut beat) = (Instant::now(), interval(FRAMES));
        loop {
            beat.tick().await;
            let stayed = Duration::from_secs_f64(began.elapsed().as_secs_f64() % VISIT.as_secs_f64());
            let is_in = stayed < FINGER_IN && !faults.is_on(Fault::FingerOut);
            let frame = if is_in { frame(resident(seed, began), stayed) } else { FINGER_OUT };
            let _ = cable.server.write_all(&frame.repeat(FRAMES_AT_ONCE)).await;
        }
    });
    Ok(cable.path)
}

/// Connects a monitor that measures each resident's blood pressure and temperature.
pub fn monitor(seed: u64, gateway: SocketAddr, tasks: &mut JoinSet<()>) {
    tasks.spawn(async move {
        let (began, mut number) = (Instant::now(), 0_u32);
        loop {
            sleep(Duration::from_secs(2)).await;
            let Ok(mut stream) = TcpStream::connect(gateway).await else { continue };
            loop {
                number += 1;
                let message = message(number, resident(seed, began));
                if stream.write_all(&mllp::frame(message.as_bytes())).await.is_err() {
                    break;
                }
                let mut answer = [0; 512];
                if !matches!(stream.read(&mut answer).await, Ok(1..)) {
                    break;
                }
                sleep(VISIT).await;
            }
        }
    });
}

fn resident(seed: u64, began: Instant) -> Resident {
    Resident::nth(seed, began.elapsed().as_secs() / VISIT.as_secs())
}

/// One frame: status with signal strength, pulse wave, bar, pulse rate, saturation.
fn frame(resident: Resident, stayed: Duration) -> [u8; 5] {
    let pulse = resident.pulse;
    let phase = stayed.as_secs_f64() * f64::from(pulse) / 60.0 % 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a height of 0 to 127")]
    let wave = (phase * 127.0) as u8;
    [0x86, wave & 0x7F, pulse >> 1 & 0x40 | 0x05, pulse & 0x7F, resident.saturation & 0x7F]
}

fn message(number: u32, resident: Resident) -> String {
    let Resident { systolic, diastolic, pulse, temperature, .. } = resident;
    format!(
        "MSH|^~\\&|MONITOR|CABIN|GW|CENTRE|||ORU^R01^ORU_R01|DEMO-{}-{number}|P|2.6|||||||UNICODE UTF-8\r\
         OBR|1|||85353-1^Vital signs^LN\r\
         OBX|1|NM|8480-6^Systolic^LN||{systolic}|mm[Hg]^^UCUM|||||F\r\
         OBX|2|NM|8462-4^Diastolic^LN||{diastolic}|mm[Hg]^^UCUM|||||F\r\
         OBX|3|NM|8867-4^Pulse^LN||{pulse}|/min^^UCUM|||||F\r\
         OBX|4|NM|8310-5^Temperature^LN||{temperature:.1}|Cel^^UCUM|||||F\r",
        std::process::id()
    )
}
