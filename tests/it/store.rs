//! The store on both databases: attempts, statements that go out later, glances.

use std::sync::atomic::{AtomicUsize, Ordering};

use identity_center::store::{Db, Error, Kind, Result, Write, sql};

use crate::{house::TestHouse, on_both};

async fn table(db: &Db) {
    db.write(async |tx| {
        sql("CREATE TABLE t (n BIGINT PRIMARY KEY, word TEXT NOT NULL)").execute(tx).await
    })
    .await
    .unwrap();
}

async fn insert(tx: &mut Write, n: i64) -> Result<u64> {
    sql("INSERT INTO t (n, word) VALUES ($1, $2)").bind(n).bind("it's $1").execute(tx).await
}

async fn numbers(db: &Db) -> Vec<i64> {
    let rows: Vec<(i64,)> =
        db.read(async |tx| sql("SELECT n FROM t ORDER BY n").fetch_all(tx).await).await.unwrap();
    rows.into_iter().map(|(n,)| n).collect()
}

on_both! {
    async fn a_delayed_write_counts_at_once(house) {
        let db = &house.app.db;
        table(db).await;
        db.write_delayed(async |tx| insert(tx, 1).await).await.unwrap();
        let failed: Result<()> = db.write_delayed(async |tx| {
            insert(tx, 2).await?;
            Err(Error::Busy)
        }).await;
        assert!(matches!(failed, Err(Error::Busy)));
        db.write(async |tx| insert(tx, 3).await).await.unwrap();
        assert_eq!(numbers(db).await, [1, 3]);
        if db.kind() == Kind::Postgres {
            let delayed: (String,) = db.write_delayed(async |tx| {
                insert(tx, 4).await?;
                sql("SELECT current_setting('synchronous_commit')").fetch_one(tx).await
            }).await.unwrap();
            let durable: (String,) = db.write(async |tx| {
                insert(tx, 5).await?;
                sql("SELECT CASE current_setting('synchronous_commit')
                     WHEN reset_val THEN 'as it was' ELSE 'changed' END
                     FROM pg_settings WHERE name = 'synchronous_commit'").fetch_one(tx).await
            }).await.unwrap();
            assert_eq!((delayed.0.as_str(), durable.0.as_str()), ("off", "as it was"));
        }
    }

    async fn a_write_that_claims_is_done_again_where_another_was_faster(house) {
        let db = &house.app.db;
        table(db).await;
        db.write(async |tx| insert(tx, 1).await).await.unwrap();
        let rounds = AtomicUsize::new(0);
        let taken = AtomicUsize::new(0);
        // Eight who each want to take the one row that is there, and leave their own.
        let takers = (10..18).map(|own| {
            let (rounds, taken) = (&rounds, &taken);
            db.write_claiming(move || async move |tx: &mut Write| {
                rounds.fetch_add(1, Ordering::Relaxed);
                let there: Option<(i64,)> =
                    sql("SELECT n FROM t WHERE n < 10").peek().fetch_optional(tx).await?;
                let Some((n,)) = there else { return Ok(false) };
                sql("DELETE FROM t WHERE n = $1").bind(n).claim(tx).await?;
                sql("INSERT INTO t (n, word) VALUES ($1, 'x')").bind(own).later(tx).await?;
                taken.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Error>(true)
            })
        });
        let won: Vec<bool> = futures_util::future::try_join_all(takers).await.unwrap();
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
        let numbers = numbers(db).await;
        assert!(matches!(numbers[..], [10..18]), "{numbers:?}");
        assert!(rounds.load(Ordering::Relaxed) >= 8);
    }

    async fn nothing_is_kept_of_a_write_whose_claim_fails(house) {
        let db = &house.app.db;
        table(db).await;
        db.write(async |tx| { insert(tx, 1).await?; insert(tx, 2).await }).await.unwrap();
        let rounds = AtomicUsize::new(0);
        // None and several are not the one.
        for condition in ["SELECT 9", "SELECT n FROM t"] {
            for reads_before_it_ends in [false, true] {
                let rounds = &rounds;
                let failed = db.write_claiming(move || async move |tx: &mut Write| {
                    rounds.fetch_add(1, Ordering::Relaxed);
                    let mut claim = sql("DELETE FROM t WHERE n IN (");
                    claim.push(condition).push(")");
                    sql("INSERT INTO t (n, word) VALUES (3, 'x')").later(tx).await?;
                    claim.claim(tx).await?;
                    sql("INSERT INTO t (n, word) VALUES (4, 'x')").later(tx).await?;
                    if reads_before_it_ends {
                        sql("SELECT 1 FROM t").exists(tx).await?;
                    }
                    Ok::<_, Error>(())
                }).await;
                assert!(matches!(failed, Err(Error::Overtaken)), "{condition}: {failed:?}");
                assert_eq!(numbers(db).await, [1, 2], "{condition}");
            }
        }
        // It was tried again, and not for ever.
        assert_eq!(rounds.load(Ordering::Relaxed), 4 * 16);
        // An attempt that fails of it is undone alone, and is no reason to do all of it again.
        db.write_claiming(|| async |tx: &mut Write| {
            insert(tx, 5).await?;
            let failed: Result<()> = tx.attempt(async |tx| {
                sql("DELETE FROM t WHERE n = 9").claim(tx).await?;
                insert(tx, 6).await.map(drop)
            }).await;
            assert!(matches!(failed, Err(Error::Overtaken)), "{failed:?}");
            insert(tx, 7).await
        }).await.unwrap();
        assert_eq!(numbers(db).await, [1, 2, 5, 7]);
    }

    async fn a_write_of_one_statement_can_be_delayed(house) {
        let db = &house.app.db;
        table(db).await;
        db.write(async |tx| insert(tx, 1).await).await.unwrap();
        db.write_claiming_delayed(|| async |tx: &mut Write| {
            sql("UPDATE t SET n = 2 WHERE n = 1").claim(tx).await?;
            sql("INSERT INTO t (n, word) VALUES (3, 'x')").later(tx).await?;
            sql("INSERT INTO t (n, word) VALUES (4, 'x')").later(tx).await
        }).await.unwrap();
        assert_eq!(numbers(db).await, [2, 3, 4]);
        if db.kind() == Kind::Postgres {
            // What is said of one commit is not said of those after it.
            let setting: (String,) = db.glance(async |tx| {
                sql("SELECT CASE setting WHEN reset_val THEN 'as it was' ELSE setting END
                     FROM pg_settings WHERE name = 'synchronous_commit'").fetch_one(tx).await
            }).await.unwrap();
            assert_eq!(setting.0, "as it was");
        }
    }

    async fn an_attempt_fails_alone(house) {
        let db = &house.app.db;
        table(db).await;
        db.write(async |tx| {
            insert(tx, 1).await?;
            let clash: Result<()> = tx.attempt(async |tx| {
                insert(tx, 2).await?;
                insert(tx, 1).await.map(drop)
            }).await;
            assert!(matches!(clash, Err(Error::Conflict(_))), "{clash:?}");
            insert(tx, 3).await?;
            let broken: Result<bool> =
                tx.attempt(async |tx| sql("SELECT nonsense FROM t").exists(tx).await).await;
            assert!(matches!(broken, Err(Error::Database(_))));
            tx.attempt(async |tx| {
                insert(tx, 4).await?;
                let refused: Result<()> = tx.attempt(async |tx| {
                    insert(tx, 5).await?;
                    Err(Error::Busy)
                }).await;
                assert!(matches!(refused, Err(Error::Busy)));
                tx.attempt(async |tx| insert(tx, 6).await).await
            }).await?;
            let outer: Result<()> = tx.attempt(async |tx| {
                tx.attempt(async |tx| insert(tx, 7).await).await?;
                insert(tx, 8).await?;
                Err(Error::Busy)
            }).await;
            assert!(outer.is_err());
            // One that does nothing, and one that is the last word.
            tx.attempt(async |_| Ok::<_, Error>(())).await?;
            tx.attempt(async |tx| insert(tx, 9).await).await
        }).await.unwrap();
        assert_eq!(numbers(db).await, [1, 3, 4, 6, 9]);
    }

    async fn an_attempt_that_is_dropped_is_rolled_back(house) {
        let db = &house.app.db;
        table(db).await;
        db.write(async |tx| {
            insert(tx, 1).await?;
            let dropped = tokio::time::timeout(
                std::time::Duration::from_millis(30),
                tx.attempt(async |tx| {
                    insert(tx, 2).await?;
                    sql("INSERT INTO t (n, word) VALUES (3, 'x')").later(tx).await?;
                    std::future::pending::<Result<()>>().await
                }),
            ).await;
            assert!(dropped.is_err());
            insert(tx, 4).await
        }).await.unwrap();
        assert_eq!(numbers(db).await, [1, 4]);
    }

    async fn an_attempt_that_hides_a_lost_transaction_fails(house) {
        let db = &house.app.db;
        table(db).await;
        let result = db.write(async |tx| {
            insert(tx, 1).await?;
            let hidden: Result<()> = tx.attempt(async |tx| {
                insert(tx, 2).await?;
                assert!(sql("SELECT nonsense FROM t").exists(tx).await.is_err());
                Ok(())
            }).await;
            assert!(matches!(hidden, Err(Error::Lost)));
            insert(tx, 3).await
        }).await;
        assert!(result.is_ok());
        let hidden: Result<()> = db.write(async |tx| {
            insert(tx, 4).await?;
            assert!(sql("SELECT nonsense FROM t").exists(tx).await.is_err());
            assert!(insert(tx, 5).await.is_err());
            Ok(())
        }).await;
        assert!(matches!(hidden, Err(Error::Lost)));
        assert_eq!(numbers(db).await, [1, 3]);
    }

    async fn what_goes_out_later_is_there_for_the_next_statement(house) {
        let db = &house.app.db;
        table(db).await;
        let row = |n: i64| {
            sql("INSERT INTO t (n, word) SELECT $1, 'it''s $2 ' || $2 WHERE $1 > 0")
                .bind(n)
                .bind("word")
        };
        db.write(async |tx| {
            row(1).later(tx).await?;
            row(2).later(tx).await?;
            row(3).later(tx).await?;
            let count = sql("SELECT COUNT(*) FROM t WHERE n >= $1").bind(1_i64).fetch_number(tx).await?;
            assert_eq!(count, 3);
            row(4).later(tx).await?;
            assert_eq!(sql("DELETE FROM t WHERE n > $1").bind(2_i64).execute(tx).await?, 2);
            row(5).later(tx).await?;
            let refused: Result<()> = tx.attempt(async |tx| {
                row(6).later(tx).await?;
                Err(Error::Busy)
            }).await;
            assert!(refused.is_err());
            row(7).later(tx).await?;
            Ok::<_, Error>(())
        }).await.unwrap();
        assert_eq!(numbers(db).await, [1, 2, 5, 7]);
        let words: Vec<(String,)> = db.glance(async |tx| {
            sql("SELECT word FROM t WHERE n = 7").fetch_all(tx).await
        }).await.unwrap();
        assert_eq!(words, [("it's $2 word".to_owned(),)]);
        // One that fails at the last moment takes the rest with it.
        let clash: Result<u64> = db.write(async |tx| {
            let made = insert(tx, 8).await?;
            row(1).later(tx).await?;
            Ok(made)
        }).await;
        assert!(matches!(clash, Err(Error::Conflict(_))));
        assert_eq!(numbers(db).await, [1, 2, 5, 7]);
    }

    async fn lists_of_numbers_travel_as_one(house) {
        let db = &house.app.db;
        table(db).await;
        let many: Vec<i64> = (0..40_000).map(|n| n - 7).collect();
        let made = db.write(async |tx| {
            let mut query = sql("INSERT INTO t (n, word) SELECT n.value, ");
            query.push_bind("it's $1").push(" FROM ").push_numbers(many.clone());
            query.push(" AS n WHERE n.value >= ").push_bind(0_i64);
            query.push(" ON CONFLICT DO NOTHING");
            let made = query.execute(tx).await?;
            let mut query = sql("DELETE FROM t WHERE n IN ");
            query.push_numbers([5_i64, 5, -5, 17]);
            assert_eq!(query.execute(tx).await?, 2);
            let mut query = sql("INSERT INTO t (n, word) SELECT n.value, 'later' FROM ");
            query.push_numbers([50_000_i64]).push(" AS n");
            query.later(tx).await?;
            Ok::<_, Error>(made)
        }).await.unwrap();
        assert_eq!(made, 39_993);
        let found = db.read(async |tx| {
            let mut query = sql("SELECT n FROM t WHERE n IN ");
            query.push_numbers([9_i64, 5, 50_000, 3, 99_999, 39_992]).push(" ORDER BY n DESC");
            query.fetch_numbers(tx).await
        }).await.unwrap();
        assert_eq!(found, [3, 9, 39_992, 50_000]);
        let none = db.glance(async |tx| {
            let mut query = sql("SELECT n FROM t WHERE n IN ");
            query.push_numbers([]);
            query.fetch_numbers(tx).await
        }).await.unwrap();
        assert!(none.is_empty());
    }

    async fn who_listens_hears_of_commits_only(house) {
        let db = &house.app.db;
        let before = db.settings_generation();
        let refused: Result<()> = db.write(async |tx| {
            tx.forget_settings();
            Err(Error::Busy)
        }).await;
        assert!(refused.is_err());
        assert_eq!(db.settings_generation(), before);
        db.write(async |tx| {
            tx.forget_settings();
            sql("DELETE FROM sessions").execute(tx).await
        }).await.unwrap();
        assert!(db.settings_generation() > before);
    }

    // On PostgreSQL neither begins a transaction; they keep its promises all the same.
    async fn what_peeks_and_what_is_one_statement_is_kept_or_not_as_a_whole(house) {
        let db = &house.app.db;
        table(db).await;
        db.write(async |tx| {
            assert!(!sql("SELECT 1 FROM t").peek().exists(tx).await?);
            for n in [1_i64, 2] {
                sql("INSERT INTO t (n, word) VALUES ($1, 'x')").bind(n).later(tx).await?;
            }
            Ok::<_, Error>(())
        }).await.unwrap();
        assert_eq!(numbers(db).await, [1, 2]);
        // One of them clashes: none is there.
        let clash: Result<()> = db.write(async |tx| {
            for n in [3_i64, 1] {
                sql("INSERT INTO t (n, word) VALUES ($1, 'x')").bind(n).later(tx).await?;
            }
            Ok(())
        }).await;
        assert!(matches!(clash, Err(Error::Conflict(_))), "{clash:?}");
        // What was only put off is forgotten with the rest.
        let refused: Result<()> = db.write(async |tx| {
            sql("INSERT INTO t (n, word) VALUES (4, 'x')").later(tx).await?;
            Err(Error::Busy)
        }).await;
        assert!(refused.is_err());
        // A peek after something was written sees it, and is in the transaction.
        let refused: Result<()> = db.write(async |tx| {
            sql("INSERT INTO t (n, word) VALUES (5, 'x')").later(tx).await?;
            assert!(sql("SELECT 1 FROM t WHERE n = 5").peek().exists(tx).await?);
            Err(Error::Busy)
        }).await;
        assert!(refused.is_err());
        // A peek that fails spoils the rest.
        let spoiled: Result<()> = db.write(async |tx| {
            assert!(sql("SELECT nonsense FROM t").peek().exists(tx).await.is_err());
            insert(tx, 6).await.map(drop)
        }).await;
        assert!(spoiled.is_err());
        assert_eq!(numbers(db).await, [1, 2]);
    }

    async fn who_goes_away_leaves_nothing_open(house) {
        let db = &house.app.db;
        table(db).await;
        // More than there are connections, each dropped somewhere on its way.
        for round in 0..60_u64 {
            let going = db.write(async |tx| -> Result<()> {
                sql("SELECT 1 FROM t").peek().exists(tx).await?;
                insert(tx, 1).await?;
                sql("SELECT COUNT(*) FROM t a, t b, t c").fetch_number(tx).await?;
                std::future::pending().await
            });
            let patience = std::time::Duration::from_micros(round * 150);
            assert!(tokio::time::timeout(patience, going).await.is_err());
            let looking = db.read(async |tx| -> Result<()> {
                sql("SELECT 1 FROM t").exists(tx).await?;
                std::future::pending().await
            });
            assert!(tokio::time::timeout(patience, looking).await.is_err());
        }
        // Were one of them still there, its lock on the row would be too.
        db.write(async |tx| insert(tx, 1).await).await.unwrap();
        assert_eq!(numbers(db).await, [1]);
    }
}

/// A server that was started anew while connections were idle costs each of them one answer at the
/// most.
#[tokio::test]
async fn connections_that_broke_are_not_used_again() {
    let Some(house) = TestHouse::postgres().await else { return };
    let db = &house.app.db;
    let ask = async || db.glance(async |tx| sql("SELECT 1").exists(tx).await).await;
    for round in 0..3 {
        // Several connections at the same time, all of which end.
        let together = tokio::sync::Barrier::new(6);
        let asking = (0..6).map(|_| {
            db.glance(async |tx| {
                let found = sql("SELECT 1").exists(tx).await;
                together.wait().await;
                found
            })
        });
        futures_util::future::join_all(asking).await;
        // Whoever ends the others is left; its connection is told last.
        let ended: Result<i64> = db
            .glance(async |tx| {
                sql("SELECT COUNT(*) FROM (
                     SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid()) AS ended")
                .fetch_number(tx)
                .await
            })
            .await;
        assert!(ended.unwrap() > 0, "{round}");
        let mut failed = Vec::new();
        for _ in 0..60 {
            // Those behind the first are asked for as well.
            let all = futures_util::future::join_all((0..8).map(|_| ask())).await;
            failed.extend(all.into_iter().filter_map(Result::err));
        }
        assert!(failed.len() <= 16, "{round}: {} {:?}", failed.len(), failed.last());
    }
    house.close().await;
}
