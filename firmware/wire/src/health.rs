//! Counters of what went well and what went wrong, for alarms rather than for reading.
//!
//! All are u32 and stop at their greatest value instead of starting over.

/// Where the counters begin; counter `n` is at `BASE + 2 * n`.
pub const BASE: u16 = 0x0100;

/// Where the refusals of updates begin, one register a reason.
pub const REFUSALS: u16 = 0x0140;

/// Reasons there is room for.
pub const MOST_REFUSALS: u16 = 0x0020;

codes! {
    /// A counter.
    Counter {
        Frames = 0 "frames" "收到的完整帧" "whole frames received";
        Answers = 1 "answers" "已应答的请求" "requests answered";
        Exceptions = 2 "exceptions" "以异常应答的请求" "requests answered with an exception";
        CrcErrors = 3 "crc_errors" "校验错误的帧" "frames with a wrong checksum";
        Fragments = 4 "fragments" "残缺的帧或噪声" "pieces too short for a frame, noise";
        Overruns = 5 "overruns" "过长的帧或丢失的字节" "frames too long, bytes lost";
        OtherUnits = 6 "other_units" "发给其他地址的帧" "frames for other addresses";
        Broadcasts = 7 "broadcasts" "广播帧（从不应答）" "broadcasts, never answered";
        Samples = 8 "samples" "传感器采样次数" "samples taken";
        SensorErrors = 9 "sensor_errors" "失败的采样" "samples that failed";
        I2cNacks = 10 "i2c_nacks" "传感器总线无应答" "not acknowledged on the sensors' bus";
        Implausible = 11 "implausible" "超出量程或跳变的采样" "samples out of range or jumped";
        LeaseDrops = 12 "lease_drops" "租约到期而回到安全状态的输出" "outputs that fell to their safe state";
        ConfigCommits = 13 "config_commits" "保存的配置" "configurations stored";
        ConfigRepairs = 14 "config_repairs" "修复的配置副本" "copies of the configuration repaired";
        TrialFallbacks = 15 "trial_fallbacks" "试用到期而退回的通信参数" "line settings that fell back after their trial";
        FlashWrites = 16 "flash_writes" "写入闪存的次数" "writes to flash";
        FlashErases = 17 "flash_erases" "擦除的闪存页" "flash pages erased";
        Chunks = 18 "chunks" "收到的升级数据块" "chunks of updates accepted";
        ChunkRepeats = 19 "chunk_repeats" "重复的升级数据块" "chunks of updates received again";
        Resets = 20 "resets" "重启次数（保留内存有效期内）" "resets since the retained memory was made";
        WatchdogResets = 21 "watchdog_resets" "看门狗复位" "resets by the watchdog";
        BrownOuts = 22 "brown_outs" "欠压复位" "resets by brown-out";
        LogOverwrites = 23 "log_overwrites" "被覆盖的日志" "log entries overwritten";
        LongestLoop = 24 "longest_loop_ms" "最长循环（毫秒）" "longest turn of the main loop, in ms";
        StackUnused = 25 "stack_unused_bytes" "从未用到的栈字节数，0 为未知" "bytes of the stack never used, 0 is unknown";
    }
}

// === impl Counter ===

impl Counter {
    /// Its first register.
    #[must_use]
    pub const fn address(self) -> u16 {
        BASE + 2 * self.code()
    }
}

/// Counters there are.
pub const COUNT: usize = Counter::ALL.len();

const _: () = assert!(BASE as usize + 2 * COUNT <= REFUSALS as usize, "the counters end before the refusals");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_lie_one_behind_the_other() {
        for (at, counter) in Counter::ALL.iter().enumerate() {
            assert_eq!(usize::from(counter.code()), at, "{}", counter.as_str());
        }
    }
}
