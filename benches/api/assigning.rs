//! Assignments, from the first call to the last one that is deployed.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use identity_center::{id::UserId, store::sql};
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    Report,
    server::{ACCOUNTS, Server},
};

/// Assignments in one call, the most there may be.
const BATCH: usize = 50;

pub async fn measure(
    report: &mut Report,
    database: &str,
    server: &Server,
    wanted: usize,
    commits: f64,
) -> Result<()> {
    let configuration = server.configuration("assigned").await?;
    let people = wanted.div_ceil(ACCOUNTS);
    let mut users: Vec<UserId> = Vec::with_capacity(people);
    for number in 0..people {
        users.push(server.user(&format!("assigned-{number}")).await?);
    }
    let items: Vec<Value> = server
        .accounts
        .iter()
        .flat_map(|account| users.iter().map(move |user| (account.uin, user)))
        .take(wanted)
        .map(|(uin, user)| {
            json!({
                "PrincipalId": user,
                "PrincipalType": "User",
                "TargetUin": uin.0,
                "TargetType": "MemberUin",
                "RoleConfigurationId": configuration,
            })
        })
        .collect();
    let client = Client::new();
    let began = Instant::now();
    for items in items.chunks(BATCH) {
        let parameters = json!({ "ZoneId": server.space.id, "RoleAssignmentInfo": items });
        server.call(&client, "CreateRoleAssignment", &parameters).await?;
    }
    let called = began.elapsed().as_secs_f64();
    while open(server).await? > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = began.elapsed().as_secs_f64();
    ensure!(failed(server).await? == 0, "an assignment failed");
    let count = f64::from(u32::try_from(items.len())?);
    let columns = "assignments | accounts | calls done after, s | all deployed after, s | \
                   assignments /s | durable commits /s, one after the other | of that";
    report.heading(&format!("Assignments, {database}"), columns);
    report.row(&[
        items.len().to_string(),
        ACCOUNTS.min(items.len()).to_string(),
        format!("{called:.2}"),
        format!("{took:.2}"),
        format!("{:.0}", count / took),
        format!("{commits:.0}"),
        format!("{:.2}", count / took / commits),
    ]);
    Ok(())
}

async fn open(server: &Server) -> Result<i64> {
    let count = sql("SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')
                     AND space_id = $1")
    .bind(server.space.id);
    Ok(server.app.db.read(async |tx| count.fetch_number(tx).await).await?)
}

async fn failed(server: &Server) -> Result<i64> {
    let count = sql("SELECT COUNT(*) FROM tasks WHERE state = 'failed' AND space_id = $1")
        .bind(server.space.id);
    Ok(server.app.db.read(async |tx| count.fetch_number(tx).await).await?)
}
