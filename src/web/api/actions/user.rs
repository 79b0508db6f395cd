//! Users.

use serde_json::{Value, json};

use super::{ZONE_ID, action};
use crate::{
    directory::{self, GroupFilter, NewUser, Principal, User, UserChange, UserFilter},
    id::{GroupId, UserId},
    provisioning,
    web::api::{
        call::{Action, Answer, Call, object},
        fields::{Field, Parameters, Rule},
        refusal::Refusal,
        shape::{
            MAX_RESULTS, NEXT_TOKEN, ORIGIN, STATUS, id, origin, page, page_request, source,
            status, time,
        },
    },
};

const USER_ID: Field = Field::text("UserId").required();
const NOT_FOUND: &str = "ResourceNotFound.UserNotExist";

pub const ACTIONS: &[Action] = &[
    action(
        "CreateUser",
        &[
            ZONE_ID,
            Field::text("UserName").required(),
            Field::text("FirstName"),
            Field::text("LastName"),
            Field::text("DisplayName"),
            Field::text("Description"),
            Field::text("Email"),
            Field::text("UserStatus").rule(STATUS),
            Field::text("UserType").rule(ORIGIN).refused_as("InvalidParameter.UserTypeError"),
            Field::boolean("NeedResetPassword"),
        ],
        |call| Box::pin(create(call)),
    ),
    action("GetUser", &[USER_ID, ZONE_ID], |call| Box::pin(get(call))),
    action(
        "ListUsers",
        &[
            ZONE_ID,
            Field::text("UserStatus").rule(STATUS),
            Field::text("UserType").rule(ORIGIN),
            Field::text("Filter"),
            MAX_RESULTS,
            NEXT_TOKEN,
            Field::texts("FilterGroups").rule(Rule::Entries(100)),
            Field::text("SortField").rule(Rule::OneOf(&["CreateTime"])),
            Field::text("SortType").rule(Rule::OneOf(&["Asc", "Desc"])),
            Field::unsigned("Offset"),
        ],
        |call| Box::pin(list(call)),
    ),
    action(
        "UpdateUser",
        &[
            ZONE_ID,
            USER_ID,
            Field::text("NewFirstName"),
            Field::text("NewLastName"),
            Field::text("NewDisplayName"),
            Field::text("NewDescription"),
            Field::text("NewEmail"),
            Field::boolean("NeedResetPassword"),
        ],
        |call| Box::pin(update(call)),
    ),
    action("DeleteUser", &[ZONE_ID, USER_ID], |call| Box::pin(delete(call))),
    action(
        "UpdateUserStatus",
        &[ZONE_ID, USER_ID, Field::text("NewUserStatus").required().rule(STATUS)],
        |call| Box::pin(update_status(call)),
    ),
    action("ListJoinedGroupsForUser", &[ZONE_ID, USER_ID, NEXT_TOKEN, MAX_RESULTS], |call| {
        Box::pin(list_groups(call))
    }),
];

/// A user as the API shows it. There are no passwords (DESIGN §8), so that field is empty.
pub fn info(user: &User, selected: bool) -> Value {
    json!({
        "UserName": user.user_name,
        "FirstName": user.first_name,
        "LastName": user.last_name,
        "DisplayName": user.display_name,
        "Description": user.description,
        "Email": user.email,
        "UserStatus": status(user.enabled()),
        "UserType": origin(user.source),
        "UserId": user.id,
        "CreateTime": time(user.created_at),
        "UpdateTime": time(user.updated_at),
        "IsSelected": selected,
        "Password": "",
        "NeedResetPassword": false,
    })
}

/// The user that `UserId` names.
pub fn user_id(call: &Call) -> Result<UserId, Refusal> {
    id(call.parameters.text("UserId"), NOT_FOUND, "UserId")
}

/// The user that these fields tell.
pub fn new_user(parameters: &Parameters) -> NewUser {
    let text = |name: &str| parameters.text(name).to_owned();
    NewUser {
        user_name: text("UserName"),
        first_name: text("FirstName"),
        last_name: text("LastName"),
        display_name: text("DisplayName"),
        email: text("Email"),
        description: text("Description"),
        disabled: parameters.optional_text("UserStatus") == Some("Disabled"),
    }
}

async fn create(call: &Call) -> Answer {
    let parameters = &call.parameters;
    if parameters.optional_text("UserType") == Some("Synchronized") {
        return Err(Refusal::new(
            "InvalidParameter.UserTypeError",
            "The parameter `UserType` must be Manual: synchronized users come by SCIM.",
        ));
    }
    let new = new_user(parameters);
    let limit = call.app.settings.limits.users;
    let user = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(directory::create_user(tx, &call.act, space.id, &new, limit).await?)
        })
        .await?;
    Ok(object([("UserInfo", info(&user, false))]))
}

