//! CAP and GB/T 35965 messages: what we read in them is what expat reads in them.

use std::path::Path;

use linli_tests::{Workspace, linli, python};
use serde_json::Value;

/// A message with everything in it.
const MESSAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>44030500000001_20261124080000_1</identifier>
  <sender>qzx@district.example</sender>
  <sent>2026-11-24T08:00:00+08:00</sent>
  <status>Actual</status>
  <msgType>Update</msgType>
  <source>区应急指挥中心</source>
  <scope>Restricted</scope>
  <restriction>neighbourhood centres</restriction>
  <note>第二版</note>
  <references>a@b,1,2026-11-24T07:00:00+08:00 a@b,2,2026-11-24T07:30:00+08:00</references>
  <incidents>117</incidents>
  <info>
    <language>zh-CN</language>
    <category>Health</category>
    <category>Safety</category>
    <event>核酸采样</event>
    <urgency>Immediate</urgency>
    <severity>Severe</severity>
    <certainty>Observed</certainty>
    <onset>2026-11-24T09:00:00+08:00</onset>
    <expires>2026-11-24T20:00:00+08:00</expires>
    <headline>启用采样区</headline>
    <description>两小时内就绪。</description>
    <instruction>按预案执行</instruction>
    <parameter><valueName>plan</valueName><value>reading-room.sampling@3</value></parameter>
    <parameter><valueName>empty</valueName><value></value></parameter>
    <area><areaDesc>星河街道</areaDesc><geocode><valueName>GB/T 2260</valueName><value>440305</value></geocode></area>
  </info>
  <info>
    <category>Health</category><event>Sampling</event><urgency>Future</urgency>
    <severity>Minor</severity><certainty>Likely</certainty>
  </info>
</alert>"#;

/// Changes that keep it a message.
const CHANGES: [(&str, &str); 14] = [
    ("启用采样区", "启用采样区 &amp; 指挥室 &lt;1&gt; &quot;平急&apos;"),
    ("启用采样区", "&#x542F;&#29992;"),
    ("启用采样区", "<![CDATA[<b>启用</b> & ]]>采样区"),
    ("启用采样区", "启用<!-- a comment -->采样区"),
    ("启用采样区", "\n      启用采样区\r\n    "),
    ("2026-11-24T08:00:00+08:00", "2026-11-24 08:00:00+08:00"),
    ("2026-11-24T08:00:00+08:00", "2026-11-23T20:30:00-03:30"),
    ("2026-11-24T09:00:00+08:00", "2026-11-24 09:00:00+08:00"),
    ("2026-11-24T20:00:00+08:00", "2026-11-24 20:00:00+08:00"),
    ("a@b,1,2026-11-24T07:00:00+08:00", "a@b,1,2026-11-24 07:00:00+08:00"),
    ("<status>Actual", "<status>Exercise"),
    ("<onset>2026-11-24T09:00:00+08:00</onset>", "<onset/>"),
    ("</alert>", "<x:Signature xmlns:x=\"urn:x\"><x:status>Test</x:status></x:Signature></alert>"),
    ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", ""),
];

async fn ours(path: &Path) -> anyhow::Result<Value> {
    let output = linli(&["order", "cap", &path.to_string_lossy(), "--json"]).await?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice::<Value>(&output.stdout)?["alert"].take())
}

async fn theirs(path: &Path) -> anyhow::Result<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/cap_peer.py");
    let output = tokio::process::Command::new(python()?).arg(script).arg(path).output().await?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[tokio::test]
async fn expat_reads_the_same() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let path = workspace.path("message.xml");
    for (from, to) in [("", "")].iter().chain(&CHANGES) {
        let message = if from.is_empty() { MESSAGE.to_owned() } else { MESSAGE.replacen(from, to, 1) };
        assert!(from.is_empty() || message != MESSAGE, "{from:?} is not there");
        std::fs::write(&path, &message)?;
        assert_eq!(ours(&path).await?, theirs(&path).await?, "{to}");
    }
    // Every time as GB/T 35965 writes it: a blank instead of the T, in all places at once.
    std::fs::write(&path, MESSAGE.replace("-24T", "-24 "))?;
    let ours = ours(&path).await?;
    assert_eq!(ours, theirs(&path).await?);
    let info = &ours["info"][0];
    assert_eq!(
        (&ours["sent"], &info["onset"]),
        (&1_795_478_400_000_i64.into(), &1_795_482_000_000_i64.into())
    );
    Ok(())
}

#[tokio::test]
async fn an_order_answers_a_message_of_its_class() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (message, plan) = (workspace.path("message.xml"), workspace.path("plan.toml"));
    std::fs::write(&message, MESSAGE)?;
    std::fs::write(&plan, "[plan]\nid = \"a\"\nversion = 1\n")?;
    let plan = format!("c:{}", plan.display());
    let new = async |class: &str, output: &str| {
        let (cap, output) = (message.to_string_lossy(), workspace.path(output));
        let arguments = ["order", "new", "--kind", "enter", "--mode", "m", "--seq", "1", "--class", class];
        linli(&[&arguments[..], &["--plan", &plan, "--cap", &cap, "-o", &output.to_string_lossy()]].concat())
            .await
    };
    let drill = new("exercise", "drill.cbor").await?;
    let reported = String::from_utf8_lossy(&drill.stderr).into_owned();
    assert!(
        !drill.status.success() && reported.contains("is Actual, the order would be Exercise"),
        "{reported}"
    );
    assert!(new("actual", "order.cbor").await?.status.success());
    std::fs::write(&message, MESSAGE.replace("<status>Actual", "<status>Test"))?;
    let nothing = new("actual", "test.cbor").await?;
    let reported = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert!(!nothing.status.success() && reported.contains("asks for nothing"), "{reported}");
    Ok(())
}
