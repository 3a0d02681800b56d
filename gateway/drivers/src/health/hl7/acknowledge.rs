//! Answers (HL7 v2.5.1, 2.9): given only when what was received is safe.

use linli_domain::Timestamp;

use super::message::Message;
use super::time;

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// Taken, and durable; perhaps with something to say of it.
    Accept(String),
    /// Its content is wrong; sending it again unchanged is of no use.
    Error(String),
    /// Not of a kind taken here, or not now.
    Reject(String),
}

/// Longest reason in an answer.
const LONGEST_REASON: usize = 200;

/// Longest field of the message that is repeated in its answer: longer than any that is taken.
const LONGEST_ECHO: usize = 250;

/// The answer to a message; none to an answer, or two machines would thank each other for ever.
/// In enhanced mode (MSH-15 or MSH-16 set) it is a commit answer.
#[must_use]
pub fn acknowledge(message: &Message, code: &Code, control_id: &str, now: Timestamp) -> Option<Vec<u8>> {
    let kind = message.raw_header(9);
    let is_answer = message.segment("MSA").is_some() || kind.starts_with("ACK");
    if is_answer {
        return None;
    }
    let is_enhanced = !message.raw_header(15).is_empty() || !message.raw_header(16).is_empty();
    let prefix = if is_enhanced { 'C' } else { 'A' };
    let (suffix, reason) = match code {
        Code::Accept(note) => ('A', note.as_str()),
        Code::Error(reason) => ('E', reason.as_str()),
        Code::Reject(reason) => ('R', reason.as_str()),
    };
    let raw = |number| message.raw_header(number);
    let event = kind.split('^').nth(1).unwrap_or("R01");
    let stamp = time::stamp(now);
    // Our own delimiters are the standard's; what is echoed was written with the sender's, so it
    // is echoed only where those are the same.
    let same = raw(2) == "^~\\&";
    let cut = |text: &str| text.chars().take(LONGEST_ECHO).collect::<String>();
    let echo = |number: usize| if same { cut(raw(number)) } else { escape(&cut(&message.header(number))) };
    let (control, reason) = (echo(10), escape(&reason.chars().take(LONGEST_REASON).collect::<String>()));
    let mut answer = format!(
        "MSH|^~\\&|{}|{}|{}|{}|{stamp}||ACK^{}^ACK|{}|{}|{}||||||UNICODE UTF-8\rMSA|{prefix}{suffix}|{control}",
        echo(5),
        echo(6),
        echo(3),
        echo(4),
        escape(&cut(event)),
        escape(control_id),
        echo(11),
        echo(12),
    );
    if !reason.is_empty() {
        answer.push('|');
        answer.push_str(&reason);
    }
    answer.push('\r');
    Some(answer.into_bytes())
}

/// Text for a field.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            '\\' => out.push_str("\\E\\"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        out
    })
}
