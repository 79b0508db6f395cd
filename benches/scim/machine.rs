//! What the machine says: CPU and memory of processes, and how long a sync takes.

use std::{
    fs,
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// CPU seconds of the calling thread.
pub fn thread_cpu() -> Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().context("an empty schedstat")?.parse()?;
    Ok(nanoseconds / 1e9)
}

/// CPU seconds of a process, its ended threads included. The kernel counts hundredths.
fn process_cpu(process: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in brackets may hold anything.
    let (_, rest) = text.rsplit_once(')').context("a stat without a name")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| -> Result<f64> { Ok(fields.get(at).context("a short stat")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// CPU seconds of all processes that a process has started and that still run.
fn children_cpu(parent: u32) -> f64 {
    let Ok(entries) = fs::read_dir("/proc") else { return 0.0 };
    let processes =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |process: &u32| {
        fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|text| {
            text.rsplit_once(')')
                .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok())
                == Some(parent)
        })
    };
    processes.filter(is_child).filter_map(|process| process_cpu(process).ok()).sum()
}

/// CPU seconds that the PostgreSQL of this run has used.
pub fn postgres_cpu() -> f64 {
    std::env::var("POSTGRES_PID")
        .ok()
        .and_then(|pid| pid.parse().ok())
        .map_or(0.0, |pid| children_cpu(pid) + process_cpu(pid).unwrap_or(0.0))
}

fn status_mib(process: u32, field: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find(|line| line.starts_with(field)).context("no such field")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib / 1024.0)
}

/// The server under test, as a process of its own.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts the release binary on a database and waits until it answers.
    pub fn start(binary: &Path, database: &str, master_key: &str, log: &Path) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = fs::File::create(log)?;
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .env("IDENTITY_CENTER_DATABASE_URL", database)
            .env("IDENTITY_CENTER_MASTER_KEY", master_key)
            .env("IDENTITY_CENTER_LISTEN", address.to_string())
            .env("IDENTITY_CENTER_PUBLIC_URL", format!("http://{address}"))
            .env("IDENTITY_CENTER_LOG", "warn")
            .env("IDENTITY_CENTER_LIMITS__USERS", "10000000")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if identity_center::config::DEFAULT_FILE.contains("[rate_limits]") {
            command.env("IDENTITY_CENTER_RATE_LIMITS__ENABLED", "false");
        }
        let mut child =
            command.spawn().with_context(|| format!("cannot run {}", binary.display()))?;
        let patience = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(address).is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("the server ended with {status}; see its log");
            }
            if Instant::now() > patience {
                bail!("the server does not listen");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { child, address })
    }

    /// CPU seconds so far.
    pub fn cpu(&self) -> Result<f64> {
        process_cpu(self.child.id())
    }

    /// Resident memory now, in MiB.
    pub fn memory(&self) -> Result<f64> {
        status_mib(self.child.id(), "VmRSS:")
    }

    /// The largest resident memory since the last call of [`Server::forget_peak`], in MiB.
    pub fn peak_memory(&self) -> Result<f64> {
        status_mib(self.child.id(), "VmHWM:")
    }

    /// Begins a new peak.
    pub fn forget_peak(&self) -> Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?;
        Ok(())
    }

    /// Stops it as an administrator would.
    pub fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of a run that failed; one that was stopped has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many times a second 4 KiB can be appended to a file and synced.
pub fn syncs_per_second(folder: &Path) -> Result<f64> {
    let path = folder.join("sync-probe");
    let mut file = fs::File::create(&path)?;
    let began = Instant::now();
    let mut syncs = 0_u32;
    while began.elapsed() < Duration::from_secs(2) {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        syncs += 1;
    }
    let rate = f64::from(syncs) / began.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}
