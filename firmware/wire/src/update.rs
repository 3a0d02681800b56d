//! The update of a node's firmware, through a mailbox of holding registers.
//!
//! One FC16 request that begins at the mailbox is one message: begin with the header, chunk after
//! chunk in order, finish, activate, and after the restart confirm. A request that is accepted gets
//! the normal answer. A refused one gets exception 4 (or 6 while the node is busy), and the status
//! block says why and where to go on. Every chunk may be sent again; none may be left out.

use crate::crc::crc32;
use crate::field::{Field, from_bytes, to_bytes};
use crate::map::mailbox as at;

/// The first register of the mailbox.
pub const BASE: u16 = at::COMMAND.address;

/// Registers of the longest message.
pub const WORDS: usize = 120;

/// Where its data begins, counted from the mailbox.
pub const DATA: usize = 8;

/// Bytes of the longest chunk: 112 registers, so that one FC16 request (123 registers) holds it.
pub const LONGEST_CHUNK: usize = 224;

/// Chunks begin and end at multiples of this.
pub const ALIGN: u32 = crate::image::ALIGN;

codes! {
    /// What a message orders.
    Command {
        Begin = 1 "begin" "开始升级，数据为镜像头" "begin; the data is the header of the image";
        Chunk = 2 "chunk" "一块镜像数据" "a chunk of the image";
        Finish = 3 "finish" "全部发完，请校验" "all was sent: verify it";
        Activate = 4 "activate" "标记并重启到新固件" "mark it and restart into it";
        Confirm = 5 "confirm" "确认试运行的固件" "keep the firmware that is on trial";
        Abort = 6 "abort" "放弃升级" "forget the update";
        Restart = 7 "restart" "重启节点" "restart the node";
    }
}

codes! {
    /// How far an update is.
    State {
        Idle = 0 "idle" "空闲" "no update";
        Erasing = 1 "erasing" "正在擦除" "erasing the place for it";
        Receiving = 2 "receiving" "正在接收" "receiving";
        Verifying = 3 "verifying" "正在校验" "verifying hash and signature";
        Verified = 4 "verified" "校验通过，等待启用" "verified, waits to be activated";
        Activating = 5 "activating" "即将重启" "marked, about to restart";
    }
}

codes! {
    /// Why a message is refused.
    Refusal {
        Crc = 1 "crc" "数据块校验错误" "the data does not fit its checksum";
        Length = 2 "length" "长度不合理或没有对齐" "the length is not allowed or not aligned";
        UnknownCommand = 3 "unknown_command" "命令不认识" "unknown command";
        Busy = 4 "busy" "正忙（擦除或校验），请稍后重试" "busy erasing or verifying: try again";
        NoSession = 5 "no_session" "没有进行中的升级" "no update is going on";
        OtherSession = 6 "other_session" "另一个镜像正在升级，请先放弃它" "the update of another image is going on: abort it first";
        Ahead = 7 "ahead" "跳过了数据，请从下一偏移继续" "data was left out: go on at the next offset";
        Repeated = 8 "repeated" "这块数据早已收到" "this was received long ago: go on at the next offset";
        BeyondEnd = 9 "beyond_end" "超出镜像末尾" "beyond the end of the image";
        Header = 10 "header" "镜像头无效" "the header is not valid";
        Board = 11 "board" "镜像属于另一种板子" "the image is for another board";
        Kind = 12 "kind" "镜像不支持本节点的类型" "the image is not for this kind of node";
        OlderVersion = 13 "older_version" "版本不高于当前固件" "the version is not above the one that runs";
        Security = 14 "security" "安全版本低于防回退计数" "the security version is below the node's";
        TooLarge = 15 "too_large" "镜像大于固件槽" "the image is larger than its slot";
        Incomplete = 16 "incomplete" "还没有收完" "not everything was received";
        Hash = 17 "hash" "镜像内容与镜像头不符" "the body does not fit the header";
        Signature = 18 "signature" "签名无效" "the signature is not valid";
        Flash = 19 "flash" "闪存写入失败" "flash could not be written";
        NotVerified = 20 "not_verified" "还没有校验通过" "nothing verified waits for activation";
        Mark = 21 "mark" "无法写入启动标记" "the mark for the bootloader could not be written";
        NotOnTrial = 22 "not_on_trial" "当前固件不在试运行" "the firmware that runs is not on trial";
        SelftestFailed = 23 "selftest_failed" "自检未通过，不能确认" "the self-test has not passed: it is not confirmed";
        NotSupported = 24 "not_supported" "本板不支持在线升级" "this board takes no updates over the line";
        OnTrial = 25 "on_trial" "新固件还在试运行，请先确认" "the firmware that runs is on trial: confirm it first";
        Torn = 26 "torn" "断电留下残缺数据，已退回到页首" "a power cut left half a word: went back to the page's start";
        UnknownKey = 27 "unknown_key" "镜像由不认识的密钥签名" "signed with a key this node does not know";
    }
}

