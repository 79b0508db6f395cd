//! Adoption: what was made by hand becomes what a directory keeps (SCIM-17).
//!
//! SCIM never takes anything over by itself. An administrator hands it over: ids, memberships,
//! assignments and user syncs stay, and from then on the directory finds it, changes it and
//! deletes it. A group and its members have one source (GRP-08), so whoever shares a group is
//! handed over together.

use serde_json::{Map, Value, json};

use super::{
    Error, Source, User,
    by_hand::{hold_still, record},
    group,
    scim::index_emails,
    user,
};
use crate::{
    audit::Act,
    id::{GroupId, Principal, SpaceId, UserId},
    secret::{hex, sha256},
    space::Space,
    store::{self as database, Read, Write, sql},
};

/// How many users and groups are handed over at once.
pub const MAX_ADOPTED: usize = 2000;

/// Who is handed over together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adoption {
    /// The users, in the order of their ids.
    pub users: Vec<UserId>,
    /// The groups, in the order of their ids.
    pub groups: Vec<GroupId>,
}

impl Adoption {
    /// A short text that is another one for other people: what a page shows and its form says
    /// again.
    pub fn digest(&self) -> String {
        let users = self.users.iter().map(ToString::to_string);
        let ids: Vec<String> = users.chain(self.groups.iter().map(ToString::to_string)).collect();
        hex(&sha256(ids.join(" ").as_bytes()))
    }

    fn size(&self) -> usize {
        self.users.len() + self.groups.len()
    }
}

/// Who would be handed over with this user or group: the members of its groups, their groups, and
/// so on.
pub async fn adoption(
    tx: &mut Read,
    space: SpaceId,
    principal: Principal,
) -> Result<Adoption, Error> {
    let source = match principal {
        Principal::User(id) => user(tx, space, id).await?.ok_or(Error::UserNotFound)?.source,
        Principal::Group(id) => group(tx, space, id).await?.ok_or(Error::GroupNotFound)?.source,
    };
    if source == Source::Scim {
        return Err(Error::AdoptedAlready);
    }
    let mut found = Adoption::default();
    let (mut users, mut groups) = match principal {
        Principal::User(id) => (vec![id], Vec::new()),
        Principal::Group(id) => (Vec::new(), vec![id]),
    };
    while !users.is_empty() || !groups.is_empty() {
        found.users.append(&mut users);
        found.groups.append(&mut groups);
        if found.size() > MAX_ADOPTED {
            return Err(Error::TooManyToAdopt);
        }
        if !found.groups.is_empty() {
            let mut query = sql("SELECT DISTINCT user_id FROM group_members WHERE group_id IN (");
            query.push_list(found.groups.iter().copied()).push(")");
            let members: Vec<(UserId,)> = query.fetch_all(tx).await?;
            users = members.into_iter().map(|(id,)| id).collect();
            users.retain(|id| !found.users.contains(id));
        }
        if !found.users.is_empty() {
            let mut query = sql("SELECT DISTINCT group_id FROM group_members WHERE user_id IN (");
            query.push_list(found.users.iter().copied()).push(")");
            let joined: Vec<(GroupId,)> = query.fetch_all(tx).await?;
            groups = joined.into_iter().map(|(id,)| id).collect();
            groups.retain(|id| !found.groups.contains(id));
        }
    }
    found.users.sort_unstable();
    found.groups.sort_unstable();
    Ok(found)
}

/// Hands a user or group over to SCIM, and everybody who shares a group with it: exactly those
/// whom the administrator saw (`seen` is their digest), or nobody.
pub async fn adopt(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    principal: Principal,
    seen: &str,
) -> Result<Adoption, Error> {
    hold_still(tx, space.id).await?;
    let adoption = adoption(tx, space.id, principal).await?;
    if adoption.digest() != seen {
        return Err(Error::AdoptionChanged);
    }
    for id in &adoption.users {
        let user = user(tx, space.id, *id).await?.ok_or(Error::UserNotFound)?;
        adopt_user(tx, act, &user).await?;
    }
    for id in &adoption.groups {
        let group = group(tx, space.id, *id).await?.ok_or(Error::GroupNotFound)?;
        let document = json!({ "displayName": group.name });
        let query = sql("UPDATE groups SET source = $1, document = $2, version = version + 1,
                             updated_at = $3 WHERE id = $4");
        query.bind(Source::Scim).bind(&document).bind(act.now).bind(*id).execute(tx).await?;
        handed_over(tx, act, space.id, Principal::Group(*id), "group.adopt").await?;
    }
    Ok(adoption)
}

async fn adopt_user(tx: &mut Write, act: &Act, user: &User) -> Result<(), database::Error> {
    let document = document(user);
    let query = sql("UPDATE users SET source = $1, document = $2, version = version + 1,
                         updated_at = $3 WHERE id = $4");
    query
        .bind(Source::Scim)
        .bind(&Value::Object(document.clone()))
        .bind(act.now)
        .bind(user.id)
        .execute(tx)
        .await?;
    index_emails(tx, user.space_id, [(user.id.0, &document)]).await?;
    handed_over(tx, act, user.space_id, Principal::User(user.id), "user.adopt").await
}

async fn handed_over(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    object: Principal,
    action: &'static str,
) -> Result<(), database::Error> {
    let [before, after] = [Source::Manual, Source::Scim].map(|source| json!({ "source": source }));
    record(tx, act, space, object, action, (before, after)).await
}

/// What the directory sees of an adopted user at first. Remarks are ours, and so is a block.
fn document(user: &User) -> Map<String, Value> {
    let mut document = Map::new();
    let mut set = |name: &str, value: Value| document.insert(name.to_owned(), value);
    set("userName", json!(user.user_name));
    let parts = [("givenName", &user.first_name), ("familyName", &user.last_name)];
    let name: Map<String, Value> = parts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(part, text)| (part.to_owned(), json!(text)))
        .collect();
    if !name.is_empty() {
        set("name", Value::Object(name));
    }
    if !user.display_name.is_empty() {
        set("displayName", json!(user.display_name));
    }
    if !user.email.is_empty() {
        set("emails", json!([{ "value": user.email, "type": "work", "primary": true }]));
    }
    set("active", json!(user.active));
    document
}
