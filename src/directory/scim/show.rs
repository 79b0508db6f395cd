//! How stored resources are shown.
//!
//! A stored document is JSON text; when all of it is wanted, that text is the answer, with what we
//! know besides put around it. The members of a group are never part of the text: they are kept
//! as numbers and written out piece by piece while the answer is sent.

use std::{collections::HashMap, fmt::Write as _};

use serde_json::{Map, Value, json};

use super::{
    Error,
    members::{self, Member, Members},
    resource::{ResourceKind, Stored},
};
use crate::{
    directory::Source,
    id::SpaceId,
    scim::{
        document::{self, Frame},
        projection::Projection,
        schema::{ResourceType, ResourceTypes},
    },
    store::{self as database, Read, Sql, Timestamp, sql},
};

/// Bytes of an answer that are written in one go, more or less.
const PIECE: usize = 64 * 1024;

/// Pages of more resources come row by row: together their documents may be large.
const MOST_PACKED: u64 = 200;

/// How resources are shown.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The SCIM base URL, absolute, without a trailing slash.
    pub base: &'a str,
    /// The resource types of the space.
    pub types: &'a ResourceTypes,
    /// Which parts are wanted.
    pub projection: Projection<'a>,
    /// Whether a group without members shows an empty list.
    pub always_emit_members: bool,
}

/// A resource as the client sees it.
#[derive(Debug)]
pub struct Resource {
    /// Its absolute URL.
    pub location: String,
    /// Its version.
    pub version: i64,
    pub(super) id: i64,
    pub(super) updated_at: Timestamp,
    head: String,
    /// Members that stand between head and tail, and the SCIM base URL.
    members: Option<(Members, String)>,
    tail: String,
}

