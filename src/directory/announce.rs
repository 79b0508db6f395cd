//! What changes in a directory, as events for others: made out of the very states that the audit
//! log gets, so that neither can tell what the other does not.

use serde_json::{Map, Value, json};

use super::User;
use crate::{
    audit::Act,
    event::{self, Audience, Event, Kind},
    id::{GroupId, Principal, SpaceId, UserId},
    store::{self as database, Read, Write, sql},
};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Members of a replaced group that are told; more of them would be too long an event.
const MOST_MEMBERS: i64 = 5000;

/// Announces a change. `before` and `after` are documents of SCIM, or the parts of them that
/// differ; the members of a group are `{"count": …, "values": […]}`, the values perhaps cut.
pub(super) async fn change(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    subject: Principal,
    before: &Value,
    after: &Value,
) -> Result<(), database::Error> {
    let audience = event::audience(tx, space).await?;
    if audience.is_empty() {
        return Ok(());
    }
    tell(tx, act, space, subject, &audience, events(subject, before, after)).await
}

/// Announces that a resource was replaced by a PUT; `whole` is its document as it is now, of a
/// group without the members.
pub(super) async fn replacement(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    subject: Principal,
    (before, after): (&Value, &Value),
    whole: &Map<String, Value>,
) -> Result<(), database::Error> {
    let audience = event::audience(tx, space).await?;
    if audience.is_empty() {
        return Ok(());
    }
    let mut told = events(subject, before, after);
    let members = match subject {
        Principal::Group(group) if audience.wants_full() => members_of(tx, group).await?,
        Principal::Group(_) => None,
        Principal::User(_) => Some(Vec::new()),
    };
    let data = members.map(|members| resource(subject, whole, &members));
    for one in told.iter_mut().filter(|one| matches!(one.kind, Kind::Patch | Kind::Membership)) {
        one.replaced = true;
        one.data.clone_from(&data);
    }
    tell(tx, act, space, subject, &audience, told).await
}

/// Everybody in a group; none when they are too many for one event.
async fn members_of(tx: &mut Read, group: GroupId) -> Result<Option<Vec<String>>, database::Error> {
    let users: Vec<(UserId,)> =
        sql("SELECT user_id FROM group_members WHERE group_id = $1 ORDER BY user_id LIMIT $2")
            .bind(group)
            .bind(MOST_MEMBERS + 1)
            .fetch_all(tx)
            .await?;
    let dangling: Vec<(String,)> =
        sql("SELECT value FROM dangling_group_members WHERE group_id = $1 ORDER BY value LIMIT $2")
            .bind(group)
            .bind(MOST_MEMBERS + 1)
            .fetch_all(tx)
            .await?;
    let users = users.into_iter().map(|(id,)| id.to_string());
    let all: Vec<String> = users.chain(dangling.into_iter().map(|(value,)| value)).collect();
    Ok(i64::try_from(all.len()).is_ok_and(|count| count <= MOST_MEMBERS).then_some(all))
}

async fn tell(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    subject: Principal,
    audience: &Audience,
    events: Vec<Told>,
) -> Result<(), database::Error> {
    let known = known(tx, subject).await?;
    for Told { kind, attributes, data, replaced } in events {
        // Who is shut out by hand stays out, whatever the directory says.
        if known.blocked && matches!(kind, Kind::Activate | Kind::Deactivate) {
            continue;
        }
        let external_id = known.external_id.clone();
        let event = Event { kind, subject, external_id, attributes, data, replaced };
        event::announce(tx, act, space, audience, event).await?;
    }
    Ok(())
}

/// Announces that a user was let in or shut out by hand. The directory's own `active` is as it
/// was, so there is no patch to tell of.
pub(super) async fn switch(
    tx: &mut Write,
    act: &Act,
    user: &User,
    enabled: bool,
) -> Result<(), database::Error> {
    let audience = event::audience(tx, user.space_id).await?;
    if audience.is_empty() || !user.active {
        return Ok(());
    }
    let event = Event {
        kind: if enabled { Kind::Activate } else { Kind::Deactivate },
        subject: Principal::User(user.id),
        external_id: user.external_id.clone(),
        attributes: Vec::new(),
        data: None,
        replaced: false,
    };
    event::announce(tx, act, user.space_id, &audience, event).await
}

