//! The raw limits: the same rows, the same durability, without a server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use identity_center::store::{Kind, Value};

use crate::{
    load::{percentile, rate},
    raw::{Fresh, Raw, TAG, Template, Text},
    seed::World,
};

/// Rows that one batch makes.
const BATCH: usize = 100;

/// What the database itself reaches.
pub struct Limits {
    /// Users a second, one durable commit each.
    pub create_single: f64,
    /// Users a second, a hundred per durable commit.
    pub create_batched: f64,
    /// Look-ups a second, on as many connections as the server is asked on.
    pub by_id: f64,
    pub by_name: f64,
    /// Changes of a user a second, one durable commit each.
    pub change: f64,
    /// Changes of a membership of the largest group a second, one durable commit each.
    pub join: f64,
    /// Seconds for as many new members as the largest group has, in one durable commit.
    pub join_many: f64,
    /// Seconds to read the members of the largest group.
    pub read_group: f64,
    /// Milliseconds for a page of a hundred at nine tenths of the list, and behind a key.
    pub page_offset: f64,
    pub page_key: f64,
}

impl Limits {
    pub async fn measure(world: &World, span: Duration, readers: usize) -> Result<Self> {
        let mut raw = Raw::open(&world.url).await?;
        let fresh = Fresh::new()?;
        let create_single = create(&mut raw, world, &fresh, 1, span).await?;
        let create_batched = create(&mut raw, world, &fresh, BATCH, span).await?;
        let change = change(&mut raw, world, &fresh, span).await?;
        let join = join(&mut raw, world, &fresh, span).await?;
        let join_many = join_many(&mut raw, world, &fresh).await?;
        raw.settle().await?;
        let int = |number| Value::Int(Some(number));
        let members = Text::from(
            "SELECT user_id, joined_at FROM group_members WHERE group_id = $1 ORDER BY user_id",
        );
        let read_group = repeat(&mut raw, 3, &members, || vec![int(world.group + 1)]).await?;
        let page = Text::from(
            "SELECT u.id, u.version, u.document, u.created_at, u.updated_at
             FROM (SELECT id FROM users WHERE space_id = (SELECT MIN(id) FROM spaces)
                   AND source = 'scim' AND deleted_at IS NULL ORDER BY id LIMIT 100 OFFSET $1) p
             JOIN users u ON u.id = p.id ORDER BY u.id",
        );
        let offset = world.size.users * 9 / 10;
        let page_offset = 1000.0 * repeat(&mut raw, 10, &page, || vec![int(offset)]).await?;
        let page = Text::from(
            "SELECT id, version, document, created_at, updated_at FROM users
             WHERE space_id = (SELECT MIN(id) FROM spaces) AND source = 'scim'
             AND deleted_at IS NULL AND id > $1 ORDER BY id LIMIT 100",
        );
        let key = world.user + offset;
        let page_key = 1000.0 * repeat(&mut raw, 50, &page, || vec![int(key)]).await?;
        raw.close().await?;
        let by_id = look_up(
            world,
            readers,
            span,
            "SELECT id, version, document, created_at, updated_at FROM users
             WHERE space_id = $1 AND id = $2 AND deleted_at IS NULL",
            |world, number| Value::Int(Some(world.user + number)),
        )
        .await?;
        let by_name = look_up(
            world,
            readers,
            span,
            "SELECT id, version, document, created_at, updated_at FROM users
             WHERE space_id = $1 AND user_name_key = $2 AND deleted_at IS NULL",
            |_, number| Value::Text(Some(format!("bench.{number:07}@example.com"))),
        )
        .await?;
        Ok(Self {
            create_single,
            create_batched,
            by_id,
            by_name,
            change,
            join,
            join_many,
            read_group,
            page_offset,
            page_key,
        })
    }
}

/// Makes users, so many per commit; says how many a second.
async fn create(
    raw: &mut Raw,
    world: &World,
    fresh: &Fresh,
    together: usize,
    span: Duration,
) -> Result<f64> {
    let mut statements = Vec::new();
    let mut before = 0;
    for template in &world.create {
        statements.push(template.insert(together, before));
        let mut width = Vec::new();
        template.row(0, 0, "", &mut width);
        before += width.len() * together;
    }
    let text = raw.transaction(&statements);
    let letter = if together == 1 { 's' } else { 'b' };
    let (began, mut made) = (Instant::now(), 0_usize);
    while began.elapsed() < span {
        let ids: Vec<i64> = (0..together).map(|_| fresh.id()).collect();
        let mut values = Vec::new();
        for template in &world.create {
            for (at, user) in ids.iter().enumerate() {
                let tag = format!("{letter}{:06}", made + at);
                let id = if template.table == "users" { *user } else { fresh.id() };
                template.row(id, *user, &tag, &mut values);
            }
        }
        raw.execute(&text, values).await?;
        made += together;
    }
    Ok(rate(u64::try_from(made)?, began.elapsed().as_secs_f64()))
}

/// An `UPDATE` that one change needs, and what the logs get with it.
fn with_traces(raw: &Raw, first: Vec<String>, used: usize, traces: &[Template]) -> Text {
    let mut statements = first;
    let mut before = used;
    for template in traces {
        statements.push(template.insert(1, before));
        let mut width = Vec::new();
        template.row(0, 0, "", &mut width);
        before += width.len();
    }
    raw.transaction(&statements)
}

fn trace(traces: &[Template], fresh: &Fresh, subject: i64, values: &mut Vec<Value>) {
    for template in traces {
        template.row(fresh.id(), subject, TAG, values);
    }
}

