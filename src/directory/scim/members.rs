//! The members of groups that SCIM made: users that SCIM made, and values that are nobody here.
//!
//! A member is added and removed without looking at the others, whatever their number.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Value, json};

use super::{
    Error,
    resource::{ResourceKind, View},
};
use crate::{
    audit::Act,
    directory::Source,
    id::SpaceId,
    scim::{
        self, ErrorKind,
        patch::{MemberChange, member_matches},
    },
    store::{self as database, Read, Write, sql},
};

/// Values in one statement; both databases take more parameters than this needs.
const CHUNK: usize = 1000;
/// Members that one list of several groups may show.
const MAX_LISTED: i64 = 200_000;
/// Members that one audit record names; of more it has the number.
const MAX_RECORDED: usize = 1000;

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// A user that SCIM made.
    User(i64),
    /// Anything else the directory named: echoed, and it confers nothing.
    Dangling(String),
}

/// Who joined and who left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    added: Vec<String>,
    removed: Vec<String>,
}

impl Difference {
    /// Whether nobody did.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// What the audit record says: who left, who joined.
    pub fn states(&self) -> (Value, Value) {
        let state = |values: &[String]| json!({ "count": values.len(), "values": values.get(..MAX_RECORDED).unwrap_or(values) });
        (state(&self.removed), state(&self.added))
    }
}

/// The group whose members change.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub space: SpaceId,
    pub group: i64,
    pub act: &'a Act,
}

impl Target<'_> {
    /// Applies the changes in order. The caller holds the group's row.
    pub async fn apply(
        self,
        tx: &mut Write,
        changes: &[MemberChange<'_>],
        view: &View<'_>,
    ) -> Result<Difference, Error> {
        let mut difference = Difference::default();
        for change in changes {
            match change {
                MemberChange::Add(values) => self.add(tx, values, &mut difference).await?,
                MemberChange::Remove(values) => self.remove(tx, values, &mut difference).await?,
                MemberChange::Replace(values) => self.replace(tx, values, &mut difference).await?,
                MemberChange::RemoveMatching(filter) => {
                    let members = self.current(tx).await?;
                    let leaving: Vec<String> = members
                        .iter()
                        .filter(|member| member_matches(filter, &view.member(member)))
                        .map(value_of)
                        .collect();
                    self.remove(tx, &leaving, &mut difference).await?;
                }
            }
        }
        Ok(difference)
    }

    async fn current(self, tx: &mut Read) -> Result<Vec<Member>, Error> {
        Ok(of_groups(tx, &[self.group]).await?.remove(&self.group).unwrap_or_default())
    }

    async fn add(
        self,
        tx: &mut Write,
        values: &[String],
        difference: &mut Difference,
    ) -> Result<(), Error> {
        let (mut ids, mut strangers) = split(values);
        for chunk in ids.clone().chunks(CHUNK) {
            let known = self.known(tx, chunk).await?;
            ids.retain(|id| !chunk.contains(id) || known.contains(id));
            strangers.extend(
                chunk
                    .iter()
                    .filter(|id| !known.contains(id))
                    .map(|id| ResourceKind::User.show(*id)),
            );
        }
        for chunk in ids.chunks(CHUNK) {
            let mut query = sql("INSERT INTO group_members (group_id, user_id, joined_at) VALUES ");
            for (index, id) in chunk.iter().enumerate() {
                query.push(if index > 0 { ", (" } else { "(" }).push_bind(self.group);
                query.push(", ").push_bind(*id).push(", ").push_bind(self.act.now).push(")");
            }
            query.push(" ON CONFLICT DO NOTHING RETURNING user_id");
            let joined: Vec<(i64,)> = query.fetch_all(tx).await?;
            difference.added.extend(joined.iter().map(|(id,)| ResourceKind::User.show(*id)));
        }
        for chunk in strangers.chunks(CHUNK) {
            let mut query = sql("INSERT INTO dangling_group_members (group_id, value) VALUES ");
            for (index, value) in chunk.iter().enumerate() {
                query.push(if index > 0 { ", (" } else { "(" }).push_bind(self.group);
                query.push(", ").push_bind(value).push(")");
            }
            query.push(" ON CONFLICT DO NOTHING RETURNING value");
            let joined: Vec<(String,)> = query.fetch_all(tx).await?;
            difference.added.extend(joined.into_iter().map(|(value,)| value));
        }
        Ok(())
    }

    /// Those of the ids that are users SCIM made here. They stay so until this transaction ends:
    /// a delete at the same time waits, and then takes the membership away with the rest. Rows
    /// are locked in the order of their ids, so that two groups never wait for each other.
    async fn known(self, tx: &mut Write, ids: &[i64]) -> Result<HashSet<i64>, database::Error> {
        let mut query = sql("SELECT id FROM users WHERE space_id = ");
        query.push_bind(self.space).push(" AND source = ").push_bind(Source::Scim);
        query.push(" AND deleted_at IS NULL AND id IN (").push_list(ids.iter().copied());
        query.push(") ORDER BY id").push(tx.for_share());
        let known: Vec<(i64,)> = query.fetch_all(tx).await?;
        Ok(known.into_iter().map(|(id,)| id).collect())
    }

    async fn remove(
        self,
        tx: &mut Write,
        values: &[String],
        difference: &mut Difference,
    ) -> Result<(), Error> {
        let (ids, _) = split(values);
        for chunk in ids.chunks(CHUNK) {
            let mut query = sql("DELETE FROM group_members WHERE group_id = ");
            query.push_bind(self.group).push(" AND user_id IN (");
            query.push_list(chunk.iter().copied()).push(") RETURNING user_id");
            let left: Vec<(i64,)> = query.fetch_all(tx).await?;
            difference.removed.extend(left.iter().map(|(id,)| ResourceKind::User.show(*id)));
        }
        for chunk in values.chunks(CHUNK) {
            let mut query = sql("DELETE FROM dangling_group_members WHERE group_id = ");
            query.push_bind(self.group).push(" AND value IN (");
            query.push_list(chunk.iter()).push(") RETURNING value");
            let left: Vec<(String,)> = query.fetch_all(tx).await?;
            difference.removed.extend(left.into_iter().map(|(value,)| value));
        }
        Ok(())
    }

    /// Writes only the difference to what is there.
    async fn replace(
        self,
        tx: &mut Write,
        values: &[String],
        difference: &mut Difference,
    ) -> Result<(), Error> {
        let current: BTreeSet<String> = self.current(tx).await?.iter().map(value_of).collect();
        let wanted: HashSet<&String> = values.iter().collect();
        let leaving: Vec<String> =
            current.iter().filter(|value| !wanted.contains(value)).cloned().collect();
        let joining: Vec<String> =
            values.iter().filter(|value| !current.contains(*value)).cloned().collect();
        self.remove(tx, &leaving, difference).await?;
        self.add(tx, &joining, difference).await
    }
}

