//! One dead, one slow and one babbling device on a line of thirty: the others hardly notice.

use std::fmt::Write;
use std::time::Duration;

use linli_tests::devices::STORE;
use linli_tests::{Cable, Gateway, Peer, Stage, device};
use serde_json::Value;

/// Reads per unit within the time given, once the line has settled.
async fn rates(faults: &[&str]) -> anyhow::Result<Vec<u64>> {
    let stage = Stage::new()?;
    let cable = Cable::lay(&stage).await?;
    let _bus = Peer::bus_of_thirty(&cable.server, 38_400, faults).await?;
    let mut devices = format!(
        "[[line]]\nid = \"bus\"\nkind = \"modbus_rtu\"\nport = \"{}\"\nbaud = 38400\ntimeout = \"200ms\"\n\n",
        cable.gateway.display()
    );
    for unit in 1..=30 {
        let _ = write!(
            devices,
            "[[device]]\nid = \"u{unit}\"\nline = \"bus\"\nunit = {unit}\nprofile = \"generic/words\"\npoll = \"700ms\"\n\n"
        );
    }
    let config = stage.configure_with("", STORE, &devices)?;
    std::fs::create_dir_all(config.join("devices/generic"))?;
    std::fs::write(config.join("devices/generic/words.toml"), WORDS)?;
    let mut gateway = Gateway::start(&config, &stage.path("data")).await?;
    gateway.answering().await?;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let ok = |status: &Value, unit: usize| {
        device(status, &format!("u{unit}")).and_then(|d| d["ok"].as_u64()).unwrap_or_default()
    };
    let begin: Value = serde_json::from_str(&gateway.get("/api/v1/status")?)?;
    tokio::time::sleep(Duration::from_secs(15)).await;
    let end: Value = serde_json::from_str(&gateway.get("/api/v1/status")?)?;
    gateway.stop().await?;
    Ok((1..=30).map(|unit| ok(&end, unit) - ok(&begin, unit)).collect())
}

const WORDS: &str = r#"vendor = "generic"
model = "words"
title = "Four words"
title_zh = "四个寄存器"
source = "the simulator of this test"

[[point]]
name = "w"
repeat = 4
holding = 0
type = "u16"
unit = "1"

[[test]]
holding = { 0 = "0001 0002 0003 0004" }
expect = { w-1 = 1, w-2 = 2, w-3 = 3, w-4 = 4 }
"#;

#[tokio::test]
async fn the_living_keep_nine_tenths_of_their_rate() -> anyhow::Result<()> {
    let healthy = rates(&[]).await?;
    assert!(healthy.iter().all(|reads| *reads > 5), "{healthy:?}");
    let faulty = rates(&["--dead", "10", "--slow", "20", "--babbling", "30"]).await?;
    println!("reads in 15 s, all well {healthy:?}\nreads in 15 s, faulty   {faulty:?}");
    for unit in (1..=30).filter(|unit| ![10, 20, 30].contains(unit)) {
        let (before, after) = (healthy[unit - 1], faulty[unit - 1]);
        assert!(after * 10 >= before * 9, "unit {unit}: {after} of {before} reads");
    }
    assert_eq!([faulty[9], faulty[19], faulty[29]], [0, 0, 0], "the faulty ones give no value");
    Ok(())
}
