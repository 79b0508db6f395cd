//! The task queue: order, side by side, retries, leases and fences.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use identity_center::{
    audit::Act,
    id::TaskId,
    store::{self, PageRequest, Write, sql},
    task::{
        self, End, Filter, Handler, Kind, LEASE, NewTask, Outcome, PATIENCE, State, Task, Worker,
        enqueue, enqueue_all,
    },
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{in_both_worlds, world::World};

/// A handler that does what the payload says, and writes down what happened.
#[derive(Default)]
struct Script {
    began: Mutex<Vec<(TaskId, i64)>>,
    ended: Mutex<Vec<(TaskId, End)>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    per_subject: Mutex<HashMap<String, usize>>,
}

#[async_trait]
impl Handler for Script {
    async fn run(&self, task: &Task) -> Outcome {
        self.began.lock().unwrap().push((task.id, task.attempt));
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        {
            let mut running = self.per_subject.lock().unwrap();
            let count = running.entry(task.subject.clone()).or_default();
            *count += 1;
            assert_eq!(*count, 1, "two tasks of {} at once", task.subject);
        }
        let pause = task.payload["milliseconds"].as_u64().unwrap_or(1);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        *self.per_subject.lock().unwrap().get_mut(&task.subject).unwrap() -= 1;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        match task.payload["end"].as_str() {
            Some("fail") => Outcome::Failed("no".to_owned()),
            Some("retry") => Outcome::Retry("later".to_owned()),
            Some("silent") => Outcome::Failed(String::new()),
            Some("panic") => panic!("broken handler"),
            _ => Outcome::Done(json!(null)),
        }
    }

    async fn conclude(
        &self,
        _: &mut Write,
        _: &Act,
        task: &Task,
        end: &End,
    ) -> Result<(), store::Error> {
        self.ended.lock().unwrap().push((task.id, end.clone()));
        Ok(())
    }
}

fn worker(world: &World, script: &Arc<Script>) -> Worker {
    let (db, clock) = (world.app.db.clone(), world.app.clock.clone());
    let handler: Arc<dyn Handler> = Arc::<Script>::clone(script);
    Worker::new(db, clock, world.app.ids.clone(), 8, handler).unwrap()
}

async fn add(world: &World, subject: &str, payload: serde_json::Value) -> TaskId {
    let new = NewTask {
        space: world.space.id,
        kind: Kind::ProvisionConfiguration,
        subject: subject.to_owned(),
        account: world.member.uin,
        configuration: None,
        principal: None,
        payload,
    };
    world.write(async |tx, act| enqueue(tx, act, &new).await).await
}

