//! Who a node is: the block by which it is recognised before anything else is believed.

use crate::crc;
use crate::field::Field;
use crate::map::identity as at;
use crate::version::Version;

/// The first register of every node: "LL".
pub const MAGIC: u16 = 0x4C4C;

/// Registers of the block.
pub const WORDS: u16 = at::CHECK.end();

codes! {
    /// How the firmware that runs came to run.
    BootState {
        Confirmed = 0 "confirmed" "已确认" "confirmed: stays after a reset";
        Trial = 1 "trial" "试运行" "on trial: reverts unless confirmed";
        Reverted = 2 "reverted" "已回退" "reverted: the last update was not confirmed";
        Recovery = 3 "recovery" "恢复模式" "recovery: no slot holds a signed image";
    }
}

/// Bits of the register `reset_cause`.
pub mod reset {
    /// Power came.
    pub const POWER_ON: u16 = 1;
    /// Power sagged.
    pub const BROWN_OUT: u16 = 1 << 1;
    /// The watchdog was not fed.
    pub const WATCHDOG: u16 = 1 << 2;
    /// The firmware asked for it.
    pub const SOFTWARE: u16 = 1 << 3;
    /// The reset pin.
    pub const PIN: u16 = 1 << 4;
    /// The processor locked up.
    pub const LOCKUP: u16 = 1 << 5;

    /// Every bit with its word.
    pub const NAMES: [(u16, &str, &str); 6] = [
        (POWER_ON, "power_on", "上电"),
        (BROWN_OUT, "brown_out", "欠压"),
        (WATCHDOG, "watchdog", "看门狗"),
        (SOFTWARE, "software", "软件"),
        (PIN, "pin", "复位引脚"),
        (LOCKUP, "lockup", "内核锁死"),
    ];
}

/// Bits of the register `status`.
pub mod status {
    /// The last self-test failed.
    pub const SELFTEST_FAILED: u16 = 1;
    /// No configuration was found: the factory's is in use.
    pub const CONFIG_DEFAULT: u16 = 1 << 1;
    /// A point is not good.
    pub const SENSOR_FAULTY: u16 = 1 << 2;
    /// The last reset was the watchdog's.
    pub const WATCHDOG: u16 = 1 << 3;
    /// An update is being received, or waits for its activation.
    pub const UPDATE_PENDING: u16 = 1 << 4;
    /// New line settings are on trial.
    pub const LINE_TRIAL: u16 = 1 << 5;
    /// A watchdog is running.
    pub const WATCHDOG_RUNS: u16 = 1 << 6;
    /// The configuration's memory does not work: nothing survives a reset.
    pub const STORAGE_FAILED: u16 = 1 << 7;

    /// Every bit with its word.
    pub const NAMES: [(u16, &str, &str); 8] = [
        (SELFTEST_FAILED, "selftest_failed", "自检未通过"),
        (CONFIG_DEFAULT, "config_default", "出厂配置"),
        (SENSOR_FAULTY, "sensor_faulty", "传感器故障"),
        (WATCHDOG, "watchdog", "上次为看门狗复位"),
        (UPDATE_PENDING, "update_pending", "升级中"),
        (LINE_TRIAL, "line_trial", "通信参数试用中"),
        (WATCHDOG_RUNS, "watchdog_runs", "看门狗运行中"),
        (STORAGE_FAILED, "storage_failed", "配置存储器故障"),
    ];
}

/// The block, decoded. Numbers stay as they came where a later version may know more of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The register map it speaks.
    pub map_version: u16,
    /// A [`crate::board::Board`].
    pub board: u16,
    /// A [`crate::kind::Kind`].
    pub kind: u16,
    /// What runs.
    pub firmware: Version,
    /// No image below this security version is taken.
    pub security: u16,
    /// A [`BootState`].
    pub boot: u16,
    /// Given once when it was provisioned; 0 is none.
    pub serial: u64,
    /// Bits of [`reset`].
    pub reset_cause: u16,
    /// Bits of [`status`].
    pub status: u16,
    /// Seconds since it started.
    pub uptime_s: u32,
    /// How many points, digital inputs and relays.
    pub points: u16,
    /// Where its points begin.
    pub points_base: u16,
    /// Digital inputs.
    pub inputs: u16,
    /// Relays.
    pub relays: u16,
    /// CRC-32 of the header of the image that runs; 0 is unknown.
    pub image: u32,
}

/// Why a block is not a node's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotANode {
    /// Fewer registers than the block has.
    Short,
    /// The first register is not [`MAGIC`].
    Magic(u16),
    /// It speaks a map that this program does not know.
    Map(u16),
    /// The check does not fit the block: damaged, or a chance.
    Check,
    /// The points do not fit where they are said to be.
    Points,
}

// === impl Identity ===

