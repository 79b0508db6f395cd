//! Endpoints in the database.

use secrecy::SecretString;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Endpoint, Error, Guard, Kind, MAX_ENDPOINTS, SECRET_PREFIX, journal};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{EndpointId, EventId, SpaceId},
    secret::{Sealer, random_token},
    store::{self as database, Read, Write, sql},
};

const ENDPOINT: &str = "SELECT e.id, e.space_id, e.url, e.secret_number, e.kinds, e.full_content,
            e.enabled, e.disabled_because, e.failures, e.run_at, e.last_delivered_at,
            (SELECT COUNT(*) FROM event_deliveries d
             WHERE d.endpoint_id = e.id AND d.state = 'waiting') AS waiting,
            (SELECT COUNT(*) FROM event_deliveries d
             WHERE d.endpoint_id = e.id AND d.state = 'given_up') AS given_up,
            e.created_at, e.updated_at
     FROM event_endpoints e WHERE ";

/// What is needed to make or change an endpoint besides the transaction.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Which addresses are allowed.
    pub guard: &'a Guard,
    /// Seals the secret.
    pub sealer: &'a Sealer,
}

/// What an endpoint is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The address to call.
    pub url: String,
    /// The kinds of events that go there.
    pub kinds: Vec<Kind>,
    /// Whether values are told, and not only the names of what changed.
    pub full_content: bool,
}

impl Wish {
    /// The same in its one spelling.
    fn checked(&self, guard: &Guard) -> Result<Self, Error> {
        let url = guard.check_url(&self.url)?.to_string();
        let wanted = Kind::CHOICE.into_iter().filter(|kind| self.kinds.contains(kind));
        let kinds: Vec<Kind> = wanted.collect();
        if kinds.is_empty() { Err(Error::NoKind) } else { Ok(Self { url, kinds, ..self.clone() }) }
    }

    fn state(&self) -> Value {
        json!({ "url": self.url, "kinds": self.kinds, "full_content": self.full_content })
    }
}

