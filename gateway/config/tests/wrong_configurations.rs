//! Every mistake has its own clear message. A case is one change to the example centre; what is
//! said about it stands in `golden/wrong_configurations.txt`. After a deliberate change of words:
//! `LINLI_BLESS=1 cargo test -p linli --test wrong_configurations`, then read the difference.
// tidy: table

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use linli_config::load_texts;

const FILES: [(&str, &str); 7] = [
    ("gateway.toml", include_str!("../../../deploy/example/gateway.toml")),
    ("facility.toml", include_str!("../../../deploy/example/facility.toml")),
    ("devices.toml", include_str!("../../../deploy/example/devices.toml")),
    ("alarms.toml", include_str!("../../../deploy/example/alarms.toml")),
    ("matters.toml", include_str!("../../../deploy/example/matters.toml")),
    (P, include_str!("../../../deploy/example/plans/reading-room.sampling@1.toml")),
    (R, include_str!("../../../deploy/example/plans/reading-room.from-sampling@1.toml")),
];

/// What was done wrong, in which file, and the change that does it (the first place only).
type Case = (&'static str, &'static str, &'static str, &'static str);

const G: &str = "gateway.toml";
const F: &str = "facility.toml";
const D: &str = "devices.toml";
const A: &str = "alarms.toml";
const M: &str = "matters.toml";
const P: &str = "plans/reading-room.sampling@1.toml";
const R: &str = "plans/reading-room.from-sampling@1.toml";

