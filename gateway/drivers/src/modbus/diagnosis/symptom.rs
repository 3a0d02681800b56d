//! The table of symptoms: what a technician sees, in Chinese and English, and the option that helps.

use std::io;
use std::time::Duration;

use crate::modbus::codec::Order;
use crate::modbus::plan::{Medium, Parity, Serial, Table};
use crate::modbus::wire::pdu;

/// Why a line cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The device file of a serial port does not exist.
    NoSuchPort,
    /// This user may not open the port.
    NotAllowed,
    /// Another program has the port.
    InUse,
    /// The file is no serial port.
    NoPort,
    /// The name of the host is not known.
    UnknownName,
    /// The host is there and nothing listens on the port.
    Refused,
    /// Nobody answers at the address.
    NoHost,
    /// Anything else.
    Other,
}

/// What is wrong with a line or a device.
#[derive(Debug, Clone, PartialEq)]
pub enum Symptom {
    /// The port or connection cannot be opened, with the words of the system.
    Closed(Closed, String),
    /// It answers with other settings of the serial port.
    OtherSettings(Serial),
    /// It answers when frames are packed as on another kind of line.
    OtherKind(&'static str),
    /// Something listens that does not speak Modbus.
    NoModbus,
    /// What is sent comes back, and nothing else.
    EchoOnly,
    /// Bytes arrive that form no frame, from every device that was asked.
    Noise,
    /// Nothing arrives at all.
    Silence {
        /// Whether the line is a serial one.
        is_serial: bool,
    },
    /// Other devices of the line answer, this one does not.
    Missing {
        /// Units that answer and that no device of the line has.
        others: Vec<u8>,
    },
    /// Its answers are damaged while others are whole.
    Damaged,
    /// It answers with another unit id.
    OtherUnit(u8),
    /// A gateway says that it does not reach it.
    NotReached(u8),
    /// It is busy.
    Busy,
    /// It answers later than the line waits.
    Slow {
        /// After about this time.
        takes: Duration,
    },
    /// It refuses these addresses, and nothing near them answers.
    Refused {
        /// A point that is there.
        point: String,
        /// The exception code.
        code: u8,
    },
    /// It answers at another address than the profile says, or with a plausible value only there.
    OtherAddress {
        /// The point.
        point: String,
        /// Table and address of the profile.
        from: (Table, u16),
        /// Table and address that fit.
        to: (Table, u16),
    },
    /// The value is plausible only with another order of bytes.
    OtherOrder {
        /// The point.
        point: String,
        /// The order that fits.
        order: Order,
    },
    /// The value is not plausible, whatever is tried.
    Implausible {
        /// The point.
        point: String,
    },
    /// It is another model.
    OtherModel {
        /// What the profile says about it.
        why: String,
        /// Profiles whose identity fits.
        fits: Vec<String>,
    },
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl std::fmt::Display for Sentence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} / {}", self.zh, self.en)
    }
}

fn both(zh: impl Into<String>, en: impl Into<String>) -> Sentence {
    Sentence { zh: zh.into(), en: en.into() }
}

// === impl Closed ===