/// A state of a user or group as it is recorded of changes by hand, as a document of SCIM. What
/// SCIM has no word for, the remarks, is left out.
pub(super) fn document(state: &Value) -> Value {
    let Some(state) = state.as_object() else { return Value::Null };
    let text = |name: &str| state.get(name).and_then(Value::as_str);
    let mut document = Map::new();
    for (from, to) in
        [("user_name", "userName"), ("display_name", "displayName"), ("name", "displayName")]
    {
        if let Some(value) = text(from) {
            document.insert(to.to_owned(), json!(value));
        }
    }
    if let Some((first, last)) = text("first_name").zip(text("last_name")) {
        document.insert("name".to_owned(), json!({ "givenName": first, "familyName": last }));
    }
    if let Some(email) = text("email") {
        let list =
            if email.is_empty() { json!([]) } else { json!([{ "value": email, "primary": true }]) };
        document.insert("emails".to_owned(), list);
    }
    if let Some(enabled) = state.get("enabled").and_then(Value::as_bool) {
        document.insert("active".to_owned(), json!(enabled));
    }
    Value::Object(document)
}

/// The state of a group's members of whom only this one joined or left.
pub(super) fn member(user: UserId) -> Value {
    json!({ "members": { "count": 1, "values": [user] } })
}

/// What of a user or group an event needs and the change does not tell.
#[derive(Default)]
struct Known {
    external_id: Option<String>,
    blocked: bool,
}

async fn known(tx: &mut Read, subject: Principal) -> Result<Known, database::Error> {
    let found = match subject {
        Principal::User(id) => {
            sql("SELECT external_id, blocked FROM users WHERE id = $1")
                .bind(id)
                .fetch_optional::<(Option<String>, bool)>(tx)
                .await?
        }
        Principal::Group(id) => sql("SELECT external_id FROM groups WHERE id = $1")
            .bind(id)
            .fetch_optional::<(Option<String>,)>(tx)
            .await?
            .map(|(external_id,)| (external_id, false)),
    };
    Ok(found.map(|(external_id, blocked)| Known { external_id, blocked }).unwrap_or_default())
}

/// One event of a change.
#[derive(Debug, PartialEq)]
struct Told {
    kind: Kind,
    attributes: Vec<String>,
    data: Option<Value>,
    /// Whether a PUT did it.
    replaced: bool,
}

impl Told {
    fn bare(kind: Kind) -> Self {
        Self { kind, attributes: Vec::new(), data: None, replaced: false }
    }
}

/// The events of a change, in the order in which they are sent.
fn events(subject: Principal, before: &Value, after: &Value) -> Vec<Told> {
    match (before.as_object(), after.as_object()) {
        (None, Some(after)) => vec![created(subject, after)],
        (Some(_), None) => vec![Told::bare(Kind::Delete)],
        (Some(before), Some(after)) => {
            let mut told = Vec::new();
            told.extend(patched(before, after));
            told.extend(joined_or_left(before, after));
            told.extend(switched(before, after));
            told
        }
        (None, None) => Vec::new(),
    }
}

/// What nobody is told, whatever a document holds.
fn is_secret(attribute: &str) -> bool {
    attribute.eq_ignore_ascii_case("password")
}

fn created(subject: Principal, after: &Map<String, Value>) -> Told {
    let mut attributes = vec!["id".to_owned()];
    attributes.extend(after.keys().filter(|name| !is_secret(name)).cloned());
    // Members that the record cut short are no list of members.
    let members = after.get("members").map_or_else(|| Some(Vec::new()), all_members);
    let data = members.map(|members| resource(subject, after, &members));
    Told { kind: Kind::Create, attributes, data, replaced: false }
}

