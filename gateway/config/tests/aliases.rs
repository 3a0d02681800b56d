//! An output of a plan has one name. Each case adds a second way to the door or the lamps of the reading room (unit 4
//! on 192.0.2.20:502: holding register 0, coil 0), before and after the entry that the plan uses, and gives the plan
//! either of the two.

use std::path::Path;

use linli_config::{load, load_texts};

const FILES: [(&str, &str); 7] = [
    ("gateway.toml", include_str!("../../../deploy/example/gateway.toml")),
    ("facility.toml", include_str!("../../../deploy/example/facility.toml")),
    ("devices.toml", include_str!("../../../deploy/example/devices.toml")),
    ("alarms.toml", include_str!("../../../deploy/example/alarms.toml")),
    ("matters.toml", include_str!("../../../deploy/example/matters.toml")),
    (
        "plans/reading-room.sampling@1.toml",
        include_str!("../../../deploy/example/plans/reading-room.sampling@1.toml"),
    ),
    (
        "plans/reading-room.from-sampling@1.toml",
        include_str!("../../../deploy/example/plans/reading-room.from-sampling@1.toml"),
    ),
];

/// Where the added entry stands.
#[derive(Debug, Clone, Copy)]
enum Order {
    First,
    Last,
}

/// A line and a device on it that has the profile of the room's controller.
fn second(kind: &str, settings: &str, unit: u8) -> String {
    format!(
        "\n[[line]]\nid = \"side\"\nkind = \"{kind}\"\n{settings}\n\n[[device]]\nid = \"second\"\nroom = \"reading-room\"\n\
         line = \"side\"\nunit = {unit}\nprofile = \"generic/room-mode\"\npoll = \"2s\"\n"
    )
}

/// The problems of the example with that replaced in every file, and that entry added to its devices.
fn told(entry: &str, order: Order, replaced: &[(&str, &str)]) -> Vec<String> {
    let texts: Vec<(&str, String)> = FILES
        .iter()
        .map(|(name, text)| {
            let text = match (*name, order) {
                ("devices.toml", Order::First) => [entry, "\n", *text].concat(),
                ("devices.toml", Order::Last) => [*text, "\n", entry].concat(),
                _ => (*text).to_owned(),
            };
            (*name, replaced.iter().fold(text, |text, (from, to)| text.replace(from, to)))
        })
        .collect();
    let given: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    match load_texts(&given) {
        Ok(_) => Vec::new(),
        Err(report) => {
            report.problems.iter().map(|problem| format!("{}: {}", problem.file, problem.message)).collect()
        }
    }
}

/// Both orders, and the plan on either entry: refused, with both names and the plan.
#[track_caller]
fn refused(what: &str, entry: &str, replaced: &[(&str, &str)]) {
    for order in [Order::First, Order::Last] {
        for plan in ["reading-mode.", "second."] {
            // Fixtures and the fire zone read and set the device that the plan uses.
            let used = format!("\"{plan}");
            let replaced = [replaced, &[("\"reading-mode.", used.as_str())]].concat();
            let told = told(entry, order, &replaced);
            let is_named = |line: &String| {
                line.starts_with("devices.toml") && line.contains("reading-mode.") && line.contains("second.")
            };
            assert!(
                told.iter().any(is_named) && told.iter().any(|line| line.contains("reading-room.sampling@1")),
                "{what}, {order:?}, plan on {plan}: {told:#?}"
            );
        }
    }
}

#[track_caller]
fn allowed(what: &str, entry: &str, replaced: &[(&str, &str)]) {
    for order in [Order::First, Order::Last] {
        assert_eq!(told(entry, order, replaced), Vec::<String>::new(), "{what}, {order:?}");
    }
}

#[test]
fn the_same_server_on_another_line_is_refused() {
    refused("the same address", &second("modbus_tcp", "endpoint = \"192.0.2.20:502\"", 4), &[]);
    refused("the default port", &second("modbus_tcp", "endpoint = \"192.0.2.20\"", 4), &[]);
    refused("octal and short", &second("modbus_tcp", "endpoint = \"0300.0.532:502\"", 4), &[]);
    refused("mapped into IPv6", &second("modbus_tcp", "endpoint = \"[::ffff:192.0.2.20]:502\"", 4), &[]);
    refused("another framing", &second("modbus_rtu_over_tcp", "endpoint = \"192.0.2.20:502\"", 4), &[]);
    refused("a name beside an address", &second("modbus_tcp", "endpoint = \"plc.lan:502\"", 4), &[]);
    for (plan, other) in [
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "LOCALHOST."),
        ("127.1", "[::1]"),
        ("plc.lan", "PLC.LAN."),
        ("0.0.0.0", "127.0.1.1"),
    ] {
        let endpoint = format!("endpoint = \"{other}:502\"");
        let plan = format!("{plan}:502");
        refused(other, &second("modbus_tcp", &endpoint, 4), &[("192.0.2.20:502", &plan)]);
    }
    allowed("another address", &second("modbus_tcp", "endpoint = \"192.0.2.21:502\"", 4), &[]);
    allowed("another port", &second("modbus_tcp", "endpoint = \"192.0.2.20:503\"", 4), &[]);
    allowed("another unit", &second("modbus_tcp", "endpoint = \"192.0.2.20:502\"", 44), &[]);
    let other_name = second("modbus_tcp", "endpoint = \"plc-2.lan:502\"", 4);
    allowed("another name", &other_name, &[("192.0.2.20:502", "plc-1.lan:502")]);
}

