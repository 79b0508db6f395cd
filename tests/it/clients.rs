//! The official clients, which know nothing of us, drive the signed API.

use std::process::Command;

use identity_center::clock::Clock;

use crate::{
    api::{Administration, administration},
    house::{Database, TestHouse},
};

/// Runs a program as the administrator of a fresh house. Clients sign with this machine's clock.
async fn drive(program: &str, database: Database, prepare: impl FnOnce(&mut Command)) {
    let Some(mut command) = crate::tools::python(program) else {
        return database.remove().await;
    };
    let house = TestHouse::on(database, Clock::system()).await;
    let Administration { client, .. } = administration(&house).await;
    command
        .env("ENDPOINT", house.address.to_string())
        .env("SECRET_ID", &client.secret_id)
        .env("SECRET_KEY", &client.secret_key);
    prepare(&mut command);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_sdk_drives_all_of_it() {
    drive("tests/python/sdk.py", Database::sqlite(), |_| {}).await;
}

/// tccli keeps its settings and logs at home.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_command_line_lives_a_whole_life() {
    let home = tempfile::tempdir().unwrap();
    drive("tests/python/command_line.py", Database::sqlite(), |command| {
        command.env("HOME", home.path());
    })
    .await;
}

/// What Terraform's provider does with each of its resources.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terraform_makes_reads_changes_and_destroys_on_sqlite() {
    drive("tests/python/terraform.py", Database::sqlite(), |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terraform_makes_reads_changes_and_destroys_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    drive("tests/python/terraform.py", database, |_| {}).await;
}
