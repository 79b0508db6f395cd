//! The overview: the space, its addresses and what to do next.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Administrator,
    frame::{Frame, ListQuery, Section, Wrong, done},
    scim::Standing,
    words::Ending,
};
use crate::{
    app::App,
    cloud,
    directory::{self, GroupFilter, UserFilter},
    expiry,
    id::SpaceId,
    organization::{self, AccountFilter},
    permission::{self, ConfigurationFilter},
    space::{self, Space},
    store::{PageRequest, Timestamp},
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview {
    frame: Frame,
    open: Option<OpenSpace>,
    name: Field,
    wrong: Option<Wrong>,
}

/// A space that is open.
struct OpenSpace {
    id: SpaceId,
    name: String,
    login_url: String,
    scim_url: String,
    sso_enabled: bool,
    scim_enabled: bool,
    brake: Standing,
    endings: Vec<Ending>,
    created_at: Timestamp,
    figures: [Figure; 4],
    steps: [Step; 5],
}

impl OpenSpace {
    fn has_steps(&self) -> bool {
        self.steps.iter().any(|step| !step.done)
    }
}

struct Figure {
    label: &'static str,
    count: i64,
    href: &'static str,
}

struct Step {
    label: &'static str,
    href: &'static str,
    done: bool,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let frame = Frame::new(&administrator, Section::Overview, query.done.as_deref());
    let open = match &administrator.space {
        Some(space) => Some(look(&app, &administrator, space).await?),
        None => None,
    };
    let page = Overview { frame, open, name: name_field(""), wrong: None };
    Ok(Page::new(page).into_response())
}

async fn look(app: &App, who: &Administrator, space: &Space) -> Result<OpenSpace, Fault> {
    let one = PageRequest::first(1);
    let ([users, groups, configurations, accounts, assignments], brake) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let accounts = AccountFilter::default();
            let configurations = ConfigurationFilter::default();
            let assignments = permission::AssignmentFilter::default();
            let counts = [
                directory::users(tx, space.id, &UserFilter::default(), one).await?.total,
                directory::groups(tx, space.id, &GroupFilter::default(), one).await?.total,
                permission::configurations(tx, space.id, &configurations, one).await?.total,
                organization::accounts(tx, who.organization.id, &accounts, one).await?.total,
                permission::assignments(tx, space.id, &assignments, one).await?.total,
            ];
            let brake = Standing::of(tx, space, who.act.now).await?;
            Ok((counts, brake))
        })
        .await?;
    let ends = expiry::ends(&app.db, space.id).await?;
    let figure = |label, count, href| Figure { label, count, href };
    let step = |label, href, done| Step { label, href, done };
    Ok(OpenSpace {
        id: space.id,
        name: space.name.clone(),
        login_url: app.settings.url(&format!("/portal/{}/login", space.name)),
        scim_url: app.settings.url("/scim/v2"),
        sso_enabled: space.sso_enabled,
        scim_enabled: space.scim_enabled,
        brake,
        endings: Ending::near(ends, who.act.now),
        created_at: space.created_at,
        figures: [
            figure("Users", users, "/console/users"),
            figure("Groups", groups, "/console/groups"),
            figure("Permission configurations", configurations, "/console/configurations"),
            figure("Accounts", accounts, "/console/authorization"),
        ],
        steps: [
            step("Set your identity provider and turn sign-in on", "/console/settings/sso", {
                space.sso_enabled
            }),
            step("Connect your directory by SCIM", "/console/settings/scim", space.scim_enabled),
            step("Have users", "/console/users", users > 0),
            step(
                "Create a permission configuration",
                "/console/configurations",
                configurations > 0,
            ),
            step("Give somebody an account", "/console/authorization", assignments > 0),
        ],
    })
}

fn name_field(value: &str) -> Field {
    Field::text("name", "Space name")
        .longest(64)
        .hint("2 to 64 lower-case letters, digits and hyphens, unique in this installation.")
        .value(value)
}

#[derive(Deserialize)]
pub(super) struct OpenForm {
    name: String,
}

/// Opens the space (ACT-01…07). The keys are made before the transaction begins.
pub(super) async fn open(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<OpenForm>,
) -> Result<Response, PageError> {
    let who = &administrator;
    match activate(&app, who, &form.name).await {
        Ok(_) => Ok(done("/console", "space-opened")),
        Err(fault) => {
            let wrong = Wrong::of(fault)?;
            let page = Overview {
                frame: Frame::new(who, Section::Overview, None),
                open: None,
                name: name_field(&form.name).error(Wrong::at(Some(&wrong), "name")),
                wrong: Some(wrong),
            };
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn activate(app: &App, who: &Administrator, name: &str) -> Result<Space, Fault> {
    space::check_name(name)?;
    let keys = cloud::space_keys(name.to_owned(), who.act.now).await?;
    let opened = app
        .db
        .write(async |tx| {
            cloud::activate(tx, &who.act, &app.sealer, &who.account, name, keys).await
        })
        .await?;
    Ok(opened)
}
