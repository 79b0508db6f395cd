//! User syncs: identities that have a CAM user in an account (US-02…13).

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::{
    Administrator, authorization,
    conflict::{Entry, Place, Unsaved, Version, conflict, unchanged},
    frame::{Frame, ListQuery, Pager, Search, Section, Wrong, done},
    plans::{SYNC_STEPS, Wanted},
};
use crate::{
    app::App,
    id::{SpaceId, Uin, UserSyncId},
    provisioning::{
        self, DeletionStrategy, DuplicationStrategy, UserSync, UserSyncChange, UserSyncFilter,
    },
    space,
    store::Read,
    web::{
        Fault,
        messages::Message,
        page::{Field, Page},
        pages::PageError,
    },
};

const HERE: &str = "/console/user-syncs";

#[derive(Template)]
#[template(path = "console/user_syncs.html")]
struct SyncList {
    frame: Frame,
    syncs: Vec<UserSync>,
    search: Search,
    pager: Pager,
}

/// The list, by the account's name or number (US-10).
pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let filter = UserSyncFilter { account_search: query.wanted(), ..UserSyncFilter::default() };
    let page = app
        .db
        .read(async |tx| provisioning::user_syncs(tx, space, &filter, query.page()).await)
        .await?;
    let pager = query.pager(HERE, &page);
    let frame = Frame::new(&administrator, Section::UserSyncs, query.done.as_deref());
    let search = Search::new(key!("user-syncs-search"), &query);
    Ok(Page::new(SyncList { frame, syncs: page.rows, search, pager }).into_response())
}

#[derive(Template)]
#[template(path = "console/user_sync_basics.html")]
struct Basics {
    frame: Frame,
    steps: &'static [(u8, Message)],
    step: u8,
    back: String,
    accounts: Vec<(Uin, String)>,
    /// Users and groups, by name.
    users: Vec<String>,
    groups: Vec<String>,
    carried: Vec<(&'static str, String)>,
    description: Field,
    duplication: DuplicationStrategy,
    deletion: DeletionStrategy,
    wrong: Option<Wrong>,
}

/// The second step of the wizard: what the syncs are for, and what they do (US-03, US-08).
pub(super) async fn basics(
    State(app): State<App>,
    administrator: Administrator,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    if wanted.principal.is_empty() || wanted.principals().is_err() {
        return authorization::no_identity(&app, &administrator, &wanted, true).await;
    }
    let space = administrator.space()?.id;
    let names = app.db.read(async |tx| authorization::named(tx, space, &wanted).await).await?;
    let of_kind = |is_user: bool| -> Vec<String> {
        let all = names.principals();
        let of_kind = all.filter(|(id, _)| matches!(id, crate::id::Principal::User(_)) == is_user);
        of_kind.map(|(_, name)| name.to_owned()).collect()
    };
    let wrong = Wanted { act: Some(super::plans::Deed::Sync), ..wanted.clone() }.operation().err();
    let page = Basics {
        frame: Frame::new(&administrator, Section::UserSyncs, None),
        steps: &SYNC_STEPS,
        step: 3,
        back: wanted.address("/console/user-syncs/new"),
        accounts: names.accounts().map(|(uin, name)| (uin, name.to_owned())).collect(),
        users: of_kind(true),
        groups: of_kind(false),
        carried: wanted.carried_but(&["description", "duplication", "deletion", "act"]),
        description: description_field(&wanted.description),
        // US-04, US-07: what is chosen before anybody chooses.
        duplication: wanted.duplication.unwrap_or(DuplicationStrategy::TakeOver),
        deletion: wanted.deletion.unwrap_or(DeletionStrategy::Keep),
        wrong,
    };
    Ok(Page::new(page).into_response())
}

fn description_field(value: &str) -> Field {
    Field::text("description", key!("sync-description")).optional().longest(1024).value(value)
}

#[derive(Template)]
#[template(path = "console/user_sync.html")]
struct OneSync {
    frame: Frame,
    sync: UserSync,
    description: Field,
    deletion: DeletionStrategy,
    mark: String,
    wrong: Option<Wrong>,
}

/// What can be changed of a user sync, as somebody has it.
fn version(description: &str, deletion: DeletionStrategy) -> Version {
    let shown = match deletion {
        DeletionStrategy::Delete => t!("sync-delete"),
        DeletionStrategy::Keep => t!("sync-keep"),
    };
    Version(vec![
        Entry::text("description", key!("sync-description"), description),
        Entry::choice("deletion", key!("sync-deletion"), deletion.as_str(), shown),
    ])
}

async fn find(tx: &mut Read, space: SpaceId, id: UserSyncId) -> Result<UserSync, Fault> {
    let found = provisioning::user_sync(tx, space, id).await?;
    Ok(found.ok_or(provisioning::Error::UserSyncNotFound)?)
}

/// The details of one, with what may be changed (US-11, US-12).
pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<UserSyncId>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let sync = app.db.read(async |tx| find(tx, space, id).await).await?;
    let page = OneSync {
        frame: Frame::new(&administrator, Section::UserSyncs, query.done.as_deref()),
        description: description_field(&sync.description),
        deletion: sync.deletion_strategy,
        mark: version(&sync.description, sync.deletion_strategy).mark(),
        sync,
        wrong: None,
    };
    Ok(Page::new(page).into_response())
}

#[derive(Deserialize)]
pub(super) struct ChangeForm {
    #[serde(default)]
    description: String,
    deletion: DeletionStrategy,
    #[serde(default)]
    mark: String,
}

/// Changes the description and the delete policy (US-12).
pub(super) async fn update(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<UserSyncId>,
    Form(form): Form<ChangeForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let change = UserSyncChange {
        description: Some(form.description.trim().to_owned()),
        deletion: Some(form.deletion),
        duplication: None,
    };
    let act = &administrator.act;
    let changed = app
        .db
        .write(async |tx| -> Result<(), Unsaved<provisioning::Error>> {
            space::lock(tx, space).await?;
            if let Some(now) = provisioning::user_sync(tx, space, id).await? {
                unchanged(&form.mark, version(&now.description, now.deletion_strategy))?;
            }
            let changed = provisioning::update_user_sync(tx, act, space, id, &change, false);
            changed.await.map_err(Unsaved::Room)
        })
        .await;
    match changed {
        Ok(()) => Ok(done(&format!("{HERE}/{id}"), "user-sync-changed")),
        Err(Unsaved::Meanwhile(now)) => {
            let here = format!("{HERE}/{id}");
            let place = Place {
                title: key!("user-sync-edit"),
                back: here.clone(),
                back_label: id.to_string(),
                edit: here.clone(),
                action: here,
            };
            let frame = Frame::new(&administrator, Section::UserSyncs, None);
            Ok(conflict(frame, place, &now, version(form.description.trim(), form.deletion)))
        }
        Err(Unsaved::Room(error)) => {
            let wrong = Wrong::of(error.into())?;
            let sync = app.db.read(async |tx| find(tx, space, id).await).await?;
            let page = OneSync {
                frame: Frame::new(&administrator, Section::UserSyncs, None),
                sync,
                description: description_field(&form.description)
                    .error(Wrong::at(Some(&wrong), "description")),
                deletion: form.deletion,
                mark: form.mark,
                wrong: Some(wrong),
            };
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}
