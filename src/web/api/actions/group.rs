//! Groups and who is in them.

use serde_json::{Value, json};

use super::{
    ZONE_ID, action,
    user::{group_filter, user_id},
};
use crate::{
    directory::{self, Group, GroupChange, Principal},
    id::{GroupId, UserId},
    provisioning,
    web::api::{
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        shape::{
            MAX_RESULTS, NEXT_TOKEN, ORIGIN, id, origin, page, page_request, source, status, time,
        },
    },
};

const GROUP_ID: Field = Field::text("GroupId").required();
const USER_ID: Field = Field::text("UserId").required();

pub const ACTIONS: &[Action] = &[
    action(
        "CreateGroup",
        &[
            ZONE_ID,
            Field::text("GroupName").required(),
            Field::text("Description"),
            Field::text("GroupType").rule(ORIGIN),
        ],
        |call| Box::pin(create(call)),
    ),
    action("GetGroup", &[ZONE_ID, GROUP_ID], |call| Box::pin(get(call))),
    action(
        "ListGroups",
        &[
            ZONE_ID,
            NEXT_TOKEN,
            MAX_RESULTS,
            Field::text("Filter"),
            Field::text("GroupType").rule(ORIGIN),
            Field::texts("FilterUsers").rule(Rule::Entries(100)),
            Field::text("SortField").rule(Rule::OneOf(&["CreateTime"])),
            Field::text("SortType").rule(Rule::OneOf(&["Asc", "Desc"])),
            Field::unsigned("Offset"),
        ],
        |call| Box::pin(list(call)),
    ),
    action(
        "UpdateGroup",
        &[ZONE_ID, GROUP_ID, Field::text("NewGroupName"), Field::text("NewDescription")],
        |call| Box::pin(update(call)),
    ),
    action("DeleteGroup", &[ZONE_ID, GROUP_ID], |call| Box::pin(delete(call))),
    action("AddUserToGroup", &[ZONE_ID, GROUP_ID, USER_ID], |call| Box::pin(add_user(call))),
    action("RemoveUserFromGroup", &[ZONE_ID, GROUP_ID, USER_ID], |call| {
        Box::pin(remove_user(call))
    }),
    action(
        "ListGroupMembers",
        &[ZONE_ID, GROUP_ID, NEXT_TOKEN, MAX_RESULTS, Field::text("UserType").rule(ORIGIN)],
        |call| Box::pin(list_members(call)),
    ),
];

fn info(group: &Group, selected: bool) -> Value {
    json!({
        "GroupName": group.name,
        "Description": group.description,
        "CreateTime": time(group.created_at),
        "GroupType": origin(group.source),
        "UpdateTime": time(group.updated_at),
        "GroupId": group.id,
        "MemberCount": group.member_count,
        "IsSelected": selected,
    })
}

fn group_id(call: &Call) -> Result<GroupId, Refusal> {
    id(call.parameters.text("GroupId"), "InvalidParameter.GroupNotExist", "GroupId")
}

async fn create(call: &Call) -> Answer {
    let parameters = &call.parameters;
    if parameters.optional_text("GroupType") == Some("Synchronized") {
        return Err(Refusal::new(
            "InvalidParameter.ParamError",
            "The parameter `GroupType` must be Manual: synchronized groups come by SCIM.",
        ));
    }
    let limit = call.app.settings.limits.groups;
    let (name, description) = (parameters.text("GroupName"), parameters.text("Description"));
    let group = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(directory::create_group(tx, &call.act, space, name, description, limit).await?)
        })
        .await?;
    Ok(object([("GroupInfo", info(&group, false))]))
}

async fn get(call: &Call) -> Answer {
    let group = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let group = directory::group(tx, space.id, group_id(call)?).await?;
            Ok(group.ok_or(directory::Error::GroupNotFound)?)
        })
        .await?;
    Ok(object([("GroupInfo", info(&group, false))]))
}

