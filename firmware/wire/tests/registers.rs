//! The register map for people is made from the tables that the code uses.
//!
//! After a deliberate change: `LINLI_BLESS=1 cargo test -p linli-wire --test registers`, then read
//! the difference.

use std::fmt::Write;
use std::path::Path;

use linli_wire::board::Board;
use linli_wire::clock::Source;
use linli_wire::config::{self, Baud, CommitState, Parity};
use linli_wire::health::Counter;
use linli_wire::identity::{BootState, reset, status};
use linli_wire::kind::{KINDS, Sensor};
use linli_wire::map::{Access, BLOCKS, Space};
use linli_wire::quality::Reason;
use linli_wire::selftest::{Item, State as TestState, Verdict};
use linli_wire::update::{Command, Refusal, State};
use linli_wire::{log, update};

const HEAD: &str = "\
# 节点寄存器表 · Register map of a node

<!-- Made by `LINLI_BLESS=1 cargo test -p linli-wire --test registers`. Change the tables in
firmware/wire, not this file. -->

本表由固件和网关共用的表格生成，寄存器表版本 1。
任何 Modbus RTU 工具都可读取：地址从 0 计（与报文一致），32 位数高字在前，字节先填寄存器高位。
功能码 1、2、3、4、5、6、15、16；广播（地址 0）既不执行也不应答。空洞不可读（异常 2）。

Made from the tables that firmware and gateway share; map version 1. Any Modbus RTU tool can read
it: addresses count from 0 as in the frame, wide numbers have the high word first, bytes fill a
register from its high half. Functions 1, 2, 3, 4, 5, 6, 15, 16; broadcasts (unit 0) are neither
carried out nor answered. Holes cannot be read (exception 2).

```sh
mbpoll -m rtu -a 247 -b 9600 -P none -0 -t 3:hex -r 0 -c 23 -1 /dev/ttyUSB0   # who it is
mbpoll -m rtu -a 247 -b 9600 -P none -0 -t 3 -r 32 -c 4 -1 /dev/ttyUSB0       # its first point
```
";

fn document() -> String {
    let mut text = String::from(HEAD);
    for (space, title) in [
        (Space::Input, "输入寄存器（FC 4） · Input registers (FC 4)"),
        (Space::Holding, "保持寄存器（FC 3、6、16） · Holding registers (FC 3, 6, 16)"),
    ] {
        let _ = write!(text, "\n## {title}\n");
        for rows in BLOCKS.iter().filter(|rows| rows.iter().any(|row| row.space == space)) {
            let _ = write!(
                text,
                "\n### {}\n\n| 地址 address | 名称 name | 类型 type | | 含义 | meaning |\n|---|---|---|---|---|---|\n",
                rows[0].block
            );
            for row in *rows {
                let last = row.address + row.words * row.count - 1;
                let span = if last == row.address {
                    format!("0x{:04X}", row.address)
                } else {
                    format!("0x{:04X}–0x{last:04X}", row.address)
                };
                let many = if row.count > 1 { format!(" × {}", row.count) } else { String::new() };
                let access = match row.access {
                    Access::Read => "R",
                    Access::ReadWrite => "RW",
                    Access::Write => "W",
                };
                let name = row.name.to_lowercase();
                let _ = writeln!(
                    text,
                    "| {span} | `{name}` | {}{many} | {access} | {} | {} |",
                    row.kind, row.zh, row.en
                );
            }
        }
    }
    let _ = write!(
        text,
        "\n## 线圈和离散输入 · Coils and discrete inputs\n\n\
         线圈 0… 为继电器，写入即用默认租约；离散输入 0… 为开关量输入。数量见节点类型。\n\
         Coils from 0 are the relays, written with the configured lease; discrete inputs from 0 are the\n\
         digital inputs. How many there are depends on the kind.\n"
    );
    kinds(&mut text);
    codes(&mut text);
    text
}

