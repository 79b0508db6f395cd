//! The gate that every request of a directory passes: whose token is it, and does it come too
//! often.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{Credential, TOKEN_PREFIX, store};
use crate::{
    directory::scim,
    id::CredentialId,
    rate::{AddressLimiter, Limiter, Rate},
    scim::schema::ResourceTypes,
    secret::sha256,
    space::Space,
    store::{Db, Read, Timestamp},
};

/// For how long a token is believed without asking the database. Switching a token off counts
/// within a second on every replica (SCIM-08), here at once.
const REMEMBERED: Duration = Duration::from_millis(500);
/// Tokens that are remembered at most; two per space are in use.
const MOST_REMEMBERED: usize = 10_000;
/// Tokens, and addresses, that are counted each for itself at most; some 50 bytes each.
const MOST_COUNTED: usize = 50_000;

/// A token and what it opens.
#[derive(Debug)]
pub struct Opened {
    /// The token.
    pub credential: Credential,
    /// Its space.
    pub space: Arc<Space>,
    /// The resource types of the space.
    pub types: Arc<ResourceTypes>,
}

impl Opened {
    /// Whether the token is good at this moment.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.credential.enabled && self.credential.expires_at > now
    }
}

struct Remembered {
    since: Instant,
    generation: u64,
    opened: Arc<Opened>,
}

/// How often who may come; none, no bound.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Each token.
    pub token: Option<Rate>,
    /// Each address from which somebody comes without a good token.
    pub stranger: Option<Rate>,
}

/// Why somebody does not pass.
#[derive(Debug)]
pub enum Closed {
    /// No good token came.
    Stranger,
    /// Too many requests without a good token came from this address; whole seconds after which
    /// the next one may.
    TooManyStrangers(u64),
    /// The database failed.
    Failed(scim::Error),
}

impl From<scim::Error> for Closed {
    fn from(error: scim::Error) -> Self {
        Self::Failed(error)
    }
}

/// Looks tokens up and counts how often each comes.
pub struct Gate {
    remembered: Mutex<HashMap<[u8; 32], Remembered>>,
    tokens: Option<Limiter<CredentialId>>,
    strangers: Option<AddressLimiter>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// A gate that holds those who come more often than this.
    pub fn new(rates: Rates) -> Self {
        Self {
            remembered: Mutex::default(),
            tokens: rates.token.map(|rate| Limiter::new(rate, MOST_COUNTED)),
            strangers: rates.stranger.map(|rate| AddressLimiter::new(rate, MOST_COUNTED)),
        }
    }

    /// Lets a token in that came from `address`, if any did (SCIM-22). Who guesses is held before
    /// the database is asked; a token that was seen here before is looked up in any case, so that
    /// strangers behind the same address do not shut a directory out.
    pub async fn enter(
        &self,
        db: &Db,
        token: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<Arc<Opened>, Closed> {
        let stranger = || {
            self.stranger(address).map_err(Closed::TooManyStrangers)?;
            Err(Closed::Stranger)
        };
        let Some(token) = token.filter(|token| token.starts_with(TOKEN_PREFIX)) else {
            return stranger();
        };
        let hash = sha256(token.as_bytes());
        if !self.remembered().contains_key(&hash) {
            self.stranger(address).map_err(Closed::TooManyStrangers)?;
            return self.by_hash(db, hash).await?.ok_or(Closed::Stranger);
        }
        match self.by_hash(db, hash).await? {
            Some(opened) => Ok(opened),
            None => stranger(),
        }
    }

    /// What a token opens, if there is such a token: whether it is good now, the caller asks. The
    /// token is looked up by its hash, so the time this takes tells nothing about the tokens there
    /// are.
    pub async fn find(&self, db: &Db, token: &str) -> Result<Option<Arc<Opened>>, scim::Error> {
        self.by_hash(db, sha256(token.as_bytes())).await
    }

    async fn by_hash(&self, db: &Db, hash: [u8; 32]) -> Result<Option<Arc<Opened>>, scim::Error> {
        let generation = db.settings_generation();
        if let Some(known) = self.remembered().get(&hash)
            && known.generation == generation
            && known.since.elapsed() < REMEMBERED
        {
            return Ok(Some(known.opened.clone()));
        }
        let since = Instant::now();
        let found = db.read(async |tx| opened(tx, hash).await).await?;
        let mut remembered = self.remembered();
        let Some(opened) = found.map(Arc::new) else {
            remembered.remove(&hash);
            return Ok(None);
        };
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, known| known.since.elapsed() < REMEMBERED);
        }
        remembered.insert(hash, Remembered { since, generation, opened: opened.clone() });
        Ok(Some(opened))
    }

    /// Counts a request of a token. A refusal is the number of whole seconds after which it may
    /// come again, at least 1.
    pub fn count(&self, credential: CredentialId) -> Result<(), u64> {
        self.tokens.as_ref().map_or(Ok(()), |limiter| limiter.count(Some(credential)))
    }

    /// Counts a request without a good token; refuses like [`Gate::count`].
    pub fn stranger(&self, address: Option<IpAddr>) -> Result<(), u64> {
        self.strangers.as_ref().map_or(Ok(()), |limiter| limiter.count(address))
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Remembered>> {
        // Whoever panicked while holding it left a map that is whole.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn opened(tx: &mut Read, hash: [u8; 32]) -> Result<Option<Opened>, scim::Error> {
    let Some((credential, space)) = store::by_hash(tx, hash).await? else { return Ok(None) };
    let types = scim::types(tx, space.id).await?;
    Ok(Some(Opened { credential, space: Arc::new(space), types }))
}

/// A token that is known by its id, with what it opens; for those who act in its place.
pub async fn open(
    tx: &mut Read,
    space: &Space,
    credential: Credential,
) -> Result<Opened, scim::Error> {
    let types = scim::types(tx, space.id).await?;
    Ok(Opened { credential, space: Arc::new(space.clone()), types })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_rates_nobody_is_held() {
        let open = Gate::new(Rates::default());
        assert!((0..10_000).all(|_| open.count(CredentialId(1)).is_ok()));
        assert!((0..10_000).all(|_| open.stranger(None).is_ok()));
    }
}
