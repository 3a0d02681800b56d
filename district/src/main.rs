//! The `linli-district` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    linli_district::cli::main()
}
