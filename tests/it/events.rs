//! Events, as those who follow a directory get them: real receivers on ports of their own.

mod content;
mod danger;
mod delivery;
mod later;
mod pages;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use identity_center::{
    app::App,
    event::{self, Access, Courier, Endpoint, Guard, Kind, Wish},
    id::EndpointId,
    secret::hmac_sha256,
    store::Timestamp,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use pages::sign_in;

use crate::world::World;

/// How a receiver answers.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    With(u16, &'static str, String),
    /// Takes its time and then answers 202.
    Slow(Duration),
}

/// What a receiver got.
#[derive(Clone, Debug)]
pub struct Push {
    pub headers: HeaderMap,
    pub token: String,
    pub began: Instant,
    pub ended: Instant,
}

impl Push {
    pub fn part(&self, index: usize) -> Value {
        let part = self.token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    pub fn claims(&self) -> Value {
        self.part(1)
    }

    /// Whether this secret signed it.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let (signed, signature) = self.token.rsplit_once('.').unwrap();
        let wanted = hmac_sha256(secret.as_bytes(), signed.as_bytes()).unwrap();
        URL_SAFE_NO_PAD.decode(signature).unwrap() == wanted
    }

    pub fn jti(&self) -> String {
        self.claims()["jti"].as_str().unwrap().to_owned()
    }

    /// The event and what it says.
    pub fn event(&self) -> (String, Value) {
        let events = self.claims()["events"].as_object().unwrap().clone();
        assert_eq!(events.len(), 1);
        events.into_iter().next().unwrap()
    }

    /// The last part of the event's URI, without `notice` and `full`.
    pub fn name(&self) -> String {
        let uri = self.event().0;
        let uri = uri.trim_end_matches(":notice").trim_end_matches(":full");
        uri.rsplit([':', '/']).next().unwrap().to_owned()
    }
}

#[derive(Default)]
struct Inbox {
    pushes: Mutex<Vec<Push>>,
    replies: Mutex<Vec<Reply>>,
    always: Mutex<Option<Reply>>,
}

/// Somebody who follows a directory.
pub struct Receiver {
    pub address: SocketAddr,
    inbox: Arc<Inbox>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    pub async fn new() -> Self {
        let inbox = Arc::new(Inbox::default());
        let router = Router::new().fallback(receive).with_state(Arc::clone(&inbox));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, inbox, server }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?for=us", self.address)
    }

    /// Answers the next pushes like this, one after the other.
    pub fn then(&self, replies: &[Reply]) {
        self.inbox.replies.lock().unwrap().extend(replies.iter().cloned());
    }

    /// Answers all other pushes like this.
    pub fn always(&self, reply: Reply) {
        *self.inbox.always.lock().unwrap() = Some(reply);
    }

    pub fn pushes(&self) -> Vec<Push> {
        self.inbox.pushes.lock().unwrap().clone()
    }

    pub fn names(&self) -> Vec<String> {
        self.pushes().iter().map(Push::name).collect()
    }

    /// The first `count` pushes, as soon as they are there.
    pub async fn wait_for(&self, count: usize) -> Vec<Push> {
        let began = Instant::now();
        while self.pushes().len() < count {
            let got = self.names();
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "{count} events do not come: {got:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.pushes()
    }
}

async fn receive(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let began = Instant::now();
    let next = {
        let mut replies = inbox.replies.lock().unwrap();
        if replies.is_empty() { None } else { Some(replies.remove(0)) }
    };
    let reply = next.or_else(|| inbox.always.lock().unwrap().clone());
    if let Some(Reply::Slow(span)) = reply {
        tokio::time::sleep(span).await;
    }
    let token = String::from_utf8(body.to_vec()).unwrap();
    inbox.pushes.lock().unwrap().push(Push { headers, token, began, ended: Instant::now() });
    let status = |code: u16| StatusCode::from_u16(code).unwrap();
    match reply {
        None | Some(Reply::Slow(_)) => StatusCode::ACCEPTED.into_response(),
        Some(Reply::Status(code)) => status(code).into_response(),
        Some(Reply::With(code, name, value)) => (status(code), [(name, value)]).into_response(),
    }
}

/// The networks of a test.
pub fn loopback() -> Guard {
    Guard::new(vec!["127.0.0.0/8".parse().unwrap()])
}

/// A courier that may reach the receivers of a test.
pub fn courier(app: &App) -> Courier {
    courier_with(app, loopback())
}

pub fn courier_with(app: &App, guard: Guard) -> Courier {
    let client = event::Client::new(guard, None).unwrap();
    let house = (app.db.clone(), app.clock.clone(), app.ids.clone());
    let patience = event::Patience { seconds: 86_400 };
    let issuer = app.settings.url("");
    Courier::new(house, app.sealer.clone(), client, issuer, patience).unwrap()
}

pub fn wish(url: &str, full_content: bool) -> Wish {
    Wish { url: url.to_owned(), kinds: Kind::CHOICE.to_vec(), full_content }
}

impl World {
    /// An endpoint and its secret.
    pub async fn listen(&self, wish: &Wish) -> (Endpoint, String) {
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        let access = Access { guard: &guard, sealer: &self.app.sealer };
        let (endpoint, secret) = self
            .write(async |tx, act| event::create(tx, act, access, self.space.id, wish).await)
            .await;
        (endpoint, secret.expose_secret().to_owned())
    }

    pub async fn endpoint(&self, id: EndpointId) -> Endpoint {
        self.read(async |tx| event::endpoint(tx, self.space.id, id).await).await
    }

    /// The states of the deliveries to an endpoint, latest first: how far, and how often tried.
    pub async fn deliveries(&self, id: EndpointId) -> Vec<event::Delivery> {
        let page = identity_center::store::PageRequest::first(100);
        self.read(async |tx| event::deliveries(tx, id, None, page).await).await.rows
    }

    pub async fn replay(&self, id: EndpointId, since: Timestamp) -> u64 {
        self.write(async |tx, act| event::replay(tx, act, self.space.id, id, since).await).await
    }

    pub async fn deliver(&self) {
        courier(&self.app).run_all_due().await.unwrap();
    }
}

/// What an event names.
pub fn attributes(push: &Push) -> Value {
    push.event().1.get("attributes").cloned().unwrap_or(json!(null))
}
