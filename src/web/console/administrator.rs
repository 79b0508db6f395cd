//! Administrators: CAM principals of the management account (CON-14), and how they sign in.

use askama::Template;
use axum::{
    Form,
    extract::{FromRef, FromRequestParts, Query, State},
    http::{Method, StatusCode, header::REFERER, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tower_sessions::Session;
use url::Url;
use zeroize::Zeroizing;

use super::frame::encode;

use crate::{
    app::App,
    audit::{Act, Actor, ActorKind},
    cloud::{self, CamPrincipal, CamUser, FULL_ACCESS, Office, READ_ONLY_ACCESS},
    id::Uin,
    organization::{Account, Organization},
    space::Space,
    store::SUBJECT,
    web::{
        Anyone, Fault, RequestInfo,
        api::console_actions,
        info,
        page::{Field, Page},
        pages::{PageError, Problem},
    },
};

/// Longer addresses are not gone back to after the sign-in: what a browser sends as one line.
const LONGEST_WAY_BACK: usize = 16_384;

/// An administrator signed in at the console.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// What they are doing.
    pub act: Act,
    /// The organisation they administer.
    pub organization: Organization,
    /// Its management account.
    pub account: Account,
    /// Its space, if it is open.
    pub space: Option<Space>,
    /// Who they are.
    user: CamUser,
    /// What to call them.
    pub name: String,
    /// Whether they may change anything.
    pub may_change: bool,
}

impl Administrator {
    /// Refuses those who may look only. Whoever posts was asked already; what writes on a GET asks.
    pub fn must_change(&self) -> Result<(), Problem> {
        if self.may_change {
            return Ok(());
        }
        Err(Problem {
            status: StatusCode::FORBIDDEN,
            code: "MayLookOnly",
            title: key!("problem-look-only"),
            message: t!("console-need-policy", policy = FULL_ACCESS),
            onward: Some(("/console".to_owned(), key!("to-the-overview"))),
        })
    }

    /// The organisation's space; without one, nearly every page has nothing to show (ACT-01).
    pub fn space(&self) -> Result<&Space, Problem> {
        self.space.as_ref().ok_or_else(|| {
            Problem::refused("SpaceNotOpen", t!("console-no-space"))
                .onward("/console", key!("console-open-it"))
        })
    }

    /// The administrator of this session, if it is still one: policies are read at every request.
    async fn find(app: &App, info: &RequestInfo, session: &Session) -> Result<Option<Self>, Fault> {
        let Some(uin) = session.get::<i64>(SUBJECT).await? else { return Ok(None) };
        let asked = info.act(app, Actor::anyone());
        let found = app.db.glance(async |tx| cloud::office(tx, Uin(uin)).await).await?;
        let Some(office) = found else { return Ok(None) };
        let Some(rank) = rank(&asked, &office) else { return Ok(None) };
        let actor = Actor {
            kind: ActorKind::Administrator,
            id: office.user.uin.to_string(),
            name: office.user.name.clone(),
        };
        Ok(Some(Self {
            act: asked.by(actor),
            name: office.user.name.clone(),
            user: office.user,
            organization: office.organization,
            account: office.account,
            space: office.space,
            may_change: rank == Rank::Full,
        }))
    }
}

/// How much an administrator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    Full,
    ReadOnly,
}

/// How a CAM user administers its organisation, if it does: one of the management account that is
/// root or has a policy for it, and is not shut out. Its other policies count, too: what the console
/// can do is what the API can, so whom they keep from one action there changes nothing here, and
/// whom they keep from looking does not see anything.
fn rank(act: &Act, office: &Office) -> Option<Rank> {
    let Office { user, account, authority, .. } = office;
    if user.blocked || !account.is_management() {
        return None;
    }
    if user.is_root {
        return Some(Rank::Full);
    }
    let context = cloud::context(act, &CamPrincipal::User(user.clone()));
    let may = |(service, action): (&str, &str)| {
        authority.decide(&format!("{service}:{action}"), "*", &context).allowed
    };
    let looks = |(_, action): &(&str, &str)| {
        ["Describe", "Get", "List"].iter().any(|verb| action.starts_with(verb))
    };
    let has = |name| authority.has_preset(name);
    if has(FULL_ACCESS) && console_actions().all(may) {
        return Some(Rank::Full);
    }
    let reads = has(FULL_ACCESS) || has(READ_ONLY_ACCESS);
    let reads = reads && console_actions().filter(looks).all(may);
    reads.then_some(Rank::ReadOnly)
}

/// The administrator of a request; pages lead to the sign-in page where there is none.
async fn entered<S>(parts: &mut Parts, state: &S) -> Result<Administrator, Response>
where
    S: Send + Sync,
    App: FromRef<S>,
{
    let app = App::from_ref(state);
    let info = info(parts)?;
    let session =
        Session::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
    let found = Administrator::find(&app, &info, &session)
        .await
        .map_err(|fault| PageError::Fault(fault).into_response())?;
    found.ok_or_else(|| Redirect::to(&sign_in_address(parts)).into_response())
}

/// Who may only look is refused whatever is not a look.
impl<S> FromRequestParts<S> for Administrator
where
    S: Send + Sync,
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let administrator = entered(parts, state).await?;
        let looks = parts.method == Method::GET || parts.method == Method::HEAD;
        if !looks {
            administrator.must_change().map_err(IntoResponse::into_response)?;
        }
        Ok(administrator)
    }
}

/// An administrator who does something about themselves: their password, their keys, their
/// sessions. Who may only look at everything else may do that.
pub(super) struct Oneself {
    /// As for every page.
    pub administrator: Administrator,
    /// Who they are.
    pub user: CamUser,
}

