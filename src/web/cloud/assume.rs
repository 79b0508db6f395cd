//! Temporary credentials for a SAML response: what STS does with one, for whoever brings it.

use crate::{
    access,
    app::App,
    audit::Act,
    cloud::{
        self, NewRoleSession,
        management::Role,
        new_role_session,
        sign_in::{self, Refused},
        sts::{self, RoleArn},
    },
    id::Uin,
    store::{self, Read},
    web::cloud::{check_standing, response},
};

/// What somebody brings to STS.
pub(in crate::web) struct Wanted<'a> {
    /// The response, as base64.
    pub(in crate::web) response: &'a str,
    /// The resource name of the SAML provider that is to have written it.
    pub(in crate::web) provider_arn: &'a str,
    /// The role.
    pub(in crate::web) role: &'a RoleArn,
    /// What the session is to be called.
    pub(in crate::web) session_name: &'a str,
    /// How long it is to last.
    pub(in crate::web) lasting: Lasting,
}

/// How long a session is to last.
#[derive(Clone, Copy, Debug)]
pub(in crate::web) enum Lasting {
    /// So many seconds, or the usual time; more than the role grants is refused.
    Wished(Option<i64>),
    /// As long as the role grants.
    Granted,
}

/// Why there are no credentials.
#[derive(Debug)]
pub(in crate::web) enum NoCredentials {
    /// The response opens nothing.
    Refused(Refused),
    /// What is wished cannot be.
    Sts(sts::Error),
    /// The role's configuration gives out no credentials for the command line (PRT-11).
    SwitchedOff,
}

impl From<Refused> for NoCredentials {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<sts::Error> for NoCredentials {
    fn from(error: sts::Error) -> Self {
        Self::Sts(error)
    }
}

impl From<store::Error> for NoCredentials {
    fn from(error: store::Error) -> Self {
        Self::Refused(error.into())
    }
}

impl From<cloud::Error> for NoCredentials {
    fn from(error: cloud::Error) -> Self {
        Self::Refused(Refused::Cloud(error))
    }
}

/// Verifies the response, opens the role session it stands for, and gives its credentials.
pub(in crate::web) async fn assume_role(
    app: &App,
    act: &Act,
    wanted: Wanted<'_>,
) -> Result<NewRoleSession, NoCredentials> {
    sts::check_session_name(wanted.session_name)?;
    let (received, claim) = response::receive(wanted.response).await?;
    let provider = format!("qcs::cam::uin/{}:saml-provider/{}", claim.account(), claim.provider());
    if provider != wanted.provider_arn || wanted.role.account != claim.account() {
        return Err(Refused::NoClaim.into());
    }
    let (role, known) = app
        .db
        .read(async |tx| -> Result<_, NoCredentials> {
            let role: Option<Role> = wanted.role.find(tx).await?;
            let known = sign_in::known(tx, &received, &claim).await?;
            Ok((role.ok_or(Refused::UnknownRole)?, known))
        })
        .await?;
    let chosen = Some((role.name.as_str(), wanted.session_name));
    let verified = response::judge(app, act, (received, claim), known, chosen).await?;
    let (now, sign_in_url) = (act.now, cloud::sign_in_url(app.settings.public_url.as_str()));
    // Only now may the caller learn how long the role's sessions last.
    let seconds = match wanted.lasting {
        Lasting::Wished(seconds) => sts::session_seconds(&role, seconds)?,
        Lasting::Granted => role.session_duration,
    };
    let session = new_role_session(act, &app.sealer, verified.seconds(seconds, now))?;
    app.db
        .write(async |tx| -> Result<_, NoCredentials> {
            check_standing(tx, &verified, now).await?;
            if !gives_credentials(tx, verified.claim().account(), &role.name).await? {
                return Err(NoCredentials::SwitchedOff);
            }
            Ok(sign_in::enter(tx, act, &verified, &sign_in_url, Some(&session)).await?)
        })
        .await?;
    Ok(session)
}

/// Whether there are credentials of a role outside the browser: always of an account's own role, and
/// of one that a space deployed as its configuration says (PRT-11).
pub(in crate::web) async fn gives_credentials(
    tx: &mut Read,
    account: Uin,
    role: &str,
) -> Result<bool, store::Error> {
    match cloud::managed_by(tx, account, role).await? {
        Some(space) => access::lets_command_lines(tx, space, role).await,
        None => Ok(true),
    }
}