const CASES: &[Case] = &[
    ("not TOML", G, "[gateway]", "[gateway"),
    ("a key without a value", G, "id = \"main\"", "id ="),
    ("a key twice", G, "id = \"main\"", "id = \"main\"\nid = \"other\""),
    ("text without quotes", G, "id = \"main\"", "id = main"),
    ("no gateway table", G, "[gateway]\nid = \"main\"\n", ""),
    ("gateway id missing", G, "id = \"main\"", ""),
    ("gateway id of the wrong type", G, "id = \"main\"", "id = 7"),
    ("gateway id with a blank", G, "id = \"main\"", "id = \"main gate\""),
    ("gateway id in Chinese", G, "id = \"main\"", "id = \"主网关\""),
    ("gateway id with a topic wildcard", G, "id = \"main\"", "id = \"main/+\""),
    ("gateway id empty", G, "id = \"main\"", "id = \"\""),
    (
        "gateway id too long",
        G,
        "id = \"main\"",
        "id = \"a2345678901234567890123456789012345678901234567890123456789012345\"",
    ),
    ("one of the cabin's keys", G, "[log]", "[cabin]\nidentity_key = \"file:a.key\"\n\n[log]"),
    (
        "a person twice",
        F,
        "[[room]]",
        "[[person]]\nid = \"an\"\nname = \"安\"\nroles = [\"staff\"]\n\n[[person]]\nid = \"an\"\nname = \"\"\nroles = []\n\n[[room]]",
    ),
    ("outlines of two rooms that overlap", F, "[[7, 0], [18, 0], [18, 6]", "[[6, 0], [18, 0], [18, 6]"),
    (
        "an outline that crosses itself",
        F,
        "[[7, 0], [18, 0], [18, 6], [7, 6]]",
        "[[7, 0], [18, 6], [18, 0], [7, 7]]",
    ),
    ("an outline with two corners", F, "[[7, 0], [18, 0], [18, 6], [7, 6]]", "[[7, 0], [18, 0]]"),
    ("an outline outside the site", F, "[[7, 0], [18, 0], [18, 6]", "[[7, 0], [1800, 0], [18, 6]"),
    ("a floor 0", F, "floor = 2", "floor = 0"),
    ("an area without a name", F, "name = \"露台\"", "name = \"\""),
    (
        "an area of an unknown site",
        F,
        "name = \"露台\"\nsite = \"north\"",
        "name = \"露台\"\nsite = \"nort\"",
    ),
    (
        "a drawing outside its folder",
        F,
        "[[opening]]",
        "[[background]]\nsite = \"north\"\nfile = \"../north.svg\"\nsize = [18, 8]\n\n[[opening]]",
    ),
    (
        "a drawing without a size",
        F,
        "[[opening]]",
        "[[background]]\nsite = \"north\"\nfile = \"north.svg\"\n\n[[opening]]",
    ),
    (
        "a drawing of no size on no floor",
        F,
        "[[opening]]",
        "[[background]]\nsite = \"north\"\nfloor = 0\nfile = \"north.svg\"\nsize = [0, 8]\ncorner = [0, -1]\n\n[[opening]]",
    ),
    (
        "two drawings of one floor",
        F,
        "[[opening]]",
        "[[background]]\nsite = \"south\"\nfile = \"a.svg\"\nsize = [9, 9]\n\n[[background]]\nsite = \"south\"\nfile = \"b.svg\"\nsize = [9, 9]\n\n[[opening]]",
    ),
    (
        "a public key cut short",
        F,
        "[[room]]",
        "[[person]]\nid = \"an\"\nname = \"安\"\nroles = [\"commander\"]\n[[person.key]]\npublic = \"ed25519:0f87\"\nclass = \"Actual\"\n\n[[room]]",
    ),
    (
        "a weak public key",
        F,
        "[[room]]",
        "[[person]]\nid = \"an\"\nname = \"安\"\nroles = [\"commander\"]\n[[person.key]]\npublic = \"ed25519:0100000000000000000000000000000000000000000000000000000000000000\"\nclass = \"Actual\"\n\n[[room]]",
    ),
    (
        "one signer where two are needed",
        F,
        "[[room]]",
        "[[person]]\nid = \"an\"\nname = \"安\"\nroles = [\"commander\"]\n[[person.key]]\npublic = \"ed25519:0f87a40bd2519ccd076aae67152991afd08f342fd9855a87a484028c17fe3a71\"\nclass = \"Actual\"\nfrom = \"yesterday\"\n\n[[room]]",
    ),
    (
        "a key of neither class",
        F,
        "[[room]]",
        "[[person]]\nid = \"an\"\nname = \"安\"\nroles = [\"commander\"]\n[[person.key]]\npublic = \"ed25519:0f87a40bd2519ccd076aae67152991afd08f342fd9855a87a484028c17fe3a71\"\nclass = \"Test\"\n\n[[room]]",
    ),
    ("a quorum of one", F, "[[room]]", "[orders]\nquorum = 1\n\n[[room]]"),
    (
        "a key in the configuration",
        G,
        "[log]",
        "[cabin]\nidentity_key = \"0123\"\npseudonym_key = \"env:K\"\n\n[log]",
    ),
    ("older keys without a present one", G, "[log]", "[cabin]\nprevious_identity_keys = []\n\n[log]"),
    ("visits that never end", G, "[log]", "[cabin]\nvisit_timeout = \"30d\"\n\n[log]"),
    ("measurements kept for an hour", G, "[log]", "[cabin]\nretention = \"1h\"\n\n[log]"),
    ("pressure in kilopascal", G, "[log]", "[cabin]\nhypertension = [18.7, 12.0]\n\n[log]"),
    ("one pressure only", G, "[log]", "[cabin]\nhypertension = [140]\n\n[log]"),
    ("a centre above the highest town", G, "[log]", "[cabin]\naltitude = 9000\n\n[log]"),
    ("fever in Fahrenheit", G, "[log]", "[cabin]\nfever = 99.1\n\n[log]"),
    ("limits signed for without a day", G, "[log]", "[cabin]\nfever = 37.5\nlimits_by = \"李\"\n\n[log]"),
    (
        "limits of a day without a name",
        G,
        "[log]",
        "[cabin]\nfever = 37.5\nlimits_on = \"2026-11-30\"\n\n[log]",
    ),
    (
        "a signature for no limits",
        G,
        "[log]",
        "[cabin]\nlimits_by = \"李\"\nlimits_on = \"2026-11-30\"\n\n[log]",
    ),
    (
        "limits set on no day",
        G,
        "[log]",
        "[cabin]\nfever = 37.5\nlimits_by = \" \"\nlimits_on = \"30.11.2026\"\n\n[log]",
    ),
    ("a printer by its web page", G, "[log]", "[slip]\nprinter = \"http://192.0.2.7/\"\n\n[log]"),
    ("a printer in the clear", G, "[log]", "[slip]\nprinter = \"ipp://192.0.2.7/ipp/print\"\n\n[log]"),
    ("paper that no slip has", G, "[log]", "[slip]\npaper = \"a4\"\n\n[log]"),
    ("certificates without a printer", G, "[log]", "[slip]\nprinter_ca = \"ca.pem\"\n\n[log]"),
    (
        "certificates for a queue in the clear",
        G,
        "[log]",
        "[slip]\nprinter = \"ipp://127.0.0.1/printers/a\"\nprinter_ca = \"ca.pem\"\n\n[log]",
    ),
    ("no fonts at all", G, "[log]", "[slip]\nfonts = []\n\n[log]"),
    (
        "a FHIR server without consents",
        G,
        "[log]",
        "[fhir]\nurl = \"https://a/fhir\"\nconsents = []\n\n[log]",
    ),
    (
        "a FHIR server in the clear",
        G,
        "[log]",
        "[fhir]\nurl = \"http://a/fhir\"\nconsents = [\"1\"]\n\n[log]",
    ),
    (
        "a FHIR server with a password",
        G,
        "[log]",
        "[fhir]\nurl = \"https://u:p@a/\"\nconsents = [\"1\"]\n\n[log]",
    ),
    (
        "a FHIR token in the configuration",
        G,
        "[log]",
        "[fhir]\nurl = \"https://a/fhir\"\nconsents = [\"1\"]\ntoken = \"secret\"\n\n[log]",
    ),
    (
        "a reason that encryption does not need",
        G,
        "[log]",
        "[fhir]\nurl = \"https://a/fhir\"\nconsents = [\"1\"]\ninsecure = \"because it is\"\n\n[log]",
    ),
    (
        "a worker's token in the configuration",
        G,
        "[log]",
        "[[worker]]\nname = \"wang\"\ntoken = \"secret\"\n\n[log]",
    ),
    ("a worker without a token", G, "[log]", "[[worker]]\nname = \"wang\"\n\n[log]"),
    (
        "a worker twice",
        G,
        "[log]",
        "[[worker]]\nname = \"wang\"\ntoken = \"env:A\"\n\n[[worker]]\nname = \"wang\"\ntoken = \"env:B\"\n\n[log]",
    ),
    (
        "a worker with a role that there is not",
        G,
        "[log]",
        "[[worker]]\nname = \"wang\"\ntoken = \"env:A\"\nroles = [\"boss\"]\n\n[log]",
    ),
    (
        "a worker that would be a screen",
        G,
        "[log]",
        "[[worker]]\nname = \"wang\"\ntoken = \"env:A\"\nroles = [\"screen\"]\n\n[log]",
    ),
    (
        "a local account without a role",
        G,
        "[log]",
        "[[local_account]]\nname = \"box\"\nuid = 1000\nroles = []\n\n[log]",
    ),
    (
        "two local accounts of one user",
        G,
        "[log]",
        "[[local_account]]\nname = \"box\"\nuid = 7\nroles = [\"operator\"]\n\n\
         [[local_account]]\nname = \"desk\"\nuid = 7\nroles = [\"operator\"]\n\n[log]",
    ),
    (
        "a local account of nobody",
        G,
        "[log]",
        "[[local_account]]\nname = \"box\"\nuid = 7\nroles = [\"operator\"]\nperson = \"nobody\"\n\n[log]",
    ),
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
    ("an unknown food", D, "keeps = \"cold\"", "keeps = \"cool\""),
    ("unknown table", G, "[web]", "[wbe]"),
    ("unknown key", G, "level = \"info\"", "levle = \"info\""),
    ("unknown key like no other", G, "level = \"info\"", "colour = \"red\""),
    ("size without a unit", G, "\"512MiB\"", "\"512\""),
    ("size in the wrong unit", G, "\"512MiB\"", "\"512MB\""),
    ("size as a number", G, "\"512MiB\"", "512"),
    ("store too small", G, "\"512MiB\"", "\"1MiB\""),
    ("store larger than numbers go", G, "\"512MiB\"", "\"99999999999999GiB\""),
    ("commit interval too long", G, "max_bytes = \"512MiB\"", "commit_interval = \"1h\""),
    ("max age too short", G, "max_bytes = \"512MiB\"", "max_age = \"1s\""),
    ("history kept too short", G, "max_bytes = \"512MiB\"", "history_retention = \"1m\""),
    ("records kept too short", G, "max_bytes = \"512MiB\"", "record_retention = \"179d\""),
    ("duration without a unit", G, "max_bytes = \"512MiB\"", "max_age = \"30\""),
    ("broker without a scheme", G, "\"mqtt://127.0.0.1:1883\"", "\"127.0.0.1:1883\""),
    ("broker by an unknown scheme", G, "\"mqtt://127.0.0.1:1883\"", "\"http://127.0.0.1:1883\""),
    ("broker without a host", G, "\"mqtt://127.0.0.1:1883\"", "\"mqtt://:1883\""),
    ("broker at a port that is none", G, "\"mqtt://127.0.0.1:1883\"", "\"mqtt://127.0.0.1:70000\""),
    (
        "broker with a password in its address",
        G,
        "\"mqtt://127.0.0.1:1883\"",
        "\"mqtt://me:secret@127.0.0.1:1883\"",
    ),
    ("certificates without TLS", G, "# username = \"linli\"", "tls = { ca = \"ca.pem\" }"),
    (
        "certificate without its key",
        G,
        "url = \"mqtt://127.0.0.1:1883\"",
        "url = \"mqtts://127.0.0.1\"\ntls = { cert = \"c.pem\" }",
    ),
    (
        "password in clear",
        G,
        "# password = \"file:mqtt-password\"",
        "username = \"me\"\npassword = \"secret\"",
    ),
    ("password without a user", G, "# password = \"file:mqtt-password\"", "password = \"env:NOWHERE\""),
    ("MQTT version that is none", G, "# username = \"linli\"", "version = \"4\""),
    ("MQTT version as a number", G, "# username = \"linli\"", "version = 5"),
    ("window too large", G, "# username = \"linli\"", "window = 5000"),
    ("window of nothing", G, "# username = \"linli\"", "window = 0"),
    ("unknown format", G, "# username = \"linli\"", "formats = [\"xml\"]"),
    ("keep-alive too short", G, "# username = \"linli\"", "keep_alive = \"1s\""),
    ("payload limit too small", G, "# username = \"linli\"", "max_payload = \"1KiB\""),
    ("client id empty", G, "# username = \"linli\"", "client_id = \"\""),
    ("listener without a port", G, "\"127.0.0.1:8080\"", "\"127.0.0.1\""),
    ("listener by name", G, "\"127.0.0.1:8080\"", "\"localhost:8080\""),
    ("listener open to the network unasked", G, "\"127.0.0.1:8080\"", "\"0.0.0.0:8080\""),
    ("log level that is none", G, "\"info\"", "\"verbose\""),
    (
        "no centre",
        F,
        "[centre]\nid = \"xinghe\"\nname = \"星河邻里中心\"\nform = \"strung\"\ntimezone = \"Asia/Shanghai\"\nopening = [\"mon-fri 08:30-17:30\", \"sat 09:00-12:00\"]\n",
        "",
    ),
    ("centre of an unknown form", F, "\"strung\"", "\"string\""),
    ("time zone that is none", F, "\"Asia/Shanghai\"", "\"Shanghai\""),
    ("strung centre with one site", F, "[[site]]\nid = \"south\"\nname = \"南站\"\nwalk = \"6m\"\n", ""),
    ("site twice", F, "id = \"south\"", "id = \"north\""),
    ("site at the end of a day's walk", F, "walk = \"6m\"", "walk = \"8h\""),
    ("walk as a number", F, "walk = \"6m\"", "walk = 6"),
    ("room twice", F, "id = \"hall\"", "id = \"kitchen\""),
    ("room at an unknown site", F, "site = \"south\"", "site = \"sout\""),
    ("room without a site in a strung centre", F, "site = \"north\"\n", ""),
    ("room without a name", F, "name = \"健康小屋\"\n", ""),
    ("room of no volume", F, "volume = 60.0", "volume = 0.0"),
    ("volume with a unit", F, "volume = 60.0", "volume = \"60m3\""),
    (
        "emergency role as a word",
        F,
        "emergency_roles = [\"command_room\"]",
        "emergency_roles = \"command_room\"",
    ),
    ("a plan without an id", P, "id = \"reading-room.sampling\"\n", ""),
    ("a plan for a room that is not there", P, "room = \"reading-room\"", "room = \"reading-rom\""),
    ("a plan for a role that the room does not have", P, "role = \"sampling_area\"", "role = \"palace\""),
    ("a plan that knows no way back", P, "return_plan = \"reading-room.from-sampling@1\"\n", ""),
    ("a way back that is not there", P, "from-sampling@1", "from-sampling@7"),
    ("a way back that leads in", R, "direction = \"return\"", "direction = \"enter\""),
    ("a way back that leaves the air as it is", R, "then = { outdoor_air = 30, recirculation = 70 }, ", ""),
    ("a plan that cannot be in time", P, "ready_within = \"2h\"", "ready_within = \"20m\""),
    ("a step of an unknown kind", P, "kind = \"process\"", "kind = \"proces\""),
    ("a step after one that is not there", P, "after = [\"notice\"]", "after = [\"notise\"]"),
    (
        "steps in a ring",
        P,
        "id = \"notice\"\nkind = \"human\"",
        "id = \"notice\"\nkind = \"human\"\nafter = [\"layout\"]",
    ),
    ("a fixture that is not there", P, "device = \"reading-uv\"", "device = \"reading-ux\""),
    ("a word that the door does not know", P, "entry = \"staff_only\"", "entry = \"locked\""),
    ("a key that takes egress away", P, "set = { entry = \"staff_only\" }", "set = { egress = \"blocked\" }"),
    (
        "a guard that is no guard",
        P,
        "\"fire == normal\", \"exit_free\"]",
        "\"fire != normal\", \"exit_free\"]",
    ),
    ("a door without a guard", P, "pre = [\"vacant(2)\", \"fire == normal\", \"exit_free\"]\n", ""),
    ("lamps without a lease", P, "lease = \"10s\", ", ""),
    ("lamps that a drill lights", P, "drill = \"skip\"", "drill = \"live\""),
    ("lamps without a sensor", P, "abort_on = [\"presence\", ", "abort_on = ["),
    ("a parameter that is not there", P, "params.min_ach", "params.max_ach"),
    ("more people than there are", P, "count = 2\nsweep = true", "count = 3\nsweep = true"),
    (
        "a sweep that nothing voids",
        P,
        "void_on = [\"door_opened\", \"presence\", \"restart\", \"45m\"]",
        "void_on = [\"sometimes\"]",
    ),
    ("nobody accepts", P, "not_same_as = [\"sweep\", \"layout\"]\n", ""),
    ("a key of another kind of step", P, "sweep = true\n", "sweep = true\nreassert = true\n"),
    ("an escalation without a time", P, "escalate = [\"site_lead@5m\"]", "escalate = [\"site_lead\"]"),
    (
        "proven by itself and said to be by another",
        P,
        "[\"reading-door.entry == staff_only\", \"reading-door.contact == closed\"]",
        "[\"reading-door.entry == staff_only\"]",
    ),
    (
        "a remedy without a guard",
        P,
        "recirculation = 70 }, pre = [\"fire == normal\"]",
        "recirculation = 70 }, pre = []",
    ),
    ("opening twice", F, "\"door-garden\"", "\"door-main\""),
    ("an opening of a room that is not there", F, "room = \"hall\"\nway", "room = \"hal\"\nway"),
    (
        "an opening into its own room",
        F,
        "room = \"kitchen\"\nway",
        "room = \"kitchen\"\nto = \"kitchen\"\nway",
    ),
    (
        "a room that nobody gets out of",
        F,
        "room = \"hall\"\nway = \"both\"",
        "room = \"hall\"\nway = \"entry\"",
    ),
    ("a fixture of an unknown kind", F, "kind = \"ventilation\"", "kind = \"ventilator\""),
    ("a fixture twice", F, "id = \"reading-air\"", "id = \"reading-door\""),
    ("a door of an opening that is not there", F, "opening = \"door-main\"", "opening = \"door-mian\""),
    ("a reading of a device that is not there", F, "reading-mode.air_flow", "reading-moed.air_flow"),
    ("a reading of a point that is not there", F, "reading-mode.air_flow", "reading-mode.airflow"),
    ("a fixture set where nothing can be written", F, "reading-mode.outdoor_air", "reading-mode.air_flow"),
    ("a sensor that is set", F, "kind = \"ventilation\"", "kind = \"sensor\""),
    ("two words for one value", F, "{ closed = false, open = true }", "{ closed = true, open = true }"),
    ("a word of capitals", F, "{ closed = false, open = true }", "{ closed = false, Open = \"no\" }"),
    ("a reading of nothing", F, "known = 300.0\n", ""),
    ("a safe state that is no word", F, "safe = \"public\"", "safe = \"shut\""),
    (
        "a safe state that nobody reads",
        F,
        "name = \"power\"\npoint = \"reading-mode.lamps\"\nwords = { on = true, off = false }\n\n[[fixture.read]]\nname = \"irr",
        "name = \"relay\"\npoint = \"reading-mode.lamps\"\nwords = { on = true, off = false }\n\n[[fixture.read]]\nname = \"irr",
    ),
    ("a fire zone that is not there", F, "fire_zone = \"north-fire\"", "fire_zone = \"north\""),
    ("a fire panel that speaks numbers", F, "reading-mode.fire_alarm", "reading-mode.entry"),
    ("divided by a volume that is not known", F, "volume = 180.0\n", ""),
    ("unknown kind of line", D, "\"modbus_rtu\"", "\"modbus_rut\""),
    ("line without a kind", D, "kind = \"modbus_rtu\"\n", ""),
    ("line without an id", D, "id = \"kitchen-bus\"\n", ""),
    ("line twice", D, "id = \"north-bus\"", "id = \"kitchen-bus\""),
    ("serial line without a port", D, "port = \"/dev/serial/by-id/usb-kitchen\"\n", ""),
    ("serial port that is no path", D, "\"/dev/serial/by-id/usb-kitchen\"", "\"COM3\""),
    ("two lines on one port", D, "\"/dev/serial/by-id/usb-north\"", "\"/dev/serial/by-id/usb-kitchen\""),
    ("odd baud rate", D, "baud = 9600", "baud = 9601"),
    ("parity that is none", D, "baud = 9600", "baud = 9600\nparity = \"mark\""),
    ("three stop bits", D, "baud = 9600", "baud = 9600\nstop_bits = 3"),
    ("time-out too long", D, "timeout = \"500ms\"", "timeout = \"1h\""),
    ("share above half", D, "timeout = \"500ms\"", "probe_share = \"80%\""),
    ("share without the sign", D, "timeout = \"500ms\"", "probe_share = \"5\""),
    (
        "key of another kind of line",
        D,
        "endpoint = \"192.0.2.20:502\"",
        "endpoint = \"192.0.2.20:502\"\nbaud = 9600",
    ),
    ("endpoint that is a URL", D, "\"192.0.2.20:502\"", "\"http://192.0.2.20\""),
    ("endpoint at port 0", D, "\"192.0.2.20:502\"", "\"192.0.2.20:0\""),
    ("device without a unit", D, "unit = 1\n", ""),
    ("broadcast as a unit", D, "unit = 1\n", "unit = 0\n"),
    ("unit above the standard's", D, "unit = 10\n", "unit = 248\n"),
    ("unit twice on a line", D, "unit = 2\n", "unit = 1\n"),
    ("device twice", D, "id = \"freezer-1\"", "id = \"fridge-1\""),
    ("device on an unknown line", D, "line = \"kitchen-bus\"", "line = \"kitchn-bus\""),
    ("device in an unknown room", D, "room = \"kitchen\"", "room = \"kitchens\""),
    ("device of an unknown model", D, "\"xy/md02\"", "\"xy/md20\""),
    ("device of an unheard-of model", D, "\"xy/md02\"", "\"acme/rocket\""),
    ("poll too short", D, "poll = \"5s\"", "poll = \"1ms\""),
    ("poll beyond a day", D, "poll = \"5s\"", "poll = \"8d\""),
    ("poll of nothing", D, "poll = \"5s\"", "poll = \"0s\""),
    ("poll as a number", D, "poll = \"5s\"", "poll = 5"),
    ("class that is none", D, "class = \"food_safety\"", "class = \"food\""),
    (
        "report with change and every",
        D,
        "{ change = 0.2, at_least = \"1m\" }",
        "{ change = 0.2, every = \"1m\" }",
    ),
    ("report at least without change", D, "{ change = 0.2, at_least = \"1m\" }", "{ at_least = \"1m\" }"),
    ("negative change", D, "change = 0.2", "change = -1"),
    ("exception for an unknown point", D, "id = \"energy_import\"", "id = \"energy\""),
    ("more than the line can carry", D, "poll = \"5s\"", "poll = \"20ms\""),
    (
        "three mistakes at once",
        D,
        "port = \"/dev/serial/by-id/usb-kitchen\"
baud = 9600",
        "port = \"COM1\"
buad = 9601
parity = \"mark\"",
    ),
    ("a time zone that does not exist", F, "Asia/Shanghai", "Asia/Shangai"),
    ("open in a week of another order", F, "mon-fri 08:30-17:30", "fri-mon 08:30-17:30"),
    ("open over midnight", F, "sat 09:00-12:00", "sat 19:00-02:00"),
    ("a broker's address without its scheme", D, "mqtts://192.0.2.30:8883", "192.0.2.30:8883"),
    ("neither a broker nor one of its own", D, "url = \"mqtts://192.0.2.30:8883\"\n", ""),
    (
        "two brokers on one line",
        D,
        "url = \"mqtts://192.0.2.30:8883\"\n",
        "url = \"mqtts://192.0.2.30:8883\"\nlisten = \"127.0.0.1:1883\"\n",
    ),
    (
        "a password for its own broker",
        D,
        "url = \"mqtts://192.0.2.30:8883\"\n",
        "listen = \"127.0.0.1:1883\"\nusername = \"z\"\n",
    ),
    (
        "a broker's password in the configuration",
        D,
        "url = \"mqtts://192.0.2.30:8883\"\n",
        "url = \"mqtts://192.0.2.30:8883\"\nusername = \"z\"\npassword = \"sesame\"\n",
    ),
    (
        "an unencrypted line to another machine",
        D,
        "url = \"mqtts://192.0.2.30:8883\"\n",
        "url = \"mqtt://192.0.2.30:1883\"\n",
    ),
    (
        "a reason that says nothing",
        D,
        "url = \"mqtts://192.0.2.30:8883\"\n",
        "url = \"mqtt://192.0.2.30:1883\"\ninsecure = \"yes\"\n",
    ),
    (
        "a reason without need",
        D,
        "url = \"mqtts://192.0.2.30:8883\"\n",
        "url = \"mqtts://192.0.2.30:8883\"\ninsecure = \"because nobody listens\"\n",
    ),
    (
        "an own broker that others reach",
        D,
        "url = \"mqtts://192.0.2.30:8883\"\n",
        "listen = \"0.0.0.0:1883\"\n",
    ),
    (
        "certificates for a line without encryption",
        D,
        "url = \"mqtts://192.0.2.30:8883\"\n",
        "url = \"mqtt://127.0.0.1:1883\"\nca = \"file:ca.pem\"\n",
    ),
    ("an unencrypted district", G, "mqtt://127.0.0.1:1883", "mqtt://broker.example:1883"),
    (
        "a reason for an encrypted district",
        G,
        "url = \"mqtt://127.0.0.1:1883\"",
        "url = \"mqtts://broker.example\"\ninsecure = \"because it is a test\"",
    ),
    (
        "a reason for this machine",
        G,
        "listen = \"127.0.0.1:8080\"",
        "listen = \"127.0.0.1:8080\"\ninsecure = \"because it is a test\"",
    ),
    (
        "a name that is none",
        G,
        "listen = \"127.0.0.1:8080\"",
        "listen = \"127.0.0.1:8080\"\nnames = [\"box.lan\", \"https://box\"]",
    ),
    ("a topic with a wildcard", D, "topic = \"后厨/水浸\"", "topic = \"后厨/#\""),
    ("two devices of one topic", D, "topic = \"后厨/水浸\"", "topic = \"hall-siren\""),
    ("a Zigbee device nobody knows", D, "zigbee2mqtt/contact", "zigbee2mqtt/window"),
    ("a unit on an MQTT line", D, "topic = \"后厨/水浸\"", "unit = 3"),
    ("an image key that is none", G, "[log]", "[nodes]\nimage_keys = [\"4c4c\"]\n\n[log]"),
    ("an image key under a wrong name", G, "[log]", "[nodes]\nimage_key = \"4c4c\"\n\n[log]"),
    (
        "a serial number that is none",
        D,
        "profile = \"xy/md02\"",
        "serial = \"4c4z\"\nprofile = \"linli/node-fridge\"",
    ),
    ("a serial number of a model that tells none", D, "unit = 1\n", "unit = 1\nserial = \"4c4c\"\n"),
    ("a kind of node that is none", D, "profile = \"xy/md02\"", "profile = \"linli/node-frigde\""),
    ("a serial number on an MQTT line", D, "topic = \"后厨/水浸\"", "serial = \"4c4c\""),
    ("a topic on a Modbus line", D, "unit = 1\n", "unit = 1\ntopic = \"a\"\n"),
    ("a host with a scheme", D, "host = \"192.0.2.40\"", "host = \"snmp://192.0.2.40\""),
    (
        "a community in the configuration",
        D,
        "host = \"192.0.2.40\"",
        "host = \"192.0.2.40\"\ncommunity = \"x\"",
    ),
    ("an IPP printer on an SNMP line", D, "snmp/printer", "ipp/printer"),
    (
        "a printer's web page",
        D,
        "kind = \"snmp\"\nhost = \"192.0.2.40\"",
        "kind = \"ipp\"\nurl = \"http://192.0.2.40/\"",
    ),
    (
        "a kiosk without a token",
        D,
        "kind = \"snmp\"\nhost = \"192.0.2.40\"\n\n[[device]]\nid = \"kiosk-printer\"\nname = \"政务终端打印机\"\nline = \"printer-line\"\nprofile = \"snmp/printer\"",
        "kind = \"kiosk_http\"\nlisten = \"127.0.0.1:8081\"\n\n[[device]]\nid = \"kiosk-printer\"\nline = \"printer-line\"\nprofile = \"kiosk/terminal\"",
    ),
    (
        "a kiosk's token in the configuration",
        D,
        "kind = \"snmp\"\nhost = \"192.0.2.40\"\n\n[[device]]\nid = \"kiosk-printer\"\nname = \"政务终端打印机\"\nline = \"printer-line\"\nprofile = \"snmp/printer\"",
        "kind = \"kiosk_http\"\nlisten = \"127.0.0.1:8081\"\n\n[[device]]\nid = \"kiosk-printer\"\nline = \"printer-line\"\nprofile = \"kiosk/terminal\"\ntoken = \"0123456789\"",
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
    (
        "a drill that leaves something behind",
        R,
        "on_fail = \"degrade\"\ndrill = \"live\"",
        "on_fail = \"degrade\"",
    ),
    ("a policy in a plan that returns", R, "[params]", "[policy]\n\n[params]"),
    (
        "a policy for a device that is not there",
        P,
        "device = \"specimen-fridge\"",
        "device = \"specimen-frigde\"",
    ),
    ("a policy for a device of another room", P, "device = \"specimen-fridge\"", "device = \"fridge-1\""),
    ("a policy for neither device nor class", P, "class = \"telemetry\"\npoll", "poll"),
    ("a policy that says nothing of a device", P, "poll = \"10s\"\nlane = \"urgent\"\n", ""),
    ("a policy that reads too often", P, "poll = \"15s\"", "poll = \"10ms\""),
    (
        "a policy that asks too much of a line",
        P,
        "poll = \"10s\"\nlane = \"urgent\"\n\n[[policy.device]]\ndevice = \"specimen-fridge\"\npoll = \"15s\"",
        "poll = \"100ms\"\n\n[[policy.device]]\ndevice = \"specimen-fridge\"\npoll = \"100ms\"",
    ),
    ("a policy for a class that the room has not", P, "class = \"telemetry\"", "class = \"kiosk\""),
    ("a policy with an unknown lane", P, "lane = \"urgent\"", "lane = \"fast\""),
    (
        "a policy for a device twice",
        P,
        "[[policy.alarm]]",
        "[[policy.device]]\ndevice = \"reading-air\"\npoll = \"5s\"\n\n[[policy.alarm]]",
    ),
    (
        "a policy for an alarm that is not there",
        P,
        "alarm = \"specimen-fridge.warm\"",
        "alarm = \"specimen-fridge.wram\"",
    ),
    (
        "a policy for an alarm of another room",
        P,
        "alarm = \"specimen-fridge.warm\"",
        "alarm = \"fridge-1.warm\"",
    ),
    (
        "a policy that wakes what is awake",
        P,
        "alarm = \"specimen-fridge.warm\"",
        "alarm = \"specimen-fridge.silent\"",
    ),
    ("a policy that silences what sleeps", P, "set = \"enable\"", "set = \"suppress\"\nat_most = \"1d\""),
    (
        "a policy that silences without an end",
        P,
        "alarm = \"specimen-fridge.warm\"\nset = \"enable\"",
        "alarm = \"specimen-fridge.silent\"\nset = \"suppress\"",
    ),
    (
        "a policy that silences for ever",
        P,
        "alarm = \"specimen-fridge.warm\"\nset = \"enable\"",
        "alarm = \"specimen-fridge.silent\"\nset = \"suppress\"\nat_most = \"60d\"",
    ),
    ("a policy with an end for a waking", P, "set = \"enable\"", "set = \"enable\"\nat_most = \"1d\""),
    ("a policy without a reason", P, "why = \"采样期间标本冷藏 2–8 °C\"", "why = \" \""),
    ("a policy for an alarm twice", P, "\"specimen-fridge.frost\"", "\"specimen-fridge.warm\""),
    (
        "a policy for a kiosk that is none",
        P,
        "[[step]]",
        "[[policy.kiosk]]\ndevice = \"reading-io\"\ntext = \"暂停服务\"\n\n[[step]]",
    ),
    (
        "a policy with an empty text",
        P,
        "[[step]]",
        "[[policy.kiosk]]\ndevice = \"kiosk-printer\"\ntext = \"\"\n\n[[step]]",
    ),
    ("an alarm enabled by a word", A, "enabled = false", "enabled = \"no\""),
];

fn report(case: &Case) -> String {
    let (title, file, find, replace) = case;
    let texts: Vec<(&str, String)> = FILES
        .iter()
        .map(|(name, text)| {
            if name == file {
                assert!(text.contains(find), "{title}: {find:?} is not in {file}");
                (*name, text.replacen(find, replace, 1))
            } else {
                (*name, (*text).to_owned())
            }
        })
        .collect();
    let given: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    match load_texts(&given) {
        Ok(_) => "nothing is said".to_owned(),
        Err(report) => report.to_string(),
    }
}

#[test]
fn the_example_is_right() {
    if let Err(report) = load_texts(&FILES) {
        panic!("{report}");
    }
}

#[test]
fn every_mistake_has_its_own_message() {
    assert!(CASES.len() >= 60);
    let mut told = String::new();
    let mut alike = Vec::new();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for case in CASES {
        let report = report(case);
        if let Some(other) = seen.insert(report.clone(), case.0) {
            alike.push(format!("{:?} and {other:?}: {report}", case.0));
        }
        let _ = writeln!(told, "# {}\n{report}\n", case.0);
    }
    assert!(alike.is_empty(), "told alike, or not at all:\n{}", alike.join("\n"));
    assert!(!seen.contains_key("nothing is said"), "nothing is said about {:?}", seen["nothing is said"]);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/wrong_configurations.txt");
    if std::env::var_os("LINLI_BLESS").is_some() {
        std::fs::write(&golden, &told).expect("writable");
    }
    let expect = std::fs::read_to_string(&golden).expect("the golden file");
    assert_eq!(told, expect);
}

#[test]
fn the_reference_page_is_that_of_the_code() {
    let page = include_str!("../../../docs/reference/config.md");
    let is_same = page == linli_config::schema::reference();
    assert!(is_same, "run: cargo run -- schema --markdown > docs/reference/config.md");
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    let committed: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/reference/linli.schema.json")).expect("JSON");
    let is_same = committed == linli_config::schema::all();
    assert!(is_same, "run: cargo run -- schema > docs/reference/linli.schema.json");
}
