//! The command line, one file per command.

mod check;
mod demo;
mod init;
mod log;
mod serve;

use std::{io::Write as _, net::SocketAddr, path::PathBuf, process::ExitCode};

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
    /// Everything in one process, with data to try it on. Prints every address and password.
    Demo {
        /// Where to listen; on this machine only.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// The folder to keep data in; a second start finds the first one's.
        #[arg(long, default_value = "demo-data")]
        data: PathBuf,
    },
    /// First start of a real installation: make an organisation and its administrator.
    Init {
        /// The organisation's name.
        #[arg(long)]
        organization: String,
        /// The name under which its administrator signs in at the console.
        #[arg(long)]
        administrator: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run the server.
    Serve,
    /// Bring the database's schema up to date. The server does so by itself when it starts.
    Migrate,
    /// Check settings, database, keys, clock and certificates; fails if something is wrong.
    Check,
    /// Print every setting with its default and what it means.
    Settings,
}

/// Runs the command that the arguments name, and says what went wrong in one line.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
pub fn main(arguments: Arguments) -> ExitCode {
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("identity-center: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let load = || Settings::load(arguments.config.clone());
    match arguments.command {
        Command::Demo { listen, data } => demo::run(listen, &data).await,
        Command::Init { organization, administrator, json } => {
            let settings = load()?;
            log::begin(&settings)?;
            init::suggestion(&settings)?;
            let app = App::open(settings, Clock::system()).await?;
            init::run(app, &organization, &administrator, json).await
        }
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
/// log goes to standard error. Whoever stopped listening, as `head` does, misses the rest, and the
/// command goes on.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
