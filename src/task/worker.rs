//! The worker: claims tasks, runs them side by side, and keeps their leases.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::task::{Id as JoinId, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{End, Handler, MOST_ATTEMPTS, Outcome, PATIENCE, Task, store};
use crate::{
    audit::{Act, Actor},
    clock::Clock,
    id::Ids,
    secret,
    store::{Db, Result, Timestamp},
};

/// How often a worker looks for tasks of other processes, before jitter.
const POLL: Duration = Duration::from_millis(900);
/// How often a worker says that it is still alive; well within a lease.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long running tasks may go on once the worker is told to stop.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long one attempt may take. A user sync of ten thousand people is through well within it; an
/// account that has not answered by then is asked once more within [`PATIENCE`], and then given up,
/// so that it holds none of the places for ever (TSK-04).
const LONGEST_ATTEMPT: Duration = Duration::from_mins(2);
/// Which part of a worker's places one account may have: three accounts that do not answer leave
/// room for the others (TSK-04).
const ACCOUNT_SHARE: usize = 4;
/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 1000;

/// Runs tasks until it is told to stop. Cheap to clone; clones are one worker.
#[derive(Clone)]
pub struct Worker {
    db: Db,
    clock: Clock,
    ids: Ids,
    name: String,
    parallel: usize,
    longest_attempt: Duration,
    handler: Arc<dyn Handler>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Worker({})", self.name)
    }
}

impl Worker {
    /// A worker with a name of its own that runs at most `parallel` tasks at a time.
    pub fn new(
        db: Db,
        clock: Clock,
        ids: Ids,
        parallel: usize,
        handler: Arc<dyn Handler>,
    ) -> Result<Self, secret::Error> {
        let name = format!("worker-{}", secret::random_readable::<12>()?);
        let (parallel, longest_attempt) = (parallel.max(1), LONGEST_ATTEMPT);
        Ok(Self { db, clock, ids, name, parallel, longest_attempt, handler })
    }

    /// The same worker with another limit for one attempt; for tests.
    #[must_use]
    pub fn with_longest_attempt(mut self, longest: Duration) -> Self {
        self.longest_attempt = longest;
        self
    }

    /// How many tasks it may take while so many places are free.
    fn room(&self, free: usize) -> store::Room {
        store::Room { most: free, per_account: (self.parallel / ACCOUNT_SHARE).max(1) }
    }

    /// Runs tasks until `stop`; then lets the running ones finish for a moment and hands the rest
    /// back.
    pub async fn run_until(&self, stop: CancellationToken) {
        let mut running = JoinSet::new();
        let mut tasks = HashMap::new();
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !stop.is_cancelled() {
            let free = self.parallel.saturating_sub(running.len());
            let claimed = if free > 0 { self.claim(free).await } else { Vec::new() };
            let idle = claimed.is_empty();
            for task in claimed {
                self.spawn(&mut running, &mut tasks, task);
            }
            if !idle && running.len() < self.parallel {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                _ = heartbeat.tick() => self.beat().await,
                Some(ended) = running.join_next_with_id(), if !running.is_empty() => {
                    self.settle(&mut tasks, ended).await;
                }
                () = self.db.tasks_waiting(), if free > 0 => {}
                () = tokio::time::sleep(jittered(POLL)), if free > 0 => {}
            }
        }
        self.take_leave(running, tasks).await;
    }

