//! The `identity-center` binary: parses the command line and calls the library.

use clap::Parser;
use identity_center::cli;

fn main() -> anyhow::Result<()> {
    let arguments = cli::Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(cli::run(arguments))
}
