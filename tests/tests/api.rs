//! The OpenAPI document against the gateway: every golden answer is one that it describes, and schemathesis, which we
//! did not write, sends what it allows and what it forbids: as an account with every role, as a program, as nobody.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::log_in::EVERY_ROLE;
use linli_tests::scene::Scene;
use linli_tests::{Gateway, Workspace, golden, python};
use serde_json::{Value, json};

/// Examples of each operation; `LINLI_EXAMPLES` for more.
const EXAMPLES: &str = "20";

/// Chooses the examples: a fault that is found once is found again. `LINLI_SEED` chooses others.
const SEED: &str = "1";

/// Longest run, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(400);

/// What schemathesis looks at. `positive_data_acceptance` is not among it: much that the document allows is refused
/// for what the centre is, such as a room that it has not (422), or a plan that is not under way (409).
const CHECKS: [&str; 9] = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
];

/// Operations that it leaves out, and why.
const LEFT_OUT: [(&str, &str); 2] = [
    ("get_events", "it has no end"),
    ("get_lines_line_scan", "it takes as long as 247 units that do not answer"),
];

/// Those that it leaves out when it is logged in.
const LEFT_OUT_LOGGED_IN: [(&str, &str); 3] = [
    ("delete_session", "it ends the log-in with which everything else is asked"),
    (
        "post_users_account_reset",
        "so does this: it takes ids that it was answered; see the test with a token",
    ),
    ("post_users_account_disable", "so does this"),
];

#[test]
fn every_golden_answer_is_one_of_the_document() -> anyhow::Result<()> {
    let mut answers = Vec::new();
    for name in golden::names("http")? {
        let kept = golden::kept("http", &name)?;
        let kept: Value = serde_json::from_str(&kept).with_context(|| name.clone())?;
        let path = kept["path"].as_str().context("no path")?;
        if !path.starts_with("/api/") {
            continue;
        }
        for who in ["anyone", "display", "worker", "control"] {
            // "as worker" says that the answer is the same; a stream has no whole answer.
            let Some(status) = kept[who]["status"].as_u64() else { continue };
            answers.push(json!({
                "name": format!("{name} as {who}"), "method": kept["method"], "path": path, "status": status,
                "kind": kept[who]["content-type"], "body": filled(kept[who]["body"].clone()),
            }));
        }
    }
    ensure!(answers.len() > 100, "{} answers", answers.len());
    let workspace = Workspace::new()?;
    let document = workspace.path("openapi.json");
    std::fs::write(&document, linli_web::openapi::document().to_string())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/openapi_check.py");
    let mut check = std::process::Command::new(python()?);
    let mut check = check.arg(script).arg(document).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    check.stdin.take().context("no input")?.write_all(Value::from(answers).to_string().as_bytes())?;
    let output = check.wait_with_output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

/// A golden body with values in place of what stands for them.
fn filled(body: Value) -> Value {
    match body {
        Value::String(text) => match text.as_str() {
            "<number>" => json!(1),
            "<moment>" => json!(1_795_428_000_000_i64),
            "<date>" => json!("2026-11-24"),
            _ => json!(text),
        },
        Value::Array(all) => all.into_iter().map(filled).collect(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, filled(value))).collect(),
        same => same,
    }
}

#[tokio::test]
async fn schemathesis_finds_no_fault_with_a_log_in_that_may_everything() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let gateway = scene.start(&[]).await?;
    scene.visit(&gateway, "A1").await?;
    scene.documents(&gateway).await?;
    let web = gateway.web().await?;
    let cookie = gateway.log_in_at(&web, "zhao", &EVERY_ROLE)?;
    let left_out: Vec<&str> = LEFT_OUT.iter().chain(&LEFT_OUT_LOGGED_IN).map(|(name, _)| *name).collect();
    schemathesis(&gateway, &web, Some(&format!("Cookie: {cookie}")), &without(&left_out)).await?;
    // The log-in is still one: whatever was found was found with it.
    let answer = linli_tests::http::request(
        std::net::TcpStream::connect(&web)?,
        "GET",
        "/api/v1/session",
        &format!("Cookie: {cookie}\r\n"),
        "",
    )?;
    assert_eq!(answer.status, 200, "{answer:?}");
    gateway.stop().await
}

#[tokio::test]
async fn schemathesis_finds_no_fault_without_a_log_in() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let config = workspace.configure_with("", "path = \"../data/linli.db\"", "")?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let web = gateway.web().await?;
    let left_out: Vec<&str> = LEFT_OUT.iter().map(|(name, _)| *name).collect();
    schemathesis(&gateway, &web, None, &without(&left_out)).await?;
    gateway.stop().await
}

/// A program's account is none that can be reset or disabled.
#[tokio::test]
async fn schemathesis_finds_no_fault_in_the_management_of_accounts() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let config = workspace.configure_with("", "path = \"../data/linli.db\"", "")?;
    let (file, token) = (config.join("admin.token"), "5e".repeat(32));
    std::fs::write(&file, &token)?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
    let gateway_file = std::fs::read_to_string(config.join("gateway.toml"))?;
    let worker = "\n[[worker]]\nname = \"admin\"\ntoken = \"file:admin.token\"\nroles = [\"admin\"]\n";
    std::fs::write(config.join("gateway.toml"), gateway_file + worker)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let web = gateway.web().await?;
    let header = format!("Authorization: Bearer {token}");
    schemathesis(&gateway, &web, Some(&header), &["--include-tag".to_owned(), "accounts".to_owned()]).await?;
    gateway.stop().await
}

/// The arguments that leave these operations out.
fn without(operations: &[&str]) -> Vec<String> {
    operations.iter().flat_map(|name| ["--exclude-operation-id".to_owned(), (*name).to_owned()]).collect()
}

/// Runs it to its end; its report is the error.
async fn schemathesis(
    gateway: &Gateway,
    web: &str,
    header: Option<&str>,
    which: &[String],
) -> anyhow::Result<()> {
    let directory = Workspace::new()?;
    let program = python()?.with_file_name("schemathesis");
    let mut command = tokio::process::Command::new(program);
    command.args(["run", &format!("http://{web}/api/openapi.json"), "--checks", &CHECKS.join(",")]);
    let given = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let (examples, seed) = (given("LINLI_EXAMPLES", EXAMPLES), given("LINLI_SEED", SEED));
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", &examples, "--seed", &seed]);
    command.args(["--generation-database", "none", "--no-color"]);
    command.args(["--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "30"]);
    command.arg("--continue-on-failure");
    // Each wrong token is answered after half a second.
    command.args(["--generation-with-security-parameters", "false"]);
    command.args(which).args(header.into_iter().flat_map(|header| ["--header", header]));
    command.current_dir(directory.path("")).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.context("it does not end")??;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{said}\n{}\nthe gateway's log:\n{}",
        String::from_utf8_lossy(&output.stderr),
        gateway.log()
    );
    Ok(())
}
