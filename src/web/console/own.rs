//! The administrator's own page: their password and their sessions.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    administrator::Oneself,
    frame::{Frame, ListQuery, Section, Wrong},
};
use crate::{
    app::App,
    cloud::{self, ConsoleSession, management},
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/own.html")]
struct Own {
    frame: Frame,
    name: String,
    uin: String,
    account: String,
    is_root: bool,
    sessions: Vec<ConsoleSession>,
    fields: Vec<Field>,
    wrong: Option<Wrong>,
}

async fn page(
    app: &App,
    who: &Oneself,
    done: Option<&str>,
    wrong: Option<Wrong>,
) -> Result<Own, PageError> {
    let (user, now) = (&who.user, who.administrator.act.now);
    let sessions = app.db.read(async |tx| cloud::console_sessions(tx, user.uin, now).await).await?;
    let fields = vec![
        Field::password("old", key!("password-old")).error(Wrong::at(wrong.as_ref(), "old")),
        Field::password("new", key!("password-new"))
            .autocomplete("new-password")
            .hint(key!("password-rule"))
            .error(Wrong::at(wrong.as_ref(), "new")),
        Field::password("again", key!("password-again"))
            .autocomplete("new-password")
            .error(Wrong::at(wrong.as_ref(), "again")),
    ];
    Ok(Own {
        frame: Frame::new(&who.administrator, Section::Own, done),
        name: user.name.clone(),
        uin: user.uin.to_string(),
        account: who.administrator.account.uin.to_string(),
        is_root: user.is_root,
        sessions,
        fields,
        wrong,
    })
}

pub(super) async fn show(
    State(app): State<App>,
    who: Oneself,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    Ok(Page::new(page(&app, &who, query.done.as_deref(), None).await?).into_response())
}

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    old: SecretString,
    new: SecretString,
    again: SecretString,
}

/// Whoever has changed it signs in with it: every session has ended.
pub(super) async fn change_password(
    State(app): State<App>,
    who: Oneself,
    Form(form): Form<PasswordForm>,
) -> Result<Response, PageError> {
    let wrong = match new_password(&form) {
        Ok(new) => {
            let old = Zeroizing::new(form.old.expose_secret().to_owned());
            let act = &who.administrator.act;
            let changed = cloud::password::replace(&app.db, act, &who.user, old, new).await;
            if changed.map_err(Fault::from)? {
                return Ok(Redirect::to("/console/login").into_response());
            }
            Wrong::field("old", t!("password-old-wrong"))
        }
        Err(wrong) => wrong,
    };
    let page = page(&app, &who, None, Some(wrong)).await?;
    Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

fn new_password(form: &PasswordForm) -> Result<Zeroizing<String>, Wrong> {
    if form.new.expose_secret() != form.again.expose_secret() {
        return Err(Wrong::field("again", t!("password-differs")));
    }
    management::new_password(Some(form.new.expose_secret()))
        .map_err(|_| Wrong::field("new", t!("password-weak")))
}

pub(super) async fn end_sessions(
    State(app): State<App>,
    who: Oneself,
) -> Result<Response, PageError> {
    let (act, user) = (&who.administrator.act, &who.user);
    let ended = app.db.write(async |tx| cloud::end_console_sessions(tx, act, user).await).await;
    ended.map_err(Fault::from)?;
    Ok(Redirect::to("/console/login").into_response())
}