impl Resource {
    /// The JSON text, in pieces of bounded size.
    pub fn into_pieces(self) -> impl Iterator<Item = String> + Send + 'static {
        let Self { head, members, tail, .. } = self;
        let (members, base) = members.unwrap_or_default();
        let mut rest = members.into_iter().peekable();
        let mut opened = Some(head);
        let mut closing = Some(tail);
        let mut first = true;
        std::iter::from_fn(move || {
            let mut piece = opened.take().unwrap_or_default();
            while piece.len() < PIECE {
                let Some(member) = rest.next() else { break };
                if !first {
                    piece.push(',');
                }
                first = false;
                write_member(&mut piece, &base, &member);
            }
            if rest.peek().is_none()
                && let Some(tail) = closing.take()
            {
                piece.push_str(&tail);
            }
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// Appends a member. A dangling one leads nowhere. Ids are letters, digits and hyphens.
fn write_member(piece: &mut String, base: &str, member: &Member) {
    // Writing to a string cannot fail.
    let _ = match member {
        Member::User(id) => {
            let id = ResourceKind::User.show(*id);
            write!(piece, r#"{{"value":"{id}","$ref":"{base}/Users/{id}","type":"User"}}"#)
        }
        Member::Dangling(value) => {
            write!(piece, r#"{{"value":{},"type":"User"}}"#, Value::from(value.as_str()))
        }
    };
}

impl View<'_> {
    /// The address of a resource.
    pub fn location(&self, kind: ResourceKind, id: i64) -> String {
        format!("{}{}/{}", self.base, kind.of(self.types).endpoint, kind.show(id))
    }

    /// One member of a group.
    pub(super) fn member(&self, member: &Member) -> Value {
        match member {
            Member::User(id) => json!({
                "value": ResourceKind::User.show(*id),
                "$ref": self.location(ResourceKind::User, *id),
                "type": "User",
            }),
            Member::Dangling(value) => json!({ "value": value, "type": "User" }),
        }
    }

    fn frame(&self, kind: ResourceKind, row: &Stored) -> Frame {
        Frame {
            id: kind.show(row.id),
            created: row.created_at.to_string(),
            last_modified: row.updated_at.to_string(),
            location: self.location(kind, row.id),
            version: row.version,
        }
    }

    /// A group of a user.
    fn group(&self, group: &Membership) -> Value {
        json!({
            "value": ResourceKind::Group.show(group.id),
            "$ref": self.location(ResourceKind::Group, group.id),
            "display": group.name,
            "type": "direct",
        })
    }

    /// Complete documents for a filter to look at, in the order of the rows. `relations` tells
    /// whether `groups` and `members` are part of them.
    pub(super) async fn complete(
        &self,
        tx: &mut Read,
        kind: ResourceKind,
        rows: &[Stored],
        relations: bool,
    ) -> Result<Vec<Map<String, Value>>, Error> {
        let ids: Vec<i64> =
            if relations { rows.iter().map(|row| row.id).collect() } else { Vec::new() };
        let mut related: HashMap<i64, Vec<Value>> = match kind {
            ResourceKind::User => groups_of(tx, &ids)
                .await?
                .into_iter()
                .map(|(user, groups)| (user, groups.iter().map(|one| self.group(one)).collect()))
                .collect(),
            ResourceKind::Group => members::of_groups(tx, &ids)
                .await?
                .into_iter()
                .map(|(group, members)| {
                    (group, members.into_iter().map(|member| self.member(&member)).collect())
                })
                .collect(),
        };
        rows.iter()
            .map(|row| {
                let computed = related.remove(&row.id).unwrap_or_default();
                let frame = self.frame(kind, row);
                Ok(document::render(kind.of(self.types), row.attributes()?, &frame, computed))
            })
            .collect()
    }

    /// Whether `groups` of a user or `members` of a group are wanted.
    pub(super) fn wants_relations(&self, kind: ResourceKind) -> bool {
        self.projection.wants(relation(kind))
    }

    /// The rows as the client sees them, in their order.
    pub(super) async fn show(
        &self,
        tx: &mut Read,
        kind: ResourceKind,
        rows: Vec<Stored>,
    ) -> Result<Vec<Resource>, Error> {
        let ids: Vec<i64> = if self.wants_relations(kind) {
            rows.iter().map(|row| row.id).collect()
        } else {
            Vec::new()
        };
        let (mut groups, mut members) = match kind {
            ResourceKind::User => (groups_of(tx, &ids).await?, HashMap::new()),
            ResourceKind::Group => (HashMap::new(), members::of_groups(tx, &ids).await?),
        };
        rows.into_iter()
            .map(|row| {
                let groups = groups.remove(&row.id).unwrap_or_default();
                let members = members.remove(&row.id).unwrap_or_default();
                self.resource(kind, &row, &groups, members)
            })
            .collect()
    }

    /// The rows that a statement selects, with what belongs to them: of users in the same round
    /// trip. They are at most so many, and come in no order. Where the round trip allows it, how
    /// many there are in all of the space comes along, if it is `counted`.
    pub(super) async fn show_selected(
        &self,
        tx: &mut Read,
        kind: ResourceKind,
        select: Sql,
        most: u64,
        counted: Option<SpaceId>,
    ) -> Result<(Vec<Resource>, Option<i64>), Error> {
        if kind == ResourceKind::Group || !self.wants_relations(kind) {
            let rows = select.fetch_all(tx).await?;
            return Ok((self.show(tx, kind, rows).await?, None));
        }
        let mut both = select.inside(
            "WITH page (id, version, document, created_at, updated_at) AS MATERIALIZED (",
            ") SELECT ",
        );
        // No group has an id below zero: a user comes with one that says how many users there are.
        match counted {
            Some(space) => {
                both.push("-1 - (");
                kind.push_total(space, Some(Source::Scim), &mut both);
                both.push(")");
            }
            None => {
                both.push("CAST(-1 AS BIGINT)");
            }
        }
        // To SQLite CROSS JOIN says which way to go: from the users to their groups.
        both.push(
            " AS group_id, id, version, document, created_at, updated_at FROM page
               UNION ALL
               SELECT g.id, m.user_id, 0, g.name, page.created_at, page.updated_at
               FROM page CROSS JOIN group_members m CROSS JOIN groups g
               WHERE m.user_id = page.id AND g.id = m.group_id
                 AND g.deleted_at IS NULL AND g.source = 'scim'",
        );
        let both: Vec<Selected> = if (2..=MOST_PACKED).contains(&most) {
            let columns = "group_id, id, version, document, created_at, updated_at";
            both.fetch_packed(tx, columns).await?
        } else {
            both.fetch_all(tx).await?
        };
        let (mut rows, mut groups) = (Vec::new(), HashMap::<i64, Vec<Membership>>::new());
        let mut total = None;
        for (group, id, version, document, created_at, updated_at) in both {
            if group < 0 {
                total = counted.map(|_| -1 - group);
                rows.push(Stored { id, version, document, created_at, updated_at });
            } else {
                groups.entry(id).or_default().push(Membership { id: group, name: document });
            }
        }
        let shown: Result<_, Error> = rows
            .iter()
            .map(|row| {
                let mut groups = groups.remove(&row.id).unwrap_or_default();
                groups.sort_unstable_by_key(|group| group.id);
                self.resource(kind, row, &groups, Members::default())
            })
            .collect();
        Ok((shown?, total))
    }

    /// A row that was made just now, as the client sees it: it has no groups and no members.
    pub(super) fn show_new(&self, kind: ResourceKind, row: &Stored) -> Result<Resource, Error> {
        self.resource(kind, row, &[], Members::default())
    }

    /// One row as the client sees it.
    pub(super) async fn show_one(
        &self,
        tx: &mut Read,
        kind: ResourceKind,
        row: Stored,
    ) -> Result<Resource, Error> {
        let mut shown = self.show(tx, kind, vec![row]).await?;
        shown.pop().ok_or(Error::NotFound(kind))
    }

    fn resource(
        &self,
        kind: ResourceKind,
        row: &Stored,
        groups: &[Membership],
        members: Members,
    ) -> Result<Resource, Error> {
        let frame = self.frame(kind, row);
        let (location, version) = (frame.location.clone(), row.version);
        let show_members = kind == ResourceKind::Group
            && self.wants_relations(kind)
            && (self.always_emit_members || !members.is_empty());
        let members = show_members.then_some(members);
        let kind_of = kind.of(self.types);
        let whole = matches!(self.projection, Projection::Whole);
        let (head, tail, members) = if whole {
            let (head, tail) = self.spliced(kind_of, row, &frame, groups, members.is_some());
            (head, tail, members)
        } else {
            self.cut(kind, row, &frame, groups, members)?
        };
        let members = members.map(|members| (members, self.base.to_owned()));
        let (id, updated_at) = (row.id, row.updated_at);
        Ok(Resource { location, version, id, updated_at, head, members, tail })
    }

    /// The text around the members, when only parts of the resource are wanted.
    fn cut(
        &self,
        kind: ResourceKind,
        row: &Stored,
        frame: &Frame,
        groups: &[Membership],
        members: Option<Members>,
    ) -> Result<(String, String, Option<Members>), Error> {
        // Members of which parts are cut away are few enough to be built one by one: nobody asks
        // for `members.value` of a large group without wanting all of them anyway.
        let (inline, spliced) = match members {
            Some(members) if self.projection.cuts(relation(kind)) => (Some(members), None),
            other => (None, other),
        };
        let computed = match (kind, inline) {
            (ResourceKind::User, _) => groups.iter().map(|group| self.group(group)).collect(),
            (ResourceKind::Group, Some(members)) => {
                members.into_iter().map(|member| self.member(&member)).collect()
            }
            (ResourceKind::Group, None) => Vec::new(),
        };
        let whole = document::render(kind.of(self.types), row.attributes()?, frame, computed);
        let cut = self.projection.apply(kind.of(self.types), whole);
        let mut head = Value::Object(cut).to_string();
        if spliced.is_none() {
            return Ok((head, String::new(), None));
        }
        head.pop();
        head.push_str(if head.len() > 1 { r#","members":["# } else { r#""members":["# });
        Ok((head, "]}".to_owned(), spliced))
    }

    /// The whole resource, made of the stored text: what stands before the members, and what behind.
    /// It says the same as `document::render`; a test compares the two.
    fn spliced(
        &self,
        resource_type: &ResourceType,
        row: &Stored,
        frame: &Frame,
        groups: &[Membership],
        members: bool,
    ) -> (String, String) {
        let mut head = String::with_capacity(row.document.len() + 512);
        head.push_str(r#"{"schemas":[""#);
        head.push_str(&resource_type.schema.id);
        for extension in &*resource_type.extensions {
            // A quote inside a JSON string has a backslash before it, so this stands nowhere but
            // where the extension begins.
            if row.document.contains(&format!(r#""{}":{{"#, extension.id)) {
                head.push_str(r#"",""#);
                head.push_str(&extension.id);
            }
        }
        head.push_str(r#""],"id":""#);
        head.push_str(&frame.id);
        head.push('"');
        let attributes = row.document.trim().trim_start_matches('{');
        let attributes = attributes.strip_suffix('}').unwrap_or(attributes);
        if !attributes.is_empty() {
            head.push(',');
            head.push_str(attributes);
        }
        for (at, group) in groups.iter().enumerate() {
            head.push_str(if at == 0 { r#","groups":["# } else { "," });
            let id = ResourceKind::Group.show(group.id);
            // Writing to a string cannot fail. Ids are letters, digits and hyphens.
            let _ = write!(
                head,
                r#"{{"value":"{id}","$ref":"{}/Groups/{id}","display":{},"type":"direct"}}"#,
                self.base,
                Value::from(group.name.as_str()),
            );
        }
        if !groups.is_empty() {
            head.push(']');
        }
        let mut tail = String::new();
        if members {
            head.push_str(r#","members":["#);
            tail.push(']');
        }
        let rest = if members { &mut tail } else { &mut head };
        let _ = write!(rest, r#","meta":{}}}"#, document::meta(resource_type, frame));
        (head, tail)
    }
}

/// The attribute that is rows of another table.
fn relation(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::User => "groups",
        ResourceKind::Group => "members",
    }
}

/// A group that a user is a member of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Membership {
    id: i64,
    name: String,
}

/// A stored resource, or a group of one: the group's id (below zero where the row is a resource), the
/// resource's id and version, its document or the group's name, when it was made and changed.
type Selected = (i64, i64, i64, String, Timestamp, Timestamp);

/// The groups of each user.
async fn groups_of(
    tx: &mut Read,
    users: &[i64],
) -> Result<HashMap<i64, Vec<Membership>>, database::Error> {
    let mut found: HashMap<i64, Vec<Membership>> = HashMap::new();
    if users.is_empty() {
        return Ok(found);
    }
    let mut query = sql("SELECT m.user_id, g.id, g.name
         FROM group_members m JOIN groups g ON g.id = m.group_id
         WHERE g.deleted_at IS NULL AND g.source = 'scim' AND m.user_id IN ");
    query.push_numbers(users).push(" ORDER BY m.user_id, g.id");
    for (user, id, name) in query.fetch_all::<(i64, i64, String)>(tx).await? {
        found.entry(user).or_default().push(Membership { id, name });
    }
    Ok(found)
}

/// The resource with this id.
pub async fn find(
    tx: &mut Read,
    space: SpaceId,
    kind: ResourceKind,
    id: &str,
    view: &View<'_>,
) -> Result<Resource, Error> {
    let id = kind.parse(id).ok_or(Error::NotFound(kind))?;
    let mut query = kind.select(space);
    query.push(" AND r.id = ").push_bind(id);
    let (mut found, _) = view.show_selected(tx, kind, query, 1, None).await?;
    found.pop().ok_or(Error::NotFound(kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::ENTERPRISE_USER;

    fn row(document: &Value) -> Stored {
        let at: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        Stored { id: 7, version: 3, document: document.to_string(), created_at: at, updated_at: at }
    }

    fn view() -> View<'static> {
        View {
            base: "https://x/scim/v2",
            types: ResourceTypes::standard(),
            projection: Projection::Whole,
            always_emit_members: false,
        }
    }

    #[test]
    fn the_spliced_text_says_the_same_as_the_rendered_document() {
        let urn = &*ENTERPRISE_USER.id;
        let (view, kind) = (view(), ResourceKind::User);
        for document in [
            json!({}),
            json!({ "userName": "a" }),
            json!({ "userName": "a", urn: { "department": "x" } }),
            // The URN in a value is no extension.
            json!({ "userName": format!("\"{urn}\":{{"), "title": "é\n\\" }),
        ] {
            let group = |id, name: &str| Membership { id, name: name.to_owned() };
            for groups in [vec![], vec![group(1, "é \"\\"), group(2, "")]] {
                let row = row(&document);
                let frame = view.frame(kind, &row);
                let (head, tail) = view.spliced(kind.of(view.types), &row, &frame, &groups, false);
                let spliced: Value = serde_json::from_str(&(head + &tail)).unwrap();
                let attributes = document.as_object().unwrap().clone();
                let groups = groups.iter().map(|group| view.group(group)).collect();
                let whole = document::render(kind.of(view.types), attributes, &frame, groups);
                assert_eq!(spliced, Value::Object(whole), "{document}");
            }
        }
    }

    #[test]
    fn a_large_group_is_written_in_pieces_of_bounded_size() {
        let members = Members::of((0..5000).collect(), vec!["\"x".to_owned()]);
        let row = row(&json!({ "displayName": "g" }));
        let resource = view().resource(ResourceKind::Group, &row, &[], members).unwrap();
        let pieces: Vec<String> = resource.into_pieces().collect();
        assert!(pieces.len() > 5 && pieces.iter().all(|piece| piece.len() < 2 * PIECE));
        let whole: Value = serde_json::from_str(&pieces.concat()).unwrap();
        let members = whole["members"].as_array().unwrap();
        assert_eq!(members.len(), 5001);
        assert_eq!(members[1]["$ref"], "https://x/scim/v2/Users/u-000000000001");
        assert_eq!(members[5000], json!({ "value": "\"x", "type": "User" }));
        assert_eq!(whole["meta"]["version"], "W/\"3\"");
    }
}
