//! Lists: filters go to the database where it can answer them exactly, and are evaluated here,
//! over a bounded number of rows, where it cannot.

use serde_json::{Map, Value};

use super::{
    Error,
    resource::{ResourceKind, Stored, View},
    users::MAX_INDEXED_ADDRESS,
};
use crate::{
    directory::{Source, fold},
    id::{GroupId, SpaceId},
    scim::{
        self, ErrorKind, document,
        evaluate::{self, leaf_of, locate},
        filter::{Filter, Operator},
        path::AttributePath,
    },
    store::{Read, Sql},
};

/// Rows that one query may look at one by one.
const MAX_SCANNED: usize = 20_000;
/// Rows looked at in one go.
const CHUNK: usize = 500;

/// What is to be listed.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The filter, not yet parsed.
    pub filter: Option<&'a str>,
    /// Matches before the page.
    pub skip: u64,
    /// Resources on the page, at most; 0 asks for the total only.
    pub count: u64,
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// How many resources match.
    pub total: u64,
    /// Those of the page, in the order of their making.
    pub resources: Vec<Map<String, Value>>,
}

/// The resources of a kind that match, a page of them.
pub async fn list(
    tx: &mut Read,
    space: SpaceId,
    kind: ResourceKind,
    wanted: &Wanted<'_>,
    view: &View<'_>,
) -> Result<Listed, Error> {
    let filter = wanted.filter.map(Filter::parse).transpose()?;
    let Some(filter) = &filter else {
        return page(tx, space, kind, &[], wanted, view).await;
    };
    evaluate::check(filter, kind.resource_type())?;
    let plan = Plan::of(filter, kind);
    if plan.exact {
        page(tx, space, kind, &plan.conditions, wanted, view).await
    } else {
        scan(tx, space, kind, (filter, &plan.conditions), wanted, view).await
    }
}

/// A page that the database makes.
async fn page(
    tx: &mut Read,
    space: SpaceId,
    kind: ResourceKind,
    conditions: &[Condition],
    wanted: &Wanted<'_>,
    view: &View<'_>,
) -> Result<Listed, Error> {
    let mut query = kind.count(space);
    push_all(conditions, &mut query);
    let total = u64::try_from(query.fetch_number(tx).await?).unwrap_or(0);
    if wanted.count == 0 || wanted.skip >= total {
        return Ok(Listed { total, resources: Vec::new() });
    }
    let mut query = kind.select(space);
    push_all(conditions, &mut query);
    query.push(" ORDER BY r.id LIMIT ").push_bind(i64::try_from(wanted.count).unwrap_or(i64::MAX));
    query.push(" OFFSET ").push_bind(i64::try_from(wanted.skip).unwrap_or(i64::MAX));
    let rows = query.fetch_all(tx).await?;
    Ok(Listed { total, resources: view.show(tx, kind, rows).await? })
}

/// A page made by looking at each row that satisfies the conditions.
async fn scan(
    tx: &mut Read,
    space: SpaceId,
    kind: ResourceKind,
    (filter, conditions): (&Filter<'_>, &[Condition]),
    wanted: &Wanted<'_>,
    view: &View<'_>,
) -> Result<Listed, Error> {
    let relations = asks_for_relations(filter, kind);
    let (mut total, mut scanned, mut after) = (0_u64, 0_usize, -1_i64);
    let mut kept: Vec<Stored> = Vec::new();
    loop {
        let mut query = kind.select(space);
        push_all(conditions, &mut query);
        query.push(" AND r.id > ").push_bind(after);
        query.push(" ORDER BY r.id LIMIT ").push_bind(i64::try_from(CHUNK).unwrap_or(i64::MAX));
        let rows: Vec<Stored> = query.fetch_all(tx).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        scanned += rows.len();
        let full = rows.len() == CHUNK;
        if scanned > MAX_SCANNED {
            let detail = format!(
                "This filter has to look at more than {MAX_SCANNED} resources one by one: narrow \
                 it by userName, displayName, externalId, emails, active or members"
            );
            return Err(scim::Error::new(ErrorKind::TooMany, detail).into());
        }
        let documents = view.complete(tx, kind, rows.clone(), relations).await?;
        for (row, mut document) in rows.into_iter().zip(documents) {
            document::complete(kind.resource_type(), &mut document);
            if evaluate::matches(filter, kind.resource_type(), &document) {
                if total >= wanted.skip && total - wanted.skip < wanted.count {
                    kept.push(row);
                }
                total += 1;
            }
        }
        if !full {
            break;
        }
    }
    Ok(Listed { total, resources: view.show(tx, kind, kept).await? })
}

fn push_all(conditions: &[Condition], query: &mut Sql) {
    for condition in conditions {
        condition.push(query);
    }
}

/// Whether the filter looks at `groups` of users or `members` of groups, which are not part of
/// the stored documents.
fn asks_for_relations(filter: &Filter<'_>, kind: ResourceKind) -> bool {
    let mut asks = false;
    filter.visit(&mut |outer, term| {
        let ((Some(path), _) | (None, Filter::Present(path) | Filter::Compare(path, ..))) =
            (outer, term)
        else {
            return;
        };
        asks |= locate(kind.resource_type(), path)
            .is_some_and(|location| matches!(&*location.attribute.name, "groups" | "members"));
    });
    asks
}

/// What the database can decide of a filter.
struct Plan {
    /// All of these hold for every match.
    conditions: Vec<Condition>,
    /// Whether they are the whole filter.
    exact: bool,
}

impl Plan {
    fn of(filter: &Filter<'_>, kind: ResourceKind) -> Self {
        let terms = match filter {
            Filter::And(parts) => parts.as_slice(),
            single => std::slice::from_ref(single),
        };
        let conditions: Vec<Condition> =
            terms.iter().filter_map(|term| Condition::of(term, kind)).collect();
        let exact = conditions.len() == terms.len();
        Self { conditions, exact }
    }
}

/// One condition on a row, exactly what a term of a filter says.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    /// Nothing can satisfy it: an id that is nobody's.
    Never,
    Id(i64),
    UserName(String),
    GroupName(String),
    UserDisplayName(String),
    ExternalId(String),
    Active(bool),
    Email {
        address: String,
        kind: Option<String>,
    },
    Member {
        user: Option<i64>,
        value: String,
    },
    InGroup(i64),
}

