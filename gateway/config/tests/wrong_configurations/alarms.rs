//! What can be wrong in `alarms.toml` and `matters.toml`.
// tidy: table

use super::{A, Case, M};

pub const CASES: &[Case] = &[
    ("an alarm on an unknown device", A, "device = \"fridge-1\"", "device = \"frigde-1\""),
    ("an alarm on an unknown point", A, "point = \"temperature\"", "point = \"temp\""),
    ("an alarm without a point", A, "point = \"temperature\"\n", ""),
    ("an alarm without a limit", A, "limit = 8\n", ""),
    ("a limit in the wrong unit", A, "unit = \"Cel\"", "unit = \"[degF]\""),
    ("a dead-band that is negative", A, "deadband = 1", "deadband = -1"),
    ("a dead-band wider than the band", A, "deadband = 1", "deadband = 9"),
    ("a number that shall be true", A, "when = \"high\"\nlimit = 8", "when = \"is_true\""),
    ("an unknown condition", A, "when = \"high\"", "when = \"hgih\""),
    (
        "a silence of an unknown point",
        A,
        "point = \"temperature\"\nwhen = \"high\"\nlimit = 8",
        "point = \"temperatur\"\nwhen = \"silent\"",
    ),
    ("a deviation from nothing", A, "when = \"high\"", "when = \"deviation\""),
    ("a delay of days", A, "on_delay = \"10m\"", "on_delay = \"3d\""),
    ("a latch that can be shelved", A, "deadband = 1", "latching = true\nshelve_at_most = \"1h\""),
    ("silenced by an unknown alarm", A, "deadband = 1", "suppressed_by = \"fridge-9.silent\""),
    ("an alarm that silences itself", A, "deadband = 1", "suppressed_by = \"fridge-1.warm\""),
    (
        "an alarm twice",
        A,
        "defaults = true",
        "defaults = true\n\n[[alarm]]\nid = \"fridge-1.warm\"\ndevice = \"fridge-1\"\nwhen = \"silent\"",
    ),
    (
        "a webhook to nowhere",
        A,
        "defaults = true",
        "defaults = true\n\n[[webhook]]\nid = \"sms\"\nurl = \"sms-gateway\"",
    ),
    (
        "a webhook without encryption on another machine",
        A,
        "defaults = true",
        "defaults = true\n\n[[webhook]]\nid = \"sms\"\nurl = \"http://sms.example/\"",
    ),
    (
        "a reason for an encrypted webhook",
        A,
        "defaults = true",
        "defaults = true\n\n[[webhook]]\nid = \"sms\"\nurl = \"https://sms.example/\"\ninsecure = \"because it is a test\"",
    ),
    (
        "a webhook that escalates at once",
        A,
        "defaults = true",
        "defaults = true\n\n[[webhook]]\nid = \"sms\"\nurl = \"https://sms.example/\"\nescalate_after = \"1s\"",
    ),
    (
        "a webhook with its secret",
        A,
        "defaults = true",
        "defaults = true\n\n[[webhook]]\nid = \"sms\"\nurl = \"https://sms.example/\"\nsecret = \"sesame\"",
    ),
    ("a matter that needs a part nobody has", M, "\"id_reader\"", "\"id_raeder\""),
    ("a matter twice", M, "id = \"002\"", "id = \"001\""),
    ("a siren that nobody has", A, "device = \"hall-siren\"", "device = \"hall-sirene\""),
    ("a siren that cannot be switched", A, "point = \"state\"", "point = \"power\""),
    (
        "a siren that a plan moves",
        A,
        "device = \"hall-siren\"\npoint = \"state\"",
        "device = \"reading-mode\"\npoint = \"lamps\"",
    ),
    ("a siren that sounds all night", A, "for = \"3m\"", "for = \"8h\""),
    (
        "quiet hours without minutes",
        A,
        "# [[webhook]]\n",
        "[[webhook]]\nid = \"w\"\nurl = \"https://w.example/\"\nquiet = \"22-6\"\n",
    ),
    ("an alarm enabled by a word", A, "enabled = false", "enabled = \"no\""),
];
