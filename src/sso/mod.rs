//! Sign-in through the company's identity provider.
//!
//! The engine [`crate::saml`] judges a response. This room keeps what the judgement needs (the
//! configured identity provider, the sign-ins under way) and what must be remembered of it (the
//! replay ledger, the trace of every attempt), and hands out the one-time ticket with which the
//! browser that began opens its session.
//!
//! A sign-in, in three steps, each a write of its own:
//!
//! 1. [`begin`] remembers a request: its id, the browser, where to go afterwards.
//! 2. [`judge`] takes the response. The request is used up, the assertion enters the ledger, the
//!    user is looked up, a ticket is made; the attempt is recorded, whichever way it went.
//! 3. [`redeem`] takes the ticket from the browser that began, and from no other.
//!
//! A sign-in that begins at the identity provider, where that is allowed, has no first step and no
//! browser that began: there the person is asked ([`question`]) before step 3.
//!
//! A test ([`new_test`]) goes the same way with a configuration of its own, as far as the verdict,
//! and opens nothing.
//!
//! A sign-out ends our sessions at once ([`sign_out`]), and then asks the identity provider to end
//! its own. What the identity provider ends, it tells us ([`heard`]), and we end what came from it.

mod attempts;
mod bundle;
mod certificates;
mod command_line;
mod differences;
mod fetcher;
mod judging;
mod logout;
mod logout_services;
mod looked;
mod portal_sessions;
mod proposals;
mod provider;
mod removed;
mod requests;
mod responses;
mod rules;
mod sign_in;
mod signed_in;
mod source;
mod test_sign_in;
mod ticket;

pub use attempts::{Attempt, AttemptSearch, Outcome, attempt_of, attempts, forget_old};
pub use bundle::{Subject as BundleSubject, bundle};
pub use certificates::{add_certificate, clear, remove_certificate};
pub use command_line::{
    CommandLineAnswer, CommandLineTaken, answer_command_line, command_line_is_answered,
    is_command_line_state, take_command_line,
};
pub use differences::{Difference, Part, differences};
pub use fetcher::Fetcher;
pub use judging::{Against, Judged, judge};
pub use logout::{AskingToEnd, Heard, LogoutState, heard, logout_state, refused_logouts, sign_out};
pub use logout_services::{LogoutService, SingleLogout};
pub use looked::Looked;
pub use portal_sessions::{
    PortalSession, SessionFilter, Sessions, end_portal_sessions, end_replaced, origin,
    portal_sessions, portal_sessions_like,
};
pub use proposals::{
    Content, Origin, Proposal, approve, choose, discard, fetched_proposal, forget_proposals,
    proposal, propose, set_by_looked, standing,
};
pub use provider::{
    ByHand, IdentityProvider, IdpCertificate, ReadCertificates, identity_provider, set_by_hand,
    set_by_metadata,
};
pub use removed::{RemovedCertificate, removed_before};
pub use requests::{NameIdPolicy, RequestSettings, Way, set_requests};
pub use responses::{ResponseSettings, set_responses};
pub use rules::{acs_url, idp_entity_id, return_path, slo_url, sp_entity_id};
pub use sign_in::{Begun, PendingRequest, begin, forget_expired, pending_request, used};
pub use signed_in::signed_in_at;
pub use test_sign_in::{
    Draft, ProvedAssertion, SignInTest, TestOutcome, TestResult, begin_test, judge_test, new_test,
    test, tests,
};

pub use ticket::{Bearer, Brought, Redeemed, TICKET_SECONDS, decline, redeem};

pub use source::{Came, NewSource, Source, pins_of, remove_source, set_source, source};

use source::SHORTEST;

use crate::{
    saml::{
        certificate::CertificateError,
        metadata::{MAXIMUM_CERTIFICATES, MetadataError},
        request::RequestError,
    },
    secret, space, store as database,
};

/// Why something about sign-in could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sign-in switch is off (SSO-03).
    #[error("sign-in is switched off in this space")]
    SwitchedOff,
    /// No identity provider is configured (SSO-03).
    #[error("no identity provider is configured in this space")]
    NotConfigured,
    /// The identity provider cannot be changed so.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The identity provider takes no posts.
    #[error("the identity provider's metadata has no sign-on service with the POST binding")]
    NoPost,
    /// A name of an attribute that is empty or too long, or holds control characters.
    #[error("the name of an attribute has 1 to 256 characters without controls")]
    IdentityAttribute,
    /// No such test, or it is no longer kept.
    #[error("there is no such test")]
    TestNotFound,
    /// Ways to authenticate that are too many, too long or no URIs.
    #[error("at most ten URIs, one a line")]
    AuthnContexts,
    /// A key of the space cannot be used.
    #[error(transparent)]
    Key(#[from] space::Error),
    /// The metadata is refused; says why.
    #[error("the metadata is refused: {0}")]
    Metadata(#[from] MetadataError),
    /// A certificate is refused; says why.
    #[error("the certificate is refused: {0}")]
    Certificate(#[from] CertificateError),
    /// The certificate whose private key everybody has.
    #[error("this certificate is for development: everybody has its private key")]
    DevelopmentKey,
    /// Reading a document broke off.
    #[error("reading the document broke off")]
    Interrupted,
    /// The request to the identity provider cannot be written.
    #[error("the request to the identity provider cannot be written")]
    Request(#[from] RequestError),
    /// No randomness.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}

/// Why an identity provider cannot be changed as somebody wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It has this certificate already (SSO-11).
    #[error("the identity provider has this certificate already")]
    CertificateKnown,
    /// It has as many certificates as it may have.
    #[error(
        "an identity provider has at most {MAXIMUM_CERTIFICATES} certificates: remove one first"
    )]
    TooManyCertificates,
    /// The certificate is the only one (SSO-11).
    #[error("one certificate must stay: add the new one first")]
    LastCertificate,
    /// It has no such certificate.
    #[error("the identity provider has no such certificate")]
    CertificateNotFound,
    /// What must not be while sign-in is on (SSO-10).
    #[error("sign-in is on: turn it off before the identity provider is cleared")]
    StillOn,
    /// There is no such proposal, or none any more.
    #[error("there is no such proposal, or it has expired")]
    ProposalNotFound,
    /// There is nowhere to fetch metadata from.
    #[error("there is no address to fetch metadata from")]
    NoSource,
    /// It was looked at a moment ago.
    #[error("the address was looked at less than {SHORTEST} seconds ago: try again in a moment")]
    LookedAtJustNow,
    /// Nobody could tell whose certificates they are.
    #[error(
        "new certificates count at once only with a pinned certificate that signs the metadata"
    )]
    PinNeeded,
    /// A certificate to pin is none.
    #[error("a certificate to pin is refused: {0}")]
    Pin(CertificateError),
    /// More certificates than may be pinned.
    #[error("at most four certificates can be pinned")]
    TooManyPins,
    /// The configuration is not the one that the proposal was compared with.
    #[error("the configuration has changed meanwhile: look at the differences again")]
    ChangedMeanwhile,
}
