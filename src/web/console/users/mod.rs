//! Users: the list, changing one, letting in and shutting out, deleting.

pub(super) mod adopt;
pub(super) mod create;
pub(super) mod groups;
pub(super) mod page;

use std::collections::HashMap;

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
};
use crate::{
    app::App,
    directory::{self, Blockers, Source, User, UserChange, UserFilter},
    id::{Principal, PrincipalKind, UserId},
    provisioning,
    space::{self, Space},
    store::Read,
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/users.html")]
struct UserList {
    frame: Frame,
    users: Vec<(User, ByHand)>,
    search: Search,
    source: String,
    state: String,
    pager: Pager,
}

/// Which users a list shows, besides what every list knows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Narrow {
    pub source: String,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
    Query(narrow): Query<Narrow>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let filter = UserFilter {
        search: query.wanted(),
        source: source_of(&narrow.source),
        enabled: match query.state.as_str() {
            "enabled" => Some(true),
            "disabled" => Some(false),
            _ => None,
        },
        descending: true,
        ..UserFilter::default()
    };
    let (page, blockers) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let page = directory::users(tx, space.id, &filter, query.page()).await?;
            let ids: Vec<i64> = page.rows.iter().map(|user| user.id.0).collect();
            let blockers = provisioning::blockers(tx, space.id, PrincipalKind::User, &ids).await?;
            Ok((page, blockers))
        })
        .await?;
    let more = [("source", narrow.source.as_str())];
    let pager = query.pager_with("/console/users", &page, &more);
    let frame = Frame::new(&administrator, Section::Users, query.done.as_deref());
    let mut search = Search::new(key!("users-search"), &query);
    search.is_narrowed = filter.source.is_some() || filter.enabled.is_some();
    let users = with_blockers(space, page.rows, &blockers, |user| (user.id.0, user.source));
    let (source, state) = (narrow.source, query.state);
    Ok(Page::new(UserList { frame, users, search, source, state, pager }).into_response())
}

/// A source out of an address.
pub(super) fn source_of(word: &str) -> Option<Source> {
    match word {
        "manual" => Some(Source::Manual),
        "scim" => Some(Source::Scim),
        _ => None,
    }
}

/// Each of the rows with what can be done with it by hand.
pub(super) fn with_blockers<T>(
    space: &Space,
    rows: Vec<T>,
    blockers: &HashMap<i64, Blockers>,
    of: fn(&T) -> (i64, Source),
) -> Vec<(T, ByHand)> {
    rows.into_iter()
        .map(|row| {
            let (id, source) = of(&row);
            let by_hand = ByHand::new(space, source, blockers.get(&id).copied());
            (row, by_hand)
        })
        .collect()
}

/// What a page offers to do with a user or group by hand, and why not.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByHand {
    /// Only the directory may change it.
    pub locked: bool,
    /// What has to go before it can be deleted.
    pub blockers: Blockers,
    /// Whether it can be handed over to SCIM.
    pub adoptable: bool,
}

impl ByHand {
    fn new(space: &Space, source: Source, blockers: Option<Blockers>) -> Self {
        Self {
            locked: locked(space, source),
            blockers: blockers.unwrap_or_default(),
            adoptable: source == Source::Manual,
        }
    }

    pub(super) async fn of(
        tx: &mut Read,
        space: &Space,
        principal: Principal,
        source: Source,
    ) -> Result<Self, Fault> {
        let id = principal.number();
        let found = provisioning::blockers(tx, space.id, principal.kind(), &[id]).await?;
        Ok(Self::new(space, source, found.get(&id).copied()))
    }

    /// Whether nothing keeps it from being deleted.
    pub fn is_deletable(&self) -> bool {
        !self.locked && self.blockers == Blockers::default()
    }
}

/// Whether only the directory may change what has this source (SCIM-03).
pub(super) fn locked(space: &Space, source: Source) -> bool {
    source == Source::Scim && space.scim_enabled
}

pub(super) async fn find(app: &App, space: &Space, id: UserId) -> Result<User, PageError> {
    let found = app.db.read(async |tx| directory::user(tx, space.id, id).await).await?;
    Ok(found.ok_or(Fault::from(directory::Error::UserNotFound))?)
}

/// The form of what can be changed of a user (USR-10).
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct UserForm {
    first_name: String,
    last_name: String,
    display_name: String,
    email: String,
    description: String,
    mark: String,
}

impl UserForm {
    fn of(user: &User) -> Self {
        Self {
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            display_name: user.display_name.clone(),
            email: user.email.clone(),
            description: user.description.clone(),
            mark: String::new(),
        }
    }
}

fn edit_page(who: &Administrator, user: &User, form: &UserForm, wrong: Option<Wrong>) -> FormPage {
    let at = |field: Field, name| field.optional().error(Wrong::at(wrong.as_ref(), name));
    let fields = vec![
        at(
            Field::text("last_name", key!("user-last-name")).longest(64).value(&form.last_name),
            "last_name",
        ),
        at(
            Field::text("first_name", key!("user-first-name")).longest(64).value(&form.first_name),
            "first_name",
        ),
        at(
            Field::text("display_name", key!("user-display-name"))
                .longest(256)
                .value(&form.display_name),
            "display_name",
        ),
        at(Field::text("email", key!("user-email")).longest(128).value(&form.email), "email"),
        at(Field::text("description", key!("remarks")).value(&form.description), "description"),
    ];
    FormPage {
        frame: Frame::new(who, Section::Users, None),
        title: key!("user-edit"),
        intro: key!("user-edit-about"),
        back: format!("/console/users/{}", user.id),
        back_label: user.user_name.clone(),
        action: format!("/console/users/{}", user.id),
        submit: key!("save"),
        fields,
        wrong,
        mark: String::new(),
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
    let page = edit_page(&administrator, &user, &UserForm::of(&user), None).marked();
    Ok(Page::new(page).into_response())
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
        .write(async |tx| -> Result<User, Unsaved<directory::Error>> {
            space::lock(tx, space.id).await?;
            if let Some(now) = directory::user(tx, space.id, id).await? {
                let now = edit_page(&administrator, &now, &UserForm::of(&now), None).version();
                unchanged(&form.mark, now)?;
            }
            let act = &administrator.act;
            directory::update_user(tx, act, space, id, &change).await.map_err(Unsaved::Room)
        })
        .await;
    match changed {
        Ok(_) => Ok(done(&format!("/console/users/{id}"), "user-changed")),
        Err(Unsaved::Meanwhile(now)) => {
            let user = find(&app, space, id).await?;
            Ok(edit_page(&administrator, &user, &form, None).conflict(&now))
        }
        Err(Unsaved::Room(error)) => {
            let wrong = Wrong::of(error.into())?;
            let user = find(&app, space, id).await?;
            let page = edit_page(&administrator, &user, &form, Some(wrong)).marked_as(&form.mark);
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

/// Which way the switch of the security tab is turned (USR-19).
#[derive(Deserialize)]
pub(super) struct StatusForm {
    status: Status,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Enabled,
    Disabled,
}

pub(super) async fn set_status(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    Form(form): Form<StatusForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let enabled = form.status == Status::Enabled;
    app.db
        .write(async |tx| -> Result<(), Fault> {
            let act = &administrator.act;
            if directory::set_user_enabled(tx, act, space, id, enabled).await? {
                provisioning::access_changed(tx, act, space, &[Principal::User(id)]).await?;
            }
            Ok(())
        })
        .await?;
    let code = if enabled { "user-enabled" } else { "user-disabled" };
    Ok(done(&format!("/console/users/{id}?tab=security"), code))
}
