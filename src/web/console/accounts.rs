//! An account: who may enter it with what, and what is deployed there (MAA-10…13).

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Administrator,
    frame::{Frame, ListQuery, Pager, Section, Wrong, done},
    refused,
};
use crate::{
    app::App,
    directory,
    id::{ConfigurationId, ManualStepId, Principal, Uin},
    organization::{self, Account, OtherCloud, OtherCloudAccount},
    permission::{
        self, Assignment, AssignmentFilter, Deployment, DeploymentFilter, RemovalStrategy, Triple,
    },
    provisioning::{self, ManualStep, Shape},
    store::Write,
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/account.html")]
struct OneAccount {
    frame: Frame,
    account: Account,
    tab: &'static str,
    assignments: Vec<Assignment>,
    deployments: Vec<Deployment>,
    pager: Pager,
    /// Where it is, if it is in another cloud, and what somebody has to make there.
    other_cloud: Option<OtherCloudAccount>,
    steps: Vec<ManualStep>,
}

impl OneAccount {
    fn steps_left(&self) -> usize {
        self.steps.iter().filter(|step| !step.is_done()).count()
    }
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(uin): Path<Uin>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let organization = administrator.organization.id;
    let here = format!("/console/accounts/{uin}");
    let (deployments_wanted, steps_wanted) = (query.tab == "deployments", query.tab == "steps");
    let page = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let account = organization::account(tx, organization, uin)
                .await?
                .ok_or(organization::Error::AccountNotFound)?;
            let frame = Frame::new(&administrator, Section::Authorization, query.done.as_deref());
            let other_cloud = organization::other_cloud(tx, uin).await?;
            let steps = match other_cloud {
                Some(_) => provisioning::manual_steps(tx, space, uin).await?,
                None => Vec::new(),
            };
            if steps_wanted && other_cloud.is_some() {
                return Ok(OneAccount {
                    frame,
                    account,
                    tab: "steps",
                    assignments: Vec::new(),
                    deployments: Vec::new(),
                    pager: Pager::default(),
                    other_cloud,
                    steps,
                });
            }
            if deployments_wanted {
                let filter = DeploymentFilter { account: Some(uin), ..Default::default() };
                let page = permission::deployments(tx, space, &filter, query.page()).await?;
                let pager = query.pager(&here, &page);
                let (tab, deployments) = ("deployments", page.rows);
                return Ok(OneAccount {
                    frame,
                    account,
                    tab,
                    assignments: Vec::new(),
                    deployments,
                    pager,
                    other_cloud,
                    steps,
                });
            }
            let filter = AssignmentFilter { account: Some(uin), ..Default::default() };
            let page = permission::assignments(tx, space, &filter, query.page()).await?;
            let pager = query.pager(&here, &page);
            let (tab, assignments) = ("authorizations", page.rows);
            let deployments = Vec::new();
            let page = OneAccount {
                frame,
                account,
                tab,
                assignments,
                deployments,
                pager,
                other_cloud,
                steps,
            };
            Ok(page)
        })
        .await?;
    Ok(Page::new(page).into_response())
}

#[derive(Deserialize)]
pub(super) struct RemoveForm {
    principal: String,
    configuration: ConfigurationId,
}

/// Takes a permission away (MAA-13); the role stays in the account (DPL-12).
pub(super) async fn remove(
    State(app): State<App>,
    administrator: Administrator,
    Path(uin): Path<Uin>,
    Form(form): Form<RemoveForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let principal: Principal =
        form.principal.parse().map_err(|_| PageError::from(directory::Error::UserNotFound))?;
    let triple = Triple { principal, account: uin, configuration: form.configuration };
    app.db
        .write(async |tx| {
            let act = &administrator.act;
            provisioning::remove_assignment(tx, act, space, &triple, RemovalStrategy::Keep).await
        })
        .await?;
    Ok(done(&format!("/console/accounts/{uin}"), "assignment-removed"))
}

/// What says where an account is.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct CloudForm {
    #[serde(default)]
    cloud: String,
    #[serde(default)]
    number: String,
    #[serde(default)]
    region: String,
}

impl CloudForm {
    fn of(found: Option<&OtherCloudAccount>) -> Self {
        found.map_or_else(Self::default, |found| Self {
            cloud: found.cloud.to_string(),
            number: found.shown_number(),
            region: found.region.clone().unwrap_or_default(),
        })
    }

