//! The technician's verbs, against devices that are not ours.

use std::time::Duration;

use linli_tests::devices::{STORE, counter_on, counter_serial, floods};
use linli_tests::{Cable, Flood, Gateway, Peer, Workspace, free_port, linli};
use serde_json::Value;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn scan_finds_the_units_that_are_there() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let port = free_port()?;
    let _tcp = Peer::tcp(port, 3, 1000).await?;
    let endpoint = format!("127.0.0.1:{port}");
    let output =
        linli(&["scan", "--tcp", &endpoint, "--units", "1-6", "--timeout", "100ms", "--json"]).await?;
    let reported: Value = serde_json::from_slice(&output.stdout)?;
    // pymodbus answers for units it does not have, with an exception.
    let answering = reported.as_array().into_iter().flatten().filter(|found| found["answer"] == "answers");
    let units: Vec<u64> = answering.filter_map(|found| found["unit"].as_u64()).collect();
    assert_eq!(units, [1, 2, 3], "{reported}");

    let cable = Cable::connect(&workspace).await?;
    let _bus = Peer::bus_of_thirty(&cable.server, 19_200, &["--dead", "2", "--babbling", "4"]).await?;
    let serial = cable.gateway.to_string_lossy().into_owned();
    let output =
        linli(&["scan", "--port", &serial, "--baud", "19200", "--units", "1-5", "--timeout", "150ms"])
            .await?;
    let reported = text(&output.stdout);
    assert!(output.status.success(), "{reported}{}", text(&output.stderr));
    for line in
        ["unit   1: answers\n", "unit   3: answers\n", "unit   4: answers damaged", "unit   5: answers\n"]
    {
        assert!(reported.contains(line), "{line:?} is not in\n{reported}");
    }
    assert!(!reported.contains("unit   2"), "{reported}");
    let output = linli(&["scan", "--port", "/dev/nothing-here", "--units", "1-2"]).await?;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/dev/nothing-here"), "{}", text(&output.stderr));
    Ok(())
}

#[tokio::test]
async fn probe_shows_every_point_of_a_live_device() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let cable = Cable::connect(&workspace).await?;
    let _peer = Peer::serial(&cable.server, 1, 50).await?;
    let config = workspace.configure_with("", STORE, &counter_serial("l1", "d1", &cable.gateway, "1s"))?;
    let config = config.to_string_lossy();
    let output = linli(&["probe", "d1", "--json", "--config", &config]).await?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let reported = text(&output.stdout);
    for point in ["counter", "set_point", "limit", "relay"] {
        assert!(reported.contains(point), "{reported}");
    }
    let output = linli(&["probe", "d7", "--config", &config]).await?;
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("d1"), "the devices there are: {}", text(&output.stderr));
    Ok(())
}

/// Listens and says what a server of remote shells says first.
fn remote_shell() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.6\r\n");
            let _ = std::io::Read::read(&mut stream, &mut [0; 64]);
        }
    });
    Ok(port)
}

#[tokio::test]
async fn doctor_names_each_symptom_and_the_option_that_helps() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (cable, over_tcp, closed, no_agent) =
        (Cable::connect(&workspace).await?, free_port()?, free_port()?, free_port()?);
    let _bus = Peer::bus_of_thirty(&cable.server, 19_200, &[]).await?;
    let _server = Peer::rtu_over_tcp(over_tcp, 1, 1000).await?;
    let file = workspace.path("a-file");
    std::fs::write(&file, "")?;
    let tcp = |port: u16| format!("kind = \"modbus_tcp\"\nendpoint = \"127.0.0.1:{port}\"");
    let missing = std::path::Path::new("/dev/serial/by-id/usb-none");
    let mut devices = counter_on("closed", "d1", &tcp(closed), "5s")
        + &counter_on("shell", "d2", &tcp(remote_shell()?), "5s")
        + &counter_on("other", "d3", &tcp(over_tcp), "5s")
        + &counter_serial("missing", "d4", missing, "5s")
        + &counter_serial("file", "d5", &file, "5s")
        + &counter_serial("well", "d6", &cable.gateway, "5s").replace("unit = 1", "unit = 30")
        + "[[device]]\nid = \"d7\"\nline = \"well\"\nunit = 99\nprofile = \"generic/counter\"\n\n";
    devices += &format!(
        "[[line]]\nid = \"agent\"\nkind = \"snmp\"\nhost = \"127.0.0.1:{no_agent}\"\n\n\
         [[device]]\nid = \"d8\"\nline = \"agent\"\nprofile = \"snmp/printer\"\npoll = \"1s\"\n"
    );
    let config = workspace.configure_with("", STORE, &devices)?;
    let config = config.to_string_lossy();
    let output = linli(&["doctor", "--json", "--config", &config]).await?;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let reported: Value = serde_json::from_slice(&output.stdout)?;
    let of = |part: &str| -> Vec<String> {
        let rows = reported.as_array().into_iter().flatten().filter(|row| row["part"] == part);
        rows.filter_map(|row| row["text"].as_str().map(str::to_owned)).collect()
    };
    for (part, english, chinese) in [
        ("line closed", "refuses the connection", "endpoint"),
        ("line shell", "is not Modbus", "不是 Modbus"),
        ("line other", "kind = \"modbus_rtu_over_tcp\"", "帧格式"),
        ("line missing", "/dev/serial/by-id/", "不存在"),
        ("line file", "no serial port", "不是串口"),
        // It has registers, and no relay.
        ("device d6", "refuses relay (illegal function", "型号文件"),
        ("device d7", "unit 1", "站号"),
        ("device d8", "check power, network", "没有应答"),
    ] {
        let told = of(part);
        assert_eq!(told.len(), 1, "{part} once: {reported:#}");
        assert!(told[0].contains(english) && told[0].contains(chinese), "{part}: {}", told[0]);
    }
    assert!(of("line well").is_empty(), "{reported:#}");
    let output = linli(&["doctor", "--no-devices", "--config", &config]).await?;
    assert!(output.status.success(), "{}", text(&output.stdout));
    let output = linli(&["probe", "d3", "--config", &config]).await?;
    assert!(text(&output.stdout).contains("modbus_rtu_over_tcp"), "{}", text(&output.stdout));
    let output = linli(&["check", "--config", &config]).await?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    Ok(())
}

