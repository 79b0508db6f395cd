//! Permission configurations: list, create, change, policies, and where they are deployed.

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
    conflict::{Unsaved, unchanged},
    frame::{FormPage, Frame, ListQuery, Pager, Search, Section, Wrong, done},
    limits,
    plans::{PolicyWords, Wanted},
};
use crate::{
    app::App,
    id::{ConfigurationId, SpaceId},
    permission::{
        self, Configuration, ConfigurationChange, ConfigurationFilter, ConfigurationPolicy,
        Deployment, DeploymentFilter, DeploymentStatus, Error, MOST_POLICIES, NewConfiguration,
        PolicyKind,
    },
    policy::catalogue,
    space,
    store::{PageRequest, Read},
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

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
    let search = Search::new(key!("configurations-search"), &query);
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
    mark: String,
}

impl ConfigurationForm {
    /// What can be changed of one.
    fn of(configuration: &Configuration) -> Self {
        Self {
            name: String::new(),
            description: configuration.description.clone(),
            session_duration: configuration.session_duration.to_string(),
            relay_state: configuration.relay_state.clone(),
            mark: String::new(),
        }
    }
}

/// The fields that can be changed later, too (PC-14).
fn fields(form: &ConfigurationForm, wrong: Option<&Wrong>) -> Vec<Field> {
    let at = |name| Wrong::at(wrong, name);
    vec![
        Field::text("description", key!("col-description"))
            .optional()
            .value(&form.description)
            .error(at("description")),
        Field::number("session_duration", key!("configuration-duration"))
            .hint(key!("configuration-duration-hint"))
            .value(&form.session_duration)
            .error(at("session_duration")),
        Field::text("relay_state", key!("configuration-landing"))
            .optional()
            .hint(key!("configuration-landing-hint"))
            .value(&form.relay_state)
            .error(at("relay_state")),
    ]
}

fn form_page(who: &Administrator, form: &ConfigurationForm, wrong: Option<Wrong>) -> FormPage {
    let name = Field::text("name", key!("col-name"))
        .longest(128)
        .hint(key!("configuration-name-hint"))
        .value(&form.name)
        .focused()
        .error(Wrong::at(wrong.as_ref(), "name"));
    FormPage {
        frame: Frame::new(who, Section::Configurations, None),
        title: key!("configuration-create"),
        intro: key!("configuration-create-intro"),
        back: "/console/configurations".to_owned(),
        back_label: t!("configurations-title"),
        action: "/console/configurations".to_owned(),
        submit: key!("configuration-create-do"),
        fields: std::iter::once(name).chain(fields(form, wrong.as_ref())).collect(),
        wrong,
        mark: String::new(),
    }
}

fn edit_page(
    who: &Administrator,
    configuration: &Configuration,
    form: &ConfigurationForm,
    wrong: Option<Wrong>,
) -> FormPage {
    let here = format!("/console/configurations/{}", configuration.id);
    FormPage {
        frame: Frame::new(who, Section::Configurations, None),
        title: key!("configuration-edit"),
        intro: key!("configuration-edit-intro"),
        back: here.clone(),
        back_label: configuration.name.clone(),
        action: here,
        submit: key!("save"),
        fields: fields(form, wrong.as_ref()),
        wrong,
        mark: String::new(),
    }
}

/// The form to change one; its name stays (PC-14).
pub(super) async fn edit(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ConfigurationId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let found = app.db.read(async |tx| find(tx, space, id).await).await?;
    let page = edit_page(&administrator, &found, &ConfigurationForm::of(&found), None).marked();
    Ok(Page::new(page).into_response())
}

