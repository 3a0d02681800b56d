//! A pseudo-terminal pair as an RS-485 cable that can be noisy or cut.

use std::time::Duration;

use serialport::SerialPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio_serial::SerialStream;

use super::faults::{Fault, Faults};

/// Number of frames between two bursts of noise.
const NOISE_EVERY: u32 = 7;

/// Bytes of a burst: some begin like frames, some do not.
const NOISE: [u8; 6] = [0xFF, 0x01, 0x04, 0x00, 0xAA, 0x03];

/// A cable between a server's port and the path that the gateway opens.
pub struct Cable {
    /// The end of the server.
    pub server: SerialStream,
    /// Path of the end that the gateway opens.
    pub path: String,
}

/// Opens the pair and spawns the task that copies bytes. Faults of the bus apply only if `is_faulty`.
pub fn lay(faults: &Faults, is_faulty: bool, tasks: &mut JoinSet<()>) -> anyhow::Result<Cable> {
    let (server, near) = SerialStream::pair()?;
    let (far, gateway) = SerialStream::pair()?;
    let Some(path) = gateway.name() else { anyhow::bail!("a pseudo-terminal without a name") };
    let faults = faults.clone();
    tasks.spawn(async move {
        // Held open, never read: otherwise the terminal would hang up whenever the gateway closes it.
        let _gateway = gateway;
        carry(near, far, &faults, is_faulty).await;
    });
    Ok(Cable { server, path })
}

async fn carry(mut near: SerialStream, mut far: SerialStream, faults: &Faults, is_faulty: bool) {
    let (mut from_server, mut from_gateway) = ([0_u8; 512], [0_u8; 512]);
    let mut frames = 0_u32;
    loop {
        let carried = tokio::select! {
            count = near.read(&mut from_server) => match count {
                Ok(count) if count > 0 && !(is_faulty && faults.is_on(Fault::CableCut)) => {
                    frames = frames.wrapping_add(1);
                    if is_faulty && faults.is_on(Fault::LineNoise) && frames.is_multiple_of(NOISE_EVERY) {
                        let _ = far.write_all(&NOISE).await;
                    }
                    far.write_all(&from_server[..count]).await
                }
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            },
            count = far.read(&mut from_gateway) => match count {
                Ok(count) if count > 0 && !(is_faulty && faults.is_on(Fault::CableCut)) => {
                    near.write_all(&from_gateway[..count]).await
                }
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            },
        };
        if carried.is_err() {
            // The other end of the pseudo-terminal is closed for a moment: wait for it.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
