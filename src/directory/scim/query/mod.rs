//! Lists: filters go to the database where it can answer them exactly, and are evaluated here,
//! over a bounded number of rows, where it cannot.

mod both;
mod column;
mod condition;
mod plan;
mod position;
mod signposts;

pub use both::{Arrangement, BOTH, arrange, list_together};
pub use position::Position;
pub use signposts::Signposts;

use column::{By, Column, foreign_cursor};
use plan::Plan;

use super::{
    Error,
    resource::{ResourceKind, Stored},
    show::{Resource, View},
};
use crate::{
    directory::Source,
    id::SpaceId,
    scim::{
        self, ErrorKind, document,
        evaluate::{self, locate},
        filter::Filter,
        order::{Key, Order},
        schema::ResourceTypes,
    },
    store::{Read, Sql},
};

/// Rows that one query may look at one by one.
const MAX_SCANNED: usize = 20_000;
/// Rows looked at in one go.
const CHUNK: usize = 500;

/// Where in a list a page begins.
#[derive(Clone, Debug, PartialEq)]
pub enum At {
    /// After so many matches.
    Index(u64),
    /// After this position; at the first match without one.
    Cursor(Option<Position>),
}

/// What a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort<'a> {
    /// The path, not yet parsed.
    pub by: &'a str,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// What is to be listed.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The filter, not yet parsed.
    pub filter: Option<&'a str>,
    /// The order; that of their making if none is given.
    pub sort: Option<Sort<'a>>,
    /// Where the page begins.
    pub at: At,
    /// Resources on the page, at most; 0 asks for the total only.
    pub count: u64,
    /// What is known of long lists.
    pub signposts: &'a Signposts,
}

/// A page.
#[derive(Debug)]
pub struct Listed {
    /// How many resources match.
    pub total: u64,
    /// Those of the page.
    pub resources: Vec<Resource>,
    /// Where the next page begins; none on the last.
    pub next: Option<Position>,
}

/// The resources of a kind that match, a page of them.
pub async fn list(
    tx: &mut Read,
    space: SpaceId,
    kind: ResourceKind,
    wanted: &Wanted<'_>,
    view: &View<'_>,
) -> Result<Listed, Error> {
    let Question { filter, order, plan, column } = Question::of(kind, wanted, view.types)?;
    let listing = Listing { space, kind, plan, view };
    match column {
        Some(column) => listing.page(tx, column, wanted).await,
        None => listing.scan(tx, filter.as_ref(), order.as_ref(), wanted).await,
    }
}

/// Whether a list is one statement, and perhaps a count: a snapshot would only cost time then.
pub fn fits_a_glance(kind: ResourceKind, wanted: &Wanted<'_>, types: &ResourceTypes) -> bool {
    kind == ResourceKind::User
        && matches!(wanted.at, At::Index(0) | At::Cursor(_))
        && Question::of(kind, wanted, types).is_ok_and(|question| {
            question.column.is_some_and(|column| matches!(column.by, By::Made | By::Modified))
        })
}

/// What is to be listed, parsed.
struct Question<'a> {
    filter: Option<Filter<'a>>,
    order: Option<Order<'a>>,
    plan: Plan,
    /// What the database sorts by, where it can make the page by itself.
    column: Option<Column>,
}

impl<'a> Question<'a> {
    fn of(
        kind: ResourceKind,
        wanted: &Wanted<'a>,
        types: &'a ResourceTypes,
    ) -> Result<Self, Error> {
        let filter = wanted.filter.map(Filter::parse).transpose()?;
        let order = match &wanted.sort {
            Some(sort) => Order::parse(kind.of(types), sort.by, sort.descending)?,
            None => None,
        };
        let plan = match &filter {
            None => Plan::everything(),
            Some(filter) => {
                evaluate::check(filter, kind.of(types))?;
                Plan::of(filter, kind, types)
            }
        };
        let column = Column::of(order.as_ref(), kind).filter(|_| plan.exact);
        Ok(Self { filter, order, plan, column })
    }
}

struct Listing<'a> {
    space: SpaceId,
    kind: ResourceKind,
    plan: Plan,
    view: &'a View<'a>,
}