fn value_of(member: &Member) -> String {
    match member {
        Member::User(id) => ResourceKind::User.show(*id),
        Member::Dangling(value) => value.clone(),
    }
}

/// Ids in their order, and values that can be nobody's id.
fn split(values: &[String]) -> (Vec<i64>, Vec<String>) {
    let mut ids = Vec::new();
    let mut others = Vec::new();
    for value in values {
        match ResourceKind::User.parse(value) {
            Some(id) => ids.push(id),
            None => others.push(value.clone()),
        }
    }
    ids.sort_unstable();
    ids.dedup();
    (ids, others)
}

/// The members of each of the groups: users in the order of their ids, then dangling values.
pub async fn of_groups(tx: &mut Read, groups: &[i64]) -> Result<HashMap<i64, Vec<Member>>, Error> {
    let mut found: HashMap<i64, Vec<Member>> = HashMap::new();
    if groups.is_empty() {
        return Ok(found);
    }
    if groups.len() > 1 {
        let mut query = sql("SELECT COUNT(*) FROM group_members WHERE group_id IN (");
        query.push_list(groups.iter().copied()).push(")");
        if query.fetch_number(tx).await? > MAX_LISTED {
            let detail = format!(
                "These groups have more than {MAX_LISTED} members together: list fewer of them, or \
                 with excludedAttributes=members"
            );
            return Err(scim::Error::new(ErrorKind::TooMany, detail).into());
        }
    }
    let mut query = sql("SELECT group_id, user_id FROM group_members WHERE group_id IN (");
    query.push_list(groups.iter().copied()).push(") ORDER BY group_id, user_id");
    for (group, user) in query.fetch_all::<(i64, i64)>(tx).await? {
        found.entry(group).or_default().push(Member::User(user));
    }
    let mut query = sql("SELECT group_id, value FROM dangling_group_members WHERE group_id IN (");
    query.push_list(groups.iter().copied()).push(") ORDER BY group_id, value");
    for (group, value) in query.fetch_all::<(i64, String)>(tx).await? {
        found.entry(group).or_default().push(Member::Dangling(value));
    }
    Ok(found)
}

/// How many members a group has.
pub async fn count(tx: &mut Read, group: i64) -> Result<i64, database::Error> {
    sql("SELECT (SELECT COUNT(*) FROM group_members WHERE group_id = $1)
              + (SELECT COUNT(*) FROM dangling_group_members WHERE group_id = $1)")
    .bind(group)
    .fetch_number(tx)
    .await
}