/// Plans set the same register under both names: neither of the two is theirs alone.
#[test]
fn two_names_that_plans_set_are_refused() {
    let entry = second("modbus_tcp", "endpoint = \"192.0.2.20:502\"", 4);
    for order in [Order::First, Order::Last] {
        let told =
            told(&entry, order, &[("point = \"reading-mode.outdoor_air\"", "point = \"second.entry\"")]);
        let is_named = |line: &String| line.contains("second.entry") && line.contains("reading-mode.entry");
        assert!(told.iter().any(is_named), "{order:?}: {told:#?}");
    }
}

#[test]
fn a_unit_id_that_reaches_every_unit_is_refused() {
    refused("the broadcast address", &second("modbus_tcp", "endpoint = \"192.0.2.20:502\"", 0), &[]);
    let accepts = "endpoint = \"192.0.2.20:502\"\nunit_mismatch = \"accept\"";
    refused("a server that ignores it", &second("modbus_tcp", accepts, 77), &[]);
    // On the line itself as well.
    let beside = second("modbus_tcp", "endpoint = \"192.0.2.99:502\"", 0)
        .replace("line = \"side\"", "line = \"north-panel\"");
    let beside = beside.split("[[device]]").nth(1).map(|device| format!("[[device]]{device}")).unwrap();
    refused("the broadcast address on the line", &beside, &[]);
}

#[test]
fn the_same_serial_port_under_another_path_is_refused() {
    // Two lines on one port are refused at any rate; the path does not hide it.
    let port = "kind = \"modbus_rtu\"\nport = \"/dev/serial/by-id/usb-plc\"";
    let moved = [("kind = \"modbus_tcp\"\nendpoint = \"192.0.2.20:502\"", port)];
    let other = second("modbus_rtu", "port = \"/dev/serial/../serial//by-id/./usb-plc\"", 4);
    for order in [Order::First, Order::Last] {
        let told = told(&other, order, &moved);
        let is_named =
            |line: &String| line.contains("/dev/serial/by-id/usb-plc") && line.contains("garble each other");
        assert!(told.iter().any(is_named), "{order:?}: {told:#?}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ttyUSB0"), "").unwrap();
    std::os::unix::fs::symlink("ttyUSB0", folder.path().join("plc")).unwrap();
    let path = |name: &str| format!("port = \"{}\"", folder.path().join(name).display());
    let first = format!("kind = \"modbus_rtu\"\n{}", path("ttyUSB0"));
    let told = told(&second("modbus_rtu", &path("plc"), 4), Order::Last, &[(moved[0].0, &first)]);
    assert!(told.iter().any(|line| line.contains("garble each other")), "a symbolic link: {told:#?}");
}

/// A plug of Zigbee2MQTT that lights the lamps, and a second entry for it.
#[test]
fn the_same_topic_on_another_line_is_refused() {
    let plug = |id: &str, line: &str, topic: &str| {
        format!(
            "\n[[device]]\nid = \"{id}\"\nroom = \"reading-room\"\nline = \"{line}\"\ntopic = \"{topic}\"\n\
             profile = \"zigbee2mqtt/plug\"\npoll = \"10m\"\n"
        )
    };
    let line = |url: &str, base: &str| {
        format!(
            "\n[[line]]\nid = \"side\"\nkind = \"mqtt\"\nurl = \"mqtt://{url}\"\nbase = \"{base}\"\n\
             insecure = \"because the sensors have a network of their own\"\n"
        )
    };
    let lamps = "name = \"power\"\npoint = \"reading-mode.lamps\"";
    for (nth, (url, base, topic, is_same)) in [
        ("192.0.2.30:8883", "zigbee2mqtt", "reading/lamps", true),
        ("192.0.2.30", "zigbee2mqtt/reading", "lamps", true),
        ("192.0.542", "zigbee2mqtt", "reading/lamps/l1", true),
        ("broker.lan:1883", "zigbee2mqtt", "reading/lamps", true),
        // Another port of the machine may be the same broker: here the plain one.
        ("192.0.2.30:1884", "zigbee2mqtt", "reading/lamps", true),
        ("192.0.2.31:8883", "zigbee2mqtt", "reading/lamps", false),
        ("192.0.2.30:8883", "z2m-2", "reading/lamps", false),
        ("192.0.2.30:8883", "zigbee2mqtt", "reading/lamps-2", false),
    ]
    .into_iter()
    .enumerate()
    {
        for (used, other) in [("uv-plug", "second"), ("second", "uv-plug")] {
            for order in [Order::First, Order::Last] {
                let entry = [
                    plug("uv-plug", "zigbee", "reading/lamps"),
                    line(url, base),
                    plug("second", "side", topic),
                ];
                let set = format!("name = \"power\"\npoint = \"{used}.state\"");
                let told = told(&entry.concat(), order, &[(lamps, &set)]);
                let is_named =
                    |line: &String| line.contains("uv-plug.state") && line.contains("second.state");
                let expected = if is_same { told.iter().any(is_named) } else { told.is_empty() };
                assert!(
                    expected,
                    "{nth} {url} {base} {topic}, plan on {used} beside {other}, {order:?}: {told:#?}"
                );
            }
        }
    }
}

