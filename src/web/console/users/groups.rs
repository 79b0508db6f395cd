//! A user's groups, changed from the user's page (GRP-12): into several, and out of several.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::{
    app::App,
    directory,
    id::{GroupId, Principal, UserId},
    provisioning,
    web::{
        Fault,
        console::{
            Administrator, MOST_AT_ONCE,
            frame::{Wrong, done},
            refused,
        },
        pages::PageError,
    },
};

/// Groups that were ticked.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web::console) struct GroupsForm {
    group: Vec<GroupId>,
}

pub(in crate::web::console) async fn add(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    Form(form): Form<GroupsForm>,
) -> Result<Response, PageError> {
    change(state, administrator, id, form, true).await
}

pub(in crate::web::console) async fn remove(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    Form(form): Form<GroupsForm>,
) -> Result<Response, PageError> {
    change(state, administrator, id, form, false).await
}

/// All of it or nothing: what the API does with one group after the other, in one transaction.
async fn change(
    State(app): State<App>,
    who: Administrator,
    id: UserId,
    form: GroupsForm,
    join: bool,
) -> Result<Response, PageError> {
    let space = who.space()?;
    if form.group.is_empty() || form.group.len() > MOST_AT_ONCE {
        return Err(refused(&Wrong::whole(t!("tick-some", most = MOST_AT_ONCE))));
    }
    let limits = app.directory_limits();
    app.db
        .write(async |tx| -> Result<(), Fault> {
            let mut changed = vec![Principal::User(id)];
            for group in &form.group {
                if join {
                    directory::add_member(tx, &who.act, space, *group, id, &limits).await?;
                } else {
                    directory::remove_member(tx, &who.act, space, *group, id).await?;
                }
                changed.push(Principal::Group(*group));
            }
            Ok(provisioning::access_changed(tx, &who.act, space.id, &changed).await?)
        })
        .await?;
    let code = if join { "groups-joined" } else { "groups-left" };
    Ok(done(&format!("/console/users/{id}?tab=groups"), code).into_response())
}
