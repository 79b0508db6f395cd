//! Where an identity provider publishes its metadata, and what becomes of what is there (SSO-18).
//!
//! What is fetched never counts by itself: where it says something else than what is configured,
//! it becomes a proposal. Only new certificates may count at once, if an administrator decided so
//! and a pinned key signed the document; and none that an administrator removed. What is configured stays whatever becomes of fetching.

use serde_json::{Value, json};

use super::{
    Content, Error, IdentityProvider, Looked, Origin, Part, ProviderError, differences,
    fetched_proposal, identity_provider, proposals::withdraw_fetched, propose, removed_before,
    set_by_looked,
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{ProposalId, SpaceId},
    saml::{
        certificate::{Certificate, CertificateError},
        metadata::IdpMetadata,
    },
    space,
    store::{self as database, Json, Read, Timestamp, Write, sql},
};

/// Seconds between two looks, before jitter.
const INTERVAL: i64 = 3600;
/// Seconds after a failure until the next look, before jitter.
const RETRY: i64 = 900;
/// Seconds within which metadata that ends soon is looked at again, at the earliest.
const SOONEST: i64 = 300;
/// Seconds between two looks that somebody asks for.
pub(super) const SHORTEST: i64 = 30;
/// Seconds for which whoever fetches has it to himself.
const LEASE: i64 = 120;
/// How many keys may be pinned: the one in use, and one that takes over.
const MOST_PINS: usize = 4;
/// Characters of a reason that are kept.
const LONGEST_FAILURE: usize = 300;

/// Where the metadata of a space's identity provider is fetched from.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Source {
    /// The address.
    pub url: String,
    /// The entity id that is meant where there are several.
    pub entity_id: Option<String>,
    pins: Json<Vec<String>>,
    /// Whether new certificates count at once when a pinned key signed them.
    pub automatic: bool,
    /// When it is looked at next.
    pub due_at: Timestamp,
    /// When it was fetched and understood last.
    pub fetched_at: Option<Timestamp>,
    /// Since when it cannot be.
    pub failed_at: Option<Timestamp>,
    /// Why it could not be fetched, or understood, the last time.
    pub failure: Option<String>,
    dismissed: Option<String>,
    /// When it was taken last, or else set.
    updated_at: Timestamp,
}

impl Source {
    /// The certificates of which one must have signed; none takes metadata unsigned.
    pub fn pins(&self) -> Result<Vec<Certificate>, Error> {
        Ok(self.pins.0.iter().map(|pem| Certificate::from_pem(pem)).collect::<Result<_, _>>()?)
    }

    /// Whether what was fetched from this one would have been read the same way from the other.
    fn demands_as(&self, other: &Self) -> bool {
        self.url == other.url && self.pins.0 == other.pins.0 && self.entity_id == other.entity_id
    }
}

/// What an administrator decides of a source.
#[derive(Clone, Debug)]
pub struct NewSource {
    /// The address; whether it may be called is asked before.
    pub url: url::Url,
    /// The certificates to pin.
    pub pins: Vec<Certificate>,
    /// Whether new certificates count at once; needs a pin.
    pub automatic: bool,
}

/// Reads the certificates of a text: none, one, or several one after the other.
pub fn pins_of(text: &str) -> Result<Vec<Certificate>, CertificateError> {
    const END: &str = "-----END CERTIFICATE-----";
    let parts = text.split_inclusive(END).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| Certificate::from_file(part.as_bytes())).collect()
}

