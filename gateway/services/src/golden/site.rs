//! A site for golden tests: the example centre with people who sign, a store of its own, a clock that
//! stands still; and everything that the store holds, as text.

use std::fmt::Write;
use std::ops::Deref;

use linli_config::{Checked, load_texts};
pub use linli_golden_site::NOW;
use linli_mode::order::SecretKey;

/// Who signs: a person, their role, the seed of their key, and that of their key for drills.
pub const SIGNERS: [(&str, &str, u8, u8); 3] =
    [("wang", "commander", 1, 11), ("li", "duty_officer", 2, 12), ("chen", "site_lead", 3, 13)];

/// Kinds of everything that services store as documents; but for `mode-kept`, the plans of the example, whose
/// form golden files of the mode crate freeze.
const KINDS: [&str; 21] = [
    "account",
    "cooling",
    "cycle",
    "day",
    "kiosk-day",
    "mode-base",
    "mode-chain",
    "mode-following",
    "mode-ledger",
    "mode-line",
    "mode-notice",
    "mode-order",
    "mode-plan",
    "mode-room",
    "mode-service",
    "node-chain",
    "node-line",
    "note",
    "sample",
    "sample-gone",
    "signed",
];

/// A store in a directory of its own, with the numbers of orders beside it.
pub struct Site(linli_golden_site::Site);

// === impl Site ===

impl Site {
    /// Opens an empty store at [`NOW`].
    pub async fn open() -> Self {
        let site = linli_golden_site::Site::open().await;
        crate::mode::commission(&site.dir().join("orders"), 0).unwrap();
        Self(site)
    }

    /// The numbers of orders: none was accepted yet.
    pub fn order_numbers(&self) -> crate::mode::OrderNumbersFile {
        crate::mode::OrderNumbersFile::beside(&self.dir().join("orders"))
    }

    /// Everything that services stored, and everything that waits for the broker.
    pub async fn dump(&self) -> String {
        let mut out = self.documents(&KINDS).await;
        for (id, body) in self.store.alarms().all().await.unwrap() {
            writeln!(out, "alarm {id} {body}").unwrap();
        }
        for step in self.store.alarms().journal(1000).await.unwrap() {
            writeln!(out, "alarm_step {step}").unwrap();
        }
        out + &self.cabin_audit().await + &self.messages().await
    }
}

impl Deref for Site {
    type Target = linli_golden_site::Site;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A file of the example centre as version 0.1 came with it.
fn example(name: &str) -> String {
    let file = linli_golden::files().join("../../../config/tests/golden/example").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
}

/// How version 0.1 named the building that a plan of the example sees.
pub fn building_0_1(plan: &str) -> String {
    let file = linli_golden::files().join("../../../config/tests/golden/config/building_0_1.jsonl");
    let text = std::fs::read_to_string(file).unwrap();
    let all = text.lines().map(|line| serde_json::from_str::<(String, String)>(line).unwrap());
    all.into_iter().find(|(key, _)| key == plan).expect("a plan of the example").1
}

/// The example centre, with people who sign.
pub fn checked() -> Checked {
    let mut facility = example("facility.toml");
    for (person, role, seed, drill) in SIGNERS {
        let public = |seed: u8| SecretKey::from_seed([seed; 32]).public();
        write!(
            facility,
            "\n[[person]]\nid = \"{person}\"\nname = \"{person}\"\nroles = [\"{role}\"]\n\n\
             [[person.key]]\npublic = \"{}\"\nclass = \"Actual\"\n\n\
             [[person.key]]\npublic = \"{}\"\nclass = \"Exercise\"\n",
            public(seed),
            public(drill)
        )
        .unwrap();
    }
    let names = [
        "gateway.toml",
        "devices.toml",
        "alarms.toml",
        "matters.toml",
        "plans/reading-room.sampling@1.toml",
        "plans/reading-room.from-sampling@1.toml",
        "plans/hall.command@1.toml",
        "plans/hall.from-command@1.toml",
        "plans/kitchen.warehouse@1.toml",
        "plans/kitchen.from-warehouse@1.toml",
    ];
    let files: Vec<(&str, String)> = names.into_iter().map(|name| (name, example(name))).collect();
    let mut texts: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    texts.push(("facility.toml", &facility));
    load_texts(&texts).unwrap_or_else(|report| panic!("the example is wrong: {:?}", report.problems))
}
