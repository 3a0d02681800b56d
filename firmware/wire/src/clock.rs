//! The time of day of a node: a label for its log, never a timer.

/// No node ran before 2026: a time before that is a clock that was never set.
pub const EARLIEST: u32 = 1_767_225_600;

codes! {
    /// Where the time comes from.
    Source {
        Unknown = 0 "unknown" "未知" "not known since the start";
        Line = 1 "line" "网关对时" "set over the line";
        Rtc = 2 "rtc" "实时时钟芯片" "a clock chip that ran on";
    }
}
