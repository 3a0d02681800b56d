//! Orders, written by us and verified by pycose, and the other way round.

use std::path::{Path, PathBuf};

use linli_tests::{Workspace, linli, now_ms, python};
use serde_json::{Value, json};

/// The district's two signers, and the key of one for drills.
const PEOPLE: [(&str, &str, &str); 3] = [
    ("wang", "commander", "actual"),
    ("li", "duty_officer", "actual"),
    ("drill-wang", "commander", "exercise"),
];

/// A desk where orders are written.
struct OrderOffice {
    workspace: Workspace,
    config: PathBuf,
}

impl OrderOffice {
    async fn new() -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let config = workspace.configure_with("", "path = \"../data/linli.db\"", "")?;
        std::fs::write(workspace.path("plan.toml"), "[plan]\nid = \"reading-room.sampling\"\nversion = 3\n")?;
        let mut facility = std::fs::read_to_string(config.join("facility.toml"))?;
        facility.push_str(&people(&workspace).await?);
        std::fs::write(config.join("facility.toml"), facility)?;
        Ok(Self { workspace, config })
    }

    fn path(&self, name: &str) -> String {
        self.workspace.path(name).to_string_lossy().into_owned()
    }

    /// What a verb says, and whether it succeeded.
    async fn says(&self, arguments: &[&str]) -> anyhow::Result<(bool, String)> {
        let output = linli(&[&["order"], arguments].concat()).await?;
        let reported = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8(reported)?))
    }

    async fn succeed(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let (is_done, reported) = self.says(arguments).await?;
        assert!(is_done, "{arguments:?}: {reported}");
        Ok(reported)
    }

    async fn new_order(&self, file: &str, class: &str, seq: &str) -> anyhow::Result<()> {
        let (file, plan) = (self.path(file), format!("c:{}", self.path("plan.toml")));
        let arguments =
            ["new", "--kind", "enter", "--class", class, "--mode", "epidemic.sampling", "--seq", seq];
        self.succeed(&[&arguments[..], &["--plan", &plan, "-o", &file]].concat()).await.map(drop)
    }

    async fn shown(&self, file: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.succeed(&["show", &self.path(file), "--json"]).await?)?)
    }

    async fn sign(&self, file: &str, who: &str) -> anyhow::Result<()> {
        let shown = self.shown(file).await?;
        let code = shown["code"].as_str().unwrap_or_default();
        let key = self.path(&format!("{who}.key"));
        self.succeed(&["sign", &self.path(file), "--key", &key, "--code", code]).await.map(drop)
    }

    async fn verified(&self, file: &str) -> anyhow::Result<(bool, String)> {
        let config = self.config.to_string_lossy().into_owned();
        self.says(&["verify", &self.path(file), "--config", &config]).await
    }

    /// Half a pair of keys.
    fn seed(&self, who: &str) -> anyhow::Result<String> {
        let text = std::fs::read_to_string(self.workspace.path(&format!("{who}.key")))?;
        Ok(text.trim().trim_start_matches("ed25519-secret:").to_owned())
    }

    /// The other half.
    fn public(&self, who: &str) -> anyhow::Result<String> {
        let facility = std::fs::read_to_string(self.config.join("facility.toml"))?;
        let after = facility.split(&format!("id = \"{who}\"")).nth(1).unwrap_or_default();
        let key = after.split("\"ed25519:").nth(1).unwrap_or_default();
        Ok(key.chars().take(64).collect())
    }
}

/// Everybody with a fresh key, as facility.toml says it.
async fn people(workspace: &Workspace) -> anyhow::Result<String> {
    let mut all = String::new();
    for (name, role, class) in PEOPLE {
        let file = workspace.path(&format!("{name}.key"));
        let snippet = linli(&["order", "keygen", &file.to_string_lossy(), "--class", class]).await?;
        assert!(snippet.status.success());
        let snippet = String::from_utf8(snippet.stdout)?;
        all.push_str(&format!(
            "\n[[person]]\nid = \"{name}\"\nname = \"{name}\"\nroles = [\"{role}\"]\n{snippet}"
        ));
    }
    Ok(all)
}

async fn pycose(arguments: &[&str]) -> anyhow::Result<(bool, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/cose_peer.py");
    let output =
        tokio::process::Command::new(python()?).arg("-Wignore").arg(script).args(arguments).output().await?;
    Ok((output.status.success(), String::from_utf8([output.stdout, output.stderr].concat())?))
}

