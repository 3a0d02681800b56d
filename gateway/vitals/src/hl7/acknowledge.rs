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

/// The answers to a message, each a message of its own; none to an answer, or two machines would thank each other
/// for ever.
///
/// In original mode (MSH-15 and MSH-16 empty) one. In enhanced mode (2.9.3) MSH-15 says when a commit answer is
/// wanted (`CA`, `CE`, `CR`), MSH-16 when an application answer (`AA`, `AE`, `AR`); after what was not committed
/// comes no other.
#[must_use]
pub fn acknowledge(message: &Message, code: &Code, control_id: &str, now: Timestamp) -> Vec<Vec<u8>> {
    let is_answer = message.segment("MSA").is_some() || message.raw_header(9).starts_with("ACK");
    if is_answer {
        return Vec::new();
    }
    let modes = [message.header(15), message.header(16)];
    let is_enhanced = modes.iter().any(|mode| !mode.is_empty());
    if !is_enhanced {
        return vec![answer(message, code, 'A', control_id, now)];
    }
    let mut answers = Vec::new();
    if is_wanted(&modes[0], code) {
        answers.push(answer(message, code, 'C', control_id, now));
    }
    if is_wanted(&modes[1], code) && !matches!(code, Code::Reject(_)) {
        answers.push(answer(message, code, 'A', &format!("{control_id}-A"), now));
    }
    // What is refused is always answered to somebody who wants to hear of errors at all.
    if answers.is_empty() && is_wanted(&modes[1], code) {
        answers.push(answer(message, code, 'A', control_id, now));
    }
    answers
}

/// By table 0155: always, never, on errors, on success. An empty mode beside one that is set is "never".
pub(super) fn is_wanted(mode: &str, code: &Code) -> bool {
    let is_success = matches!(code, Code::Accept(_));
    match mode.trim().to_uppercase().as_str() {
        "" | "NE" => false,
        "ER" => !is_success,
        "SU" => is_success,
        _ => true,
    }
}

fn answer(message: &Message, code: &Code, prefix: char, control_id: &str, now: Timestamp) -> Vec<u8> {
    let kind = message.header(9);
    let (suffix, reason) = match code {
        Code::Accept(note) => ('A', note.as_str()),
        Code::Error(reason) => ('E', reason.as_str()),
        Code::Reject(reason) => ('R', reason.as_str()),
    };
    let event = message.segment("MSH").map(|header| header.component(9, 2)).unwrap_or_default();
    let event = if kind.is_empty() || event.is_empty() { "R01".to_owned() } else { event };
    let reason = escape(&reason.chars().take(LONGEST_REASON).collect::<String>());
    let mut answer = header(message, &format!("ACK^{}^ACK", escape(&cut(&event))), control_id, now);
    answer.push_str(&format!("\rMSA|{prefix}{suffix}|{}", echo(message, 10)));
    if !reason.is_empty() {
        answer.push('|');
        answer.push_str(&reason);
    }
    answer.push('\r');
    answer.into_bytes()
}

/// The commit answer to a message that is answered otherwise (2.9.3).
pub(super) fn committed(message: &Message, control_id: &str, now: Timestamp) -> Vec<u8> {
    answer(message, &Code::Accept(String::new()), 'C', control_id, now)
}

/// The header of a message that answers another one, without its end. `kind` is MSH-9.
pub(super) fn header(message: &Message, kind: &str, control_id: &str, now: Timestamp) -> String {
    format!(
        "MSH|^~\\&|{}|{}|{}|{}|{}||{kind}|{}|{}|{}||||||UNICODE UTF-8",
        echo(message, 5),
        echo(message, 6),
        echo(message, 3),
        echo(message, 4),
        time::stamp(now),
        escape(control_id),
        echo(message, 11),
        echo(message, 12),
    )
}

/// As much of a field as is repeated; whatever frames messages or acts on a terminal is none of it.
fn cut(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_ECHO).collect()
}

/// A field of the header for the answer.
pub(super) fn echo(message: &Message, number: usize) -> String {
    // Our own delimiters are the standard's; what is echoed was written with the sender's, so it
    // is echoed only where those are the same, and where it cannot look like a header after what stands before it.
    let raw = message.raw_header(number);
    if message.raw_header(2) == "^~\\&" && !raw.starts_with("^~\\&") {
        return cut(raw);
    }
    escape(&cut(&message.header(number)))
}

/// Text for a field.
pub(super) fn escape(text: &str) -> String {
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
