//! The alerting rules and the dashboards against the real gateway: Debian's Prometheus scrapes it over TLS with the
//! project's configuration.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use linli_tests::prometheus::{PATIENCE, Prometheus, check_metrics, project};
use linli_tests::scene::Scene;
use linli_tests::{Gateway, eventually, free_port};
use serde_json::Value;

/// What stands for the variables of the dashboards; longer names first.
const VARIABLES: [(&str, &str); 6] = [
    ("$__rate_interval", "1m"),
    ("$__range", "1h"),
    ("$centre", "xinghe"),
    ("$device", ".*"),
    ("$line", ".*"),
    ("$room", ".*"),
];

/// A centre whose gateway listens off loopback, and what it answers there.
struct Bench {
    scene: Scene,
    gateway: Gateway,
    prometheus: Prometheus,
}

/// An expression and the panel or variable that asks it.
struct Asked {
    place: String,
    expression: String,
    /// The label whose values a variable has.
    label: Option<String>,
}

// === impl Bench ===

impl Bench {
    /// Starts everything. The other centre of the example is named by its configuration, and nobody is there.
    async fn start() -> anyhow::Result<Self> {
        let scene = Scene::new().await?;
        let port = free_port()?;
        let file = scene.centre.config.join("gateway.toml");
        let text = std::fs::read_to_string(&file)?;
        let loopback = "listen = \"127.0.0.1:0\"";
        ensure!(text.contains(loopback), "{text}");
        let open = format!("listen = \"0.0.0.0:{port}\"\nopen_to_network = true");
        std::fs::write(&file, text.replace(loopback, &open))?;
        let gateway = scene.start(&[]).await?;
        let folder = scene.centre.workspace.path("prometheus");
        std::fs::create_dir_all(&folder)?;
        let authority = gateway.verb(&["tls", "show", "--authority"]).await?;
        ensure!(authority.status.success(), "{}", String::from_utf8_lossy(&authority.stderr));
        for name in ["xinghe-ca.pem", "bihu-ca.pem"] {
            std::fs::write(folder.join(name), &authority.stdout)?;
        }
        let replaced = [
            ("gateway.xinghe.example.org:8443", format!("localhost:{port}")),
            ("gateway.bihu.example.org:8443", format!("localhost:{}", free_port()?)),
            ("scrape_interval: 30s", "scrape_interval: 1s".to_owned()),
            ("scrape_timeout: 10s", "scrape_timeout: 1s".to_owned()),
            ("evaluation_interval: 30s", "evaluation_interval: 1s".to_owned()),
            ("[\"127.0.0.1:9093\"]", "[]".to_owned()),
        ];
        let prometheus = Prometheus::start(&folder, &replaced).await?;
        Ok(Self { scene, gateway, prometheus })
    }
}

/// Every rule was evaluated without an error. Returns their expressions.
async fn rules(prometheus: &Prometheus) -> anyhow::Result<Vec<Asked>> {
    let rules = || -> anyhow::Result<Vec<Value>> {
        let data = prometheus.get("/api/v1/rules")?;
        let groups = data["groups"].as_array().context("no groups")?;
        Ok(groups.iter().filter_map(|group| group["rules"].as_array()).flatten().cloned().collect())
    };
    let are_evaluated = || {
        rules().is_ok_and(|rules| !rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown"))
    };
    eventually("every rule was evaluated", PATIENCE, are_evaluated).await?;
    let mut asked = Vec::new();
    for rule in rules()? {
        ensure!(rule["health"] == "ok", "{rule}");
        let text = |key: &str| rule[key].as_str().map(str::to_owned).context("no text");
        asked.push(Asked { place: text("name")?, expression: text("query")?, label: None });
    }
    Ok(asked)
}

/// Every expression of every dashboard.
fn dashboards() -> anyhow::Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for file in std::fs::read_dir(project("dashboards/grafana/dashboards"))? {
        let board: Value = serde_json::from_str(&std::fs::read_to_string(file?.path())?)?;
        let title = &board["title"];
        let mut add = |place: &Value, expression: &str, label: Option<&str>| {
            let filled = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
            let expression = VARIABLES.iter().fold(expression.to_owned(), filled);
            asked.push(Asked {
                place: format!("{title} {place}"),
                expression,
                label: label.map(str::to_owned),
            });
        };
        for panel in board["panels"].as_array().context("no panels")? {
            for target in panel["targets"].as_array().into_iter().flatten() {
                add(&panel["title"], target["expr"].as_str().context("no expression")?, None);
            }
        }
        for variable in board["templating"]["list"].as_array().context("no variables")? {
            let Some(query) = variable["query"]["query"].as_str() else { continue };
            let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
            let (metric, label) =
                inner.and_then(|inner| inner.rsplit_once(", ")).context("no label_values")?;
            add(&variable["name"], metric, Some(label));
        }
    }
    ensure!(asked.len() > 100, "{} expressions", asked.len());
    Ok(asked)
}

