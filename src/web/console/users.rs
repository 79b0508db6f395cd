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
    app::App,
    directory::{self, Membership, NewUser, User, UserFilter},
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
struct Users {
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
    Ok(Page::new(Users { frame, users: page.rows, search, pager }).into_response())
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
        title: "Create user",
        intro: "Users that SCIM pushes need not be created here.",
        back: "/console/users".to_owned(),
        back_label: "Users".to_owned(),
        action: "/console/users".to_owned(),
        submit: "Create user",
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
    let (user, content) = app
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
            Ok((user, content))
        })
        .await?;
    let frame = Frame::new(&administrator, Section::Users, query.done.as_deref());
    Ok(Page::new(OneUser { frame, user, tabs: &TABS, tab, content }).into_response())
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
    let _ = (tx, space, user);
    Ok(Vec::new())
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
        .write(async |tx| -> Result<_, Fault> {
            let act = &administrator.act;
            directory::set_user_enabled(tx, act, space, id, enabled).await?;
            Ok(provisioning::access_changed(tx, act, space, &[Principal::User(id)]).await?)
        })
        .await?;
    Ok(done(&format!("/console/users/{id}"), code))
}
