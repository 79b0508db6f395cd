//! Users: list, create, look at one, let in and shut out.

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
    words::{self, Badge},
};
use crate::{
    access,
    app::App,
    directory::{
        self, Adoption, Blockers, Membership, NewUser, Source, User, UserChange, UserFilter,
    },
    id::{ConfigurationId, Principal, Uin, UserId},
    permission::{self, AssignmentFilter},
    provisioning,
    space::Space,
    store::{PageRequest, Read},
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

/// Groups and assignments of one user that its page shows at most.
const MOST_ROWS: i64 = 500;

#[derive(Template)]
#[template(path = "console/users.html")]
struct UserList {
    frame: Frame,
    users: Vec<User>,
    search: Search,
    pager: Pager,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let filter = UserFilter { search: query.wanted(), descending: true, ..UserFilter::default() };
    let page =
        app.db.read(async |tx| directory::users(tx, space, &filter, query.page()).await).await?;
    let pager = query.pager("/console/users", &page);
    let frame = Frame::new(&administrator, Section::Users, query.done.as_deref());
    let search = Search::new("User name, e-mail or remark", &query);
    Ok(Page::new(UserList { frame, users: page.rows, search, pager }).into_response())
}

/// The form of a new user; every text may be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct UserForm {
    user_name: String,
    first_name: String,
    last_name: String,
    display_name: String,
    email: String,
    description: String,
}

fn form_page(who: &Administrator, form: &UserForm, wrong: Option<Wrong>) -> FormPage {
    let wrong_at = |field: Field, name| field.error(Wrong::at(wrong.as_ref(), name));
    let fields = vec![
        wrong_at(
            Field::text("user_name", "User name")
                .longest(64)
                .hint("Letters, digits and + = , . @ - _ . It cannot be changed later and must equal the NameID your identity provider sends.")
                .value(&form.user_name)
                .focused(),
            "user_name",
        ),
        wrong_at(
            Field::text("last_name", "Last name").optional().longest(64).value(&form.last_name),
            "last_name",
        ),
        wrong_at(
            Field::text("first_name", "First name").optional().longest(64).value(&form.first_name),
            "first_name",
        ),
        wrong_at(
            Field::text("display_name", "Display name")
                .optional()
                .longest(256)
                .value(&form.display_name),
            "display_name",
        ),
        wrong_at(
            Field::text("email", "E-mail").optional().longest(128).value(&form.email),
            "email",
        ),
        wrong_at(
            Field::text("description", "Remarks").optional().value(&form.description),
            "description",
        ),
    ];
    FormPage {
        frame: Frame::new(who, Section::Users, None),
        title: "Create user".into(),
        intro: "Users that SCIM pushes need not be created here.".into(),
        back: "/console/users".to_owned(),
        back_label: "Users".to_owned(),
        action: "/console/users".to_owned(),
        submit: "Create user".into(),
        fields,
        wrong,
    }
}

pub(super) async fn new(administrator: Administrator) -> Result<Response, PageError> {
    administrator.space()?;
    Ok(Page::new(form_page(&administrator, &UserForm::default(), None)).into_response())
}

