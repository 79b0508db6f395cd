//! The courier: takes endpoints and delivers what waits in front of them.

use std::{collections::HashMap, time::Duration};

use http::{StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use tokio::task::{Id as JoinId, JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    Client, Error,
    client::Answer,
    journal::Letter,
    line::{self, Next, Outcome, Timing},
    token,
};
use crate::{
    audit::{Act, Actor},
    clock::Clock,
    id::{EndpointId, Ids},
    secret::{self, Sealer},
    store::{Db, Timestamp},
};

/// How often a courier looks for events, before jitter.
const POLL: Duration = Duration::from_millis(400);
/// How long it looks away while the database fails.
const TROUBLE: Duration = Duration::from_secs(5);
/// How many endpoints it serves at a time.
const PARALLEL: usize = 64;
/// How many events one endpoint gets before others have their turn.
const TURN: usize = 200;
/// How long deliveries under way may take once it is told to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long deliveries that fail are tried again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Seconds until an event is given up.
    pub seconds: i64,
}

/// Delivers events until it is told to stop. Cheap to clone; clones are one courier.
#[derive(Clone)]
pub struct Courier {
    db: Db,
    clock: Clock,
    ids: Ids,
    sealer: Sealer,
    client: Client,
    issuer: String,
    patience: Patience,
    name: String,
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Courier({})", self.name)
    }
}

impl Courier {
    /// A courier with a name of its own. `issuer` is our public address.
    pub fn new(
        (db, clock, ids): (Db, Clock, Ids),
        sealer: Sealer,
        client: Client,
        issuer: String,
        patience: Patience,
    ) -> Result<Self, secret::Error> {
        let name = format!("courier-{}", secret::random_readable::<12>()?);
        Ok(Self { db, clock, ids, sealer, client, issuer, patience, name })
    }

    /// Delivers until `stop`; then lets what is under way end for a moment.
    pub async fn run_until(&self, stop: CancellationToken) {
        let mut running = JoinSet::new();
        let mut busy: HashMap<JoinId, EndpointId> = HashMap::new();
        while !stop.is_cancelled() {
            let pause = match self.take(&busy).await {
                Ok(taken) => {
                    for endpoint in taken {
                        let (courier, stop) = (self.clone(), stop.clone());
                        let serving = running.spawn(async move {
                            courier.serve(endpoint, &stop).await;
                        });
                        busy.insert(serving.id(), endpoint);
                    }
                    POLL
                }
                Err(error) => {
                    tracing::error!(?error, "events cannot be looked for");
                    TROUBLE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = running.join_next_with_id(), if !running.is_empty() => {
                    settle(&mut busy, ended);
                }
                () = tokio::time::sleep(jittered(pause)) => {}
            }
        }
        let finish = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, finish).await.is_err() {
            // Their leases end, and another courier goes on.
            running.shutdown().await;
        }
    }

    /// Delivers all that can be delivered now and returns; for tests and commands. Says how many
    /// endpoints it served.
    pub async fn run_all_due(&self) -> Result<usize, Error> {
        let mut served = 0;
        loop {
            let taken = self.take(&HashMap::new()).await?;
            if taken.is_empty() {
                return Ok(served);
            }
            for endpoint in taken {
                served += 1;
                self.serve(endpoint, &CancellationToken::new()).await;
            }
        }
    }

    /// Takes what is due; a write only where there is something to take.
    async fn take(&self, busy: &HashMap<JoinId, EndpointId>) -> Result<Vec<EndpointId>, Error> {
        let now = self.clock.now();
        let free = PARALLEL.saturating_sub(busy.len());
        if free == 0 {
            return Ok(Vec::new());
        }
        let busy: Vec<EndpointId> = busy.values().copied().collect();
        if !self.db.read(async |tx| line::any_due(tx, now, &busy).await).await? {
            return Ok(Vec::new());
        }
        let most = i64::try_from(free).unwrap_or(1);
        let claim = async |tx: &mut _| line::claim(tx, &self.name, now, &busy, most).await;
        Ok(self.db.write(claim).await?)
    }

    /// Delivers what waits at one endpoint, as far as it goes, and gives the endpoint back.
    async fn serve(&self, endpoint: EndpointId, stop: &CancellationToken) {
        match self.deliver(endpoint, stop).await {
            Ok(false) => {}
            Ok(true) => {
                let released =
                    self.db.write(async |tx| line::release(tx, &self.name, endpoint).await).await;
                if let Err(error) = released {
                    // Its lease ends.
                    tracing::warn!(?error, %endpoint, "an endpoint cannot be given back");
                }
            }
            // The lease ends, and that is the pause: it would fail again at once.
            Err(error) => tracing::error!(?error, %endpoint, "events cannot be delivered"),
        }
    }

