//! Responses to accounts that one implementation took and another did not.

use crate::{
    audit::Act,
    cloud::{
        self, Error,
        sign_in::{Claim, Refused},
    },
    event,
    store::Write,
};

/// Writes down that a response is disputed: nobody uses its assertion again, and everybody who listens
/// to the space that manages the provider is told. Once: what comes again is a replay. Of what is
/// refused for anything else there is nothing to tell.
pub async fn tell_dispute(
    tx: &mut Write,
    act: &Act,
    claim: &Claim,
    refused: &Refused,
) -> Result<(), Error> {
    let Refused::Disputed(disputed) = refused else { return Ok(()) };
    let (is_new, space) = disputed.use_up(tx, claim).await?;
    if !is_new {
        return Ok(());
    }
    cloud::record_refusal(tx, act, claim, Some(disputed.name_id()), refused).await?;
    let account = claim.account().to_string();
    tracing::error!(account, "the second opinion disagrees over a response");
    if let Some(space) = space {
        event::announce_disagreement(tx, act, space, &account, disputed.said()).await?;
    }
    Ok(())
}