impl Closed {
    /// From the error with which opening ended.
    #[must_use]
    pub fn of(medium: &Medium, error: &io::Error) -> Self {
        let text = error.to_string().to_lowercase();
        let is_serial = matches!(medium, Medium::Rtu(_));
        // The crate for serial ports keeps the kind for some errors and only the words for others.
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::NotAllowed,
            _ if is_serial && (text.contains("permission") || text.contains("not permitted")) => {
                Self::NotAllowed
            }
            _ if is_serial && (text.contains("busy") || text.contains("lock") || text.contains("in use")) => {
                Self::InUse
            }
            _ if is_serial && (text.contains("ioctl") || text.contains("not a typewriter")) => Self::NoPort,
            io::ErrorKind::NotFound if is_serial => Self::NoSuchPort,
            _ if is_serial && text.contains("no such") => Self::NoSuchPort,
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Self::NoHost
            }
            _ if text.contains("lookup") || text.contains("name or service") => Self::UnknownName,
            _ => Self::Other,
        }
    }

    fn sentence(self, place: &str, error: &str) -> Sentence {
        match self {
            Self::NoSuchPort => both(
                format!(
                    "串口 {place} 不存在：适配器没插好，或名称变了；请用 ls -l /dev/serial/by-id/ 查看，并把 port 写成那里的名称"
                ),
                format!(
                    "the port {place} does not exist: the adapter is not plugged in, or its name has changed; look with ls -l /dev/serial/by-id/ and write that name as port"
                ),
            ),
            Self::NotAllowed => both(
                format!(
                    "没有权限打开 {place}：请执行 usermod -aG dialout 用户名 后重新登录（服务用户为 linli）"
                ),
                format!(
                    "{place} may not be opened by this user: usermod -aG dialout USER, then log in again (the service runs as linli)"
                ),
            ),
            Self::InUse => both(
                format!("串口 {place} 正被其他程序占用：请先停止网关或其他程序（fuser {place} 可查）"),
                format!(
                    "the port {place} is in use: stop the gateway or the other program first (fuser {place} names it)"
                ),
            ),
            Self::NoPort => both(
                format!("{place} 不是串口：请检查 port"),
                format!("{place} is no serial port: check port"),
            ),
            Self::UnknownName => both(
                format!("{place} 的主机名无法解析：请在 endpoint 中写 IP 地址，或检查 DNS"),
                format!(
                    "the host name of {place} cannot be resolved: write the IP address as endpoint, or check the DNS"
                ),
            ),
            Self::Refused => both(
                format!(
                    "{place} 拒绝连接：主机在，但端口没有打开；请检查 endpoint 的端口（Modbus TCP 一般为 502）和设备的服务设置"
                ),
                format!(
                    "{place} refuses the connection: the host is there, the port is closed; check the port in endpoint (502 for Modbus TCP) and the settings of the device"
                ),
            ),
            Self::NoHost => both(
                format!("{place} 没有应答：请检查地址、网线、电源、网段和防火墙"),
                format!("nobody answers at {place}: check address, cable, power, network and firewall"),
            ),
            Self::Other => {
                both(format!("{place} 打不开：{error}"), format!("{place} cannot be opened: {error}"))
            }
        }
    }
}

// === impl Symptom ===

impl Symptom {
    /// The symptom in words, with the option that helps. `place` is the port or the address of the line.
    #[must_use]
    pub fn sentence(&self, place: &str) -> Sentence {
        match self {
            Self::Closed(closed, error) => closed.sentence(place, error),
            Self::OtherSettings(serial) => {
                let settings = settings(serial);
                both(
                    format!("设备以其他串口参数应答：请在该线路设置 {settings}"),
                    format!("it answers with other settings of the port: set {settings} on this line"),
                )
            }
            Self::OtherKind(kind) => both(
                format!("设备应答，但帧格式不同：请在该线路设置 kind = \"{kind}\""),
                format!("it answers, but in other frames: set kind = \"{kind}\" on this line"),
            ),
            Self::NoModbus => both(
                format!("{place} 端口打开，但对方不是 Modbus：请检查 endpoint 的地址和端口"),
                format!(
                    "{place} is open, but what listens there is not Modbus: check address and port in endpoint"
                ),
            ),
            Self::EchoOnly => both(
                "只收到自己发出的回波，设备没有应答：请检查 A/B 接线、电源和站号；适配器可关闭本地回波，或设置 echo = true",
                "only the echo of what is sent comes back, no device answers: check the wires A and B, power and unit id; switch off the adapter's local echo, or set echo = true",
            ),
            Self::Noise => both(
                "收到的字节不成帧：多为 baud、parity、stop_bits 不符，或 A/B 接反、终端电阻缺失、两台设备站号相同",
                "the bytes that arrive form no frame: baud, parity or stop_bits differ, the wires A and B are swapped, the termination is missing, or two devices have one unit id",
            ),
            Self::Silence { is_serial: true } => both(
                "线路上没有任何应答：请检查设备电源、A/B 是否接反、终端电阻、unit 站号和 baud；常用参数都已试过",
                "nothing answers on this line: check power, whether the wires A and B are swapped, termination, unit and baud; the usual settings were tried",
            ),
            Self::Silence { is_serial: false } => both(
                "连接已建立，但没有任何应答：请检查 unit 站号；若是串口服务器，请检查其串口参数和 A/B 接线",
                "the connection is open and nothing answers: check unit; behind a serial device server also its serial settings and the wires A and B",
            ),
            _ => self.of_device(),
        }
    }

