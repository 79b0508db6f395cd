//! `/Users` and `/Groups`: one transaction per request.

use axum::{
    Extension,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::{
    BASE,
    answer::{self, Refusal},
    body, cursor,
    perform::{self, Operation, perform},
    together::{Together, Wish},
    trace::Effect,
};
use crate::{
    app::App,
    directory::scim::{
        self as directory, Arrangement, At, Listed, Position, Push, Resource, ResourceKind, Show,
        Sort, View, Wanted, Written,
    },
    scim::{
        list::{self, Query},
        projection::Projection,
        version::Precondition,
    },
    store::Read,
    web::ScimClient,
};

/// The base URL of this door, as clients know it.
pub fn base(app: &App) -> String {
    format!("{}{BASE}", app.settings.public_url.as_str().trim_end_matches('/'))
}

fn query_of(request: &Request) -> Result<Query, Refusal> {
    Ok(Query::from_url(request.uri().query().unwrap_or_default())?)
}

/// How a request wants to see resources of a kind.
pub fn view<'a>(
    client: &'a ScimClient,
    base: &'a str,
    kind: ResourceKind,
    query: &Query,
) -> View<'a> {
    let types = &*client.opened.types;
    let attributes = query.attributes.as_deref();
    let excluded = query.excluded_attributes.as_deref();
    View {
        base,
        types,
        projection: Projection::parse(kind.of(types), attributes, excluded),
        always_emit_members: client.space().scim_settings.0.always_emit_members,
    }
}

/// RFC 7644 §3.14.
fn precondition(headers: &HeaderMap) -> Precondition {
    let lines = |name: HeaderName| {
        headers.get_all(name).into_iter().map(|line| line.to_str().unwrap_or("?"))
    };
    Precondition::read(lines(header::IF_MATCH), lines(header::IF_NONE_MATCH))
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
    let body = body::object(&app, &client, request, body::LIMIT).await?;
    let query = Query::from_search_request(&body)?;
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
    let space = client.space().id;
    let endpoint = format!("{kinds:?}");
    let cursor = cursor::open(app, space, query, &endpoint)?;
    let in_turn;
    let kinds = match (kinds, sort_of(query)) {
        ([_, _], Some(sort)) => match directory::arrange(&sort, &client.opened.types)? {
            Arrangement::InTurn(kinds) => {
                in_turn = kinds;
                &in_turn
            }
            Arrangement::Together => {
                let position = cursor.and_then(|cursor| cursor.position);
                return listed_together(app, client, query, &endpoint, position).await;
            }
        },
        _ => kinds,
    };
    let by_cursor = query.cursor.is_some();
    let (first, mut position) = cursor.map_or((0, None), |cursor| (cursor.kind, cursor.position));
    let (mut total, mut resources, mut next) = (0_u64, Vec::<Resource>::new(), None);
    let (mut skip, mut count) = (query.start_index - 1, query.count);
    let glance = matches!(kinds, [kind] if {
        let at = if by_cursor { At::Cursor(position.clone()) } else { At::Index(skip) };
        directory::fits_a_glance(*kind, &wanted_of(app, query, at, count), &client.opened.types)
    });
    let work = async |tx: &mut Read| -> Result<(), Refusal> {
        for (index, kind) in kinds.iter().enumerate() {
            let view = view(client, &base, *kind, query);
            let passed = by_cursor && index < first;
            let at = if by_cursor { At::Cursor(position.take()) } else { At::Index(skip) };
            let (from, most) = if passed { (At::Index(0), 0) } else { (at.clone(), count) };
            let wanted = wanted_of(app, query, from, most);
            let page: Listed = directory::list(tx, space, *kind, &wanted, &view).await?;
            total += page.total;
            if passed {
                // Its position is for a kind further on.
                if let At::Cursor(kept) = at {
                    position = kept;
                }
                continue;
            }
            skip = skip.saturating_sub(page.total);
            count -= u64::try_from(page.resources.len()).unwrap_or(count).min(count);
            resources.extend(page.resources);
            if by_cursor && next.is_none() {
                next = match page.next {
                    Some(position) => Some((index, Some(position))),
                    // The page ends where a kind ends: the next begins with the one after it.
                    None if count == 0 && index + 1 < kinds.len() => Some((index + 1, None)),
                    None => None,
                };
                if next.is_some() {
                    count = 0;
                }
            }
        }
        Ok(())
    };
    if glance { app.db.glance(work).await } else { app.db.read(work).await }?;
    let next = next
        .map(|(kind, position)| cursor::seal(app, space, query, &endpoint, kind, position))
        .transpose()?;
    Ok(list_of(query, total, resources, next.as_deref()))
}

