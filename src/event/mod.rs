//! Events: what changes in a directory, told to others as it happens.
//!
//! A space has endpoints. Each change of a user, a group or a membership is an event, written in
//! the transaction of the change ([`announce`]) and put in line for every endpoint that wants its
//! kind. A [`Courier`] delivers: it signs a security event token (RFC 8417) in the profile for
//! SCIM (RFC 9967) with the endpoint's secret (HS256) and pushes it (RFC 8935).
//!
//! * One endpoint gets its events one after the other, in the order of their ids. What fails is
//!   tried again after growing pauses, and given up after the patience of the settings. Endpoints
//!   do not wait for one another.
//! * A receiver may get an event twice and knows it by its `jti`, which stays the same however
//!   often it is sent.
//! * A change is told as the patch it amounts to, so that one changed member of a large group is a
//!   small event; what a PUT replaced is told as a PUT, with the whole resource.
//! * Where an event would be too large to be sent whole, it names the attributes only.
//! * Nobody is reached by it who is not meant to be: see [`Guard`].

mod client;
mod courier;
mod endpoints;
mod fetch;
mod guard;
mod journal;
mod line;
mod token;

pub use client::{Client, ClientError};
pub use courier::{Courier, Patience};
pub use endpoints::{
    Access, Wish, create, delete, endpoint, endpoints, rotate_secret, set_enabled, test, update,
};
pub use guard::Guard;
pub use journal::{
    Answer, Audience, Delivery, Event, announce, announce_answer, announce_disagreement,
    announce_expiry, audience, deliveries, forget_old, redeliver, replay,
};

use crate::{
    id::{EndpointId, SpaceId},
    secret,
    store::{self as database, Json, Timestamp, text_enum},
};

/// How many endpoints a space may have.
pub const MAX_ENDPOINTS: usize = 10;
/// What every secret of an endpoint begins with, so that people and scanners know one.
pub const SECRET_PREFIX: &str = "icevent_";
/// How many events one replay puts in line at most; a further one goes on from there.
pub const MAX_REPLAYED: i64 = 50_000;

text_enum! {
    /// What an event tells.
    pub enum Kind {
        /// A user or group was made.
        Create = "create",
        /// Attributes of one changed.
        Patch = "patch",
        /// Users joined or left a group.
        Membership = "membership",
        /// One was deleted.
        Delete = "delete",
        /// A user may sign in again.
        Activate = "activate",
        /// A user may not sign in any more.
        Deactivate = "deactivate",
        /// An operation of a bulk request that was answered later is done, or has failed.
        Answer = "answer",
        /// A certificate, a key or a token of the space ends soon (SSO-19).
        Expiry = "expiry",
        /// Two implementations disagree over a response that one of them accepts: somebody may have
        /// found a way past it.
        Alarm = "alarm",
        /// Nothing happened: a test of the endpoint.
        Verification = "verification",
    }
}

impl Kind {
    /// Those an endpoint may choose from; a verification is always for one endpoint.
    pub const CHOICE: [Self; 9] = [
        Self::Create,
        Self::Patch,
        Self::Membership,
        Self::Delete,
        Self::Activate,
        Self::Deactivate,
        Self::Answer,
        Self::Expiry,
        Self::Alarm,
    ];
}

text_enum! {
    /// How far a delivery is.
    pub enum State {
        /// In line, or waiting for its next attempt.
        Waiting = "waiting",
        /// The receiver has it.
        Delivered = "delivered",
        /// Not delivered and not tried any more.
        GivenUp = "given_up",
    }
}

/// Where events go.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// The space whose events it gets.
    pub space_id: SpaceId,
    /// The address that is called.
    pub url: String,
    /// Which secret signs: grows by one with each rotation, and is the `kid` of the tokens.
    pub secret_number: i64,
    /// The kinds it wants.
    pub kinds: Json<Vec<Kind>>,
    /// Whether values are told too, and not only the names of what changed.
    pub full_content: bool,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Why it was disabled, when nobody did it by hand.
    pub disabled_because: Option<String>,
    /// Attempts in a row that failed.
    pub failures: i64,
    /// When the next attempt is due.
    pub run_at: Timestamp,
    /// When something was delivered last.
    pub last_delivered_at: Option<Timestamp>,
    /// How many events are in line.
    pub waiting: i64,
    /// How many were given up.
    pub given_up: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Why something about events could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL is none that events may be sent to.
    #[error("{0}")]
    UrlInvalid(&'static str),
    /// Nothing is wanted.
    #[error("choose at least one kind of event")]
    NoKind,
    /// The space has as many endpoints as it may have.
    #[error("a space has at most {MAX_ENDPOINTS} endpoints for events")]
    TooMany,
    /// There is no such endpoint in the space.
    #[error("there is no such endpoint")]
    EndpointNotFound,
    /// There is no such event in the space, or none any more.
    #[error("there is no such event")]
    EventNotFound,
    /// Nothing is sent to it now.
    #[error("the endpoint is disabled")]
    Disabled,
    /// A secret could not be made or opened.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
