//! What can go wrong behind a door: every room's error in one.
//!
//! Each door maps a [`Fault`] once, with an exhaustive match. The caller sees fixed text and the
//! request's id; the cause is logged once, here, with its whole chain.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::Face;
use crate::{
    cloud, credential, directory, event, organization, permission, provisioning, request, secret,
    space, sso, store, task,
};

/// Every room's error.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The organisation room's.
    #[error(transparent)]
    Organization(#[from] organization::Error),
    /// The space room's.
    #[error(transparent)]
    Space(#[from] space::Error),
    /// The directory room's.
    #[error(transparent)]
    Directory(#[from] directory::Error),
    /// The credential room's.
    #[error(transparent)]
    Credential(#[from] credential::Error),
    /// The event room's.
    #[error(transparent)]
    Event(#[from] event::Error),
    /// The permission room's.
    #[error(transparent)]
    Permission(#[from] permission::Error),
    /// The task room's.
    #[error(transparent)]
    Task(#[from] task::Error),
    /// The sign-in room's.
    #[error(transparent)]
    Sso(#[from] sso::Error),
    /// The provisioning room's.
    #[error(transparent)]
    Provisioning(#[from] provisioning::Error),
    /// The request room's.
    #[error(transparent)]
    Request(#[from] request::Error),
    /// The embedded cloud's.
    #[error(transparent)]
    Cloud(#[from] cloud::Error),
    /// Access management's, by the people of an account.
    #[error(transparent)]
    Management(#[from] cloud::management::Error),
    /// That of temporary credentials.
    #[error(transparent)]
    Sts(#[from] cloud::sts::Error),
    /// The store's.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A secret could not be made or opened.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// A session could not be kept.
    #[error(transparent)]
    Session(#[from] tower_sessions::session::Error),
    /// Something that cannot happen did.
    #[error("{0}")]
    Internal(&'static str),
}

/// Logs the cause of a failure of ours, once, with its whole chain.
pub fn log_cause(error: &(dyn std::error::Error + 'static)) {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(cause = chain, "a request failed");
}

/// Where no door has a form of its own: 500 and nothing about the cause, unless what was sent is
/// nothing that could ever be.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        if Face::of(&self) == Face::Malformed {
            return (StatusCode::BAD_REQUEST, "The request is not understood.\n").into_response();
        }
        log_cause(&self);
        (StatusCode::INTERNAL_SERVER_ERROR, "The server failed.\n").into_response()
    }
}
