//! Test sign-ins (SSO-17): a configuration that affects nobody, the way to the identity provider
//! and back, and the report.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue},
    response::{IntoResponse, Response},
};

use super::{
    super::{
        Administrator,
        frame::{Frame, ListQuery, Section, done},
    },
    HERE,
    certificates::CertificateRow,
    proposals::proposed,
    report::{Report, download},
};
use crate::{
    app::App,
    id::{ProposalId, SignInTestId},
    saml::certificate::Certificate,
    sso::{self, BundleSubject, Draft, Looked, SignInTest, TestResult},
    store::PageRequest,
    web::{
        page::Page,
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
    rows: Vec<SignInTest>,
    days: i64,
}

pub(in crate::web::console) async fn list(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let (provider, tests) = app
        .db
        .read(async |tx| -> Result<_, sso::Error> {
            let provider = sso::identity_provider(tx, space).await?;
            Ok((provider, sso::tests(tx, space, PageRequest::first(PAGE_ROWS)).await?))
        })
        .await?;
    let page = Tests {
        frame: Frame::new(&administrator, Section::SingleSignOn, None),
        present: provider.is_some_and(|provider| provider.is_complete()),
        rows: tests.rows,
        days: app.settings.saml.test_days,
    };
    Ok(Page::new(page).into_response())
}

/// Sets up a test of what people sign in with.
pub(in crate::web::console) async fn of_present(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    create(&app, &administrator, Draft::Present).await
}

/// Sets up a test of what is proposed.
pub(in crate::web::console) async fn of_proposal(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ProposalId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let proposal = proposed(&app, space, id).await?;
    let looked = Looked::at(proposal.content().clone(), administrator.act.now).await?;
    create(&app, &administrator, Draft::Proposed(id, looked)).await
}

async fn create(app: &App, who: &Administrator, draft: Draft) -> Result<Response, PageError> {
    let space = who.space()?.id;
    let id = app.db.write(async |tx| sso::new_test(tx, &who.act, space, draft).await).await?;
    Ok(done(&format!("{HERE}/tests/{id}"), "test-made"))
}

#[derive(Template)]
#[template(path = "console/sso_test.html")]
struct OneTest {
    frame: Frame,
    test: SignInTest,
    certificates: Vec<CertificateRow>,
    report: Option<Report>,
    /// Whether what was proposed waits for its approval still.
    waits: bool,
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
) -> Result<(SignInTest, bool), PageError> {
    let space = who.space()?.id;
    let found = app
        .db
        .read(async |tx| -> Result<_, sso::Error> {
            let Some(test) = sso::test(tx, space, id).await? else { return Ok(None) };
            let waits = match test.proposal_id {
                Some(id) => sso::proposal(tx, space, id).await?.is_some(),
                None => false,
            };
            Ok(Some((test, waits)))
        })
        .await?;
    Ok(found.ok_or_else(|| {
        Problem::not_found(t!("sso-no-test")).onward(format!("{HERE}/tests"), key!("sso-all-tests"))
    })?)
}

pub(in crate::web::console) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<SignInTestId>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let (test, waits) = find(&app, &administrator, id).await?;
    let now = administrator.act.now;
    let certificates = test.provider.certificates.iter();
    let certificates = certificates.filter_map(|it| Certificate::from_pem(&it.certificate).ok());
    let report = test.result.as_ref().map(|it| Report::new(&it.checks, &test.provider.entity_id));
    let page = OneTest {
        frame: Frame::new(&administrator, Section::SingleSignOn, query.done.as_deref()),
        certificates: certificates.map(|it| CertificateRow::of(&it, now)).collect(),
        report,
        waits,
        test,
    };
    Ok(Page::new(page).into_response())
}

/// Sends the administrator's browser to the identity provider.
pub(in crate::web::console) async fn start(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<SignInTestId>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    administrator.must_change()?;
    // A link may lead to the identity provider and a form may not (the policy of the page), so this
    // is a GET; other sites have no business here all the same.
    let from = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if from.is_some_and(|from| from != b"same-origin" && from != b"none") {
        return Err(Problem::refused("NotFromHere", t!("sso-begin-there"))
            .onward(format!("{HERE}/tests/{id}"), key!("sso-to-the-test"))
            .into());
    }
    let space = administrator.space()?.id;
    let act = &administrator.act;
    let begun = app.db.write(async |tx| sso::begin_test(tx, act, space, id).await).await?;
    Ok(send(&app, space, begun, act.now).await?)
}

pub(in crate::web::console) async fn bundle(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<SignInTestId>,
) -> Result<Response, PageError> {
    let (test, _) = find(&app, &administrator, id).await?;
    let name = test.id.to_string();
    let subject = BundleSubject::of_test(&test, &name)
        .ok_or_else(|| Problem::not_found(t!("sso-test-no-answer-yet")))?;
    Ok(download(&name, &sso::bundle(&app.settings, &test.provider, subject)))
}
