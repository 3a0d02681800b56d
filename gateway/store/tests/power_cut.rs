//! The power is cut at every single change the store makes on the disk, in three ways; whatever
//! it had said before must hold when it is opened again.
//!
//! A child process works on a database with `power/cut.c` preloaded, which ends it at the n-th
//! change; n goes from one to the last. What the child had been told is on its output.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use linli_domain::command::State;
use linli_domain::{DeviceClass, Lane, Record, Topic};
use linli_store::Begun;

use crate::support::{self, NOW, command, event, layout, number_of, numbered, open, preloaded, waiting};

/// What a child was told before its power was cut.
#[derive(Debug, Default)]
struct ChildOutput {
    epoch: Option<String>,
    /// Durable records: number by seq.
    durable: BTreeMap<u64, u32>,
    /// Records it has allowed to be removed.
    acknowledged: BTreeSet<u64>,
    /// How far each command had come.
    commands: BTreeMap<String, usize>,
    ended: bool,
}

const FAR: [&str; 3] = ["begun", "sent", "done"];

impl ChildOutput {
    fn read(output: &str) -> Self {
        let mut told = Self::default();
        for line in output.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["open", epoch] => told.epoch = Some(epoch.to_owned()),
                ["durable", seq, number] => {
                    told.durable.insert(seq.parse().unwrap(), number.parse().unwrap());
                }
                ["acknowledged", seq] => drop(told.acknowledged.insert(seq.parse().unwrap())),
                ["closed"] => told.ended = true,
                [word, id] => {
                    if let Some(far) = FAR.iter().position(|far| *far == word) {
                        told.commands.insert(id.to_owned(), far);
                    }
                }
                _ => {}
            }
        }
        told
    }
}

/// What the child does. It says a thing only after the store has said it.
#[tokio::test]
#[ignore = "the process whose power is cut; the sweep starts it"]
async fn child() {
    let path = PathBuf::from(std::env::var_os("CUT_DATABASE").expect("started by the sweep"));
    let (store, opening) = open(&path).await;
    println!("\nopen {}", opening.epoch);
    let telemetry = layout("meter-1", DeviceClass::Telemetry, 2);
    let food = layout("fridge-1", DeviceClass::FoodSafety, 1);
    let from = u32::try_from(opening.backlog).unwrap() * 1000;
    for round in 0..3 {
        let number = from + round * 10;
        let records = [
            numbered(&telemetry, number),
            numbered(&food, number + 1),
            event(number + 2),
            numbered(&food, number + 3),
        ];
        for (record, number) in records.into_iter().zip(number..) {
            let seq = store.accept_durably(record).await.unwrap();
            println!("durable {seq} {number}");
        }
        let id = format!("{from}-{round}");
        let journal = store.journal();
        journal.begin(command(&id)).await.unwrap();
        println!("begun {id}");
        journal.advance(&id, &State::Sent, NOW).await.unwrap();
        println!("sent {id}");
        journal.advance_with(&id, &State::Done, NOW, event(number + 5)).await.unwrap();
        println!("done {id}");
        let first: Vec<u64> =
            waiting(&store.outbox(), Lane::Data).await.iter().take(2).map(|row| row.seq).collect();
        first.iter().for_each(|seq| println!("acknowledged {seq}"));
        store.outbox().acknowledge(first).await;
        support::settled(&store).await;
    }
    store.close().await;
    println!("closed");
}

/// Runs the child with its power cut at the nth change.
fn cut(library: &Path, data: &Path, at: usize, kind: &str) -> ChildOutput {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "power_cut::child", "--ignored", "--nocapture", "--test-threads", "1"])
        .env("LD_PRELOAD", library)
        .env("CUT_DATABASE", data.join("linli.db"))
        .env("CUT_DIR", data)
        .env("CUT_AT", at.to_string())
        .env("CUT_KIND", kind)
        .env("CUT_COUNT", "/dev/null")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let told = ChildOutput::read(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(told.ended, output.status.success(), "neither cut nor ended: {output:?}");
    told
}

