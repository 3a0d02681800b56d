//! The configuration of a node: how it lies in registers, what is allowed, how it is committed.
//!
//! The holding registers from 0 are a shadow. Nothing in it takes effect until the commit register
//! is written. New line settings take effect on trial: they are confirmed by a commit sent with the
//! new settings, or fall back by themselves.

use crate::field::{Field, from_bytes, to_bytes};
use crate::kind::{Kind, MOST_RELAYS};
use crate::map::config as at;
use crate::point;

/// Registers of the shadow.
pub const WORDS: usize = 40;

/// Bytes of the name.
pub const NAME: usize = 32;

/// Longest lease of an output, in seconds.
pub const LONGEST_LEASE_S: u16 = 3600;

/// Written to the commit register: take the shadow.
pub const COMMIT: u16 = 0xC0DE;

/// Written to the commit register: keep the line settings that are on trial.
pub const CONFIRM: u16 = 0xC0F1;

/// Written to the commit register: forget the shadow, show what is in use.
pub const DISCARD: u16 = 0xC0FF;

/// Written to the commit register: the factory's configuration into the shadow. The serial number
/// and the calibration stay.
pub const FACTORY: u16 = 0xFAC7;

codes! {
    /// Speed of the line.
    Baud {
        B1200 = 0 "1200" "1200" "1200 baud";
        B2400 = 1 "2400" "2400" "2400 baud";
        B4800 = 2 "4800" "4800" "4800 baud";
        B9600 = 3 "9600" "9600" "9600 baud";
        B19200 = 4 "19200" "19200" "19200 baud";
        B38400 = 5 "38400" "38400" "38400 baud";
        B57600 = 6 "57600" "57600" "57600 baud";
        B115200 = 7 "115200" "115200" "115200 baud";
    }
}

codes! {
    /// Parity. Without parity there is one stop bit, as most devices of the field have it.
    Parity {
        None = 0 "none" "无校验" "none, 8N1";
        Even = 1 "even" "偶校验" "even, 8E1";
        Odd = 2 "odd" "奇校验" "odd, 8O1";
    }
}

codes! {
    /// What the commit register says when it is read.
    CommitState {
        Clean = 0 "clean" "与使用中的配置一致" "the shadow is what is in use";
        Changed = 1 "changed" "有未提交的修改" "the shadow was changed and not committed";
        Trial = 2 "trial" "通信参数试用中" "new line settings are on trial";
        Refused = 3 "refused" "提交被拒绝，原因见下一寄存器" "the commit was refused, the reason is in the next register";
        FellBack = 4 "fell_back" "试用到期，已退回" "the trial ended without confirmation, fell back";
    }
}

codes! {
    /// Why a configuration is refused.
    Refusal {
        Unit = 1 "unit" "地址必须在 1 到 247 之间" "the address must be 1 to 247";
        Baud = 2 "baud" "波特率代码不认识" "unknown code of the baud rate";
        Parity = 3 "parity" "校验位代码不认识" "unknown code of the parity";
        Gap = 4 "gap" "帧间隔最多 1000（100 毫秒）" "the frame gap must be at most 1000, that is 100 ms";
        Kind = 5 "kind" "节点类型不认识" "unknown kind of node";
        Sample = 6 "sample" "采样周期必须在 100 到 60000 毫秒之间" "the sample period must be 100 to 60000 ms";
        Filter = 7 "filter" "滤波权重必须在 1 到 100 之间" "the weight of the filter must be 1 to 100 percent";
        Lease = 8 "lease" "租约必须在 1 到 3600 秒之间" "the lease must be 1 to 3600 s";
        Safe = 9 "safe" "安全状态位超出继电器数量" "a safe state for a relay that no node has";
        Trial = 10 "trial" "试用时间必须在 5 到 600 秒之间" "the trial must be 5 to 600 s";
        Turnaround = 11 "turnaround" "应答延时最多 1000（100 毫秒）" "the turn-around must be at most 1000, that is 100 ms";
        Serial = 12 "serial" "序列号已写入，不能更改" "the serial number is set and cannot be changed";
        Name = 13 "name" "名称不是有效的 UTF-8" "the name is not UTF-8";
        Offset = 14 "offset" "校准偏移最多 ±2000" "a calibration offset must be within 2000 of zero";
        Storage = 15 "storage" "配置存储器写入失败" "the configuration's memory could not be written";
        NoTrial = 16 "no_trial" "没有正在试用的参数" "there is no trial to confirm";
        Command = 17 "command" "提交寄存器的值不认识" "unknown value for the commit register";
        TrialRuns = 18 "trial_runs" "试用期间不能提交其他修改" "nothing else can be committed during a trial";
    }
}

