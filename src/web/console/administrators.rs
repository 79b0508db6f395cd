//! Administrators, and the API keys of whoever looks (CON-14).

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Administrator,
    administrator::Oneself,
    frame::{Frame, ListQuery, Section, Wrong, done},
};
use crate::{
    app::App,
    cloud::{
        self, AdministratorRow, NewAccessKey,
        management::{self, AccessKey},
    },
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/administrators.html")]
struct Administrators {
    frame: Frame,
    rows: Vec<AdministratorRow>,
    account: String,
    policies: [&'static str; 2],
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let account = administrator.account.uin;
    let found = app.db.read(async |tx| cloud::administrators(tx, account).await).await;
    let rows = found.map_err(Fault::from)?;
    let frame = Frame::new(&administrator, Section::Administrators, None);
    let policies = [cloud::FULL_ACCESS, cloud::READ_ONLY_ACCESS];
    let page = Administrators { frame, rows, account: account.to_string(), policies };
    Ok(Page::new(page).into_response())
}

#[derive(Template)]
#[template(path = "console/keys.html")]
struct Keys {
    frame: Frame,
    rows: Vec<AccessKey>,
    /// One that was made just now: its secret is told this once.
    fresh: Option<NewAccessKey>,
    description: Field,
    wrong: Option<Wrong>,
}

async fn keys(
    app: &App,
    who: &Oneself,
    done: Option<&str>,
    fresh: Option<NewAccessKey>,
    wrong: Option<Wrong>,
) -> Result<Keys, PageError> {
    let user = &who.user;
    let found = app.db.read(async |tx| management::access_keys(tx, user).await).await;
    let rows = found.map_err(Fault::from)?;
    let frame = Frame::new(&who.administrator, Section::Keys, done);
    let description = Field::text("description", key!("remarks"))
        .optional()
        .longest(128)
        .error(Wrong::at(wrong.as_ref(), "description"));
    Ok(Keys { frame, rows, fresh, description, wrong })
}

pub(super) async fn show_keys(
    State(app): State<App>,
    who: Oneself,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    Ok(Page::new(keys(&app, &who, query.done.as_deref(), None, None).await?).into_response())
}

#[derive(Deserialize)]
pub(super) struct KeyForm {
    #[serde(default)]
    description: String,
}

/// The answer holds the secret, so it is no redirect: it is shown this once.
pub(super) async fn create_key(
    State(app): State<App>,
    who: Oneself,
    Form(form): Form<KeyForm>,
) -> Result<Response, PageError> {
    who.administrator.must_change()?;
    let key = cloud::new_access_key(&app.sealer).map_err(Fault::from)?;
    let (act, user) = (&who.administrator.act, &who.user);
    let description = form.description.trim();
    let made = app
        .db
        .write(async |tx| management::create_access_key(tx, act, user, &key, description).await)
        .await;
    match made {
        Ok(()) => Ok(Page::new(keys(&app, &who, None, Some(key), None).await?).into_response()),
        Err(error) => {
            let wrong = Wrong::of(error.into())?;
            let page = keys(&app, &who, None, None, Some(wrong)).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

pub(super) async fn enable_key(
    app: State<App>,
    who: Oneself,
    id: Path<String>,
) -> Result<Response, PageError> {
    set_key(app, who, id, true, "key-enabled").await
}

pub(super) async fn disable_key(
    app: State<App>,
    who: Oneself,
    id: Path<String>,
) -> Result<Response, PageError> {
    set_key(app, who, id, false, "key-disabled").await
}

async fn set_key(
    State(app): State<App>,
    who: Oneself,
    Path(id): Path<String>,
    enabled: bool,
    code: &'static str,
) -> Result<Response, PageError> {
    who.administrator.must_change()?;
    let (act, user) = (&who.administrator.act, &who.user);
    app.db
        .write(async |tx| management::set_access_key_enabled(tx, act, user, &id, enabled).await)
        .await
        .map_err(Fault::from)?;
    Ok(done("/console/keys", code))
}

pub(super) async fn delete_key(
    State(app): State<App>,
    who: Oneself,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    who.administrator.must_change()?;
    let (act, user) = (&who.administrator.act, &who.user);
    app.db
        .write(async |tx| management::delete_access_key(tx, act, user, &id).await)
        .await
        .map_err(Fault::from)?;
    Ok(done("/console/keys", "key-deleted"))
}
