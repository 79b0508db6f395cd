//! Group commit on SQLite: what members owe each other.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use proptest::prelude::*;
use tokio::{sync::Notify, task::JoinHandle, time::sleep};

use super::{Db, Error, Result, Write, sql};

async fn db() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db =
        Db::connect(&format!("sqlite:{}", dir.path().join("test.db").display())).await.unwrap();
    db.write(async |tx| {
        sql("CREATE TABLE t (n INTEGER PRIMARY KEY, filler BLOB)").execute(tx).await?;
        sql("CREATE TABLE child (n INTEGER REFERENCES t (n))").execute(tx).await
    })
    .await
    .unwrap();
    (dir, db)
}

async fn insert(tx: &mut Write, n: i64) -> Result<u64> {
    sql("INSERT INTO t (n) VALUES ($1)").bind(n).execute(tx).await
}

async fn later(tx: &mut Write, n: i64) -> Result<()> {
    sql("INSERT INTO t (n) VALUES ($1)").bind(n).later(tx).await
}

async fn numbers(db: &Db) -> Vec<i64> {
    let rows: Vec<(i64,)> =
        db.read(async |tx| sql("SELECT n FROM t ORDER BY n").fetch_all(tx).await).await.unwrap();
    rows.into_iter().map(|(n,)| n).collect()
}

