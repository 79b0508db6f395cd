//! One group: what is known about it, and its tabs (GRP-03).

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::{
    app::App,
    audit::Record,
    directory::{self, Group, Member, User, UserFilter},
    id::{GroupId, Principal, UserId},
    permission::{self, AssignmentFilter},
    provisioning::{self, UserSyncFilter},
    space::Space,
    store::{PageRequest, Read},
    web::{
        Fault,
        console::{
            Administrator, MOST_AT_ONCE,
            frame::{Frame, ListQuery, Pager, Search, Section, Wrong, done},
            refused,
            users::{
                ByHand,
                page::{PermissionRow, SyncRow, activity},
            },
        },
        messages::Message,
        page::Page,
        pages::PageError,
    },
};

/// Users that the chooser offers at once.
const CANDIDATES: i64 = 20;

/// The tabs of a group's page.
static TABS: [(&str, Message); 4] = [
    ("users", key!("tab-users")),
    ("syncs", key!("tab-syncs")),
    ("permissions", key!("tab-permissions")),
    ("activity", key!("tab-activity")),
];

#[derive(Template)]
#[template(path = "console/group.html")]
struct OneGroup {
    frame: Frame,
    group: Group,
    by_hand: ByHand,
    tabs: &'static [(&'static str, Message)],
    tab: &'static str,
    content: Tab,
    pager: Pager,
}

enum Tab {
    Users { rows: Vec<Member>, candidates: Vec<User>, more: bool, search: Search, find: String },
    Syncs(Vec<SyncRow>),
    Permissions(Vec<PermissionRow>),
    Activity(Vec<Record>),
}

/// What the chooser looks for, beside the search over who is in the group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web::console) struct Find {
    find: String,
}

pub(in crate::web::console) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
    Query(query): Query<ListQuery>,
    Query(find): Query<Find>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let tab = TABS.iter().map(|(tab, _)| *tab).find(|tab| *tab == query.tab).unwrap_or("users");
    let (group, by_hand, (content, pager)) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let group =
                directory::group(tx, space.id, id).await?.ok_or(directory::Error::GroupNotFound)?;
            let by_hand = ByHand::of(tx, space, Principal::Group(id), group.source).await?;
            let content = content(tx, &administrator, space, &group, tab, (&query, &find)).await?;
            Ok((group, by_hand, content))
        })
        .await?;
    let frame = Frame::new(&administrator, Section::Groups, query.done.as_deref());
    let page = OneGroup { frame, group, by_hand, tabs: &TABS, tab, content, pager };
    Ok(Page::new(page).into_response())
}

async fn content(
    tx: &mut Read,
    who: &Administrator,
    space: &Space,
    group: &Group,
    tab: &str,
    (query, find): (&ListQuery, &Find),
) -> Result<(Tab, Pager), Fault> {
    let path = format!("/console/groups/{}", group.id);
    let principal = Some(Principal::Group(group.id));
    Ok(match tab {
        "syncs" => {
            let filter = UserSyncFilter { principal, ..UserSyncFilter::default() };
            let page = provisioning::user_syncs(tx, space.id, &filter, query.page()).await?;
            let pager = query.pager(&path, &page);
            let none = HashMap::new();
            let rows = page.rows.into_iter().map(|sync| SyncRow::of(sync, &none)).collect();
            (Tab::Syncs(rows), pager)
        }
        "permissions" => {
            let filter = AssignmentFilter { principal, ..AssignmentFilter::default() };
            let page = permission::assignments(tx, space.id, &filter, query.page()).await?;
            let pager = query.pager(&path, &page);
            (Tab::Permissions(page.rows.into_iter().map(PermissionRow::from).collect()), pager)
        }
        "activity" => {
            let page = activity(tx, who, Principal::Group(group.id), query).await?;
            let pager = query.pager(&path, &page);
            (Tab::Activity(page.rows), pager)
        }
        _ => {
            let wanted = query.wanted();
            let page =
                directory::members_like(tx, group.id, wanted.as_deref(), query.page()).await?;
            let pager = query.pager(&path, &page);
            let looked_for = find.find.trim();
            let filter = UserFilter {
                search: (!looked_for.is_empty()).then(|| looked_for.to_owned()),
                source: Some(group.source),
                outside: Some(group.id),
                ..UserFilter::default()
            };
            let offered = PageRequest::first(CANDIDATES);
            let candidates = directory::users(tx, space.id, &filter, offered).await?;
            let content = Tab::Users {
                more: candidates.next.is_some(),
                rows: page.rows,
                candidates: candidates.rows,
                search: Search::new(key!("group-members-search"), query),
                find: looked_for.to_owned(),
            };
            (content, pager)
        }
    })
}

/// Users that were ticked.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web::console) struct UsersForm {
    user: Vec<UserId>,
}

pub(in crate::web::console) async fn add_members(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
    Form(form): Form<UsersForm>,
) -> Result<Response, PageError> {
    change(state, administrator, id, form, true).await
}

pub(in crate::web::console) async fn remove_members(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<GroupId>,
    Form(form): Form<UsersForm>,
) -> Result<Response, PageError> {
    change(state, administrator, id, form, false).await
}

/// All of it or nothing: what the API does with one user after the other, in one transaction.
async fn change(
    State(app): State<App>,
    who: Administrator,
    id: GroupId,
    form: UsersForm,
    join: bool,
) -> Result<Response, PageError> {
    let space = who.space()?;
    if form.user.is_empty() || form.user.len() > MOST_AT_ONCE {
        return Err(refused(&Wrong::whole(t!("tick-some", most = MOST_AT_ONCE))));
    }
    let limits = app.directory_limits();
    app.db
        .write(async |tx| -> Result<(), Fault> {
            let mut changed = vec![Principal::Group(id)];
            for user in &form.user {
                if join {
                    directory::add_member(tx, &who.act, space, id, *user, &limits).await?;
                } else {
                    directory::remove_member(tx, &who.act, space, id, *user).await?;
                }
                changed.push(Principal::User(*user));
            }
            Ok(provisioning::access_changed(tx, &who.act, space.id, &changed).await?)
        })
        .await?;
    let code = if join { "members-added" } else { "members-removed" };
    Ok(done(&format!("/console/groups/{id}"), code))
}
