//! Test sign-ins (SSO-17): a configuration that affects nobody, the way to the identity provider
//! and back, and the report.

use askama::Template;
use axum::{
    extract::{Multipart, Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    super::{
        Administrator,
        frame::{Frame, ListQuery, Section, Wrong, done},
    },
    HERE,
    certificates::CertificateRow,
    provider::Upload,
    report::{Report, download},
};
use crate::{
    app::App,
    id::SignInTestId,
    saml::certificate::Certificate,
    sso::{self, BundleSubject, Draft, IdentityProvider, SignInTest, TestResult},
    store::PageRequest,
    web::{
        page::{Field, Page},
        pages::{PageError, Problem},
        saml::send::send,
    },
};

const PAGE_ROWS: i64 = 20;

#[derive(Template)]
#[template(path = "console/sso_tests.html")]
struct Tests {
    frame: Frame,
    /// Whether there is a configuration that people sign in with.
    present: bool,
    metadata: Field,
    by_hand: Vec<Field>,
    tests: Vec<SignInTest>,
    days: i64,
    acs_url: String,
    entity_id: String,
    wrong: Option<Wrong>,
}

pub(in crate::web::console) async fn list(
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
) -> Result<Tests, PageError> {
    let space = who.space()?.id;
    let (provider, tests) = app
        .db
        .read(async |tx| -> Result<_, sso::Error> {
            let provider = sso::identity_provider(tx, space).await?;
            Ok((provider, sso::tests(tx, space, PageRequest::first(PAGE_ROWS)).await?))
        })
        .await?;
    let at = |name| Wrong::at(wrong.as_ref(), name);
    let by_hand = vec![
        Field::text("entity_id", "Entity id")
            .value(upload.entity_id.clone())
            .error(at("entity_id")),
        Field::text("login_url", "Login address")
            .longest(2048)
            .hint("Where it takes sign-in requests by redirect.")
            .value(upload.login_url.clone())
            .error(at("login_url")),
        Field::long_text("certificate", "Signing certificate")
            .optional()
            .hint("PEM, or the file below.")
            .error(at("certificate")),
    ];
    Ok(Tests {
        frame: Frame::new(who, Section::SingleSignOn, None),
        present: provider.is_some_and(|provider| provider.is_complete()),
        metadata: Field::long_text("text", "Or its text").optional().error(at("metadata")),
        by_hand,
        tests: tests.rows,
        days: app.settings.saml.test_days,
        acs_url: sso::acs_url(&app.settings, space),
        entity_id: sso::sp_entity_id(&app.settings, space),
        wrong,
    })
}

/// Sets up a test with what the form brings.
pub(in crate::web::console) async fn create(
    State(app): State<App>,
    administrator: Administrator,
    form: Multipart,
) -> Result<Response, PageError> {
    let upload = Upload::read(form).await?;
    let space = administrator.space()?.id;
    let made = match draft(&upload) {
        Err(wrong) => Err(wrong),
        Ok(draft) => app
            .db
            .write(async |tx| sso::new_test(tx, &administrator.act, space, draft).await)
            .await
            .map_err(|error| Wrong::of(error.into()))
            .map_or_else(|wrong| wrong.map(Err), |id| Ok(Ok(id)))?,
    };
    match made {
        Ok(id) => Ok(done(&format!("{HERE}/tests/{id}"), "test-made")),
        Err(wrong) => {
            let page = look(&app, &administrator, &upload, Some(wrong)).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

fn draft(upload: &Upload) -> Result<Draft, Wrong> {
    let document = upload.document();
    match upload.kind.as_str() {
        "present" => Ok(Draft::Present),
        "by-hand" if document.is_empty() => {
            Err(Wrong::field("certificate", "Give the certificate as a file or as text."))
        }
        "by-hand" => Ok(Draft::ByHand {
            entity_id: upload.entity_id.clone(),
            login_url: upload.login_url.clone(),
            certificate: Certificate::from_file(document)
                .map_err(|error| Wrong::field("certificate", error.to_string()))?,
        }),
        _ if document.is_empty() => {
            Err(Wrong::field("metadata", "Choose a metadata file, or paste its text."))
        }
        _ => Ok(Draft::Metadata(document.to_vec())),
    }
}

#[derive(Template)]
#[template(path = "console/sso_test.html")]
struct OneTest {
    frame: Frame,
    test: SignInTest,
    certificates: Vec<CertificateRow>,
    report: Option<Report>,
    /// Whether sign-in is on and this would replace what people sign in with (SSO-09).
    replaces: Option<IdentityProvider>,
}

impl OneTest {
    fn result(&self) -> Option<&TestResult> {
        self.test.result.as_ref()
    }
}

async fn find(
    app: &App,
    who: &Administrator,
    id: SignInTestId,
) -> Result<(SignInTest, Option<IdentityProvider>), PageError> {
    let space = who.space()?.id;
    let found = app
        .db
        .read(async |tx| -> Result<_, sso::Error> {
            let provider = sso::identity_provider(tx, space).await?;
            Ok(sso::test(tx, space, id).await?.map(|test| (test, provider)))
        })
        .await?;
    Ok(found.ok_or_else(|| {
        Problem::not_found("There is no such test, or it is no longer kept.")
            .onward(format!("{HERE}/tests"), "All tests")
    })?)
}

pub(in crate::web::console) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<SignInTestId>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let (test, replaces) = find(&app, &administrator, id).await?;
    let now = administrator.act.now;
    let certificates = test.provider.certificates.iter();
    let certificates = certificates.filter_map(|it| Certificate::from_pem(&it.certificate).ok());
    let report = test.result.as_ref().map(|it| Report::new(&it.checks, &test.provider.entity_id));
    let page = OneTest {
        frame: Frame::new(&administrator, Section::SingleSignOn, query.done.as_deref()),
        certificates: certificates.map(|it| CertificateRow::of(&it, now)).collect(),
        report,
        replaces,
        test,
    };
    Ok(Page::new(page).into_response())
}

/// Sends the administrator's browser to the identity provider.
pub(in crate::web::console) async fn start(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<SignInTestId>,
) -> Result<Response, PageError> {
    administrator.must_change()?;
    let space = administrator.space()?.id;
    let act = &administrator.act;
    let begun = app.db.write(async |tx| sso::begin_test(tx, act, space, id).await).await?;
    Ok(send(&app, space, begun, act.now).await?)
}

/// Takes over the configuration of a test that passed.
pub(in crate::web::console) async fn take_over(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<SignInTestId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db.write(async |tx| sso::use_tested(tx, &administrator.act, space, id).await).await?;
    Ok(done(HERE, "provider-saved"))
}

pub(in crate::web::console) async fn bundle(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<SignInTestId>,
) -> Result<Response, PageError> {
    let (test, _) = find(&app, &administrator, id).await?;
    let result = test
        .result
        .as_ref()
        .ok_or_else(|| Problem::not_found("No answer to this test has come yet."))?;
    let name = test.id.to_string();
    let subject = BundleSubject {
        id: &name,
        at: result.at,
        outcome: if result.passed { "passed" } else { "refused" },
        checks: &result.checks,
        request_id: &result.request_id,
        name: result.assertion.as_ref().map(|assertion| assertion.identity.as_str()),
        message: Some(&result.message),
    };
    Ok(download(&name, &sso::bundle(&app.settings, &test.provider, subject)))
}
