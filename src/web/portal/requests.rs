//! Asking for access, and what became of it.

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    frame::{Frame, Tab},
    home_of, words,
};
use crate::{
    access,
    app::App,
    id::RequestId,
    request::{self, Askable, LONGEST_TEXT, NewRequest, Progress, Request},
    store::Timestamp,
    web::{
        Face, Fault, PortalUser,
        messages::Message,
        page::Page,
        pages::{PageError, told},
    },
};

/// How many of one's requests are shown.
const SHOWN: i64 = 50;
/// The spans that one can ask for, in seconds.
const SPANS: [i64; 7] = [3600, 4 * 3600, 8 * 3600, 86_400, 7 * 86_400, 30 * 86_400, 90 * 86_400];

#[derive(Template)]
#[template(path = "portal/requests.html")]
struct RequestsPage {
    frame: Frame,
    now: Timestamp,
    done: Option<Message>,
    askable: Vec<Askable>,
    requests: Vec<Request>,
    form: AskForm,
    wrong: Option<Wrong>,
}

/// What is wrong with the form: at a field, or with all of it.
struct Wrong {
    field: &'static str,
    message: String,
}

impl RequestsPage {
    fn error(&self, field: &str) -> Option<&str> {
        let at = self.wrong.as_ref().filter(|wrong| wrong.field == field);
        at.map(|wrong| wrong.message.as_str())
    }

    /// What one of the things that can be asked for goes by in the form.
    #[expect(clippy::unused_self, reason = "a template calls methods")]
    fn wanted(&self, askable: &Askable) -> String {
        format!("{}/{}", askable.account_uin, askable.configuration_id)
    }

    /// How far a request is, as a badge.
    fn badge(&self, request: &Request) -> (&'static str, Message) {
        match request.progress {
            Progress::Pending => ("badge-busy", key!("portal-request-waiting")),
            Progress::Deploying => ("badge-busy", key!("portal-request-setting-up")),
            Progress::Done if request.ends_at.is_some_and(|end| end <= self.now) => {
                ("", key!("portal-request-over"))
            }
            Progress::Done => ("badge-good", key!("portal-request-approved")),
            Progress::Failed => ("badge-bad", key!("portal-request-broken")),
            Progress::Rejected => ("badge-bad", key!("portal-request-rejected")),
            Progress::Withdrawn => ("", key!("portal-request-withdrawn")),
        }
    }
}

/// Seconds in words: days or hours where they are whole, or hours and minutes.
pub(crate) fn span(seconds: i64) -> String {
    match (seconds % 86_400, seconds % 3_600) {
        (0, _) => t!("portal-span-days", count = seconds / 86_400),
        (_, 0) => t!("portal-span-hours", count = seconds / 3_600),
        (_, _) => crate::web::console::words::duration(seconds),
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AskForm {
    /// The account and the configuration, with a slash between.
    wanted: String,
    seconds: i64,
    reason: String,
}

#[derive(Deserialize)]
pub(super) struct RequestsQuery {
    #[serde(default)]
    done: String,
}

/// What one may ask for, and what one has asked for.
pub(super) async fn show(
    State(app): State<App>,
    caller: PortalUser,
    Query(query): Query<RequestsQuery>,
) -> Result<Response, PageError> {
    let done = match query.done.as_str() {
        "asked" => Some(key!("portal-done-asked")),
        "withdrawn" => Some(key!("portal-done-withdrawn")),
        _ => None,
    };
    let mut page = page(&app, caller, AskForm { seconds: SPANS[0], ..AskForm::default() }).await?;
    page.done = done;
    Ok(Page::new(page).into_response())
}

async fn page(app: &App, caller: PortalUser, form: AskForm) -> Result<RequestsPage, Fault> {
    let (space, user, now) = (caller.space.id, caller.user.id, caller.act.now);
    let (accounts, askable, requests) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let accounts = access::reachable(tx, space, user).await?;
            let askable = request::askable(tx, space, user).await?;
            Ok((accounts, askable, request::requests_of(tx, space, user, now, SHOWN).await?))
        })
        .await?;
    Ok(RequestsPage {
        frame: Frame::new(&caller, Tab::Requests, &accounts),
        now,
        done: None,
        askable,
        requests,
        form,
        wrong: None,
    })
}

/// Asks; where it is refused, the form comes back with why.
pub(super) async fn ask(
    State(app): State<App>,
    caller: PortalUser,
    Form(form): Form<AskForm>,
) -> Result<Response, PageError> {
    let meant = form.wanted.split_once('/').and_then(|(account, configuration)| {
        Some((account.parse().ok()?, configuration.parse().ok()?))
    });
    let new = NewRequest {
        account: meant.map(|(account, _)| account),
        configurations: meant.map(|(_, configuration)| configuration).into_iter().collect(),
        reason: form.reason.clone(),
        seconds: form.seconds,
    };
    let (act, space, user) = (&caller.act, caller.space.id, &caller.user);
    let asked = app.db.write(async |tx| request::ask(tx, act, space, user, &new).await).await;
    let fault = match asked {
        Ok(_) => {
            let home = home_of(&caller.space.name);
            return Ok(Redirect::to(&format!("{home}/requests?done=asked")).into_response());
        }
        Err(error) => Fault::from(error),
    };
    let field = match Face::of(&fault) {
        Face::Field(field) => field,
        Face::Refused | Face::NotFound => "",
        Face::Malformed | Face::Internal => return Err(fault.into()),
    };
    let mut page = page(&app, caller, form).await?;
    page.wrong = Some(Wrong { field, message: told(&fault) });
    Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

/// Takes back a request of one's own.
pub(super) async fn withdraw(
    State(app): State<App>,
    caller: PortalUser,
    Path((_, id)): Path<(String, RequestId)>,
) -> Result<Response, PageError> {
    let (act, space, user) = (&caller.act, caller.space.id, caller.user.id);
    app.db.write(async |tx| request::withdraw(tx, act, space, user, id).await).await?;
    let home = home_of(&caller.space.name);
    Ok(Redirect::to(&format!("{home}/requests?done=withdrawn")).into_response())
}
