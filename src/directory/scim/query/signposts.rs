//! What stands deep in a long list, without counting all that stands before it.
//!
//! Every thousandth id of the list of all users, or all groups, of a space is remembered, in the order
//! of their making. A page deep in the list then begins at the signpost before it. What is remembered
//! holds as long as nobody left the list: new ones come at its end. The newest are not remembered,
//! because somebody whose clock is behind may still put one before them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::ResourceKind;
use crate::{
    id::SpaceId,
    store::{Read, Result},
};

/// Resources from one signpost to the next; the statement in [`Signposts::further`] says it too.
const STRIDE: u64 = 1000;
/// Milliseconds for which a place in the list is not yet sure: an id is as old as the request, whose body
/// may take its time (at most ten minutes).
const UNSURE: i64 = 900_000;
/// Lists that are remembered at most.
const MOST_LISTS: usize = 1000;

/// The signposts of the lists that were read here. They take 8 bytes for a thousand resources.
#[derive(Debug, Default)]
pub struct Signposts(Mutex<HashMap<(SpaceId, ResourceKind), Arc<Posts>>>);

#[derive(Debug, Default)]
struct Posts {
    /// How many had ever left when they were put up.
    removed: i64,
    /// The ids of the resources number 1000, 2000, …
    ids: Vec<i64>,
    /// The millisecond up to which the list was looked at.
    until: i64,
}

/// When an id was given out, in milliseconds.
fn millisecond(id: i64) -> i64 {
    id >> 20
}

impl Signposts {
    /// Where to begin for what stands after `skip` resources: the id of a resource that stands
    /// before it, and how many have to be skipped after that one. `removed` is how many have ever
    /// left the lists of this kind.
    pub(super) async fn find(
        &self,
        tx: &mut Read,
        (space, kind): (SpaceId, ResourceKind),
        removed: i64,
        skip: u64,
    ) -> Result<(Option<i64>, u64)> {
        let wanted = skip / STRIDE;
        if wanted == 0 {
            return Ok((None, skip));
        }
        let known = self.lists().get(&(space, kind)).cloned();
        let mut posts = known
            .filter(|posts| posts.removed == removed)
            .unwrap_or_else(|| Arc::new(Posts { removed, ..Posts::default() }));
        if wanted > posts.ids.len() as u64 {
            posts = self.further(tx, (space, kind), &posts).await?;
        }
        let passed = wanted.min(posts.ids.len() as u64);
        let before = usize::try_from(passed).unwrap_or(0).checked_sub(1);
        let post = before.and_then(|before| posts.ids.get(before)).copied();
        Ok((post, skip - passed * STRIDE))
    }

    /// Puts up those that are missing.
    async fn further(
        &self,
        tx: &mut Read,
        (space, kind): (SpaceId, ResourceKind),
        posts: &Arc<Posts>,
    ) -> Result<Arc<Posts>> {
        let mut newest = kind.select_ids(space);
        newest.push(" ORDER BY r.id DESC LIMIT 1");
        let newest = newest.fetch_optional::<(i64,)>(tx).await?;
        let sure = newest.map_or(0, |(id,)| millisecond(id) - UNSURE);
        // Who fills a list at this moment asks for what is unsure again and again.
        if sure <= posts.until + UNSURE && posts.until > 0 {
            return Ok(Arc::clone(posts));
        }
        let last = posts.ids.last().copied().unwrap_or(-1);
        let mut rest = kind.select_ids(space);
        rest.push(" AND r.id > ").push_bind(last);
        let rest = rest.inside(
            "SELECT numbered.id FROM (
                 SELECT listed.id AS id, ROW_NUMBER() OVER (ORDER BY listed.id) AS place FROM (",
            ") AS listed) AS numbered WHERE numbered.place % 1000 = 0",
        );
        let found = rest.fetch_numbers(tx).await?;
        let mut ids = posts.ids.clone();
        ids.extend(found.into_iter().take_while(|id| millisecond(*id) <= sure));
        let posts = Arc::new(Posts { removed: posts.removed, ids, until: sure.max(1) });
        let mut lists = self.lists();
        if lists.len() >= MOST_LISTS {
            lists.clear();
        }
        lists.insert((space, kind), Arc::clone(&posts));
        Ok(posts)
    }

    fn lists(&self) -> std::sync::MutexGuard<'_, HashMap<(SpaceId, ResourceKind), Arc<Posts>>> {
        // Whoever panicked while holding it left it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
