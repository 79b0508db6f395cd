//! The `identity-center` binary: parses the command line and calls the library.

use std::process::ExitCode;

use clap::Parser;
use identity_center::cli;

fn main() -> ExitCode {
    cli::main(cli::Arguments::parse())
}
