//! A technician's first hour: devices that are there and do not answer as configured, and what is said about each.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use linli_domain::{DeviceClass, Id};
use linli_drivers::modbus::codec::Order;
use linli_drivers::modbus::diagnosis::{Closed, Finding, Symptom, diagnose_on, place};
use linli_drivers::modbus::plan::{Medium, ModbusPlan, Parity, Table};
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::modbus::wire::crc16;
use linli_drivers::modbus::{Opener, RTU, RTU_OVER_TCP, Stream, TCP};
use linli_drivers::{Protocol, RawDevice, RawLine};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const PROFILE: &str = r#"
[[point]]
name = "power"
holding = 100
type = "f32"
unit = "W"
range = [-100000, 100000]

[[point]]
name = "state"
holding = 300
type = "u16"
unit = "1"
"#;

const OTHER: &str = r#"
[[identify]]
holding = 900
type = "u16"
plausible = [4711, 4711]

[[point]]
name = "level"
holding = 0
type = "u16"
unit = "m"
"#;

/// What is at the far end of a line: for how it was opened and a request (unit, function, start, count) an answer's
/// bytes after the unit, or raw bytes, or nothing.
type Device = Arc<dyn Fn(&Medium, &Asked) -> Reply + Send + Sync>;

#[derive(Debug, Clone)]
struct Asked {
    unit: u8,
    function: u8,
    start: u16,
    count: u16,
    frame: Vec<u8>,
    transaction: Option<u16>,
}

enum Reply {
    Nothing,
    /// Registers, framed as the request was.
    Words(Vec<u16>),
    /// The same, of another unit.
    WordsOf(u8, Vec<u16>),
    Exception(u8),
    Raw(Vec<u8>),
    /// What it says, so many milliseconds later.
    Late(u64, Box<Self>),
    Close,
}

struct Far(Medium, Device);

impl Opener for Far {
    fn open(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        let (near, far) = tokio::io::duplex(4096);
        tokio::spawn(serve(far, self.0.clone(), Arc::clone(&self.1)));
        async { Ok(Box::new(near) as Box<dyn Stream>) }.boxed()
    }
}

