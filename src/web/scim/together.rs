//! Users that several requests make at the same time are made together.
//!
//! A directory that fills up sends many requests at once. While one of a space is under way the
//! others wait for it, and then all that wait are one transaction and a few statements. Who comes
//! alone waits for nobody.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::{
    answer::Refusal,
    perform::{self, Operation},
    resources::{base, change, view},
    trace::Effect,
};
use crate::{
    app::App,
    directory::scim::{self as directory, NewUser, Push, ResourceKind, Written},
    id::SpaceId,
    recorder,
    scim::{Error, ErrorKind, list::Query},
    store::{Write, portion},
    web::ScimClient,
};

const KIND: ResourceKind = ResourceKind::User;
/// Requests that are answered by one transaction, at most.
const MOST: usize = 32;

/// A request to make a user.
#[derive(Debug)]
pub struct Wish {
    pub client: ScimClient,
    pub query: Query,
    pub body: Map<String, Value>,
}

/// A request that waits, and who is to be told.
type Waiting = (Wish, oneshot::Sender<Result<Written, Refusal>>);

/// Who waits, by space: a space is in here while users of it are being made. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Together(Arc<Mutex<HashMap<SpaceId, Vec<Waiting>>>>);

/// The turn to make users of a space. Whoever gives it back sees to those who wait.
struct Turn {
    together: Together,
    app: App,
    space: SpaceId,
}

impl Together {
    /// Makes a user.
    pub async fn make(&self, app: &App, wish: Wish) -> Result<Written, Refusal> {
        if wish.client.opened.types.has_registered() {
            // Their values are looked up one by one.
            return alone(app, wish).await;
        }
        let space = wish.client.space().id;
        let (told, answer) = oneshot::channel();
        let first = {
            let mut spaces = self.spaces();
            if let Some(waiting) = spaces.get_mut(&space) {
                waiting.push((wish, told));
                None
            } else {
                spaces.insert(space, Vec::new());
                Some(wish)
            }
        };
        match first {
            Some(wish) => {
                let _turn = Turn { together: self.clone(), app: app.clone(), space };
                alone(app, wish).await
            }
            None => answer.await.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Unavailable, "The server stops; try again").into())
            }),
        }
    }

    fn spaces(&self) -> MutexGuard<'_, HashMap<SpaceId, Vec<Waiting>>> {
        // Whoever panicked while holding it left it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Those whose turn it is now.
    fn next(&self) -> Vec<Waiting> {
        let mut spaces = self.together.spaces();
        let Some(waiting) = spaces.get_mut(&self.space) else { return Vec::new() };
        // Who has gone wants nothing any more.
        waiting.retain(|(_, told)| !told.is_closed());
        let some = if waiting.is_empty() { 0 } else { portion(waiting.len(), MOST) };
        waiting.drain(..some).collect()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut spaces = self.together.spaces();
        if spaces.get(&self.space).is_none_or(Vec::is_empty) {
            spaces.remove(&self.space);
            return;
        }
        drop(spaces);
        // By itself: whoever had the turn may be gone, and the others still wait.
        let Self { together, app, space } = self;
        let turn = Self { together: together.clone(), app: app.clone(), space: *space };
        tokio::spawn(async move {
            let some = turn.next();
            answer(&turn.app, some).await;
        });
    }
}

/// Makes the user of one request.
async fn alone(app: &App, wish: Wish) -> Result<Written, Refusal> {
    let Wish { client, query, body } = wish;
    change(app, &client, KIND, &query, None, 201, Operation::Create(None, body)).await
}

/// Makes the users of several requests, and tells each.
async fn answer(app: &App, waiting: Vec<Waiting>) {
    let (wishes, told): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
    if wishes.len() > 1 {
        match all(app, &wishes).await {
            Ok(outcomes) => {
                for ((outcome, wish), told) in outcomes.into_iter().zip(&wishes).zip(told) {
                    if outcome.is_ok() {
                        wish.client.trace.committed();
                    }
                    // Who has gone does not hear it.
                    drop(told.send(outcome));
                }
                return;
            }
            // Somebody else took one of the names meanwhile. One by one it shows whose.
            Err(refusal) if refusal.error().kind == ErrorKind::Uniqueness => {}
            Err(refusal) => {
                for told in told {
                    drop(told.send(Err(refusal.clone())));
                }
                return;
            }
        }
    }
    for (wish, told) in wishes.into_iter().zip(told) {
        drop(told.send(alone(app, wish).await));
    }
}

/// Makes all of them in one transaction. One that is refused leaves the others alone.
async fn all(app: &App, wishes: &[Wish]) -> Result<Vec<Result<Written, Refusal>>, Refusal> {
    let base = base(app);
    let pushes: Vec<Push<'_>> = wishes
        .iter()
        .map(|Wish { client, query, .. }| Push {
            act: &client.act,
            space: client.space(),
            limits: app.directory_limits(),
            view: view(client, &base, KIND, query),
            precondition: None,
        })
        .collect();
    app.db
        .write(async |tx: &mut Write| {
            let new = wishes.iter().zip(&pushes);
            let new = new.map(|(wish, push)| NewUser { push, id: None, body: &wish.body });
            let outcomes = directory::create_users(tx, new.collect(), usize::MAX).await?;
            let mut entries = Vec::with_capacity(wishes.len());
            for (Wish { client, .. }, outcome) in wishes.iter().zip(&outcomes) {
                if let Ok(written) = outcome {
                    let subject = perform::subject(written);
                    let audit_ids = written.audit_id.into_iter().collect();
                    let effect = Effect { subject, audit_ids, ..Effect::default() };
                    entries.extend(client.trace.entry_of(&client.act, 201, effect));
                }
            }
            recorder::insert(tx, &entries).await?;
            Ok(outcomes.into_iter().map(|outcome| outcome.map_err(Refusal::from)).collect())
        })
        .await
}
