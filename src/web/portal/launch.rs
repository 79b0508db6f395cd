//! From the portal into an account: our signed word, carried there by the browser.

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::SignedDuration;
use serde_json::json;
use tower_sessions::Session;

use super::home_of;
use crate::{
    access,
    app::App,
    audit::{self, Change, Scope},
    cloud::{self, sign_in::PROVIDER_ATTRIBUTE},
    id::{ConfigurationId, IdpSessionId, Uin},
    provisioning::{self, names},
    saml::{
        identity_provider::{AttributeToState, ResponseToIssue},
        name_id_format,
        target::{Grant, Statement, Target},
    },
    secret::{hex, random},
    space::{self, KeyPurpose},
    sso,
    store::{IDP_SESSION, Write},
    web::{
        Fault, PortalUser,
        pages::{PageError, Problem},
        saml::post::{Message, SamlPost},
    },
};

/// For how long our word may be presented: the browser does it at once.
const LIFETIME: SignedDuration = SignedDuration::from_mins(2);

/// Enters an account as a role.
pub(super) async fn role(
    State(app): State<App>,
    caller: PortalUser,
    session: Session,
    Path((_, account, configuration)): Path<(String, Uin, ConfigurationId)>,
) -> Result<Response, PageError> {
    let (space, user, at) = (caller.space.id, caller.user.id, caller.act.now);
    let launch = app
        .db
        .read(async |tx| access::launch_role(tx, space, user, account, configuration, at).await)
        .await
        .map_err(|error| no_entry(&caller, error))?;
    let sign_in_url = cloud::sign_in_url(app.settings.public_url.as_str());
    let (target, number) = match &launch.other_cloud {
        Some(account) => (provisioning::target(account), account.number),
        None => (Target::Embedded { sign_in_url: &sign_in_url }, launch.account.0),
    };
    let duration = SignedDuration::from_secs(launch.session_seconds());
    let statements = target.statements(&Grant {
        account: number,
        roles: &[&launch.role],
        provider: &launch.provider,
        user_name: &launch.name_id,
        session: duration,
    });
    let word = Word {
        target,
        name_id: &launch.name_id,
        statements: &statements,
        session: Some(duration),
        account_name: &launch.account_name,
    };
    let page = word.page(&app, &caller, &session).await?;
    let cloud = launch.other_cloud.as_ref().map(|account| (account.cloud, account.number));
    let entered = json!({ "account": account, "role": launch.role, "other_cloud": cloud });
    app.db
        .write(async |tx| -> Result<(), access::Error> {
            let now = access::launch_role(tx, space, user, account, configuration, at).await?;
            if !now.is_like(&launch) {
                return Err(access::Error::NoAccess);
            }
            Ok(record(tx, &caller, &entered).await?)
        })
        .await
        .map_err(|error| no_entry(&caller, error))?;
    Ok(page)
}

/// Enters an account as a CAM user of it.
pub(super) async fn user(
    State(app): State<App>,
    caller: PortalUser,
    session: Session,
    Path((_, account, name)): Path<(String, Uin, String)>,
) -> Result<Response, PageError> {
    let (space, user) = (caller.space.id, caller.user.id);
    let launch = app
        .db
        .read(async |tx| access::launch_user(tx, space, user, account, &name).await)
        .await
        .map_err(|error| no_entry(&caller, error))?;
    let provider = names::provider_arn(launch.account, &launch.provider);
    let statement = Statement { name: PROVIDER_ATTRIBUTE.to_owned(), values: vec![provider] };
    let sign_in_url = cloud::sign_in_url(app.settings.public_url.as_str());
    let word = Word {
        target: Target::Embedded { sign_in_url: &sign_in_url },
        name_id: &launch.name_id,
        statements: &[statement],
        session: None,
        account_name: &launch.account_name,
    };
    let page = word.page(&app, &caller, &session).await?;
    let entered = json!({ "account": account, "cam_user": launch.name_id });
    app.db
        .write(async |tx| -> Result<(), access::Error> {
            access::launch_user(tx, space, user, account, &name).await?;
            Ok(record(tx, &caller, &entered).await?)
        })
        .await
        .map_err(|error| no_entry(&caller, error))?;
    Ok(page)
}

