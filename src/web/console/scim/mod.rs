//! Settings › SCIM: the switch, the address and the tokens; the brake; what directories asked and
//! what came of it.

mod body;
mod brake;
mod deletions;
mod effect;
mod rehearsal;
mod requests;
mod schemas;
mod settings;
mod tokens;
mod told;
mod why;

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{
    Administrator,
    frame::{Frame, ListQuery, Section, Wrong, done},
};
use crate::{
    app::App,
    credential,
    directory::{ChangedByHand, changed_by_hand_since, scim as directory},
    recorder::{self, Outcome},
    space,
    store::{PageRequest, Timestamp},
    web::{Caller, Fault, Routes, page::Page, pages::PageError},
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use requests::{Row, badge};
use tokens::{Fresh, TokenRow};

pub(super) use brake::Standing;

const HERE: &str = "/console/settings/scim";
/// Refusals that the first page shows.
const LATEST: i64 = 5;

/// The tabs: what follows in the address, and the words.
pub(super) static TABS: [(&str, crate::web::messages::Message); 6] = [
    ("", key!("scim-tab-connection")),
    ("/requests", key!("scim-tab-requests")),
    ("/deletions", key!("scim-tab-deletions")),
    ("/why", key!("scim-tab-memberships")),
    ("/schemas", key!("scim-tab-schemas")),
    ("/settings", key!("scim-tab-switches")),
];

/// The routes of these pages, added to others.
pub(super) fn add_routes(routes: Routes) -> Routes {
    use Caller::Administrator as Admin;
    routes
        .get("/console/settings/scim", Admin, show)
        .post("/console/settings/scim/brake/lift", Admin, brake::lift)
        .post("/console/settings/scim/brake/back", Admin, brake::back)
        .get("/console/settings/scim/deletions", Admin, deletions::list)
        .get("/console/settings/scim/requests", Admin, requests::list)
        .get("/console/settings/scim/requests/{id}", Admin, requests::show)
        .post("/console/settings/scim/requests/{id}/replay", Admin, rehearsal::replay)
        .get("/console/settings/scim/schemas", Admin, schemas::list)
        .post("/console/settings/scim/schemas", Admin, schemas::register)
        .post("/console/settings/scim/schemas/remove", Admin, schemas::remove)
        .get("/console/settings/scim/settings", Admin, settings::show)
        .post("/console/settings/scim/settings", Admin, settings::save)
        .post("/console/settings/scim/tokens", Admin, tokens::create)
        .post("/console/settings/scim/tokens/{id}/delete", Admin, tokens::delete)
        .post("/console/settings/scim/tokens/{id}/disable", Admin, tokens::disable)
        .post("/console/settings/scim/tokens/{id}/download", Admin, tokens::download)
        .post("/console/settings/scim/tokens/{id}/enable", Admin, tokens::enable)
        .get("/console/settings/scim/why", Admin, why::show)
        .post("/console/settings/scim/{to}", Admin, switch)
}

#[derive(Template)]
#[template(path = "console/scim.html")]
struct Connection {
    frame: Frame,
    tab: &'static str,
    enabled: bool,
    base_url: String,
    brake: Standing,
    credentials: Vec<TokenRow>,
    token: Option<Fresh>,
    refusals: Vec<Row>,
    wrong: Option<Wrong>,
}

async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    Ok(Page::new(look(&app, &administrator, query.done.as_deref()).await?).into_response())
}

async fn look(app: &App, who: &Administrator, done: Option<&str>) -> Result<Connection, PageError> {
    let space = who.space()?;
    app.recorder.flush().await;
    let (credentials, brake, refusals) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let credentials = credential::list(tx, space.id).await?;
            let brake = Standing::of(tx, space, who.act.now).await?;
            let refused =
                recorder::Search { outcome: Some(Outcome::Refused), ..Default::default() };
            let latest = PageRequest::first(LATEST);
            let refusals = recorder::search(tx, space.id, &refused, latest).await?.rows;
            Ok((credentials, brake, refusals))
        })
        .await?;
    Ok(Connection {
        frame: Frame::new(who, Section::Scim, done),
        tab: "",
        enabled: space.scim_enabled,
        base_url: app.settings.url("/scim/v2"),
        brake,
        credentials: credentials.into_iter().map(|one| TokenRow::new(one, who.act.now)).collect(),
        token: None,
        refusals: refusals.into_iter().map(Row::new).collect(),
        wrong: None,
    })
}

#[derive(Template)]
#[template(path = "console/scim_switch_on.html")]
struct SwitchOn {
    frame: Frame,
    since: Timestamp,
    changed: ChangedByHand,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SwitchForm {
    confirmed: bool,
}

/// Turns the switch. Before SCIM comes back after things were changed by hand meanwhile, the answer
/// is a page that says how many and asks (SCIM-05).
async fn switch(
    State(app): State<App>,
    administrator: Administrator,
    Path(to): Path<String>,
    Form(form): Form<SwitchForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let (enabled, code) = super::switch_to(&to)?;
    if let Some(since) = space.scim_switched_off_at
        && enabled
        && !space.scim_enabled
        && !form.confirmed
    {
        let changed =
            app.db.read(async |tx| changed_by_hand_since(tx, space.id, since).await).await?;
        if changed != ChangedByHand::default() {
            let frame = Frame::new(&administrator, Section::Scim, None);
            return Ok(Page::new(SwitchOn { frame, since, changed }).into_response());
        }
    }
    app.db
        .write(async |tx| space::set_scim_enabled(tx, &administrator.act, space, enabled).await)
        .await?;
    Ok(done(HERE, code))
}

/// A failure of the directory at a page, where the protocol has nothing to refuse.
fn fault(error: directory::Error) -> Fault {
    match error {
        directory::Error::Store(error) => error.into(),
        directory::Error::Refused(_)
        | directory::Error::NotFound(_)
        | directory::Error::NameTaken(_)
        | directory::Error::NameHeldByHand(_)
        | directory::Error::TooMany { .. }
        | directory::Error::TooManyMembers { .. }
        | directory::Error::TooManyMemberships { .. }
        | directory::Error::Braked { .. }
        | directory::Error::ValueTaken(_)
        | directory::Error::Corrupt(_) => {
            Fault::Internal("the directory refused what no protocol asked")
        }
    }
}
