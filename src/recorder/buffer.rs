//! Requests that changed nothing, on their way to the database, many at once.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, oneshot},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Entry, insert};
use crate::store::{self, Db};

/// Requests that may wait; who comes when they are so many waits too.
const WAITING: usize = 4096;
/// Requests that are written at once. It is not more, so that nobody waits long for a processor that
/// is busy with them.
const TOGETHER: usize = 32;
/// How long the first of them waits for others.
const PATIENCE: Duration = Duration::from_millis(200);

/// Takes requests and has them written soon. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    waiting: Mutex<Waiting>,
    /// Told when the first request waits: a request that is not the first wakes nobody.
    first: Notify,
    /// Told when there is no time to wait for more.
    urgent: Notify,
    room: Semaphore,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<Entry>,
    /// Told when what was taken before them has been written.
    flushes: Vec<oneshot::Sender<()>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self(Arc::new(Inner {
            waiting: Mutex::default(),
            first: Notify::new(),
            urgent: Notify::new(),
            room: Semaphore::new(WAITING),
        }))
    }
}

impl Recorder {
    /// Takes a request; waits while too many are waiting.
    pub async fn take(&self, entry: Entry) {
        // The semaphore is never closed. A place is given back once its request is written.
        if let Ok(place) = self.0.room.acquire().await {
            place.forget();
        }
        let waiting = {
            let mut waiting = self.waiting();
            waiting.entries.push(entry);
            waiting.entries.len()
        };
        if waiting == 1 {
            self.0.first.notify_one();
        } else if waiting == TOGETHER {
            self.0.urgent.notify_one();
        }
    }

    /// Returns when everything that was taken before has been written, or a second has passed.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        self.waiting().flushes.push(done);
        self.0.first.notify_one();
        self.0.urgent.notify_one();
        let _ = timeout(Duration::from_secs(1), written).await;
    }

    /// Writes what is taken until `stop`, and then what is left. Failures are told to `failed`.
    pub async fn run_until(
        &self,
        db: &Db,
        stop: CancellationToken,
        failed: impl Fn(&store::Error),
    ) {
        loop {
            tokio::select! {
                () = self.0.first.notified() => tokio::select! {
                    () = sleep(PATIENCE) => {}
                    () = self.0.urgent.notified() => {}
                    () = stop.cancelled() => {}
                },
                () = stop.cancelled() => {}
            }
            let last = stop.is_cancelled();
            self.write(db, &failed).await;
            if last {
                return;
            }
        }
    }

    async fn write(&self, db: &Db, failed: &impl Fn(&store::Error)) {
        let Waiting { entries, flushes } = std::mem::take(&mut *self.waiting());
        for some in entries.chunks(TOGETHER) {
            if let Err(error) = db.write(async |tx| insert(tx, some).await).await {
                failed(&error);
            }
        }
        self.0.room.add_permits(entries.len());
        for done in flushes {
            let _ = done.send(());
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Whoever panicked while holding it left it whole.
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