/// A message as it lies in the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// What is ordered; kept as a number, so that an unknown one can be refused with its reason.
    pub command: u16,
    /// The image it is about, [`crate::image::Header::id`].
    pub session: u32,
    /// Where in the file the chunk begins.
    pub offset: u32,
    data: [u8; LONGEST_CHUNK],
    length: usize,
}

// === impl Message ===

impl Message {
    /// A message without data.
    #[must_use]
    pub const fn order(command: Command, session: u32) -> Self {
        Self { command: command as u16, session, offset: 0, data: [0; LONGEST_CHUNK], length: 0 }
    }

    /// Begins the update with this header.
    #[must_use]
    pub fn begin(header: &crate::image::Header) -> Self {
        let mut message = Self::order(Command::Begin, header.id());
        message.set(&header.encode());
        message
    }

    /// A chunk of the file; longer data than [`LONGEST_CHUNK`] is cut.
    #[must_use]
    pub fn chunk(session: u32, offset: u32, data: &[u8]) -> Self {
        let mut message = Self::order(Command::Chunk, session);
        message.offset = offset;
        message.set(data);
        message
    }

    /// Its data.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data[..self.length]
    }

    fn set(&mut self, data: &[u8]) {
        self.length = data.len().min(LONGEST_CHUNK);
        self.data[..self.length].copy_from_slice(&data[..self.length]);
    }

    /// As it lies in the mailbox; returns how many registers are used.
    pub fn encode(&self, words: &mut [u16; WORDS]) -> usize {
        at::COMMAND.put(words, BASE, self.command);
        at::SESSION.put(words, BASE, self.session);
        at::OFFSET.put(words, BASE, self.offset);
        at::LENGTH.put(words, BASE, self.length as u16);
        at::CRC.put(words, BASE, crc32(self.data()));
        from_bytes(self.data(), &mut words[DATA..]);
        DATA + self.length.div_ceil(2)
    }

    /// Reads what was written to the mailbox, from its first register on.
    pub fn decode(words: &[u16]) -> Result<Self, Refusal> {
        let head = |field: Field<u16>| field.get(words, BASE).ok_or(Refusal::Length);
        let wide = |field: Field<u32>| field.get(words, BASE).ok_or(Refusal::Length);
        let length = usize::from(head(at::LENGTH)?);
        let mut message = Self {
            command: head(at::COMMAND)?,
            session: wide(at::SESSION)?,
            offset: wide(at::OFFSET)?,
            data: [0; LONGEST_CHUNK],
            length,
        };
        let crc = wide(at::CRC)?;
        let data = words.get(DATA..).unwrap_or_default();
        let place = message.data.get_mut(..length).ok_or(Refusal::Length)?;
        if to_bytes(data, place) < length {
            return Err(Refusal::Length);
        }
        if crc32(message.data()) != crc {
            return Err(Refusal::Crc);
        }
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_chunk_fits_one_request() {
        let data: [u8; LONGEST_CHUNK] = core::array::from_fn(|at| at as u8);
        let message = Message::chunk(0xAABB_CCDD, 512, &data);
        let mut words = [0; WORDS];
        assert_eq!(message.encode(&mut words), WORDS);
        const { assert!(WORDS <= 123) };
        assert_eq!(Message::decode(&words), Ok(message));
    }

    #[test]
    fn a_damaged_message_is_refused() {
        let mut words = [0; WORDS];
        let used = Message::chunk(1, 0, &[1, 2, 3, 4, 5, 6, 7, 8]).encode(&mut words);
        assert_eq!(used, DATA + 4);
        assert_eq!(Message::decode(&words[..used - 1]), Err(Refusal::Length));
        assert_eq!(Message::decode(&words[..3]), Err(Refusal::Length));
        words[DATA] ^= 1;
        assert_eq!(Message::decode(&words[..used]), Err(Refusal::Crc));
        words[5] = 225;
        assert_eq!(Message::decode(&words), Err(Refusal::Length));
    }

    #[test]
    fn reasons_fit_their_counters() {
        for refusal in Refusal::ALL {
            assert!(refusal.code() < crate::health::MOST_REFUSALS, "{}", refusal.as_str());
        }
    }
}
