//! Any registers decode to something for every built-in model; what is not a number is none.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use linli_domain::{DeviceClass, Id, Value};
use linli_drivers::modbus::TCP;
use linli_drivers::modbus::plan::{Data, DevicePlan, ModbusPlan, Table};
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::{Protocol, RawDevice, RawLine};

/// One device of every model.
static DEVICES: LazyLock<Vec<DevicePlan>> = LazyLock::new(|| {
    let profiles = ProfileSet::embedded();
    let devices: Vec<RawDevice> = profiles
        .iter()
        .enumerate()
        .map(|(index, profile)| RawDevice {
            id: Id::new(&format!("d{index}")).expect("an id"),
            name: String::new(),
            room: None,
            class: DeviceClass::Telemetry,
            unit: i64::try_from(index + 1).ok(),
            topic: None,
            token: None,
            serial: None,
            profile: profile.name().to_owned(),
            poll: Duration::from_secs(10),
        })
        .collect();
    let settings: toml::Table = "endpoint = \"192.0.2.1\"".parse().expect("TOML");
    let line =
        RawLine { id: Id::new("l").expect("an id"), settings, zone: linli_domain::timezone::Zone::utc() };
    let plan = TCP.plan(&line, &devices, &profiles).expect("every model together");
    let plan: &ModbusPlan = plan.as_any().downcast_ref().expect("Modbus");
    plan.devices.clone()
});

fuzz_target!(|input: (u8, Vec<u16>)| {
    let (model, words) = input;
    let device = &DEVICES[usize::from(model) % DEVICES.len()];
    let mut words = words.into_iter().cycle();
    for block in &device.blocks {
        let count = usize::from(block.span.count);
        let taken: Vec<u16> = words.by_ref().take(count).chain(std::iter::repeat(0)).take(count).collect();
        let data = match block.span.table {
            Table::Coil | Table::DiscreteInput => {
                Data::Bits(taken.iter().map(|word| word & 1 == 1).collect())
            }
            Table::InputRegister | Table::HoldingRegister => Data::Registers(taken),
        };
        device.decode(block, &data, |point, quality, value| {
            assert!(usize::from(point) < device.layout.points.len());
            match value {
                Some(Value::Float(float)) => assert!(float.is_finite()),
                None => assert!(!quality.is_good()),
                Some(_) => {}
            }
        });
    }
});
