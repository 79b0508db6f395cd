//! The gate that every request of a directory passes: whose token is it, and does it come too
//! often.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    state::keyed::HashMapStateStore,
};

use super::{Credential, store};
use crate::{
    directory::scim,
    id::CredentialId,
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

/// Looks tokens up and counts how often each comes.
pub struct Gate {
    remembered: Mutex<HashMap<[u8; 32], Remembered>>,
    limiter: Option<RateLimiter<CredentialId, HashMapStateStore<CredentialId>, DefaultClock>>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// A gate that lets each token pass `per_second` times on the average and `burst` times at
    /// once; none of the two, no bound.
    pub fn new(rate: Option<(NonZeroU32, NonZeroU32)>) -> Self {
        let limiter = rate.map(|(per_second, burst)| {
            RateLimiter::hashmap(Quota::per_second(per_second).allow_burst(burst))
        });
        Self { remembered: Mutex::default(), limiter }
    }

    /// What a token opens, if there is such a token: whether it is good now, the caller asks. The
    /// token is looked up by its hash, so the time this takes tells nothing about the tokens there
    /// are.
    pub async fn find(&self, db: &Db, token: &str) -> Result<Option<Arc<Opened>>, scim::Error> {
        let hash = sha256(token.as_bytes());
        let generation = db.settings_generation();
        if let Some(known) = self.remembered().get(&hash)
            && known.generation == generation
            && known.since.elapsed() < REMEMBERED
        {
            return Ok(Some(known.opened.clone()));
        }
        let since = Instant::now();
        let found = db.read(async |tx| opened(tx, hash).await).await?;
        let Some(opened) = found.map(Arc::new) else { return Ok(None) };
        let mut remembered = self.remembered();
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, known| known.since.elapsed() < REMEMBERED);
        }
        remembered.insert(hash, Remembered { since, generation, opened: opened.clone() });
        Ok(Some(opened))
    }

    /// Counts a request of a token. A refusal is the number of whole seconds after which it may
    /// come again, at least 1: Okta understands no other number (reference/SCIM.md §2.2).
    pub fn count(&self, credential: CredentialId) -> Result<(), u64> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter
            .check_key(&credential)
            .map_err(|early| {
                let wait = early.wait_time_from(DefaultClock::default().now());
                wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
            })
            .map_err(|seconds| seconds.max(1))
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
    fn a_token_that_comes_too_often_waits_whole_seconds_and_others_do_not() {
        let two = NonZeroU32::new(2).unwrap();
        let gate = Gate::new(Some((NonZeroU32::MIN, two)));
        let (one, other) = (CredentialId(1), CredentialId(2));
        assert_eq!(gate.count(one), Ok(()));
        assert_eq!(gate.count(one), Ok(()));
        assert_eq!(gate.count(one), Err(1));
        assert_eq!(gate.count(other), Ok(()));
        let open = Gate::new(None);
        assert!((0..10_000).all(|_| open.count(one).is_ok()));
    }
}
