//! A message as segments of fields, by the delimiters it names itself (HL7 v2.5.1, 2.5 and 2.7).

use data_encoding::HEXLOWER_PERMISSIVE;
use encoding_rs::{Encoding, GB18030, UTF_8};
use linli_domain::printable::printable;

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It does not begin with a message header.
    #[error("the message does not begin with MSH")]
    NoHeader,
    /// Its delimiters are not usable.
    #[error("MSH-1 and MSH-2 do not name five different delimiters")]
    Delimiters,
    /// Its character set is none linli reads.
    #[error("MSH-18 names the character set {0:?}; UNICODE UTF-8, GB 18030, 8859/1 and ASCII are read")]
    CharacterSet(String),
    /// The header of another message stands in the middle of a segment: bytes between two messages were lost.
    #[error("another message begins in the middle of a segment; send each message by itself")]
    RunTogether,
    /// Its bytes are not of its character set.
    #[error("the text is not valid {0}")]
    Bytes(&'static str),
}

/// Most bytes of the name of a character set that are read; none of the table (HL7 0211) is longer.
const LONGEST_SET: usize = 40;

/// Most bytes of a header that is answered though the message cannot be read.
const LONGEST_HEADER: usize = 2048;

/// The delimiters of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Delimiters {
    field: char,
    component: char,
    repetition: char,
    escape: char,
    subcomponent: char,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    delimiters: Delimiters,
    segments: Vec<Vec<String>>,
    /// The last segment has no end.
    is_open: bool,
}

/// A segment of a message.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'m> {
    message: &'m Message,
    fields: &'m [String],
}

// === impl Message ===

impl Message {
    /// Parses the bytes of one message. Segments end with a carriage return; a line feed, which
    /// the standard does not allow and devices send, is taken as well.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let header = bytes.strip_prefix(b"MSH").filter(|rest| rest.len() > 1).ok_or(Unreadable::NoHeader)?;
        let delimiters = Delimiters::named(header).ok_or(Unreadable::Delimiters)?;
        if bytes
            .windows(header_start(bytes).len())
            .filter(|part| *part == header_start(bytes))
            .nth(1)
            .is_some()
        {
            return Err(Unreadable::RunTogether);
        }
        let text = decode(bytes, delimiters.field)?;
        Ok(Self::of(&text, delimiters))
    }

    /// As much of an unreadable message as its refusal needs: its header, with what cannot be read replaced.
    #[must_use]
    pub fn salvage(bytes: &[u8]) -> Self {
        let first = bytes.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
        let first = &first[..first.len().min(LONGEST_HEADER)];
        let delimiters = first.strip_prefix(b"MSH").and_then(Delimiters::named);
        match delimiters {
            Some(delimiters) => Self::of(&String::from_utf8_lossy(first), delimiters),
            None => Self::of("MSH|^~\\&", Delimiters::STANDARD),
        }
    }

    fn of(text: &str, delimiters: Delimiters) -> Self {
        let segments = text
            .split(['\r', '\n'])
            .filter(|line| !line.is_empty())
            .map(|line| segment(line, delimiters.field))
            .collect();
        Self { delimiters, segments, is_open: !text.ends_with(['\r', '\n']) }
    }

    /// Segments in order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.segments.iter().map(|fields| Segment { message: self, fields })
    }

    /// The first segment of that name.
    #[must_use]
    pub fn segment(&self, name: &str) -> Option<Segment<'_>> {
        self.segments().find(|segment| segment.name() == name)
    }

    /// Whether a segment is the last one and has no end: it may have been cut.
    #[must_use]
    pub fn is_open(&self, segment: &Segment<'_>) -> bool {
        self.is_open && self.segments.last().is_some_and(|last| std::ptr::eq(last.as_slice(), segment.fields))
    }

    /// Whether that is what separates its fields.
    pub(super) const fn is_separated_by(&self, separator: char) -> bool {
        self.delimiters.field == separator
    }

    /// A field of the header, unescaped; empty when missing.
    #[must_use]
    pub fn header(&self, number: usize) -> String {
        self.segment("MSH").map(|header| header.text(number)).unwrap_or_default()
    }

    /// A field of the header as it was sent.
    pub(super) fn raw_header(&self, number: usize) -> &str {
        self.segment("MSH").map_or("", |header| header.raw(number))
    }

    /// Replaces escape sequences (2.7.1): `\F\ \S\ \T\ \R\ \E\` and `\Xhh…\`. Others, such as
    /// highlighting, are dropped, and so is what acts on a terminal or the order of letters.
    fn unescape(&self, raw: &str) -> String {
        let Delimiters { field, component, repetition, escape, subcomponent } = self.delimiters;
        let mut text = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once(escape) {
            text.push_str(before);
            let Some((sequence, tail)) = after.split_once(escape) else {
                // Not an escape after all.
                text.push(escape);
                rest = after;
                continue;
            };
            match sequence {
                "F" => text.push(field),
                "S" => text.push(component),
                "T" => text.push(subcomponent),
                "R" => text.push(repetition),
                "E" => text.push(escape),
                _ => text.extend(sequence.strip_prefix('X').and_then(hexadecimal)),
            }
            rest = tail;
        }
        text.push_str(rest);
        printable(&text).into_owned()
    }
}