/// A resource as it is told: what its document says, with its id and its members.
fn resource(subject: Principal, document: &Map<String, Value>, members: &[String]) -> Value {
    let mut told = document.clone();
    told.retain(|name, _| !is_secret(name) && name != "members");
    if !members.is_empty() {
        told.insert("members".to_owned(), member_list(members));
    }
    let core = match subject {
        Principal::User(_) => "urn:ietf:params:scim:schemas:core:2.0:User",
        Principal::Group(_) => "urn:ietf:params:scim:schemas:core:2.0:Group",
    };
    let extensions = told.keys().filter(|name| is_urn(name)).map(String::as_str);
    let schemas: Vec<&str> = std::iter::once(core).chain(extensions).collect();
    let mut data = Map::new();
    data.insert("schemas".to_owned(), json!(schemas));
    data.insert("id".to_owned(), json!(subject.to_string()));
    data.extend(told);
    Value::Object(data)
}

/// What changed besides members, as operations.
fn patched(before: &Map<String, Value>, after: &Map<String, Value>) -> Option<Told> {
    let (was, is) = (flat(before), flat(after));
    let gone = was.iter().filter(|(path, _)| !is.contains_key(*path));
    let operations: Vec<Value> = is
        .iter()
        .filter(|(path, value)| was.get(*path) != Some(value))
        .map(|(path, value)| json!({ "op": "replace", "path": path, "value": value }))
        .chain(gone.map(|(path, _)| json!({ "op": "remove", "path": path })))
        .collect();
    let paths = operations.iter().filter_map(|operation| operation["path"].as_str());
    let attributes: Vec<String> = paths.map(str::to_owned).collect();
    (!attributes.is_empty()).then(|| Told {
        kind: Kind::Patch,
        attributes,
        data: Some(json!({ "schemas": [PATCH], "Operations": operations })),
        replaced: false,
    })
}

/// Attributes by their paths; those of an extension one by one.
fn flat(document: &Map<String, Value>) -> Map<String, Value> {
    let mut paths = Map::new();
    for (name, value) in document {
        match value.as_object() {
            Some(extension) if is_urn(name) => paths.extend(
                extension.iter().map(|(inner, value)| (format!("{name}:{inner}"), value.clone())),
            ),
            _ if name == "members" || is_secret(name) => {}
            _ => {
                paths.insert(name.clone(), value.clone());
            }
        }
    }
    paths
}

fn is_urn(name: &str) -> bool {
    name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}

/// Who joined a group and who left it. When the record does not name them all, nobody is named:
/// a receiver must not take a part for the whole.
fn joined_or_left(before: &Map<String, Value>, after: &Map<String, Value>) -> Option<Told> {
    let [left, joined] = [before, after].map(|state| state.get("members"));
    if left.is_none() && joined.is_none() {
        return None;
    }
    let [left, joined] =
        [left, joined].map(|members| members.map_or_else(|| Some(Vec::new()), all_members));
    let data = left.zip(joined).map(|(left, joined)| {
        let mut operations: Vec<Value> = left
            .iter()
            .map(|value| json!({ "op": "remove", "path": format!("members[value eq {}]", json!(value)) }))
            .collect();
        if !joined.is_empty() {
            operations.push(json!({ "op": "add", "path": "members", "value": member_list(&joined) }));
        }
        json!({ "schemas": [PATCH], "Operations": operations })
    });
    let attributes = vec!["members".to_owned()];
    Some(Told { kind: Kind::Membership, attributes, data, replaced: false })
}

/// The members a record names, if those are all.
fn all_members(recorded: &Value) -> Option<Vec<String>> {
    let count = recorded.get("count")?.as_u64()?;
    let values = recorded.get("values")?.as_array()?;
    let values: Vec<String> = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    (u64::try_from(values.len()) == Ok(count)).then_some(values)
}

