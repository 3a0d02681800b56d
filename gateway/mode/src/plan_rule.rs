//! The rules that a plan must keep to be loaded, one row each: what is refused, in English and Chinese, and
//! the accident, standard or finding of the model check behind it. docs/mode.md shows the same table.

macro_rules! rules {
    ($($variant:ident, $id:literal, $refused:literal, $chinese:literal, $why:literal;)*) => {
        /// A rule that a plan must keep to be loaded.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PlanRule {
            $(#[doc = $refused] $variant,)*
        }

        impl PlanRule {
            /// Every rule, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its id: lower-case words with hyphens.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// What is refused.
            #[must_use]
            pub const fn refused(self) -> &'static str {
                match self { $(Self::$variant => $refused),* }
            }

            /// What is refused, in Chinese.
            #[must_use]
            pub const fn chinese(self) -> &'static str {
                match self { $(Self::$variant => $chinese),* }
            }

            /// The accident, standard or finding behind it.
            #[must_use]
            pub const fn why(self) -> &'static str {
                match self { $(Self::$variant => $why),* }
            }
        }
    };
}

rules! {
    NamesKnown, "names-known",
        "a room, fixture, output, reading, word, parameter, step or content that does not exist",
        "引用了不存在的房间、设施、输出、读数、取值、参数、步骤或物品",
        "a misspelt guard guards nothing";
    ExpressionsHold, "expressions-hold",
        "a condition that cannot be read, compares a word with a number, or proves nothing",
        "条件无法解析、比较类型不符或不能作为证据",
        "a condition that is never or always true guards nothing";
    OwnRoom, "own-room",
        "a step that moves a fixture of another room",
        "步骤动了其他房间的设施",
        "the guards and the evidence of this plan say nothing about the people there";
    SafetyUntouched, "safety-untouched",
        "a step that moves a sensor or a part of the fire alarm system",
        "步骤动了传感器或消防系统",
        "GB 50116-2013 4.10.3: the fire controller opens doors; its input is only read";
    StepActs, "step-acts",
        "a step or compensation that sets nothing",
        "步骤或补救动作没有设置任何输出",
        "it would be reported as done";
    ReadBack, "read-back",
        "a step that moves something and reads nothing back",
        "动作没有回读证据",
        "a device that acknowledges and does not move: without it the model check reports a room ready that is not";
    IndependentProof, "independent-proof",
        "a proof called independent that only reads the device that acts",
        "所谓独立证据只读了动作设备本身",
        "a relay says on while the lamp is dead";
    HasSteps, "has-steps",
        "a plan without steps",
        "预案没有步骤",
        "an order would change nothing and report success";
    VersionCounts, "version-counts",
        "a version below 1",
        "版本号小于 1",
        "orders name a plan by id and version for ever";
    WayBack, "way-back",
        "a plan into an emergency role that names no return plan",
        "转急预案没有指定转平预案",
        "the return is not the steps backwards: disinfection, purging and inspection come first";
    FireZone, "fire-zone",
        "a room without a fire zone",
        "房间没有消防分区",
        "nothing would be known of a fire (GB 51348-2019 14.4.3: doors open in a fire)";
    RoleOfRoom, "role-of-room",
        "a role that is not among the room's emergency roles",
        "房间不允许转为该用途",
        "GB 51143 sorts what is permanent, convertible and brought in: not every room can be converted";
    EnoughPeople, "enough-people",
        "a role that nobody or not enough people have, or a task for nobody",
        "所需角色无人或人数不足",
        "nobody comes at three in the morning";
    DifferentPeople, "different-people",
        "tasks of different people for which there are not enough",
        "须由不同人完成的任务人数不足",
        "IEC 62443-3-3 SR 2.1 RE 4: two people, or it is one person twice";
    AcceptedByAnother, "accepted-by-another",
        "a plan that does not end with an inspection by somebody else",
        "最后没有由他人验收",
        "who did it does not see what is missing";
    NoRing, "no-ring",
        "steps that wait for each other in a ring",
        "步骤互相等待成环",
        "the room would stand still for ever";
    FixedOrder, "fixed-order",
        "two steps without an order that set one output differently",
        "两个步骤对同一输出取值不同且先后不定",
        "which of the two wins is chance";
    TimeKept, "time-kept",
        "steps that take longer than `ready_within`",
        "步骤用时超过要求时限",
        "a sampling point stands within 2 h of the instruction";
    DeadlineKept, "deadline-kept",
        "a task without a deadline, or an escalation after it",
        "任务没有时限，或升级晚于时限",
        "nobody would notice that nobody came";
    SweepVoidable, "sweep-voidable",
        "a search of the room that a person or an opened door does not void",
        "有人出现或开门后清场仍有效",
        "somebody comes in behind the search: in the model check a room is secured with a person inside";
    OccupancySpeaks, "occupancy-speaks",
        "an occupancy sensor that can never say \"nobody\" or never \"somebody\", where a step needs a vacant room",
        "人员探测器不能表示“无人”或不能表示“有人”",
        "a constant or an unnamed value is no evidence; a sensor whose words lack `true` always says nobody";
    VacancyIndependent, "vacancy-independent",
        "two occupancy readings of one device, where a step needs a vacant room",
        "同一设备的两个读数被当作两项证据",
        "one failed device would be two pieces of evidence";
    DoorsWatched, "doors-watched",
        "a way into the room without a door contact, a neighbour's connecting door included, where a step needs a \
         vacant room",
        "有入口（含相邻房间的连通门）没有门磁",
        "an opened door voids the search only if it is seen";
    SecureGuarded, "secure-guarded",
        "a door secured without `vacant(2)`, `fire == normal` and `exit_free`",
        "锁门未要求两项无人证据、无火警、出口畅通",
        "2022-12-07 notice: blocking exits in any way is forbidden; GB 55024-2022 5.3.6";
    SecuresByStepOnly, "secures-by-step-only",
        "a door secured, or closed as an exit, by a compensation or at the end of a process",
        "补救动作或过程结束时锁门、封出口",
        "a compensation runs after a failure, when the evidence of the step is gone";
    FireExitUntouched, "fire-exit-untouched",
        "a fire exit that is secured or closed",
        "锁闭消防出口",
        "2022-12-07 notice; NFPA 101: one releasing operation, no key";
    ExitRemains, "exit-remains",
        "a moment at which a room has no way out, whatever is done of all plans",
        "执行到某一时刻房间没有出口",
        "GB 51348-2019 14.4.3; in the model check people are shut in when plans are not looked through";
    Interlocked, "interlocked",
        "lamps, a door or a gate with `interlock = \"none\"`",
        "紫外灯、门或道闸没有硬件联锁",
        "software alone cannot protect people: without the interlock the model check finds harm after 6 to 10 moves";
    SafeStates, "safe-states",
        "lamps, a lock or heat without a safe state, or with one that lights, locks, takes an exit or heats",
        "紫外灯、门锁或热源没有安全状态，或安全状态本身危险",
        "Shanwei 2023: lamps that could not be turned off; what a stop, a fire or a restart writes must harm nobody";
    LampsGuarded, "lamps-guarded",
        "lamps without `vacant(2)` and `fire == normal`",
        "亮灯未要求两项无人证据和无火警",
        "Shenzhen, about 400 students; Hangzhou 2020, over 100 pupils; Tianjin 2018: lamps on people for hours";
    LampsVacancy, "lamps-vacancy",
        "lamps without two independent pieces of evidence of a vacant room, one of them a sensor, a search being one \
         that precedes and grows old",
        "亮灯缺少两项独立且新鲜的无人证据（至少一项为探测器，清场须在前且有时效）",
        "Shanwei 2023: nobody looked; a silent sensor is no evidence, two searchers are one search";
    LampsAreProcess, "lamps-are-process",
        "lamps switched by anything but a process with a time",
        "紫外灯不是以限时过程运行",
        "model check: lamps as a step \"on\" and a step \"off\" lose the dose after 20 moves; Shenzhen 2016: lamps on \
         when the power returned";
    LampsEndOff, "lamps-end-off",
        "lamps that the end of their process does not switch off",
        "过程结束未关灯",
        "WS/T 367 C.6: 30 min, then off; Zhengzhou 2025: a switch that did not";
    Leased, "leased",
        "a process without a lease, or lamps with one longer than 10 s",
        "过程没有租约，或紫外灯租约超过 10 秒",
        "the lamps would stay on when the gateway dies (model check: 9 moves)";
    AbortsAtOnce, "aborts-at-once",
        "a process that does not end at once on presence, an opened door, fire and stop",
        "有人、开门、火警或停止时过程不立即结束",
        "Shanwei 2023: the teacher had no means to end it";
    ProcessEnds, "process-ends",
        "a process without a time, or with an output that has neither a safe state nor `then`",
        "过程没有时长，或有输出无法复位",
        "it could not end";
    ClearedFirst, "cleared-first",
        "a fridge or heat moved before a task has cleared what the room holds",
        "冷柜、热源在清空物品之前动作",
        "GB 31605-2020, GB 31654-2021: food and specimens must not leave their temperature by a plan";
    GasOffOnly, "gas-off-only",
        "heat or gas set to anything but its safe, off state, by a step, a compensation or the end of a process",
        "预案打开燃气或热源",
        "gas is lit again by hand only: an unlit burner fills the kitchen";
    CompensateGuarded, "compensate-guarded",
        "a compensation without `fire == normal`",
        "补救动作没有无火警条件",
        "what undoes a step in a fire can close a door or start a fan in the smoke";
    PulseOnce, "pulse-once",
        "a push button in a process, as a compensation, or re-asserted",
        "脉冲按钮用于过程、补救或自动重发",
        "each write moves it once more; a lease is renewed by writing again";
    ReassertNever, "reassert-never",
        "lamps, a lock, a gate, heat or a fridge set again automatically",
        "紫外灯、门锁、道闸、热源、冷柜自动重发",
        "re-applied without a guard, it locks a door again that a person or a fire has opened";
    DrillNever, "drill-never",
        "lamps, a lock, a gate, heat or a fridge really moved in a drill",
        "演练中真实动作紫外灯、门锁、道闸、热源、冷柜",
        "a drill harms nobody; Hawaii 2018: drill and reality took the same way";
}

impl std::fmt::Display for PlanRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}
