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
    users::{AdoptForm, ByHand, locked},
};
use crate::{
    app::App,
    directory::{self, Group, GroupChange, GroupFilter, Member, User, UserFilter},
    id::{GroupId, Principal, UserId},
    provisioning,
    space::Space,
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
struct GroupList {
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
    Ok(Page::new(GroupList { frame, groups: page.rows, search, pager }).into_response())
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
        title: "Create group".into(),
        intro: "".into(),
        back: "/console/groups".to_owned(),
        back_label: "Groups".to_owned(),
        action: "/console/groups".to_owned(),
        submit: "Create group".into(),
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

/// The form of what can be changed of a group (GRP-04).
fn edit_page(
    who: &Administrator,
    group: &Group,
    form: &GroupForm,
    wrong: Option<Wrong>,
) -> FormPage {
    FormPage {
        title: "Edit group".into(),
        intro: "Its id, its members and what it may do stay.".into(),
        back: format!("/console/groups/{}", group.id),
        back_label: group.name.clone(),
        action: format!("/console/groups/{}", group.id),
        submit: "Save".into(),
        ..form_page(who, form, wrong)
    }
}

pub(super) async fn edit(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let group = find(&app, space, id).await?;
    if locked(space, group.source) {
        return Err(Fault::from(directory::Error::GroupManagedByScim).into());
    }
    let form = GroupForm { name: group.name.clone(), description: group.description.clone() };
    Ok(Page::new(edit_page(&administrator, &group, &form, None)).into_response())
}

async fn find(app: &App, space: &Space, id: GroupId) -> Result<Group, PageError> {
    let found = app.db.read(async |tx| directory::group(tx, space.id, id).await).await?;
    Ok(found.ok_or(Fault::from(directory::Error::GroupNotFound))?)
}

pub(super) async fn update(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
    Form(form): Form<GroupForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let text = |text: &String| Some(text.trim().to_owned());
    let change = GroupChange { name: text(&form.name), description: text(&form.description) };
    let changed = app
        .db
        .write(async |tx| directory::update_group(tx, &administrator.act, space, id, &change).await)
        .await;
    match changed {
        Ok(_) => Ok(done(&format!("/console/groups/{id}"), "group-changed")),
        Err(error) => {
            let wrong = Wrong::of(error.into())?;
            let group = find(&app, space, id).await?;
            let page = edit_page(&administrator, &group, &form, Some(wrong));
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

pub(super) async fn delete(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    app.db
        .write(async |tx| provisioning::delete_group(tx, &administrator.act, space, id).await)
        .await?;
    Ok(done("/console/groups", "group-deleted"))
}

pub(super) async fn adopt(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
    Form(form): Form<AdoptForm>,
) -> Result<Response, PageError> {
    let (space, principal) = (administrator.space()?, Principal::Group(id));
    app.db
        .write(async |tx| {
            directory::adopt(tx, &administrator.act, space, principal, &form.seen).await
        })
        .await?;
    Ok(done(&format!("/console/groups/{id}"), "group-adopted"))
}

#[derive(Template)]
#[template(path = "console/group.html")]
struct OneGroup {
    frame: Frame,
    group: Group,
    by_hand: ByHand,
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
    let space = administrator.space()?;
    let (group, by_hand, page, candidates) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let group =
                directory::group(tx, space.id, id).await?.ok_or(directory::Error::GroupNotFound)?;
            let page = directory::members(tx, id, query.page()).await?;
            let manual = UserFilter { source: Some(group.source), ..UserFilter::default() };
            let candidates =
                directory::users(tx, space.id, &manual, PageRequest::first(CANDIDATES)).await?.rows;
            let (principal, count) = (Principal::Group(id), group.member_count);
            let by_hand = ByHand::of(tx, space, principal, group.source, count).await?;
            Ok((group, by_hand, page, candidates))
        })
        .await?;
    let pager = query.pager(&format!("/console/groups/{id}"), &page);
    Ok(OneGroup {
        frame: Frame::new(administrator, Section::Groups, query.done.as_deref()),
        by_hand,
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
            let changed = [Principal::User(user.id)];
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
        .write(async |tx| -> Result<(), Fault> {
            let act = &administrator.act;
            directory::remove_member(tx, act, space, id, user).await?;
            let changed = [Principal::User(user), Principal::Group(id)];
            provisioning::access_changed(tx, act, space.id, &changed).await?;
            Ok(())
        })
        .await?;
    Ok(done(&format!("/console/groups/{id}"), "member-removed"))
}