fn member_list(values: &[String]) -> Value {
    values.iter().map(|value| json!({ "value": value, "type": "User" })).collect()
}

/// Whether a user may sign in now and might not before, or the other way round. What is not said
/// is yes (RFC 7643 §4.1.1).
fn switched(before: &Map<String, Value>, after: &Map<String, Value>) -> Option<Told> {
    let active =
        |state: &Map<String, Value>| state.get("active").and_then(Value::as_bool).unwrap_or(true);
    let kind = match (active(before), active(after)) {
        (false, true) => Kind::Activate,
        (true, false) => Kind::Deactivate,
        (true, true) | (false, false) => return None,
    };
    Some(Told::bare(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Principal = Principal::User(UserId(7));
    const GROUP: Principal = Principal::Group(GroupId(8));
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    #[test]
    fn a_new_user_is_told_without_its_password() {
        let after =
            json!({ "userName": "a", "password": "geheim", ENTERPRISE: { "department": "x" } });
        let told = events(USER, &Value::Null, &after);
        assert_eq!(told[0].attributes, ["id", "userName", ENTERPRISE]);
        let data = told[0].data.as_ref().unwrap();
        assert_eq!(data["id"], "u-000000000007");
        assert_eq!(data["schemas"][1], ENTERPRISE);
        assert!(!format!("{told:?}").contains("geheim"));
    }

    #[test]
    fn a_change_is_told_as_the_patch_it_amounts_to() {
        let before = json!({ "nickName": "n", "active": true, "password": "p",
                             ENTERPRISE: { "department": "x", "division": "d" } });
        let after = json!({ "displayName": "D", "active": false, "password": "q",
                            ENTERPRISE: { "department": "y", "division": "d" } });
        let told = events(USER, &before, &after);
        assert_eq!(
            told.iter().map(|told| told.kind).collect::<Vec<_>>(),
            [Kind::Patch, Kind::Deactivate]
        );
        let department = format!("{ENTERPRISE}:department");
        assert_eq!(told[0].attributes, ["displayName", "active", &department, "nickName"]);
        assert_eq!(
            told[0].data.as_ref().unwrap()["Operations"],
            json!([
                { "op": "replace", "path": "displayName", "value": "D" },
                { "op": "replace", "path": "active", "value": false },
                { "op": "replace", "path": department, "value": "y" },
                { "op": "remove", "path": "nickName" },
            ])
        );
    }

    #[test]
    fn members_are_told_when_all_of_them_are_known() {
        let state = |count: usize, values: &[&str]| json!({ "members": { "count": count, "values": values } });
        let told = events(GROUP, &state(1, &["u-1"]), &state(2, &["u-2", "u-3"]));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].kind, Kind::Membership);
        assert_eq!(
            told[0].data.as_ref().unwrap()["Operations"],
            json!([
                { "op": "remove", "path": "members[value eq \"u-1\"]" },
                { "op": "add", "path": "members",
                  "value": [{ "value": "u-2", "type": "User" }, { "value": "u-3", "type": "User" }] },
            ])
        );
        let cut = events(GROUP, &state(0, &[]), &state(2000, &["u-2"]));
        assert_eq!(
            (cut[0].attributes.as_slice(), &cut[0].data),
            (&["members".to_owned()][..], &None)
        );
        let deleted = events(GROUP, &state(1, &["u-1"]), &Value::Null);
        assert_eq!(deleted, [Told::bare(Kind::Delete)]);
    }

    #[test]
    fn what_is_not_said_is_active() {
        let kinds = |before: Value, after: Value| {
            events(USER, &before, &after).iter().map(|told| told.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(json!({ "active": true }), json!({})), [Kind::Patch]);
        assert_eq!(kinds(json!({ "active": false }), json!({})), [Kind::Patch, Kind::Activate]);
        assert_eq!(kinds(json!({}), json!({ "active": true })), [Kind::Patch]);
        assert_eq!(kinds(json!({}), json!({})), []);
    }
}
