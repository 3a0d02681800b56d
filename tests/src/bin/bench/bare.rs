//! The simple things linli is compared with, each in a process of its own.

use std::time::Duration;

use anyhow::Context;
use mqtt_v311::{AsyncClient, Event, MqttOptions, Packet, PublishOptions};
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval};
use tokio_modbus::client::{Reader, tcp};

/// Starts one of them.
pub fn spawn(arguments: &[String]) -> anyhow::Result<Child> {
    Ok(Command::new(std::env::current_exe()?).args(arguments).kill_on_drop(true).spawn()?)
}

/// `bare-tcp ADDRESS LINES MS`: reads 125 registers per line and period with `tokio-modbus`, and
/// throws them away. For ever.
pub async fn tcp(arguments: &[&str]) -> anyhow::Result<()> {
    let [address, lines, period] = arguments else { anyhow::bail!("bare-tcp ADDRESS LINES MS") };
    let (address, period) = (address.parse()?, Duration::from_millis(period.parse()?));
    let mut tasks = Vec::new();
    for _ in 0..lines.parse::<usize>()? {
        tasks.push(tokio::spawn(async move {
            let mut client = tcp::connect(address).await?;
            let mut due = interval(period);
            loop {
                due.tick().await;
                std::hint::black_box(client.read_input_registers(0, 125).await??);
            }
            #[expect(unreachable_code, reason = "names the error's type")]
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// `bare-mqtt PORT COUNT BYTES`: publishes that many messages at QoS 1, 128 in flight, and prints
/// the seconds until the last acknowledgement.
pub async fn mqtt(arguments: &[&str]) -> anyhow::Result<()> {
    let [port, count, bytes] = arguments else { anyhow::bail!("bare-mqtt PORT COUNT BYTES") };
    let (count, bytes): (usize, usize) = (count.parse()?, bytes.parse()?);
    let mut options = MqttOptions::new("bare", ("127.0.0.1", port.parse::<u16>()?));
    options.set_inflight(128);
    let (client, mut events) = AsyncClient::builder(options).capacity(512).build();
    let payload = vec![b'x'; bytes];
    tokio::spawn(async move {
        for _ in 0..count {
            if client.publish("bare/data", payload.clone(), PublishOptions::at_least_once()).await.is_err() {
                return;
            }
        }
        // The connection stays open until the process ends.
        std::future::pending::<()>().await;
    });
    let (mut acknowledged, mut began) = (0, Instant::now());
    while acknowledged < count {
        match events.poll().await.context("the broker is gone")? {
            Event::Incoming(Packet::ConnAck(_)) => began = Instant::now(),
            Event::Incoming(Packet::PubAck(_)) => acknowledged += 1,
            _ => {}
        }
    }
    println!("{}", began.elapsed().as_secs_f64());
    Ok(())
}
