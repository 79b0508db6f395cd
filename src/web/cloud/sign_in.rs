//! `POST /cloud/login/saml`: an account lets somebody in on the word of its SAML provider.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;
use url::Url;

use super::{
    PATH as CONSOLE,
    principal::{CloudVisitor, console_of},
    response,
};
use crate::{
    access,
    app::App,
    cloud::{
        self, CamPrincipal, new_role_session,
        sign_in::{self, Claim, Refused, Verified},
    },
    id::{ConfigurationId, RoleSessionId},
    saml::response::Received,
    space,
    store::{Timestamp, Write},
    web::{
        Anyone, Fault, log_cause,
        pages::{PageError, Problem},
        saml::limit::Unhurried,
    },
};

/// What the portal's form carries.
#[derive(Deserialize)]
pub(super) struct SamlForm {
    #[serde(rename = "SAMLResponse")]
    response: String,
    /// The number of the configuration whose landing page is wanted; anything else says nothing.
    #[serde(rename = "RelayState")]
    relay_state: Option<String>,
}

/// Verifies the response, opens the session, and leads to the account console.
pub(super) async fn post(
    State(app): State<App>,
    _: Unhurried,
    caller: Anyone,
    session: Session,
    Form(form): Form<SamlForm>,
) -> Result<Response, PageError> {
    match let_in(&app, &caller, &form.response).await {
        Ok(principal) => {
            CloudVisitor::remember(&app, &session, &principal).await?;
            let landing = landing(&app, &principal, form.relay_state.as_deref()).await?;
            Ok(Redirect::to(&landing).into_response())
        }
        Err(refused) => Err(problem(refused)),
    }
}

/// Where the principal lands: on the page that the role's configuration names, if it is one of the
/// account console; else on its front page (PC-06).
async fn landing(
    app: &App,
    principal: &CamPrincipal,
    relay_state: Option<&str>,
) -> Result<String, PageError> {
    let front = console_of(principal);
    let CamPrincipal::Role(role) = principal else { return Ok(front) };
    let Some(Ok(configuration)) = relay_state.map(str::parse::<ConfigurationId>) else {
        return Ok(front);
    };
    let page = app
        .db
        .read(async |tx| {
            access::landing_page(tx, role.account_uin, &role.role_name, configuration).await
        })
        .await?;
    let page = page.and_then(|page| within_console(&app.settings.public_url, &page, role.id));
    Ok(page.unwrap_or(front))
}

/// A page as an address of the account console, seen as this session; none for what is elsewhere: an
/// account has no pages at other doors.
fn within_console(public: &Url, page: &str, session: RoleSessionId) -> Option<String> {
    let page = public.join(page).ok()?;
    if page.origin() != public.origin() || page.path() != CONSOLE {
        return None;
    }
    let mut address = public.join(CONSOLE).ok()?;
    let kept = page.query_pairs().filter(|(name, _)| name != "as");
    address.query_pairs_mut().extend_pairs(kept).append_pair("as", &session.to_string());
    address.set_fragment(page.fragment());
    Some(address[url::Position::BeforePath..].to_owned())
}

async fn let_in(app: &App, caller: &Anyone, response: &str) -> Result<CamPrincipal, Refused> {
    let (received, claim) = response::receive(response).await?;
    match enter(app, caller, received, &claim).await {
        Ok(principal) => Ok(principal),
        // A failure is nobody's doing, and a dispute is on record already.
        Err(NoEntry { refused: refused @ (Refused::Cloud(_) | Refused::Disputed(_)), .. }) => {
            Err(refused)
        }
        Err(NoEntry { refused, name_id }) => {
            let name_id = name_id.as_deref();
            app.db
                .write(async |tx| {
                    cloud::record_refusal(tx, &caller.act, &claim, name_id, &refused).await
                })
                .await
                .map_err(Refused::Cloud)?;
            Err(refused)
        }
    }
}

/// Why nobody was let in, and for whom the response vouched if it was sound.
struct NoEntry {
    refused: Refused,
    name_id: Option<String>,
}

impl From<Refused> for NoEntry {
    fn from(refused: Refused) -> Self {
        Self { refused, name_id: None }
    }
}

