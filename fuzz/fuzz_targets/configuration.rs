//! Any three texts are a configuration or a report of what is wrong with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_config::load_texts;

const GATEWAY: &str = include_str!("../../deploy/example/gateway.toml");
const FACILITY: &str = include_str!("../../deploy/example/facility.toml");
const DEVICES: &str = include_str!("../../deploy/example/devices.toml");

fuzz_target!(|input: (u8, u16, u16, String)| {
    // One of the files, with a part of it replaced: most mistakes are near something right.
    let (which, from, length, text) = input;
    let mut files = [
        ("gateway.toml", GATEWAY.to_owned()),
        ("facility.toml", FACILITY.to_owned()),
        ("devices.toml", DEVICES.to_owned()),
    ];
    let file = &mut files[usize::from(which % 3)].1;
    let mut start = usize::from(from) % (file.len() + 1);
    while !file.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (start + usize::from(length)).min(file.len());
    while !file.is_char_boundary(end) {
        end += 1;
    }
    file.replace_range(start..end, &text);
    let texts: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    if let Err(report) = load_texts(&texts) {
        assert!(!report.problems.is_empty());
        let _ = report.to_string();
    }
});