pub(super) async fn create(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<UserForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let new = NewUser {
        user_name: form.user_name.trim().to_owned(),
        first_name: form.first_name.trim().to_owned(),
        last_name: form.last_name.trim().to_owned(),
        display_name: form.display_name.trim().to_owned(),
        email: form.email.trim().to_owned(),
        description: form.description.trim().to_owned(),
        disabled: false,
    };
    let limit = app.settings.limits.users;
    let made = app
        .db
        .write(async |tx| -> Result<User, directory::Error> {
            directory::create_user(tx, &administrator.act, space, &new, limit).await
        })
        .await;
    match made {
        Ok(user) => Ok(done(&format!("/console/users/{}", user.id), "user-created")),
        Err(error) => {
            let wrong = Wrong::of(error.into())?;
            let page = form_page(&administrator, &form, Some(wrong));
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

/// The form of what can be changed of a user (USR-10).
fn edit_page(who: &Administrator, user: &User, form: &UserForm, wrong: Option<Wrong>) -> FormPage {
    let page = form_page(who, form, wrong);
    FormPage {
        title: "Edit user".into(),
        intro: "The user name stays: it is what your identity provider sends.".into(),
        back: format!("/console/users/{}", user.id),
        back_label: user.user_name.clone(),
        action: format!("/console/users/{}", user.id),
        submit: "Save".into(),
        fields: page.fields.into_iter().filter(|field| !field.is("user_name")).collect(),
        ..page
    }
}

pub(super) async fn edit(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let user = find(&app, space, id).await?;
    if locked(space, user.source) {
        return Err(Fault::from(directory::Error::UserManagedByScim).into());
    }
    let form = UserForm {
        user_name: user.user_name.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        display_name: user.display_name.clone(),
        email: user.email.clone(),
        description: user.description.clone(),
    };
    Ok(Page::new(edit_page(&administrator, &user, &form, None)).into_response())
}

async fn find(app: &App, space: &Space, id: UserId) -> Result<User, PageError> {
    let found = app.db.read(async |tx| directory::user(tx, space.id, id).await).await?;
    Ok(found.ok_or(Fault::from(directory::Error::UserNotFound))?)
}

/// Whether only the directory may change what has this source (SCIM-03).
pub(super) fn locked(space: &Space, source: Source) -> bool {
    source == Source::Scim && space.scim_enabled
}

pub(super) async fn update(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    Form(form): Form<UserForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let text = |text: &String| Some(text.trim().to_owned());
    let change = UserChange {
        first_name: text(&form.first_name),
        last_name: text(&form.last_name),
        display_name: text(&form.display_name),
        email: text(&form.email),
        description: text(&form.description),
    };
    let changed = app
        .db
        .write(async |tx| directory::update_user(tx, &administrator.act, space, id, &change).await)
        .await;
    match changed {
        Ok(_) => Ok(done(&format!("/console/users/{id}"), "user-changed")),
        Err(error) => {
            let wrong = Wrong::of(error.into())?;
            let user = find(&app, space, id).await?;
            let page = edit_page(&administrator, &user, &form, Some(wrong));
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

pub(super) async fn delete(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    app.db
        .write(async |tx| provisioning::delete_user(tx, &administrator.act, space, id).await)
        .await?;
    Ok(done("/console/users", "user-deleted"))
}

/// What the form of an adoption says again of whom the page showed.
#[derive(Deserialize)]
pub(super) struct AdoptForm {
    #[serde(default)]
    pub seen: String,
}

pub(super) async fn adopt(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    Form(form): Form<AdoptForm>,
) -> Result<Response, PageError> {
    let (space, principal) = (administrator.space()?, Principal::User(id));
    app.db
        .write(async |tx| {
            directory::adopt(tx, &administrator.act, space, principal, &form.seen).await
        })
        .await?;
    Ok(done(&format!("/console/users/{id}"), "user-adopted"))
}

/// What a page offers to do with a user or group by hand, and why not.
pub(super) struct ByHand {
    /// Only the directory may change it.
    pub locked: bool,
    /// What has to go before it can be deleted; empty when nothing has to.
    pub blockers: String,
    /// Who would be handed over to SCIM with it; none when it cannot be.
    pub adoption: Option<Adoption>,
}

impl ByHand {
    pub(super) async fn of(
        tx: &mut Read,
        space: &Space,
        principal: Principal,
        source: Source,
        memberships: i64,
    ) -> Result<Self, Fault> {
        let held = provisioning::held(tx, space.id, principal).await?;
        let (groups, members) = match principal {
            Principal::User(_) => (memberships, 0),
            Principal::Group(_) => (0, memberships),
        };
        let adoption = match source {
            Source::Manual => match directory::adoption(tx, space.id, principal).await {
                Ok(adoption) => Some(adoption),
                Err(directory::Error::TooManyToAdopt) => None,
                Err(error) => return Err(error.into()),
            },
            Source::Scim => None,
        };
        let blockers = Blockers { groups, members, held }.to_string();
        Ok(Self { locked: locked(space, source), blockers, adoption })
    }
}

/// The tabs of a user's page (USR-08).
static TABS: [(&str, &str); 4] = [
    ("groups", "Groups"),
    ("security", "Security"),
    ("syncs", "CAM user sync"),
    ("permissions", "Permissions"),
];

#[derive(Template)]
#[template(path = "console/user.html")]
struct OneUser {
    frame: Frame,
    user: User,
    by_hand: ByHand,
    tabs: &'static [(&'static str, &'static str)],
    tab: &'static str,
    content: UserTab,
}

enum UserTab {
    Groups(Vec<Membership>),
    Security,
    Permissions(Vec<PermissionRow>),
    Syncs(Vec<SyncRow>),
}

/// A configuration that the user reaches on an account, and through what (USR-09).
struct PermissionRow {
    account_uin: Uin,
    account_name: String,
    configuration_id: ConfigurationId,
    configuration_name: String,
    through: String,
    state: Badge,
}

/// A CAM user that stands for the user.
struct SyncRow {
    account_uin: Uin,
    account_name: String,
    cam_user_name: String,
    state: Badge,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let tab = TABS.iter().map(|(tab, _)| *tab).find(|tab| *tab == query.tab).unwrap_or("groups");
    let (user, by_hand, content) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let user =
                directory::user(tx, space.id, id).await?.ok_or(directory::Error::UserNotFound)?;
            let content = match tab {
                "permissions" => UserTab::Permissions(permissions(tx, space, id).await?),
                "syncs" => UserTab::Syncs(syncs(tx, space, id).await?),
                "security" => UserTab::Security,
                _ => {
                    let page = PageRequest::first(MOST_ROWS);
                    UserTab::Groups(directory::groups_of(tx, id, page).await?.rows)
                }
            };
            let groups = directory::groups_of(tx, id, PageRequest::first(1)).await?.total;
            let principal = Principal::User(id);
            let by_hand = ByHand::of(tx, space, principal, user.source, groups).await?;
            Ok((user, by_hand, content))
        })
        .await?;
    let frame = Frame::new(&administrator, Section::Users, query.done.as_deref());
    Ok(Page::new(OneUser { frame, user, by_hand, tabs: &TABS, tab, content }).into_response())
}

async fn permissions(
    tx: &mut Read,
    space: &Space,
    user: UserId,
) -> Result<Vec<PermissionRow>, Fault> {
    let page = PageRequest::first(MOST_ROWS);
    let mut through = vec![(Principal::User(user), "Directly".to_owned())];
    for membership in directory::groups_of(tx, user, page).await?.rows {
        let words = format!("Group {}", membership.group.name);
        through.push((Principal::Group(membership.group.id), words));
    }
    let mut rows = Vec::new();
    for (principal, words) in through {
        let filter = AssignmentFilter { principal: Some(principal), ..Default::default() };
        for one in permission::assignments(tx, space.id, &filter, page).await?.rows {
            rows.push(PermissionRow {
                account_uin: one.account_uin,
                account_name: one.account_name,
                configuration_id: one.configuration_id,
                configuration_name: one.configuration_name,
                through: words.clone(),
                state: words::assignment(one.state),
            });
        }
    }
    rows.sort_by(|a, b| {
        (&a.account_name, &a.configuration_name).cmp(&(&b.account_name, &b.configuration_name))
    });
    Ok(rows)
}

async fn syncs(tx: &mut Read, space: &Space, user: UserId) -> Result<Vec<SyncRow>, Fault> {
    let mut rows = Vec::new();
    for account in access::reachable(tx, space.id, user).await? {
        for one in account.users {
            rows.push(SyncRow {
                account_uin: account.uin,
                account_name: account.name.clone(),
                cam_user_name: one.name,
                state: words::reach(one.state),
            });
        }
    }
    Ok(rows)
}

pub(super) async fn enable(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
) -> Result<Response, PageError> {
    set_enabled(state, administrator, id, true, "user-enabled").await
}

pub(super) async fn disable(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
) -> Result<Response, PageError> {
    set_enabled(state, administrator, id, false, "user-disabled").await
}

async fn set_enabled(
    State(app): State<App>,
    administrator: Administrator,
    id: UserId,
    enabled: bool,
    code: &'static str,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db
        .write(async |tx| -> Result<(), Fault> {
            let act = &administrator.act;
            directory::set_user_enabled(tx, act, space, id, enabled).await?;
            provisioning::access_changed(tx, act, space, &[Principal::User(id)]).await?;
            Ok(())
        })
        .await?;
    Ok(done(&format!("/console/users/{id}"), code))
}