in_both_worlds! {
    async fn tsk_04_one_subject_in_order_and_several_side_by_side(world) {
        let mut ids = Vec::new();
        for round in 0..6 {
            for subject in ["a", "b", "c"] {
                ids.push((subject, round, add(world, subject, json!({ "milliseconds": 20 })).await));
            }
        }
        let script = Arc::new(Script::default());
        let [one, other] = [worker(world, &script), worker(world, &script)];
        let (first, second) = tokio::join!(one.run_all_ready(), other.run_all_ready());
        first.unwrap();
        second.unwrap();
        // One of them may have found nothing while the other was at work.
        one.run_all_ready().await.unwrap();
        let began = script.began.lock().unwrap().clone();
        assert_eq!(began.len(), ids.len(), "each exactly once");
        for subject in ["a", "b", "c"] {
            let wanted: Vec<TaskId> =
                ids.iter().filter(|(of, ..)| *of == subject).map(|(.., id)| *id).collect();
            let got: Vec<TaskId> =
                began.iter().map(|(id, _)| *id).filter(|id| wanted.contains(id)).collect();
            assert_eq!(got, wanted, "{subject}");
        }
        assert!(script.most_at_once.load(Ordering::SeqCst) >= 2, "subjects run side by side");
        assert_eq!(world.count("SELECT COUNT(*) FROM tasks WHERE state = 'success'").await, 18);
    }

    async fn tsk_01_a_permanent_failure_ends_at_once_and_never_without_a_reason(world) {
        let script = Arc::new(Script::default());
        let plain = add(world, "a", json!({ "end": "fail" })).await;
        let silent = add(world, "b", json!({ "end": "silent" })).await;
        assert_eq!(worker(world, &script).run_all_ready().await.unwrap(), 2);
        for (id, reason) in [(plain, "no"), (silent, "no reason was given")] {
            let task = world.task(id).await;
            assert_eq!((task.state, task.reason.as_deref()), (State::Failed, Some(reason)));
            assert!(task.finished_at.is_some());
        }
        let records = world
            .count("SELECT COUNT(*) FROM audit_records WHERE action = 'configuration.deployed'")
            .await;
        assert_eq!(records, 2, "each end is recorded once");
    }

    async fn tsk_03_a_transient_failure_is_retried_for_four_minutes_and_then_fails(world) {
        let script = Arc::new(Script::default());
        let worker = worker(world, &script);
        let began = world.now();
        let id = add(world, "a", json!({ "end": "retry" })).await;
        let behind = add(world, "a", json!({})).await;
        let mut attempts = 0;
        while !world.task(id).await.state.is_final() {
            attempts += worker.run_all_ready().await.unwrap();
            world.advance(1);
            assert!(world.now() < began.plus(PATIENCE).plus_seconds(60), "it goes on for ever");
        }
        assert!((6..20).contains(&attempts), "{attempts} attempts");
        let task = world.task(id).await;
        assert_eq!((task.state, task.reason.as_deref()), (State::Failed, Some("later")));
        let took = task.finished_at.unwrap().seconds_since(began);
        assert!((120..=240).contains(&took), "gave up after {took} s");
        // What waited behind it has waited all the while, and went on then.
        let began = script.began.lock().unwrap().clone();
        assert_eq!(began.iter().position(|(id, _)| *id == behind), Some(began.len() - 1));
        assert_eq!(world.task(behind).await.state, State::Success);
    }

    async fn a_handler_that_panics_is_tried_again(world) {
        let script = Arc::new(Script::default());
        let id = add(world, "a", json!({ "end": "panic" })).await;
        worker(world, &script).run_all_ready().await.unwrap();
        let task = world.task(id).await;
        assert_eq!(task.state, State::Ready);
        assert_eq!(task.reason.as_deref(), Some("the attempt broke off"));
    }

    async fn a_lost_worker_is_taken_over_and_writes_nothing_any_more(world) {
        let script = Arc::new(Script::default());
        let id = add(world, "a", json!({ "milliseconds": 700 })).await;
        let [slow, other] = [worker(world, &script), worker(world, &script)];
        let slow = tokio::spawn(async move { slow.run_all_ready().await.unwrap() });
        while world.task(id).await.state != State::Running {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(other.run_all_ready().await.unwrap(), 0, "it has an owner");
        world.advance(LEASE.as_secs() + 1);
        // The lease has ended: the task is begun again. The script would complain of two at once.
        script.per_subject.lock().unwrap().clear();
        sql_reset(world, id).await;
        assert_eq!(other.run_all_ready().await.unwrap(), 1);
        assert_eq!(slow.await.unwrap(), 1);
        let task = world.task(id).await;
        assert_eq!((task.state, task.attempt), (State::Success, 2));
        assert_eq!(script.ended.lock().unwrap().len(), 1, "only one of them wrote the end");
    }

    async fn a_worker_that_stops_hands_back_what_it_has(world) {
        let script = Arc::new(Script::default());
        let id = add(world, "a", json!({ "milliseconds": 60_000 })).await;
        let worker = worker(world, &script);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let running = tokio::spawn(async move { worker.run_until(stopping).await });
        while world.task(id).await.state != State::Running {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
        running.await.unwrap();
        assert_eq!(world.task(id).await.state, State::Ready);
        assert!(script.ended.lock().unwrap().is_empty());
    }

    async fn a_running_worker_is_woken_by_a_commit(world) {
        let script = Arc::new(Script::default());
        let worker = worker(world, &script);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let running = tokio::spawn(async move { worker.run_until(stopping).await });
        for subject in ["a", "b", "c"] {
            let id = add(world, subject, json!({})).await;
            let began = std::time::Instant::now();
            while world.task(id).await.state != State::Success {
                assert!(began.elapsed() < Duration::from_secs(20), "nobody takes it");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        stop.cancel();
        running.await.unwrap();
    }

    async fn tsk_02_tasks_are_listed_by_filter_and_retried_by_hand(world) {
        let script = Arc::new(Script::default());
        let good = add(world, "a", json!({})).await;
        let bad = add(world, "b", json!({ "end": "fail" })).await;
        worker(world, &script).run_all_ready().await.unwrap();
        let list = async |filter: Filter| {
            let page = PageRequest::first(10);
            let space = world.space.id;
            let found = world.read(async |tx| task::list(tx, space, &filter, page).await).await;
            found.rows.into_iter().map(|task| task.id).collect::<Vec<_>>()
        };
        assert_eq!(list(Filter::default()).await, [bad, good], "latest first");
        let states = |state| Filter { states: vec![state], ..Filter::default() };
        assert_eq!(list(states(State::Failed)).await, [bad]);
        assert_eq!(list(states(State::Success)).await, [good]);
        let kinds = |kind| Filter { kinds: vec![kind], ..Filter::default() };
        assert_eq!(list(kinds(Kind::DeleteAssignment)).await, []);
        assert_eq!(list(kinds(Kind::ProvisionConfiguration)).await, [bad, good]);
        let account = |uin| Filter { account: Some(uin), ..Filter::default() };
        assert_eq!(list(account(world.management.uin)).await, []);
        assert_eq!(list(account(world.member.uin)).await, [bad, good]);

        let space = world.space.id;
        let again = world.write(async |tx, act| task::retry(tx, act, space, bad).await).await;
        assert_eq!(world.task(again).await.retry_of, Some(bad));
        let refused = world.try_write(async |tx, act| task::retry(tx, act, space, good).await).await;
        assert!(matches!(refused, Err(task::Error::NotFailed)));
        let nothing =
            world.try_write(async |tx, act| task::retry(tx, act, space, TaskId(1)).await).await;
        assert!(matches!(nothing, Err(task::Error::NotFound)));
    }

    async fn a_task_that_failed_from_the_start_is_never_run(world) {
        let new = NewTask {
            space: world.space.id,
            kind: Kind::CreateAssignment,
            subject: "a".to_owned(),
            account: world.member.uin,
            configuration: None,
            principal: None,
            payload: json!({}),
        };
        let id = world.write(async |tx, act| enqueue_all(tx, act, &[(new, Some("there already"))]).await);
        let id = id.await[0];
        let script = Arc::new(Script::default());
        assert_eq!(worker(world, &script).run_all_ready().await.unwrap(), 0);
        let task = world.task(id).await;
        assert_eq!((task.state, task.reason.as_deref()), (State::Failed, Some("there already")));
    }
}

/// Makes the second run of the same task quick.
async fn sql_reset(world: &World, id: TaskId) {
    world
        .write(async |tx, _| {
            sql("UPDATE tasks SET payload = '{}' WHERE id = $1").bind(id).execute(tx).await
        })
        .await;
}