async fn list(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let mut filter = group_filter(parameters.optional_text("Filter"));
    filter.source = source(parameters.optional_text("GroupType"));
    filter.descending = parameters.optional_text("SortType") == Some("Desc");
    // What cannot be read names no user, and so selects no group.
    let users: Vec<UserId> =
        parameters.texts("FilterUsers").iter().filter_map(|text| text.parse().ok()).collect();
    let (found, selected) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let found = directory::groups(tx, space.id, &filter, wanted).await?;
            let groups: Vec<GroupId> = found.rows.iter().map(|group| group.id).collect();
            let pairs = directory::memberships_among(tx, space.id, &groups, &users).await?;
            Ok((found, pairs.into_iter().map(|(group, _)| group).collect::<Vec<_>>()))
        })
        .await?;
    Ok(page("Groups", found, wanted.limit, |group| info(&group, selected.contains(&group.id))))
}

/// What is not named stays; an empty description clears it.
async fn update(call: &Call) -> Answer {
    let change = GroupChange {
        name: call.parameters.optional_text("NewGroupName").map(str::to_owned),
        description: call.parameters.given_text("NewDescription").map(str::to_owned),
    };
    let group = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(directory::update_group(tx, &call.act, &space, group_id(call)?, &change).await?)
        })
        .await?;
    Ok(object([("GroupInfo", info(&group, false))]))
}

async fn delete(call: &Call) -> Answer {
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            match provisioning::delete_group(tx, &call.act, &space, group_id(call)?).await {
                // The reference has a word of its own for deleting.
                Err(directory::Error::GroupManagedByScim) => Err(Refusal::new(
                    "FailedOperation.SynchronizedGroupNotDelete",
                    "The group is managed by SCIM.",
                )),
                other => Ok(other?),
            }
        })
        .await?;
    Ok(object([]))
}

async fn add_user(call: &Call) -> Answer {
    let limits = call.app.directory_limits();
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let (group, user) = (group_id(call)?, user_id(call)?);
            match directory::add_member(tx, &call.act, &space, group, user, &limits).await {
                // The reference has a word of its own for each direction.
                Err(directory::Error::GroupManagedByScim) => Err(Refusal::new(
                    "FailedOperation.SynchronizedGroupNotAddUser",
                    "The group is managed by SCIM.",
                )),
                other => Ok(other?),
            }?;
            let changed = [Principal::User(user), Principal::Group(group)];
            Ok(provisioning::access_changed(tx, &call.act, space.id, &changed).await?)
        })
        .await?;
    Ok(object([]))
}

async fn remove_user(call: &Call) -> Answer {
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let (group, user) = (group_id(call)?, user_id(call)?);
            match directory::remove_member(tx, &call.act, &space, group, user).await {
                Err(directory::Error::GroupManagedByScim) => Err(Refusal::new(
                    "FailedOperation.SynchronizedGroupNotRemoveUser",
                    "The group is managed by SCIM.",
                )),
                // Somebody who does not exist is in no group either; the reference has no other
                // code for it here.
                Err(directory::Error::UserNotFound) => Err(directory::Error::NotMember.into()),
                other => Ok(other?),
            }?;
            let changed = [Principal::User(user), Principal::Group(group)];
            Ok(provisioning::access_changed(tx, &call.act, space.id, &changed).await?)
        })
        .await?;
    Ok(object([]))
}

async fn list_members(call: &Call) -> Answer {
    let wanted = page_request(&call.parameters)?;
    let kind = source(call.parameters.optional_text("UserType"));
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let group = directory::group(tx, space.id, group_id(call)?).await?;
            let group = group.ok_or(directory::Error::GroupNotFound)?;
            let mut found = directory::members(tx, group.id, wanted).await?;
            // A group and its members have the same source, so this takes all or nothing.
            if kind.is_some_and(|kind| kind != group.source) {
                (found.rows, found.total, found.next) = (Vec::new(), 0, None);
            }
            Ok(found)
        })
        .await?;
    Ok(page("GroupMembers", found, wanted.limit, |member| {
        json!({
            "UserName": member.user.user_name,
            "DisplayName": member.user.display_name,
            "Description": member.user.description,
            "Email": member.user.email,
            "UserStatus": status(member.user.enabled()),
            "UserType": origin(member.user.source),
            "UserId": member.user.id,
            "JoinTime": time(member.joined_at),
        })
    }))
}
