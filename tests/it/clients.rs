//! The official clients, which know nothing of us, drive the signed API.

use std::process::Command;

use identity_center::clock::Clock;

use crate::{
    api::{Administration, administration, administration_of},
    house::{Database, TestHouse},
};

/// Runs a program as the administrator of a fresh house. Clients sign with this machine's clock.
async fn drive(program: &str, database: Database, prepare: impl FnOnce(&mut Command)) {
    let Some(mut command) = crate::tools::python(program) else {
        return database.remove().await;
    };
    let house = TestHouse::furnished(database, Clock::system(), |settings| {
        // So few that a test can have too many, and everything allowed that a setting may allow.
        settings.limits.users = 20;
        settings.limits.groups = 4;
        settings.limits.configurations = 3;
        settings.limits.custom_policies = 2;
        settings.administration.rename_spaces = true;
        settings.administration.change_conflict_policies = true;
    })
    .await;
    let Administration { client, .. } = administration(&house).await;
    let other = administration_of(&house, "Other").await.client;
    command
        .env("ENDPOINT", house.address.to_string())
        .env("SECRET_ID", &client.secret_id)
        .env("SECRET_KEY", &client.secret_key)
        .env("OTHER_ID", &other.secret_id)
        .env("OTHER_KEY", &other.secret_key);
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

/// Every answer has the fields and types of the catalogue, and every code that it lists.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_as_the_catalogue_has_it_on_sqlite() {
    drive("tests/python/catalogue.py", Database::sqlite(), |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_as_the_catalogue_has_it_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    drive("tests/python/catalogue.py", database, |_| {}).await;
}
