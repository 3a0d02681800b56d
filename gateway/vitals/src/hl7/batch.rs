//! Several messages in one frame: batches (HL7 v2.5.1, 2.10.3), and messages that follow each other without a
//! frame of their own.

/// Segments around messages, which say nothing of a person.
const AROUND: [&[u8]; 4] = [b"FHS", b"BHS", b"BTS", b"FTS"];

/// Byte-order mark of UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The messages of a frame, in their order. What stands before the first MSH is part of the first message, so that
/// it is refused and not lost, unless it is blank.
#[must_use]
pub fn messages(frame: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    for line in frame.split(|byte| *byte == b'\r' || *byte == b'\n') {
        let line = line.strip_prefix(MARK).unwrap_or(line);
        let line = if messages.is_empty() { line.trim_ascii_start() } else { line };
        if line.is_empty() || AROUND.iter().any(|around| line.starts_with(around)) {
            continue;
        }
        match messages.last_mut() {
            Some(message) if !line.starts_with(b"MSH") => message.extend_from_slice(line),
            _ => messages.push(line.to_vec()),
        }
        messages.iter_mut().last().into_iter().for_each(|message| message.push(b'\r'));
    }
    // What had no end has none.
    if let Some(last) = messages.last_mut().filter(|_| !frame.ends_with(b"\r") && !frame.ends_with(b"\n")) {
        last.pop();
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::messages;

    #[test]
    fn a_frame_is_cut_at_each_header() {
        let check = |frame: &[u8], expected: &[&[u8]]| assert_eq!(messages(frame), expected);
        check(b"MSH|a\rPID|1\r", &[b"MSH|a\rPID|1\r"]);
        check(b"\xEF\xBB\xBF\r\n MSH|a\r\nPID|1\r\n", &[b"MSH|a\rPID|1\r"]);
        check(b"MSH|a\rPID|1\rMSH|b\rPID|2", &[b"MSH|a\rPID|1\r", b"MSH|b\rPID|2"]);
        check(b"FHS|x\rBHS|y\rMSH|a\rOBX|1\rMSH|b\rBTS|2\rFTS|1\r", &[b"MSH|a\rOBX|1\r", b"MSH|b\r"]);
        check(b"PID|1\rMSH|a", &[b"PID|1\r", b"MSH|a"]);
        check(b"\r\n", &[]);
    }
}