pub(super) async fn update(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ConfigurationId>,
    Form(form): Form<ConfigurationForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let limits = limits(&app);
    let changed = match form.session_duration.trim().parse() {
        Ok(seconds) => {
            let change = ConfigurationChange {
                description: Some(form.description.trim().to_owned()),
                session_duration: Some(seconds),
                relay_state: Some(form.relay_state.trim().to_owned()),
                command_line: None,
            };
            let act = &administrator.act;
            app.db
                .write(async |tx| -> Result<_, Unsaved<Error>> {
                    space::lock(tx, space).await?;
                    if let Some(now) = permission::configuration(tx, space, id).await? {
                        let form_now = ConfigurationForm::of(&now);
                        let now = edit_page(&administrator, &now, &form_now, None).version();
                        unchanged(&form.mark, now)?;
                    }
                    let changed =
                        permission::update_configuration(tx, act, space, id, &change, &limits);
                    changed.await.map_err(Unsaved::Room)
                })
                .await
        }
        Err(_) => Err(Unsaved::Room(Error::SessionDurationInvalid)),
    };
    match changed {
        Ok(_) => Ok(done(&format!("/console/configurations/{id}"), "configuration-changed")),
        Err(Unsaved::Meanwhile(now)) => {
            let found = app.db.read(async |tx| find(tx, space, id).await).await?;
            Ok(edit_page(&administrator, &found, &form, None).conflict(&now))
        }
        Err(Unsaved::Room(error)) => {
            let wrong = Wrong::of(error.into())?;
            let found = app.db.read(async |tx| find(tx, space, id).await).await?;
            let page = edit_page(&administrator, &found, &form, Some(wrong)).marked_as(&form.mark);
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
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
    search: Search,
    policies: Vec<(ConfigurationPolicy, PolicyWords)>,
    policy_total: usize,
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
    let wanted = query.search.trim().to_lowercase();
    let policy_total = policies.len();
    // A configuration has a few dozen at most: they are all read.
    let found = policies.into_iter().filter(|it| it.name.to_lowercase().contains(&wanted));
    let page = OneConfiguration {
        frame: Frame::new(&administrator, Section::Configurations, query.done.as_deref()),
        configuration,
        tab: if query.tab == "deployments" { "deployments" } else { "policies" },
        search: Search::new(key!("policies-search"), &query),
        policies: found.map(|it| (it.clone(), PolicyWords::of(&it))).collect(),
        policy_total,
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
    /// Chosen, and not among those that are shown.
    elsewhere: Vec<(i64, String)>,
    search: String,
    chosen: usize,
    bound: usize,
    most: usize,
    custom: usize,
    most_custom: usize,
}

struct PresetRow {
    id: i64,
    words: PolicyWords,
    is_bound: bool,
    is_chosen: bool,
}

/// The presets to choose from, each in plain words (PC-15); what is chosen goes on to the plan.
pub(super) async fn choose_policies(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ConfigurationId>,
    axum_extra::extract::Query(wanted): axum_extra::extract::Query<Wanted>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let (configuration, bound) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            Ok((find(tx, space, id).await?, permission::policies(tx, id).await?))
        })
        .await?;
    let count = |kind| bound.iter().filter(|it| it.kind == kind).count();
    let (presets, custom) = (count(PolicyKind::Preset), count(PolicyKind::Custom));
    let bound: BTreeSet<i64> = bound.iter().map(|policy| policy.policy_id).collect();
    let chosen: BTreeSet<i64> = wanted.add.iter().copied().collect();
    let rows: Vec<PresetRow> = catalogue::search(wanted.search.trim())
        .map(|preset| PresetRow {
            id: preset.id,
            words: PolicyWords::of_preset(preset.id, &preset.name)
                .labelling(format!("policy-{}", preset.id)),
            is_bound: bound.contains(&preset.id),
            is_chosen: chosen.contains(&preset.id),
        })
        .collect();
    let elsewhere = chosen.iter().filter(|id| !rows.iter().any(|row| row.id == **id));
    let elsewhere = elsewhere
        .filter_map(|id| catalogue::by_id(*id))
        .map(|preset| (preset.id, preset.name.clone()));
    let page = Policies {
        frame: Frame::new(&administrator, Section::Configurations, None),
        configuration,
        elsewhere: elsewhere.collect(),
        presets: rows,
        search: wanted.search.trim().to_owned(),
        chosen: chosen.len(),
        bound: presets,
        most: MOST_POLICIES,
        custom,
        most_custom: limits(&app).custom_policies,
    };
    Ok(Page::new(page).into_response())
}
