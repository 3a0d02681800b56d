//! Encoding of Internet Printing Protocol messages (RFC 8010 clause 3.1): requests with attributes of the operation
//! and of a job, answers with those of the printer and of jobs.

/// `Print-Job` (RFC 8011 clause 5.4.15).
pub const PRINT_JOB: u16 = 0x0002;
/// `Cancel-Job`.
pub const CANCEL_JOB: u16 = 0x0008;
/// `Get-Job-Attributes`.
pub const GET_JOB_ATTRIBUTES: u16 = 0x0009;
/// `Get-Jobs`.
pub const GET_JOBS: u16 = 0x000A;
/// `Get-Printer-Attributes` (RFC 8011 clause 5.4.15).
pub const GET_PRINTER_ATTRIBUTES: u16 = 0x000B;

/// Status codes from here on are errors (RFC 8011 appendix B).
pub const FIRST_ERROR: u16 = 0x0100;

/// Delimiters and the tags of values (RFC 8010 clause 3.5).
const OPERATION: u8 = 0x01;
const JOB: u8 = 0x02;
const END: u8 = 0x03;
const PRINTER: u8 = 0x04;
const LAST_DELIMITER: u8 = 0x0F;
const INTEGER: u8 = 0x21;
const BOOLEAN: u8 = 0x22;
const ENUM: u8 = 0x23;
const TEXT: u8 = 0x41;
/// A name of a job or a user.
pub const NAME: u8 = 0x42;
/// A keyword.
pub const KEYWORD: u8 = 0x44;
const URI: u8 = 0x45;
const CHARSET: u8 = 0x47;
const LANGUAGE: u8 = 0x48;
/// A media type.
pub const MEDIA_TYPE: u8 = 0x49;

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An integer or an enum.
    Number(i32),
    /// A boolean.
    Boolean(bool),
    /// A keyword, or a name, a text or a media type.
    Keyword(String),
    /// A value of any other type.
    Other,
}

/// Attributes with their values, in order.
pub type Attributes = Vec<(String, Vec<Value>)>;

/// A response: its status code and attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Below 0x0100 it is a success (RFC 8011 appendix B).
    pub status: u16,
    /// Those of each job.
    pub jobs: Vec<Attributes>,
    /// Those of the operation, such as the message of a refusal.
    operation: Attributes,
    attributes: Attributes,
}

/// A request that is being written.
pub struct Request(Vec<u8>);

/// Encodes a request for some attributes of a printer.
pub fn question(printer: &str, attributes: &[&str]) -> Vec<u8> {
    Request::new(GET_PRINTER_ATTRIBUTES, printer).wanting(attributes).finish()
}

// === impl Request ===

impl Request {
    /// Begins a request to a printer.
    #[must_use]
    pub fn new(operation: u16, printer: &str) -> Self {
        let mut message = vec![1, 1];
        message.extend(operation.to_be_bytes());
        message.extend(1_u32.to_be_bytes());
        message.push(OPERATION);
        attribute(&mut message, CHARSET, "attributes-charset", b"utf-8");
        attribute(&mut message, LANGUAGE, "attributes-natural-language", b"en");
        attribute(&mut message, URI, "printer-uri", printer.as_bytes());
        Self(message)
    }

    /// Adds an attribute with a text as its value.
    #[must_use]
    pub fn text(mut self, tag: u8, name: &str, value: &str) -> Self {
        attribute(&mut self.0, tag, name, value.as_bytes());
        self
    }

    /// Adds an attribute with a number as its value.
    #[must_use]
    pub fn number(mut self, name: &str, value: i32) -> Self {
        attribute(&mut self.0, INTEGER, name, &value.to_be_bytes());
        self
    }

    /// Asks for these attributes only.
    #[must_use]
    pub fn wanting(mut self, attributes: &[&str]) -> Self {
        for (nth, wanted) in attributes.iter().enumerate() {
            let name = if nth == 0 { "requested-attributes" } else { "" };
            attribute(&mut self.0, KEYWORD, name, wanted.as_bytes());
        }
        self
    }

    /// What follows is about the job.
    #[must_use]
    pub fn of_job(mut self) -> Self {
        self.0.push(JOB);
        self
    }

    /// The message; a document follows it as it is.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.0.push(END);
        self.0
    }
}

/// Encodes one value; without a name it is a further value of the attribute before.
fn attribute(message: &mut Vec<u8>, tag: u8, name: &str, value: &[u8]) {
    message.push(tag);
    for part in [name.as_bytes(), value] {
        // Names are constants, and no address has 64 KiB.
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        message.extend(length.to_be_bytes());
        message.extend(&part[..usize::from(length)]);
    }
}

// === impl Answer ===

impl Answer {
    /// Decodes a response. The error says what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut rest = Rest(bytes);
        let header = rest.take(8).ok_or("shorter than a header")?;
        let status = u16::from_be_bytes([header[2], header[3]]);
        let mut answer = Self { status, jobs: Vec::new(), operation: Vec::new(), attributes: Vec::new() };
        let mut group = 0;
        loop {
            let tag = rest.take(1).ok_or("no end")?[0];
            if tag == END {
                return Ok(answer);
            }
            if tag <= LAST_DELIMITER {
                group = tag;
                if group == JOB {
                    answer.jobs.push(Vec::new());
                }
                continue;
            }
            let (name, value) = (rest.text().ok_or("cut short")?, rest.text().ok_or("cut short")?);
            let attributes = match group {
                PRINTER => &mut answer.attributes,
                OPERATION => &mut answer.operation,
                JOB => match answer.jobs.last_mut() {
                    Some(job) => job,
                    None => continue,
                },
                _ => continue,
            };
            let value = understood(tag, value);
            match attributes.last_mut() {
                Some((_, values)) if name.is_empty() => values.push(value),
                _ => attributes.push((String::from_utf8_lossy(name).into_owned(), vec![value])),
            }
        }
    }

    /// What the printer says about the request, if it says anything.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        values(&self.operation, "status-message").first().and_then(Value::word)
    }

    /// Returns the values of an attribute; empty when it is missing.
    pub fn all(&self, name: &str) -> &[Value] {
        values(&self.attributes, name)
    }

    /// Returns the first value of an attribute as a number.
    pub fn number(&self, name: &str) -> Option<i32> {
        self.all(name).first().and_then(Value::number)
    }
}

/// The values of an attribute; empty when it is missing.
#[must_use]
pub fn values<'a>(attributes: &'a Attributes, name: &str) -> &'a [Value] {
    let found = attributes.iter().find(|(known, _)| known == name);
    found.map(|(_, values)| values.as_slice()).unwrap_or_default()
}

fn understood(tag: u8, value: &[u8]) -> Value {
    match (tag, value) {
        (INTEGER | ENUM, [a, b, c, d]) => Value::Number(i32::from_be_bytes([*a, *b, *c, *d])),
        (BOOLEAN, [is]) => Value::Boolean(*is != 0),
        (KEYWORD | NAME | TEXT | MEDIA_TYPE, text) => {
            Value::Keyword(String::from_utf8_lossy(text).into_owned())
        }
        _ => Value::Other,
    }
}

// === impl Value ===

impl Value {
    /// Returns the value as a number.
    pub const fn number(&self) -> Option<i32> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// Returns the value as a word.
    #[must_use]
    pub fn word(&self) -> Option<&str> {
        if let Self::Keyword(word) = self { Some(word) } else { None }
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
