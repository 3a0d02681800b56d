//! What a node tests about itself, at every start and when asked.

/// Written to the register that starts it.
pub const START: u16 = 0x5E1F;

codes! {
    /// How far the self-test is.
    State {
        NotRun = 0 "not_run" "未运行" "not run yet";
        Running = 1 "running" "运行中" "running";
        Passed = 2 "passed" "通过" "passed";
        Failed = 3 "failed" "未通过" "failed";
    }
}

codes! {
    /// One thing that is tested.
    Item {
        Memory = 0 "memory" "保留内存" "the retained memory can be written and read";
        Storage = 1 "storage" "配置存储器" "the configuration's memory answers, both copies are whole";
        Configuration = 2 "configuration" "配置有效" "the configuration is not the factory's";
        Bus = 3 "bus" "传感器总线" "something answers on the sensors' bus";
        Sensors = 4 "sensors" "全部传感器" "every sensor of the kind gives a plausible value";
        Outputs = 5 "outputs" "输出" "every relay follows what was ordered";
        Image = 6 "image" "固件镜像" "the place for updates can be read";
        Clock = 7 "clock" "时钟" "the clock goes on";
    }
}

codes! {
    /// The result of one item.
    Verdict {
        NotTested = 0 "not_tested" "未测试" "not tested";
        Pass = 1 "pass" "通过" "passed";
        Warn = 2 "warn" "注意" "works, with something to look at";
        Fail = 3 "fail" "失败" "failed";
        Absent = 4 "absent" "无此项" "this board or kind has no such thing";
    }
}
