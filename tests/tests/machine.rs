//! What the gateway leaves on the machine: for its own user alone, and nothing of a device that acts on a terminal.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use linli_tests::devices::STORE;
use linli_tests::{Gateway, Workspace, eventually, free_port, http, linli};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

const TOKEN: &str = "kiosk-token-for-tests-0123456789";

fn mode(path: &Path) -> anyhow::Result<u32> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o777)
}

fn close(path: &Path, mode: u32) -> anyhow::Result<()> {
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?)
}

#[tokio::test]
async fn the_state_directory_is_for_the_gateway_alone() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let config = workspace.configure_with("", STORE, "")?;
    let data = workspace.path("data");
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    assert_eq!(mode(&data)?, 0o700);
    for entry in std::fs::read_dir(&data)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let expected = if kind.is_dir() { 0o700 } else { 0o600 };
        if kind.is_file() || kind.is_dir() {
            assert_eq!(mode(&entry.path())?, expected, "{}", entry.path().display());
        }
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.pid()))?;
    assert!(limits.contains("Max core file size"), "{limits}");
    let copy = workspace.path("copy.db");
    let made = gateway.verb(&["backup", &copy.display().to_string()]).await?;
    assert!(made.status.success());
    assert_eq!(mode(&copy)?, 0o600);
    gateway.stop().await?;
    for (path, wide, narrow) in [
        (data.clone(), 0o755, 0o700),
        (data.join("linli.db"), 0o644, 0o600),
        (data.join("linli.db"), 0o660, 0o600),
    ] {
        close(&path, wide)?;
        let run = linli(&["run", "--config", &config.display().to_string()]).await?;
        let told = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(!run.status.success());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let words = format!("run `chmod {narrow:o} ");
        assert!(told.contains(&words) && told.contains(&format!("{name}`")), "{told}");
        close(&path, narrow)?;
    }
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    gateway.stop().await
}

#[tokio::test]
async fn the_control_socket_goes_where_the_service_manager_says() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let config = workspace.configure_with("", STORE, "")?;
    let (data, runtime) = (workspace.path("data"), workspace.path("run"));
    std::fs::create_dir(&runtime)?;
    close(&runtime, 0o750)?;
    let variable = format!("RUNTIME_DIRECTORY={}", runtime.display());
    let mut gateway = Gateway::start_under(&["env", &variable], &config, &data).await?;
    gateway.answering().await?;
    assert_eq!(mode(&runtime.join("control.sock"))?, 0o660, "members of the group may use it");
    assert_eq!(mode(&data)?, 0o700, "and not enter the state directory");
    let shown = gateway.verb(&["alarms", "list"]).await?;
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    gateway.stop().await?;
    // The link that is left keeps nobody from starting without the service manager.
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    gateway.stop().await
}

#[tokio::test]
async fn texts_of_devices_act_on_nothing() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let port = free_port()?;
    let devices = format!(
        "[[line]]\nid = \"k\"\nkind = \"kiosk_http\"\nlisten = \"127.0.0.1:{port}\"\n\n[[device]]\nid = \"k1\"\nline = \"k\"\n\
         token = \"file:k1.token\"\nprofile = \"kiosk/terminal\"\nclass = \"kiosk\"\npoll = \"60s\"\n"
    );
    let config = workspace.configure_with("", STORE, &devices)?;
    std::fs::write(config.join("k1.token"), TOKEN)?;
    close(&config.join("k1.token"), 0o600)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let head = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n");
    let body =
        "{\"boot\":\"b1\",\"seq\":1,\"parts\":{},\"version\":\"2.4\\u001b[2J\\u202e\\u0007.1\\r\\nroot\"}";
    let reports = || {
        let stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
        http::ask(stream, "POST", "/kiosk/v1/k1/report", &head, body).ok().map(|(status, _)| status)
    };
    eventually("it is taken", PATIENCE, || reports() == Some(200)).await?;
    // It is shown a moment after it was taken.
    let version = || {
        let shown: Value = serde_json::from_str(&gateway.get("/api/v1/devices/k1").ok()?).ok()?;
        let point = shown["points"].as_array()?.iter().find(|point| point["point"] == "version")?.clone();
        point["value"].as_str().map(str::to_owned)
    };
    eventually("it is shown", PATIENCE, || version().is_some()).await?;
    assert_eq!(version().as_deref(), Some("2.4[2J.1  root"));
    gateway.stop().await
}
