//! The load generator: HTTP/1.1 over kept connections, on one thread, with as little work per
//! request as there can be, so that what it uses itself is small and known.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::machine;

/// Makes the request of a number: all its bytes.
pub type Make = Arc<dyn Fn(u64) -> Vec<u8> + Send + Sync>;

/// How long to go on.
#[derive(Clone, Copy)]
pub enum Until {
    /// So many requests in all.
    Requests(u64),
    /// So long, and at most so many requests.
    Time(Duration, u64),
}

/// What came of it.
pub struct Outcome {
    pub requests: u64,
    pub seconds: f64,
    /// Of each request, in seconds, in order.
    pub latencies: Vec<f64>,
    /// CPU seconds of the generator itself.
    pub cpu: f64,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        rate(self.requests, self.seconds)
    }

    /// The latency that this part of the requests stays below, in milliseconds.
    pub fn percentile(&self, part: f64) -> f64 {
        percentile(&self.latencies, part)
    }
}

/// The value that this part of sorted values stays below, in thousandths.
pub fn percentile(sorted: &[f64], part: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index out of a fraction"
    )]
    let at = ((sorted.len() as f64) * part) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(0.0, |seconds| seconds * 1000.0)
}

/// So many in so long.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

/// One answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// A kept connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    async fn fill(&mut self) -> Result<()> {
        self.buffer.reserve(64 * 1024);
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }

    /// Sends a request and reads its answer.
    pub async fn call(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await?;
        };
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let status = text.get(9..12).context("no status line")?.parse()?;
        let mut length = None;
        let mut chunked = false;
        for line in text.lines().skip(1) {
            let Some((name, value)) = line.split_once(':') else { continue };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse::<usize>()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = true;
            }
        }
        let body = if chunked {
            self.chunks(head).await?
        } else {
            let end = head + length.unwrap_or(0);
            while self.buffer.len() < end {
                self.fill().await?;
            }
            self.buffer[head..end].to_vec()
        };
        Ok(Answer { status, body })
    }

    async fn chunks(&mut self, mut at: usize) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(end) = find(&self.buffer[at..], b"\r\n") {
                    break end;
                }
                self.fill().await?;
            };
            let size = std::str::from_utf8(&self.buffer[at..at + line])?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or_default(), 16)?;
            let start = at + line + 2;
            while self.buffer.len() < start + size + 2 {
                self.fill().await?;
            }
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&self.buffer[start..start + size]);
            // What was read is done with.
            self.buffer.drain(..start + size + 2);
            at = 0;
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Drives the server from `connections` connections; every answer must have `status`. Runs on a
/// thread of its own, whose CPU is counted.
pub fn drive(
    address: SocketAddr,
    connections: usize,
    until: Until,
    status: u16,
    make: &Make,
) -> Result<Outcome> {
    let make = Arc::clone(make);
    let thread = std::thread::Builder::new().name("load".into()).spawn(move || -> Result<_> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let before = machine::thread_cpu()?;
        let (requests, seconds, mut latencies) =
            runtime.block_on(run(address, connections, until, status, make))?;
        let cpu = machine::thread_cpu()? - before;
        latencies.sort_by(f64::total_cmp);
        Ok(Outcome { requests, seconds, latencies, cpu })
    })?;
    thread.join().map_err(|_| anyhow::anyhow!("the load generator panicked"))?
}

async fn run(
    address: SocketAddr,
    connections: usize,
    until: Until,
    status: u16,
    make: Make,
) -> Result<(u64, f64, Vec<f64>)> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let (limit, deadline) = match until {
        Until::Requests(limit) => (limit, None),
        Until::Time(span, limit) => (limit, Some(Instant::now() + span)),
    };
    let next = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let tasks: Vec<_> = open
        .into_iter()
        .map(|mut connection| {
            let (next, make) = (Arc::clone(&next), Arc::clone(&make));
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= limit || deadline.is_some_and(|end| Instant::now() >= end) {
                        return anyhow::Ok(latencies);
                    }
                    let request = make(number);
                    let sent = Instant::now();
                    let answer = connection.call(&request).await?;
                    latencies.push(sent.elapsed().as_secs_f64());
                    if answer.status != status {
                        let body = String::from_utf8_lossy(&answer.body);
                        bail!("status {} instead of {status}: {body:.500}", answer.status);
                    }
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.append(&mut task.await??);
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok((u64::try_from(all.len())?, seconds, all))
}

/// One request of a SCIM client.
pub fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let mut request = format!(
        "{method} /scim/v2{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    );
    if !body.is_empty() || matches!(method, "POST" | "PATCH" | "PUT") {
        request.push_str("Content-Type: application/scim+json\r\nContent-Length: ");
        request.push_str(&body.len().to_string());
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request.push_str(body);
    request.into_bytes()
}
