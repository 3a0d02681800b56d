//! What the README promises of the demonstration.

use std::process::Stdio;
use std::time::Duration;

use linli_tests::{Stage, binary, eventually, free_port, tool};

#[tokio::test]
async fn the_demo_runs_a_whole_centre_and_leaves_nothing_behind() -> anyhow::Result<()> {
    let stage = Stage::new()?;
    let (port, temporary) = (free_port()?, stage.path("tmp"));
    std::fs::create_dir_all(&temporary)?;
    let heard = stage.path("heard");
    let mut demo = tokio::process::Command::new(binary()?)
        .args(["demo", "--for", "16s", "--mqtt-port", &port.to_string(), "--fault", "dead-meter"])
        .env("TMPDIR", &temporary)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(stage.path("table"))?)
        .kill_on_drop(true)
        .spawn()?;
    eventually("the broker listens", Duration::from_secs(10), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await?;
    let _subscriber = tokio::process::Command::new(tool("mosquitto_sub", "mosquitto-clients")?)
        .args(["-p", &port.to_string(), "-t", "linli/#", "-q", "1", "-v"])
        .stdout(std::fs::File::create(&heard)?)
        .kill_on_drop(true)
        .spawn()?;
    let status = tokio::time::timeout(Duration::from_secs(30), demo.wait()).await??;
    assert!(status.success(), "{status}");
    let heard = std::fs::read_to_string(&heard)?;
    for part in [
        "/data/fridge-1 ",
        "/data/reading-air ",
        "/vital/oximeter ",
        "/vital/monitor ",
        "/meta/fridge-1 ",
        "/status ",
    ] {
        assert!(
            heard.contains(part),
            "{part} was not heard:\n{}",
            heard.chars().take(2000).collect::<String>()
        );
    }
    let table = std::fs::read_to_string(stage.path("table"))?;
    assert!(table.contains("一号冰箱") || table.contains("fridge-1"), "{table}");
    let left: Vec<_> = std::fs::read_dir(&temporary)?.flatten().map(|e| e.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}
