//! The fetcher: looks at the sources that are due.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    Error, Looked, Source, fetched_proposal,
    source::{Came, Fetched, due, hasten, settle, take},
};
use crate::{
    audit::{Act, Actor},
    clock::Clock,
    event::{Client, ClientError},
    id::{Ids, SpaceId},
    secret,
    store::{Db, Timestamp},
};

/// How often the fetcher looks for sources.
const POLL: Duration = Duration::from_secs(30);
/// How many sources are looked at at a time.
const PARALLEL: usize = 8;
/// How much of a document is read, in bytes: what the reader of metadata takes.
const LONGEST_DOCUMENT: usize = 4 * 1024 * 1024;

/// Fetches metadata until it is told to stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    db: Db,
    clock: Clock,
    ids: Ids,
    client: Client,
}

impl Fetcher {
    /// A fetcher that calls others by `client`.
    pub fn new((db, clock, ids): (Db, Clock, Ids), client: Client) -> Self {
        Self { db, clock, ids, client }
    }

    /// Looks at what is due until `stop`.
    pub async fn run_until(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(POLL)).await.is_some() {
            match stop.run_until_cancelled(self.run_all_due()).await {
                Some(Err(error)) => tracing::error!(?error, "metadata cannot be looked at"),
                Some(Ok(_)) => {}
                // What was taken is due again when its lease ends.
                None => break,
            }
        }
    }

    /// Looks at every source that is due now; says how many there were.
    pub async fn run_all_due(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let spaces = self.db.read(async |tx| due(tx, now).await).await?;
        let mut waiting = spaces.into_iter();
        let (mut running, mut looked) = (JoinSet::new(), 0);
        loop {
            while running.len() < PARALLEL
                && let Some(space) = waiting.next()
            {
                let fetcher = self.clone();
                running.spawn(async move { fetcher.look(space).await });
            }
            match running.join_next().await {
                None => return Ok(looked),
                Some(Ok(came)) => looked += usize::from(came?.is_some()),
                Some(Err(error)) => tracing::error!(%error, "looking at metadata broke off"),
            }
        }
    }

    /// Looks at the source of a space now, whenever it is due; none if it has none, or somebody
    /// else looks at it. Refused a moment after the last look.
    pub async fn look_now(&self, space: SpaceId) -> Result<Option<Came>, Error> {
        let now = self.clock.now();
        self.db.write(async |tx| hasten(tx, space, now).await).await?;
        self.look(space).await
    }

    async fn look(&self, space: SpaceId) -> Result<Option<Came>, Error> {
        let now = self.clock.now();
        let Some(source) = self.db.write(async |tx| take(tx, space, now).await).await? else {
            return Ok(None);
        };
        let fetched = match url::Url::parse(&source.url) {
            Ok(url) => self.client.fetch(&url, LONGEST_DOCUMENT).await.map_err(|e| words(&e)),
            Err(_) => Err("the address is no URL".to_owned()),
        };
        let now = self.clock.now();
        let fetched = match fetched {
            Ok(document) => Ok(self.read(space, &source, document.to_vec(), now).await?),
            Err(reason) => Err(reason),
        };
        let request = crate::id::new_uuid()?;
        let act = Act::new(Actor::system("fetcher"), request, None, now, self.ids.clone());
        let chance = secret::random::<2>().map_or(0, u16::from_be_bytes);
        let came = self
            .db
            .write(async |tx| settle(tx, &act, space, &source, fetched, chance).await)
            .await?;
        Ok(Some(came))
    }

    /// Reads what was fetched, and what waits already, before anything is written.
    async fn read(
        &self,
        space: SpaceId,
        source: &Source,
        document: Vec<u8>,
        now: Timestamp,
    ) -> Result<Fetched, Error> {
        let looked = Looked::fetched(document, source.clone(), now).await?;
        if !looked.is_sound() {
            return Ok(Fetched { looked, same: None });
        }
        let waiting = self.db.read(async |tx| fetched_proposal(tx, space).await).await?;
        let Some(waiting) = waiting else { return Ok(Fetched { looked, same: None }) };
        let is_same = waiting.content() == &looked.content || {
            let waiting = Looked::at(waiting.content().clone(), now).await?;
            waiting.is_sound() && waiting.fingerprint == looked.fingerprint
        };
        Ok(Fetched { looked, same: is_same.then_some(waiting.id) })
    }
}

/// Why nothing was fetched, for administrators. Nothing of an answer is in it.
fn words(error: &ClientError) -> String {
    match error {
        ClientError::Url => "the address cannot be called".to_owned(),
        ClientError::Name(_) => "the host's name cannot be resolved".to_owned(),
        ClientError::NotAllowed => {
            "the host's address is in a network that is not called from here".to_owned()
        }
        ClientError::Connect(_) => "the host cannot be connected to".to_owned(),
        ClientError::Tls(_) => "there is no trustworthy TLS connection to the host".to_owned(),
        ClientError::Timeout => "the host takes too long".to_owned(),
        ClientError::Http(_) => "the host does not answer in HTTP".to_owned(),
        ClientError::Status(_)
        | ClientError::Body
        | ClientError::Redirect
        | ClientError::TlsSetup(_) => error.to_string(),
    }
}
