//! `/Users` and `/Groups`: one transaction per request.

use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{
    BASE,
    answer::{self, Refusal},
    body,
};
use crate::{
    app::App,
    audit::Act,
    directory::scim::{self as directory, ResourceKind, View, Wanted},
    id::{Principal, SpaceId},
    provisioning,
    scim::{
        list::{Query, response},
        projection::Projection,
    },
    store::Write,
    web::ScimClient,
};

/// A group with more members than this answers a PATCH with 204 (reference/SCIM.md §6).
const MAX_SHOWN_MEMBERS: i64 = 1000;

/// The base URL of this door, as clients know it.
pub fn base(app: &App) -> String {
    format!("{}{BASE}", app.settings.public_url.as_str().trim_end_matches('/'))
}

fn query_of(request: &Request) -> Result<Query, Refusal> {
    Ok(Query::from_url(request.uri().query().unwrap_or_default())?)
}

fn view<'a>(base: &'a str, kind: ResourceKind, query: &Query) -> View<'a> {
    let attributes = query.attributes.as_deref();
    let excluded = query.excluded_attributes.as_deref();
    View { base, projection: Projection::parse(kind.resource_type(), attributes, excluded) }
}

/// An id that cannot even be read is nobody's.
fn id_of(id: Result<Path<String>, PathRejection>) -> String {
    id.map(|Path(id)| id).unwrap_or_default()
}

pub async fn list(
    State(app): State<App>,
    client: ScimClient,
    request: Request,
    kinds: &[ResourceKind],
) -> Result<Response, Refusal> {
    let query = query_of(&request)?;
    listed(&app, &client, &query, kinds).await
}

/// RFC 7644 §3.4.3: the same as a GET, for filters that should not stand in a URL.
pub async fn search(
    State(app): State<App>,
    client: ScimClient,
    request: Request,
    kinds: &[ResourceKind],
) -> Result<Response, Refusal> {
    let query = Query::from_search_request(&body::object(request, body::LIMIT).await?)?;
    listed(&app, &client, &query, kinds).await
}

/// One list of all the kinds, one behind the other.
async fn listed(
    app: &App,
    client: &ScimClient,
    query: &Query,
    kinds: &[ResourceKind],
) -> Result<Response, Refusal> {
    let base = base(app);
    let space = client.space.id;
    let (total, resources) = app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let (mut total, mut resources) = (0, Vec::new());
            let (mut skip, mut count) = (query.start_index - 1, query.count);
            for kind in kinds {
                let view = view(&base, *kind, query);
                let wanted = Wanted { filter: query.filter.as_deref(), skip, count };
                let page = directory::list(tx, space, *kind, &wanted, &view).await?;
                total += page.total;
                skip = skip.saturating_sub(page.total);
                count -= u64::try_from(page.resources.len()).unwrap_or(count).min(count);
                resources.extend(page.resources.into_iter().map(Value::Object));
            }
            Ok((total, resources))
        })
        .await?;
    Ok(answer::json(200, &response(total, query.start_index, &resources)))
}

pub async fn read(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
    request: Request,
    kind: ResourceKind,
) -> Result<Response, Refusal> {
    let (base, query, id) = (base(&app), query_of(&request)?, id_of(id));
    let view = view(&base, kind, &query);
    let space = client.space.id;
    let found = app.db.read(async |tx| directory::find(tx, space, kind, &id, &view).await).await?;
    Ok(answer::resource(200, found))
}

pub async fn create(
    State(app): State<App>,
    client: ScimClient,
    request: Request,
    kind: ResourceKind,
) -> Result<Response, Refusal> {
    let (base, query) = (base(&app), query_of(&request)?);
    let body = body::object(request, body::limit(kind)).await?;
    let view = view(&base, kind, &query);
    let (act, space, limits) = (&client.act, client.space.id, app.settings.limits);
    let made = app
        .db
        .write(async |tx| match kind {
            ResourceKind::User => {
                directory::create_user(tx, act, space, &body, limits.users, &view).await
            }
            ResourceKind::Group => {
                directory::create_group(tx, act, space, &body, limits.groups, &view).await
            }
        })
        .await?;
    Ok(answer::resource(201, made))
}

pub async fn replace(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
    request: Request,
    kind: ResourceKind,
) -> Result<Response, Refusal> {
    let (base, query, id) = (base(&app), query_of(&request)?, id_of(id));
    let body = body::object(request, body::limit(kind)).await?;
    let view = view(&base, kind, &query);
    let (act, space) = (&client.act, client.space.id);
    let replaced = app
        .db
        .write(async |tx| {
            let replaced = match kind {
                ResourceKind::User => {
                    directory::replace_user(tx, act, space, &id, &body, &view).await?
                }
                ResourceKind::Group => {
                    directory::replace_group(tx, act, space, &id, &body, &view).await?
                }
            };
            follow(tx, act, space, &id).await?;
            Ok::<_, directory::Error>(replaced)
        })
        .await?;
    Ok(answer::resource(200, replaced))
}

pub async fn patch(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
    request: Request,
    kind: ResourceKind,
) -> Result<Response, Refusal> {
    let (base, query, id) = (base(&app), query_of(&request)?, id_of(id));
    let body = body::object(request, body::limit(kind)).await?;
    let view = view(&base, kind, &query);
    let (act, space) = (&client.act, client.space.id);
    // RFC 7644 §3.5.2: whoever names attributes gets a body.
    let max_shown = if query.attributes.is_some() { i64::MAX } else { MAX_SHOWN_MEMBERS };
    let patched = app
        .db
        .write(async |tx| {
            let patched = match kind {
                ResourceKind::User => {
                    Some(directory::patch_user(tx, act, space, &id, body, &view).await?)
                }
                ResourceKind::Group => {
                    directory::patch_group(tx, act, space, &id, body, &view, max_shown).await?
                }
            };
            follow(tx, act, space, &id).await?;
            Ok::<_, directory::Error>(patched)
        })
        .await?;
    Ok(match patched {
        Some(resource) => answer::resource(200, resource),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

pub async fn delete(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
    kind: ResourceKind,
) -> Result<Response, Refusal> {
    let id = id_of(id);
    let (act, space) = (&client.act, client.space.id);
    app.db
        .write(async |tx| -> Result<(), Refusal> {
            let gone = match kind {
                ResourceKind::User => {
                    Principal::User(directory::delete_user(tx, act, space, &id).await?)
                }
                ResourceKind::Group => {
                    Principal::Group(directory::delete_group(tx, act, space, &id).await?)
                }
            };
            // SCIM-18: what it held confers nothing from now on.
            Ok(provisioning::identity_deleted(tx, act, space, gone).await?)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What a change of a user or a group means for sessions in accounts and for synced CAM users.
async fn follow(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: &str,
) -> Result<(), crate::store::Error> {
    match id.parse::<Principal>() {
        Ok(changed) => provisioning::access_changed(tx, act, space, &[changed]).await,
        // Whoever was changed has an id.
        Err(_) => Ok(()),
    }
}
