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
    frame::{Frame, ListQuery, Pager, Search, Section, Wrong, done},
    refused,
};
use crate::{
    app::App,
    id::{ManualStepId, SpaceId, Uin},
    organization::{self, Account, OtherCloud, OtherCloudAccount},
    permission::{
        self, AccountIdentity, AssignmentState, Deployment, DeploymentFilter, DeploymentStatus,
    },
    provisioning::{self, ManualStep, Shape, UserSync, UserSyncFilter},
    store::{PageRequest, Read, Write},
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

/// A part of the page, with what it shows.
enum Tab {
    Authorizations(Vec<AccountIdentity>),
    Deployments(Vec<Deployment>),
    Syncs(Vec<UserSync>),
    Steps,
}

impl Tab {
    fn is(&self, name: &str) -> bool {
        name == match self {
            Self::Authorizations(_) => "",
            Self::Deployments(_) => "deployments",
            Self::Syncs(_) => "syncs",
            Self::Steps => "steps",
        }
    }
}

#[derive(Template)]
#[template(path = "console/account.html")]
struct OneAccount {
    frame: Frame,
    account: Account,
    tab: Tab,
    search: Search,
    /// How many deployments are not what their configurations say now (DPL-05).
    outdated: i64,
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
    let page = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let account = organization::account(tx, organization, uin)
                .await?
                .ok_or(organization::Error::AccountNotFound)?;
            let other_cloud = organization::other_cloud(tx, uin).await?;
            let steps = match other_cloud {
                Some(_) => provisioning::manual_steps(tx, space, uin).await?,
                None => Vec::new(),
            };
            let of_this = DeploymentFilter { account: Some(uin), ..Default::default() };
            let stale =
                DeploymentFilter { status: Some(DeploymentStatus::Outdated), ..of_this.clone() };
            let stale = permission::deployments(tx, space, &stale, PageRequest::first(1)).await?;
            let (tab, pager) = read_tab(tx, space, uin, &query, &of_this).await?;
            Ok(OneAccount {
                frame: Frame::new(&administrator, Section::Authorization, query.done.as_deref()),
                account,
                tab,
                search: Search::new(key!("account-search"), &query),
                outdated: stale.total,
                pager,
                other_cloud,
                steps,
            })
        })
        .await?;
    Ok(Page::new(page).into_response())
}

async fn read_tab(
    tx: &mut Read,
    space: SpaceId,
    uin: Uin,
    query: &ListQuery,
    deployments: &DeploymentFilter,
) -> Result<(Tab, Pager), Fault> {
    let here = format!("/console/accounts/{uin}");
    Ok(match query.tab.as_str() {
        "deployments" => {
            let page = permission::deployments(tx, space, deployments, query.page()).await?;
            let pager = query.pager(&here, &page);
            (Tab::Deployments(page.rows), pager)
        }
        "syncs" => {
            let filter = UserSyncFilter { account: Some(uin), ..UserSyncFilter::default() };
            let page = provisioning::user_syncs(tx, space, &filter, query.page()).await?;
            let pager = query.pager(&here, &page);
            (Tab::Syncs(page.rows), pager)
        }
        "steps" => (Tab::Steps, Pager::default()),
        _ => {
            let wanted = query.wanted();
            let (wanted, page) = (wanted.as_deref(), query.page());
            let page = permission::account_identities(tx, space, uin, wanted, page).await?;
            let pager = query.pager(&here, &page);
            (Tab::Authorizations(page.rows), pager)
        }
    })
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
        number: Field::text("number", key!("cloud-number"))
            .optional()
            .longest(19)
            .hint(key!("cloud-number-hint"))
            .value(&given.number)
            .error(Wrong::at(wrong.as_ref(), "number")),
        region: Field::text("region", key!("cloud-region"))
            .optional()
            .longest(32)
            .hint(key!("cloud-region-hint"))
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