#[tokio::test]
async fn pycose_verifies_what_we_sign() -> anyhow::Result<()> {
    let desk = OrderOffice::new().await?;
    desk.new_order("order.cbor", "actual", "117").await?;
    let (is_good, reported) = desk.verified("order.cbor").await?;
    assert!(!is_good && reported.contains("0 did"), "{reported}");
    desk.sign("order.cbor", "wang").await?;
    desk.sign("order.cbor", "wang").await?;
    let (is_good, reported) = desk.verified("order.cbor").await?;
    assert!(!is_good && reported.contains("1 did"), "one person twice is one: {reported}");
    desk.sign("order.cbor", "li").await?;
    let (is_good, reported) = desk.verified("order.cbor").await?;
    assert!(
        is_good && reported.contains("实战 ACTUAL") && reported.contains("wang") && reported.contains("li"),
        "{reported}"
    );

    let (wang, li) = (desk.public("wang")?, desk.public("li")?);
    let (is_good, reported) = pycose(&["verify", &desk.path("order.cbor"), &wang, &li]).await?;
    assert!(is_good, "{reported}");
    let seen: Value = serde_json::from_str(&reported)?;
    assert_eq!((&seen["seq"], &seen["class"]), (&json!(117), &json!("Actual")), "{seen}");
    assert_eq!(seen["targets"][0]["plans"][0]["plan"], "reading-room.sampling@3");
    Ok(())
}

#[tokio::test]
async fn we_verify_what_pycose_signs() -> anyhow::Result<()> {
    let desk = OrderOffice::new().await?;
    let order = json!({
        "v": 1, "id": "区指-118", "seq": 118, "kind": "Enter", "class": "Actual", "auth": "district",
        "mode": "epidemic.sampling", "not_before": now_ms() - 1000, "expires": now_ms() + 3_600_000,
        "sent": now_ms(),
        "targets": [{"centre": "c", "plans": [{"plan": "a@1", "hash": "00".repeat(32)}]}],
    });
    let (payload, signed) = (desk.path("payload.cbor"), desk.path("signed.cbor"));
    let (is_done, reported) = pycose(&["order", &payload, &order.to_string()]).await?;
    assert!(is_done, "{reported}");
    let (wang, li) = (desk.seed("wang")?, desk.seed("li")?);
    let (is_done, reported) = pycose(&["sign", &payload, &signed, &wang, &li]).await?;
    assert!(is_done, "{reported}");
    let (is_good, reported) = desk.verified("signed.cbor").await?;
    assert!(is_good && reported.contains("区指-118"), "{reported}");

    // A key for drills signs nothing that is meant, and a stranger's counts for nothing.
    let drill = desk.seed("drill-wang")?;
    let (is_done, reported) = pycose(&["sign", &payload, &signed, &drill, &li]).await?;
    assert!(is_done, "{reported}");
    let (is_good, reported) = desk.verified("signed.cbor").await?;
    assert!(!is_good && reported.contains("signs Exercise, not Actual"), "{reported}");
    let (is_done, reported) = pycose(&["sign", &payload, &signed, &"07".repeat(32), &li]).await?;
    assert!(is_done, "{reported}");
    let (is_good, reported) = desk.verified("signed.cbor").await?;
    assert!(!is_good && reported.contains("1 did"), "{reported}");
    Ok(())
}

#[tokio::test]
async fn an_order_survives_the_way_as_text() -> anyhow::Result<()> {
    let desk = OrderOffice::new().await?;
    desk.new_order("order.cbor", "actual", "119").await?;
    desk.sign("order.cbor", "wang").await?;
    desk.sign("order.cbor", "li").await?;
    let text = desk.succeed(&["text", &desk.path("order.cbor")]).await?;
    // Somebody types it off a printed page.
    let typed = text.to_lowercase().replace("lln1", "LLN1").replace('\n', "\r\n");
    std::fs::write(desk.workspace.path("typed.txt"), typed)?;
    let (is_good, reported) = desk.verified("typed.txt").await?;
    assert!(is_good, "{reported}");
    let mistyped = text.replacen('A', "B", 3);
    std::fs::write(desk.workspace.path("mistyped.txt"), mistyped)?;
    let (is_good, reported) = desk.verified("mistyped.txt").await?;
    assert!(!is_good && reported.contains("misread or mistyped"), "{reported}");
    Ok(())
}

