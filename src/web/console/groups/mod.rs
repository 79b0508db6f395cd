//! Groups: the list, making one, changing one, deleting.

pub(super) mod page;

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
    users::{ByHand, Narrow, locked, source_of, with_blockers},
};
use crate::{
    app::App,
    directory::{self, Group, GroupChange, GroupFilter},
    id::{GroupId, PrincipalKind},
    provisioning,
    space::{self, Space},
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/groups.html")]
struct GroupList {
    frame: Frame,
    groups: Vec<(Group, ByHand)>,
    search: Search,
    source: String,
    pager: Pager,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
    Query(narrow): Query<Narrow>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let filter = GroupFilter {
        search: query.wanted(),
        source: source_of(&narrow.source),
        descending: true,
        ..GroupFilter::default()
    };
    let (page, blockers) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let page = directory::groups(tx, space.id, &filter, query.page()).await?;
            let ids: Vec<i64> = page.rows.iter().map(|group| group.id.0).collect();
            let blockers = provisioning::blockers(tx, space.id, PrincipalKind::Group, &ids).await?;
            Ok((page, blockers))
        })
        .await?;
    let pager = query.pager_with("/console/groups", &page, &[("source", narrow.source.as_str())]);
    let frame = Frame::new(&administrator, Section::Groups, query.done.as_deref());
    let mut search = Search::new(key!("groups-search"), &query);
    search.is_narrowed = filter.source.is_some();
    let groups = with_blockers(space, page.rows, &blockers, |group| (group.id.0, group.source));
    Ok(Page::new(GroupList { frame, groups, search, source: narrow.source, pager }).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct GroupForm {
    name: String,
    description: String,
    mark: String,
}

impl GroupForm {
    fn of(group: &Group) -> Self {
        let (name, description) = (group.name.clone(), group.description.clone());
        Self { name, description, mark: String::new() }
    }
}

fn form_page(who: &Administrator, form: &GroupForm, wrong: Option<Wrong>) -> FormPage {
    let at = |name| Wrong::at(wrong.as_ref(), name);
    FormPage {
        frame: Frame::new(who, Section::Groups, None),
        title: key!("group-create"),
        intro: key!("group-create-about"),
        back: "/console/groups".to_owned(),
        back_label: key!("groups-title").to_string(),
        action: "/console/groups".to_owned(),
        submit: key!("group-create"),
        fields: vec![
            Field::text("name", key!("name"))
                .longest(128)
                .hint(key!("group-name-hint"))
                .value(&form.name)
                .focused()
                .error(at("name")),
            Field::text("description", key!("remarks"))
                .optional()
                .value(&form.description)
                .error(at("description")),
        ],
        wrong,
        mark: String::new(),
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
        title: key!("group-edit"),
        intro: key!("group-edit-about"),
        back: format!("/console/groups/{}", group.id),
        back_label: group.name.clone(),
        action: format!("/console/groups/{}", group.id),
        submit: key!("save"),
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
    let page = edit_page(&administrator, &group, &GroupForm::of(&group), None).marked();
    Ok(Page::new(page).into_response())
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
        .write(async |tx| -> Result<Group, Unsaved<directory::Error>> {
            space::lock(tx, space.id).await?;
            if let Some(now) = directory::group(tx, space.id, id).await? {
                let now = edit_page(&administrator, &now, &GroupForm::of(&now), None).version();
                unchanged(&form.mark, now)?;
            }
            let act = &administrator.act;
            directory::update_group(tx, act, space, id, &change).await.map_err(Unsaved::Room)
        })
        .await;
    match changed {
        Ok(_) => Ok(done(&format!("/console/groups/{id}"), "group-changed")),
        Err(Unsaved::Meanwhile(now)) => {
            let group = find(&app, space, id).await?;
            Ok(edit_page(&administrator, &group, &form, None).conflict(&now))
        }
        Err(Unsaved::Room(error)) => {
            let wrong = Wrong::of(error.into())?;
            let group = find(&app, space, id).await?;
            let page = edit_page(&administrator, &group, &form, Some(wrong)).marked_as(&form.mark);
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
