//! A response that comes to an account: read, and held against the SAML provider that it claims.

use crate::{
    access,
    app::App,
    audit::Act,
    cloud::{
        self, Error,
        sign_in::{self, Claim, Known, Refused, Rules, Verified},
    },
    saml::response::Received,
    web::saml,
};

/// Reads a response, and whose word it claims to be.
pub(super) async fn receive(response: &str) -> Result<(Received, Claim), Refused> {
    let received = saml::receive(response).await.map_err(|_| Error::Interrupted)?;
    let claim = sign_in::claim(&received)?;
    Ok((received, claim))
}

/// Verifies a response. `chosen` are the one of its roles that is wanted and the session's name, where
/// whoever brings it chooses (STS).
pub(super) async fn judge(
    app: &App,
    act: &Act,
    (received, claim): (Received, Claim),
    known: Known,
    chosen: Option<(&str, &str)>,
) -> Result<Verified, Refused> {
    let sign_in_url = cloud::sign_in_url(app.settings.public_url.as_str());
    let (saml, now, claimed) = (app.settings.saml, act.now, claim.clone());
    let chosen = chosen.map(|(role, name)| (role.to_owned(), name.to_owned()));
    // Signatures and the second opinion are slow.
    let judged = saml::off_thread(move || {
        let rules = Rules {
            sign_in_url: &sign_in_url,
            skew: jiff::SignedDuration::from_secs(saml.clock_skew),
            second_opinion: saml.second_opinion,
            chosen: chosen.as_ref().map(|(role, name)| (role.as_str(), name.as_str())),
            now,
        };
        sign_in::judge(&received, &claimed, known, rules)
    });
    let judged = judged.await.map_err(|_| Error::Interrupted)?;
    if let Err(refused @ Refused::Disputed(_)) = &judged {
        app.db.write(async |tx| access::tell_dispute(tx, act, &claim, refused).await).await?;
    }
    judged
}