/// One sorted list of users and groups.
async fn listed_together(
    app: &App,
    client: &ScimClient,
    query: &Query,
    endpoint: &str,
    position: Option<Position>,
) -> Result<Response, Refusal> {
    let (base, space) = (base(app), client.space().id);
    let views = directory::BOTH.map(|kind| view(client, &base, kind, query));
    let by_cursor = query.cursor.is_some();
    let at = if by_cursor { At::Cursor(position) } else { At::Index(query.start_index - 1) };
    let wanted = wanted_of(app, query, at, query.count);
    let list = async |tx: &mut Read| directory::list_together(tx, space, &wanted, &views).await;
    let Listed { total, resources, next } = app.db.read(list).await?;
    let next = next
        .map(|position| cursor::seal(app, space, query, endpoint, 0, Some(position)))
        .transpose()?;
    Ok(list_of(query, total, resources, next.as_deref()))
}

fn sort_of(query: &Query) -> Option<Sort<'_>> {
    query.sort_by.as_deref().map(|by| Sort { by, descending: query.descending })
}

fn list_of(query: &Query, total: u64, resources: Vec<Resource>, next: Option<&str>) -> Response {
    let items = u64::try_from(resources.len()).unwrap_or(u64::MAX);
    let start = query.cursor.is_none().then_some(query.start_index);
    let head = list::head(Some(total), start);
    let tail = list::tail(items, next, None);
    answer::pieces(200, together(head, resources, tail))
}

/// What a query asks for, from a place on.
fn wanted_of<'a>(app: &'a App, query: &'a Query, at: At, count: u64) -> Wanted<'a> {
    let (filter, sort) = (query.filter.as_deref(), sort_of(query));
    Wanted { filter, sort, at, count, signposts: &app.signposts }
}

/// The text of a list, in pieces that hold several resources.
fn together(
    head: String,
    resources: Vec<Resource>,
    tail: String,
) -> impl Iterator<Item = String> + Send + 'static {
    const PIECE: usize = 64 * 1024;
    let mut first = true;
    let texts = resources.into_iter().flat_map(move |resource| {
        let separator = if std::mem::take(&mut first) { "" } else { list::SEPARATOR };
        std::iter::once(separator.to_owned()).chain(resource.into_pieces())
    });
    let mut all = std::iter::once(head).chain(texts).chain(std::iter::once(tail));
    std::iter::from_fn(move || {
        let mut piece = all.next()?;
        while piece.len() < PIECE {
            let Some(more) = all.next() else { break };
            piece.push_str(&more);
        }
        Some(piece)
    })
}

pub async fn read(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
    request: Request,
    kind: ResourceKind,
) -> Result<Response, Refusal> {
    let (base, query, id) = (base(&app), query_of(&request)?, id_of(id));
    let view = view(&client, &base, kind, &query);
    let space = client.space().id;
    let find = async |tx: &mut Read| directory::find(tx, space, kind, &id, &view).await;
    let found = match kind {
        // One statement. A group and its members are two, and have to fit together.
        ResourceKind::User => app.db.glance(find).await?,
        ResourceKind::Group => app.db.read(find).await?,
    };
    if precondition(request.headers()).not_modified(found.version)? {
        let unchanged = StatusCode::NOT_MODIFIED.into_response();
        return Ok(answer::with_place(unchanged, &found.location, found.version));
    }
    Ok(answer::resource(200, found))
}

