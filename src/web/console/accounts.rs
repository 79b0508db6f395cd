//! An account: who may enter it with what, and what is deployed there (MAA-10…13).

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Administrator,
    frame::{Frame, ListQuery, Pager, Section, done},
};
use crate::{
    app::App,
    directory,
    id::{ConfigurationId, Principal, Uin},
    organization::{self, Account},
    permission::{
        self, Assignment, AssignmentFilter, Deployment, DeploymentFilter, RemovalStrategy, Triple,
    },
    provisioning,
    web::{Fault, page::Page, pages::PageError},
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
    let deployments_wanted = query.tab == "deployments";
    let page = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let account = organization::account(tx, organization, uin)
                .await?
                .ok_or(organization::Error::AccountNotFound)?;
            let frame = Frame::new(&administrator, Section::Authorization, query.done.as_deref());
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
                });
            }
            let filter = AssignmentFilter { account: Some(uin), ..Default::default() };
            let page = permission::assignments(tx, space, &filter, query.page()).await?;
            let pager = query.pager(&here, &page);
            let (tab, assignments) = ("authorizations", page.rows);
            Ok(OneAccount { frame, account, tab, assignments, deployments: Vec::new(), pager })
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
