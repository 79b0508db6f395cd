//! Groups: list, create, look at one, add and remove members.

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
};
use crate::{
    app::App,
    directory::{self, Group, GroupFilter, Member, Source, User, UserFilter},
    id::{GroupId, Principal, UserId},
    provisioning,
    store::PageRequest,
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

/// Users offered while somebody types a new member's name.
const CANDIDATES: i64 = 100;

#[derive(Template)]
#[template(path = "console/groups.html")]
struct Groups {
    frame: Frame,
    groups: Vec<Group>,
    search: Search,
    pager: Pager,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let filter = GroupFilter { search: query.wanted(), descending: true, ..GroupFilter::default() };
    let page =
        app.db.read(async |tx| directory::groups(tx, space, &filter, query.page()).await).await?;
    let pager = query.pager("/console/groups", &page);
    let frame = Frame::new(&administrator, Section::Groups, query.done.as_deref());
    let search = Search::new("Group name", &query);
    Ok(Page::new(Groups { frame, groups: page.rows, search, pager }).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct GroupForm {
    name: String,
    description: String,
}

fn form_page(who: &Administrator, form: &GroupForm, wrong: Option<Wrong>) -> FormPage {
    let at = |name| Wrong::at(wrong.as_ref(), name);
    FormPage {
        frame: Frame::new(who, Section::Groups, None),
        title: "Create group",
        intro: "",
        back: "/console/groups".to_owned(),
        back_label: "Groups".to_owned(),
        action: "/console/groups".to_owned(),
        submit: "Create group",
        fields: vec![
            Field::text("name", "Name")
                .longest(128)
                .hint("Letters, digits and hyphens.")
                .value(&form.name)
                .focused()
                .error(at("name")),
            Field::text("description", "Description")
                .optional()
                .value(&form.description)
                .error(at("description")),
        ],
        wrong,
    }
}

pub(super) async fn new(administrator: Administrator) -> Result<Response, PageError> {
    administrator.space()?;
    Ok(Page::new(form_page(&administrator, &GroupForm::default(), None)).into_response())
}

pub(super) async fn create(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<GroupForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let limit = app.settings.limits.groups;
    let (name, description) = (form.name.trim(), form.description.trim());
    let made = app
        .db
        .write(async |tx| -> Result<Group, directory::Error> {
            directory::create_group(tx, &administrator.act, space, name, description, limit).await
        })
        .await;
    match made {
        Ok(group) => Ok(done(&format!("/console/groups/{}", group.id), "group-created")),
        Err(error) => {
            let wrong = Wrong::of(error.into())?;
            let page = form_page(&administrator, &form, Some(wrong));
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "console/group.html")]
struct OneGroup {
    frame: Frame,
    group: Group,
    managed_by_scim: bool,
    members: Vec<Member>,
    candidates: Vec<User>,
    pager: Pager,
    wrong: Option<Wrong>,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    Ok(Page::new(look(&app, &administrator, id, &query, None).await?).into_response())
}

async fn look(
    app: &App,
    administrator: &Administrator,
    id: GroupId,
    query: &ListQuery,
    wrong: Option<Wrong>,
) -> Result<OneGroup, PageError> {
    let space = administrator.space()?.id;
    let (group, page, candidates) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let group =
                directory::group(tx, space, id).await?.ok_or(directory::Error::GroupNotFound)?;
            let page = directory::members(tx, id, query.page()).await?;
            let manual = UserFilter { source: Some(group.source), ..UserFilter::default() };
            let candidates =
                directory::users(tx, space, &manual, PageRequest::first(CANDIDATES)).await?.rows;
            Ok((group, page, candidates))
        })
        .await?;
    let pager = query.pager(&format!("/console/groups/{id}"), &page);
    Ok(OneGroup {
        frame: Frame::new(administrator, Section::Groups, query.done.as_deref()),
        managed_by_scim: group.source == Source::Scim,
        group,
        members: page.rows,
        candidates,
        pager,
        wrong,
    })
}

#[derive(Deserialize)]
pub(super) struct MemberForm {
    user_name: String,
}

pub(super) async fn add_member(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
    Form(form): Form<MemberForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let added = app
        .db
        .write(async |tx| -> Result<bool, Fault> {
            let user = directory::user_by_name(tx, space.id, form.user_name.trim()).await?;
            let Some(user) = user else { return Ok(false) };
            let act = &administrator.act;
            directory::add_member(tx, act, space, id, user.id).await?;
            let changed = [Principal::User(user.id), Principal::Group(id)];
            provisioning::access_changed(tx, act, space.id, &changed).await?;
            Ok(true)
        })
        .await;
    let wrong = match added {
        Ok(true) => return Ok(done(&format!("/console/groups/{id}"), "member-added")),
        Ok(false) => Wrong::whole("There is no user of this name."),
        Err(fault) => Wrong::of(fault)?,
    };
    let page = look(&app, &administrator, id, &ListQuery::default(), Some(wrong)).await?;
    Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

pub(super) async fn remove_member(
    State(app): State<App>,
    administrator: Administrator,
    Path((id, user)): Path<(GroupId, UserId)>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    app.db
        .write(async |tx| -> Result<_, Fault> {
            let act = &administrator.act;
            directory::remove_member(tx, act, space, id, user).await?;
            let changed = [Principal::User(user), Principal::Group(id)];
            Ok(provisioning::access_changed(tx, act, space.id, &changed).await?)
        })
        .await?;
    Ok(done(&format!("/console/groups/{id}"), "member-removed"))
}
