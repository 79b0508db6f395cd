//! Requests that changed nothing, on their way to the database, many at once.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{Entry, insert};
use crate::store::{self, Db};

/// Requests that may wait; who comes when they are so many waits too.
const WAITING: usize = 4096;
/// Requests that are written at once.
const TOGETHER: usize = 500;
/// How long the first of them waits for others.
const PATIENCE: Duration = Duration::from_millis(200);

enum Message {
    Entry(Box<Entry>),
    Flush(oneshot::Sender<()>),
}

/// Takes requests and has them written soon. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder {
    sender: mpsc::Sender<Message>,
    receiver: Arc<Mutex<mpsc::Receiver<Message>>>,
}

impl Default for Recorder {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self { sender, receiver: Arc::new(Mutex::new(receiver)) }
    }
}

impl Recorder {
    /// Takes a request; waits while too many are waiting.
    pub async fn take(&self, entry: Entry) {
        // Nobody listens any more only when the program ends.
        let _ = self.sender.send(Message::Entry(Box::new(entry))).await;
    }

    /// Returns when everything that was taken before has been written, or a second has passed.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.sender.send(Message::Flush(done)).await.is_ok() {
            let _ = timeout(Duration::from_secs(1), written).await;
        }
    }

    /// Writes what is taken until `stop`, and then what is left. Failures are told to `failed`.
    pub async fn run_until(
        &self,
        db: &Db,
        stop: CancellationToken,
        failed: impl Fn(&store::Error),
    ) {
        let mut receiver = self.receiver.lock().await;
        loop {
            let message = tokio::select! {
                message = receiver.recv() => message,
                () = stop.cancelled() => receiver.try_recv().ok(),
            };
            let Some(message) = message else { return };
            let (mut entries, mut flushes) = (Vec::new(), Vec::new());
            let mut sort = |message, entries: &mut Vec<Entry>| match message {
                Message::Entry(entry) => entries.push(*entry),
                Message::Flush(done) => flushes.push(done),
            };
            let mut urgent = matches!(message, Message::Flush(_));
            sort(message, &mut entries);
            let deadline = tokio::time::Instant::now() + PATIENCE;
            while !urgent && entries.len() < TOGETHER {
                let next = if stop.is_cancelled() {
                    receiver.try_recv().ok()
                } else {
                    tokio::time::timeout_at(deadline, receiver.recv()).await.ok().flatten()
                };
                let Some(next) = next else { break };
                urgent = matches!(next, Message::Flush(_));
                sort(next, &mut entries);
            }
            if !entries.is_empty()
                && let Err(error) = db.write(async |tx| insert(tx, &entries).await).await
            {
                failed(&error);
            }
            for done in flushes {
                let _ = done.send(());
            }
        }
    }
}
