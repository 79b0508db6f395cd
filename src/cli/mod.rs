//! The command line, one file per command.

mod check;
mod log;
mod serve;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{app::App, clock::Clock, config::Settings, store::Db};

/// One way in for people who work in many cloud accounts.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    /// The settings file.
    #[arg(long, env = "IDENTITY_CENTER_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve,
    /// Bring the database's schema up to date. The server does so by itself when it starts.
    Migrate,
    /// Check settings, database, keys, clock and certificates; fails if something is wrong.
    Check,
    /// Print every setting with its default and what it means.
    Settings,
}

/// Runs the command that the arguments name.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let load = || Settings::load(arguments.config.clone());
    match arguments.command {
        Command::Serve => {
            let settings = load()?;
            log::begin(&settings)?;
            serve::run(App::open(settings, Clock::system()).await?).await
        }
        Command::Migrate => {
            use secrecy::ExposeSecret;
            let settings = load()?;
            log::begin(&settings)?;
            let db = Db::connect(settings.database_url.expose_secret()).await?;
            db.migrate().await?;
            db.close().await;
            say("The schema is up to date.");
            Ok(())
        }
        Command::Check => check::run(load()).await,
        Command::Settings => {
            say(crate::config::DEFAULT_FILE.trim_end());
            Ok(())
        }
    }
}

/// Says something to the person at the terminal. Commands speak on standard output; the server's
/// log goes to standard error.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
fn say(text: &str) {
    println!("{text}");
}