impl Identity {
    /// As it travels.
    #[must_use]
    pub fn encode(&self) -> [u16; WORDS as usize] {
        let mut words = [0; WORDS as usize];
        at::MAGIC.put(&mut words, 0, MAGIC);
        at::MAP_VERSION.put(&mut words, 0, self.map_version);
        at::BOARD.put(&mut words, 0, self.board);
        at::KIND.put(&mut words, 0, self.kind);
        at::FIRMWARE.put(&mut words, 0, self.firmware.code());
        at::SECURITY.put(&mut words, 0, self.security);
        at::BOOT.put(&mut words, 0, self.boot);
        at::SERIAL.put(&mut words, 0, self.serial);
        at::RESET_CAUSE.put(&mut words, 0, self.reset_cause);
        at::STATUS.put(&mut words, 0, self.status);
        at::UPTIME.put(&mut words, 0, self.uptime_s);
        at::POINTS.put(&mut words, 0, self.points);
        at::POINTS_BASE.put(&mut words, 0, self.points_base);
        at::INPUTS.put(&mut words, 0, self.inputs);
        at::RELAYS.put(&mut words, 0, self.relays);
        at::IMAGE.put(&mut words, 0, self.image);
        let sum = check(&words);
        at::CHECK.put(&mut words, 0, sum);
        words
    }

    /// Reads a block, believing nothing that is not plausible.
    pub fn decode(words: &[u16]) -> Result<Self, NotANode> {
        let words = words.get(..usize::from(WORDS)).ok_or(NotANode::Short)?;
        let of = |field: Field<u16>| field.get(words, 0).ok_or(NotANode::Short);
        if of(at::MAGIC)? != MAGIC {
            return Err(NotANode::Magic(of(at::MAGIC)?));
        }
        // A later map may have another check, so the version is looked at first.
        if of(at::MAP_VERSION)? != crate::MAP_VERSION {
            return Err(NotANode::Map(of(at::MAP_VERSION)?));
        }
        if of(at::CHECK)? != check(words) {
            return Err(NotANode::Check);
        }
        let wide = |field: Field<u32>| field.get(words, 0).ok_or(NotANode::Short);
        let identity = Self {
            map_version: of(at::MAP_VERSION)?,
            board: of(at::BOARD)?,
            kind: of(at::KIND)?,
            firmware: Version::from_code(wide(at::FIRMWARE)?),
            security: of(at::SECURITY)?,
            boot: of(at::BOOT)?,
            serial: at::SERIAL.get(words, 0).ok_or(NotANode::Short)?,
            reset_cause: of(at::RESET_CAUSE)?,
            status: of(at::STATUS)?,
            uptime_s: wide(at::UPTIME)?,
            points: of(at::POINTS)?,
            points_base: of(at::POINTS_BASE)?,
            inputs: of(at::INPUTS)?,
            relays: of(at::RELAYS)?,
            image: wide(at::IMAGE)?,
        };
        let fits = usize::from(identity.points) <= crate::point::MOST && identity.points_base >= WORDS;
        if fits { Ok(identity) } else { Err(NotANode::Points) }
    }
}

/// CRC-16 of every register before the check, as bytes of a frame.
fn check(words: &[u16]) -> u16 {
    let mut crc_of = [0; 2 * WORDS as usize];
    let before = &words[..usize::from(at::CHECK.address)];
    for (pair, word) in crc_of.chunks_exact_mut(2).zip(before) {
        pair.copy_from_slice(&word.to_be_bytes());
    }
    crc::modbus(&crc_of[..2 * before.len()])
}

// === impl NotANode ===

impl NotANode {
    /// Why, in Chinese and English.
    #[must_use]
    pub const fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Short => ("应答太短", "the answer is too short"),
            Self::Magic(_) => ("不是邻里节点", "not a linli node"),
            Self::Map(_) => {
                ("寄存器表版本不认识，请升级网关", "unknown version of the register map: update the gateway")
            }
            Self::Check => ("身份块校验错误", "the identity block is damaged"),
            Self::Points => ("测点数量不合理", "the number of points is not plausible"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Identity = Identity {
        map_version: 1,
        board: 1,
        kind: 1,
        firmware: Version::new(1, 2, 3),
        security: 4,
        boot: 0,
        serial: 0x0102_0304_0506_0708,
        reset_cause: reset::POWER_ON,
        status: 0,
        uptime_s: 70_000,
        points: 2,
        points_base: 0x20,
        inputs: 1,
        relays: 0,
        image: 0xAABB_CCDD,
    };

    #[test]
    fn a_block_comes_back() {
        assert_eq!(Identity::decode(&NODE.encode()), Ok(NODE));
    }

    #[test]
    fn any_changed_bit_is_noticed() {
        for at in 0..usize::from(WORDS) * 16 {
            let mut words = NODE.encode();
            words[at / 16] ^= 1 << (at % 16);
            assert!(Identity::decode(&words).is_err(), "bit {at}");
        }
        assert_eq!(Identity::decode(&NODE.encode()[1..]), Err(NotANode::Short));
    }

    #[test]
    fn points_that_overlap_the_block_are_refused() {
        let block = Identity { points_base: 3, ..NODE }.encode();
        assert_eq!(Identity::decode(&block), Err(NotANode::Points));
    }
}
