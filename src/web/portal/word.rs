//! Our word to an account: what the portal says there, signed, so that it lets somebody in. The
//! browser carries it, or a command line does, or we take it there ourselves for temporary
//! credentials; the checks are the same (PRT-08, PRT-11).

use jiff::SignedDuration;
use serde_json::json;

use crate::{
    access::{self, RoleLaunch, shortcuts},
    app::App,
    audit::{self, Change, Scope},
    cloud::{self, sign_in::PROVIDER_ATTRIBUTE},
    id::{ConfigurationId, Uin},
    provisioning::{self, names},
    saml::{
        identity_provider::{AttributeToState, ResponseToIssue},
        name_id_format,
        target::{Grant, Statement, Target},
    },
    secret::{hex, random},
    space::{self, KeyPurpose},
    sso,
    store::{self, Write},
    web::{Fault, PortalUser},
};

/// For how long our word may be presented: whoever carries it does so at once.
const LIFETIME: SignedDuration = SignedDuration::from_mins(2);

/// Who carries our word to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// The person's browser.
    Browser,
    /// A command line that acts as the person.
    CommandLine,
    /// We ourselves: the person wants temporary credentials shown.
    Credentials,
}

/// Why there is no word.
#[derive(Debug)]
pub enum Unsaid {
    /// The user may not enter, or not now.
    NoEntry(access::Error),
    /// The configuration gives out no credentials for the command line.
    SwitchedOff,
    /// The account is in another cloud, whose credentials are not ours to give.
    OtherCloud,
    /// Something failed.
    Fault(Fault),
}

impl<E: Into<Fault>> From<E> for Unsaid {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

/// Our word, ready to be carried.
pub(super) struct Said {
    /// The signed response, as base64.
    pub(super) response: String,
    /// Where it goes.
    pub(super) acs_url: String,
    /// The account's name.
    pub(super) account_name: String,
    /// Where it leads there, as the cloud understands it (PC-06): for an account of ours the number
    /// of the configuration, which is short whatever the page is, and which nobody can bend.
    pub(super) relay_state: Option<String>,
}

impl Carrier {
    fn check(self, launch: &RoleLaunch) -> Result<(), Unsaid> {
        match self {
            Self::CommandLine | Self::Credentials if launch.other_cloud.is_some() => {
                Err(Unsaid::OtherCloud)
            }
            Self::CommandLine | Self::Credentials if !launch.command_line => {
                Err(Unsaid::SwitchedOff)
            }
            Self::Browser | Self::CommandLine | Self::Credentials => Ok(()),
        }
    }

    /// As the audit log has it.
    fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::CommandLine => "command line",
            Self::Credentials => "credentials",
        }
    }
}

/// Our word for entering an account as a role. It is signed outside every transaction, so the write
/// that records it asks once more whether it may be said.
pub(super) async fn for_role(
    app: &App,
    caller: &PortalUser,
    (account, configuration): (Uin, ConfigurationId),
    carrier: Carrier,
) -> Result<(Said, RoleLaunch), Unsaid> {
    let (space, user, at) = (caller.space.id, caller.user.id, caller.act.now);
    let launch = app
        .db
        .read(async |tx| access::launch_role(tx, space, user, account, configuration, at).await)
        .await
        .map_err(Unsaid::NoEntry)?;
    carrier.check(&launch)?;
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
    let word =
        Word { target, name_id: &launch.name_id, statements: &statements, session: Some(duration) };
    let response = word.say(app, caller).await?;
    let cloud = launch.other_cloud.as_ref().map(|account| (account.cloud, account.number));
    let entered = json!({
        "account": account,
        "role": launch.role,
        "configuration": configuration,
        "other_cloud": cloud,
        "by": carrier.name(),
    });
    app.db
        .write(async |tx| -> Result<(), access::Error> {
            let now = access::launch_role(tx, space, user, account, configuration, at).await?;
            if !now.is_like(&launch) {
                return Err(access::Error::NoAccess);
            }
            shortcuts::remember(tx, user, (account, configuration), at).await?;
            Ok(record(tx, caller, &entered).await?)
        })
        .await
        .map_err(Unsaid::NoEntry)?;
    let acs_url = word.target.acs_url().into_owned();
    let account_name = launch.account_name.clone();
    let relay_state = match word.target {
        _ if launch.relay_state.is_empty() => None,
        Target::Embedded { .. } => Some(configuration.to_string()),
        other => other.relay_state(&launch.relay_state),
    };
    Ok((Said { response, acs_url, account_name, relay_state }, launch))
}

/// Our word for entering an account as a CAM user of it.
pub(super) async fn for_user(
    app: &App,
    caller: &PortalUser,
    account: Uin,
    name: &str,
) -> Result<Said, Unsaid> {
    let (space, user) = (caller.space.id, caller.user.id);
    let launch = app
        .db
        .read(async |tx| access::launch_user(tx, space, user, account, name).await)
        .await
        .map_err(Unsaid::NoEntry)?;
    let provider = names::provider_arn(launch.account, &launch.provider);
    let statement = Statement { name: PROVIDER_ATTRIBUTE.to_owned(), values: vec![provider] };
    let sign_in_url = cloud::sign_in_url(app.settings.public_url.as_str());
    let word = Word {
        target: Target::Embedded { sign_in_url: &sign_in_url },
        name_id: &launch.name_id,
        statements: &[statement],
        session: None,
    };
    let response = word.say(app, caller).await?;
    let entered = json!({ "account": account, "cam_user": launch.name_id });
    app.db
        .write(async |tx| -> Result<(), access::Error> {
            access::launch_user(tx, space, user, account, name).await?;
            Ok(record(tx, caller, &entered).await?)
        })
        .await
        .map_err(Unsaid::NoEntry)?;
    let acs_url = word.target.acs_url().into_owned();
    Ok(Said { response, acs_url, account_name: launch.account_name, relay_state: None })
}

/// What we say to an account.
struct Word<'a> {
    target: Target<'a>,
    name_id: &'a str,
    statements: &'a [Statement],
    session: Option<SignedDuration>,
}

impl Word<'_> {
    /// The signed response, as base64. A portal session that ended a moment ago says nothing to
    /// anybody. Its public name goes along, so that what the account writes down can be joined to
    /// the sign-in (CON-04).
    async fn say(&self, app: &App, caller: &PortalUser) -> Result<String, Unsaid> {
        let space = caller.space.id;
        let (pair, signed_in_at) = app
            .db
            .read(async |tx| -> Result<_, Fault> {
                let pair = space::key_pair(tx, space, KeyPurpose::IdentityProvider).await?;
                Ok((pair, sso::signed_in_at(tx, space, caller.came_from).await?))
            })
            .await?;
        let signed_in_at = signed_in_at.ok_or(Unsaid::NoEntry(access::Error::NoAccess))?;
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
            session_index: &caller.came_from.to_string(),
            attributes: &attributes,
            authenticated_at: signed_in_at.to_jiff(),
            now,
            lifetime: LIFETIME,
            session_lifetime: self.session,
        }
        .issue(&key)
        .map_err(|_| Fault::Internal("a response to an account cannot be signed"))?;
        Ok(issued.base64())
    }
}

async fn record(
    tx: &mut Write,
    caller: &PortalUser,
    entered: &serde_json::Value,
) -> Result<(), store::Error> {
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