    /// What it means; none for an account of the cloud behind us.
    fn read(&self) -> Result<Option<OtherCloudAccount>, organization::Error> {
        if self.cloud.is_empty() {
            return Ok(None);
        }
        // No other cloud is offered.
        let cloud = self.cloud.parse().map_err(|_| organization::Error::AccountNotFound)?;
        let number = self.number.trim().parse();
        let number = number.map_err(|_| organization::Error::OtherCloudNumberInvalid)?;
        let region = Some(self.region.trim()).filter(|region| !region.is_empty());
        Ok(Some(OtherCloudAccount { cloud, number, region: region.map(str::to_owned) }))
    }
}

#[derive(Template)]
#[template(path = "console/account_cloud.html")]
struct CloudPage {
    frame: Frame,
    account: Account,
    clouds: &'static [OtherCloud],
    chosen: String,
    number: Field,
    region: Field,
    wrong: Option<Wrong>,
}

fn cloud_page(
    who: &Administrator,
    account: Account,
    given: &CloudForm,
    wrong: Option<Wrong>,
) -> CloudPage {
    CloudPage {
        frame: Frame::new(who, Section::Authorization, None),
        account,
        clouds: OtherCloud::ALL,
        chosen: given.cloud.clone(),
        number: Field::text("number", "Account number there")
            .optional()
            .longest(19)
            .hint("Of an account in another cloud. Twelve digits at Amazon Web Services.")
            .value(&given.number)
            .error(Wrong::at(wrong.as_ref(), "number")),
        region: Field::text("region", "Region to sign in at")
            .optional()
            .longest(32)
            .hint(
                "Only for Amazon Web Services, such as eu-west-1. Without one its global sign-in.",
            )
            .value(&given.region)
            .error(Wrong::at(wrong.as_ref(), "region")),
        wrong,
    }
}

async fn account_of(
    app: &App,
    who: &Administrator,
    uin: Uin,
) -> Result<(Account, Option<OtherCloudAccount>), Fault> {
    let organization = who.organization.id;
    app.db
        .read(async |tx| -> Result<_, Fault> {
            let account = organization::account(tx, organization, uin).await?;
            let account = account.ok_or(organization::Error::AccountNotFound)?;
            Ok((account, organization::other_cloud(tx, uin).await?))
        })
        .await
}

/// Where an account is: the form.
pub(super) async fn cloud(
    State(app): State<App>,
    administrator: Administrator,
    Path(uin): Path<Uin>,
) -> Result<Response, PageError> {
    let (account, found) = account_of(&app, &administrator, uin).await?;
    let given = CloudForm::of(found.as_ref());
    Ok(Page::new(cloud_page(&administrator, account, &given, None)).into_response())
}

/// Says where an account is.
pub(super) async fn set_cloud(
    State(app): State<App>,
    administrator: Administrator,
    Path(uin): Path<Uin>,
    Form(form): Form<CloudForm>,
) -> Result<Response, PageError> {
    let organization = administrator.organization.id;
    let set = async |tx: &mut Write| {
        let wanted = form.read()?;
        let act = &administrator.act;
        organization::set_other_cloud(tx, act, organization, uin, wanted.as_ref()).await
    };
    match app.db.write(set).await {
        Ok(()) => Ok(done(&format!("/console/accounts/{uin}"), "cloud-set")),
        Err(error) => {
            let wrong = Wrong::of(error.into())?;
            let (account, _) = account_of(&app, &administrator, uin).await?;
            let page = cloud_page(&administrator, account, &form, Some(wrong));
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

#[derive(Deserialize)]
pub(super) struct ConfirmForm {
    fingerprint: String,
}

/// Takes the administrator's word that a step is done.
pub(super) async fn confirm(
    State(app): State<App>,
    administrator: Administrator,
    Path((uin, step)): Path<(Uin, ManualStepId)>,
    Form(form): Form<ConfirmForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let (act, fingerprint) = (&administrator.act, &form.fingerprint);
    let confirm = async |tx: &mut Write| {
        provisioning::confirm_manual_step(tx, act, space, step, fingerprint).await
    };
    match app.db.write(confirm).await {
        Ok(_) => Ok(done(&format!("/console/accounts/{uin}?tab=steps"), "step-confirmed")),
        Err(error) => Err(refused(&Wrong::of(error.into())?)),
    }
}