    fn of_device(&self) -> Sentence {
        match self {
            Self::Missing { others } if others.is_empty() => both(
                "同一线路的其他设备应答，此设备没有：请检查它的电源、接线和 unit 站号",
                "other devices of the line answer, this one does not: check its power, its wires and unit",
            ),
            Self::Missing { others } => {
                let units = others.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
                both(
                    format!("此站号没有应答，而未配置的站号 {units} 有应答：可能应设置 unit = {}", others[0]),
                    format!(
                        "this unit does not answer, but unit {units} does, which no device has: perhaps set unit = {}",
                        others[0]
                    ),
                )
            }
            Self::Damaged => both(
                "应答损坏：请检查接线和终端电阻，是否有两台设备站号相同",
                "its answers are damaged: check wires and termination, and whether two devices have this unit id",
            ),
            Self::OtherUnit(unit) => both(
                format!(
                    "站号 {unit} 代为应答：请设置 unit = {unit}；若线路只有一台设备，也可设置 unit_mismatch = \"accept\""
                ),
                format!(
                    "unit {unit} answers instead: set unit = {unit}, or unit_mismatch = \"accept\" on a line with one device"
                ),
            ),
            Self::NotReached(code) => both(
                format!(
                    "网关应答异常码 {code}，到不了此设备：请检查 unit 站号，以及网关后面的电源、接线和串口参数"
                ),
                format!(
                    "its gateway answers with exception {code} ({}): check unit, and power, wires and serial settings behind the gateway",
                    pdu::exception(*code)
                ),
            ),
            Self::Busy => both(
                "设备忙：请加大 poll，或在型号文件的 [limits] 设置 request_gap；检查是否有其他主站在轮询",
                "the device is busy: a longer poll, or request_gap in [limits] of the profile; check whether another client polls it",
            ),
            Self::Slow { takes } => {
                // Twice what it takes, in tenths of a second.
                let (ms, advice) = (takes.as_millis(), takes.as_millis().div_ceil(50) * 100);
                both(
                    format!("约 {ms} ms 后才应答，超过 timeout：请设置 timeout = \"{advice}ms\""),
                    format!(
                        "it answers only after about {ms} ms, later than timeout: set timeout = \"{advice}ms\""
                    ),
                )
            }
            _ => self.of_profile(),
        }
    }

    fn of_profile(&self) -> Sentence {
        match self {
            Self::Refused { point, code } => both(
                format!(
                    "设备拒绝读取 {point}（异常码 {code}），附近地址也没有：请核对型号文件的地址，或此型号没有该点"
                ),
                format!(
                    "the device refuses {point} ({}), and nothing near answers: check the address in the profile, or leave the point out",
                    pdu::exception(*code)
                ),
            ),
            Self::OtherAddress { point, from, to } => {
                let (from, to) = (address(*from), address(*to));
                both(
                    format!(
                        "{point} 在 {to} 才有合理的值，而型号文件写的是 {from}：手册地址可能从 1 起算或写成 4xxxx/3xxxx，请改为 {to}"
                    ),
                    format!(
                        "{point} is plausible at {to}, not at {from} as in the profile: the manual may count from 1 or write 4xxxx and 3xxxx; write {to}"
                    ),
                )
            }
            Self::OtherOrder { point, order } => {
                let order = order_word(*order);
                both(
                    format!("{point} 只有按另一种字节顺序才合理：请在型号文件设置 order = \"{order}\""),
                    format!(
                        "{point} is plausible only in another order of its bytes: set order = \"{order}\" in the profile"
                    ),
                )
            }
            Self::Implausible { point } => both(
                format!("{point} 的值不合理：请核对型号文件的 type、order、scale 和地址"),
                format!(
                    "the value of {point} is not plausible: check type, order, scale and address in the profile"
                ),
            ),
            Self::OtherModel { why, fits } if fits.is_empty() => both(
                format!("型号不符，请检查 profile 和 unit：{why}"),
                format!("another model answers: {why}"),
            ),
            Self::OtherModel { why, fits } => {
                let fits = fits.join(", ");
                both(
                    format!("型号不符；符合的型号文件：{fits}，请设置 profile"),
                    format!("another model answers ({why}); it fits {fits}: set profile"),
                )
            }
            _ => both("", ""),
        }
    }
}

/// The options of a serial port as they are written on a line.
fn settings(serial: &Serial) -> String {
    let parity = match serial.parity {
        Parity::None => "none",
        Parity::Even => "even",
        Parity::Odd => "odd",
    };
    format!("baud = {}, parity = \"{parity}\", stop_bits = {}", serial.baud, serial.stop_bits)
}

/// A table and an address as they are written in a profile.
fn address((table, start): (Table, u16)) -> String {
    let key = match table {
        Table::Coil => "coil",
        Table::DiscreteInput => "discrete",
        Table::InputRegister => "input",
        Table::HoldingRegister => "holding",
    };
    format!("{key} = {start}")
}

const fn order_word(order: Order) -> &'static str {
    match order {
        Order::Abcd => "abcd",
        Order::Cdab => "cdab",
        Order::Badc => "badc",
        Order::Dcba => "dcba",
    }
}