/// One kiosk's token at two listeners, and one coil under two fixtures.
#[test]
fn an_output_has_one_fixture() {
    let more = "\n[[fixture]]\nid = \"reading-light\"\nroom = \"hall\"\nkind = \"lighting\"\n\n[[fixture.set]]\nname = \"power\"\n\
                point = \"reading-mode.lamps\"\nwords = { on = true, off = false }\n";
    for (at, order) in [("[[fixture]]\nid = \"reading-door\"", "first"), ("[orders]", "last")] {
        let texts: Vec<(&str, String)> = FILES
            .iter()
            .map(|(name, text)| {
                let text = match (*name, order) {
                    ("facility.toml", "first") => text.replacen(at, &format!("{more}\n{at}"), 1),
                    ("facility.toml", _) => [*text, more].concat(),
                    _ => (*text).to_owned(),
                };
                (*name, text)
            })
            .collect();
        let given: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let told = load_texts(&given).err().map(|report| report.to_string()).unwrap_or_default();
        let names = ["reading-light.power", "reading-mode.lamps", "reading-room.sampling@1", "facility.toml"];
        assert!(names.iter().all(|name| told.contains(name)), "{order}: {told}");
    }
}

/// Profiles of the site that reach the door's register with more registers, or only read it.
#[test]
fn a_wider_register_is_refused_and_reading_it_is_not() {
    let point = |name: &str, more: &str| {
        format!(
            "vendor = \"site\"\nmodel = \"{name}\"\ntitle = \"T\"\ntitle_zh = \"测\"\nsource = \"test\"\n\n[[point]]\n\
             name = \"value\"\n{more}\n\n[[test]]\nholding = {{ 0 = \"0000 0000\" }}\nexpect = {{ value = EXPECT }}\n"
        )
    };
    let wide = point("wide", "holding = 0\ntype = \"u32\"\nunit = \"1\"\nwrite = { min = 0, max = 10 }");
    let read = point("read", "holding = 0\ntype = \"u32\"\nunit = \"1\"");
    let bit = point("bit", "holding = 0\ntype = \"bit\"\nbit = 0");
    let far = point("far", "holding = 9\ntype = \"u16\"\nunit = \"1\"\nwrite = { min = 0, max = 10 }");
    let far = far.replace("{ 0 = \"0000 0000\" }", "{ 9 = \"0000\" }");
    for (model, text, is_refused) in
        [("wide", wide, true), ("read", read, false), ("bit", bit, false), ("far", far, false)]
    {
        let text = text.replace("EXPECT", if model == "bit" { "false" } else { "0" });
        for order in [Order::First, Order::Last] {
            let told = in_a_directory(model, &text, order);
            let expected = if is_refused {
                ["second.value", "reading-mode.", "reading-room.sampling@1"]
                    .iter()
                    .all(|name| told.contains(name))
            } else {
                told.is_empty()
            };
            assert!(expected, "{model}, {order:?}: {told}");
        }
    }
}

/// What is said of the example with a second device of that profile on the controller's unit, and of the unit's bits.
fn in_a_directory(model: &str, profile: &str, order: Order) -> String {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let entry = second("modbus_tcp", "endpoint = \"192.0.2.20:502\"", 4)
        .replace("generic/room-mode", &format!("site/{model}"));
    for (name, text) in FILES {
        match (name, order) {
            ("devices.toml", Order::First) => put(name, &[&entry, "\n", text].concat()),
            ("devices.toml", Order::Last) => put(name, &[text, "\n", &entry].concat()),
            _ => put(name, text),
        }
    }
    put(&format!("devices/site/{model}.toml"), profile);
    load(folder.path()).err().map(|report| report.to_string()).unwrap_or_default()
}