/// A configuration that obeys the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Address on the line.
    pub unit: u8,
    /// Speed of the line.
    pub baud: Baud,
    /// Parity of the line.
    pub parity: Parity,
    /// Silence that ends a frame, in 100 µs; 0 is what the standard says for the speed.
    pub gap: u16,
    /// What the node is for.
    pub kind: u16,
    /// Time between samples.
    pub sample_ms: u16,
    /// Weight of a new sample, in percent.
    pub filter_percent: u16,
    /// Lease of an output that is set without one.
    pub lease_s: u16,
    /// A bit for every relay that is on in its safe state.
    pub safe: u16,
    /// A bit for every digital input that counts as on when its contact is open.
    pub inverted: u16,
    /// How long new line settings are tried.
    pub trial_s: u16,
    /// Wait before an answer, in 100 µs, for slow RS-485 converters.
    pub turnaround: u16,
    /// Set once; 0 is none yet.
    pub serial: u64,
    /// UTF-8, filled with zeros.
    pub name: [u8; NAME],
    /// Added to every point, in the point's own decimals.
    pub offsets: [i16; point::MOST],
}

// === impl Baud ===

impl Baud {
    /// Bits a second.
    #[must_use]
    pub const fn rate(self) -> u32 {
        match self {
            Self::B1200 => 1200,
            Self::B2400 => 2400,
            Self::B4800 => 4800,
            Self::B9600 => 9600,
            Self::B19200 => 19_200,
            Self::B38400 => 38_400,
            Self::B57600 => 57_600,
            Self::B115200 => 115_200,
        }
    }

    /// The code of a speed.
    #[must_use]
    pub fn from_rate(rate: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|baud| baud.rate() == rate)
    }

    /// The silence that ends a frame: 3.5 characters of 11 bits, and above 19200 baud the fixed
    /// 1750 µs of "Modbus over serial line" V1.02, 2.5.1.1.
    #[must_use]
    pub const fn standard_gap_us(self) -> u32 {
        match self {
            Self::B38400 | Self::B57600 | Self::B115200 => 1750,
            slow => 38_500_000 / slow.rate(),
        }
    }
}

// === impl Config ===

impl Config {
    /// What a node of this kind does before anyone configured it. 247 is the address no ordinary
    /// device has, so a new node disturbs nobody on a running line.
    #[must_use]
    pub const fn factory(kind: &Kind) -> Self {
        Self {
            unit: 247,
            baud: Baud::B9600,
            parity: Parity::None,
            gap: 0,
            kind: kind.id,
            sample_ms: kind.sample_ms,
            filter_percent: kind.filter_percent,
            lease_s: 60,
            safe: 0,
            inverted: 0,
            trial_s: 30,
            turnaround: 0,
            serial: 0,
            name: [0; NAME],
            offsets: [0; point::MOST],
        }
    }

    /// As it lies in the registers.
    #[must_use]
    pub fn encode(&self) -> [u16; WORDS] {
        let mut words = [0; WORDS];
        let mut put = |field: Field<u16>, value: u16| field.put(&mut words, 0, value);
        put(at::UNIT, u16::from(self.unit));
        put(at::BAUD, self.baud.code());
        put(at::PARITY, self.parity.code());
        put(at::GAP, self.gap);
        put(at::KIND, self.kind);
        put(at::SAMPLE, self.sample_ms);
        put(at::FILTER, self.filter_percent);
        put(at::LEASE, self.lease_s);
        put(at::SAFE, self.safe);
        put(at::INVERTED, self.inverted);
        put(at::TRIAL, self.trial_s);
        put(at::TURNAROUND, self.turnaround);
        at::SERIAL.put(&mut words, 0, self.serial);
        from_bytes(&self.name, &mut words[usize::from(at::NAME)..]);
        for (place, offset) in words[usize::from(at::OFFSETS)..].iter_mut().zip(self.offsets) {
            *place = offset.cast_unsigned();
        }
        words
    }

