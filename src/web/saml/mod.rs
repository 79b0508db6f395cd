//! The SAML endpoints: where people begin and end their sign-in, and who we are to others.

mod acs;
pub mod binding;
pub mod limit;
mod login;
pub mod logout;
pub mod metadata;
pub mod post;
pub mod send;

pub use self::metadata::Described;
use super::{Caller, Fault, Routes, pages};
use crate::{app::App, saml::response::Received, store::Door};

/// The routes. Only the two that open a portal session are inside the portal's door; the
/// assertion consumer service and single logout are posted to by other sites.
pub(super) fn routes(app: &App) -> Routes {
    let portal = Routes::new()
        .get_that_writes("/portal/{space}/login/start", Caller::Anyone, login::start)
        .get_that_writes("/portal/{space}/login/finish", Caller::Anyone, login::finish)
        .post("/portal/{space}/login/finish", Caller::Anyone, login::confirm)
        .post("/portal/{space}/login/decline", Caller::Anyone, login::decline);
    let open = Routes::new()
        .get("/saml/sp/{space_id}", Caller::Anyone, metadata::service_provider)
        .get("/saml/idp/{space_id}", Caller::Anyone, metadata::identity_provider)
        .get_that_writes("/saml/slo/{space_id}", Caller::Anyone, logout::by_redirect)
        .post("/saml/slo/{space_id}", Caller::Anyone, logout::by_form)
        .post("/saml/acs/{space_id}", Caller::Anyone, acs::consume);
    pages::door(app, Door::Portal, pages::PORTAL, portal).merge(pages::open_door(open))
}

/// A message so long is read at once (bytes of base64); honest ones are shorter.
const SHORT: usize = 32 * 1024;

/// Reads a response. What is as long as honest ones is read here, which takes less time than going to
/// another thread.
pub(super) async fn receive(response: &str) -> Result<Received, Fault> {
    if response.len() <= SHORT {
        return Ok(Received::parse(response));
    }
    let response = response.to_owned();
    off_thread(move || Received::parse(&response)).await
}

/// Does what is slow on a thread that serves nobody else.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Fault::Internal("the SAML core panicked"))
}
