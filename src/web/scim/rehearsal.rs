//! A recorded request tried again: everything goes as it would go now, and nothing of it stays
//! (SCIM-20).

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{
        Method, Uri,
        header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH},
    },
};
use tower::ServiceExt;

use super::{BASE, Rehearsal, Trace, every};
use crate::{
    app::App,
    audit::{Act, Record},
    credential::Opened,
    recorder::Recorded,
    web::RequestInfo,
};

/// Bytes of an answer that are kept; a longer one is not shown.
const MAX_ANSWER: usize = 1024 * 1024;

/// What a request would come to.
#[derive(Debug)]
pub struct Rehearsed {
    /// The HTTP status.
    pub status: u16,
    /// The answer; none when it is longer than a megabyte.
    pub body: Option<String>,
    /// The audit records of what it would change.
    pub effects: Vec<Record>,
}

/// Why a request cannot be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RehearsalError {
    /// Its body was not kept, or not to its end.
    #[error("the body of this request was too long to be kept whole, or was no JSON")]
    NotWhole,
    /// Its address or method can no longer be read.
    #[error("the address of this request was too long to be kept whole")]
    Address,
}

/// Tries a recorded request again in the space that `opened` opens. It goes through this door with
/// all its rules, to a database that rolls back every write; neither the recorder nor the audit log
/// nor anybody who listens for events hears of it.
pub async fn rehearse(
    app: &App,
    act: Act,
    opened: Opened,
    recorded: &Recorded,
) -> Result<Rehearsed, RehearsalError> {
    let mut request = rebuild(recorded)?;
    let info = RequestInfo { id: act.request_id.clone(), address: act.address };
    request.extensions_mut().insert(info);
    request.extensions_mut().insert(Rehearsal { act, opened: Arc::new(opened) });
    let stage = app.rehearsal();
    let router = every(&stage).into_router().with_state(stage);
    let mut response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let effects = response.extensions_mut().remove::<Trace>().map(|trace| trace.effects());
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), MAX_ANSWER).await.ok();
    Ok(Rehearsed {
        status,
        body: body.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        effects: effects.unwrap_or_default(),
    })
}

fn rebuild(recorded: &Recorded) -> Result<Request, RehearsalError> {
    if !recorded.can_be_replayed() {
        return Err(RehearsalError::NotWhole);
    }
    let method =
        Method::from_bytes(recorded.method.as_bytes()).map_err(|_| RehearsalError::Address)?;
    let query = recorded.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let uri: Uri =
        format!("{BASE}{}{query}", recorded.path).parse().map_err(|_| RehearsalError::Address)?;
    let mut request = Request::builder().method(method).uri(uri);
    let conditions = recorded.conditions();
    for (name, value) in
        [(IF_MATCH, conditions.if_match), (IF_NONE_MATCH, conditions.if_none_match)]
    {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let request = match &recorded.body {
        Some(body) => {
            request.header(CONTENT_TYPE, "application/scim+json").body(Body::from(body.clone()))
        }
        None => request.body(Body::empty()),
    };
    request.map_err(|_| RehearsalError::Address)
}