/// Names of the gateway's metrics in an expression.
fn names(expression: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split(|c| !is_word(c)).filter(|word| word.starts_with("linli_"));
    words.map(str::to_owned).collect()
}

/// What the sources and the pages of metrics name.
fn documented() -> anyhow::Result<(String, String)> {
    let source = ["gateway/web/src/metrics/mod.rs", "gateway/web/src/metrics/mode.rs"];
    let pages = ["docs/metrics.md", "docs/mode.md"];
    let text = |files: [&str; 2]| -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(project(files[0]))? + &std::fs::read_to_string(project(files[1]))?)
    };
    Ok((text(source)?, text(pages)?))
}

#[tokio::test]
async fn every_expression_of_rules_and_dashboards_is_about_what_the_gateway_answers() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let prometheus = &bench.prometheus;
    prometheus.until("up{job=\"linli/xinghe\",centre=\"xinghe\"} == 1", true).await?;
    check_metrics(&bench.gateway.get("/metrics")?).await?;
    let mut asked = rules(prometheus).await?;
    let rules = asked.len();
    asked.extend(dashboards()?);
    // Rates need two scrapes.
    prometheus.until("rate(linli_values_read_total[1m])", true).await?;
    let scraped = prometheus.get("/api/v1/label/__name__/values")?;
    let scraped: BTreeSet<&str> =
        scraped.as_array().context("no names")?.iter().filter_map(Value::as_str).collect();
    let (source, pages) = documented()?;
    let mut wrong = Vec::new();
    for (nth, Asked { place, expression, label }) in asked.iter().enumerate() {
        let (there, absent): (Vec<String>, Vec<String>) =
            names(expression).into_iter().partition(|name| scraped.contains(name.as_str()));
        for name in &absent {
            // Of a part that this centre does not have now: it is in the source and in the documents all the same.
            let short = name.trim_start_matches("linli_mode");
            if !source.contains(&format!("\"{name}\"")) || !pages.contains(short) {
                wrong.push(format!("{place}: nobody answers {name}"));
            }
        }
        match prometheus.query(expression) {
            Err(error) => wrong.push(format!("{place}: {error:#}")),
            // Rules are silent while all is well; a panel shows what there is.
            Ok(series) if series.is_empty() && nth >= rules && absent.is_empty() && !there.is_empty() => {
                wrong.push(format!("{place}: shows nothing: {expression}"));
            }
            Ok(series) => {
                let has = |label: &String| series.iter().all(|one| one["metric"][label].is_string());
                if label.as_ref().is_some_and(|label| !has(label)) {
                    wrong.push(format!("{place}: {expression} has no such label"));
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "{} of {} expressions:\n{}", wrong.len(), asked.len(), wrong.join("\n"));
    bench.gateway.stop().await
}

#[tokio::test]
async fn what_fails_is_heard_of_and_what_is_mended_is_heard_no_more() -> anyhow::Result<()> {
    let Bench { mut scene, gateway, prometheus } = Bench::start().await?;
    let silent = "centre=\"xinghe\",line=\"panel\",device=\"hot-holding\"";
    prometheus.fires("LinliGatewayDown", "centre=\"bihu\"", true).await?;
    prometheus.until("up{centre=\"xinghe\"} == 1 and linli_ready == 1", true).await?;
    rules(&prometheus).await?;
    prometheus.fires("LinliGatewayDown", "centre=\"xinghe\"", false).await?;
    prometheus.fires("LinliDeviceSilent", silent, false).await?;
    // A kiosk that has not reported.
    prometheus.fires("LinliKioskUnavailable", "centre=\"xinghe\",device=\"k1\"", true).await?;
    scene.kiosk_reports()?;
    prometheus.fires("LinliKioskUnavailable", "centre=\"xinghe\",device=\"k1\"", false).await?;
    // The controller keeps its connection and answers no more.
    scene.room.signal("-STOP").await?;
    prometheus.fires("LinliDeviceSilent", silent, true).await?;
    let alerts = prometheus.get("/api/v1/alerts")?;
    let alert = alerts["alerts"].as_array().into_iter().flatten().find(|alert| {
        alert["labels"]["alertname"] == "LinliDeviceSilent" && alert["labels"]["device"] == "hot-holding"
    });
    let summary = alert.and_then(|alert| alert["annotations"]["summary"].as_str()).context("no summary")?;
    assert_eq!(summary, "xinghe：设备 hot-holding 没有应答。xinghe: device hot-holding does not answer.");
    scene.room.signal("-CONT").await?;
    prometheus.fires("LinliDeviceSilent", silent, false).await?;
    // The district's broker is gone, then the gateway itself.
    prometheus.until("linli_uplink_connected == 1", true).await?;
    scene.broker.end().await?;
    prometheus.fires("LinliUplinkCut", "centre=\"xinghe\"", true).await?;
    gateway.stop().await?;
    prometheus.fires("LinliGatewayDown", "centre=\"xinghe\"", true).await
}