/// What we say to an account.
pub(super) struct Word<'a> {
    pub(super) target: Target<'a>,
    pub(super) name_id: &'a str,
    pub(super) statements: &'a [Statement],
    pub(super) session: Option<SignedDuration>,
    pub(super) account_name: &'a str,
}

impl Word<'_> {
    /// The page that carries it: a signed response in a form that sends itself.
    async fn page(
        &self,
        app: &App,
        caller: &PortalUser,
        session: &Session,
    ) -> Result<Response, PageError> {
        let came_from = session.get::<i64>(IDP_SESSION).await?.map(IdpSessionId);
        let said = self.say(app, caller, came_from).await?;
        // A session that ended a moment ago says nothing to anybody.
        let response = said.ok_or_else(|| no_entry(caller, access::Error::NoAccess))?;
        let post = SamlPost {
            action: &self.target.acs_url(),
            message: Message::Response(&response),
            relay_state: None,
            destination: self.account_name,
        };
        Ok(post.page()?)
    }

    /// The signed response, as base64, by somebody whose session came from that one of the identity
    /// provider; none if that is over. Signs, so it stands outside every write; the write after it
    /// asks once more whether it may be said.
    pub(super) async fn say(
        &self,
        app: &App,
        caller: &PortalUser,
        came_from: Option<IdpSessionId>,
    ) -> Result<Option<String>, Fault> {
        let space = caller.space.id;
        let (pair, signed_in_at) = app
            .db
            .read(async |tx| -> Result<_, Fault> {
                let pair = space::key_pair(tx, space, KeyPurpose::IdentityProvider).await?;
                let at = match came_from {
                    Some(id) => sso::signed_in_at(tx, space, id).await?,
                    None => None,
                };
                Ok((pair, at))
            })
            .await?;
        let Some(signed_in_at) = signed_in_at else { return Ok(None) };
        let key = pair.signing_key(&app.sealer)?;
        let id = || random::<20>().map(|bytes| format!("_{}", hex(&bytes)));
        let acs_url = self.target.acs_url();
        let values: Vec<Vec<&str>> = self
            .statements
            .iter()
            .map(|statement| statement.values.iter().map(String::as_str).collect())
            .collect();
        let attributes: Vec<AttributeToState<'_>> = self
            .statements
            .iter()
            .zip(&values)
            .map(|(statement, values)| AttributeToState { name: &statement.name, values })
            .collect();
        let now = caller.act.now.to_jiff();
        let issued = ResponseToIssue {
            response_id: &id()?,
            assertion_id: &id()?,
            issuer: &sso::idp_entity_id(&app.settings, space),
            acs_url: &acs_url,
            audience: self.target.audience(),
            in_response_to: None,
            name_id: self.name_id,
            name_id_format: name_id_format::UNSPECIFIED,
            session_index: &id()?,
            attributes: &attributes,
            authenticated_at: signed_in_at.to_jiff(),
            now,
            lifetime: LIFETIME,
            session_lifetime: self.session,
        }
        .issue(&key)
        .map_err(|_| Fault::Internal("a response to an account cannot be signed"))?;
        Ok(Some(issued.base64()))
    }
}

/// One sentence that does not tell what is there and what is not.
fn no_entry(caller: &PortalUser, error: access::Error) -> PageError {
    let home = home_of(&caller.space.name);
    let problem = match error {
        access::Error::NoAccess => {
            Problem::not_found("You have no such access. It may have ended.")
        }
        access::Error::NotReady(_) => Problem::refused(
            "AccessNotReady",
            "This access is not ready: it is being set up, or that failed.",
        ),
        access::Error::Store(error) => return error.into(),
    };
    problem.onward(home, "Back to your accounts").into()
}

pub(super) async fn record(
    tx: &mut Write,
    caller: &PortalUser,
    entered: &serde_json::Value,
) -> Result<(), crate::store::Error> {
    let change = Change {
        scope: Scope::Space(caller.space.id),
        action: "portal.enter_account",
        object_kind: "user",
        object_id: &caller.user.id.to_string(),
        before: json!(null),
        after: entered.clone(),
    };
    audit::record(tx, &caller.act, change).await
}
