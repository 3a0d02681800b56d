//! The one binary: parse, then hand over to the verb.

use std::process::ExitCode;

fn main() -> ExitCode {
    linli::cli::main()
}