    /// The same; tells whether the endpoint is still ours.
    async fn deliver(&self, endpoint: EndpointId, stop: &CancellationToken) -> Result<bool, Error> {
        let mut connection = None;
        for _ in 0..TURN {
            if stop.is_cancelled() {
                break;
            }
            let first = self
                .db
                .read(async |tx| line::first(tx, &self.sealer, &self.name, endpoint).await)
                .await?;
            let Some((letter, secret)) = first else { break };
            let outcome =
                match (Url::parse(&letter.url), token::sign(&letter, &self.issuer, &secret)) {
                    (Ok(url), Ok(token)) => {
                        match self.client.push(&mut connection, &url, &token).await {
                            Ok(answer) => judge(&answer, self.clock.now()),
                            Err(error) => failed(None, error.to_string()),
                        }
                    }
                    (Err(_), _) => failed(None, "the URL cannot be called".to_owned()),
                    (_, Err(error)) => failed(None, error.to_string()),
                };
            match self.write(&letter, &outcome).await? {
                Next::GoOn => {}
                Next::Pause { first } => {
                    if first && let Outcome::Failed { reason, .. } = &outcome {
                        tracing::warn!(%endpoint, reason, "an endpoint for events fails");
                    }
                    break;
                }
                Next::NotOurs => return Ok(false),
            }
        }
        Ok(true)
    }

    async fn write(&self, letter: &Letter, outcome: &Outcome) -> Result<Next, Error> {
        let now = self.clock.now();
        let request = letter.event.to_string();
        let act = Act::new(Actor::system("courier"), request, None, now, self.ids.clone());
        let timing = Timing { patience: self.patience.seconds, jitter: chance() };
        self.db
            .write(async |tx| line::settle(tx, &act, &self.name, letter, outcome, timing).await)
            .await
    }
}

fn settle(
    busy: &mut HashMap<JoinId, EndpointId>,
    ended: Result<(JoinId, ()), tokio::task::JoinError>,
) {
    match ended {
        Ok((id, ())) => {
            busy.remove(&id);
        }
        Err(error) => {
            let endpoint = busy.remove(&error.id());
            tracing::error!(%error, ?endpoint, "a delivery broke off");
        }
    }
}

fn failed(status: Option<i64>, reason: String) -> Outcome {
    Outcome::Failed { status, reason, wait: None }
}

/// What an answer means (RFC 8935 §2.2 to §2.4).
fn judge(answer: &Answer, now: Timestamp) -> Outcome {
    let status = i64::from(answer.status.as_u16());
    if answer.status.is_success() {
        return Outcome::Delivered { status };
    }
    if answer.status == StatusCode::GONE {
        return Outcome::Gone;
    }
    if answer.status.is_redirection() {
        let reason = "the receiver redirects, and redirects are not followed";
        return failed(Some(status), reason.to_owned());
    }
    let reason = match error_code(&answer.body) {
        Some(code) => format!("the receiver answers {status}: {code}"),
        None => format!("the receiver answers {status}"),
    };
    // These are about us or about the moment and not about the event.
    let passing = matches!(status, 401 | 403 | 404 | 405 | 407 | 408 | 421 | 423 | 425 | 429);
    if answer.status.is_client_error() && !passing {
        return Outcome::Refused { status, reason };
    }
    Outcome::Failed { status: Some(status), reason, wait: retry_after(answer, now) }
}

/// The `err` of RFC 8935 §2.3. Nothing else of an answer is kept: it may be anybody's.
fn error_code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        err: String,
    }
    let code = serde_json::from_slice::<Body>(body).ok()?.err;
    let sound = (1..=40).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    sound.then_some(code)
}

/// `Retry-After` in seconds: a number of them, or a date (RFC 9110 §10.2.3).
fn retry_after(answer: &Answer, now: Timestamp) -> Option<i64> {
    let text = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(i64::from(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Timestamp::from(date).seconds_since(now).max(0))
}

/// A number by chance; 0 where there is none.
fn chance() -> u16 {
    secret::random::<2>().map_or(0, u16::from_be_bytes)
}

/// A span and, by chance, up to half as much again.
fn jittered(span: Duration) -> Duration {
    span + span / 2 * u32::from(chance()) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &'static str, retry_after: Option<&'static str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(RETRY_AFTER, text.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers, body: body.as_bytes().into() }
    }

    #[test]
    fn what_answers_mean() {
        let now = "2026-11-22T08:00:00Z".parse().unwrap();
        let judge = |answer: Answer| judge(&answer, now);
        assert_eq!(judge(answer(202, "", None)), Outcome::Delivered { status: 202 });
        assert_eq!(judge(answer(410, "", None)), Outcome::Gone);
        assert!(matches!(judge(answer(302, "", None)), Outcome::Failed { .. }));
        let refusal = judge(answer(400, r#"{"err":"invalid_request","description":"x"}"#, None));
        let Outcome::Refused { status: 400, reason } = refusal else { panic!("{refusal:?}") };
        assert!(reason.ends_with("invalid_request"), "{reason}");
        for strange in [r#"{"err":"<b>"}"#, "secret text", r#"{"err":""}"#] {
            let refusal = judge(answer(400, strange, None));
            let Outcome::Refused { reason, .. } = refusal else { panic!("{refusal:?}") };
            assert_eq!(reason, "the receiver answers 400");
        }
        for (header, seconds) in [
            (None, None),
            (Some("120"), Some(120)),
            (Some("Sun, 22 Nov 2026 08:01:00 GMT"), Some(60)),
            (Some("Sun, 22 Nov 2026 07:00:00 GMT"), Some(0)),
            (Some("soon"), None),
            (Some("-5"), None),
        ] {
            let outcome = judge(answer(503, "", header));
            assert!(
                matches!(outcome, Outcome::Failed { status: Some(503), wait, .. } if wait == seconds),
                "{header:?}: {outcome:?}"
            );
        }
    }
}
