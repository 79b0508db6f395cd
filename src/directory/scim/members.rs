//! The members of groups that SCIM made: users that SCIM made, and values that are nobody here.
//!
//! A member is added and removed without looking at the others, whatever their number.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{
    Error,
    resource::{Push, ResourceKind},
};
use crate::{
    id::UserId,
    scim::{
        self, ErrorKind,
        patch::{MemberChange, member_matches},
    },
    store::{self as database, Kind, Read, Write, sql},
};

/// Values in one statement; both databases take more parameters than this needs.
const CHUNK: usize = 1000;
/// Members that one list of several groups may show. They are numbers until they are sent.
const MAX_LISTED: i64 = 1_000_000;
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

/// The members of a group: users in the order of their ids, then dangling values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    users: Vec<i64>,
    dangling: Vec<String>,
}

impl Members {
    /// These.
    #[cfg(test)]
    pub(super) fn of(users: Vec<i64>, dangling: Vec<String>) -> Self {
        Self { users, dangling }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.dangling.is_empty()
    }
}

impl IntoIterator for Members {
    type Item = Member;
    type IntoIter = std::iter::Chain<
        std::iter::Map<std::vec::IntoIter<i64>, fn(i64) -> Member>,
        std::iter::Map<std::vec::IntoIter<String>, fn(String) -> Member>,
    >;

    fn into_iter(self) -> Self::IntoIter {
        let users = self.users.into_iter().map(Member::User as fn(i64) -> Member);
        users.chain(self.dangling.into_iter().map(Member::Dangling as fn(String) -> Member))
    }
}

/// Members that came or went: how many, and who, up to [`MAX_RECORDED`] of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Moved {
    count: usize,
    values: Vec<String>,
}

impl Moved {
    fn note(&mut self, value: impl FnOnce() -> String) {
        self.count += 1;
        if self.values.len() < MAX_RECORDED {
            self.values.push(value());
        }
    }
}

/// Who joined and who left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    added: Moved,
    removed: Moved,
    /// Every user that joined, for the limits.
    joined: Vec<i64>,
}

impl Difference {
    /// Whether nobody did.
    pub fn is_empty(&self) -> bool {
        self.added.count == 0 && self.removed.count == 0
    }

    /// What the audit record says: who left, who joined.
    pub fn states(&self) -> (Value, Value) {
        let state = |moved: &Moved| json!({ "count": moved.count, "values": moved.values });
        (state(&self.removed), state(&self.added))
    }
}

/// The group whose members change.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub push: &'a Push<'a>,
    pub group: i64,
}

