//! Taking a configuration off an account in three steps (DPL-09): its authorisations go, then the
//! role, then it is done. Between them it is what it is, and the page says so.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};

use super::{
    Administrator,
    frame::{Frame, ListQuery, Section},
};
use crate::{
    app::App,
    id::{ConfigurationId, Uin},
    organization::{self, Account},
    permission::{self, Configuration, Undeployment, UndeploymentStage as Stage},
    web::{Fault, messages::Message, page::Page, pages::PageError},
};

static STEPS: [(u8, Message); 3] = [
    (1, key!("undeploy-step-clear")),
    (2, key!("undeploy-step-undeploy")),
    (3, key!("undeploy-step-done")),
];

#[derive(Template)]
#[template(path = "console/undeployment.html")]
struct UndeployPage {
    frame: Frame,
    steps: &'static [(u8, Message)],
    step: u8,
    account: Account,
    configuration: Configuration,
    found: Undeployment,
}

impl UndeployPage {
    /// How many identities are counted and not named.
    fn unnamed(&self) -> i64 {
        let named = i64::try_from(self.found.named.len()).unwrap_or(i64::MAX);
        (self.found.users + self.found.groups).saturating_sub(named)
    }
}

/// How far it is with taking a configuration off an account, and the next step.
pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path((uin, id)): Path<(Uin, ConfigurationId)>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let organization = administrator.organization.id;
    let (account, configuration, found) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let account = organization::account(tx, organization, uin).await?;
            let account = account.ok_or(organization::Error::AccountNotFound)?;
            let configuration = permission::configuration(tx, space, id).await?;
            let configuration = configuration.ok_or(permission::Error::ConfigurationNotFound)?;
            let found = permission::undeployment(tx, space, id, uin).await?;
            Ok((account, configuration, found))
        })
        .await?;
    let step = match found.stage {
        Stage::Assigned => 1,
        Stage::AssignmentsRemoved | Stage::Undeploying | Stage::UndeployFailed => 2,
        Stage::Undeployed => 3,
    };
    let page = UndeployPage {
        frame: Frame::new(&administrator, Section::Configurations, query.done.as_deref()),
        steps: &STEPS,
        step,
        account,
        configuration,
        found,
    };
    Ok(Page::new(page).into_response())
}
