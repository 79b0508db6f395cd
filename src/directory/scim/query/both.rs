//! Users and groups in one sorted list, at the root (RFC 7644 §3.4.2.1 and §3.4.2.3).
//!
//! Where the order puts all resources of one kind before all of the other, the two lists stand one
//! behind the other. Otherwise they are one list, in the order of the sort key; those that are
//! equal stand in the order of their making or, where every row has to be looked at, users first.

use super::{
    At, By, Column, Error, Listed, Listing, Order, Plan, Position, Resource, Sort, Wanted,
    foreign_cursor, whole,
};
use crate::{
    directory::scim::{resource::ResourceKind, show::View},
    id::SpaceId,
    scim::{evaluate, filter::Filter, order::Key, schema::ResourceTypes},
    store::{Read, Sql, Timestamp, sql},
};

/// The kinds that the root lists.
pub const BOTH: [ResourceKind; 2] = [ResourceKind::User, ResourceKind::Group];

/// How the two kinds stand in a sorted list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// All of the first, and then all of the second.
    InTurn([ResourceKind; 2]),
    /// Among each other.
    Together,
}

/// How users and groups stand in a list that is sorted like this.
pub fn arrange(sort: &Sort<'_>, types: &ResourceTypes) -> Result<Arrangement, Error> {
    let [users, groups] = BOTH.map(|kind| Order::parse(kind.of(types), sort.by, sort.descending));
    let (users, groups) = (users?, groups?);
    let forward = |first: ResourceKind, second: ResourceKind| {
        Arrangement::InTurn(if sort.descending { [second, first] } else { [first, second] })
    };
    let [user, group] = BOTH;
    Ok(match (users, groups) {
        // Nobody has it, so it sorts nothing.
        (None, None) => Arrangement::InTurn(BOTH),
        // Every user has a userName; groups have none, and who has no value comes last.
        (Some(order), None) if is_by(&order, user, By::UserName) => forward(user, group),
        // As text the id of a group, g-…, is before that of a user, u-….
        (Some(order), Some(_)) if is_by(&order, user, By::Made) => forward(group, user),
        _ => Arrangement::Together,
    })
}

fn is_by(order: &Order<'_>, kind: ResourceKind, by: By) -> bool {
    Column::of(Some(order), kind).is_some_and(|column| column.by == by)
}

/// The users and groups that match, a page of them; `views` are for [`BOTH`].
pub async fn list_together(
    tx: &mut Read,
    space: SpaceId,
    wanted: &Wanted<'_>,
    views: &[View<'_>; 2],
) -> Result<Listed, Error> {
    let filter = wanted.filter.map(Filter::parse).transpose()?;
    let [users, groups] = views;
    let one = Part::of(space, ResourceKind::User, users, filter.as_ref(), wanted.sort.as_ref())?;
    let other =
        Part::of(space, ResourceKind::Group, groups, filter.as_ref(), wanted.sort.as_ref())?;
    let parts = [one, other];
    match parts.each_ref().map(Part::column) {
        [Some(column), Some(other)] if column == other => page(tx, &parts, column, wanted).await,
        _ => scan(tx, &parts, filter.as_ref(), wanted).await,
    }
}

/// One of the two lists.
struct Part<'a> {
    listing: Listing<'a>,
    order: Option<Order<'a>>,
}

impl<'a> Part<'a> {
    fn of(
        space: SpaceId,
        kind: ResourceKind,
        view: &'a View<'a>,
        filter: Option<&Filter<'_>>,
        sort: Option<&Sort<'_>>,
    ) -> Result<Self, Error> {
        let types = kind.of(view.types);
        let order = match sort {
            Some(sort) => Order::parse(types, sort.by, sort.descending)?,
            None => None,
        };
        let plan = match filter {
            None => Plan::everything(),
            Some(filter) => {
                evaluate::check(filter, types)?;
                Plan::of(filter, kind, view.types)
            }
        };
        Ok(Self { listing: Listing { space, kind, plan, view }, order })
    }

    /// The column that the database can sort both kinds by.
    fn column(&self) -> Option<Column> {
        let order = self.order.as_ref()?;
        Column::of(Some(order), self.listing.kind)
            .filter(|column| self.listing.plan.exact && column.by == By::Modified)
    }

    /// Appends the selection of its ids and times.
    fn push(&self, column: Column, at: &At, query: &mut Sql) -> Result<(), Error> {
        query.push(match self.listing.kind {
            ResourceKind::User => {
                "SELECT CAST(0 AS BIGINT) AS part, r.id AS id, r.updated_at AS changed FROM users r
                 WHERE r.source = 'scim' AND r.deleted_at IS NULL AND r.space_id = "
            }
            ResourceKind::Group => {
                "SELECT CAST(1 AS BIGINT) AS part, r.id AS id, r.updated_at AS changed FROM groups r
                 WHERE r.source = 'scim' AND r.deleted_at IS NULL AND r.space_id = "
            }
        });
        query.push_bind(self.listing.space);
        self.listing.plan.push(query);
        if let At::Cursor(Some(position)) = at {
            column.push_after(position, query)?;
        }
        Ok(())
    }
}