async fn enter(
    app: &App,
    caller: &Anyone,
    received: Received,
    claim: &Claim,
) -> Result<CamPrincipal, NoEntry> {
    let (known, seconds) = app
        .db
        .read(async |tx| -> Result<_, Refused> {
            let known = sign_in::known(tx, &received, claim).await?;
            Ok((known, sign_in::session_duration(tx, claim).await?))
        })
        .await?;
    let said = (received, claim.clone());
    let verified = response::judge(app, &caller.act, said, known, None).await?;
    let sign_in_url = cloud::sign_in_url(app.settings.public_url.as_str());
    open(app, caller, &verified, seconds, &sign_in_url)
        .await
        .map_err(|refused| NoEntry { refused, name_id: Some(verified.name_id().to_owned()) })
}

/// Opens what a sound response opens, in one transaction that asks once more.
async fn open(
    app: &App,
    caller: &Anyone,
    verified: &Verified,
    seconds: i64,
    sign_in_url: &str,
) -> Result<CamPrincipal, Refused> {
    let new_session = match verified.claim() {
        Claim::Role(_) => {
            let seconds = verified.seconds(seconds, caller.act.now);
            Some(new_role_session(&caller.act, &app.sealer, seconds)?)
        }
        Claim::User { .. } => None,
    };
    app.db
        .write(async |tx| -> Result<_, Refused> {
            check_standing(tx, verified, caller.act.now).await?;
            sign_in::enter(tx, &caller.act, verified, sign_in_url, new_session.as_ref()).await
        })
        .await
}

/// The word that is presented may be minutes old. Where it is a space of ours that gave it, ask
/// whether the space would give it still (SES-04).
pub(in crate::web) async fn check_standing(
    tx: &mut Write,
    verified: &Verified,
    now: Timestamp,
) -> Result<(), Refused> {
    let account = verified.claim().account();
    let name = verified.name_id();
    let stands = match verified.role() {
        Some(role) => match cloud::managed_by(tx, account, role).await? {
            Some(space) => {
                space::hold_access(tx, space).await?;
                access::is_entitled(tx, space, name, account, role, now).await?
            }
            None => true,
        },
        None => access::has_cam_user(tx, account, name).await?,
    };
    if stands { Ok(()) } else { Err(Refused::Revoked) }
}

/// What somebody who is not let in sees: one sentence. The reason is in the audit log, and in ours.
fn problem(refused: Refused) -> PageError {
    let (code, message) = match &refused {
        Refused::Cloud(_) => {
            let Refused::Cloud(error) = refused else { return Problem::internal().into() };
            return Fault::from(error).into();
        }
        Refused::Revoked => ("AccessEnded", key!("cloud-access-ended")),
        Refused::Replayed => ("ResponseUsed", key!("cloud-response-used")),
        Refused::NoClaim
        | Refused::UnknownProvider
        | Refused::Saml(_)
        | Refused::Disputed(_)
        | Refused::Contradiction
        | Refused::SeveralRoles
        | Refused::NoSessionName
        | Refused::UnknownRole
        | Refused::NotTrusted
        | Refused::UnknownUser => ("SignInRefused", key!("cloud-refused")),
    };
    if let Refused::Saml(refusal) = &refused {
        tracing::warn!(check = %refusal.check, wanted = refusal.wanted, "a response was refused");
    }
    log_cause(&refused);
    Problem {
        status: StatusCode::FORBIDDEN,
        code,
        title: key!("problem-not-signed-in"),
        message: message.to_string(),
        onward: None,
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pc_06_only_the_account_console_is_landed_on() {
        let public: Url = "https://id.example:8443".parse().unwrap();
        let session = RoleSessionId(7);
        let landed = |page: &str| within_console(&public, page, session);
        let seen = |query: &str| Some(format!("/cloud?{query}as={session}"));
        assert_eq!(landed("/cloud"), seen(""));
        assert_eq!(landed("/cloud?action=cvm:Run"), seen("action=cvm%3ARun&"));
        assert_eq!(landed("https://id.example:8443/cloud?as=x&a=b"), seen("a=b&"));
        for elsewhere in [
            "",
            "/",
            "/cloud/",
            "/cloud/login",
            "/console",
            "/cloud/../portal",
            "/CLOUD",
            "//evil.example/cloud",
            r"\\evil.example/cloud",
            "/%63loud",
            "https://id.example/cloud",
            "http://id.example:8443/cloud",
            "https://id.example:8443@evil.example/cloud",
            "javascript:alert(1)",
            "https://cloud.tencent.com/cloud",
        ] {
            assert_eq!(landed(elsewhere), None, "{elsewhere}");
        }
    }
}
