//! Who reaches what: somebody in many groups, among many assignments.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use identity_center::{
    access,
    id::{ConfigurationId, GroupId},
    store::{Sql, sql},
};
use reqwest::Client;
use serde_json::json;

use crate::{Report, server::Server};

/// Groups that the user is in.
const GROUPS: usize = 200;
/// Assignments in the space.
const ASSIGNMENTS: usize = 100_000;
/// Configurations that they are of.
const CONFIGURATIONS: usize = 10;
/// Rows that one statement writes.
const ROWS: usize = 1000;

pub async fn measure(
    report: &mut Report,
    database: &str,
    server: &Server,
    span: Duration,
) -> Result<()> {
    let user = server.user("effective").await?;
    let mut configurations = Vec::with_capacity(CONFIGURATIONS);
    for number in 0..CONFIGURATIONS {
        configurations.push(server.configuration(&format!("effective-{number}")).await?);
    }
    // Twenty times as many groups as the user is in: most assignments are other people's.
    let groups = groups(server, GROUPS * 20).await?;
    let act = server.app.own_act("bench")?;
    let limits = server.app.directory_limits();
    for group in groups.iter().step_by(20) {
        let group = *group;
        let join = server.app.db.write(async |tx| {
            let space = &server.space;
            identity_center::directory::add_member(tx, &act, space, group, user, &limits).await
        });
        join.await?;
    }
    assign(server, &groups, &configurations).await?;
    server.settle().await?;

    let reach = async || {
        let read =
            server.app.db.read(async |tx| access::reachable(tx, server.space.id, user).await);
        anyhow::Ok(read.await?)
    };
    let found: usize = reach().await?.iter().map(|account| account.roles.len()).sum();
    let list = each(span, async || reach().await.map(drop)).await?;
    let account = server.accounts.first().context("an account")?.uin;
    let client = Client::new();
    let body = json!({ "ZoneId": server.space.id, "UserId": user, "MaxResults": 100 }).to_string();
    let call = each(span, async || {
        let signed =
            server.signed("identitycenter", "2026-11-22", "DescribeEffectiveAccess", &body)?;
        signed.send(&client).await.map(drop)
    })
    .await?;
    let configuration = *configurations.first().context("a configuration")?;
    let one = each(span, async || {
        let now = server.app.clock.now();
        let launch = server.app.db.read(async |tx| {
            access::launch_role(tx, server.space.id, user, account, configuration, now).await
        });
        // Nothing is deployed here: it is refused after the same look.
        let _ = launch.await;
        Ok(())
    })
    .await?;
    let columns = "assignments | the user's groups | roles reached | list them all, ms | \
                   signed call for a page of 100, ms | may one be entered, ms";
    report.heading(&format!("Effective access, {database}"), columns);
    report.row(&[
        ASSIGNMENTS.to_string(),
        GROUPS.to_string(),
        found.to_string(),
        format!("{list:.2}"),
        format!("{call:.2}"),
        format!("{one:.2}"),
    ]);
    Ok(())
}

/// Milliseconds that something takes on average.
pub async fn each(span: Duration, mut work: impl AsyncFnMut() -> Result<()>) -> Result<f64> {
    for _ in 0..5 {
        work().await?;
    }
    let began = Instant::now();
    let mut times = 0_u32;
    while began.elapsed() < span {
        work().await?;
        times += 1;
    }
    Ok(began.elapsed().as_secs_f64() * 1e3 / f64::from(times))
}

async fn groups(server: &Server, count: usize) -> Result<Vec<GroupId>> {
    let act = server.app.own_act("bench")?;
    let limit = i64::try_from(count)? + 10;
    let mut made = Vec::with_capacity(count);
    for chunk in (0..count).collect::<Vec<_>>().chunks(ROWS) {
        let write = server.app.db.write(async |tx| -> Result<Vec<GroupId>> {
            let mut made = Vec::with_capacity(chunk.len());
            for number in chunk {
                let name = format!("effective-{number}");
                let id = server.space.id;
                let group =
                    identity_center::directory::create_group(tx, &act, id, &name, "", limit)
                        .await?;
                made.push(group.id);
            }
            Ok(made)
        });
        made.extend(write.await?);
    }
    Ok(made)
}

/// Assigns without deploying: what is looked at are the rows.
async fn assign(
    server: &Server,
    groups: &[GroupId],
    configurations: &[ConfigurationId],
) -> Result<()> {
    let act = server.app.own_act("bench")?;
    let accounts = &server.accounts;
    let triples: Vec<_> = (0..ASSIGNMENTS)
        .map(|number| {
            let group = groups[number % groups.len()];
            let turn = number / groups.len();
            let account = accounts[(number * 7 + turn) % accounts.len()].uin;
            (group, account, configurations[turn % configurations.len()])
        })
        .collect();
    for chunk in triples.chunks(ROWS) {
        let mut query: Sql = sql("INSERT INTO assignments
            (id, space_id, principal_kind, principal_id, account_uin, configuration_id, state,
             created_at, updated_at) VALUES ");
        for (index, (group, account, configuration)) in chunk.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.push_bind(act.new_id::<identity_center::id::AssignmentId>());
            query.push(", ").push_bind(server.space.id).push(", 'group', ").push_bind(*group);
            query.push(", ").push_bind(*account).push(", ").push_bind(*configuration);
            query.push(", 'active', ").push_bind(act.now).push(", ").push_bind(act.now).push(")");
        }
        query.push(" ON CONFLICT DO NOTHING");
        server.app.db.write(async |tx| query.execute(tx).await).await?;
    }
    Ok(())
}
