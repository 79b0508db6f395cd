//! The figures: what is asked of the server, and what it is held against.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};

use crate::{
    READERS,
    limits::Limits,
    load::{self, Connection, Make, Outcome, Until, drive, request},
    machine::{Server, postgres_cpu},
    report::{Figure, Report, Target},
    seed::{World, patch_body, user_body},
};

/// Operations of one bulk request.
const OPERATIONS: i64 = 1000;

pub struct Figures<'a> {
    pub world: &'a World,
    pub server: &'a Server,
    pub report: &'a mut Report,
    pub limits: &'a Limits,
    pub span: Duration,
}

/// What is used by now, and is to be subtracted later.
struct Used {
    server: f64,
    postgres: f64,
}

impl Figures<'_> {
    /// Takes all that are wanted. One that fails is named in the report, and the others go on.
    pub fn all(&mut self, runtime: &tokio::runtime::Runtime) {
        let only = std::env::var("BENCH_ONLY").unwrap_or_default();
        let wanted = |name: &str| only.is_empty() || only.split(',').any(|part| part == name);
        for name in ["create", "bulk", "read", "change", "join", "group", "page"] {
            if !wanted(name) {
                continue;
            }
            let measured = match name {
                "create" => self.creates(),
                "bulk" => self.bulk(),
                "read" => self.reads(),
                "change" => self.changes(),
                "join" => self.joins(runtime),
                "group" => self.large_group(runtime),
                _ => self.pages(runtime),
            };
            if let Err(error) = measured {
                self.report.miss(format!("{name}: {error:#}"));
            }
        }
    }

    fn make(&self, build: impl Fn(&str, u64) -> Vec<u8> + Send + Sync + 'static) -> Make {
        let token = self.world.token.clone();
        Arc::new(move |number| build(&token, number))
    }

    fn used(&self) -> Result<Used> {
        self.server.forget_peak()?;
        Ok(Used { server: self.server.cpu()?, postgres: postgres_cpu() })
    }

    /// Adds a figure; the rest is taken from the machine.
    #[expect(clippy::too_many_arguments, reason = "one row of the table")]
    fn add(
        &mut self,
        name: &str,
        unit: &'static str,
        value: f64,
        limit: Option<f64>,
        target: Target,
        outcome: Option<&Outcome>,
        latency_target: Option<f64>,
        before: &Used,
    ) -> Result<()> {
        let cpu = [
            self.server.cpu()? - before.server,
            outcome.map_or(0.0, |outcome| outcome.cpu),
            postgres_cpu() - before.postgres,
        ];
        let memory = self.server.peak_memory()?.max(self.server.memory()?);
        let latency = outcome.map(|outcome| (outcome.percentile(0.5), outcome.percentile(0.99)));
        let name = name.to_owned();
        let figure =
            Figure { name, unit, value, limit, target, latency, latency_target, cpu, memory };
        self.report.add(figure);
        Ok(())
    }

    fn drive(&self, connections: usize, until: Until, status: u16, make: &Make) -> Result<Outcome> {
        drive(self.server.address, connections, until, status, make)
    }

    fn timed(&self, connections: usize, most: i64, status: u16, make: &Make) -> Result<Outcome> {
        let most = u64::try_from(most)?;
        self.drive(connections, Until::Time(self.span, most), status, make)
    }

    fn creates(&mut self) -> Result<()> {
        for (connections, letter, name, limit, part) in [
            (1, 'o', "create, 1 client", self.limits.create_single, 0.6),
            (64, 'm', "create, 64 clients", self.limits.create_batched, 0.2),
        ] {
            let make = self.make(move |token, number| {
                let body = user_body(&format!("{letter}{number:06}")).to_string();
                request("POST", "/Users", token, &body)
            });
            let before = self.used()?;
            let outcome = self.timed(connections, 999_999, 201, &make)?;
            let rate = outcome.per_second();
            let target = Target::Part(part);
            self.add(name, "/s", rate, Some(limit), target, Some(&outcome), None, &before)?;
        }
        Ok(())
    }

    fn bulk(&mut self) -> Result<()> {
        let make = self.make(|token, number| {
            let first = i64::try_from(number).unwrap_or(0) * OPERATIONS;
            let operations: Vec<Json> = (first..first + OPERATIONS)
                .map(|number| {
                    json!({
                        "method": "POST",
                        "path": "/Users",
                        "bulkId": format!("b{number}"),
                        "data": user_body(&format!("k{number:06}")),
                    })
                })
                .collect();
            let body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                "Operations": operations,
            });
            request("POST", "/Bulk", token, &body.to_string())
        });
        let before = self.used()?;
        let outcome = self.timed(1, 900, 200, &make)?;
        let operations = outcome.requests * u64::try_from(OPERATIONS)?;
        let rate = load::rate(operations, outcome.seconds);
        let limit = Some(self.limits.create_batched);
        let name = "bulk of 1,000 creates, operations";
        self.add(name, "/s", rate, limit, Target::Part(0.4), Some(&outcome), None, &before)
    }

    fn reads(&mut self) -> Result<()> {
        let users = self.world.size.users;
        let user = move |number: u64| {
            1 + i64::try_from(number).unwrap_or(0).wrapping_mul(7919).rem_euclid(users)
        };
        let names: Arc<Vec<String>> =
            Arc::new((0..=users).map(|number| self.world.user_name(number)).collect());
        let by_id = self.make(move |token, number| {
            let at = usize::try_from(user(number)).unwrap_or(0);
            request("GET", &format!("/Users/{}", names[at]), token, "")
        });
        let by_name = self.make(move |token, number| {
            let number = user(number);
            let path =
                format!("/Users?filter=userName%20eq%20%22bench.{number:07}%40example.com%22");
            request("GET", &path, token, "")
        });
        for (name, make, limit) in [
            ("read by id, 4 clients", by_id, self.limits.by_id),
            ("userName eq, 4 clients", by_name, self.limits.by_name),
        ] {
            let before = self.used()?;
            let outcome = self.timed(READERS, i64::MAX, 200, &make)?;
            let (rate, target) = (outcome.per_second(), Target::Part(0.25));
            self.add(name, "/s", rate, Some(limit), target, Some(&outcome), Some(2.0), &before)?;
        }
        Ok(())
    }

    fn changes(&mut self) -> Result<()> {
        let half = self.world.size.users / 2;
        for (connections, name, from, target) in [
            (1, "PATCH active, 1 client", 1, Target::Part(0.5)),
            (64, "PATCH active, 64 clients", half, Target::Shown),
        ] {
            let names: Arc<Vec<String>> =
                Arc::new((from..from + half).map(|at| self.world.user_name(at)).collect());
            let make = self.make(move |token, number| {
                let at = usize::try_from(number).unwrap_or(0);
                // Everybody once, then everybody the other way.
                let active = (at / names.len()) % 2 == 1;
                let body =
                    patch_body(&json!({ "op": "replace", "path": "active", "value": active }));
                let path = format!("/Users/{}", names[at % names.len()]);
                request("PATCH", &path, token, &body)
            });
            let before = self.used()?;
            let outcome = self.timed(connections, i64::MAX, 200, &make)?;
            let limit = Some(self.limits.change);
            self.add(
                name,
                "/s",
                outcome.per_second(),
                limit,
                target,
                Some(&outcome),
                None,
                &before,
            )?;
        }
        Ok(())
    }

    fn joins(&mut self, runtime: &tokio::runtime::Runtime) -> Result<()> {
        let large = format!("a group of {}", self.world.size.members);
        let small = "a group of 10".to_owned();
        let mut rates = Vec::new();
        for (group, of) in [(1, large), (2, small)] {
            let path =
                format!("/Groups/{}?excludedAttributes=members", self.world.group_name(group));
            let user = self.world.user_name(self.world.size.members + 5);
            let status = self.probe(runtime, &path, &user)?;
            let make = self.make(move |token, number| {
                let operation = if number % 2 == 0 {
                    json!({ "op": "add", "path": "members", "value": [{ "value": user }] })
                } else {
                    json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") })
                };
                request("PATCH", &path, token, &patch_body(&operation))
            });
            let before = self.used()?;
            let outcome = self.timed(1, i64::MAX, status, &make)?;
            let rate = outcome.per_second();
            rates.push(rate);
            let name = format!("add and remove one member, {of}");
            let limit = Some(self.limits.join);
            self.add(&name, "/s", rate, limit, Target::Part(0.3), Some(&outcome), None, &before)?;
        }
        let before = self.used()?;
        let name = "the same, large group held against small";
        let (large, small) = (rates[0], rates[1]);
        self.add(name, "/s", large, Some(small), Target::Part(0.8), None, None, &before)
    }

    /// With which status a change of members is answered; leaves everything as it was.
    fn probe(&self, runtime: &tokio::runtime::Runtime, path: &str, user: &str) -> Result<u16> {
        runtime.block_on(async {
            let mut connection = Connection::open(self.server.address).await?;
            let mut status = 0;
            for op in ["add", "remove"] {
                let body = patch_body(
                    &json!({ "op": op, "path": "members", "value": [{ "value": user }] }),
                );
                let request = request("PATCH", path, &self.world.token, &body);
                let answer = connection.call(&request).await?;
                let text = String::from_utf8_lossy(&answer.body);
                ensure!((200..300).contains(&answer.status), "{}: {text:.300}", answer.status);
                status = answer.status;
            }
            Ok(status)
        })
    }

    fn large_group(&mut self, runtime: &tokio::runtime::Runtime) -> Result<()> {
        let members: Vec<Json> = (1..=self.world.size.members)
            .map(|number| json!({ "value": self.world.user_name(number) }))
            .collect();
        let body = patch_body(&json!({ "op": "add", "path": "members", "value": members }));
        let path = format!("/Groups/{}", self.world.group_name(self.world.size.groups));
        let many = request("PATCH", &path, &self.world.token, &body);
        let clear = patch_body(&json!({ "op": "remove", "path": "members" }));
        let clear = request("PATCH", &path, &self.world.token, &clear);
        let before = self.used()?;
        let mut all = Vec::new();
        for _ in 0..3 {
            self.once(runtime, &clear)?;
            all.push(self.once(runtime, &many)?.0);
        }
        let name = format!("{} members in one PATCH", self.world.size.members);
        let limit = Some(self.limits.join_many);
        self.add(&name, "s", least(&all), limit, Target::Times(3.0), None, None, &before)?;
        let path = format!("/Groups/{}", self.world.group_name(1));
        let read = request("GET", &path, &self.world.token, "");
        let before = self.used()?;
        let mut all = Vec::new();
        for _ in 0..3 {
            let (seconds, body) = self.once(runtime, &read)?;
            let group: Json = serde_json::from_slice(&body)?;
            let found = group["members"].as_array().map_or(0, Vec::len);
            let wanted = usize::try_from(self.world.size.members)?;
            ensure!(found >= wanted, "the group has {found} members");
            all.push(seconds);
        }
        let name = format!("read a group of {}", self.world.size.members);
        let limit = Some(self.limits.read_group);
        self.add(&name, "s", least(&all), limit, Target::Shown, None, None, &before)
    }

    /// One request; how long it took, and what came back.
    fn once(&self, runtime: &tokio::runtime::Runtime, request: &[u8]) -> Result<(f64, Vec<u8>)> {
        runtime.block_on(async {
            let mut connection = Connection::open(self.server.address).await?;
            let began = Instant::now();
            let answer = connection.call(request).await?;
            let seconds = began.elapsed().as_secs_f64();
            let text = String::from_utf8_lossy(&answer.body);
            ensure!((200..300).contains(&answer.status), "{}: {text:.300}", answer.status);
            Ok((seconds, answer.body))
        })
    }

    fn pages(&mut self, runtime: &tokio::runtime::Runtime) -> Result<()> {
        let start = self.world.size.users * 9 / 10;
        let make = self.make(move |token, number| {
            // No two are the same, and none follows another.
            let start = start - i64::try_from(number).unwrap_or(0) * 137;
            request("GET", &format!("/Users?startIndex={start}&count=100"), token, "")
        });
        let before = self.used()?;
        let outcome = self.drive(1, Until::Requests(50), 200, &make)?;
        let name = format!("page of 100 at startIndex {start}");
        let (value, limit) = (outcome.percentile(0.5), Some(self.limits.page_offset));
        let target = Target::AtMost(50.0);
        self.add(&name, "ms", value, limit, target, Some(&outcome), None, &before)?;
        let before = self.used()?;
        let all = runtime.block_on(async {
            let mut connection = Connection::open(self.server.address).await?;
            let (mut all, mut cursor) = (Vec::new(), String::new());
            for _ in 0..200 {
                let path = format!("/Users?cursor={cursor}&count=100");
                let page = request("GET", &path, &self.world.token, "");
                let began = Instant::now();
                let answer = connection.call(&page).await?;
                all.push(began.elapsed().as_secs_f64() * 1000.0);
                ensure!(answer.status == 200, "{}", answer.status);
                let page: Json = serde_json::from_slice(&answer.body)?;
                page["nextCursor"].as_str().context("no nextCursor")?.clone_into(&mut cursor);
            }
            anyhow::Ok(all)
        });
        let mut all = all?;
        all.sort_by(f64::total_cmp);
        let value = all[all.len() / 2];
        let limit = Some(self.limits.page_key);
        let target = Target::AtMost(2.0);
        self.add("page of 100 by cursor", "ms", value, limit, target, None, None, &before)
    }
}

fn least(all: &[f64]) -> f64 {
    all.iter().copied().fold(f64::MAX, f64::min)
}