/// A page in the order of the time of the last change. An id is given out once, so time and id are
/// a position in the list of both.
async fn page(
    tx: &mut Read,
    parts: &[Part<'_>; 2],
    column: Column,
    wanted: &Wanted<'_>,
) -> Result<Listed, Error> {
    let mut total = 0;
    for part in parts {
        total += part.listing.total(tx).await?;
    }
    if wanted.count == 0 {
        return Ok(Listed { total, resources: Vec::new(), next: None });
    }
    let skip = match &wanted.at {
        At::Index(skip) => *skip,
        At::Cursor(_) => 0,
    };
    let [users, groups] = parts;
    let mut query = sql("SELECT part, id, changed FROM (");
    users.push(column, &wanted.at, &mut query)?;
    query.push(" UNION ALL ");
    groups.push(column, &wanted.at, &mut query)?;
    let way = if column.descending { " DESC" } else { "" };
    query.push(") AS listed ORDER BY changed").push(way).push(", id").push(way);
    query.push_limit(wanted.count.saturating_add(1));
    query.push(" OFFSET ").push_bind(whole(skip));
    let mut found: Vec<(i64, i64, Timestamp)> = query.fetch_all(tx).await?;
    let most = usize::try_from(wanted.count).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| more && matches!(wanted.at, At::Cursor(_)));
    let next = last.map(|(_, id, changed)| Position::Time(*changed, *id));
    let places = found.iter().map(|(part, id, _)| (*part == 1, *id)).collect();
    Ok(Listed { total, resources: shown(tx, parts, places).await?, next })
}

/// A page made by looking at each row that satisfies the conditions, of both kinds.
async fn scan(
    tx: &mut Read,
    parts: &[Part<'_>; 2],
    filter: Option<&Filter<'_>>,
    wanted: &Wanted<'_>,
) -> Result<Listed, Error> {
    let skip = match &wanted.at {
        At::Index(skip) | At::Cursor(Some(Position::Offset(skip))) => *skip,
        At::Cursor(None) => 0,
        At::Cursor(Some(_)) => return Err(foreign_cursor()),
    };
    let (mut matched, mut scanned) = (Vec::<(Key, bool, i64)>::new(), 0);
    for part in parts {
        let is_group = part.listing.kind == ResourceKind::Group;
        let keyed = part.listing.matches(tx, filter, part.order.as_ref(), &mut scanned).await?;
        matched.extend(keyed.into_iter().map(|(key, id)| (key, is_group, id)));
    }
    let descending = wanted.sort.as_ref().is_some_and(|sort| sort.descending);
    // The sort is stable: those that are equal stay in the order of their making.
    matched.sort_by(|(one, ..), (other, ..)| {
        let ascending = one.cmp(other);
        if descending { ascending.reverse() } else { ascending }
    });
    let total = u64::try_from(matched.len()).unwrap_or(u64::MAX);
    let places: Vec<(bool, i64)> = matched
        .into_iter()
        .skip(usize::try_from(skip).unwrap_or(usize::MAX))
        .take(usize::try_from(wanted.count).unwrap_or(usize::MAX))
        .map(|(_, is_group, id)| (is_group, id))
        .collect();
    let end = skip.saturating_add(u64::try_from(places.len()).unwrap_or(u64::MAX));
    let further = matches!(wanted.at, At::Cursor(_)) && end < total && !places.is_empty();
    let resources = shown(tx, parts, places).await?;
    Ok(Listed { total, resources, next: further.then_some(Position::Offset(end)) })
}

/// The resources at these places, groups where it says so.
async fn shown(
    tx: &mut Read,
    [users, groups]: &[Part<'_>; 2],
    places: Vec<(bool, i64)>,
) -> Result<Vec<Resource>, Error> {
    let ids = |wanted: bool| -> Vec<i64> {
        places.iter().filter(|(is_group, _)| *is_group == wanted).map(|(_, id)| *id).collect()
    };
    let mut users = users.listing.rows(tx, &ids(false)).await?.into_iter();
    let mut groups = groups.listing.rows(tx, &ids(true)).await?.into_iter();
    let next = |(is_group, _)| if is_group { groups.next() } else { users.next() };
    Ok(places.into_iter().filter_map(next).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kind_stands_before_the_other_where_the_order_says_so() {
        let types = ResourceTypes::standard();
        let arranged = |by: &str, descending| arrange(&Sort { by, descending }, types).unwrap();
        let [user, group] = BOTH;
        assert_eq!(arranged("userName", false), Arrangement::InTurn([user, group]));
        assert_eq!(arranged("userName", true), Arrangement::InTurn([group, user]));
        assert_eq!(arranged("id", false), Arrangement::InTurn([group, user]));
        assert_eq!(arranged("id", true), Arrangement::InTurn([user, group]));
        assert_eq!(arranged("nothing", true), Arrangement::InTurn([user, group]));
        for by in ["displayName", "meta.lastModified", "externalId", "title", "meta.resourceType"] {
            assert_eq!(arranged(by, false), Arrangement::Together, "{by}");
        }
        assert!(arrange(&Sort { by: "name", descending: false }, types).is_err());
    }
}
