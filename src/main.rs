//! The `identity-center` binary: parses the command line and calls the library.

use std::process::ExitCode;

use clap::Parser;
use identity_center::cli;

/// A request is many small allocations on one thread that are freed on another, and there this
/// allocator takes half the time of the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main(cli::Arguments::parse())
}