impl Listing<'_> {
    async fn total(&self, tx: &mut Read) -> Result<u64, Error> {
        let total = if self.plan.conditions.is_empty() {
            self.kind.total(tx, self.space, Some(Source::Scim)).await?
        } else {
            let mut query = self.kind.count(self.space);
            self.plan.push(&mut query);
            query.fetch_number(tx).await?
        };
        Ok(u64::try_from(total).unwrap_or(0))
    }

    /// A page that the database makes.
    async fn page(
        &self,
        tx: &mut Read,
        column: Column,
        wanted: &Wanted<'_>,
    ) -> Result<Listed, Error> {
        let skip = match &wanted.at {
            At::Index(skip) => *skip,
            At::Cursor(_) => 0,
        };
        if wanted.count == 0 {
            let total = self.total(tx).await?;
            return Ok(Listed { total, resources: Vec::new(), next: None });
        }
        if skip > 0 {
            let whole_list = self.plan.conditions.is_empty() && column.is_made();
            let (total, begin) = if whole_list {
                let (total, removed) = self.kind.counted(tx, self.space).await?;
                let list = (self.space, self.kind);
                let begin = wanted.signposts.find(tx, list, removed, skip).await?;
                (u64::try_from(total).unwrap_or(0), begin)
            } else {
                (self.total(tx).await?, (None, skip))
            };
            if skip >= total {
                return Ok(Listed { total, resources: Vec::new(), next: None });
            }
            // The rows that are skipped are never read: their ids alone are counted off, in an
            // index that has nothing else.
            let ids = self.ids(tx, column, begin, wanted.count).await?;
            return Ok(Listed { total, resources: self.rows(tx, &ids).await?, next: None });
        }
        let mut query = self.kind.select(self.space);
        self.plan.push(&mut query);
        let further = match &wanted.at {
            At::Cursor(Some(position)) => {
                column.push_after(position, &mut query)?;
                true
            }
            _ => false,
        };
        column.push_order(&mut query);
        query.push_limit(wanted.count.saturating_add(1));
        let (mut resources, mut positions, counted) =
            self.show(tx, column, query, wanted.count.saturating_add(1)).await?;
        let count = usize::try_from(wanted.count).unwrap_or(usize::MAX);
        let more = resources.len() > count;
        resources.truncate(count);
        let next = (more && matches!(wanted.at, At::Cursor(_)))
            .then(|| positions.swap_remove(resources.len() - 1));
        // A page that begins at the first match and holds them all has counted them.
        let total = match counted {
            Some(total) => u64::try_from(total).unwrap_or(0),
            None if more || further => self.total(tx).await?,
            None => u64::try_from(resources.len()).unwrap_or(u64::MAX),
        };
        Ok(Listed { total, resources, next })
    }

    /// The selected resources in the order of a column, with their positions in it; and how many
    /// the list has, where that was to be had along with them.
    async fn show(
        &self,
        tx: &mut Read,
        column: Column,
        query: Sql,
        most: u64,
    ) -> Result<(Vec<Resource>, Vec<Position>, Option<i64>), Error> {
        if matches!(column.by, By::UserName | By::GroupName) {
            // How names are ordered the database knows best.
            let rows: Vec<Stored> = query.fetch_all(tx).await?;
            let positions = rows
                .iter()
                .map(|row| Ok(Position::Text(column.name_of(&row.attributes()?), row.id)))
                .collect::<Result<_, Error>>()?;
            return Ok((self.view.show(tx, self.kind, rows).await?, positions, None));
        }
        let counted = self.plan.conditions.is_empty().then_some(self.space);
        let (mut resources, total) =
            self.view.show_selected(tx, self.kind, query, most, counted).await?;
        let modified = column.by == By::Modified;
        resources.sort_unstable_by_key(|one| (modified.then_some(one.updated_at), one.id));
        if column.descending {
            resources.reverse();
        }
        let position = |one: &Resource| {
            if modified { Position::Time(one.updated_at, one.id) } else { Position::Id(one.id) }
        };
        let positions = resources.iter().map(position).collect();
        Ok((resources, positions, total))
    }

    /// The ids of a page that begins so many rows behind an id, or behind the beginning.
    async fn ids(
        &self,
        tx: &mut Read,
        column: Column,
        (behind, skip): (Option<i64>, u64),
        count: u64,
    ) -> Result<Vec<i64>, Error> {
        let mut query = self.kind.select_ids(self.space);
        self.plan.push(&mut query);
        if let Some(id) = behind {
            query.push(" AND r.id > ").push_bind(id);
        }
        column.push_order(&mut query);
        query.push_limit(count);
        query.push(" OFFSET ").push_bind(whole(skip));
        Ok(query.fetch_all::<(i64,)>(tx).await?.into_iter().map(|(id,)| id).collect())
    }

    /// A page made by looking at each row that satisfies the conditions.
    async fn scan(
        &self,
        tx: &mut Read,
        filter: Option<&Filter<'_>>,
        order: Option<&Order<'_>>,
        wanted: &Wanted<'_>,
    ) -> Result<Listed, Error> {
        let skip = match &wanted.at {
            At::Index(skip) | At::Cursor(Some(Position::Offset(skip))) => *skip,
            At::Cursor(None) => 0,
            At::Cursor(Some(_)) => return Err(foreign_cursor()),
        };
        let mut matched = self.matches(tx, filter, order, &mut 0).await?;
        if let Some(order) = order {
            // The sort is stable: those that are equal stay in the order of their making.
            matched.sort_by(|(one, _), (other, _)| order.compare(one, other));
        }
        let total = u64::try_from(matched.len()).unwrap_or(u64::MAX);
        let (skip_here, count) = (
            usize::try_from(skip).unwrap_or(usize::MAX),
            usize::try_from(wanted.count).unwrap_or(usize::MAX),
        );
        let ids: Vec<i64> =
            matched.into_iter().skip(skip_here).take(count).map(|(_, id)| id).collect();
        let end = skip.saturating_add(u64::try_from(ids.len()).unwrap_or(u64::MAX));
        let next = (matches!(wanted.at, At::Cursor(_)) && end < total && !ids.is_empty())
            .then_some(Position::Offset(end));
        let resources = self.rows(tx, &ids).await?;
        Ok(Listed { total, resources, next })
    }

    /// Everything that matches, with its key, in the order of the making; `scanned` counts the rows
    /// that were looked at.
    async fn matches(
        &self,
        tx: &mut Read,
        filter: Option<&Filter<'_>>,
        order: Option<&Order<'_>>,
        scanned: &mut usize,
    ) -> Result<Vec<(Key, i64)>, Error> {
        let types = self.kind.of(self.view.types);
        let relations = filter.is_some_and(|filter| asks_for_relations(filter, types))
            || order.is_some_and(|order| {
                matches!(&*order.target().0.attribute.name, "groups" | "members")
            });
        let (mut matched, mut after) = (Vec::<(Key, i64)>::new(), -1_i64);
        loop {
            let mut query = self.kind.select(self.space);
            self.plan.push(&mut query);
            query.push(" AND r.id > ").push_bind(after);
            query.push(" ORDER BY r.id LIMIT ").push_bind(i64::try_from(CHUNK).unwrap_or(0));
            let rows: Vec<Stored> = query.fetch_all(tx).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            *scanned += rows.len();
            if *scanned > MAX_SCANNED {
                return Err(too_many(filter.is_some()));
            }
            let full = rows.len() == CHUNK;
            let documents = self.view.complete(tx, self.kind, &rows, relations).await?;
            for (row, mut document) in rows.iter().zip(documents) {
                document::complete(types, &mut document);
                if filter.is_none_or(|filter| evaluate::matches(filter, types, &document)) {
                    let key = order.map_or(Key::Missing, |order| order.key(&document));
                    matched.push((key, row.id));
                }
            }
            if !full {
                break;
            }
        }
        Ok(matched)
    }

    /// The resources with these ids, in this order.
    async fn rows(&self, tx: &mut Read, ids: &[i64]) -> Result<Vec<Resource>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = self.kind.select(self.space);
        query.push(" AND r.id IN (").push_list(ids.iter().copied()).push(")");
        let mut rows: Vec<Stored> = query.fetch_all(tx).await?;
        let place: std::collections::HashMap<i64, usize> =
            ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        rows.sort_by_key(|row| place.get(&row.id).copied());
        self.view.show(tx, self.kind, rows).await
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn too_many(filtered: bool) -> Error {
    let detail = if filtered {
        format!(
            "This filter has to look at more than {MAX_SCANNED} resources one by one: narrow it by \
             userName, displayName, externalId, emails, active, members or meta.lastModified"
        )
    } else {
        format!(
            "More than {MAX_SCANNED} resources cannot be sorted by this attribute: sort by id, \
             userName, displayName of groups or meta.lastModified, or narrow the list by a filter"
        )
    };
    scim::Error::new(ErrorKind::TooMany, detail).into()
}

/// Whether the filter looks at `groups` of users or `members` of groups, which are not part of
/// the stored documents.
fn asks_for_relations(filter: &Filter<'_>, types: &scim::schema::ResourceType) -> bool {
    let mut asks = false;
    filter.visit(&mut |outer, term| {
        let ((Some(path), _) | (None, Filter::Present(path) | Filter::Compare(path, ..))) =
            (outer, term)
        else {
            return;
        };
        asks |= locate(types, path)
            .is_some_and(|location| matches!(&*location.attribute.name, "groups" | "members"));
    });
    asks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_read_only_when_asked_for() {
        let types = ResourceTypes::standard();
        let asks = |text: &str, kind: ResourceKind| {
            asks_for_relations(&Filter::parse(text).unwrap(), kind.of(types))
        };
        assert!(asks(r#"members[type eq "User"]"#, ResourceKind::Group));
        assert!(asks("groups pr", ResourceKind::User));
        assert!(!asks(r#"nickName eq "groups""#, ResourceKind::User));
    }
}
