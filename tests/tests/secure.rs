//! TLS with our own authority, client certificates, both protocol versions, against mosquitto.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use linli_tests::devices::{STORE, floods};
use linli_tests::{Broker, Flood, Gateway, Proof, Workspace, eventually, tool};

/// An authority, a broker's certificate for this machine, and one for the gateway.
async fn certificates(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir)?;
    let openssl = tool("openssl", "openssl")?;
    let run = async |arguments: &str| -> anyhow::Result<()> {
        let mut command = tokio::process::Command::new(&openssl);
        command.args(arguments.split(' ')).current_dir(dir).stdout(Stdio::null()).stderr(Stdio::null());
        anyhow::ensure!(command.status().await?.success(), "openssl {arguments}");
        Ok(())
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    run(&format!("req -x509 {key} -days 30 -subj /CN=authority -keyout ca.key -out ca.pem")).await?;
    for (name, extension) in
        [("broker", "subjectAltName=IP:127.0.0.1"), ("gateway", "basicConstraints=CA:FALSE")]
    {
        std::fs::write(dir.join("extension"), extension)?;
        run(&format!("req -new {key} -subj /CN={name} -keyout {name}.key -out {name}.csr")).await?;
        run(&format!(
            "x509 -req -days 30 -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile extension -out {name}.pem"
        ))
        .await?;
    }
    Ok(())
}

async fn delivers(version: &str, with_certificate: bool) -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let certs = workspace.path("certs");
    certificates(&certs).await?;
    let broker = Broker::start_tls(&workspace, &certs).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let flood = Flood::start().await?;
    let file = |name: &str| certs.join(name).display().to_string();
    let mut mqtt = format!(
        "[mqtt]\nurl = \"mqtts://127.0.0.1:{}\"\nversion = \"{version}\"\n[mqtt.tls]\nca = \"{}\"\n",
        broker.tls_port,
        file("ca.pem")
    );
    if with_certificate {
        mqtt += &format!("cert = \"{}\"\nkey = \"{}\"\n", file("gateway.pem"), file("gateway.key"));
    }
    let config = workspace.configure_with(&mqtt, STORE, &floods(&flood, 1, "50ms"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    if !with_certificate {
        gateway
            .until("it is refused", Duration::from_secs(60), |s| s["uplink"]["last_error"].is_string())
            .await?;
        gateway.stop().await?;
        assert!(subscriber.received()?.is_empty(), "nothing passes without a certificate");
        return Ok(());
    }
    gateway.until("it is connected", Duration::from_secs(60), |s| s["uplink"]["connected"] == true).await?;
    let has_data = || {
        let received = subscriber.received().unwrap_or_default();
        received.iter().filter(|message| message.topic.contains("/data/")).count() > 5
    };
    eventually("values arrive", Duration::from_secs(60), has_data).await?;
    gateway.stop().await?;
    let farewell = || {
        let received = subscriber.received().unwrap_or_default();
        let last = received.iter().rfind(|message| message.topic.ends_with("/status"));
        last.is_some_and(|message| message.payload["online"] == false)
    };
    eventually("the farewell arrives", Duration::from_secs(60), farewell).await?;
    let received = subscriber.settled().await?;
    let status: Vec<_> = received.iter().filter(|m| m.topic.ends_with("/status")).collect();
    assert_eq!(status.first().map(|m| &m.payload["online"]), Some(&true.into()), "birth");
    assert_eq!(status.last().map(|m| &m.payload["online"]), Some(&false.into()), "farewell");
    assert!(received.iter().any(|m| m.topic.ends_with("/meta/d0")));
    Proof::of(&received).nothing_is_missing()
}

#[tokio::test]
async fn mqtt_5_over_mutual_tls() -> anyhow::Result<()> {
    delivers("5", true).await
}

#[tokio::test]
async fn mqtt_3_1_1_over_mutual_tls() -> anyhow::Result<()> {
    delivers("3.1.1", true).await
}

#[tokio::test]
async fn a_broker_that_wants_a_certificate_gets_nothing_without() -> anyhow::Result<()> {
    delivers("5", false).await
}

#[tokio::test]
async fn the_last_will_tells_of_a_gateway_that_was_killed() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let flood = Flood::start().await?;
    let config = workspace.configure(broker.port, STORE, &floods(&flood, 1, "50ms"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    gateway.until("it is connected", Duration::from_secs(60), |s| s["uplink"]["connected"] == true).await?;
    gateway.kill().await?;
    linli_tests::eventually("the will", Duration::from_secs(60), || {
        let received = subscriber.received().unwrap_or_default();
        received.iter().any(|m| m.topic.ends_with("/status") && m.payload["online"] == false)
    })
    .await
}