fn kinds(text: &mut String) {
    let _ = write!(text, "\n## 节点类型 · Kinds\n");
    for kind in KINDS {
        let _ = write!(
            text,
            "\n### {} `{}` ({})\n\n{}\n\n{}.\n\n",
            kind.id, kind.name, kind.class, kind.zh, kind.en
        );
        let _ = writeln!(
            text,
            "| 位置 place | 名称 name | 含义 | 单位 unit | 来源 source |\n|---|---|---|---|---|"
        );
        for (at, point) in kind.points.iter().enumerate() {
            let Sensor::Lm75 { address } = point.sensor;
            let at = linli_wire::point::address(at as u16);
            let _ = writeln!(
                text,
                "| 0x{at:04X} | `{}` | {} | {} × 10^-{} | LM75 0x{address:02X} |",
                point.name, point.zh, point.unit, point.decimals
            );
        }
        for (at, input) in kind.inputs.iter().enumerate() {
            let _ = writeln!(text, "| discrete {at} | `{}` | {} | | |", input.name, input.zh);
        }
        for (at, relay) in kind.relays.iter().enumerate() {
            let _ = writeln!(text, "| coil {at} | `{}` | {} | | |", relay.name, relay.zh);
        }
    }
}

fn codes(text: &mut String) {
    macro_rules! table {
        ($title:literal, $code:ty) => {
            let _ = write!(
                text,
                "\n### {}\n\n| 代码 code | 词 word | 含义 | meaning |\n|---|---|---|---|\n",
                $title
            );
            for code in <$code>::ALL {
                let _ = writeln!(
                    text,
                    "| {} | `{}` | {} | {} |",
                    code.code(),
                    code.as_str(),
                    code.zh(),
                    code.en()
                );
            }
        };
    }
    let _ = write!(text, "\n## 代码 · Codes\n");
    table!("板型 · Boards", Board);
    table!("启动状态 · Boot states", BootState);
    for (title, names) in
        [("复位原因 · Causes of a reset", &reset::NAMES[..]), ("状态位 · Status bits", &status::NAMES[..])]
    {
        let _ = write!(text, "\n### {title}\n\n| 位 bit | 词 word | 含义 |\n|---|---|---|\n");
        for (bit, word, zh) in names {
            let _ = writeln!(text, "| {} | `{word}` | {zh} |", bit.trailing_zeros());
        }
    }
    let _ = write!(
        text,
        "\n质量：高字节 0 好、1 存疑、2 坏，低字节为原因。Quality: high byte 0 good, 1 uncertain, 2 bad; low byte the reason.\n"
    );
    table!("质量原因 · Reasons of a quality", Reason);
    table!("波特率 · Baud rates", Baud);
    table!("校验位 · Parity", Parity);
    let _ = write!(
        text,
        "\n提交寄存器写入值 · written to the commit register: 提交 commit 0x{:04X}、确认 confirm 0x{:04X}、放弃 discard 0x{:04X}、恢复出厂 factory 0x{:04X}。\n",
        config::COMMIT,
        config::CONFIRM,
        config::DISCARD,
        config::FACTORY
    );
    table!("提交状态 · States of the commit", CommitState);
    table!("配置拒绝原因 · Why a configuration is refused", config::Refusal);
    table!("时间来源 · Sources of the time", Source);
    table!("计数器 · Counters", Counter);
    table!("日志代码 · Codes of the log", log::Code);
    table!("自检状态 · States of the self-test", TestState);
    table!("自检项目 · Items of the self-test", Item);
    table!("自检结果 · Results of an item", Verdict);
    table!("升级命令 · Commands of an update", Command);
    table!("升级状态 · States of an update", State);
    table!("升级拒绝原因 · Why a message of an update is refused", Refusal);
    let _ = write!(
        text,
        "\n数据块最多 {} 字节，偏移和长度为 {} 的倍数。Chunks have at most {0} bytes; offset and length are multiples of {1}.\n",
        update::LONGEST_CHUNK,
        update::ALIGN
    );
}

#[test]
fn the_register_map_for_people_is_the_one_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocols/node-registers.md");
    let now = document();
    if std::env::var_os("LINLI_BLESS").is_some() {
        std::fs::write(&path, &now).expect("the document can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/protocols/node-registers.md");
    assert!(
        written == now,
        "docs/protocols/node-registers.md is not what the tables say; see this file's head"
    );
}
