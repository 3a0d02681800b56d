//! Ends a verb quietly when the reader of its output has gone (`linli … | head`).

use std::panic::{PanicHookInfo, UnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::process::ExitCode;

/// Parts of the message with which `println!` panics when the pipe is closed.
const CLOSED: [&str; 2] = ["failed printing to stdout", "Broken pipe"];

/// Runs a verb. When its output pipe is closed, it unwinds and ends with success and without a message.
pub fn until_the_reader_leaves(verb: impl FnOnce() -> ExitCode + UnwindSafe) -> ExitCode {
    let usual = take_hook();
    set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        if !info.payload_as_str().is_some_and(is_closed) {
            usual(info);
        }
    }));
    catch_unwind(verb).unwrap_or_else(|panic| match panic.downcast_ref::<String>() {
        Some(message) if is_closed(message) => ExitCode::SUCCESS,
        _ => resume_unwind(panic),
    })
}

fn is_closed(message: &str) -> bool {
    CLOSED.iter().all(|part| message.contains(part))
}
