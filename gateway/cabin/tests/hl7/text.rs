//! The bytes of a message about a measurement.

use linli_domain::{Civil, Timestamp};

use super::act::{Clock, Fault, Name, Sent};

/// Beginning of all streams, Unix milliseconds.
pub const BEGIN: i64 = 1_795_428_000_000;

const START: u8 = 0x0B;
const END: [u8; 2] = [0x1C, 0x0D];

/// The weight that names the result of an act; the second of a message has the number after it.
pub fn weight(act: usize, nth: usize) -> String {
    let number = 4000 + 2 * act + nth;
    format!("{}.{:02}", number / 100, number % 100)
}

/// The card number of a resident in a stream.
pub fn card(stream: u64, who: u8) -> String {
    format!("C{stream}X{who}")
}

/// The code of a visit in a stream.
pub fn code(stream: u64, act: usize) -> String {
    format!("s{stream}v{act}")
}

/// A message as its sender writes it, before it is framed.
pub struct Text<'a> {
    pub stream: u64,
    /// When the stream began, milliseconds after [`BEGIN`].
    pub from: i64,
    pub act: usize,
    pub sent: &'a Sent,
}

// === impl Text ===

impl Text<'_> {
    /// Its name (MSH-10).
    pub fn id(&self) -> String {
        format!("S{}-{}", self.stream, self.sent.id)
    }

    /// What its monitor's clock showed at that time of the stream.
    fn stamp(&self, at: i64) -> String {
        let (offset, is_set) = match self.sent.clock {
            Clock::Off(ms) => (ms, true),
            Clock::Unset => (0, false),
            Clock::None | Clock::Right => (0, true),
        };
        let at = if is_set { BEGIN + self.from + at + offset } else { 0 };
        let Civil { year, month, day, hour, minute, second } = Civil::of(Timestamp(at));
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}+0000")
    }

    /// Its bytes, in the character set and with the delimiters of its faults.
    pub fn bytes(&self) -> Vec<u8> {
        let has = |fault| self.sent.has(fault);
        let end = if has(Fault::LineFeeds) { "\r\n" } else { "\r" };
        let mut text: String = self.lines().into_iter().map(|line| line + end).collect();
        if has(Fault::Delimiters) {
            text = with_other_delimiters(&text);
        }
        let mut bytes = match () {
            () if has(Fault::Chinese) => encoding_rs::GB18030.encode(&text).0.into_owned(),
            () if has(Fault::Latin) => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
            () => text.into_bytes(),
        };
        if has(Fault::Mark) {
            drop(bytes.splice(0..0, *b"\xEF\xBB\xBF"));
        }
        bytes
    }

    /// Its segments and those of its batch.
    fn lines(&self) -> Vec<String> {
        let sent = self.sent;
        let has = |fault| sent.has(fault);
        let set = match () {
            () if has(Fault::Chinese) => "GB 18030-2000",
            () if has(Fault::Latin) => "8859/1",
            () => "UNICODE UTF-8",
        };
        let (id, measured) = (self.id(), self.stamp(sent.at));
        let time = if sent.clock == Clock::None { "" } else { measured.as_str() };
        // What comes late waited in the monitor; a correction is made when it is sent.
        let stamp = self.stamp(sent.at + if sent.corrects.is_some() { sent.late } else { 0 });
        let status = if sent.corrects.is_some() { "C" } else { "F" };
        let flag = if sent.who.is_none() { "DEMO" } else { "" };
        let name = |name: &Name| match name {
            Name::Card(who) => card(self.stream, *who),
            Name::Code(act) => code(self.stream, *act),
        };
        let names: Vec<String> = sent.names.iter().map(name).collect();
        let word = if has(Fault::Latin) { "Gewicht für" } else { "体重" };
        let mut lines = vec![
            format!("MSH|^~\\&|MON{}|S|GW|S|{stamp}||ORU^R01|{id}|P|2.6|||||||{set}", sent.monitor),
            format!("PID|||{}", names.join("~")),
            "OBR|1|||85353-1^Vital signs^LN".to_owned(),
            format!("OBX|1|NM|29463-7^{word}^LN||{}|kg||{flag}|||{status}|||{time}", weight(self.act, 0)),
            format!("OBX|2|NM|59408-5^SpO2^LN||97|%||{flag}|||{status}|||{time}"),
        ];
        if has(Fault::Indented) {
            lines[1] = lines[1].replacen("PID", " pid", 1);
        }
        for (fault, value) in
            [(Fault::NoValue, "---|/min"), (Fault::WrongUnit, "70|kg"), (Fault::Impossible, "450|/min")]
        {
            if has(fault) {
                lines.push(format!("OBX|3|NM|8867-4^HR^LN||{value}||{flag}|||F|||{time}"));
            }
        }
        if let Some(who) = self.second() {
            lines.push(format!("PID|||{}", card(self.stream, who)));
            lines.push("OBR|2|||85353-1^Vital signs^LN".to_owned());
            let value = weight(self.act, 1);
            lines.push(format!("OBX|1|NM|29463-7^{word}^LN||{value}|kg|||||F|||{time}"));
        }
        if has(Fault::Batch) {
            lines.insert(0, "FHS|^~\\&|MON".to_owned());
            lines.insert(1, "BHS|^~\\&|MON".to_owned());
            lines.extend(["BTS|1".to_owned(), "FTS|1".to_owned()]);
        }
        lines
    }

    /// A second person in the message.
    pub fn second(&self) -> Option<u8> {
        self.sent.faults.iter().find_map(|fault| match fault {
            Fault::Second(who) => Some(*who),
            _ => None,
        })
    }

    /// What is written to the connection, how many answers it must get, and whether the sender closes it then.
    pub fn written(&self) -> (Vec<u8>, usize, bool) {
        let mut text = self.bytes();
        for fault in &self.sent.faults {
            let part = |share: &u8| text.len() * usize::from(*share) / 256;
            match fault {
                Fault::Cut(share) => text.truncate(part(share)),
                Fault::Closed(share) => {
                    let cut = part(share);
                    return ([&[START], &text[..cut]].concat(), 0, true);
                }
                _ => {}
            }
        }
        let frame = |text: &[u8]| [&[START], text, &END].concat();
        if self.sent.has(Fault::OneFrame) && !self.sent.is_cut() {
            return (frame(&[text.clone(), text].concat()), 2, false);
        }
        if self.sent.has(Fault::OneWrite) {
            return ([frame(&text), frame(&text)].concat(), 2, false);
        }
        if self.sent.has(Fault::Burst) {
            return (frame(&text).repeat(100), 100, false);
        }
        let mut whole = frame(&text);
        if self.sent.has(Fault::NoStart) && text.starts_with(b"MSH") {
            whole.remove(0);
        }
        if self.sent.has(Fault::NoReturn) {
            // The next frame shows that the one before is whole.
            whole.pop();
            return ([whole, frame(&text)].concat(), 2, false);
        }
        (whole, 1, false)
    }
}

/// The same text with delimiters that its header declares and nobody else uses.
fn with_other_delimiters(text: &str) -> String {
    let other = |c: char| match c {
        '|' => '#',
        '^' => '*',
        '~' => '+',
        '\\' => '!',
        '&' => '%',
        c => c,
    };
    // A percent sign of the unit would be a delimiter: it is written as an escape.
    text.replace("|97|%|", "|97|\\X25\\|").chars().map(other).collect()
}
