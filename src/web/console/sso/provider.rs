//! The identity provider as somebody gives it: by metadata, or by hand. What is given becomes a
//! proposal, and nothing changes before somebody has looked at that.

use askama::Template;
use axum::{
    extract::{Multipart, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    super::{
        Administrator,
        frame::{Frame, Section, Wrong},
    },
    HERE,
};
use crate::{
    app::App,
    saml::certificate::Certificate,
    sso::{self, Content, IdentityProvider, Looked, Origin},
    web::{
        page::{Field, Page},
        pages::{PageError, Problem},
    },
};

#[derive(Template)]
#[template(path = "console/sso_provider.html")]
struct ProviderPage {
    frame: Frame,
    enabled: bool,
    current: Option<IdentityProvider>,
    metadata: Field,
    by_hand: Vec<Field>,
    wrong: Option<Wrong>,
}

pub(in crate::web::console) async fn form(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let page = look(&app, &administrator, &Upload::default(), None).await?;
    Ok(Page::new(page).into_response())
}

async fn look(
    app: &App,
    who: &Administrator,
    upload: &Upload,
    wrong: Option<Wrong>,
) -> Result<ProviderPage, PageError> {
    let space = who.space()?;
    let current = app.db.read(async |tx| sso::identity_provider(tx, space.id).await).await?;
    let at = |name| Wrong::at(wrong.as_ref(), name);
    let shown = |given: &str, old: fn(&IdentityProvider) -> &String| {
        let old = current.as_ref().map(|current| old(current).clone());
        if given.is_empty() { old.unwrap_or_default() } else { given.to_owned() }
    };
    let by_hand = vec![
        Field::text("entity_id", key!("sso-entity-id"))
            .value(shown(&upload.entity_id, |provider| &provider.entity_id))
            .error(at("entity_id")),
        Field::text("login_url", key!("sso-login-address"))
            .longest(2048)
            .hint(key!("sso-login-address-hint"))
            .value(shown(&upload.login_url, |provider| &provider.login_url))
            .error(at("login_url")),
        Field::long_text("certificate", key!("sso-signing-certificate"))
            .optional()
            .hint(key!("sso-signing-certificate-hint"))
            .error(at("certificate")),
    ];
    Ok(ProviderPage {
        frame: Frame::new(who, Section::SingleSignOn, None),
        enabled: space.sso_enabled,
        current,
        metadata: Field::long_text("text", key!("sso-metadata-text"))
            .optional()
            .error(at("metadata")),
        by_hand,
        wrong,
    })
}

/// What the two forms send.
#[derive(Default)]
pub(super) struct Upload {
    file: Vec<u8>,
    pub text: String,
    pub entity_id: String,
    pub login_url: String,
}

impl Upload {
    /// Reads a form; the door's limit on bodies bounds it.
    pub async fn read(mut form: Multipart) -> Result<Self, PageError> {
        let mut upload = Self::default();
        while let Some(field) = form.next_field().await.map_err(|_| damaged())? {
            let name = field.name().unwrap_or_default().to_owned();
            let bytes = field.bytes().await.map_err(|_| damaged())?.to_vec();
            let text = || String::from_utf8_lossy(&bytes).trim().to_owned();
            match name.as_str() {
                "text" | "certificate" => upload.text = text(),
                "entity_id" => upload.entity_id = text(),
                "login_url" => upload.login_url = text(),
                "file" => upload.file = bytes,
                _ => {}
            }
        }
        Ok(upload)
    }

    /// The file, or the text where there is no file.
    pub fn document(&self) -> &[u8] {
        if self.file.is_empty() { self.text.as_bytes() } else { &self.file }
    }
}

fn damaged() -> Problem {
    Problem {
        status: StatusCode::BAD_REQUEST,
        code: "BadForm",
        title: key!("problem-form"),
        message: t!("sso-form-broken"),
        onward: Some((format!("{HERE}/provider"), key!("back-to-the-form"))),
    }
}

/// Proposes metadata.
pub(in crate::web::console) async fn by_metadata(
    State(app): State<App>,
    administrator: Administrator,
    form: Multipart,
) -> Result<Response, PageError> {
    let upload = Upload::read(form).await?;
    if upload.document().is_empty() {
        let wrong = Wrong::whole(t!("sso-choose-metadata"));
        return again(&app, &administrator, &upload, wrong).await;
    }
    let content = Content::metadata(upload.document());
    propose(&app, &administrator, &upload, Origin::Upload, content).await
}

/// Proposes values by hand.
pub(in crate::web::console) async fn by_hand(
    State(app): State<App>,
    administrator: Administrator,
    form: Multipart,
) -> Result<Response, PageError> {
    let upload = Upload::read(form).await?;
    let document = upload.document();
    let certificate = if document.is_empty() {
        Ok(None)
    } else {
        Certificate::from_file(document).map(|certificate| Some(certificate.pem()))
    };
    let content = certificate.map_err(sso::Error::from).map(|certificate| Content::ByHand {
        entity_id: upload.entity_id.clone(),
        login_url: upload.login_url.clone(),
        certificate,
    });
    propose(&app, &administrator, &upload, Origin::Hand, content).await
}

/// Keeps what was given and leads to where it is looked at.
async fn propose(
    app: &App,
    who: &Administrator,
    upload: &Upload,
    origin: Origin,
    content: Result<Content, sso::Error>,
) -> Result<Response, PageError> {
    let space = who.space()?.id;
    let looked = match content {
        Ok(content) => Looked::at(content, who.act.now).await,
        Err(error) => Err(error),
    };
    let proposed = match looked {
        Ok(looked) => {
            app.db.write(async |tx| sso::propose(tx, &who.act, space, origin, looked).await).await
        }
        Err(error) => Err(error),
    };
    match proposed {
        Ok(id) => Ok(Redirect::to(&format!("{HERE}/proposals/{id}")).into_response()),
        Err(error) => again(app, who, upload, Wrong::of(error.into())?).await,
    }
}

async fn again(
    app: &App,
    who: &Administrator,
    upload: &Upload,
    wrong: Wrong,
) -> Result<Response, PageError> {
    let page = look(app, who, upload, Some(wrong)).await?;
    Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}
