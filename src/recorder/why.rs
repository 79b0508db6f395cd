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
    /// Whether the user is in the group now, and since when.
    pub since: Option<Timestamp>,
    /// One sentence.
    pub sentence: String,
    /// What made it so, latest first.
    pub evidence: Vec<Evidence>,
}

/// Something that bears on the answer.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// When.
    pub at: Timestamp,
    /// What, in one sentence.
    pub sentence: String,
    /// The recorded request, if the recorder still has it.
    pub request: Option<Recorded>,
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
        let what = match (joined, left, since) {
            (true, false, _) => "joined",
            (false, true, _) => "left",
            // More joined at once than the audit log names.
            _ if since == Some(change.at) => "joined, with many others",
            _ => continue,
        };
        let request = requests.iter().find(|one| one.request_id == change.request_id).cloned();
        let by = match request {
            Some(_) => "by a request of the directory".to_owned(),
            None if change.actor_name.is_empty() => "by the directory".to_owned(),
            None => format!("by {}", change.actor_name),
        };
        let sentence = format!("{} {what} {by}.", found_user.user_name);
        evidence.push(Evidence { at: change.at, sentence, request });
    }
    for request in
        requests.iter().filter(|one| one.outcome() == Outcome::Refused && named(one.body.as_ref()))
    {
        let sentence = "A request that names the user was refused.".to_owned();
        evidence.push(Evidence { at: request.at, sentence, request: Some(request.clone()) });
    }
    evidence.sort_by_key(|one| std::cmp::Reverse(one.at));
    let sentence = sentence_of(since, &found_user, &found_group, &changes, evidence.is_empty());
    Ok(Some(Why { since, sentence, evidence }))
}

fn sentence_of(
    since: Option<Timestamp>,
    user: &directory::User,
    group: &directory::Group,
    changes: &[audit::Record],
    nothing_known: bool,
) -> String {
    let (user_name, group_name) = (&user.user_name, &group.name);
    match since {
        Some(at) => {
            let at = at.to_jiff().strftime("%Y-%m-%d %H:%M:%S");
            format!("{user_name} is in {group_name} since {at} UTC.")
        }
        None if group.source == Source::Scim && user.source == Source::Manual => format!(
            "{user_name} is not in {group_name}: the user was made by hand, and a group of the \
             directory has only users of the directory."
        ),
        None if nothing_known && changes.is_empty() => {
            format!("{user_name} is not in {group_name}: no change of this group is on record.")
        }
        None if nothing_known => format!(
            "{user_name} is not in {group_name}: no request and no change on record has ever \
             named the user for this group. At the directory, look whether the user is assigned \
             and the group is pushed."
        ),
        None => format!("{user_name} is not in {group_name}."),
    }
}
