//! Faults of the simulated centre, each switched by its name.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// A fault that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The compressor of fridge-1 has failed.
    FridgeWarming,
    /// The probe of fridge-1 is broken: it sends its code for "no measurement".
    SensorBreak,
    /// The meter of the kitchen does not answer.
    DeadMeter,
    /// The hot-holding sensor answers late.
    SlowUnit,
    /// Noise on the kitchen's bus.
    LineNoise,
    /// The kitchen's bus is cut.
    CableCut,
    /// The panel's connections are refused.
    PanelDown,
    /// Residents do not put their finger into the oximeter.
    FingerOut,
    /// Our own node is unplugged.
    NodeUnplugged,
    /// The product's probe of our own node is broken.
    ProbeBroken,
    /// The gas sensor of the kitchen sends nothing.
    GasSilent,
    /// The kiosk is out of paper.
    NoPaper,
    /// Everybody has left the rooms that change their use: no fault, but somebody has to.
    RoomsCleared,
    /// The fire panel reports a fire.
    FireAlarm,
    /// The ultraviolet lamps accept every command and stay dark.
    LampsFail,
    /// The broker is stopped.
    BrokerDown,
}

/// Every fault with its name and its effect, in English and Chinese.
const ALL: [(Fault, &str, &str, &str); 16] = [
    (
        Fault::FridgeWarming,
        "fridge-warming",
        "the compressor of fridge-1 fails, it warms slowly",
        "一号冰箱压缩机故障，缓慢升温",
    ),
    (Fault::SensorBreak, "sensor-break", "the probe of fridge-1 is broken", "一号冰箱探头断线"),
    (Fault::DeadMeter, "dead-meter", "the kitchen's meter is silent", "后厨电表无应答"),
    (Fault::SlowUnit, "slow-unit", "the hot-holding sensor answers late", "热藏传感器应答迟缓"),
    (Fault::LineNoise, "line-noise", "noise on the kitchen's bus", "后厨总线干扰"),
    (Fault::CableCut, "cable-cut", "the kitchen's bus is cut", "后厨总线断线"),
    (Fault::PanelDown, "panel-down", "the reading room's panel refuses connections", "阅览室控制箱离线"),
    (Fault::FingerOut, "finger-out", "no finger in the oximeter", "血氧仪未放入手指"),
    (Fault::NodeUnplugged, "node-unplugged", "the fridge's node is unplugged", "冰箱节点断开"),
    (Fault::ProbeBroken, "probe-broken", "a probe of the fridge's node is broken", "冰箱节点探头断线"),
    (Fault::GasSilent, "gas-silent", "the kitchen's gas sensor is silent", "后厨燃气传感器无数据"),
    (Fault::NoPaper, "no-paper", "the kiosk is out of paper", "政务终端缺纸"),
    (Fault::RoomsCleared, "rooms-cleared", "everybody has left the rooms to be switched", "待转换房间已清空"),
    (Fault::FireAlarm, "fire-alarm", "the fire panel tells of a fire", "消防报警"),
    (Fault::LampsFail, "lamps-fail", "the lamps take every command and do not burn", "紫外灯失效"),
    (Fault::BrokerDown, "broker-down", "the broker is away", "消息服务器断开"),
];

/// The faults that are on, shared by all simulated devices.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    on: Arc<Mutex<BTreeSet<Fault>>>,
}

// === impl Faults ===

impl Faults {
    /// Whether a fault is on.
    pub fn is_on(&self, fault: Fault) -> bool {
        self.on.lock().unwrap_or_else(PoisonError::into_inner).contains(&fault)
    }

    /// Switches a fault by its name.
    ///
    /// # Errors
    /// The list of names when the name is unknown.
    pub fn switch(&self, word: &str, on: bool) -> Result<(), String> {
        let Some((fault, ..)) = ALL.iter().find(|(_, known, ..)| *known == word) else {
            let words: Vec<&str> = ALL.iter().map(|(_, word, ..)| *word).collect();
            return Err(format!("there is no fault {word:?}; there are: {}", words.join(", ")));
        };
        let mut faults = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        if on {
            faults.insert(*fault)
        } else {
            faults.remove(fault)
        };
        Ok(())
    }

    /// Every fault: whether it is on, its name, its effect.
    pub fn list(&self) -> Vec<(bool, &'static str, &'static str, &'static str)> {
        ALL.iter().map(|(fault, word, en, zh)| (self.is_on(*fault), *word, *en, *zh)).collect()
    }
}
