//! Whether a configuration gives out temporary credentials for the command line (PRT-11).

use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;

use super::{Administrator, frame::done, limits};
use crate::{
    app::App,
    id::ConfigurationId,
    permission::{self, ConfigurationChange},
    web::pages::PageError,
};

#[derive(Deserialize)]
pub(super) struct CommandLineForm {
    allowed: bool,
}

/// Switches it on or off.
pub(super) async fn set(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ConfigurationId>,
    Form(form): Form<CommandLineForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let limits = limits(&app);
    let change =
        ConfigurationChange { command_line: Some(form.allowed), ..ConfigurationChange::default() };
    let act = &administrator.act;
    app.db
        .write(async |tx| {
            permission::update_configuration(tx, act, space, id, &change, &limits).await
        })
        .await?;
    let word = if form.allowed { "command-line-on" } else { "command-line-off" };
    Ok(done(&format!("/console/configurations/{id}"), word))
}
