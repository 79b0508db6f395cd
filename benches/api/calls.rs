//! Signed calls: how many a second, and what their time goes to.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use identity_center::{
    cloud, directory, organization, space,
    tc3::{self, Authorization},
};
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    Report,
    effective::each,
    server::{Server, Signed},
};

pub async fn measure(
    report: &mut Report,
    database: &str,
    server: &Server,
    span: Duration,
) -> Result<()> {
    let user = server.user("called").await?;
    let body = json!({ "ZoneId": server.space.id, "UserId": user }).to_string();
    let request = Arc::new(server.signed("organization", "2021-03-31", "GetUser", &body)?);
    let alone = calls(&request, 1, span).await?;
    let many = calls(&request, 16, span).await?;
    let signature = signature(server, &request, span)?;
    let parsing = parsing(&request, span)?;
    let lookups = each(span, async || lookups(server, user).await).await?;
    let columns =
        "clients | calls /s | ms each | signature, ms | parsing, ms | database, ms | rest, ms";
    report.heading(&format!("Signed calls (GetUser), {database}"), columns);
    for (clients, rate) in [(1, alone), (16, many)] {
        let took = f64::from(clients) * 1e3 / rate;
        // What the parts take was measured one after the other, so they are shares of one call.
        let parts = if clients == 1 {
            let rest = took - signature - parsing - lookups;
            [signature, parsing, lookups, rest]
                .map(|part| format!("{part:.3} ({:.0} %)", 100.0 * part / took))
        } else {
            [const { String::new() }; 4]
        };
        let mut cells = vec![clients.to_string(), format!("{rate:.0}"), format!("{took:.2}")];
        cells.extend(parts);
        report.row(&cells);
    }
    report.line(
        "One client waits for each answer, so its rest has the way there and back and the client's \
         own work in it.",
    );
    Ok(())
}

async fn calls(request: &Arc<Signed>, clients: u32, span: Duration) -> Result<f64> {
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let (client, request) = (Client::new(), Arc::clone(request));
        // Statements are made ready and caches filled before the time that counts.
        for _ in 0..10 {
            request.send(&client).await?;
        }
        tasks.push((client, request));
    }
    let began = Instant::now();
    let running: Vec<_> = tasks
        .into_iter()
        .map(|(client, request)| {
            tokio::spawn(async move {
                let mut done = 0_u32;
                while began.elapsed() < span {
                    request.send(&client).await?;
                    done += 1;
                }
                anyhow::Ok(done)
            })
        })
        .collect();
    let mut done = 0;
    for task in running {
        done += task.await??;
    }
    Ok(f64::from(done) / began.elapsed().as_secs_f64())
}

/// Milliseconds that something takes on one thread.
fn alone(span: Duration, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let began = Instant::now();
    let mut times = 0_u32;
    while began.elapsed() < span {
        work()?;
        times += 1;
    }
    Ok(began.elapsed().as_secs_f64() * 1e3 / f64::from(times))
}

/// What the signature takes: its header read, its key derived, both compared.
fn signature(server: &Server, request: &Signed, span: Duration) -> Result<f64> {
    let headers: [(&str, &[u8]); 2] =
        [("content-type", b"application/json"), ("host", request.host.as_bytes())];
    let parts =
        tc3::Parts { method: "POST", query: "", headers: &headers, body: request.body.as_bytes() };
    alone(span, || {
        let Authorization::Signed(signed) = Authorization::parse(&request.authorization)? else {
            bail!("not signed");
        };
        signed.check_time(request.timestamp, request.timestamp)?;
        Ok(signed.verify(&parts, request.timestamp, &server.secret_key)?)
    })
}

/// What reading the body and writing an answer like it take.
fn parsing(request: &Signed, span: Duration) -> Result<f64> {
    alone(span, || {
        let body: Value = serde_json::from_slice(request.body.as_bytes())?;
        black_box(tc3::envelope::success(&body, "-")?);
        Ok(())
    })
}

/// The looks of the call into the database: who signs, what they may, and what they ask for.
async fn lookups(server: &Server, user: identity_center::id::UserId) -> Result<()> {
    let app = &server.app;
    let now = app.clock.now();
    let signer = app.db.read(async |tx| -> Result<_> {
        let signer = cloud::signer(tx, &app.sealer, &server.secret_id, None, now).await?;
        organization::of_account(tx, server.management.uin).await?;
        Ok(signer)
    });
    let Some(signer) = signer.await? else { bail!("no signer") };
    app.db.read(async |tx| cloud::Authority::of(tx, &signer.principal, now).await).await?;
    let asked = app.db.read(async |tx| -> Result<_> {
        space::of_organization(tx, server.management.organization_id).await?;
        Ok(directory::user(tx, server.space.id, user).await?)
    });
    black_box(asked.await?);
    Ok(())
}
