//! Why somebody is in a group, or is not.

use super::{Outcome, Recorded, store};
use crate::{
    audit,
    directory::{self, Source},
    id::{GroupId, PrincipalKind, SpaceId, UserId},
    store::{Page, PageRequest, Read, Timestamp},
};

/// Changes of a group, and requests about it, that are looked through.
const LOOKED_THROUGH: i64 = 2000;

/// What is known about one user and one group.
#[derive(Clone, Debug)]
pub struct Why {
    /// The user's name.
    pub user: String,
    /// The group's name.
    pub group: String,
    /// Whether the user is in the group now, and since when.
    pub since: Option<Timestamp>,
    /// How the user stands to the group.
    pub standing: Standing,
    /// What made it so, latest first.
    pub evidence: Vec<Evidence>,
}

/// How a user stands to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In it.
    Member,
    /// Made by hand, where the group is the directory's.
    MadeByHand,
    /// Not in it; no change of the group is on record.
    NoRecord,
    /// Not in it, and never named for it.
    NeverNamed,
    /// Not in it, as the evidence says.
    NotMember,
}

/// Something that bears on the answer.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// The recorded request, if the recorder still has it.
    pub request: Option<Recorded>,
}

/// What happened to a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It began.
    Joined(By),
    /// It began with so many others that the audit log does not name them.
    JoinedWithOthers(By),
    /// It ended.
    Left(By),
    /// A request that names the user was refused.
    Refused,
}

/// Who made it happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// A request of the directory that is on record.
    Request,
    /// The directory.
    Directory,
    /// Somebody of this name.
    Person(String),
}

/// Answers why the user is in the group or not; none when one of them does not exist.
pub async fn why(
    tx: &mut Read,
    space: SpaceId,
    user: UserId,
    group: GroupId,
) -> Result<Option<Why>, directory::Error> {
    let (Some(found_user), Some(found_group)) =
        (directory::user(tx, space, user).await?, directory::group(tx, space, group).await?)
    else {
        return Ok(None);
    };
    let since = directory::member_since(tx, group, user).await?;
    let changes = audit::of_object(tx, space, "group", &group.to_string(), LOOKED_THROUGH).await?;
    let wanted = store::Search {
        kind: Some(PrincipalKind::Group),
        id: Some(group.0),
        ..store::Search::default()
    };
    let page = PageRequest { limit: LOOKED_THROUGH, offset: 0, after: None };
    let Page { rows: requests, .. } = store::search(tx, space, &wanted, page).await?;
    let name = user.to_string();
    let quoted = format!("\"{name}\"");
    let named = |text: Option<&String>| text.is_some_and(|text| text.contains(&quoted));
    let mut evidence = Vec::new();
    for change in &changes {
        let (left, joined) =
            (named(change.state_before.as_ref()), named(change.state_after.as_ref()));
        let what: fn(By) -> Event = match (joined, left, since) {
            (true, false, _) => Event::Joined,
            (false, true, _) => Event::Left,
            // More joined at once than the audit log names.
            _ if since == Some(change.at) => Event::JoinedWithOthers,
            _ => continue,
        };
        let request = requests.iter().find(|one| one.request_id == change.request_id).cloned();
        let by = match request {
            Some(_) => By::Request,
            None if change.actor_name.is_empty() => By::Directory,
            None => By::Person(change.actor_name.clone()),
        };
        evidence.push(Evidence { at: change.at, event: what(by), request });
    }
    for request in
        requests.iter().filter(|one| one.outcome() == Outcome::Refused && named(one.body.as_ref()))
    {
        let request_at = request.at;
        let request = Some(request.clone());
        evidence.push(Evidence { at: request_at, event: Event::Refused, request });
    }
    evidence.sort_by_key(|one| std::cmp::Reverse(one.at));
    let standing = match since {
        Some(_) => Standing::Member,
        None if found_group.source == Source::Scim && found_user.source == Source::Manual => {
            Standing::MadeByHand
        }
        None if evidence.is_empty() && changes.is_empty() => Standing::NoRecord,
        None if evidence.is_empty() => Standing::NeverNamed,
        None => Standing::NotMember,
    };
    let (user, group) = (found_user.user_name, found_group.name);
    Ok(Some(Why { user, group, since, standing, evidence }))
}
