//! Permission configurations: list, create, add policies, see and repeat deployments.

use std::collections::BTreeSet;

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
    frame::{FormPage, Frame, ListQuery, Pager, Search, Section, Wrong, done},
    limits,
};
use crate::{
    app::App,
    id::{ConfigurationId, SpaceId, Uin},
    permission::{
        self, Configuration, ConfigurationFilter, ConfigurationPolicy, Deployment,
        DeploymentFilter, DeploymentStatus, Error, NewConfiguration, NewPolicy,
    },
    policy::{Preset, catalogue},
    store::{PageRequest, Read},
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

/// Presets that let whoever has them do more than work on one product.
const BROAD: [&str; 3] =
    ["AdministratorAccess", "QcloudOrganizationFullAccess", "QcloudCamFullAccess"];

#[derive(Template)]
#[template(path = "console/configurations.html")]
struct ConfigurationList {
    frame: Frame,
    configurations: Vec<Configuration>,
    search: Search,
    pager: Pager,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let filter = ConfigurationFilter { search: query.wanted() };
    let page = app
        .db
        .read(async |tx| permission::configurations(tx, space, &filter, query.page()).await)
        .await?;
    let pager = query.pager("/console/configurations", &page);
    let frame = Frame::new(&administrator, Section::Configurations, query.done.as_deref());
    let search = Search::new("Name or description", &query);
    let page = ConfigurationList { frame, configurations: page.rows, search, pager };
    Ok(Page::new(page).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ConfigurationForm {
    name: String,
    description: String,
    session_duration: String,
    relay_state: String,
}

fn form_page(who: &Administrator, form: &ConfigurationForm, wrong: Option<Wrong>) -> FormPage {
    let at = |name| Wrong::at(wrong.as_ref(), name);
    FormPage {
        frame: Frame::new(who, Section::Configurations, None),
        title: "Create permission configuration".into(),
        intro: "Policies are added in the next step.".into(),
        back: "/console/configurations".to_owned(),
        back_label: "Permission configurations".to_owned(),
        action: "/console/configurations".to_owned(),
        submit: "Create configuration".into(),
        fields: vec![
            Field::text("name", "Name")
                .longest(128)
                .hint("Letters, digits and hyphens. It cannot be changed later.")
                .value(&form.name)
                .focused()
                .error(at("name")),
            Field::text("description", "Description")
                .optional()
                .value(&form.description)
                .error(at("description")),
            Field::number("session_duration", "Session duration in seconds")
                .hint("How long somebody stays in an account: 900 to 43200.")
                .value(&form.session_duration)
                .error(at("session_duration")),
            Field::text("relay_state", "Landing page")
                .optional()
                .hint("Where somebody lands in the account: a path of the cloud's console.")
                .value(&form.relay_state)
                .error(at("relay_state")),
        ],
        wrong,
    }
}

pub(super) async fn new(administrator: Administrator) -> Result<Response, PageError> {
    administrator.space()?;
    let form =
        ConfigurationForm { session_duration: "3600".to_owned(), ..ConfigurationForm::default() };
    Ok(Page::new(form_page(&administrator, &form, None)).into_response())
}

pub(super) async fn create(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<ConfigurationForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let limits = limits(&app);
    let made = match form.session_duration.trim().parse() {
        Ok(seconds) => {
            let new = NewConfiguration {
                name: form.name.trim().to_owned(),
                description: form.description.trim().to_owned(),
                session_duration: Some(seconds),
                relay_state: form.relay_state.trim().to_owned(),
            };
            app.db
                .write(async |tx| -> Result<Configuration, Error> {
                    let act = &administrator.act;
                    permission::create_configuration(tx, act, space, &new, &limits).await
                })
                .await
        }
        Err(_) => Err(Error::SessionDurationInvalid),
    };
    match made {
        Ok(made) => {
            Ok(done(&format!("/console/configurations/{}", made.id), "configuration-created"))
        }
        Err(error) => {
            let wrong = Wrong::of(error.into())?;
            let page = form_page(&administrator, &form, Some(wrong));
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "console/configuration.html")]
struct OneConfiguration {
    frame: Frame,
    configuration: Configuration,
    tab: &'static str,
    policies: Vec<ConfigurationPolicy>,
    deployments: Vec<Deployment>,
    outdated: i64,
    pager: Pager,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ConfigurationId>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let (configuration, policies, deployments, outdated) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let configuration = find(tx, space, id).await?;
            let policies = permission::policies(tx, id).await?;
            let of_this = DeploymentFilter { configuration: Some(id), ..Default::default() };
            let deployments = permission::deployments(tx, space, &of_this, query.page()).await?;
            let stale = DeploymentFilter { status: Some(DeploymentStatus::Outdated), ..of_this };
            let stale = permission::deployments(tx, space, &stale, PageRequest::first(1)).await?;
            Ok((configuration, policies, deployments, stale.total))
        })
        .await?;
    let pager = query.pager(&format!("/console/configurations/{id}"), &deployments);
    let page = OneConfiguration {
        frame: Frame::new(&administrator, Section::Configurations, query.done.as_deref()),
        configuration,
        tab: if query.tab == "deployments" { "deployments" } else { "policies" },
        policies,
        deployments: deployments.rows,
        outdated,
        pager,
    };
    Ok(Page::new(page).into_response())
}

async fn find(tx: &mut Read, space: SpaceId, id: ConfigurationId) -> Result<Configuration, Fault> {
    Ok(permission::configuration(tx, space, id).await?.ok_or(Error::ConfigurationNotFound)?)
}

#[derive(Template)]
#[template(path = "console/policies.html")]
struct Policies {
    frame: Frame,
    configuration: Configuration,
    presets: Vec<PresetRow>,
    search: Search,
    wrong: Option<Wrong>,
}

struct PresetRow {
    preset: &'static Preset,
    bound: bool,
    broad: bool,
}

pub(super) async fn choose_policies(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ConfigurationId>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let page = look_at_presets(&app, &administrator, id, &query, None).await?;
    Ok(Page::new(page).into_response())
}

async fn look_at_presets(
    app: &App,
    who: &Administrator,
    id: ConfigurationId,
    query: &ListQuery,
    wrong: Option<Wrong>,
) -> Result<Policies, PageError> {
    let space = who.space()?.id;
    let (configuration, bound) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            Ok((find(tx, space, id).await?, permission::policies(tx, id).await?))
        })
        .await?;
    let bound: BTreeSet<i64> = bound.iter().map(|policy| policy.policy_id).collect();
    let presets = catalogue::search(query.search.trim())
        .map(|preset| PresetRow {
            preset,
            bound: bound.contains(&preset.id),
            broad: BROAD.contains(&preset.name.as_str()),
        })
        .collect();
    Ok(Policies {
        frame: Frame::new(who, Section::Configurations, None),
        configuration,
        presets,
        search: Search::new("Policy or product", query),
        wrong,
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PoliciesForm {
    policy: Vec<i64>,
}

pub(super) async fn add_policies(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ConfigurationId>,
    axum_extra::extract::Form(form): axum_extra::extract::Form<PoliciesForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let limits = limits(&app);
    let chosen: Vec<NewPolicy> = form.policy.iter().copied().map(NewPolicy::PresetId).collect();
    let added = app
        .db
        .write(async |tx| -> Result<(), Error> {
            permission::add_policies(tx, &administrator.act, space, id, &chosen, &limits).await
        })
        .await;
    match added {
        Ok(()) => Ok(done(&format!("/console/configurations/{id}"), "policies-added")),
        Err(error) => {
            let wrong = Some(Wrong::of(error.into())?);
            let query = ListQuery::default();
            let page = look_at_presets(&app, &administrator, id, &query, wrong).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct DeployForm {
    back: String,
}

/// Deploys again, from the configuration's page or the account's (DPL-06, DPL-07).
pub(super) async fn deploy(
    State(app): State<App>,
    administrator: Administrator,
    Path((id, account)): Path<(ConfigurationId, Uin)>,
    Form(form): Form<DeployForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db
        .write(async |tx| {
            permission::begin_deployment(tx, &administrator.act, space, id, account).await
        })
        .await?;
    let back = if form.back == "account" {
        format!("/console/accounts/{account}?tab=deployments")
    } else {
        format!("/console/configurations/{id}?tab=deployments")
    };
    Ok(done(&back, "deployment-begun"))
}