impl<S> FromRequestParts<S> for Oneself
where
    S: Send + Sync,
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let administrator = entered(parts, state).await?;
        let user = administrator.user.clone();
        Ok(Self { administrator, user })
    }
}

/// The sign-in page, which leads back to where one was: to the page itself, or, from a form whose
/// session has ended meanwhile, to the page the form was on.
fn sign_in_address(parts: &Parts) -> String {
    let looks = parts.method == Method::GET || parts.method == Method::HEAD;
    let page = if looks {
        parts.uri.path_and_query().map(ToString::to_string)
    } else {
        let referer = parts.headers.get(REFERER).and_then(|value| value.to_str().ok());
        referer.and_then(|text| Url::parse(text).ok()).map(|url| {
            url.query().map_or_else(|| url.path().to_owned(), |it| format!("{}?{it}", url.path()))
        })
    };
    match page.as_deref().and_then(way_back) {
        Some(page) if page != "/console" => format!("/console/login?to={}", encode(page)),
        _ => "/console/login".to_owned(),
    }
}

/// A page of the console to go to after the sign-in; nothing else is gone to.
fn way_back(address: &str) -> Option<&str> {
    let inside = address == "/console"
        || address.starts_with("/console/")
        || address.starts_with("/console?");
    let door = ["/console/login", "/console/logout"].iter().any(|it| address.starts_with(it));
    let plain = address.len() <= LONGEST_WAY_BACK
        && !address.contains('\\')
        && !address.contains("/..")
        && !address.chars().any(char::is_control);
    (inside && !door && plain).then_some(address)
}

#[derive(Template)]
#[template(path = "console/login.html")]
struct LoginPage {
    fields: Vec<Field>,
    /// Where to go afterwards.
    to: String,
    refused: Option<crate::web::messages::Message>,
}

impl LoginPage {
    fn new(form: &LoginForm, refused: Option<crate::web::messages::Message>) -> Self {
        let fields = vec![
            Field::text("account", key!("console-account"))
                .longest(18)
                .hint(key!("console-account-hint"))
                .autocomplete("organization")
                .value(&form.account)
                .focused(),
            Field::text("user_name", key!("user-name"))
                .longest(64)
                .autocomplete("username")
                .value(&form.user_name),
            Field::password("password", key!("console-password")),
        ];
        let to = way_back(&form.to).unwrap_or_default().to_owned();
        Self { fields, to, refused }
    }
}

/// What the sign-in form says.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LoginForm {
    account: String,
    user_name: String,
    password: Option<SecretString>,
    to: String,
}

/// Where to go after signing in.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LoginQuery {
    to: String,
}

pub(super) async fn login_page(_: Anyone, Query(query): Query<LoginQuery>) -> Response {
    let form = LoginForm { to: query.to, ..LoginForm::default() };
    Page::new(LoginPage::new(&form, None)).into_response()
}

/// Signs in. Whatever is wrong (account, name, password, a lock, no policy), the answer is the
/// same and takes as long, so that nobody learns who exists.
pub(super) async fn login(
    State(app): State<App>,
    caller: Anyone,
    session: Session,
    Form(form): Form<LoginForm>,
) -> Result<Response, PageError> {
    let name = form.user_name.trim().to_owned();
    let account: Option<Uin> = form.account.trim().parse().ok();
    let seen = match account {
        Some(account) => app.db.read(async |tx| cloud::login(tx, account, &name).await).await?,
        None => None,
    };
    let hash = seen.as_ref().and_then(|seen| seen.password_hash.clone());
    let password = form
        .password
        .as_ref()
        .map_or_else(String::new, |password| password.expose_secret().to_owned());
    let password = Zeroizing::new(password);
    let password_was_right = cloud::password::verify(hash, password).await;
    let entered = match &seen {
        Some(seen) => {
            app.db
                .write(async |tx| -> Result<bool, Fault> {
                    let actor = Actor {
                        kind: ActorKind::Administrator,
                        id: seen.user.uin.to_string(),
                        name: seen.user.name.clone(),
                    };
                    let act = caller.act.by(actor);
                    let known = cloud::record_login(tx, &act, seen, password_was_right).await?;
                    let office = cloud::office(tx, seen.user.uin).await?;
                    Ok(known && office.is_some_and(|office| rank(&act, &office).is_some()))
                })
                .await?
        }
        None => false,
    };
    let Some(seen) = seen.filter(|_| entered) else {
        let refused = key!("console-refused");
        let page = LoginPage::new(&form, Some(refused));
        return Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    };
    // A fresh id: one that the browser had before opens nothing.
    session.flush().await?;
    session.insert(SUBJECT, seen.user.uin.0).await?;
    Ok(Redirect::to(way_back(&form.to).unwrap_or("/console")).into_response())
}

pub(super) async fn logout(_: Anyone, session: Session) -> Result<Response, PageError> {
    session.flush().await?;
    Ok(Redirect::to("/console/login").into_response())
}

#[cfg(test)]
mod tests {
    use super::way_back;

    #[test]
    fn after_the_sign_in_one_is_in_the_console_and_nowhere_else() {
        assert_eq!(
            way_back("/console/plan?act=assign&account=1"),
            Some("/console/plan?act=assign&account=1")
        );
        assert_eq!(way_back("/console"), Some("/console"));
        for address in [
            "",
            "/",
            "//evil.example/console/",
            "https://evil.example/console/",
            "/consolex",
            "/console/login?to=/console",
            "/console/logout",
            "/console/../portal",
            "/console/\\evil",
            "/console/a\nb",
        ] {
            assert_eq!(way_back(address), None, "{address:?}");
        }
    }
}
