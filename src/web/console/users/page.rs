//! One user: what is known about them, and five tabs (USR-08) with what they have done and what was
//! done to them.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};

use super::ByHand;
use crate::{
    app::App,
    audit::{self, Record},
    directory::{self, Group, GroupFilter, Membership, User},
    id::{ConfigurationId, GroupId, Principal, PrincipalKind, Uin, UserId},
    permission::{self, Assignment, AssignmentFilter},
    provisioning::{self, UserSync, UserSyncFilter},
    space::Space,
    sso::{self, PortalSession},
    store::{Page as Rows, PageRequest, Read},
    web::{
        Fault,
        console::{
            Administrator,
            frame::{Frame, ListQuery, Pager, Search, Section},
            words::{self, Badge},
        },
        messages::Message,
        page::Page,
        pages::PageError,
    },
};

/// Groups that the chooser offers at once.
const CANDIDATES: i64 = 20;
/// Sessions that the security tab shows.
const SESSIONS: i64 = 20;

/// The tabs of a user's page.
static TABS: [(&str, Message); 5] = [
    ("groups", key!("tab-groups")),
    ("security", key!("tab-security")),
    ("syncs", key!("tab-syncs")),
    ("permissions", key!("tab-permissions")),
    ("activity", key!("tab-activity")),
];

#[derive(Template)]
#[template(path = "console/user.html")]
struct OneUser {
    frame: Frame,
    user: User,
    by_hand: ByHand,
    tabs: &'static [(&'static str, Message)],
    tab: &'static str,
    content: Tab,
    pager: Pager,
}

enum Tab {
    Groups { rows: Vec<Membership>, candidates: Vec<Group>, more: bool, search: Search },
    Security { sessions: Vec<PortalSession>, total: i64 },
    Syncs(Vec<SyncRow>),
    Permissions(Vec<PermissionRow>),
    Activity(Vec<Record>),
}

/// Where something that a user has comes from (USR-09).
pub(in crate::web::console) enum Through {
    Directly,
    Group { id: GroupId, name: String },
}

impl Through {
    fn of(principal: Principal, name: &str) -> Self {
        match principal {
            Principal::User(_) => Self::Directly,
            Principal::Group(id) => Self::Group { id, name: name.to_owned() },
        }
    }
}

/// A configuration that an identity reaches on an account, and through what.
pub(in crate::web::console) struct PermissionRow {
    pub account_uin: Uin,
    pub account_name: String,
    pub configuration_id: ConfigurationId,
    pub configuration_name: String,
    pub through: Through,
    pub state: Badge,
}

impl From<Assignment> for PermissionRow {
    fn from(one: Assignment) -> Self {
        Self {
            through: Through::of(one.principal(), &one.principal_name),
            account_uin: one.account_uin,
            account_name: one.account_name,
            configuration_id: one.configuration_id,
            configuration_name: one.configuration_name,
            state: words::assignment(one.state),
        }
    }
}

/// A user sync that is for an identity.
pub(in crate::web::console) struct SyncRow {
    pub account_uin: Uin,
    pub account_name: String,
    /// What the CAM user is called, of a user and once it is there.
    pub cam_user_names: Vec<String>,
    pub through: Through,
    pub state: Badge,
}

impl SyncRow {
    pub(in crate::web::console) fn of(sync: UserSync, names: &HashMap<Uin, Vec<String>>) -> Self {
        Self {
            through: Through::of(sync.principal(), &sync.principal_name),
            cam_user_names: names.get(&sync.account_uin).cloned().unwrap_or_default(),
            account_uin: sync.account_uin,
            account_name: sync.account_name,
            state: words::assignment(sync.state),
        }
    }
}

pub(in crate::web::console) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let tab = TABS.iter().map(|(tab, _)| *tab).find(|tab| *tab == query.tab).unwrap_or("groups");
    let (user, by_hand, (content, pager)) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let user =
                directory::user(tx, space.id, id).await?.ok_or(directory::Error::UserNotFound)?;
            let principal = Principal::User(id);
            let by_hand = ByHand::of(tx, space, principal, user.source).await?;
            let content = content(tx, &administrator, space, &user, tab, &query).await?;
            Ok((user, by_hand, content))
        })
        .await?;
    let frame = Frame::new(&administrator, Section::Users, query.done.as_deref());
    let page = OneUser { frame, user, by_hand, tabs: &TABS, tab, content, pager };
    Ok(Page::new(page).into_response())
}

async fn content(
    tx: &mut Read,
    who: &Administrator,
    space: &Space,
    user: &User,
    tab: &str,
    query: &ListQuery,
) -> Result<(Tab, Pager), Fault> {
    let path = format!("/console/users/{}", user.id);
    Ok(match tab {
        "security" => {
            let page = PageRequest::first(SESSIONS);
            let found =
                sso::portal_sessions(tx, space.id, Some(user.id), who.act.now, page).await?;
            let total = found.total;
            (Tab::Security { sessions: found.rows, total }, Pager::default())
        }
        "syncs" => {
            let filter = UserSyncFilter { reaching: Some(user.id), ..UserSyncFilter::default() };
            let page = provisioning::user_syncs(tx, space.id, &filter, query.page()).await?;
            let pager = query.pager(&path, &page);
            let mut names: HashMap<Uin, Vec<String>> = HashMap::new();
            for (account, name) in provisioning::cam_user_names(tx, user.id).await? {
                names.entry(account).or_default().push(name);
            }
            let rows = page.rows.into_iter().map(|sync| SyncRow::of(sync, &names)).collect();
            (Tab::Syncs(rows), pager)
        }
        "permissions" => {
            let filter =
                AssignmentFilter { reaching: Some(user.id), ..AssignmentFilter::default() };
            let page = permission::assignments(tx, space.id, &filter, query.page()).await?;
            let pager = query.pager(&path, &page);
            (Tab::Permissions(page.rows.into_iter().map(PermissionRow::from).collect()), pager)
        }
        "activity" => {
            let page = activity(tx, who, Principal::User(user.id), query).await?;
            let pager = query.pager(&path, &page);
            (Tab::Activity(page.rows), pager)
        }
        _ => {
            let page = directory::groups_of(tx, user.id, query.page()).await?;
            let pager = query.pager(&path, &page);
            let filter = GroupFilter {
                search: query.wanted(),
                source: Some(user.source),
                without: Some(user.id),
                ..GroupFilter::default()
            };
            let offered = PageRequest::first(CANDIDATES);
            let candidates = directory::groups(tx, space.id, &filter, offered).await?;
            let mut search = Search::new(key!("groups-search"), query);
            search.keep.push(("tab", "groups".to_owned()));
            let more = candidates.next.is_some();
            let (rows, candidates) = (page.rows, candidates.rows);
            (Tab::Groups { rows, candidates, more, search }, pager)
        }
    })
}

/// What the audit log says of an identity, the latest first.
pub(in crate::web::console) async fn activity(
    tx: &mut Read,
    who: &Administrator,
    principal: Principal,
    query: &ListQuery,
) -> Result<Rows<Record>, Fault> {
    let kind = match principal.kind() {
        PrincipalKind::User => "user",
        PrincipalKind::Group => "group",
    };
    let filter = audit::Filter {
        object_kind: Some(kind.to_owned()),
        object_id: Some(principal.to_string()),
        ..audit::Filter::default()
    };
    Ok(audit::find(tx, who.organization.id, &filter, query.page()).await?)
}
