//! The register map: one table, from which the addresses in code and the document for people come.
// tidy: table

use crate::field::{Field, Value};

/// Which of the two register spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// Input registers, read with FC 4.
    Input,
    /// Holding registers, read with FC 3, written with FC 6 and 16.
    Holding,
}

/// Who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only read.
    Read,
    /// Read and written.
    ReadWrite,
    /// Written; reads as 0.
    Write,
}

/// A row of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register {
    /// The block it belongs to.
    pub block: &'static str,
    /// Its word.
    pub name: &'static str,
    /// Which space it lies in.
    pub space: Space,
    /// Its first address.
    pub address: u16,
    /// Its type.
    pub kind: &'static str,
    /// Registers of one of it.
    pub words: u16,
    /// How many there are, one behind the other.
    pub count: u16,
    /// Who may do what.
    pub access: Access,
    /// What it means, in Chinese.
    pub zh: &'static str,
    /// What it means, in English.
    pub en: &'static str,
}

/// Declares a block: a module with an address for every single number, and its rows.
macro_rules! block {
    ($(#[$meta:meta])* $block:ident $space:ident $access:ident {
        $($field:ident : $kind:tt $(x $count:literal)? @ $address:literal $zh:literal $en:literal;)*
    }) => {
        $(#[$meta])*
        pub mod $block {
            use super::{Access, Register, Space};
            #[allow(unused_imports, reason = "not every block has single numbers")]
            use super::{Field, Value};

            $(block!(@const $field $kind $(x $count)? @ $address $en);)*

            /// Its rows.
            pub const ROWS: &[Register] = &[$(Register {
                block: stringify!($block),
                name: stringify!($field),
                space: Space::$space,
                address: $address,
                kind: block!(@name $kind),
                words: block!(@words $kind),
                count: 1 $(- 1 + $count)?,
                access: Access::$access,
                zh: $zh,
                en: $en,
            }),*];
        }
    };
    (@const $field:ident $kind:tt x $count:literal @ $address:literal $en:literal) => {
        #[doc = $en]
        pub const $field: u16 = $address;
    };
    (@const $field:ident $kind:tt @ $address:literal $en:literal) => {
        #[doc = $en]
        pub const $field: Field<$kind> = Field::at($address);
    };
    (@name point) => { "point" };
    (@name entry) => { "entry" };
    (@name output) => { "output" };
    (@name utf8) => { "utf-8" };
    (@name bytes) => { "bytes" };
    (@name $kind:tt) => { stringify!($kind) };
    (@words point) => { crate::point::WORDS };
    (@words entry) => { crate::log::ENTRY_WORDS };
    (@words output) => { 2 };
    (@words utf8) => { 1 };
    (@words bytes) => { 1 };
    (@words $kind:tt) => { <$kind as Value>::WORDS };
}

block! {
    /// Who the node is.
    identity Input Read {
        MAGIC: u16 @ 0x0000 "固定为 0x4C4C（“LL”）" "always 0x4C4C, \"LL\"";
        MAP_VERSION: u16 @ 0x0001 "寄存器表版本" "version of this map";
        BOARD: u16 @ 0x0002 "板型" "board";
        KIND: u16 @ 0x0003 "节点类型" "kind of node";
        FIRMWARE: u32 @ 0x0004 "固件版本：最高字节主版本，次高字节次版本，低 16 位修订" "firmware version: major in the highest byte, minor in the next, patch below";
        SECURITY: u16 @ 0x0006 "安全版本（防回退）" "security version, against rolling back";
        BOOT: u16 @ 0x0007 "启动状态" "boot state";
        SERIAL: u64 @ 0x0008 "序列号，0 为未写入" "serial number, 0 is none yet";
        RESET_CAUSE: u16 @ 0x000C "复位原因（位）" "cause of the last reset, bits";
        STATUS: u16 @ 0x000D "状态（位）" "status, bits";
        UPTIME: u32 @ 0x000E "运行秒数" "seconds since it started";
        POINTS: u16 @ 0x0010 "测点数" "number of points";
        POINTS_BASE: u16 @ 0x0011 "测点块的起始地址" "where the points begin";
        INPUTS: u16 @ 0x0012 "开关量输入数" "number of digital inputs";
        RELAYS: u16 @ 0x0013 "继电器数" "number of relays";
        IMAGE: u32 @ 0x0014 "运行镜像头的 CRC-32，0 为未知" "CRC-32 of the header of the image that runs, 0 is unknown";
        CHECK: u16 @ 0x0016 "以上寄存器的 CRC-16/MODBUS" "CRC-16/MODBUS of the registers above";
    }
}

block! {
    /// What it measures.
    points Input Read {
        POINT: point x 8 @ 0x0020 "测点：数值 i32、质量 u16、秒龄 u16；无值为 0x80000000" "a point: value i32, quality u16, age in seconds u16; 0x80000000 is no value";
    }
}

block! {
    /// Counters.
    health Input Read {
        COUNTER: u32 x 26 @ 0x0100 "计数器，见下表" "counters, see the table below";
        REFUSED: u16 x 32 @ 0x0140 "按原因计的升级拒绝次数" "refusals of updates, one register a reason";
    }
}

block! {
    /// The results of the self-test.
    selftest Input Read {
        STATE: u16 @ 0x0180 "自检状态" "state of the self-test";
        FAILED: u16 @ 0x0181 "未通过的项目（位）" "failed items, bits";
        AGE: u32 @ 0x0182 "距上次自检的秒数" "seconds since it ran";
        VERDICT: u16 x 8 @ 0x0184 "各项结果" "result of every item";
    }
}

block! {
    /// What time it is, for the log. Nothing in the node depends on it.
    clock Input Read {
        NOW: u32 @ 0x0190 "Unix 秒，0 为未知" "Unix seconds, 0 is unknown";
        SOURCE: u16 @ 0x0192 "时间来源" "where it comes from";
    }
}

block! {
    /// The log and its window.
    log Input Read {
        HEAD: u32 @ 0x0200 "最新日志的序号，0 为空" "sequence number of the newest entry, 0 is none";
        OLDEST: u32 @ 0x0202 "最旧日志的序号" "sequence number of the oldest entry kept";
        COUNT: u16 @ 0x0204 "窗口内的日志条数" "entries in the window";
        ENTRY: entry x 16 @ 0x0210 "日志：序号 u32、运行秒 u32、代码 u16、参数 u32" "an entry: sequence u32, uptime u32, code u16, argument u32";
    }
}

block! {
    /// How an update stands.
    update Input Read {
        STATE: u16 @ 0x0300 "升级状态" "state of the update";
        REASON: u16 @ 0x0301 "上次拒绝的原因，0 为无" "why the last message was refused, 0 is not";
        NEXT: u32 @ 0x0302 "期望的下一偏移" "next offset expected";
        TOTAL: u32 @ 0x0304 "镜像总字节数" "bytes of the whole image";
        SESSION: u32 @ 0x0306 "会话（镜像头的 CRC-32），0 为无" "session: CRC-32 of the header, 0 is none";
        VERSION: u32 @ 0x0308 "正在接收的版本" "version that is received";
        SECURITY: u16 @ 0x030A "正在接收的安全版本" "security version that is received";
        PROGRESS: u16 @ 0x030B "当前步骤的百分比" "percent of the present step";
        LONGEST: u16 @ 0x030C "数据块最大字节数" "bytes of the longest chunk";
        CAPACITY: u32 @ 0x030E "固件槽字节数，0 为不支持升级" "bytes of a slot, 0 if this board takes no updates";
        FLOOR: u16 @ 0x0310 "防回退计数：允许的最低安全版本" "anti-rollback: lowest security version taken";
        TRIAL: u16 @ 0x0311 "试运行剩余秒数，0 为不在试运行" "seconds left of the firmware's trial, 0 if it is not on trial";
    }
}

block! {
    /// The shadow of the configuration.
    config Holding ReadWrite {
        UNIT: u16 @ 0x0000 "地址 1–247" "address, 1 to 247";
        BAUD: u16 @ 0x0001 "波特率代码" "code of the baud rate";
        PARITY: u16 @ 0x0002 "校验位" "parity";
        GAP: u16 @ 0x0003 "帧间隔（100 µs），0 为标准值" "frame gap in 100 µs, 0 is the standard's";
        KIND: u16 @ 0x0004 "节点类型" "kind of node";
        SAMPLE: u16 @ 0x0005 "采样周期（毫秒）" "sample period in ms";
        FILTER: u16 @ 0x0006 "新采样的权重（%）" "weight of a new sample in percent";
        LEASE: u16 @ 0x0007 "默认租约（秒）" "lease of an output set without one, in s";
        SAFE: u16 @ 0x0008 "继电器安全状态（位）" "relays that are on in their safe state, bits";
        INVERTED: u16 @ 0x0009 "取反的输入（位）" "inputs that are inverted, bits";
        TRIAL: u16 @ 0x000A "通信参数试用秒数" "how long new line settings are tried, in s";
        TURNAROUND: u16 @ 0x000B "应答前的延时（100 µs）" "wait before an answer in 100 µs";
        SERIAL: u64 @ 0x000C "序列号，只能写入一次" "serial number, can be set once";
        NAME: utf8 x 16 @ 0x0010 "名称，UTF-8，补零" "name, UTF-8, filled with zeros";
        OFFSETS: i16 x 8 @ 0x0020 "各测点的校准偏移" "calibration offset of every point";
    }
}

block! {
    /// The commit of the configuration.
    commit Holding ReadWrite {
        COMMIT: u16 @ 0x0040 "写入命令，读出状态" "written: a command; read: the state";
        REASON: u16 @ 0x0041 "拒绝的原因（只读）" "why it was refused; only read";
        LEFT: u16 @ 0x0042 "试用剩余秒数（只读）" "seconds left of the trial; only read";
        GENERATION: u16 @ 0x0043 "配置代数（只读）" "generation of the configuration; only read";
    }
}

block! {
    /// The relays.
    outputs Holding ReadWrite {
        OUTPUT: output x 4 @ 0x0100 "输出：值 u16、租约秒 u16（读出为剩余）" "an output: value u16, lease in s u16 (reads what is left)";
    }
}

block! {
    /// Starts things.
    control Holding ReadWrite {
        SELFTEST: u16 @ 0x0180 "写 0x5E1F 开始自检" "write 0x5E1F to start the self-test";
        TIME: u32 @ 0x0190 "写入 Unix 秒对时" "written: the time, in Unix seconds; reads what NOW reads";
        CURSOR: u32 @ 0x0200 "日志窗口从此序号开始" "the window of the log begins at this sequence number";
    }
}

block! {
    /// The mailbox of updates, written with one FC16 request from its first register.
    mailbox Holding Write {
        COMMAND: u16 @ 0x0400 "命令" "command";
        SESSION: u32 @ 0x0401 "会话（镜像头的 CRC-32）" "session: CRC-32 of the header";
        OFFSET: u32 @ 0x0403 "数据块的偏移" "offset of the chunk";
        LENGTH: u16 @ 0x0405 "数据字节数" "bytes of data";
        CRC: u32 @ 0x0406 "数据的 CRC-32" "CRC-32 of the data";
        BYTES: bytes x 112 @ 0x0408 "数据，高字节在前" "data, high half first";
    }
}

/// Every row, block by block.
pub static BLOCKS: &[&[Register]] = &[
    identity::ROWS,
    points::ROWS,
    health::ROWS,
    selftest::ROWS,
    clock::ROWS,
    log::ROWS,
    update::ROWS,
    config::ROWS,
    commit::ROWS,
    outputs::ROWS,
    control::ROWS,
    mailbox::ROWS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_registers_overlap() {
        let rows = || BLOCKS.iter().copied().flatten();
        for (at, row) in rows().enumerate() {
            let end = row.address + row.words * row.count;
            for other in rows().skip(at + 1).filter(|other| other.space == row.space) {
                let is_apart =
                    other.address >= end || other.address + other.words * other.count <= row.address;
                assert!(is_apart, "{}.{} and {}.{}", row.block, row.name, other.block, other.name);
            }
        }
    }

    #[test]
    fn the_tables_elsewhere_agree_with_the_map() {
        assert_eq!(points::POINT, crate::point::BASE);
        assert_eq!(usize::from(points::ROWS[0].count), crate::point::MOST);
        assert_eq!(health::COUNTER, crate::health::BASE);
        assert_eq!(usize::from(health::ROWS[0].count), crate::health::COUNT);
        assert_eq!(health::REFUSED, crate::health::REFUSALS);
        assert_eq!(health::ROWS[1].count, crate::health::MOST_REFUSALS);
        assert_eq!(log::ENTRY, crate::log::WINDOW_BASE);
        assert_eq!(log::ROWS[3].count, crate::log::WINDOW);
        assert_eq!(usize::from(selftest::ROWS[3].count), crate::selftest::Item::ALL.len());
        assert_eq!(usize::from(outputs::ROWS[0].count), crate::kind::MOST_RELAYS);
        assert_eq!(usize::from(config::OFFSETS) + crate::point::MOST, crate::config::WORDS);
        assert_eq!(usize::from(mailbox::BYTES - mailbox::COMMAND.address), crate::update::DATA);
    }
}