impl Target<'_> {
    /// Applies the changes in order. The caller holds the group's row.
    pub async fn apply(
        self,
        tx: &mut Write,
        changes: Vec<MemberChange<'_>>,
    ) -> Result<Difference, Error> {
        let mut difference = Difference::default();
        for change in joined(changes) {
            match change {
                MemberChange::Add(values) => self.add(tx, &values, &mut difference).await?,
                MemberChange::Remove(values) => self.remove(tx, &values, &mut difference).await?,
                MemberChange::Replace(values) => self.replace(tx, &values, &mut difference).await?,
                MemberChange::RemoveMatching(filter) => {
                    let leaving: Vec<String> = self
                        .current(tx)
                        .await?
                        .into_iter()
                        .filter(|member| member_matches(&filter, &self.push.view.member(member)))
                        .map(|member| value_of(&member))
                        .collect();
                    self.remove(tx, &leaving, &mut difference).await?;
                }
            }
        }
        self.check_limits(tx, &difference.joined).await?;
        Ok(difference)
    }

    /// GRP-15: once for all changes of a request, so that members may change places in a full
    /// group. Where a limit is as wide as the space, nothing can be beyond it and nothing is asked.
    async fn check_limits(self, tx: &mut Read, joined: &[i64]) -> Result<(), Error> {
        let limits = self.push.limits;
        if joined.is_empty() {
            return Ok(());
        }
        if limits.counts_members() {
            let count = sql("SELECT COUNT(*) FROM group_members WHERE group_id = $1")
                .bind(self.group)
                .fetch_number(tx)
                .await?;
            if count > limits.members {
                return Err(Error::TooManyMembers { limit: limits.members, count });
            }
        }
        if limits.counts_memberships() {
            let limit = limits.memberships;
            let mut query = sql("SELECT user_id, COUNT(*) FROM group_members WHERE user_id IN ");
            query.push_numbers(joined).push(" GROUP BY user_id HAVING COUNT(*) > ");
            query.push_bind(limit).push(" ORDER BY user_id LIMIT 1");
            let beyond: Option<(UserId, i64)> = query.fetch_optional(tx).await?;
            if let Some((user, count)) = beyond {
                return Err(Error::TooManyMemberships { user, limit, count });
            }
        }
        Ok(())
    }

    async fn current(self, tx: &mut Read) -> Result<Members, Error> {
        Ok(of_groups(tx, &[self.group]).await?.remove(&self.group).unwrap_or_default())
    }

    async fn add(
        self,
        tx: &mut Write,
        values: &[String],
        difference: &mut Difference,
    ) -> Result<(), Error> {
        let (ids, mut strangers) = split(values);
        if !ids.is_empty() {
            let known = self.users_among(tx, &ids).await?;
            strangers.extend(without(&ids, &known).map(|id| ResourceKind::User.show(id)));
            self.insert(tx, known, difference).await?;
        }
        if let (Some(stranger), true) =
            (strangers.first(), self.push.settings().refuse_unknown_members)
        {
            let detail = format!("members: {stranger} is no user of this directory");
            return Err(scim::Error::new(ErrorKind::InvalidValue, detail).into());
        }
        for chunk in strangers.chunks(CHUNK) {
            let mut query = sql("INSERT INTO dangling_group_members (group_id, value) VALUES ");
            for (index, value) in chunk.iter().enumerate() {
                query.push(if index > 0 { ", (" } else { "(" }).push_bind(self.group);
                query.push(", ").push_bind(value).push(")");
            }
            query.push(" ON CONFLICT DO NOTHING RETURNING value");
            for (value,) in query.fetch_all::<(String,)>(tx).await? {
                difference.added.note(|| value);
            }
        }
        Ok(())
    }

    /// Writes memberships of users that are there; their ids come in order.
    async fn insert(
        self,
        tx: &mut Write,
        users: Vec<i64>,
        difference: &mut Difference,
    ) -> Result<(), Error> {
        if users.is_empty() {
            return Ok(());
        }
        // Each row that comes back costs. Where they are many it is better to ask who is there:
        // whoever holds the group's row is the only one who adds.
        let many = users.len() > CHUNK;
        let joining = if many {
            let there = self.members_among(tx, users.clone()).await?;
            without(&users, &there).collect()
        } else {
            users
        };
        let mut query = sql("INSERT INTO group_members (group_id, user_id, joined_at) SELECT ");
        query.push_bind(self.group).push(", n.value, ").push_bind(self.push.act.now);
        query.push(" FROM ").push_numbers(joining.clone());
        query.push(" AS n WHERE 1 = 1 ON CONFLICT DO NOTHING");
        let mut came = if many {
            query.execute(tx).await?;
            joining
        } else {
            query.push(" RETURNING user_id");
            query.fetch_all::<(i64,)>(tx).await?.into_iter().map(|(id,)| id).collect()
        };
        if tx.kind() == Kind::Postgres && !came.is_empty() {
            // The foreign key holds the users' rows now: who deletes one waits, and then takes
            // the membership away with the rest. Who was deleted just before is seen here.
            came.sort_unstable();
            let stay = self.users_among(tx, &came).await?;
            let gone: Vec<i64> = without(&came, &stay).collect();
            if !gone.is_empty() {
                let mut query = sql("DELETE FROM group_members WHERE group_id = ");
                query.push_bind(self.group).push(" AND user_id IN ").push_numbers(gone);
                query.execute(tx).await?;
            }
            came = stay;
        }
        for id in &came {
            difference.added.note(|| ResourceKind::User.show(*id));
        }
        difference.joined.append(&mut came);
        Ok(())
    }

    /// Those of the ids that are users SCIM made here, in order.
    async fn users_among(self, tx: &mut Read, ids: &[i64]) -> Result<Vec<i64>, database::Error> {
        let mut query = sql("SELECT id FROM users
             WHERE source = 'scim' AND deleted_at IS NULL AND space_id = ");
        query.push_bind(self.push.space.id).push(" AND id IN ").push_numbers(ids);
        query.fetch_numbers(tx).await
    }

    /// Those of the ids that are members, in order.
    async fn members_among(
        self,
        tx: &mut Read,
        ids: Vec<i64>,
    ) -> Result<Vec<i64>, database::Error> {
        let mut query = sql("SELECT user_id FROM group_members WHERE group_id = ");
        query.push_bind(self.group).push(" AND user_id IN ").push_numbers(ids);
        query.fetch_numbers(tx).await
    }

    async fn remove(
        self,
        tx: &mut Write,
        values: &[String],
        difference: &mut Difference,
    ) -> Result<(), Error> {
        let (ids, _) = split(values);
        if !ids.is_empty() {
            let many = ids.len() > CHUNK;
            let leaving = if many { self.members_among(tx, ids).await? } else { ids };
            let mut query = sql("DELETE FROM group_members WHERE group_id = ");
            query.push_bind(self.group).push(" AND user_id IN ").push_numbers(leaving.clone());
            let left = if many {
                query.execute(tx).await?;
                leaving
            } else {
                query.push(" RETURNING user_id");
                query.fetch_all::<(i64,)>(tx).await?.into_iter().map(|(id,)| id).collect()
            };
            for id in left {
                difference.removed.note(|| ResourceKind::User.show(id));
            }
        }
        if values.len() > CHUNK
            && !sql("SELECT 1 FROM dangling_group_members WHERE group_id = $1 LIMIT 1")
                .bind(self.group)
                .exists(tx)
                .await?
        {
            return Ok(());
        }
        for chunk in values.chunks(CHUNK) {
            let mut query = sql("DELETE FROM dangling_group_members WHERE group_id = ");
            query.push_bind(self.group).push(" AND value IN (");
            query.push_list(chunk.iter()).push(") RETURNING value");
            for (value,) in query.fetch_all::<(String,)>(tx).await? {
                difference.removed.note(|| value);
            }
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
        let wanted: HashSet<&str> = values.iter().map(String::as_str).collect();
        let mut there = HashSet::new();
        let mut leaving = Vec::new();
        for member in self.current(tx).await? {
            let value = value_of(&member);
            if wanted.contains(value.as_str()) {
                there.insert(value);
            } else {
                leaving.push(value);
            }
        }
        let joining: Vec<String> =
            values.iter().filter(|value| !there.contains(*value)).cloned().collect();
        self.remove(tx, &leaving, difference).await?;
        self.add(tx, &joining, difference).await
    }
}

/// Several changes of one kind in a row are one (authentik sends an operation per member).
fn joined(changes: Vec<MemberChange<'_>>) -> Vec<MemberChange<'_>> {
    let mut joined: Vec<MemberChange<'_>> = Vec::with_capacity(changes.len());
    for change in changes {
        match (joined.last_mut(), change) {
            (Some(MemberChange::Add(values)), MemberChange::Add(more))
            | (Some(MemberChange::Remove(values)), MemberChange::Remove(more)) => {
                values.extend(more);
            }
            (_, change) => joined.push(change),
        }
    }
    joined
}

fn value_of(member: &Member) -> String {
    match member {
        Member::User(id) => ResourceKind::User.show(*id),
        Member::Dangling(value) => value.clone(),
    }
}

/// Ids in their order, and values that can be nobody's id; each once.
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

/// Those of the ids that are not among the others; both come in order.
fn without<'a>(ids: &'a [i64], others: &'a [i64]) -> impl Iterator<Item = i64> + 'a {
    ids.iter().copied().filter(|id| others.binary_search(id).is_err())
}

/// The members of each of the groups.
pub async fn of_groups(tx: &mut Read, groups: &[i64]) -> Result<HashMap<i64, Members>, Error> {
    let mut found: HashMap<i64, Members> = HashMap::new();
    if groups.is_empty() {
        return Ok(found);
    }
    if groups.len() > 1 {
        let mut query =
            sql("SELECT COUNT(*) FROM (SELECT 1 FROM group_members WHERE group_id IN (");
        query.push_list(groups.iter().copied()).push(") LIMIT ").push_bind(MAX_LISTED + 1);
        query.push(") AS counted");
        if query.fetch_number(tx).await? > MAX_LISTED {
            let detail = format!(
                "These groups have more than {MAX_LISTED} members together: list fewer of them, or \
                 with excludedAttributes=members"
            );
            return Err(scim::Error::new(ErrorKind::TooMany, detail).into());
        }
    }
    if let [group] = groups {
        let query = sql("SELECT user_id FROM group_members WHERE group_id = $1").bind(*group);
        found.entry(*group).or_default().users = query.fetch_numbers(tx).await?;
    } else {
        let mut query = sql("SELECT group_id, user_id FROM group_members WHERE group_id IN (");
        query.push_list(groups.iter().copied()).push(") ORDER BY group_id, user_id");
        for (group, user) in query.fetch_all::<(i64, i64)>(tx).await? {
            found.entry(group).or_default().users.push(user);
        }
    }
    let mut query = sql("SELECT group_id, value FROM dangling_group_members WHERE group_id IN (");
    query.push_list(groups.iter().copied()).push(") ORDER BY group_id, value");
    for (group, value) in query.fetch_all::<(i64, String)>(tx).await? {
        found.entry(group).or_default().dangling.push(value);
    }
    Ok(found)
}

/// Whether a group has more members than this, without counting all of them.
pub async fn more_than(tx: &mut Read, group: i64, number: i64) -> Result<bool, database::Error> {
    for text in [
        "SELECT 1 FROM group_members WHERE group_id = $1 LIMIT 1 OFFSET $2",
        "SELECT 1 FROM dangling_group_members WHERE group_id = $1 LIMIT 1 OFFSET $2",
    ] {
        if sql(text).bind(group).bind(number).exists(tx).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many members a group has.
pub async fn count(tx: &mut Read, group: i64) -> Result<i64, database::Error> {
    sql("SELECT (SELECT COUNT(*) FROM group_members WHERE group_id = $1)
              + (SELECT COUNT(*) FROM dangling_group_members WHERE group_id = $1)")
    .bind(group)
    .fetch_number(tx)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_one_kind_in_a_row_are_one_and_the_order_of_kinds_stays() {
        let one = |value: &str| vec![value.to_owned()];
        let changes = vec![
            MemberChange::Add(one("a")),
            MemberChange::Add(one("b")),
            MemberChange::Remove(one("a")),
            MemberChange::Add(one("c")),
        ];
        assert_eq!(
            joined(changes),
            vec![
                MemberChange::Add(vec!["a".into(), "b".into()]),
                MemberChange::Remove(one("a")),
                MemberChange::Add(one("c")),
            ]
        );
    }
}