/// The fields of a line. Devices indent segments and write their names small: what is overlooked may name a person.
fn segment(line: &str, separator: char) -> Vec<String> {
    let mut fields: Vec<String> = line.trim_start().split(separator).map(str::to_owned).collect();
    if let Some(name) = fields.first_mut() {
        *name = name.trim().to_uppercase();
    }
    fields
}

/// `MSH` with its delimiters, as the message begins.
fn header_start(bytes: &[u8]) -> &[u8] {
    let separator = bytes.get(3);
    let end = bytes.iter().skip(4).position(|byte| Some(byte) == separator);
    &bytes[..end.map_or(bytes.len().min(4), |end| end + 5)]
}

fn hexadecimal(digits: &str) -> Option<String> {
    String::from_utf8(HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?).ok()
}

/// To text, by MSH-18. Devices name no set, or the wrong one: what is not valid in the named set is read as UTF-8
/// or GB 18030, whichever it is valid in.
fn decode(bytes: &[u8], field: char) -> Result<String, Unreadable> {
    let first = bytes.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
    let separator = u8::try_from(field).unwrap_or(b'|');
    let named = first.split(|byte| *byte == separator).nth(17).unwrap_or_default();
    // A repetition would name further sets, for escapes that nobody sends.
    let named = named.split(|byte| *byte == b'~').next().unwrap_or_default();
    let named = String::from_utf8_lossy(&named[..named.len().min(LONGEST_SET)]).into_owned();
    // A set that is not known matters only where a byte is not ASCII.
    let known = character_set(&named).or_else(|| bytes.is_ascii().then_some((UTF_8, "ASCII")));
    let (encoding, name) = known.ok_or(Unreadable::CharacterSet(named))?;
    let read =
        |encoding: &'static Encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let text = [encoding, UTF_8, GB18030].into_iter().find_map(read);
    Ok(text.ok_or(Unreadable::Bytes(name))?.into_owned())
}

/// A character set of HL7 table 0211, or as devices name it. No name is UTF-8.
fn character_set(written: &str) -> Option<(&'static Encoding, &'static str)> {
    let named: String =
        written.to_ascii_uppercase().chars().filter(|c| !matches!(c, '-' | ' ' | '_' | '/')).collect();
    match named.as_str() {
        "" | "ASCII" | "UNICODEUTF8" | "UTF8" | "UNICODE" | "ISOIR6" => return Some((UTF_8, "UTF-8")),
        "GB18030" | "GB180302000" | "GBK" | "GB2312" | "CP936" | "MS936" | "WINDOWS936" => {
            return Some((GB18030, "GB 18030"));
        }
        "BIG5" => return Some((encoding_rs::BIG5, "Big5")),
        _ => {}
    }
    if let Some(part) = named.strip_prefix("8859").or_else(|| named.strip_prefix("ISO8859")) {
        let number: u8 = part.parse().ok().filter(|number| (1..=16).contains(number))?;
        return Some((Encoding::for_label(format!("iso-8859-{number}").as_bytes())?, "ISO 8859"));
    }
    // Names that the standard does not have, as the web writes them: Windows-1252, Shift_JIS, EUC-KR.
    let label = written.trim().to_ascii_lowercase();
    let label =
        label.strip_prefix("cp125").map_or_else(|| label.clone(), |part| format!("windows-125{part}"));
    let found = Encoding::for_label_no_replacement(label.as_bytes())?;
    found.is_ascii_compatible().then_some((found, found.name()))
}

// === impl Delimiters ===

impl Delimiters {
    const STANDARD: Self =
        Self { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };

    /// By MSH-1 and MSH-2, which follow `MSH`. Later versions name a sixth delimiter; some devices leave out the
    /// last ones, which are the standard's then.
    fn named(header: &[u8]) -> Option<Self> {
        let (field, rest) = header.split_first()?;
        let named = rest.split(|byte| byte == field).next().filter(|named| !named.is_empty())?;
        let usual = Self::STANDARD;
        let at = |nth: usize, usual: char| named.get(nth).map_or(usual, |byte| char::from(*byte));
        let delimiters = Self {
            field: char::from(*field),
            component: at(0, usual.component),
            repetition: at(1, usual.repetition),
            escape: at(2, usual.escape),
            subcomponent: at(3, usual.subcomponent),
        };
        let all = [delimiters.field, delimiters.component, delimiters.repetition, delimiters.escape];
        let are_usable = all.iter().chain([&delimiters.subcomponent]).all(char::is_ascii_punctuation);
        Some(delimiters).filter(|delimiters| are_usable && delimiters.differ())
    }

    fn differ(&self) -> bool {
        let mut all = [self.field, self.component, self.repetition, self.escape, self.subcomponent];
        all.sort_unstable();
        all.windows(2).all(|pair| pair[0] != pair[1])
    }
}

// === impl Segment ===

impl<'m> Segment<'m> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'m str {
        self.fields.first().map_or("", String::as_str)
    }

    /// Its fields, its name among them.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.fields.len()
    }

    /// A field as it was sent, by its number in the standard.
    #[must_use]
    pub fn raw(&self, number: usize) -> &'m str {
        // The separator itself counts as MSH-1.
        let at = if self.name() == "MSH" { number.saturating_sub(1) } else { number };
        self.fields.get(at).map_or("", String::as_str)
    }

    /// The first repetition of a field, unescaped.
    #[must_use]
    pub fn text(&self, number: usize) -> String {
        let raw = self.raw(number).split(self.message.delimiters.repetition).next().unwrap_or_default();
        self.message.unescape(raw)
    }

    /// Every repetition of a field, unescaped.
    #[must_use]
    pub fn repetitions(&self, number: usize) -> Vec<String> {
        let raw = self.raw(number).split(self.message.delimiters.repetition);
        raw.map(|part| self.message.unescape(part)).collect()
    }

    /// The components of every repetition of a field, unescaped.
    #[must_use]
    pub fn components(&self, number: usize) -> Vec<Vec<String>> {
        let delimiters = &self.message.delimiters;
        let parts = |repetition: &str| -> Vec<String> {
            repetition.split(delimiters.component).map(|part| self.message.unescape(part)).collect()
        };
        self.raw(number).split(delimiters.repetition).map(parts).collect()
    }

    /// A component of the first repetition of a field, counted from one.
    #[must_use]
    pub fn component(&self, number: usize, component: usize) -> String {
        let delimiters = &self.message.delimiters;
        let raw = self.raw(number).split(delimiters.repetition).next().unwrap_or_default();
        let part = raw.split(delimiters.component).nth(component.saturating_sub(1)).unwrap_or_default();
        self.message.unescape(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published with the Python package `hl7` (0.4.5, tests/samples.py).
    const SAMPLE: &str = "MSH|^~\\&|GHH LAB|ELAB-3|GHH OE|BLDG4|200202150930||ORU^R01|CNTRL-3456|P|2.4\r\
        PID|||555-44-4444||EVERYWOMAN^EVE^E^^^^L|JONES|196203520|F|||153 FERNWOOD DR.^^STATESVILLE^OH^35292||(206)3345232|(206)752-121||||AC555444444||67-A4335^OH^20030520\r\
        OBR|1|845439^GHH OE|1045813^GHH LAB|1554-5^GLUCOSE|||200202150730||||||||555-55-5555^PRIMARY^PATRICIA P^^^^MD^^LEVEL SEVEN HEALTHCARE, INC.|||||||||F||||||444-44-4444^HIPPOCRATES^HOWARD H^^^^MD\r\
        OBX|1|SN|1554-5^GLUCOSE^POST 12H CFST:MCNC:PT:SER/PLAS:QN||^182|mg/dl|70_105|H|||F\r";

    #[test]
    fn the_published_sample() {
        let message = Message::parse(SAMPLE.as_bytes()).unwrap();
        assert_eq!((message.header(3).as_str(), message.header(9).as_str()), ("GHH LAB", "ORU^R01"));
        assert_eq!(message.header(10), "CNTRL-3456");
        assert_eq!(message.segment("PID").unwrap().component(5, 1), "EVERYWOMAN");
        let result = message.segment("OBX").unwrap();
        assert_eq!((result.component(3, 1).as_str(), result.component(5, 2).as_str()), ("1554-5", "182"));
        assert_eq!(result.text(6), "mg/dl");
    }

    #[test]
    fn escapes_repetitions_and_other_delimiters() {
        let message = Message::parse(b"MSH|^~\\&|a\\T\\b\\X41\\\\F\\c\\E\\\rPID|||x~y^z\r").unwrap();
        assert_eq!(message.header(3), "a&bA|c\\");
        let person = message.segment("PID").unwrap();
        assert_eq!(person.repetitions(3), ["x", "y^z"]);
        let message = Message::parse(b"MSH|^~\\&|a\\X1B\\[2Jb\x07c\\X0D\\d\r").unwrap();
        assert_eq!(message.header(3), "a[2Jbc d", "nothing acts on a terminal");
        let message = Message::parse(b"MSH#*+!%#lab#\nPID###7*8\n").unwrap();
        assert_eq!(
            (message.header(3).as_str(), message.segment("PID").unwrap().component(3, 2)),
            ("lab", "8".to_owned())
        );
    }

    #[test]
    fn chinese_in_both_character_sets() {
        let of = |set: &str| format!("MSH|^~\\&|张三|||||||||||||||{set}\r");
        let message = Message::parse(of("UNICODE UTF-8").as_bytes()).unwrap();
        assert_eq!(message.header(3), "张三");
        let text = of("GB 18030");
        let (bytes, _, _) = GB18030.encode(&text);
        assert_eq!(Message::parse(&bytes).unwrap().header(3), "张三");
        assert_eq!(
            Message::parse(b"MSH|^~\\&|a|||||||||||||||KLINGON\r").unwrap().header(3),
            "a",
            "it is ASCII"
        );
        assert_eq!(
            Message::parse(of("KLINGON").as_bytes()),
            Err(Unreadable::CharacterSet("KLINGON".to_owned()))
        );
        assert_eq!(Message::parse(b"MSH|^~\\&|\xFF\xFE\r"), Err(Unreadable::Bytes("UTF-8")));
    }

    #[test]
    fn a_set_that_is_not_named_or_wrongly_is_found() {
        let of = |set: &str| format!("MSH|^~\\&|张三|||||||||||||||{set}\r");
        for set in ["", "ASCII", "UNICODE UTF-8", "GBK", "GB18030-2000", "ISO IR6"] {
            let text = of(set);
            if !set.starts_with("GB") {
                assert_eq!(Message::parse(text.as_bytes()).unwrap().header(3), "张三", "UTF-8 as {set}");
            }
            let (bytes, _, _) = GB18030.encode(&text);
            assert_eq!(Message::parse(&bytes).unwrap().header(3), "张三", "GB 18030 as {set}");
        }
        for set in ["8859/1", "ISO 8859-1", "ISO8859-1"] {
            let bytes = [b"MSH|^~\\&|M\xFCller|||||||||||||||".as_slice(), set.as_bytes()].concat();
            assert_eq!(Message::parse(&bytes).unwrap().header(3), "Müller", "{set}");
        }
        for set in ["WINDOWS-1252", "cp1252"] {
            let bytes = [b"MSH|^~\\&|M\xFCller|||||||||||||||".as_slice(), set.as_bytes()].concat();
            assert_eq!(Message::parse(&bytes).unwrap().header(3), "Müller", "{set}");
        }
        let greek = b"MSH|^~\\&|\xE1|||||||||||||||8859/7\r";
        assert_eq!(Message::parse(greek).unwrap().header(3), "α");
    }

    #[test]
    fn delimiters_as_devices_name_them() {
        for (named, id) in
            [("^~\\&", "a^b"), ("^~\\&#", "a^b"), ("^~", "a^b"), ("^", "a^b"), ("!~\\&", "a!b")]
        {
            let message = Message::parse(format!("MSH|{named}|x\rPID|||{id}\r").as_bytes()).unwrap();
            assert_eq!(message.segment("PID").unwrap().component(3, 2), "b", "{named}");
        }
    }

    #[test]
    fn what_is_no_message() {
        assert_eq!(Message::parse(b"PID|||"), Err(Unreadable::NoHeader));
        assert_eq!(Message::parse(b"MSH"), Err(Unreadable::NoHeader));
        assert_eq!(Message::parse(b"MSH||||||"), Err(Unreadable::Delimiters));
    }
}