/// Makes an endpoint; the second of the pair is its secret, to be shown once. Receivers verify the
/// tokens with the bytes of that text.
pub async fn create(
    tx: &mut Write,
    act: &Act,
    access: Access<'_>,
    space: SpaceId,
    wish: &Wish,
) -> Result<(Endpoint, SecretString), Error> {
    let wish = wish.checked(access.guard)?;
    // Two administrators at once must not make an eleventh: the space's row guards the count.
    let mut guard = sql("SELECT id FROM spaces WHERE id = ");
    guard.push_bind(space).push(tx.for_no_key_update());
    guard.exists(tx).await?;
    if endpoints(tx, space).await?.len() >= MAX_ENDPOINTS {
        return Err(Error::TooMany);
    }
    let id: EndpointId = act.new_id();
    let (secret, sealed) = new_secret(access.sealer, id)?;
    sql("INSERT INTO event_endpoints
             (id, space_id, url, secret_sealed, secret_number, kinds, full_content, enabled,
              failures, run_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 1, $5, $6, $7, 0, $8, $8, $8)")
    .bind(id)
    .bind(space)
    .bind(&wish.url)
    .bind(sealed)
    .bind(&json!(wish.kinds))
    .bind(wish.full_content)
    .bind(true)
    .bind(act.now)
    .execute(tx)
    .await?;
    let made = endpoint(tx, space, id).await?;
    record(tx, act, &made, "event_endpoint.create", json!(null), wish.state()).await?;
    Ok((made, secret))
}

/// The endpoints of a space, oldest first.
pub async fn endpoints(tx: &mut Read, space: SpaceId) -> Result<Vec<Endpoint>, database::Error> {
    let mut query = sql(ENDPOINT);
    query.push("e.space_id = ").push_bind(space).push(" ORDER BY e.id");
    query.fetch_all(tx).await
}

/// The endpoint of a space with this id.
pub async fn endpoint(tx: &mut Read, space: SpaceId, id: EndpointId) -> Result<Endpoint, Error> {
    let mut query = sql(ENDPOINT);
    query.push("e.id = ").push_bind(id).push(" AND e.space_id = ").push_bind(space);
    query.fetch_optional(tx).await?.ok_or(Error::EndpointNotFound)
}

/// Changes where events go and which; those in line go to the new address. Tells whether that
/// changed anything.
pub async fn update(
    tx: &mut Write,
    act: &Act,
    guard: &Guard,
    space: SpaceId,
    id: EndpointId,
    wish: &Wish,
) -> Result<bool, Error> {
    let wish = wish.checked(guard)?;
    let old = endpoint(tx, space, id).await?;
    let was =
        Wish { url: old.url.clone(), kinds: old.kinds.0.clone(), full_content: old.full_content };
    if wish == was {
        return Ok(false);
    }
    sql("UPDATE event_endpoints SET url = $1, kinds = $2, full_content = $3, failures = 0,
             run_at = $4, updated_at = $4 WHERE id = $5")
    .bind(&wish.url)
    .bind(&json!(wish.kinds))
    .bind(wish.full_content)
    .bind(act.now)
    .bind(id)
    .execute(tx)
    .await?;
    record(tx, act, &old, "event_endpoint.update", was.state(), wish.state()).await?;
    Ok(true)
}

/// Turns an endpoint on or off; tells whether that changed anything. What is in line when it goes
/// off waits until it is on again; what happens meanwhile can be replayed.
pub async fn set_enabled(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: EndpointId,
    enabled: bool,
) -> Result<bool, Error> {
    let old = endpoint(tx, space, id).await?;
    if old.enabled == enabled {
        return Ok(false);
    }
    sql("UPDATE event_endpoints SET enabled = $1, disabled_because = NULL, failures = 0,
             run_at = $2, updated_at = $2 WHERE id = $3")
    .bind(enabled)
    .bind(act.now)
    .bind(id)
    .execute(tx)
    .await?;
    let [before, after] = [!enabled, enabled].map(|enabled| json!({ "enabled": enabled }));
    record(tx, act, &old, "event_endpoint.switch", before, after).await?;
    Ok(true)
}

/// Gives an endpoint another secret, to be shown once. It signs from now on; what a receiver
/// refuses until it knows it is tried again.
pub async fn rotate_secret(
    tx: &mut Write,
    act: &Act,
    sealer: &Sealer,
    space: SpaceId,
    id: EndpointId,
) -> Result<SecretString, Error> {
    let old = endpoint(tx, space, id).await?;
    let (secret, sealed) = new_secret(sealer, id)?;
    sql("UPDATE event_endpoints SET secret_sealed = $1, secret_number = secret_number + 1,
             updated_at = $2 WHERE id = $3")
    .bind(sealed)
    .bind(act.now)
    .bind(id)
    .execute(tx)
    .await?;
    let number = old.secret_number;
    let [before, after] = [number, number + 1].map(|number| json!({ "secret_number": number }));
    record(tx, act, &old, "event_endpoint.rotate_secret", before, after).await?;
    Ok(secret)
}

/// Deletes an endpoint with what is in line for it.
pub async fn delete(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: EndpointId,
) -> Result<(), Error> {
    let old = endpoint(tx, space, id).await?;
    sql("DELETE FROM event_endpoints WHERE id = $1").bind(id).execute(tx).await?;
    let before = json!({ "url": old.url });
    Ok(record(tx, act, &old, "event_endpoint.delete", before, json!(null)).await?)
}

/// Puts a verification event in line for one endpoint, whatever kinds it wants.
pub async fn test(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: EndpointId,
) -> Result<EventId, Error> {
    let endpoint = endpoint(tx, space, id).await?;
    if !endpoint.enabled {
        return Err(Error::Disabled);
    }
    let event = journal::verification(tx, act, &endpoint).await?;
    let after = json!({ "event": event });
    record(tx, act, &endpoint, "event_endpoint.test", json!(null), after).await?;
    Ok(event)
}

/// Turns an endpoint off because its receiver is gone.
pub(super) async fn retire(
    tx: &mut Write,
    act: &Act,
    id: EndpointId,
    reason: &str,
) -> Result<(), Error> {
    let mut query = sql(ENDPOINT);
    query.push("e.id = ").push_bind(id);
    let Some(old) = query.fetch_optional::<Endpoint>(tx).await? else { return Ok(()) };
    sql("UPDATE event_endpoints SET enabled = $1, disabled_because = $2, updated_at = $3
         WHERE id = $4")
    .bind(false)
    .bind(reason)
    .bind(act.now)
    .bind(id)
    .execute(tx)
    .await?;
    let [before, after] =
        [json!({ "enabled": true }), json!({ "enabled": false, "reason": reason })];
    Ok(record(tx, act, &old, "event_endpoint.switch", before, after).await?)
}

/// What the secret of an endpoint is sealed for.
pub(super) fn sealed_as(id: EndpointId) -> String {
    format!("the secret of the event endpoint {id}")
}

fn new_secret(sealer: &Sealer, id: EndpointId) -> Result<(SecretString, Vec<u8>), Error> {
    let secret = Zeroizing::new(format!("{SECRET_PREFIX}{}", random_token::<32>()?));
    let sealed = sealer.seal(&sealed_as(id), secret.as_bytes())?;
    Ok((SecretString::from(secret.as_str()), sealed))
}

async fn record(
    tx: &mut Write,
    act: &Act,
    endpoint: &Endpoint,
    action: &'static str,
    before: Value,
    after: Value,
) -> Result<(), database::Error> {
    let change = Change {
        scope: Scope::Space(endpoint.space_id),
        action,
        object_kind: "event_endpoint",
        object_id: &endpoint.id.to_string(),
        before,
        after,
    };
    audit::record(tx, act, change).await
}