#[tokio::test]
async fn wrong_files_and_codes_are_told() -> anyhow::Result<()> {
    let desk = OrderOffice::new().await?;
    desk.new_order("order.cbor", "exercise", "120").await?;
    let reported = desk.succeed(&["show", &desk.path("order.cbor")]).await?;
    assert!(
        reported.starts_with("【演练 EXERCISE】") && reported.contains("【演练 EXERCISE】\n"),
        "{reported}"
    );
    let (order, key) = (desk.path("order.cbor"), desk.path("wang.key"));
    let (is_done, reported) = desk.says(&["sign", &order, "--key", &key, "--code", "00000000"]).await?;
    assert!(!is_done && reported.contains("linli order show"), "{reported}");
    let (is_done, reported) = desk.says(&["keygen", &key, "--class", "actual"]).await?;
    assert!(!is_done && reported.contains("never overwritten"), "{reported}");
    let (is_done, reported) = desk.says(&["show", &desk.path("plan.toml")]).await?;
    assert!(!is_done && reported.contains("not a COSE_Sign envelope"), "{reported}");
    std::fs::write(desk.workspace.path("large"), vec![0x41; 2 << 20])?;
    let (is_done, reported) = desk.says(&["show", &desk.path("large")]).await?;
    assert!(!is_done && reported.contains("that is no order"), "{reported}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key)?.permissions());
    assert_eq!(mode & 0o777, 0o600, "a secret key is its owner's alone");
    Ok(())
}

#[tokio::test]
async fn a_plan_counts_only_as_it_was_signed() -> anyhow::Result<()> {
    let desk = OrderOffice::new().await?;
    let dir = desk.path("centre");
    assert!(linli(&["init", &dir]).await?.status.success());
    let facility = desk.workspace.path("centre/facility.toml");
    let text = std::fs::read_to_string(&facility)? + &people_of(&desk)?;
    std::fs::write(&facility, text)?;
    let check = async || -> anyhow::Result<String> {
        let reported = linli(&["check", &dir]).await?;
        Ok(String::from_utf8([reported.stdout, reported.stderr].concat())?)
    };
    let reported = check().await?;
    assert!(reported.contains("is not signed") && reported.contains("linli order sign plans/"), "{reported}");
    let plans: Vec<PathBuf> =
        std::fs::read_dir(desk.workspace.path("centre/plans"))?.flatten().map(|entry| entry.path()).collect();
    // A key for drills signs no plan.
    let first = plans[0].to_string_lossy().into_owned();
    desk.succeed(&["sign", &first, "--key", &desk.path("drill-wang.key")]).await?;
    let reported = check().await?;
    assert!(reported.contains("a key of class Actual"), "{reported}");
    std::fs::remove_file(format!("{first}.sig"))?;
    for plan in &plans {
        desk.succeed(&["sign", &plan.to_string_lossy(), "--key", &desk.path("li.key")]).await?;
    }
    let reported = check().await?;
    assert!(!reported.contains("signed"), "{reported}");
    // The key that signed them is valid no more.
    let text = std::fs::read_to_string(&facility)?;
    let (before, li) = text.split_once("id = \"li\"").unwrap_or_default();
    let class = "class = \"Actual\"\n";
    for more in ["until = \"2020-01-01T00:00:00Z\"", "revoked = \"2020-01-01T00:00:00Z\""] {
        let ended = li.replacen(class, &format!("{class}{more}\n"), 1);
        std::fs::write(&facility, format!("{before}id = \"li\"{ended}"))?;
        let reported = check().await?;
        assert!(reported.contains("is signed by no key that is valid now"), "{more}: {reported}");
    }
    std::fs::write(&facility, &text)?;
    let changed = std::fs::read_to_string(&plans[0])?.replacen("30m", "3m", 1) + "\n";
    std::fs::write(&plans[0], changed)?;
    let reported = check().await?;
    assert!(
        reported.contains("does not hold") && reported.contains("changed after it was signed"),
        "{reported}"
    );
    Ok(())
}

/// The people of a desk's centre, as facility.toml says it.
fn people_of(desk: &OrderOffice) -> anyhow::Result<String> {
    let facility = std::fs::read_to_string(desk.config.join("facility.toml"))?;
    let at = facility.find("\n[[person]]").unwrap_or_default();
    Ok(facility[at..].to_owned())
}
