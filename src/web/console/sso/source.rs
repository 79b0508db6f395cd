//! Where the identity provider's metadata is fetched from (SSO-18).

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    super::{
        Administrator,
        frame::{Frame, Section, Wrong, done},
        refused,
    },
    HERE,
};
use crate::{
    app::App,
    id::SpaceId,
    saml::certificate::Certificate,
    sso::{self, Came, NewSource, ProviderError, Source},
    store::Timestamp,
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/sso_source.html")]
struct SourcePage {
    frame: Frame,
    is_new: bool,
    url: Field,
    pins: Field,
    automatic: bool,
    wrong: Option<Wrong>,
}

/// A source as the page of sign-in shows it.
pub(super) struct SourceRow {
    pub url: String,
    pub pins: Vec<String>,
    pub automatic: bool,
    pub fetched_at: Option<Timestamp>,
    pub failure: Option<(Timestamp, String)>,
}

impl SourceRow {
    pub fn of(source: Source) -> Result<Self, Fault> {
        let pins = source.pins()?;
        Ok(Self {
            pins: pins.iter().map(|pin| pin.facts().fingerprint.clone()).collect(),
            failure: source.failed_at.zip(source.failure),
            url: source.url,
            automatic: source.automatic,
            fetched_at: source.fetched_at,
        })
    }
}

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::web::console) struct SourceForm {
    #[serde(default)]
    url: String,
    #[serde(default)]
    pins: String,
    #[serde(default)]
    automatic: bool,
}

fn page(who: &Administrator, given: &SourceForm, is_new: bool, wrong: Option<Wrong>) -> SourcePage {
    SourcePage {
        frame: Frame::new(who, Section::SingleSignOn, None),
        is_new,
        url: Field::text("url", key!("sso-metadata-url"))
            .longest(2048)
            .hint(key!("sso-metadata-url-hint"))
            .value(&given.url)
            .error(Wrong::at(wrong.as_ref(), "url")),
        pins: Field::long_text("pins", key!("sso-pins"))
            .optional()
            .hint(key!("sso-pins-hint"))
            .value(&given.pins)
            .error(Wrong::at(wrong.as_ref(), "pins")),
        automatic: given.automatic,
        wrong,
    }
}

pub(in crate::web::console) async fn form(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let source = app.db.read(async |tx| sso::source(tx, space).await).await?;
    let is_new = source.is_none();
    let given = match source {
        None => SourceForm::default(),
        Some(source) => SourceForm {
            pins: source.pins().map_err(Fault::from)?.iter().map(Certificate::pem).collect(),
            url: source.url,
            automatic: source.automatic,
        },
    };
    Ok(Page::new(page(&administrator, &given, is_new, None)).into_response())
}

/// Keeps the address and looks at once what is there.
pub(in crate::web::console) async fn save(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<SourceForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    match keep(&app, &administrator, space, &form).await {
        Ok(()) => match look(&app, space).await {
            Err(Fault::Sso(sso::Error::Provider(ProviderError::LookedAtJustNow))) => {
                Ok(done(HERE, "source-kept"))
            }
            looked => Ok(looked?),
        },
        Err(fault) => {
            let wrong = Wrong::of(fault)?;
            let page = page(&administrator, &form, true, Some(wrong));
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn keep(
    app: &App,
    who: &Administrator,
    space: SpaceId,
    form: &SourceForm,
) -> Result<(), Fault> {
    let url = app.event_guard().check_url(&form.url)?;
    let pins =
        sso::pins_of(&form.pins).map_err(|error| sso::Error::from(ProviderError::Pin(error)))?;
    let new = NewSource { url, pins, automatic: form.automatic };
    app.db.write(async |tx| sso::set_source(tx, &who.act, space, &new).await).await?;
    Ok(())
}

/// Looks now, unless that was a moment ago.
pub(in crate::web::console) async fn fetch(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    match look(&app, space).await {
        Ok(looked) => Ok(looked),
        Err(fault) => Err(refused(&Wrong::of(fault)?)),
    }
}

async fn look(app: &App, space: SpaceId) -> Result<Response, Fault> {
    let fetcher = app
        .fetcher()
        .map_err(|_| Fault::Internal("the authorities for fetching cannot be used"))?;
    let came = fetcher.look_now(space).await?;
    Ok(match came {
        Some(Came::Proposed) => {
            let waiting = app.db.read(async |tx| sso::fetched_proposal(tx, space).await).await?;
            match waiting {
                Some(it) => Redirect::to(&format!("{HERE}/proposals/{}", it.id)).into_response(),
                None => done(HERE, "source-looked"),
            }
        }
        Some(Came::Same) => done(HERE, "source-same"),
        Some(Came::Applied) => done(HERE, "provider-saved"),
        Some(Came::Failed(_)) => done(HERE, "source-failed"),
        Some(Came::Dismissed | Came::Outdated) | None => done(HERE, "source-looked"),
    })
}

/// Fetches nothing any more.
pub(in crate::web::console) async fn remove(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let removed =
        app.db.write(async |tx| sso::remove_source(tx, &administrator.act, space).await).await;
    match removed {
        Ok(()) => Ok(done(HERE, "source-removed")),
        Err(error) => Err(refused(&Wrong::of(error.into())?)),
    }
}