/// Everything that was said holds.
async fn holds(data: &Path, told: &ChildOutput, before: &[(u64, u32)]) {
    let (store, opening) = open(&data.join("linli.db")).await;
    assert!(opening.set_aside.is_none(), "a power cut damages nothing: {opening:?}");
    if let Some(epoch) = &told.epoch {
        assert_eq!(*epoch, opening.epoch);
    }
    let mut there: BTreeMap<u64, u32> = BTreeMap::new();
    for lane in [Lane::Urgent, Lane::Data] {
        let rows = waiting(&store.outbox(), lane).await;
        there.extend(rows.iter().filter_map(|row| Some((row.seq, number_of(row)?))));
    }
    let accepted = before.iter().copied().chain(told.durable.iter().map(|(seq, number)| (*seq, *number)));
    for (seq, number) in accepted.filter(|(seq, _)| !told.acknowledged.contains(seq)) {
        assert_eq!(there.get(&seq), Some(&number), "record {seq} was accepted");
    }
    let journal = store.journal();
    for (id, far) in &told.commands {
        let Ok(Begun::Known(state)) = journal.begin(command(id)).await else {
            panic!("command {id} was journaled");
        };
        let reached = match state {
            State::Accepted => 0,
            State::Sent => 1,
            _ => 2,
        };
        assert!(reached >= *far, "command {id} had come to {}, the journal says {state:?}", FAR[*far]);
        // The answer and the state are one: neither without the other.
        let (from, round) = id.split_once('-').unwrap();
        let answer = from.parse::<u32>().unwrap() + round.parse::<u32>().unwrap() * 10 + 5;
        assert_eq!(there.values().any(|number| *number == answer), reached == 2, "command {id}: {state:?}");
    }
    let highest = there.keys().chain(told.durable.keys()).chain(&told.acknowledged).max().copied();
    let next = store.accept_durably(event(7)).await.unwrap();
    assert!(Some(next) > highest, "{next} was given out before");
    store.close().await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Sweeps every change of a child that begins with the files in `base`.
async fn sweep(base: &Path, before: &[(u64, u32)], kind: &str) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let library = preloaded(dir.path(), "cut");
    for at in 1.. {
        let data = dir.path().join(format!("{at}"));
        copy(base, &data);
        let told = cut(&library, &data, at, kind);
        holds(&data, &told, before).await;
        std::fs::remove_dir_all(&data).unwrap();
        if told.ended {
            return at - 1;
        }
    }
    unreachable!("the child ends some time")
}

#[tokio::test]
async fn nothing_accepted_is_lost_at_any_change() {
    let empty = tempfile::tempdir().unwrap();
    for kind in ["kept", "torn", "lost"] {
        let points = sweep(empty.path(), &[], kind).await;
        println!("{kind}: {points} points");
        assert!(points > 50, "only {points} points were swept: is the library preloaded?");
    }
}

#[tokio::test]
async fn nothing_accepted_is_lost_while_recovering_from_the_cut_before() {
    let dir = tempfile::tempdir().unwrap();
    let library = preloaded(dir.path(), "cut");
    let base = dir.path().join("base");
    std::fs::create_dir_all(&base).unwrap();
    let told = cut(&library, &base, 200, "lost");
    assert!(!told.ended && !told.durable.is_empty(), "{told:?}");
    let left = told.durable.iter().filter(|(seq, _)| !told.acknowledged.contains(seq));
    let before: Vec<(u64, u32)> = left.map(|(seq, number)| (*seq, *number)).collect();
    for kind in ["kept", "torn", "lost"] {
        let points = sweep(&base, &before, kind).await;
        assert!(points > 50, "{kind}: only {points} points were swept");
    }
}

#[tokio::test]
async fn a_damaged_database_is_told_of_wherever_the_power_is_cut_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let library = preloaded(dir.path(), "cut");
    let base = dir.path().join("base");
    std::fs::create_dir_all(&base).unwrap();
    let (store, opening) = open(&base.join("linli.db")).await;
    let device = layout("meter-1", DeviceClass::Telemetry, 1);
    for number in 1..=9 {
        store.accept_durably(numbered(&device, number)).await.unwrap();
    }
    store.close().await;
    std::fs::write(base.join("linli.db"), vec![0x5A; 20_000]).unwrap();
    for at in 1.. {
        let data = dir.path().join(format!("{at}"));
        copy(&base, &data);
        let told = cut(&library, &data, at, "lost");
        let (store, _) = open(&data.join("linli.db")).await;
        support::settled(&store).await;
        let urgent = waiting(&store.outbox(), Lane::Urgent).await;
        let ledger = urgent.iter().find_map(|row| match &row.record {
            Record::Message(message) if message.topic == Topic::LedgerEvent => Some(&message.body),
            _ => None,
        });
        let ledger =
            ledger.unwrap_or_else(|| panic!("cut at {at}: nobody tells of the lost records: {told:?}"));
        assert_eq!(ledger["of_epoch"], opening.epoch);
        assert_eq!((ledger["range"][0].as_u64(), ledger["reason"].as_str()), (Some(1), Some("damaged")));
        let next = store.accept_durably(event(7)).await.unwrap();
        assert!(next > 9, "cut at {at}: {next} was given out before");
        store.close().await;
        std::fs::remove_dir_all(&data).unwrap();
        if told.ended {
            assert!(at > 20, "only {at} points were swept");
            return;
        }
    }
}