/// The source of a space, if it has one.
pub async fn source(tx: &mut Read, space: SpaceId) -> Result<Option<Source>, database::Error> {
    sql("SELECT url, entity_id, pins, automatic, due_at, fetched_at, failed_at, failure, dismissed,
                updated_at
         FROM identity_provider_sources WHERE space_id = $1")
    .bind(space)
    .fetch_optional(tx)
    .await
}

/// Has the metadata fetched from somewhere from now on. It is due at once, or [`SHORTEST`] after
/// the last look.
pub async fn set_source(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    new: &NewSource,
) -> Result<(), Error> {
    if new.automatic && new.pins.is_empty() {
        return Err(ProviderError::PinNeeded.into());
    }
    if new.pins.len() > MOST_PINS {
        return Err(ProviderError::TooManyPins.into());
    }
    space::lock(tx, space).await?;
    let before = source(tx, space).await?;
    // What was fetched from elsewhere, or under other pins, is nothing to approve any more.
    withdraw_fetched(tx, space).await?;
    // Of another address, nothing that was chosen or found out holds.
    if before.as_ref().is_some_and(|before| before.url != new.url.as_str()) {
        sql("DELETE FROM identity_provider_sources WHERE space_id = $1")
            .bind(space)
            .execute(tx)
            .await?;
    }
    let looked_at = before.as_ref().map(|before| before.updated_at);
    let due_at = looked_at.map_or(act.now, |at| at.plus_seconds(SHORTEST).max(act.now));
    let pins: Vec<String> = new.pins.iter().map(Certificate::pem).collect();
    sql("INSERT INTO identity_provider_sources
             (space_id, url, pins, automatic, due_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (space_id) DO UPDATE SET pins = excluded.pins,
             automatic = excluded.automatic, due_at = excluded.due_at")
    .bind(space)
    .bind(new.url.as_str())
    .bind(&json!(pins))
    .bind(new.automatic)
    .bind(due_at)
    .bind(act.now)
    .bind(looked_at.unwrap_or(act.now))
    .execute(tx)
    .await?;
    let after = source(tx, space).await?;
    let (before, after) = (before.as_ref(), after.as_ref());
    record(tx, act, space, "identity_provider.source_set", state(before)?, state(after)?).await
}

/// Fetches nothing any more. What is configured stays.
pub async fn remove_source(tx: &mut Write, act: &Act, space: SpaceId) -> Result<(), Error> {
    space::lock(tx, space).await?;
    let before = source(tx, space).await?.ok_or(ProviderError::NoSource)?;
    withdraw_fetched(tx, space).await?;
    sql("DELETE FROM identity_provider_sources WHERE space_id = $1")
        .bind(space)
        .execute(tx)
        .await?;
    let before = state(Some(&before))?;
    record(tx, act, space, "identity_provider.source_remove", before, Value::Null).await
}

fn state(source: Option<&Source>) -> Result<Value, Error> {
    let Some(source) = source else { return Ok(Value::Null) };
    let pins = source.pins()?;
    let pins: Vec<&str> = pins.iter().map(|pin| pin.facts().fingerprint.as_str()).collect();
    Ok(json!({ "url": source.url, "pins": pins, "automatic": source.automatic }))
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    action: &'static str,
    before: Value,
    after: Value,
) -> Result<(), Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "identity_provider",
        object_id: &space.to_string(),
        before,
        after,
    };
    Ok(audit::record(tx, act, change).await?)
}

/// The spaces whose source is due, the longest due first.
pub(super) async fn due(tx: &mut Read, now: Timestamp) -> Result<Vec<SpaceId>, database::Error> {
    let found: Vec<(SpaceId,)> = sql("SELECT space_id FROM identity_provider_sources
         WHERE due_at <= $1 ORDER BY due_at LIMIT 50")
    .bind(now)
    .fetch_all(tx)
    .await?;
    Ok(found.into_iter().map(|(space,)| space).collect())
}

/// Takes a source to fetch it; none if it is not due, or somebody else has taken it.
pub(super) async fn take(
    tx: &mut Write,
    space: SpaceId,
    now: Timestamp,
) -> Result<Option<Source>, database::Error> {
    let ours = sql("UPDATE identity_provider_sources SET due_at = $1, updated_at = $3
                    WHERE space_id = $2 AND due_at <= $3")
    .bind(now.plus_seconds(LEASE))
    .bind(space)
    .bind(now)
    .execute(tx)
    .await?;
    if ours == 0 { Ok(None) } else { source(tx, space).await }
}

/// Has a source, if there is one, be due now; not within [`SHORTEST`] of the last look.
pub(super) async fn hasten(tx: &mut Write, space: SpaceId, now: Timestamp) -> Result<(), Error> {
    let hastened = sql("UPDATE identity_provider_sources SET due_at = $1
                        WHERE space_id = $2 AND (due_at <= $1 OR updated_at <= $3)")
    .bind(now)
    .bind(space)
    .bind(now.plus_seconds(-SHORTEST))
    .execute(tx)
    .await?;
    if hastened == 0 && source(tx, space).await?.is_some() {
        return Err(ProviderError::LookedAtJustNow.into());
    }
    Ok(())
}

/// What came of fetching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It says what is configured.
    Same,
    /// It says something else, which waits for approval.
    Proposed,
    /// It says something else, which an administrator does not want.
    Dismissed,
    /// New certificates count now.
    Applied,
    /// It could not be fetched, or does not count, for this reason.
    Failed(String),
    /// The source was changed meanwhile.
    Outdated,
}

/// A document that was fetched, and read.
#[derive(Debug)]
pub(super) struct Fetched {
    /// What reading it found out.
    pub looked: Looked,
    /// The proposal that waited at that time, if it says the same.
    pub same: Option<ProposalId>,
}

/// Writes down what came of fetching from the source as it was `taken`. `chance` spreads the next look.
pub(super) async fn settle(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    taken: &Source,
    fetched: Result<Fetched, String>,
    chance: u16,
) -> Result<Came, Error> {
    space::lock(tx, space).await?;
    let Some(source) = source(tx, space).await?.filter(|it| it.demands_as(taken)) else {
        return Ok(Came::Outdated);
    };
    let looked = match fetched {
        Ok(fetched) => match fetched.looked.metadata() {
            Ok(read) => {
                let valid_until = read.and_then(|read| read.valid_until);
                (take_in(tx, act, space, &source, fetched).await?, valid_until)
            }
            Err(error) => (Came::Failed(error.to_string()), None),
        },
        Err(reason) => (Came::Failed(reason), None),
    };
    let (came, valid_until) = looked;
    let failure = match &came {
        Came::Failed(reason) => Some(reason.chars().take(LONGEST_FAILURE).collect::<String>()),
        Came::Same | Came::Proposed | Came::Dismissed | Came::Applied | Came::Outdated => None,
    };
    if source.failure.is_none() != failure.is_none() {
        let action = "identity_provider.source_state";
        let (before, after) = (json!({ "failure": source.failure }), json!({ "failure": failure }));
        record(tx, act, space, action, before, after).await?;
    }
    let failed_at = failure.as_ref().map(|_| source.failed_at.unwrap_or(act.now));
    let fetched_at = if failure.is_none() { Some(act.now) } else { source.fetched_at };
    let pause = if failure.is_none() { pause_for(valid_until, act.now) } else { RETRY };
    let jitter = pause / 4 * i64::from(chance) / i64::from(u16::MAX);
    sql("UPDATE identity_provider_sources
         SET due_at = $1, fetched_at = $2, failed_at = $3, failure = $4 WHERE space_id = $5")
    .bind(act.now.plus_seconds(pause + jitter))
    .bind(fetched_at)
    .bind(failed_at)
    .bind(failure)
    .bind(space)
    .execute(tx)
    .await?;
    Ok(came)
}

/// Metadata that ends within the usual pause is looked at again before.
fn pause_for(valid_until: Option<jiff::Timestamp>, now: Timestamp) -> i64 {
    let left = valid_until.map(|end| end.duration_since(now.to_jiff()).as_secs() / 2);
    left.unwrap_or(INTERVAL).clamp(SOONEST, INTERVAL)
}

async fn take_in(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    source: &Source,
    Fetched { looked, same }: Fetched,
) -> Result<Came, Error> {
    let current = identity_provider(tx, space).await?;
    let mut returning = Vec::new();
    if let Ok(Some(read)) = looked.metadata() {
        returning = removed_before(tx, space, read).await?;
        match change(current.as_ref(), read) {
            Nature::None => {
                withdraw_fetched(tx, space).await?;
                renew(tx, space, current.as_ref(), &looked.content).await?;
                return Ok(Came::Same);
            }
            Nature::Certificates
                if source.automatic && !source.pins.0.is_empty() && returning.is_empty() =>
            {
                withdraw_fetched(tx, space).await?;
                set_by_looked(tx, act, space, looked).await?;
                return Ok(Came::Applied);
            }
            Nature::Certificates | Nature::More => {}
        }
    }
    if source.dismissed.as_ref() == Some(&looked.fingerprint) {
        withdraw_fetched(tx, space).await?;
        return Ok(Came::Dismissed);
    }
    // What says the same stays under its number, which somebody may be looking at.
    let waiting = fetched_proposal(tx, space).await?.map(|it| it.id);
    if same.is_some() && waiting == same {
        return Ok(Came::Proposed);
    }
    let id = propose(tx, act, space, Origin::Source, looked).await?;
    let returning: Vec<&str> = returning.iter().map(|it| it.fingerprint.as_str()).collect();
    let what = json!({ "url": source.url, "proposal": id, "removed_before": returning });
    let action = "identity_provider.metadata_proposed";
    record(tx, act, space, action, Value::Null, what).await?;
    Ok(Came::Proposed)
}

/// How far a document goes beyond what is configured.
enum Nature {
    None,
    Certificates,
    More,
}

fn change(current: Option<&IdentityProvider>, read: &IdpMetadata) -> Nature {
    let differences = differences(current, read);
    let mut changes = differences.iter().filter(|it| it.is_change()).peekable();
    if changes.peek().is_none() {
        Nature::None
    } else if current.is_some() && changes.all(|it| it.part == Part::Certificate) {
        Nature::Certificates
    } else {
        Nature::More
    }
}

/// Keeps the newest document that says what is configured: it may hold for longer.
async fn renew(
    tx: &mut Write,
    space: SpaceId,
    current: Option<&IdentityProvider>,
    content: &Content,
) -> Result<(), database::Error> {
    let Content::Metadata { document, .. } = content else { return Ok(()) };
    if current.is_some_and(|current| current.metadata.as_ref() != Some(document)) {
        sql("UPDATE identity_providers SET metadata = $1 WHERE space_id = $2")
            .bind(document)
            .bind(space)
            .execute(tx)
            .await?;
    }
    Ok(())
}
