//! Handing a user or group over to the directory (SCIM-17), with everybody who shares a group with
//! it: who they are is shown first.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::find;
use crate::{
    app::App,
    directory::{self, Adoption},
    id::{GroupId, Principal, UserId},
    web::{
        Fault,
        console::{
            Administrator,
            frame::{Frame, Section, done},
        },
        page::Page,
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/adopt.html")]
struct Adopt {
    frame: Frame,
    name: String,
    at: String,
    adoption: Adoption,
}

/// What the form says again of whom the page showed.
#[derive(Deserialize)]
pub(in crate::web::console) struct AdoptForm {
    #[serde(default)]
    seen: String,
}

pub(in crate::web::console) async fn ask_user(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
) -> Result<Response, PageError> {
    let user = find(&app, administrator.space()?, id).await?;
    ask(&app, &administrator, Principal::User(id), user.user_name).await
}

pub(in crate::web::console) async fn ask_group(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let group = app.db.read(async |tx| directory::group(tx, space, id).await).await?;
    let group = group.ok_or(Fault::from(directory::Error::GroupNotFound))?;
    ask(&app, &administrator, Principal::Group(id), group.name).await
}

async fn ask(
    app: &App,
    who: &Administrator,
    principal: Principal,
    name: String,
) -> Result<Response, PageError> {
    let space = who.space()?.id;
    let adoption = app.db.read(async |tx| directory::adoption(tx, space, principal).await).await?;
    let (section, at) = place(principal);
    let frame = Frame::new(who, section, None);
    Ok(Page::new(Adopt { frame, name, at, adoption }).into_response())
}

fn place(principal: Principal) -> (Section, String) {
    match principal {
        Principal::User(id) => (Section::Users, format!("/console/users/{id}")),
        Principal::Group(id) => (Section::Groups, format!("/console/groups/{id}")),
    }
}

pub(in crate::web::console) async fn user(
    app: State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    form: Form<AdoptForm>,
) -> Result<Response, PageError> {
    adopt(app, administrator, Principal::User(id), form, "user-adopted").await
}

pub(in crate::web::console) async fn group(
    app: State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
    form: Form<AdoptForm>,
) -> Result<Response, PageError> {
    adopt(app, administrator, Principal::Group(id), form, "group-adopted").await
}

async fn adopt(
    State(app): State<App>,
    who: Administrator,
    principal: Principal,
    Form(form): Form<AdoptForm>,
    code: &'static str,
) -> Result<Response, PageError> {
    let space = who.space()?;
    app.db
        .write(async |tx| directory::adopt(tx, &who.act, space, principal, &form.seen).await)
        .await?;
    Ok(done(&place(principal).1, code))
}
