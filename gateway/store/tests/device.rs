//! A disk that fails is not a full disk: nothing is given up for it, and work goes on as soon as
//! it writes again. A quota that is used up is a full disk, though the file system has space.
//!
//! A child process works with `power/fail.c` preloaded, which makes every write fail with the
//! number in a file, for as long as that file is there.

use std::path::{Path, PathBuf};
use std::process::Command;

use linli_domain::{DeviceClass, Lane};
use linli_store::Status;

use crate::support::{event, layout, numbered, open, preloaded, waiting};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;

/// Accepts records, then one that cannot be written, then one more when the disk writes again.
#[tokio::test]
#[ignore = "the process whose disk fails; the tests below start it"]
async fn child() {
    let data = PathBuf::from(std::env::var_os("FAIL_DIR").expect("started by a test below"));
    let fault = PathBuf::from(std::env::var_os("FAIL_FILE").unwrap());
    let number = std::env::var("FAIL_WITH").unwrap();
    let (store, opening) = open(&data.join("linli.db")).await;
    let device = layout("meter-1", DeviceClass::Telemetry, 1);
    for number in 1..=100 {
        store.accept_durably(numbered(&device, number)).await.unwrap();
    }
    std::fs::write(&fault, &number).unwrap();
    let refused = store.accept_durably(event(1)).await;
    assert!(refused.is_err(), "{refused:?}");
    println!("\nFAILED {}", serde_json::to_string(&*store.status().borrow()).unwrap());
    std::fs::remove_file(&fault).unwrap();
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while store.accept_durably(event(2)).await.is_err() {
        assert!(tokio::time::Instant::now() < until, "the store never writes again");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    println!("\nHEALED {}", serde_json::to_string(&*store.status().borrow()).unwrap());
    assert!(opening.set_aside.is_none());
    store.close().await;
}

/// The status after the failure, and after the disk writes again.
fn run(data: &Path, fault: &Path, library: &Path, number: i32) -> (serde_json::Value, serde_json::Value) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "device::child", "--ignored", "--nocapture", "--test-threads", "1"])
        .env("LD_PRELOAD", library)
        .env("FAIL_DIR", data)
        .env("FAIL_FILE", fault)
        .env("FAIL_WITH", number.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let status = |word: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(word)).expect("the child says it");
        serde_json::from_str(line).unwrap()
    };
    (status("FAILED "), status("HEALED "))
}

async fn outcome(number: i32) -> (serde_json::Value, serde_json::Value, usize) {
    let dir = tempfile::tempdir().unwrap();
    let library = preloaded(dir.path(), "fail");
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let (failed, healed) = run(&data, &dir.path().join("fault"), &library, number);
    let names = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("corrupt")), "set aside");
    let (store, _) = open(&data.join("linli.db")).await;
    let left = waiting(&store.outbox(), Lane::Data).await.len();
    store.close().await;
    (failed, healed, left)
}

#[tokio::test]
async fn an_io_error_is_the_device_and_costs_no_record() {
    let (failed, healed, left) = outcome(EIO).await;
    assert_eq!((&failed["writable"], &failed["device_failed"]), (&false.into(), &true.into()), "{failed}");
    assert_eq!(failed["disk_full"], false, "{failed}");
    assert!(failed["device_failures"].as_u64() > Some(0), "{failed}");
    assert_eq!((&failed["given_up"], &failed["set_aside"]), (&0.into(), &0.into()), "{failed}");
    assert_eq!((&healed["writable"], &healed["device_failed"]), (&true.into(), &false.into()), "{healed}");
    assert_eq!(left, 100, "no record made room for anything");
}

#[tokio::test]
async fn no_space_and_no_quota_are_a_full_disk() {
    for number in [ENOSPC, EDQUOT] {
        let (failed, healed, _) = outcome(number).await;
        assert_eq!(
            (&failed["disk_full"], &failed["device_failed"]),
            (&true.into(), &false.into()),
            "{failed}"
        );
        assert_eq!((&failed["device_failures"], &failed["set_aside"]), (&0.into(), &0.into()), "{failed}");
        assert_eq!(healed["writable"], true, "{healed}");
    }
}

/// The names above are those of the status.
#[test]
fn the_status_says_it_in_these_words() {
    let status = serde_json::to_value(Status::default()).unwrap();
    for word in
        ["writable", "device_failed", "device_failures", "disk_full", "given_up", "set_aside", "undecodable"]
    {
        assert!(!status[word].is_null(), "{word}");
    }
}
