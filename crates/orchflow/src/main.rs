//! The program `orchflow`. Everything is in the library beside it; start reading there.

use std::process::ExitCode;

fn main() -> ExitCode {
    orchflow::cli::main()
}
