//! The official SDK builds an identity centre through the signed API.

use identity_center::clock::Clock;

use crate::{
    api::{Administration, administration},
    fake_idp::FakeIdp,
    house::{Database, TestHouse},
    tools::python,
};

async fn build(house: TestHouse) {
    let Administration { client, .. } = administration(&house).await;
    let metadata = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(metadata.path(), FakeIdp::new().metadata()).unwrap();
    if let Some(mut sdk) = python("tests/python/sdk.py") {
        sdk.arg(house.address.to_string())
            .args([&client.secret_id, &client.secret_key])
            .arg(metadata.path());
        let said = tokio::task::spawn_blocking(move || sdk.output()).await.unwrap().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }
    house.close().await;
}

/// The SDK signs with the machine's clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    build(TestHouse::on(Database::sqlite(), Clock::system()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    build(TestHouse::on(database, Clock::system()).await).await;
}