impl Condition {
    fn of(term: &Filter<'_>, kind: ResourceKind) -> Option<Self> {
        match term {
            Filter::Compare(path, Operator::Eq, literal) => {
                let location = locate(kind.resource_type(), path)?;
                if location.extension.is_some() {
                    return None;
                }
                let attribute = &*location.attribute.name;
                if attribute == "active" {
                    return literal.boolean().map(Self::Active);
                }
                // In a column, an attribute that is not set looks like an empty one.
                let text = literal.text().filter(|text| !text.is_empty())?;
                let leaf = &*leaf_of(&location)?.name;
                match (kind, attribute, leaf) {
                    (_, "id", _) => Some(kind.parse(text).map_or(Self::Never, Self::Id)),
                    (_, "externalId", _) => Some(Self::ExternalId(text.to_owned())),
                    (ResourceKind::User, "userName", _) => Some(Self::UserName(fold(text))),
                    (ResourceKind::User, "displayName", _) => {
                        Some(Self::UserDisplayName(fold(text)))
                    }
                    (ResourceKind::User, "emails", "value") => Self::email(text, None),
                    (ResourceKind::User, "groups", "value") => Some(
                        text.parse().map_or(Self::Never, |GroupId(group)| Self::InGroup(group)),
                    ),
                    (ResourceKind::Group, "displayName", _) => Some(Self::GroupName(fold(text))),
                    (ResourceKind::Group, "members", "value") => Some(Self::member(text)),
                    _ => None,
                }
            }
            Filter::Value(path, inner) => {
                let location = locate(kind.resource_type(), path)?;
                let mut parts = match &**inner {
                    Filter::And(parts) => parts.iter().map(inner_equality).collect(),
                    single => vec![inner_equality(single)],
                }
                .into_iter()
                .collect::<Option<Vec<_>>>()?;
                parts.sort_unstable_by_key(|(name, _)| name.to_ascii_lowercase());
                let is = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
                match (kind, &*location.attribute.name, parts.as_slice()) {
                    (ResourceKind::User, "emails", [(name, address)]) if is(name, "value") => {
                        Self::email(address, None)
                    }
                    (ResourceKind::User, "emails", [(first, kind), (second, address)])
                        if is(first, "type") && is(second, "value") =>
                    {
                        Self::email(address, Some(kind))
                    }
                    (ResourceKind::Group, "members", [(name, value)]) if is(name, "value") => {
                        Some(Self::member(value))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn email(address: &str, kind: Option<&str>) -> Option<Self> {
        (address.chars().count() <= MAX_INDEXED_ADDRESS)
            .then(|| Self::Email { address: fold(address), kind: kind.map(fold) })
    }

    fn member(value: &str) -> Self {
        Self::Member { user: ResourceKind::User.parse(value), value: value.to_owned() }
    }

    /// Appends ` AND …` about the row `r`.
    fn push(&self, query: &mut Sql) {
        match self {
            Self::Never => query.push(" AND 1 = 0"),
            Self::Id(id) => query.push(" AND r.id = ").push_bind(*id),
            Self::UserName(name) => query.push(" AND r.user_name_key = ").push_bind(name),
            Self::GroupName(name) => query.push(" AND r.name_key = ").push_bind(name),
            // Both databases fold ASCII letters only: SQLite always, PostgreSQL by collation "C".
            Self::UserDisplayName(name) => {
                query.push(" AND LOWER(r.display_name) = ").push_bind(name)
            }
            Self::ExternalId(label) => query.push(" AND r.external_id = ").push_bind(label),
            Self::Active(active) => query.push(" AND r.active = ").push_bind(*active),
            Self::Email { address, kind } => {
                query
                    .push(" AND EXISTS (SELECT 1 FROM user_emails e WHERE e.space_id = r.space_id");
                query.push(" AND e.user_id = r.id AND e.address_key = ").push_bind(address);
                if let Some(kind) = kind {
                    query.push(" AND e.kind_key = ").push_bind(kind);
                }
                query.push(")")
            }
            Self::Member { user, value } => {
                query.push(" AND (EXISTS (SELECT 1 FROM dangling_group_members d");
                query.push(" WHERE d.group_id = r.id AND d.value = ").push_bind(value).push(")");
                if let Some(user) = user {
                    query.push(" OR EXISTS (SELECT 1 FROM group_members m");
                    query.push(" WHERE m.group_id = r.id AND m.user_id = ").push_bind(*user);
                    query.push(")");
                }
                query.push(")")
            }
            Self::InGroup(group) => {
                query.push(" AND EXISTS (SELECT 1 FROM group_members m");
                query.push(" JOIN groups g ON g.id = m.group_id");
                query.push(" WHERE m.user_id = r.id AND g.deleted_at IS NULL AND g.source = ");
                query.push_bind(Source::Scim).push(" AND g.id = ").push_bind(*group).push(")")
            }
        };
    }
}

/// `name eq "text"` inside brackets; none for anything else.
fn inner_equality<'f>(term: &'f Filter<'_>) -> Option<(&'f str, &'f str)> {
    let Filter::Compare(AttributePath { urn: None, name, sub: None }, Operator::Eq, literal) = term
    else {
        return None;
    };
    literal.text().filter(|text| !text.is_empty()).map(|text| (*name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(kind: ResourceKind, text: &str) -> (Vec<Condition>, bool) {
        let plan = Plan::of(&Filter::parse(text).unwrap(), kind);
        (plan.conditions, plan.exact)
    }

    #[test]
    fn what_clients_ask_is_answered_by_the_database() {
        let user = ResourceKind::User;
        assert_eq!(
            plan(user, r#"userName eq "Bob" and active eq "True""#),
            (vec![Condition::UserName("bob".into()), Condition::Active(true)], true)
        );
        let email = |kind: Option<&str>| {
            vec![Condition::Email { address: "b@x".into(), kind: kind.map(str::to_owned) }]
        };
        for text in [r#"emails.value eq "B@x""#, r#"emails eq "b@x""#, r#"emails[value eq "b@x"]"#]
        {
            assert_eq!(plan(user, text), (email(None), true), "{text}");
        }
        for text in [
            r#"emails[type eq "Work"].value eq "b@x""#,
            r#"emails[value eq "b@x" and type eq "work"]"#,
        ] {
            assert_eq!(plan(user, text), (email(Some("work")), true), "{text}");
        }
        assert_eq!(plan(user, r#"id eq "nobody""#), (vec![Condition::Never], true));
        let group = ResourceKind::Group;
        let member = Condition::Member { user: Some(1), value: "u-000000000001".into() };
        assert_eq!(
            plan(group, r#"id eq "g-000000000002" and members eq "u-000000000001""#),
            (vec![Condition::Id(2), member], true)
        );
    }

    #[test]
    fn the_rest_is_looked_at_row_by_row() {
        let user = ResourceKind::User;
        for text in [
            r#"userName co "b""#,
            r#"userName eq """#,
            r#"not (userName eq "b")"#,
            r#"userName eq "a" or userName eq "b""#,
            r#"emails[type eq "work" and primary eq true]"#,
            r#"manager eq "x""#,
            r#"nickName eq "x""#,
        ] {
            assert!(!plan(user, text).1, "{text}");
        }
        let (conditions, exact) = plan(user, r#"userName eq "a" and nickName eq "x""#);
        assert_eq!((conditions.len(), exact), (1, false));
    }

    #[test]
    fn relations_are_read_only_when_asked_for() {
        let asks = |text: &str, kind| asks_for_relations(&Filter::parse(text).unwrap(), kind);
        assert!(asks(r#"members[type eq "User"]"#, ResourceKind::Group));
        assert!(asks("groups pr", ResourceKind::User));
        assert!(!asks(r#"nickName eq "groups""#, ResourceKind::User));
    }
}
