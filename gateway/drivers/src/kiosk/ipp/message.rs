//! Encoding of Internet Printing Protocol messages (RFC 8010 clause 3.1): the part
//! that Get-Printer-Attributes needs.

/// `Get-Printer-Attributes` (RFC 8011 clause 5.4.15).
const GET_PRINTER_ATTRIBUTES: u16 = 0x000B;

/// Delimiters and the tags of values (RFC 8010 clause 3.5).
const OPERATION: u8 = 0x01;
const END: u8 = 0x03;
const PRINTER: u8 = 0x04;
const LAST_DELIMITER: u8 = 0x0F;
const INTEGER: u8 = 0x21;
const BOOLEAN: u8 = 0x22;
const ENUM: u8 = 0x23;
const NAME: u8 = 0x42;
const KEYWORD: u8 = 0x44;
const URI: u8 = 0x45;
const CHARSET: u8 = 0x47;
const LANGUAGE: u8 = 0x48;

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An integer or an enum.
    Number(i32),
    /// A boolean.
    Boolean(bool),
    /// A keyword, or a name in its place.
    Keyword(String),
    /// A value of any other type.
    Other,
}

/// A response: its status code and attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Below 0x0100 it is a success (RFC 8011 appendix B).
    pub status: u16,
    attributes: Vec<(String, Vec<Value>)>,
}

/// Encodes a request for some attributes of a printer.
pub fn question(printer: &str, attributes: &[&str]) -> Vec<u8> {
    let mut message = vec![1, 1];
    message.extend(GET_PRINTER_ATTRIBUTES.to_be_bytes());
    message.extend(1_u32.to_be_bytes());
    message.push(OPERATION);
    attribute(&mut message, CHARSET, "attributes-charset", "utf-8");
    attribute(&mut message, LANGUAGE, "attributes-natural-language", "en");
    attribute(&mut message, URI, "printer-uri", printer);
    for (nth, wanted) in attributes.iter().enumerate() {
        attribute(&mut message, KEYWORD, if nth == 0 { "requested-attributes" } else { "" }, wanted);
    }
    message.push(END);
    message
}

/// Encodes one value; without a name it is a further value of the attribute before.
fn attribute(message: &mut Vec<u8>, tag: u8, name: &str, value: &str) {
    message.push(tag);
    for text in [name, value] {
        // Names are constants, and no address has 64 KiB.
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        message.extend(length.to_be_bytes());
        message.extend(&text.as_bytes()[..usize::from(length)]);
    }
}

// === impl Answer ===

impl Answer {
    /// Decodes a response. The error says what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut rest = Rest(bytes);
        let header = rest.take(8).ok_or("shorter than a header")?;
        let status = u16::from_be_bytes([header[2], header[3]]);
        let (mut group, mut attributes) = (0, Vec::<(String, Vec<Value>)>::new());
        loop {
            let tag = rest.take(1).ok_or("no end")?[0];
            if tag == END {
                return Ok(Self { status, attributes });
            }
            if tag <= LAST_DELIMITER {
                group = tag;
                continue;
            }
            let (name, value) = (rest.text().ok_or("cut short")?, rest.text().ok_or("cut short")?);
            if group != PRINTER {
                continue;
            }
            let value = understood(tag, value);
            match attributes.last_mut() {
                Some((_, values)) if name.is_empty() => values.push(value),
                _ => attributes.push((String::from_utf8_lossy(name).into_owned(), vec![value])),
            }
        }
    }

    /// Returns the values of an attribute; empty when it is missing.
    pub fn all(&self, name: &str) -> &[Value] {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, values)| values.as_slice()).unwrap_or_default()
    }

    /// Returns the first value of an attribute as a number.
    pub fn number(&self, name: &str) -> Option<i32> {
        self.all(name).first().and_then(Value::number)
    }
}

fn understood(tag: u8, value: &[u8]) -> Value {
    match (tag, value) {
        (INTEGER | ENUM, [a, b, c, d]) => Value::Number(i32::from_be_bytes([*a, *b, *c, *d])),
        (BOOLEAN, [is]) => Value::Boolean(*is != 0),
        (KEYWORD | NAME, text) => Value::Keyword(String::from_utf8_lossy(text).into_owned()),
        _ => Value::Other,
    }
}

// === impl Value ===

impl Value {
    /// Returns the value as a number.
    pub const fn number(&self) -> Option<i32> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }
}

/// The rest of a message.
struct Rest<'b>(&'b [u8]);

// === impl Rest ===

impl<'b> Rest<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Reads a length and as many bytes.
    fn text(&mut self) -> Option<&'b [u8]> {
        let length = self.take(2)?;
        self.take(usize::from(u16::from_be_bytes([length[0], length[1]])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As CUPS 2.4 answers, shortened.
    const IDLE: &[u8] = b"\x01\x01\x00\x00\x00\x00\x00\x01\x01\x47\x00\x12attributes-charset\x00\x05utf-8\
        \x04\x23\x00\x0dprinter-state\x00\x04\x00\x00\x00\x03\
        \x44\x00\x15printer-state-reasons\x00\x0fmedia-low-error\x44\x00\x00\x00\x04none\
        \x22\x00\x19printer-is-accepting-jobs\x00\x01\x01\x03";

    #[test]
    fn an_answer_is_understood_and_every_cut_of_it_refused() {
        let answer = Answer::parse(IDLE).unwrap();
        assert_eq!((answer.status, answer.number("printer-state")), (0, Some(3)));
        let reasons = ["media-low-error", "none"].map(|word| Value::Keyword(word.to_owned()));
        assert_eq!(answer.all("printer-state-reasons"), reasons);
        assert_eq!(answer.all("printer-is-accepting-jobs"), [Value::Boolean(true)]);
        assert_eq!(answer.all("attributes-charset"), []);
        for end in 0..IDLE.len() {
            assert!(Answer::parse(&IDLE[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn a_question_names_the_printer_and_what_is_wanted() {
        let question = question("ipp://192.0.2.7/ipp/print", &["printer-state", "marker-levels"]);
        assert_eq!(question[..8], [1, 1, 0, 0x0B, 0, 0, 0, 1]);
        let text = String::from_utf8_lossy(&question).into_owned();
        assert!(text.contains("ipp://192.0.2.7/ipp/print") && text.ends_with("\x00\x0dmarker-levels\x03"));
    }
}