#[tokio::test]
async fn a_backup_taken_while_running_restores_and_doctor_tells_the_state() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let flood = Flood::start().await?;
    let config = workspace.configure_with("", STORE, &floods(&flood, 2, "20ms"))?;
    let data = workspace.path("data");
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    let rows = |s: &Value| s["store"]["rows"][1].as_u64().unwrap_or_default();
    gateway.until("rows", Duration::from_secs(60), |s| rows(s) > 100).await?;
    let copy = workspace.path("copy.db").to_string_lossy().into_owned();
    let output = gateway.verb(&["backup", &copy]).await?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let again = gateway.verb(&["backup", &copy]).await?;
    assert!(!again.status.success(), "a backup is never overwritten");
    let output = gateway.verb(&["doctor", "--json"]).await?;
    assert!(output.status.success(), "{}", text(&output.stdout));
    let reported: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(reported.as_array().map(Vec::len), Some(3), "{reported}");
    gateway.stop().await?;

    for file in ["linli.db", "linli.db-wal", "linli.db-shm"] {
        let _ = std::fs::remove_file(data.join(file));
    }
    std::fs::copy(&copy, data.join("linli.db"))?;
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    gateway.until("the copy's rows are back", Duration::from_secs(60), |s| rows(s) > 100).await?;
    gateway.kill().await?;

    std::fs::write(data.join("linli.db"), b"not a database")?;
    let output = linli(&["doctor", "--config", &config.to_string_lossy()]).await?;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("set"), "{}", text(&output.stdout));
    Ok(())
}

#[tokio::test]
async fn init_gives_a_configuration_that_checks_and_mistakes_are_all_told_at_once() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let dir = workspace.path("centre");
    let at = dir.to_string_lossy().into_owned();
    let output = linli(&["init", &at, "--centre", "c1", "--name", "试验中心"]).await?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let output = linli(&["check", &at]).await?;
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("dead"), "cycle times with dead devices: {}", text(&output.stdout));
    let again = linli(&["init", &at]).await?;
    assert!(!again.status.success(), "init overwrites nothing");

    std::fs::write(
        dir.join("devices.toml"),
        "[[line]]\nid = \"l1\"\nkind = \"modbus_tpc\"\nendpoint = \"127.0.0.1\"\n\n\
         [[device]]\nid = \"D 1\"\nline = \"l2\"\nunit = 300\nprofile = \"xy/md2\"\npol = \"5s\"\n",
    )?;
    let output = linli(&["check", &at]).await?;
    let reported = text(&output.stderr) + &text(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{reported}");
    for part in ["modbus_tcp", "poll", "l1", "devices.toml:3", "devices.toml:7"] {
        assert!(reported.contains(part), "{part} is not in\n{reported}");
    }
    let output = linli(&["schema"]).await?;
    serde_json::from_slice::<Value>(&output.stdout)?;
    let output = linli(&["devices", "xy/md02", "--zh"]).await?;
    assert!(text(&output.stdout).contains("温湿度"), "{}", text(&output.stdout));
    Ok(())
}