/// A member that has inserted `n` and keeps its turn until it is told to go on, so that others
/// queue behind it and come into its group.
async fn holder(db: &Db, n: i64) -> (JoinHandle<Result<()>>, Arc<Notify>) {
    let (inside, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (db, told, wait) = (db.clone(), Arc::clone(&inside), Arc::clone(&go));
    let task = tokio::spawn(async move {
        db.write(async |tx| {
            insert(tx, n).await?;
            told.notify_one();
            wait.notified().await;
            Ok(())
        })
        .await
    });
    inside.notified().await;
    (task, go)
}

/// Spawns a write and lets it come into the queue.
macro_rules! queued {
    ($db:expr, $work:expr) => {{
        let db = $db.clone();
        let task = tokio::spawn(async move {
            let result: Result<()> = db.write($work).await;
            result
        });
        sleep(Duration::from_millis(5)).await;
        task
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_lose_nothing() {
    let (_dir, db) = db().await;
    db.write(async |tx| insert(tx, 0).await).await.unwrap();
    let tasks: Vec<_> = (1..=400)
        .map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(async |tx| {
                    // Reads what it decides on: a lost update would show.
                    let most = sql("SELECT MAX(n) FROM t").fetch_number(tx).await?;
                    tokio::task::yield_now().await;
                    insert(tx, most + 1).await
                })
                .await?;
                // Who is answered sees its own write, and all before it.
                let count = db
                    .read(async |tx| sql("SELECT COUNT(*) FROM t").fetch_number(tx).await)
                    .await?;
                assert!(count >= 2);
                Ok::<_, Error>(n)
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(numbers(&db).await, (0..=400).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_come_in_the_order_they_were_asked_for() {
    let (_dir, db) = db().await;
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (first, go) = holder(&db, 0).await;
    let mut tasks = Vec::new();
    for n in 1..100 {
        let order = Arc::clone(&order);
        let db = db.clone();
        let mut write = Box::pin(async move {
            db.write(async |tx| {
                order.lock().unwrap().push(n);
                insert(tx, n).await
            })
            .await
        });
        // Asked for here and now, not when a thread comes round to it.
        let pending = poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_pending()));
        assert!(pending.await);
        tasks.push(tokio::spawn(write));
    }
    go.notify_one();
    first.await.unwrap().unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (1..100).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_fails_alone() {
    let (_dir, db) = db().await;
    let (first, go) = holder(&db, 1).await;
    let refused = queued!(db, async |tx: &mut Write| {
        insert(tx, 2).await?;
        Err(Error::Busy)
    });
    let clash = queued!(db, async |tx: &mut Write| {
        insert(tx, 3).await?;
        insert(tx, 1).await?;
        Ok(())
    });
    let panics = queued!(db, async |tx: &mut Write| {
        insert(tx, 4).await?;
        panic!("as it should")
    });
    let dropped = queued!(db, async |tx: &mut Write| {
        insert(tx, 5).await?;
        std::future::pending().await
    });
    let last = queued!(db, async |tx: &mut Write| insert(tx, 6).await.map(drop));
    go.notify_one();
    sleep(Duration::from_millis(50)).await;
    dropped.abort();
    first.await.unwrap().unwrap();
    assert!(matches!(refused.await.unwrap(), Err(Error::Busy)));
    assert!(matches!(clash.await.unwrap(), Err(Error::Conflict(_))));
    assert!(panics.await.unwrap_err().is_panic());
    assert!(dropped.await.unwrap_err().is_cancelled());
    last.await.unwrap().unwrap();
    assert_eq!(numbers(&db).await, [1, 6]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_fails_first_harms_nobody_behind_it() {
    let (_dir, db) = db().await;
    let (inside, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait) = (Arc::clone(&inside), Arc::clone(&go));
    let first = queued!(db, async move |tx: &mut Write| {
        insert(tx, 1).await?;
        told.notify_one();
        wait.notified().await;
        Err(Error::Busy)
    });
    inside.notified().await;
    let second = queued!(db, async |tx: &mut Write| insert(tx, 2).await.map(drop));
    let nothing = queued!(db, async |_: &mut Write| Ok(()));
    go.notify_one();
    assert!(matches!(first.await.unwrap(), Err(Error::Busy)));
    second.await.unwrap().unwrap();
    nothing.await.unwrap().unwrap();
    assert_eq!(numbers(&db).await, [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_while_it_waits_is_passed_over() {
    let (_dir, db) = db().await;
    let (first, go) = holder(&db, 1).await;
    let gone = queued!(db, async |tx: &mut Write| insert(tx, 2).await.map(drop));
    let stays = queued!(db, async |tx: &mut Write| insert(tx, 3).await.map(drop));
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    go.notify_one();
    first.await.unwrap().unwrap();
    stays.await.unwrap().unwrap();
    assert_eq!(numbers(&db).await, [1, 3]);
}

/// A foreign key that is only looked at when the commit comes makes the commit fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_fails_is_an_error_for_every_member() {
    let (_dir, db) = db().await;
    let (first, go) = holder(&db, 1).await;
    let second = queued!(db, async |tx: &mut Write| {
        tx.wake_tasks();
        sql("PRAGMA defer_foreign_keys = on").execute(tx).await?;
        sql("INSERT INTO child (n) VALUES (99)").execute(tx).await.map(drop)
    });
    let refused = queued!(db, async |tx: &mut Write| {
        // It decides on what the first has written, which will not last.
        assert!(sql("SELECT 1 FROM t WHERE n = 1").exists(tx).await?);
        Err(Error::NestedWrite)
    });
    go.notify_one();
    assert!(matches!(first.await.unwrap(), Err(Error::Lost)));
    assert!(matches!(second.await.unwrap(), Err(Error::Lost)));
    assert!(matches!(refused.await.unwrap(), Err(Error::Lost)));
    assert!(tokio::time::timeout(Duration::from_millis(20), db.tasks_waiting()).await.is_err());
    db.write(async |tx| insert(tx, 4).await).await.unwrap();
    assert_eq!(numbers(&db).await, [4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_no_answered_write() {
    let (_dir, db) = db().await;
    let limit = async |pages: i64| {
        let pages = pages.to_string();
        let statement: &'static str = format!("PRAGMA max_page_count = {pages}").leak();
        db.write(async |tx| sql(statement).exists(tx).await).await.unwrap();
    };
    limit(40).await;
    let (first, go) = holder(&db, 1).await;
    let mut tasks = Vec::new();
    for n in 2..12 {
        let filler = vec![7_u8; if n % 3 == 0 { 400_000 } else { 3000 }];
        tasks.push((
            n,
            queued!(db, async move |tx: &mut Write| {
                sql("INSERT INTO t (n, filler) VALUES ($1, $2)")
                    .bind(n)
                    .bind(filler)
                    .execute(tx)
                    .await
                    .map(drop)
            }),
        ));
    }
    go.notify_one();
    let mut kept = Vec::new();
    if first.await.unwrap().is_ok() {
        kept.push(1);
    }
    let mut refused = 0;
    for (n, task) in tasks {
        match task.await.unwrap() {
            Ok(()) => kept.push(n),
            Err(Error::Lost | Error::Database(_)) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(refused >= 3, "the large ones cannot fit");
    assert_eq!(numbers(&db).await, kept);
    limit(1_000_000).await;
    db.write(async |tx| insert(tx, 50).await).await.unwrap();
    assert!(numbers(&db).await.contains(&50));
}

/// Without the transaction that was refused, later statements of the same work would commit by
/// themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_outside_a_transaction() {
    let (dir, db) = db().await;
    db.write(async |tx| sql("PRAGMA busy_timeout = 50").exists(tx).await).await.unwrap();
    let path = format!("sqlite:{}", dir.path().join("test.db").display());
    let other = sqlx::SqlitePool::connect(&path).await.unwrap();
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let result: Result<()> = db
        .write(async |tx| {
            assert!(insert(tx, 1).await.is_err());
            let attempt = tx.attempt(async |tx| insert(tx, 2).await).await;
            assert!(attempt.is_err());
            lock.rollback().await?;
            assert!(insert(tx, 3).await.is_err());
            Ok(())
        })
        .await;
    assert!(matches!(result, Err(Error::Lost)));
    db.write(async |tx| insert(tx, 4).await).await.unwrap();
    assert_eq!(numbers(&db).await, [4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_turns_asked_for_and_gives_no_more() {
    let (_dir, db) = db().await;
    let (first, go) = holder(&db, 1).await;
    let second = queued!(db, async |tx: &mut Write| insert(tx, 2).await.map(drop));
    let closing = tokio::spawn({
        let db = db.clone();
        async move { db.close().await }
    });
    sleep(Duration::from_millis(5)).await;
    let late = queued!(db, async |tx: &mut Write| insert(tx, 3).await.map(drop));
    go.notify_one();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    closing.await.unwrap();
    assert!(matches!(late.await.unwrap(), Err(Error::Database(sqlx::Error::PoolClosed))));
    let read = db.read(async |tx| sql("SELECT 1").fetch_number(tx).await).await;
    assert!(matches!(read, Err(Error::Database(sqlx::Error::PoolClosed))));
    db.close().await;
}

/// A reader that is dropped half way holds no snapshot open, and its connection is lent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_readers_leave_no_snapshot_behind() {
    let (_dir, db) = db().await;
    for n in 0..40 {
        let read = db.read(async |tx| -> Result<()> {
            sql("SELECT COUNT(*) FROM t").fetch_number(tx).await?;
            std::future::pending().await
        });
        assert!(tokio::time::timeout(Duration::from_millis(10), read).await.is_err());
        db.write(async |tx| insert(tx, n).await).await.unwrap();
        assert_eq!(numbers(&db).await.len(), usize::try_from(n).unwrap() + 1);
    }
}

#[derive(Clone, Copy, Debug)]
enum End {
    Keep,
    Refuse,
    Clash,
    Panic,
    /// Dropped after so many microseconds.
    Drop(u64),
}

#[derive(Clone, Debug)]
struct Member {
    statements: i64,
    /// Which statement is an attempt that fails, if any.
    attempt: Option<i64>,
    end: End,
}

fn member() -> impl Strategy<Value = Member> {
    let end = prop_oneof![
        4 => Just(End::Keep),
        1 => Just(End::Refuse),
        1 => Just(End::Clash),
        1 => Just(End::Panic),
        3 => (0..3000_u64).prop_map(End::Drop),
    ];
    (0..5_i64, proptest::option::of(0..5_i64), end).prop_map(|(statements, attempt, end)| Member {
        statements,
        attempt,
        end,
    })
}

async fn live(db: Db, number: i64, member: Member, finished: Arc<AtomicBool>) -> Result<()> {
    db.write(async |tx| {
        for statement in 0..member.statements {
            let n = 10 * number + statement;
            if member.attempt == Some(statement) {
                let failed: Result<()> = tx
                    .attempt(async |tx| {
                        insert(tx, n).await?;
                        insert(tx, n).await?;
                        Ok(())
                    })
                    .await;
                assert!(matches!(failed, Err(Error::Conflict(_))));
            }
            if statement % 2 == 0 {
                insert(tx, n).await?;
            } else {
                sql("INSERT INTO t (n) VALUES ($1)").bind(n).later(tx).await?;
            }
        }
        match member.end {
            End::Keep | End::Drop(_) => {
                finished.store(true, Ordering::SeqCst);
                Ok(())
            }
            End::Refuse => Err(Error::Busy),
            End::Clash => insert(tx, -1).await.map(drop),
            End::Panic => panic!("as it should"),
        }
    })
    .await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the members do, exactly the answered ones are there, whole.
    #[test]
    fn every_member_is_kept_whole_or_not_at_all(
        members in proptest::collection::vec(member(), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(3)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (_dir, db) = db().await;
            db.write(async |tx| insert(tx, -1).await).await.unwrap();
            let answered = Arc::new(AtomicUsize::new(0));
            let lives: Vec<_> = members.iter().cloned().enumerate().map(|(number, member)| {
                let number = i64::try_from(number).unwrap();
                let finished = Arc::new(AtomicBool::new(false));
                let answered = Arc::clone(&answered);
                let life = live(db.clone(), number, member.clone(), Arc::clone(&finished));
                let task = tokio::spawn(async move {
                    let answer = match member.end {
                        End::Drop(after) => {
                            tokio::time::timeout(Duration::from_micros(after), life).await.ok()
                        }
                        _ => Some(life.await),
                    };
                    answered.fetch_add(1, Ordering::SeqCst);
                    answer
                });
                (number, finished, task)
            }).collect();
            let mut answers = Vec::new();
            for (number, finished, task) in lives {
                answers.push((number, finished.load(Ordering::SeqCst), task.await, finished));
            }
            // What was dropped while it waited for its commit is committed by now.
            db.write(async |tx| insert(tx, -2).await).await.unwrap();
            let all = numbers(&db).await;
            for ((number, _, answer, finished), member) in answers.iter().zip(&members) {
                let found = all.iter().filter(|n| **n >= 0 && **n / 10 == *number).count();
                let whole = usize::try_from(member.statements).unwrap();
                match (answer, member.end) {
                    (Ok(Some(Ok(()))), End::Keep | End::Drop(_)) => assert_eq!(found, whole),
                    (Ok(Some(Err(Error::Busy))), End::Refuse)
                    | (Ok(Some(Err(Error::Conflict(_)))), End::Clash)
                    | (Err(_), End::Panic) => assert_eq!(found, 0),
                    (Ok(None), End::Drop(_)) => {
                        let late = finished.load(Ordering::SeqCst);
                        assert!(found == 0 || (late && found == whole));
                    }
                    other => panic!("{other:?}"),
                }
            }
            db.close().await;
        });
    }
}

/// How much the transaction under way syncs: 1 is nothing at its commit, 2 is all of it.
async fn synchronous(tx: &mut Write) -> Result<i64> {
    sql("SELECT synchronous FROM pragma_synchronous").fetch_number(tx).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_delayed_writes_go_without_a_sync() {
    let (_dir, db) = db().await;
    for n in 0..3 {
        let delayed = db.write_delayed(async |tx| {
            insert(tx, 2 * n).await?;
            synchronous(tx).await
        });
        assert_eq!(delayed.await.unwrap(), 1);
        let failed: Result<i64> = db
            .write_delayed(async |tx| {
                insert(tx, 100).await?;
                Err(Error::Busy)
            })
            .await;
        assert!(matches!(failed, Err(Error::Busy)));
        let durable = db.write(async |tx| {
            insert(tx, 2 * n + 1).await?;
            synchronous(tx).await
        });
        assert_eq!(durable.await.unwrap(), 2);
    }
    // A durable write comes into no group without a sync, and a delayed one into any.
    let (first, go) = holder(&db, 10).await;
    let behind = db.clone();
    let delayed = tokio::spawn(async move {
        behind
            .write_delayed(async |tx| {
                insert(tx, 11).await?;
                synchronous(tx).await
            })
            .await
    });
    sleep(Duration::from_millis(5)).await;
    go.notify_one();
    first.await.unwrap().unwrap();
    assert_eq!(delayed.await.unwrap().unwrap(), 2);
    let (inside, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait, behind) = (Arc::clone(&inside), Arc::clone(&go), db.clone());
    let delayed = tokio::spawn(async move {
        behind
            .write_delayed(async |tx| {
                insert(tx, 12).await?;
                told.notify_one();
                wait.notified().await;
                synchronous(tx).await
            })
            .await
    });
    inside.notified().await;
    let durable = queued!(db, async |tx: &mut Write| {
        insert(tx, 13).await?;
        assert_eq!(synchronous(tx).await?, 2);
        Ok(())
    });
    go.notify_one();
    assert_eq!(delayed.await.unwrap().unwrap(), 1);
    durable.await.unwrap().unwrap();
    assert_eq!(numbers(&db).await, [0, 1, 2, 3, 4, 5, 10, 11, 12, 13]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_for_the_commit_fails_alone_too() {
    let (_dir, db) = db().await;
    // By itself.
    db.write(async |tx| later(tx, 1).await).await.unwrap();
    let clash = db.write(async |tx| later(tx, 1).await).await;
    assert!(matches!(clash, Err(Error::Conflict(_))), "{clash:?}");
    let half = db.write(async |tx| {
        insert(tx, 2).await?;
        later(tx, 3).await?;
        later(tx, 1).await
    });
    assert!(matches!(half.await, Err(Error::Conflict(_))));
    assert_eq!(numbers(&db).await, [1]);
    // Behind somebody, with somebody behind it, and as the last of a group.
    let (first, go) = holder(&db, 10).await;
    let middle = queued!(db, async |tx: &mut Write| {
        insert(tx, 11).await?;
        later(tx, 10).await
    });
    let good = queued!(db, async |tx: &mut Write| later(tx, 12).await);
    let last = queued!(db, async |tx: &mut Write| {
        later(tx, 13).await?;
        later(tx, 12).await
    });
    go.notify_one();
    first.await.unwrap().unwrap();
    assert!(matches!(middle.await.unwrap(), Err(Error::Conflict(_))));
    good.await.unwrap().unwrap();
    assert!(matches!(last.await.unwrap(), Err(Error::Conflict(_))));
    assert_eq!(numbers(&db).await, [1, 10, 12]);
    // A rule that is asked at the commit itself.
    db.write(async |tx| {
        sql("CREATE TABLE late (n INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)")
            .execute(tx)
            .await
    })
    .await
    .unwrap();
    let (first, go) = holder(&db, 20).await;
    let orphan = queued!(db, async |tx: &mut Write| {
        sql("INSERT INTO late (n) VALUES (99)").later(tx).await
    });
    go.notify_one();
    first.await.unwrap().unwrap();
    assert!(matches!(orphan.await.unwrap(), Err(Error::Conflict(_))));
    db.write(async |tx| later(tx, 21).await).await.unwrap();
    assert_eq!(numbers(&db).await, [1, 10, 12, 20, 21]);
}
