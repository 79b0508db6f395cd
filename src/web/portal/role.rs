//! One role in one account: its page, to which people send one another links (PRT-10), its star, and
//! its temporary credentials for the command line (PRT-11).

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    frame::{Frame, Tab},
    home_of,
    launch::no_entry,
    snippets::{Snippet, snippets},
    word::{self, Carrier, Unsaid},
    words,
};
use crate::{
    access::{self, ReachState, ReachableAccount, ReachableRole, shortcuts},
    app::App,
    cloud::sts,
    id::{ConfigurationId, Uin},
    organization,
    provisioning::names,
    saml::role::session_name,
    store::Timestamp,
    web::{
        Fault, PortalUser,
        cloud::{self, Lasting, NoCredentials, Wanted},
        log_cause,
        messages::Message,
        page::Page,
        pages::{PageError, Problem},
    },
};

/// Whose role: the space's name, the account and the configuration.
type Place = Path<(String, Uin, ConfigurationId)>;

#[derive(Template)]
#[template(path = "portal/role.html")]
struct RolePage<'a> {
    frame: Frame,
    account: &'a ReachableAccount,
    role: &'a ReachableRole,
    favourite: bool,
    in_other_cloud: bool,
    link: String,
    done: Option<Message>,
}

#[derive(Deserialize)]
pub(super) struct RoleQuery {
    #[serde(default)]
    done: String,
}

/// The page of a role. To look at it enters nothing: that takes the person's own click, here, so a
/// link that somebody slips to another opens no account by itself.
pub(super) async fn show(
    State(app): State<App>,
    caller: PortalUser,
    Path((_, uin, configuration)): Place,
    Query(query): Query<RoleQuery>,
) -> Result<Response, PageError> {
    let (space, user) = (caller.space.id, caller.user.id);
    let (accounts, shortcuts, other_cloud) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let accounts = access::reachable(tx, space, user).await?;
            let shortcuts = shortcuts::shortcuts(tx, user).await?;
            Ok((accounts, shortcuts, organization::other_cloud(tx, uin).await?))
        })
        .await?;
    let account = accounts.iter().find(|account| account.uin == uin);
    let role = account.and_then(|it| it.roles.iter().find(|role| role.id == configuration));
    let Some((account, role)) = account.zip(role) else {
        return Err(no_entry(&caller, Unsaid::NoEntry(access::Error::NoAccess)));
    };
    let frame = Frame::new(&caller, Tab::Roles, &accounts);
    let public = app.settings.public_url.as_str().trim_end_matches('/');
    let page = RolePage {
        link: format!("{public}{}/accounts/{uin}/roles/{configuration}", frame.home),
        frame,
        account,
        role,
        favourite: shortcuts.iter().any(|it| {
            it.favourite && it.account_uin == uin && it.configuration_id == configuration
        }),
        in_other_cloud: other_cloud.is_some(),
        done: match query.done.as_str() {
            "kept" => Some(key!("portal-done-kept")),
            "dropped" => Some(key!("portal-done-dropped")),
            _ => None,
        },
    };
    Ok(Page::new(page).into_response())
}

#[derive(Deserialize)]
pub(super) struct StarForm {
    #[serde(default)]
    keep: bool,
    /// Whether the star was set on the role's own page.
    #[serde(default)]
    here: bool,
}

/// Stars a role, or takes the star away.
pub(super) async fn star(
    State(app): State<App>,
    caller: PortalUser,
    Path((_, uin, configuration)): Place,
    Form(form): Form<StarForm>,
) -> Result<Response, PageError> {
    let (space, user) = (caller.space.id, caller.user.id);
    let home = home_of(&caller.space.name);
    let role = (uin, configuration);
    let set = app
        .db
        .write(async |tx| shortcuts::set_favourite(tx, space, user, role, form.keep).await)
        .await;
    match set {
        Ok(()) => {
            let done = if form.keep { "kept" } else { "dropped" };
            let to = if form.here {
                format!("{home}/accounts/{uin}/roles/{configuration}?done={done}")
            } else {
                format!("{home}?done={done}")
            };
            Ok(Redirect::to(&to).into_response())
        }
        Err(shortcuts::ShortcutError::NoAccess) => {
            Err(no_entry(&caller, Unsaid::NoEntry(access::Error::NoAccess)))
        }
        Err(shortcuts::ShortcutError::TooMany) => {
            let message = t!("portal-too-many-favourites", most = shortcuts::MOST_FAVOURITES);
            let problem = Problem::refused("TooManyFavourites", message);
            Err(problem.onward(home, key!("portal-back")).into())
        }
        Err(shortcuts::ShortcutError::Store(error)) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "portal/credentials.html")]
struct CredentialsPage<'a> {
    frame: Frame,
    account_name: &'a str,
    account: Uin,
    role: &'a str,
    configuration: ConfigurationId,
    ends_at: Timestamp,
    left: String,
    snippets: Vec<Snippet>,
}

/// Temporary credentials for the command line, made anew for each request and shown once. The way
/// is the one a browser goes, with its checks: our word, and what the account's STS makes of it.
pub(super) async fn credentials(
    State(app): State<App>,
    caller: PortalUser,
    Path((_, uin, configuration)): Place,
) -> Result<Response, PageError> {
    let role = (uin, configuration);
    let (said, launch) = word::for_role(&app, &caller, role, Carrier::Credentials)
        .await
        .map_err(|unsaid| no_entry(&caller, unsaid))?;
    let arn = format!("qcs::cam::uin/{uin}:roleName/{}", launch.role);
    let arn: sts::RoleArn = arn.parse().map_err(|_| Fault::Internal("a role without a name"))?;
    let wanted = Wanted {
        response: &said.response,
        provider_arn: &names::provider_arn(uin, &launch.provider),
        role: &arn,
        session_name: &session_name(&launch.name_id),
        lasting: Lasting::Granted,
    };
    let opened = cloud::assume_role(&app, &caller.act, wanted)
        .await
        .map_err(|refused| no_credentials(&caller, refused))?;
    let space = caller.space.id;
    let user = caller.user.id;
    let accounts = app.db.read(async |tx| access::reachable(tx, space, user).await).await?;
    let page = CredentialsPage {
        frame: Frame::new(&caller, Tab::Roles, &accounts),
        account_name: &launch.account_name,
        account: uin,
        role: launch.role.strip_prefix(names::ROLE_PREFIX).unwrap_or(&launch.role),
        configuration,
        ends_at: opened.expires_at,
        left: words::time_left(opened.expires_at.seconds_since(caller.act.now)),
        snippets: snippets(&opened),
    };
    Ok(Page::new(page).no_referrer().into_response())
}

fn no_credentials(caller: &PortalUser, refused: NoCredentials) -> PageError {
    match refused {
        NoCredentials::SwitchedOff => no_entry(caller, Unsaid::SwitchedOff),
        NoCredentials::Refused(crate::cloud::sign_in::Refused::Cloud(error)) => error.into(),
        NoCredentials::Refused(refused) => {
            log_cause(&refused);
            refused_by_account(caller)
        }
        NoCredentials::Sts(error) => {
            log_cause(&error);
            refused_by_account(caller)
        }
    }
}

fn refused_by_account(caller: &PortalUser) -> PageError {
    let problem = Problem {
        status: StatusCode::FORBIDDEN,
        title: key!("portal-credentials-refused"),
        ..Problem::refused("CredentialsRefused", t!("portal-credentials-refused-about"))
    };
    problem.onward(home_of(&caller.space.name), key!("portal-back")).into()
}