    /// Lets running tasks end for a moment, stops what is left and hands it back.
    async fn take_leave(&self, mut running: JoinSet<Outcome>, mut tasks: HashMap<JoinId, Task>) {
        let finish = async {
            while let Some(ended) = running.join_next_with_id().await {
                self.settle(&mut tasks, ended).await;
            }
        };
        if tokio::time::timeout(FAREWELL, finish).await.is_err() {
            running.shutdown().await;
        }
        match self.db.write(async |tx| store::hand_back(tx, &self.name).await).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "handed unfinished tasks back"),
            Err(error) => tracing::warn!(?error, "tasks not handed back; their leases will end"),
        }
    }

    /// Runs every task that is ready now, and those that these leave behind, and returns; for
    /// tests and commands. Says how many attempts it made.
    pub async fn run_all_ready(&self) -> Result<usize> {
        let mut attempts = 0;
        loop {
            let now = self.clock.now();
            let room = self.room(self.parallel);
            let claimed =
                self.db.write(async |tx| store::claim(tx, &self.name, now, room).await).await?;
            if claimed.is_empty() {
                return Ok(attempts);
            }
            attempts += claimed.len();
            let mut running = JoinSet::new();
            let mut tasks = HashMap::new();
            for task in claimed {
                self.spawn(&mut running, &mut tasks, task);
            }
            while let Some(ended) = running.join_next_with_id().await {
                self.settle(&mut tasks, ended).await;
            }
        }
    }

    fn spawn(&self, running: &mut JoinSet<Outcome>, tasks: &mut HashMap<JoinId, Task>, task: Task) {
        let handler = Arc::clone(&self.handler);
        let inner = task.clone();
        let longest = self.longest_attempt;
        let handle = running.spawn(async move {
            if inner.attempt > MOST_ATTEMPTS {
                return Outcome::Failed("every worker that took this task was lost".to_owned());
            }
            // An attempt may be stopped at any await: what it has begun is taken up by the next.
            match tokio::time::timeout(longest, handler.run(&inner)).await {
                Ok(outcome) => outcome,
                Err(_) => Outcome::Retry(format!(
                    "the account had not answered after {} seconds",
                    longest.as_secs_f32().ceil()
                )),
            }
        });
        tasks.insert(handle.id(), task);
    }

    async fn claim(&self, free: usize) -> Vec<Task> {
        let (now, room) = (self.clock.now(), self.room(free));
        match self.db.write(async |tx| store::claim(tx, &self.name, now, room).await).await {
            Ok(tasks) => tasks,
            Err(error) => {
                tracing::error!(?error, "tasks cannot be claimed");
                tokio::time::sleep(jittered(POLL)).await;
                Vec::new()
            }
        }
    }

    async fn beat(&self) {
        let now = self.clock.now();
        let beat = self.db.write(async |tx| store::extend_leases(tx, &self.name, now).await);
        if let Err(error) = beat.await {
            tracing::error!(?error, "leases cannot be extended");
        }
    }

    async fn settle(
        &self,
        tasks: &mut HashMap<JoinId, Task>,
        ended: std::result::Result<(JoinId, Outcome), tokio::task::JoinError>,
    ) {
        let (id, outcome) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), Outcome::Retry("the attempt broke off".to_owned())),
        };
        let Some(task) = tasks.remove(&id) else { return };
        if let Err(error) = self.write_outcome(&task, outcome).await {
            // The lease ends and the task is begun again.
            tracing::error!(?error, task = %task.id, "the end of a task cannot be written");
        }
    }

    async fn write_outcome(&self, task: &Task, outcome: Outcome) -> Result<()> {
        let now = self.clock.now();
        let end = match outcome {
            Outcome::Done(note) => End::Success(note),
            Outcome::Failed(reason) => End::Failed(tidy(&reason)),
            Outcome::Retry(reason) => {
                let pause = pause(task.attempt);
                let began = task.started_at.unwrap_or(now);
                if now.plus(pause) <= began.plus(PATIENCE) {
                    tracing::warn!(task = %task.id, attempt = task.attempt, reason, "will retry");
                    self.db
                        .write(async |tx| {
                            let reason = tidy(&reason);
                            store::postpone(tx, &self.name, task, now, pause, &reason).await
                        })
                        .await?;
                    return Ok(());
                }
                End::Failed(tidy(&reason))
            }
        };
        if let End::Failed(reason) = &end {
            tracing::warn!(task = %task.id, kind = %task.kind, reason, "a task failed");
        }
        let act = self.act(task, now);
        let ours = self
            .db
            .write(async |tx| -> Result<bool> {
                let ours = store::finish(tx, &act, &self.name, task, &end).await?;
                if ours {
                    self.handler.conclude(tx, &act, task, &end).await?;
                    tx.wake_tasks();
                }
                Ok(ours)
            })
            .await?;
        if !ours {
            tracing::warn!(task = %task.id, "another worker has taken this task over");
        }
        Ok(())
    }

    fn act(&self, task: &Task, now: Timestamp) -> Act {
        Act::new(Actor::system("worker"), task.id.to_string(), None, now, self.ids.clone())
    }
}

/// The pause before the attempt after number `attempt`: 1, 2, 4 … 32 s, and up to half as much
/// again.
fn pause(attempt: i64) -> SignedDuration {
    let doublings = u32::try_from((attempt - 1).clamp(0, 5)).unwrap_or(0);
    SignedDuration::try_from(jittered(Duration::from_secs(1 << doublings)))
        .unwrap_or(SignedDuration::from_secs(1))
}

/// A span and, by chance, up to half as much again; the span itself where there is no chance.
fn jittered(span: Duration) -> Duration {
    let chance = secret::random::<2>().map_or(0, u16::from_be_bytes);
    span + span / 2 * u32::from(chance) / u32::from(u16::MAX)
}

/// A reason that is never empty and never long (TSK-01).
fn tidy(reason: &str) -> String {
    let reason = reason.trim();
    if reason.is_empty() {
        return "no reason was given".to_owned();
    }
    reason.chars().take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        for attempt in 1..100 {
            let seconds = pause(attempt).as_secs_f64();
            let least = f64::from(1 << (attempt - 1).min(5));
            assert!(seconds >= least && seconds <= least * 1.5, "{attempt}: {seconds}");
        }
    }

    #[test]
    fn a_reason_is_never_empty() {
        assert_eq!(tidy("  "), "no reason was given");
        assert_eq!(tidy(&"x".repeat(5000)).len(), LONGEST_REASON);
    }
}