async fn get(call: &Call) -> Answer {
    let user = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let user = directory::user(tx, space.id, user_id(call)?).await?;
            Ok(user.ok_or(directory::Error::UserNotFound)?)
        })
        .await?;
    Ok(object([("UserInfo", info(&user, false))]))
}

async fn list(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let filter = UserFilter {
        search: parameters.optional_text("Filter").map(|text| plain_filter(text).to_owned()),
        enabled: parameters.optional_text("UserStatus").map(|word| word == "Enabled"),
        source: source(parameters.optional_text("UserType")),
        outside: None,
        descending: parameters.optional_text("SortType") == Some("Desc"),
    };
    // What cannot be read names no group, and so selects nobody.
    let groups: Vec<GroupId> =
        parameters.texts("FilterGroups").iter().filter_map(|text| text.parse().ok()).collect();
    let (found, selected) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let found = directory::users(tx, space.id, &filter, wanted).await?;
            let users: Vec<UserId> = found.rows.iter().map(|user| user.id).collect();
            let pairs = directory::memberships_among(tx, space.id, &groups, &users).await?;
            Ok((found, pairs.into_iter().map(|(_, user)| user).collect::<Vec<_>>()))
        })
        .await?;
    Ok(page("Users", found, wanted.limit, |user| info(&user, selected.contains(&user.id))))
}

/// What is not named stays; an empty text clears.
async fn update(call: &Call) -> Answer {
    let text = |name: &str| call.parameters.given_text(name).map(str::to_owned);
    let change = UserChange {
        first_name: text("NewFirstName"),
        last_name: text("NewLastName"),
        display_name: text("NewDisplayName"),
        email: text("NewEmail"),
        description: text("NewDescription"),
    };
    let user = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(directory::update_user(tx, &call.act, &space, user_id(call)?, &change).await?)
        })
        .await?;
    Ok(object([("UserInfo", info(&user, false))]))
}

async fn delete(call: &Call) -> Answer {
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            match provisioning::delete_user(tx, &call.act, &space, user_id(call)?).await {
                // The reference has a word of its own for deleting.
                Err(directory::Error::UserManagedByScim) => Err(Refusal::new(
                    "FailedOperation.SynchronizedUserNotDelete",
                    "The user is managed by SCIM.",
                )),
                other => Ok(other?),
            }
        })
        .await?;
    Ok(object([]))
}

async fn update_status(call: &Call) -> Answer {
    let enabled = call.parameters.text("NewUserStatus") == "Enabled";
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let user = user_id(call)?;
            if directory::set_user_enabled(tx, &call.act, space.id, user, enabled).await? {
                let changed = [Principal::User(user)];
                provisioning::access_changed(tx, &call.act, space.id, &changed).await?;
            }
            Ok(())
        })
        .await?;
    Ok(object([]))
}

async fn list_groups(call: &Call) -> Answer {
    let wanted = page_request(&call.parameters)?;
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let user = directory::user(tx, space.id, user_id(call)?).await?;
            let user = user.ok_or(directory::Error::UserNotFound)?;
            Ok(directory::groups_of(tx, user.id, wanted).await?)
        })
        .await?;
    Ok(page("JoinedGroups", found, wanted.limit, |membership| {
        json!({
            "GroupName": membership.group.name,
            "Description": membership.group.description,
            "GroupId": membership.group.id,
            "GroupType": origin(membership.group.source),
            "JoinTime": time(membership.joined_at),
        })
    }))
}

/// Filters come as bare text or as `UserName sw text`: the comparison is a part of the text anyway.
fn plain_filter(text: &str) -> &str {
    match filter_parts(text) {
        Some((_, _, value)) => value,
        None => text,
    }
}

/// `GroupName eq text`, taken apart.
fn filter_parts(text: &str) -> Option<(&str, &str, &str)> {
    let (field, rest) = text.split_once(' ')?;
    let (operator, value) = rest.split_once(' ')?;
    let known = ["UserName", "Email", "UserId", "Description", "GroupName"].contains(&field);
    (known && ["eq", "sw"].contains(&operator)).then_some((field, operator, value.trim()))
}

/// How `ListGroups` reads its filter.
pub fn group_filter(text: Option<&str>) -> GroupFilter {
    let mut filter = GroupFilter::default();
    match text.and_then(filter_parts) {
        Some(("GroupName", "eq", name)) => filter.name = Some(name.to_owned()),
        _ => filter.search = text.map(|text| plain_filter(text).to_owned()),
    }
    filter
}