pub async fn create(
    State(app): State<App>,
    Extension(together): Extension<Together>,
    client: ScimClient,
    request: Request,
    kind: ResourceKind,
) -> Result<Response, Refusal> {
    let query = query_of(&request)?;
    let body = body::object(&app, &client, request, body::limit(kind)).await?;
    client.trace.names(name_in(kind, &body));
    let made = match kind {
        ResourceKind::User => together.make(&app, Wish { client, query, body }).await?,
        ResourceKind::Group => {
            change(&app, &client, kind, &query, None, 201, Operation::Create(None, body)).await?
        }
    };
    Ok(answer(201, made))
}

pub async fn replace(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
    request: Request,
    kind: ResourceKind,
) -> Result<Response, Refusal> {
    let (query, id) = (query_of(&request)?, id_of(id));
    let precondition = precondition(request.headers());
    let body = body::object(&app, &client, request, body::limit(kind)).await?;
    client.trace.names(name_in(kind, &body));
    let operation = Operation::Replace(id, body);
    let replaced = change(&app, &client, kind, &query, Some(&precondition), 200, operation).await?;
    Ok(answer(200, replaced))
}

pub async fn patch(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
    request: Request,
    kind: ResourceKind,
) -> Result<Response, Refusal> {
    let (query, id) = (query_of(&request)?, id_of(id));
    let precondition = precondition(request.headers());
    let body = body::object(&app, &client, request, body::limit(kind)).await?;
    // RFC 7644 §3.5.2: whoever names attributes gets a body.
    let show = if query.attributes.is_some() {
        Show::Always
    } else if client.space().scim_settings.0.patch_without_body {
        Show::Never
    } else {
        Show::UnlessLarge
    };
    let operation = Operation::Patch(id, body, show);
    let mut patched =
        change(&app, &client, kind, &query, Some(&precondition), 200, operation).await?;
    if show == Show::Never {
        patched.resource = None;
    }
    Ok(answer(200, patched))
}

pub async fn delete(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
    request: Request,
    kind: ResourceKind,
) -> Result<Response, Refusal> {
    let precondition = precondition(request.headers());
    let operation = Operation::Delete(id_of(id));
    let query = Query::default();
    change(&app, &client, kind, &query, Some(&precondition), 204, operation).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Does it and records it, in one transaction.
pub async fn change(
    app: &App,
    client: &ScimClient,
    kind: ResourceKind,
    query: &Query,
    precondition: Option<&Precondition>,
    status: u16,
    operation: Operation,
) -> Result<Written, Refusal> {
    let base = base(app);
    let push = Push {
        act: &client.act,
        space: client.space(),
        limits: app.directory_limits(),
        view: view(client, &base, kind, query),
        precondition,
    };
    let done = app
        .db
        .write(async |tx| -> Result<Written, Refusal> {
            let written = perform(tx, &push, kind, operation).await?;
            let effect = Effect {
                subject: perform::subject(&written),
                audit_ids: written.audit_id.into_iter().collect(),
                ..Effect::default()
            };
            client.trace.record(tx, &client.act, status, effect).await?;
            Ok(written)
        })
        .await;
    match done {
        Ok(written) => {
            client.trace.committed();
            Ok(written)
        }
        Err(refusal) => {
            held(app, client, &refusal).await?;
            Err(refusal)
        }
    }
}

/// Tells the administrators when the mass-change brake takes hold (SCIM-21).
pub async fn held(app: &App, client: &ScimClient, refusal: &Refusal) -> Result<(), Refusal> {
    if !refusal.is_braked() || client.trace.rehearses() {
        return Ok(());
    }
    let first = app
        .db
        .write(async |tx| directory::note_held(tx, &client.act, client.space()).await)
        .await?;
    if first {
        tracing::warn!(space = %client.space().id, "the mass-change brake of a directory holds");
    }
    Ok(())
}

/// The name that a body gives a resource.
fn name_in(kind: ResourceKind, body: &Map<String, Value>) -> Option<&str> {
    body.iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(kind.name_attribute()))
        .and_then(|(_, value)| value.as_str())
}

fn answer(status: u16, written: Written) -> Response {
    if let Some(resource) = written.resource {
        return answer::resource(status, resource);
    }
    let empty = StatusCode::NO_CONTENT.into_response();
    answer::with_place(empty, &written.location, written.version)
}
