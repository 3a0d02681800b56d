//! The same node on other makers' chips, and a board from blank to updated by the technician's tool.

use linli_tests::emulator::{Bench, built};
use linli_tests::firmware::{Answer, Node, Said, node};
use linli_tests::{Workspace, linli};
use linli_wire::board::Board;
use linli_wire::config;
use linli_wire::identity::{BootState, status};
use linli_wire::map;
use linli_wire::update::{Command, Message, Refusal};
use linli_wire::version::Version;

const FACTORY_UNIT: u8 = 247;

#[tokio::test(flavor = "multi_thread")]
async fn the_lm3s6965_measures_and_keeps_its_configuration_in_the_eeprom() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    let mut emulator = bench.lm3s6965().await?;
    emulator.warm("t0", -12_500)?;
    let mut client = Node::on(&bench.line, FACTORY_UNIT)?;
    let new = client.awake()?;
    assert_eq!(new.board, Board::Lm3s6965evb.code());
    assert_ne!(new.status & status::CONFIG_DEFAULT, 0, "nobody has configured it");
    measured(&mut client, -1250)?;
    assert_eq!(
        client.refusal(&Message::order(Command::Activate, 1))?,
        Some(Refusal::NotSupported),
        "the emulator's flash cannot be written, and the node says so"
    );

    // A name, an offset and another address; the address is tried first, then kept.
    let name = map::config::NAME;
    assert_eq!(client.write(name, &[0x4B69, 0x7463, 0x6865, 0x6E00])?, Answer::Done);
    assert_eq!(client.write(map::config::OFFSETS, &[250])?, Answer::Done);
    assert_eq!(client.write(map::config::UNIT.address, &[17])?, Answer::Done);
    assert_eq!(client.write(map::commit::COMMIT.address, &[config::COMMIT])?, Answer::Done);
    client.unit = 17;
    client.awake()?;
    assert_eq!(client.write(map::commit::COMMIT.address, &[config::CONFIRM])?, Answer::Done);
    emulator.cut()?;

    let mut emulator = bench.lm3s6965().await?;
    emulator.warm("t0", -12_500)?;
    let kept = client.awake()?;
    assert_eq!(kept.status & status::CONFIG_DEFAULT, 0, "it came from the EEPROM");
    assert_eq!(client.read(3, name, 4)?, [0x4B69, 0x7463, 0x6865, 0x6E00]);
    measured(&mut client, -1000)?;

    let time = client.read(4, 0x0190, 2)?;
    let time = i64::from(time[0]) << 16 | i64::from(time[1]);
    let apart = (time - linli_tests::now_ms() / 1000).abs();
    assert!(apart < 86_400, "the clock on the bus is {apart} s away from the host's");
    Ok(())
}

/// Waits until the first point shows that value, in hundredths of a degree.
fn measured(client: &mut Node, hundredths: i32) -> anyhow::Result<()> {
    let mut seen = Vec::new();
    for _ in 0..400 {
        seen = client.read(4, map::points::POINT, 3)?;
        let value = (u32::from(seen[0]) << 16 | u32::from(seen[1])).cast_signed();
        if value == hundredths && seen[2] == 0 {
            return Ok(());
        }
    }
    anyhow::bail!("{hundredths} was never measured, but {seen:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_field_board_says_who_it_is_and_that_its_probes_are_missing() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    let _emulator = bench.netduinoplus2().await?;
    let mut client = Node::on(&bench.line, FACTORY_UNIT)?;
    let identity = client.awake()?;
    assert_eq!(identity.board, Board::Stm32f405.code());
    assert_eq!((identity.points, identity.inputs), (2, 1));
    // The emulated chip has no pins: the bus is seen as held, and no value is made up.
    for _ in 0..400 {
        let point = client.read(4, map::points::POINT, 3)?;
        let value = (u32::from(point[0]) << 16 | u32::from(point[1])).cast_signed();
        assert_eq!(value, linli_wire::point::NO_VALUE);
        if client.identity()?.status & status::SENSOR_FAULTY != 0 {
            return Ok(());
        }
    }
    anyhow::bail!("it never says that its probes are missing")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_technicians_tool_brings_a_blank_board_to_life_and_updates_it() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    let _emulator = bench.mps2("boot.elf").await?;
    let (port, key) = (bench.line.to_string_lossy().into_owned(), built("mps2-an385", "trusted.pub")?);
    let key = format!("file:{}", key.display());
    for (minor, how) in [(1, &["--recover"][..]), (2, &["--unit", "247"])] {
        let file = workspace.path("node.llfw");
        std::fs::write(&file, node(Said { board: Board::Mps2An385.code(), minor, security: 1 })?)?;
        let file = file.to_string_lossy().into_owned();
        // A busy host may break it off; what was broken off goes on where it was.
        let mut reported = String::new();
        for _ in 0..5 {
            let done = linli(&[&["flash", &file, "--port", &port, "--key", &key], how].concat()).await?;
            reported = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
            if done.status.success() {
                break;
            }
        }
        let mut client = Node::on(&bench.line, FACTORY_UNIT)?;
        let runs = client.awake()?;
        let wanted = (Version::new(1, minor, 0), BootState::Confirmed.code());
        assert_eq!((runs.firmware, runs.boot), wanted, "{reported}");
    }
    Ok(())
}