async fn change(raw: &mut Raw, world: &World, fresh: &Fresh, span: Duration) -> Result<f64> {
    let first =
        "UPDATE users SET active = $1, document = $2, version = version + 1, updated_at = $3
                 WHERE id = $4";
    let text = with_traces(raw, vec![first.to_owned()], 4, &world.change);
    let document = world.create.first().and_then(|user| user.text("document")).unwrap_or_default();
    let (began, mut done) = (Instant::now(), 0_i64);
    while began.elapsed() < span {
        let number = 1 + done * 7919 % world.size.users;
        let active = match world.kind {
            Kind::Sqlite => Value::Int(Some(1)),
            Kind::Postgres => Value::Bool(Some(true)),
        };
        let document = document.replace(TAG, &format!("{number:07}"));
        let user = world.user + number;
        let mut values = vec![
            active,
            Value::Text(Some(document)),
            fresh.now(world.kind),
            Value::Int(Some(user)),
        ];
        trace(&world.change, fresh, user, &mut values);
        raw.execute(&text, values).await?;
        done += 1;
    }
    Ok(rate(u64::try_from(done)?, began.elapsed().as_secs_f64()))
}

/// Adds somebody to the largest group and takes them out again.
async fn join(raw: &mut Raw, world: &World, fresh: &Fresh, span: Duration) -> Result<f64> {
    let update = "UPDATE groups SET version = version + 1, updated_at = $3 WHERE id = $1";
    let text =
        |change: &str| with_traces(raw, vec![change.to_owned(), update.to_owned()], 3, &world.join);
    let texts = [
        text("INSERT INTO group_members (group_id, user_id, joined_at) VALUES ($1, $2, $3)"),
        text("DELETE FROM group_members WHERE group_id = $1 AND user_id = $2"),
    ];
    let group = world.group + 1;
    let user = Value::Int(Some(world.user + world.size.members + 1));
    let (began, mut done) = (Instant::now(), 0);
    while began.elapsed() < span || done % 2 != 0 {
        let mut values = vec![Value::Int(Some(group)), user.clone(), fresh.now(world.kind)];
        trace(&world.join, fresh, group, &mut values);
        raw.execute(&texts[done % 2], values).await?;
        done += 1;
    }
    Ok(rate(u64::try_from(done)?, began.elapsed().as_secs_f64()))
}

/// Adds very many members to a group; takes them out again outside the measurement.
async fn join_many(raw: &mut Raw, world: &World, fresh: &Fresh) -> Result<f64> {
    let group = world.group + world.size.groups;
    let source = match world.kind {
        Kind::Sqlite => "json_each($2) v",
        Kind::Postgres => "(SELECT value::bigint FROM json_array_elements_text($2::json)) v",
    };
    let insert = format!(
        "INSERT INTO group_members (group_id, user_id, joined_at)
         SELECT $1, v.value, $3 FROM {source}"
    );
    let update = "UPDATE groups SET version = version + 1, updated_at = $3 WHERE id = $1";
    let text = with_traces(raw, vec![insert, update.to_owned()], 3, &world.join);
    let remove = Text::from("DELETE FROM group_members WHERE group_id = $1");
    let mut best = f64::MAX;
    for _ in 0..3 {
        raw.execute(&remove, vec![Value::Int(Some(group))]).await?;
        let users: Vec<String> =
            (1..=world.size.members).map(|number| (world.user + number).to_string()).collect();
        let mut values = vec![
            Value::Int(Some(group)),
            Value::Text(Some(format!("[{}]", users.join(",")))),
            fresh.now(world.kind),
        ];
        trace(&world.join, fresh, group, &mut values);
        let began = Instant::now();
        raw.execute(&text, values).await?;
        best = best.min(began.elapsed().as_secs_f64());
    }
    raw.execute(&remove, vec![Value::Int(Some(group))]).await?;
    Ok(best)
}

/// The median of several runs, in seconds.
async fn repeat(
    raw: &mut Raw,
    times: usize,
    text: &Text,
    values: impl Fn() -> Vec<Value>,
) -> Result<f64> {
    let mut all = Vec::new();
    for _ in 0..times {
        let began = Instant::now();
        ensure!(raw.count_rows(text, values()).await? > 0, "nothing was found");
        all.push(began.elapsed().as_secs_f64());
    }
    all.sort_by(f64::total_cmp);
    Ok(percentile(&all, 0.5) / 1000.0)
}

/// Looks users up on several connections at once; says how many a second.
async fn look_up(
    world: &World,
    readers: usize,
    span: Duration,
    text: &str,
    key: fn(&World, i64) -> Value,
) -> Result<f64> {
    let done = Arc::new(AtomicI64::new(0));
    let mut raw = Vec::new();
    for _ in 0..readers {
        raw.push(Raw::open(&world.url).await?);
    }
    let space = raw[0].number("SELECT MIN(id) FROM spaces", Vec::new()).await?;
    let text = Text::from(text);
    let began = Instant::now();
    let readers = raw.into_iter().map(|mut raw| {
        let (done, text) = (&done, &text);
        async move {
            while began.elapsed() < span {
                let number = 1 + done.fetch_add(1, Ordering::Relaxed) * 7919 % world.size.users;
                let values = vec![Value::Int(Some(space)), key(world, number)];
                ensure!(raw.count_rows(text, values).await? == 1, "user {number} is not there");
            }
            raw.close().await
        }
    });
    futures_util::future::try_join_all(readers).await?;
    Ok(rate(u64::try_from(done.load(Ordering::Relaxed))?, began.elapsed().as_secs_f64()))
}
