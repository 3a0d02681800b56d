//! The node's log: a ring of entries, read by a window over the bus.
//!
//! A reader writes the sequence number it wants to go on from, and reads the window. Entries carry
//! a code and one argument; the words are here, not in the node.

use crate::field::Value;

/// Registers of an entry.
pub const ENTRY_WORDS: u16 = 7;

/// Entries in the window: 112 registers, one request.
pub const WINDOW: u16 = 16;

/// Where the window begins.
pub const WINDOW_BASE: u16 = 0x0210;

codes! {
    /// What happened.
    Code {
        Booted = 1 "booted" "启动，参数为复位原因" "booted; argument: cause of the reset";
        Firmware = 2 "firmware" "固件版本" "firmware version; argument: its code";
        BootState = 3 "boot_state" "启动状态" "boot state; argument: its code";
        Confirmed = 4 "confirmed" "新固件已确认" "the new firmware was confirmed";
        ClockSet = 6 "clock_set" "已知时间，参数为 Unix 秒" "the time is known from here on; argument: Unix seconds";
        TrialExpired = 5 "trial_expired" "新固件试运行超时，未被确认" "the trial of a new firmware ended without confirmation";
        SensorFailed = 10 "sensor_failed" "传感器故障，参数：高位测点，低位原因" "a sensor failed; argument: point << 16 | reason";
        SensorBack = 11 "sensor_back" "传感器恢复，参数为测点" "a sensor is back; argument: point";
        LeaseDropped = 12 "lease_dropped" "输出租约到期，参数为输出" "an output's lease ended; argument: output";
        RelaySet = 13 "relay_set" "输出被设置，参数：高位输出，低位状态" "an output was set; argument: output << 16 | state";
        InputChanged = 14 "input_changed" "输入变化，参数：高位输入，低位状态" "an input changed; argument: input << 16 | state";
        ConfigStored = 20 "config_stored" "配置已保存，参数为代数" "configuration stored; argument: generation";
        ConfigDefault = 21 "config_default" "没有可用的配置，使用出厂值" "no configuration found, factory values used";
        ConfigRepaired = 22 "config_repaired" "一份配置副本已修复，参数为副本" "a copy of the configuration was repaired; argument: copy";
        ConfigRefused = 23 "config_refused" "配置被拒绝，参数为原因" "configuration refused; argument: reason";
        ConfigNotStored = 24 "config_not_stored" "配置无法写入存储器" "configuration could not be written";
        TrialBegun = 25 "trial_begun" "新的通信参数开始试用" "trial of new line settings began; argument: address";
        TrialConfirmed = 26 "trial_confirmed" "新的通信参数已确认" "new line settings confirmed; argument: address";
        TrialFellBack = 27 "trial_fell_back" "新的通信参数未确认，已退回" "new line settings not confirmed, fell back; argument: address";
        UpdateBegun = 30 "update_begun" "开始升级，参数为版本" "an update began; argument: version";
        UpdateResumed = 31 "update_resumed" "继续升级，参数为偏移" "an update was resumed; argument: offset";
        UpdateRefused = 32 "update_refused" "升级被拒绝，参数为原因" "an update was refused; argument: reason";
        UpdateVerified = 33 "update_verified" "升级镜像校验通过，参数为版本" "an image was verified; argument: version";
        UpdateActivated = 34 "update_activated" "升级镜像将启用，参数为版本" "an image is to be booted; argument: version";
        UpdateAborted = 35 "update_aborted" "升级被取消" "an update was aborted";
        SelftestPassed = 40 "selftest_passed" "自检通过" "self-test passed";
        SelftestFailed = 41 "selftest_failed" "自检未通过，参数为未通过的项目" "self-test failed; argument: failed items";
        Restarting = 42 "restarting" "按命令重启" "restarting as ordered";
    }
}

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry {
    /// Rises by one an entry; 0 is no entry.
    pub seq: u32,
    /// Seconds since the node started, of the run it happened in.
    pub uptime_s: u32,
    /// A [`Code`], or one of a later version.
    pub code: u16,
    /// What the code says it is.
    pub argument: u32,
}

// === impl Entry ===

impl Entry {
    /// As it travels.
    #[must_use]
    pub fn encode(self) -> [u16; ENTRY_WORDS as usize] {
        let mut words = [0; ENTRY_WORDS as usize];
        self.seq.write(&mut words[..2]);
        self.uptime_s.write(&mut words[2..4]);
        words[4] = self.code;
        self.argument.write(&mut words[5..]);
        words
    }

    /// Reverse of [`Entry::encode`]; `None` where the window holds no entry.
    #[must_use]
    pub fn decode(words: &[u16; ENTRY_WORDS as usize]) -> Option<Self> {
        let seq = u32::read(&words[..2]);
        let rest =
            Self { seq, uptime_s: u32::read(&words[2..4]), code: words[4], argument: u32::read(&words[5..]) };
        (seq != 0).then_some(rest)
    }
}
