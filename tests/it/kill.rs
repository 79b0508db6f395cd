//! kill -9 in the middle of many tasks: every one ends once, and no account has anything twice. And
//! in the middle of a directory's push: what was acknowledged is there.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use identity_center::{app::App, clock::Clock, id::Principal, secret::Sealer, store::sql};

use crate::{
    house::Database,
    world::{World, settings},
};

const TASKS: i64 = 200;

/// The real program, on a database that others use as well.
pub fn start(database: &Database, master_key: &str, port: u16) -> Child {
    start_behind(database, master_key, port, &format!("http://127.0.0.1:{port}"))
}

/// The same, behind an address that is not its own.
pub fn start_behind(database: &Database, master_key: &str, port: u16, public_url: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_identity-center"))
        .arg("serve")
        .env("IDENTITY_CENTER_DATABASE_URL", database.url())
        .env("IDENTITY_CENTER_MASTER_KEY", master_key)
        .env("IDENTITY_CENTER_LISTEN", format!("127.0.0.1:{port}"))
        .env("IDENTITY_CENTER_PUBLIC_URL", public_url)
        .env("IDENTITY_CENTER_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn wait_for(world: &World, what: &str, query: &'static str, at_least: i64) {
    let began = Instant::now();
    while world.count(query).await < at_least {
        assert!(began.elapsed() < Duration::from_mins(2), "{what} does not happen");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn every_task_ends_once(database: Database) {
    let key = Sealer::new_master_key().unwrap();
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let app = App::open(settings(&database, &url, &key), Clock::system()).await.unwrap();
    let world = World::make(app).await;
    let mut accounts = vec![world.member.uin, world.management.uin];
    for number in 2..5 {
        accounts.push(world.account(&format!("account-{number}")).await.uin);
    }
    let policies = ["ReadOnlyAccess", "QcloudCVMFullAccess", "QcloudCBSFullAccess"];
    let mut configurations = Vec::new();
    for number in 0..4 {
        configurations.push(world.configuration(&format!("c-{number}"), &policies).await);
    }
    let mut users = Vec::new();
    for number in 0..10 {
        users.push(world.user(&format!("user-{number}")).await);
    }
    for user in &users {
        // 20 a call: 5 accounts and 4 configurations.
        let triples: Vec<_> = accounts
            .iter()
            .flat_map(|account| configurations.iter().map(move |id| (*account, *id)))
            .map(|(account, id)| world.triple(Principal::User(*user), account, id))
            .collect();
        world.assign(&triples).await;
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM tasks").await, TASKS);

    let mut first = start(&database, &key, port);
    let ended = "SELECT COUNT(*) FROM tasks WHERE state IN ('success', 'failed')";
    wait_for(&world, "the first task's end", ended, 20).await;
    first.kill().unwrap();
    first.wait().unwrap();
    let before = world.count(ended).await;
    assert!(before < TASKS, "killed too late to prove anything");

    let mut second = start(&database, &key, port);
    wait_for(&world, "the last task's end", ended, TASKS).await;
    second.kill().unwrap();
    second.wait().unwrap();

    let count = async |query| world.count(query).await;
    assert_eq!(count("SELECT COUNT(*) FROM tasks WHERE state = 'success'").await, TASKS);
    assert_eq!(count("SELECT COUNT(*) FROM assignments WHERE state = 'active'").await, TASKS);
    let ends: Vec<(String, i64)> = world
        .rows(sql("SELECT object_id, COUNT(*) FROM audit_records
                   WHERE action = 'assignment.created' GROUP BY object_id"))
        .await;
    assert_eq!(i64::try_from(ends.len()).unwrap(), TASKS, "each end is recorded");
    assert!(ends.iter().all(|(_, times)| *times == 1), "and recorded once");
    // Five accounts, four configurations, three policies each.
    for (query, wanted) in [
        ("SELECT COUNT(*) FROM cloud_saml_providers", 5),
        ("SELECT COUNT(*) FROM cloud_roles WHERE managed_by IS NOT NULL", 20),
        (
            "SELECT COUNT(*) FROM cloud_role_policies p JOIN cloud_roles r ON r.id = p.role_id
          WHERE r.managed_by IS NOT NULL",
            60,
        ),
        (
            "SELECT COUNT(*) FROM audit_records WHERE action = 'role.create'
          AND actor_id = 'deployer'",
            20,
        ),
        ("SELECT COUNT(*) FROM audit_records WHERE action = 'role.attach_policy'", 60),
        ("SELECT COUNT(*) FROM deployments WHERE state = 'deployed'", 20),
    ] {
        assert_eq!(count(query).await, wanted, "{query}");
    }
    world.app.db.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tsk_03_every_task_ends_once_sqlite() {
    every_task_ends_once(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tsk_03_every_task_ends_once_postgres() {
    let Some(database) = Database::postgres().await else { return };
    every_task_ends_once(database).await;
}