struct Broken(io::ErrorKind, &'static str);

impl Opener for Broken {
    fn open(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        let error = io::Error::new(self.0, self.1);
        async { Err(error) }.boxed()
    }
}

async fn serve(mut far: DuplexStream, medium: Medium, device: Device) {
    let is_tcp = matches!(medium, Medium::Tcp { .. });
    let mut frame = vec![0; if is_tcp { 12 } else { 8 }];
    while far.read_exact(&mut frame).await.is_ok() {
        let body = if is_tcp { &frame[6..] } else { &frame[..6] };
        let pair = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        let asked = Asked {
            unit: body[0],
            function: body[1],
            start: pair(2),
            count: pair(4),
            frame: frame.clone(),
            transaction: is_tcp.then(|| u16::from_be_bytes([frame[0], frame[1]])),
        };
        tokio::time::sleep(Duration::from_millis(5)).await;
        let mut reply = device(&medium, &asked);
        if let Reply::Late(ms, later) = reply {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            reply = *later;
        }
        let bytes = match reply {
            Reply::Nothing => continue,
            Reply::Close | Reply::Late(..) => return,
            Reply::Raw(bytes) => bytes,
            Reply::Exception(code) => asked.framed(asked.unit, &[asked.function | 0x80, code]),
            Reply::Words(words) => asked.framed(asked.unit, &asked.body(&words)),
            Reply::WordsOf(unit, words) => asked.framed(unit, &asked.body(&words)),
        };
        if far.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

impl Asked {
    fn body(&self, words: &[u16]) -> Vec<u8> {
        let mut body = vec![self.function, u8::try_from(2 * words.len()).unwrap()];
        body.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        body
    }

    fn framed(&self, unit: u8, body: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        if let Some(transaction) = self.transaction {
            frame.extend(transaction.to_be_bytes());
            frame.extend([0, 0]);
            frame.extend(u16::try_from(body.len() + 1).unwrap().to_be_bytes());
        }
        frame.push(unit);
        frame.extend(body);
        if self.transaction.is_none() {
            frame.extend(crc16(&frame).to_le_bytes());
        }
        frame
    }

    /// What these registers hold; an exception where one of them is none.
    fn of(&self, table: Table, held: impl Fn(u16) -> Option<u16>) -> Reply {
        let function = if table == Table::HoldingRegister { 3 } else { 4 };
        if self.function != function {
            return Reply::Exception(1);
        }
        let words: Option<Vec<u16>> = (0..self.count).map(|i| held(self.start.checked_add(i)?)).collect();
        words.map_or(Reply::Exception(2), Reply::Words)
    }
}

/// 1234.5 W at an address, and a state 200 registers later.
fn meter(at: u16) -> impl Fn(u16) -> Option<u16> {
    let bits = 1234.5_f32.to_bits();
    move |address| match address {
        _ if address == at => Some((bits >> 16) as u16),
        _ if address == at + 1 => Some((bits & 0xFFFF) as u16),
        _ if address == at + 200 => Some(7),
        _ => None,
    }
}

fn set() -> ProfileSet {
    let directory = tempfile::tempdir().unwrap();
    for (file, text) in [("meter.toml", PROFILE), ("tank.toml", OTHER)] {
        std::fs::write(directory.path().join(file), text).unwrap();
    }
    let (set, problems) = ProfileSet::embedded().extended(directory.path());
    assert!(problems.is_empty(), "{problems:?}");
    set
}

fn plan(kind: &dyn Protocol, devices: &[(u8, &str)]) -> ModbusPlan {
    let serial = "port = \"/dev/ttyUSB0\"\nbaud = 9600\ntimeout = \"200ms\"";
    let endpoint = "endpoint = \"192.0.2.1:502\"\ntimeout = \"200ms\"";
    let settings = if kind.kind() == "modbus_rtu" { serial } else { endpoint };
    let line = RawLine {
        id: Id::new("bus").unwrap(),
        settings: settings.parse().unwrap(),
        zone: linli_domain::timezone::Zone::utc(),
    };
    let device = |(unit, profile): &(u8, &str)| RawDevice {
        id: Id::new(&format!("d{unit}")).unwrap(),
        name: String::new(),
        room: None,
        class: DeviceClass::Telemetry,
        unit: Some(i64::from(*unit)),
        topic: None,
        serial: None,
        token: None,
        profile: (*profile).to_owned(),
        poll: Duration::from_secs(10),
    };
    let devices: Vec<RawDevice> = devices.iter().map(device).collect();
    let plan = kind.plan(&line, &devices, &set()).expect("a good line");
    plan.as_any().downcast_ref::<ModbusPlan>().unwrap().clone()
}

async fn found(
    kind: &dyn Protocol,
    devices: &[(u8, &str)],
    far: impl Fn(&Medium, &Asked) -> Reply + Send + Sync + 'static,
) -> Vec<Finding> {
    let (plan, far): (_, Device) = (plan(kind, devices), Arc::new(far));
    let reach = |medium: &Medium| Box::new(Far(medium.clone(), Arc::clone(&far))) as Box<dyn Opener>;
    let found = diagnose_on(&plan, &set(), &reach).await;
    for finding in &found {
        let sentence = finding.symptom.sentence(&place(&plan));
        assert!(!sentence.zh.is_empty() && !sentence.en.is_empty(), "{finding:?}");
        assert!(!sentence.zh.is_ascii() && sentence.en.is_ascii(), "{sentence}");
    }
    found
}

/// The only finding, as its English sentence.
fn only(kind: &dyn Protocol, devices: &[(u8, &str)], found: &[Finding]) -> String {
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].symptom.sentence(&place(&plan(kind, devices))).en
}

const METER: [(u8, &str); 1] = [(1, "site/meter")];

#[tokio::test(start_paused = true)]
async fn a_line_that_is_well_has_no_findings() {
    for kind in [&RTU, &RTU_OVER_TCP, &TCP] {
        let well = found(kind, &METER, |_, asked| asked.of(Table::HoldingRegister, meter(100))).await;
        assert_eq!(well, Vec::new(), "{}", kind.kind());
    }
}

#[tokio::test(start_paused = true)]
async fn other_settings_of_the_port_are_found() {
    for (baud, parity, stop_bits, option) in [
        (19_200, Parity::None, 1, "baud = 19200"),
        (4800, Parity::None, 1, "baud = 4800"),
        (9600, Parity::Even, 1, "parity = \"even\""),
        (9600, Parity::Odd, 1, "parity = \"odd\""),
        (9600, Parity::None, 2, "stop_bits = 2"),
        (19_200, Parity::Even, 1, "baud = 19200, parity = \"even\""),
    ] {
        for noise in [false, true] {
            let far = move |medium: &Medium, asked: &Asked| {
                let Medium::Rtu(serial) = medium else { return Reply::Nothing };
                if (serial.baud, serial.parity, serial.stop_bits) == (baud, parity, stop_bits) {
                    return asked.of(Table::HoldingRegister, meter(100));
                }
                if noise { Reply::Raw(vec![0x00, 0xFE, 0x80, 0xE6]) } else { Reply::Nothing }
            };
            let found = found(&RTU, &METER, far).await;
            let sentence = only(&RTU, &METER, &found);
            assert!(sentence.contains(option), "{baud} {parity:?} {stop_bits}: {sentence}");
            assert!(matches!(found[0], Finding { device: None, symptom: Symptom::OtherSettings(_) }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_where_nobody_answers_says_what_to_look_at() {
    let silent = found(&RTU, &METER, |_, _| Reply::Nothing).await;
    let sentence = only(&RTU, &METER, &silent);
    assert!(
        sentence.contains("A and B") && sentence.contains("power") && sentence.contains("unit"),
        "{sentence}"
    );
    // Swapped wires invert what arrives.
    let inverted =
        found(&RTU, &METER, |_, asked| Reply::Raw(asked.frame.iter().map(|byte| !byte).collect())).await;
    let sentence = only(&RTU, &METER, &inverted);
    assert!(sentence.contains("A and B are swapped") && sentence.contains("baud"), "{sentence}");
    let echo = found(&RTU, &METER, |_, asked| Reply::Raw(asked.frame.clone())).await;
    assert!(only(&RTU, &METER, &echo).contains("echo"), "{echo:?}");
    let connected = found(&TCP, &METER, |_, _| Reply::Nothing).await;
    assert_eq!(connected[0].symptom, Symptom::Silence { is_serial: false });
}

#[tokio::test(start_paused = true)]
async fn what_listens_and_is_not_modbus_or_packs_frames_otherwise_is_named() {
    let banner = |_: &Medium, _: &Asked| Reply::Raw(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec());
    assert_eq!(found(&TCP, &METER, banner).await[0].symptom, Symptom::NoModbus);
    assert_eq!(found(&TCP, &METER, |_, _| Reply::Close).await[0].symptom, Symptom::NoModbus);
    let page = |_: &Medium, _: &Asked| Reply::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    assert_eq!(found(&TCP, &METER, page).await[0].symptom, Symptom::NoModbus);
    for (kind, other) in [(&TCP, "modbus_rtu_over_tcp"), (&RTU_OVER_TCP, "modbus_tcp")] {
        let far = move |medium: &Medium, asked: &Asked| {
            let is_other = matches!(medium, Medium::Tcp { .. }) == (other == "modbus_tcp");
            if is_other { asked.of(Table::HoldingRegister, meter(100)) } else { Reply::Nothing }
        };
        assert_eq!(found(kind, &METER, far).await[0].symptom, Symptom::OtherKind(other));
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_slower_than_the_line_waits_is_named() {
    for kind in [&RTU as &dyn Protocol, &RTU_OVER_TCP, &TCP] {
        for (late, says) in [(300, "set timeout = \"7"), (1200, "set timeout = \"")] {
            let far = move |_: &Medium, asked: &Asked| {
                Reply::Late(late, Box::new(asked.of(Table::HoldingRegister, meter(100))))
            };
            let slow = found(kind, &METER, far).await;
            let sentence = only(kind, &METER, &slow);
            assert!(sentence.contains("later than timeout"), "{} {late}: {sentence}", kind.kind());
            assert!(sentence.contains(says), "{} {late}: {sentence}", kind.kind());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_unit_id_is_found() {
    let far = |_: &Medium, asked: &Asked| match asked.unit {
        5 => asked.of(Table::HoldingRegister, meter(100)),
        _ => Reply::Nothing,
    };
    for kind in [&RTU, &TCP] {
        let found = found(kind, &METER, far).await;
        assert_eq!(found[0].symptom, Symptom::Missing { others: vec![5] }, "{}", kind.kind());
        assert!(only(kind, &METER, &found).contains("unit = 5"));
    }
    // One of two devices is gone, and nobody else is there.
    let two = [(5, "site/meter"), (6, "site/meter")];
    let one = found(&RTU, &two, far).await;
    assert_eq!(
        one,
        [Finding { device: Some(Id::new("d6").unwrap()), symptom: Symptom::Missing { others: vec![] } }]
    );
    let always_1 = |_: &Medium, asked: &Asked| match asked.of(Table::HoldingRegister, meter(100)) {
        Reply::Words(words) => Reply::WordsOf(1, words),
        other => other,
    };
    let seven = [(7, "site/meter")];
    let found = found(&TCP, &seven, always_1).await;
    assert_eq!(found[0].symptom, Symptom::OtherUnit(1));
    assert!(only(&TCP, &seven, &found).contains("unit_mismatch"));
}

#[tokio::test(start_paused = true)]
async fn addresses_of_manuals_and_other_tables_are_found() {
    let to = |found: &[Finding]| match &found[0].symptom {
        Symptom::OtherAddress { to, .. } => *to,
        other => panic!("{other:?}"),
    };
    for at in [99, 101] {
        let far = move |_: &Medium, asked: &Asked| asked.of(Table::HoldingRegister, meter(at));
        assert_eq!(to(&found(&RTU, &METER, far).await), (Table::HoldingRegister, at), "refused beside {at}");
        // A device that answers every address, with all bits or 0 where nothing is.
        for blank in [0xFFFF, 0] {
            let far = move |_: &Medium, asked: &Asked| {
                asked.of(Table::HoldingRegister, |address| meter(at)(address).or(Some(blank)))
            };
            assert_eq!(
                to(&found(&RTU, &METER, far).await),
                (Table::HoldingRegister, at),
                "{blank:x} beside {at}"
            );
        }
    }
    let input = |_: &Medium, asked: &Asked| asked.of(Table::InputRegister, meter(100));
    assert_eq!(to(&found(&TCP, &METER, input).await), (Table::InputRegister, 100));
    let nowhere = |_: &Medium, asked: &Asked| asked.of(Table::HoldingRegister, meter(1000));
    assert_eq!(
        found(&TCP, &METER, nowhere).await[0].symptom,
        Symptom::Refused { point: "power".to_owned(), code: 2 }
    );
}

#[tokio::test(start_paused = true)]
async fn another_order_of_bytes_is_found() {
    let [a, b, c, d] = 1234.5_f32.to_be_bytes();
    for (order, bytes) in
        [(Order::Cdab, [c, d, a, b]), (Order::Badc, [b, a, d, c]), (Order::Dcba, [d, c, b, a])]
    {
        let far = move |_: &Medium, asked: &Asked| {
            asked.of(Table::HoldingRegister, |address| match address {
                100 => Some(u16::from_be_bytes([bytes[0], bytes[1]])),
                101 => Some(u16::from_be_bytes([bytes[2], bytes[3]])),
                _ => Some(0),
            })
        };
        let found = found(&RTU, &METER, far).await;
        assert_eq!(found[0].symptom, Symptom::OtherOrder { point: "power".to_owned(), order });
    }
}

#[tokio::test(start_paused = true)]
async fn busy_damaged_unreached_and_other_models_are_named() {
    let busy = found(&RTU, &METER, |_, _| Reply::Exception(6)).await;
    assert_eq!(busy[0].symptom, Symptom::Busy);
    for code in [10, 11] {
        let gateway = found(&TCP, &METER, move |_, _| Reply::Exception(code)).await;
        assert_eq!(gateway[0].symptom, Symptom::NotReached(code));
    }
    let two = [(1, "site/meter"), (2, "site/meter")];
    let damaged = found(&RTU, &two, |_, asked| match asked.unit {
        1 => asked.of(Table::HoldingRegister, meter(100)),
        2 => Reply::Raw(vec![2, 3, 4, 0, 0, 0, 0, 1, 1]),
        _ => Reply::Nothing,
    });
    let damaged = damaged.await;
    assert_eq!(damaged, [Finding { device: Some(Id::new("d2").unwrap()), symptom: Symptom::Damaged }]);
    let tank = [(1, "site/tank")];
    let meter = found(&RTU, &tank, |_, asked| asked.of(Table::HoldingRegister, |_| Some(220))).await;
    assert!(matches!(&meter[0].symptom, Symptom::OtherModel { .. }), "{meter:?}");
}

#[tokio::test(start_paused = true)]
async fn why_a_line_cannot_be_opened_is_named_with_what_helps() {
    for (kind, error, text, closed, option) in [
        (&RTU, io::ErrorKind::NotFound, "No such file or directory", Closed::NoSuchPort, "by-id"),
        (&RTU, io::ErrorKind::PermissionDenied, "Permission denied", Closed::NotAllowed, "dialout"),
        (&RTU, io::ErrorKind::Other, "Device or resource busy", Closed::InUse, "fuser"),
        (
            &RTU,
            io::ErrorKind::Other,
            "Unable to acquire exclusive lock on serial port",
            Closed::InUse,
            "fuser",
        ),
        (&RTU, io::ErrorKind::Other, "Inappropriate ioctl for device", Closed::NoPort, "no serial port"),
        (&TCP, io::ErrorKind::ConnectionRefused, "Connection refused", Closed::Refused, "502"),
        (&TCP, io::ErrorKind::TimedOut, "no connection in time", Closed::NoHost, "cable"),
        (&TCP, io::ErrorKind::HostUnreachable, "No route to host", Closed::NoHost, "network"),
        (
            &TCP,
            io::ErrorKind::Other,
            "failed to lookup address information: Name or service not known",
            Closed::UnknownName,
            "IP address",
        ),
    ] {
        let plan = plan(kind, &METER);
        let reach = |_: &Medium| Box::new(Broken(error, text)) as Box<dyn Opener>;
        let found = diagnose_on(&plan, &set(), &reach).await;
        assert_eq!(found.len(), 1, "told once, not for each device");
        assert!(matches!(&found[0].symptom, Symptom::Closed(is, _) if *is == closed), "{found:?}");
        let sentence = found[0].symptom.sentence(&place(&plan));
        assert!(sentence.en.contains(option) && sentence.en.contains(&place(&plan)), "{sentence}");
    }
}