    /// Reads and checks it; the first rule that is broken is the reason.
    pub fn decode(words: &[u16; WORDS]) -> Result<Self, Refusal> {
        let of = |field: Field<u16>| words[usize::from(field.address)];
        let within = |field, range: core::ops::RangeInclusive<u16>, why| {
            let value = of(field);
            if range.contains(&value) { Ok(value) } else { Err(why) }
        };
        let mut name = [0; NAME];
        to_bytes(&words[usize::from(at::NAME)..], &mut name);
        if core::str::from_utf8(&name).is_err() {
            return Err(Refusal::Name);
        }
        let mut offsets = [0; point::MOST];
        for (offset, word) in offsets.iter_mut().zip(&words[usize::from(at::OFFSETS)..]) {
            *offset = word.cast_signed();
            if offset.unsigned_abs() > 2000 {
                return Err(Refusal::Offset);
            }
        }
        let unit = within(at::UNIT, 1..=247, Refusal::Unit)?;
        let kind = of(at::KIND);
        Kind::from_id(kind).ok_or(Refusal::Kind)?;
        Ok(Self {
            unit: unit as u8,
            baud: Baud::from_code(of(at::BAUD)).ok_or(Refusal::Baud)?,
            parity: Parity::from_code(of(at::PARITY)).ok_or(Refusal::Parity)?,
            gap: within(at::GAP, 0..=1000, Refusal::Gap)?,
            kind,
            sample_ms: within(at::SAMPLE, 100..=60_000, Refusal::Sample)?,
            filter_percent: within(at::FILTER, 1..=100, Refusal::Filter)?,
            lease_s: within(at::LEASE, 1..=LONGEST_LEASE_S, Refusal::Lease)?,
            safe: within(at::SAFE, 0..=(1 << MOST_RELAYS) - 1, Refusal::Safe)?,
            inverted: of(at::INVERTED),
            trial_s: within(at::TRIAL, 5..=600, Refusal::Trial)?,
            turnaround: within(at::TURNAROUND, 0..=1000, Refusal::Turnaround)?,
            serial: at::SERIAL.get(words, 0).unwrap_or_default(),
            name,
            offsets,
        })
    }

    /// Whether going over to `next` changes how the node is reached.
    #[must_use]
    pub fn line_differs(&self, next: &Self) -> bool {
        (self.unit, self.baud, self.parity) != (next.unit, next.baud, next.parity)
    }

    /// The silence that ends a frame.
    #[must_use]
    pub const fn gap_us(&self) -> u32 {
        if self.gap == 0 { self.baud.standard_gap_us() } else { self.gap as u32 * 100 }
    }

    /// The name as text.
    #[must_use]
    pub fn name(&self) -> &str {
        let end = self.name.iter().position(|byte| *byte == 0).unwrap_or(NAME);
        core::str::from_utf8(&self.name[..end]).unwrap_or_default()
    }

    /// Sets the name, if it fits.
    pub fn set_name(&mut self, name: &str) -> Result<(), Refusal> {
        let bytes = name.as_bytes();
        self.name = [0; NAME];
        self.name.get_mut(..bytes.len()).ok_or(Refusal::Name)?.copy_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::KINDS;

    #[test]
    fn the_factory_configuration_of_every_kind_is_allowed_and_comes_back() {
        for kind in KINDS {
            let mut config = Config::factory(kind);
            config.set_name("东厨 1 号冷柜").expect("21 bytes fit");
            config.serial = 0x0102_0304_0506_0708;
            config.offsets[1] = -150;
            assert_eq!(Config::decode(&config.encode()), Ok(config));
            assert_eq!(config.name(), "东厨 1 号冷柜");
        }
    }

    #[test]
    fn every_broken_rule_has_its_own_reason() {
        let cases = [
            (at::UNIT.address, 0, Refusal::Unit),
            (at::UNIT.address, 248, Refusal::Unit),
            (at::BAUD.address, 8, Refusal::Baud),
            (at::PARITY.address, 3, Refusal::Parity),
            (at::GAP.address, 1001, Refusal::Gap),
            (at::KIND.address, 0, Refusal::Kind),
            (at::SAMPLE.address, 99, Refusal::Sample),
            (at::FILTER.address, 0, Refusal::Filter),
            (at::LEASE.address, 3601, Refusal::Lease),
            (at::SAFE.address, 16, Refusal::Safe),
            (at::TRIAL.address, 4, Refusal::Trial),
            (at::TURNAROUND.address, 1001, Refusal::Turnaround),
            (at::NAME, 0xFF00, Refusal::Name),
            (at::OFFSETS, 2001, Refusal::Offset),
            (at::OFFSETS, 0x8000, Refusal::Offset),
        ];
        for (address, value, why) in cases {
            let mut words = Config::factory(&KINDS[0]).encode();
            words[usize::from(address)] = value;
            assert_eq!(Config::decode(&words), Err(why), "{address} = {value}");
        }
    }

    #[test]
    fn gaps_are_those_of_the_standard_unless_set() {
        assert_eq!(Baud::B9600.standard_gap_us(), 4010);
        assert_eq!(Baud::B115200.standard_gap_us(), 1750);
        let config = Config { gap: 120, ..Config::factory(&KINDS[0]) };
        assert_eq!(config.gap_us(), 12_000);
        assert_eq!(Baud::from_rate(19_200), Some(Baud::B19200));
        assert_eq!(Baud::from_rate(9601), None);
    }

    #[test]
    fn a_name_that_is_too_long_is_refused() {
        let mut config = Config::factory(&KINDS[0]);
        assert_eq!(config.set_name("这个名字超过三十二个字节所以放不下"), Err(Refusal::Name));
    }
}
