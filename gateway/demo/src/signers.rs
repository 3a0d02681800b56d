//! People of the simulated centre who sign: their keys lie beside the configuration, since nobody
//! could demonstrate anything otherwise; and its plans, shortened and signed.

use std::path::Path;

use linli_mode::order::{SecretKey, sign_plan};

use crate::example::PLANS;
use linli_services::random::random;

/// Who signs: a person, what they are called, and their role.
const SIGNERS: [(&str, &str, &str); 4] = [
    ("wang", "王指挥长", "commander"),
    ("li", "李值班长", "duty_officer"),
    ("chen", "陈站长", "site_lead"),
    ("deng", "邓副站长", "site_deputy"),
];

/// Nobody waits half an hour before a demonstration.
const SHORTER: [(&str, &str); 4] = [
    ("for = \"30m\"", "for = \"20s\""),
    ("for = \"69m\"", "for = \"20s\""),
    ("lead = \"site_lead\"", "lead = \"site_lead\"\ngrace = \"5s\""),
    ("lease = \"10m\"", "lease = \"10s\""),
];

/// The plan that concerns residents at the kiosk, and what it shows them.
const SAMPLING: &str = "reading-room.sampling";
const KIOSK: &str = "[[policy.kiosk]]\ndevice = \"kiosk-1\"\ntext = \"核酸采样进行中，终端暂停服务，请到一楼人工窗口\"\n\
    drill = \"live\"\n\n[[step]]";

/// Makes keys that are not there yet, writes and signs the plans; gives the people's tables.
pub fn write(dir: &Path) -> anyhow::Result<String> {
    let mut tables = String::new();
    let mut keys = Vec::new();
    for (id, name, role) in SIGNERS {
        let key = key(&dir.join(format!("{id}.key")))?;
        // A drill has keys of its own.
        let drill = self::key(&dir.join(format!("drill-{id}.key")))?;
        tables.push_str(&format!(
            "\n[[person]]\nid = \"{id}\"\nname = \"{name}\"\nroles = [\"{role}\"]\n\n\
             [[person.key]]\npublic = \"{}\"\nclass = \"Actual\"\n\n\
             [[person.key]]\npublic = \"{}\"\nclass = \"Exercise\"\n",
            key.public(),
            drill.public()
        ));
        keys.push(key);
    }
    std::fs::create_dir_all(dir.join("plans"))?;
    for (file, text) in PLANS {
        let text = SHORTER.iter().fold(text.to_owned(), |text, (long, short)| text.replace(long, short));
        let text = if file.contains(SAMPLING) { text.replacen("[[step]]", KIOSK, 1) } else { text };
        std::fs::write(dir.join(file), &text)?;
        std::fs::write(dir.join(format!("{file}.sig")), sign_plan(text.as_bytes(), None, &keys[0])?)?;
    }
    Ok(tables)
}

fn key(path: &Path) -> anyhow::Result<SecretKey> {
    if let Ok(text) = std::fs::read_to_string(path) {
        return SecretKey::parse(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()));
    }
    let key = SecretKey::from_seed(random()?);
    linli_config::files::create_secret(path, format!("{}\n", key.reveal()).as_bytes())?;
    Ok(key)
}
