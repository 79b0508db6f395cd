//! What is left of a sign-in at an account that was refused: a record for its administrators.

use serde_json::json;

use super::{
    Error,
    objects::scope_of,
    sign_in::{Claim, Refused},
};
use crate::{
    audit::{
        self, Act, Change,
        unproved::{self, Unproved, UnprovedDoor},
    },
    store::Write,
};

/// Writes down that nobody was let in, and why, in the log of the account's organisation; of an
/// account that is not there nothing.
///
/// `name_id` is for whom a verified response vouched. Without one the message proved nothing and
/// anybody may have sent it: those are counted, and the log hears of each cause once a day.
pub async fn record_refusal(
    tx: &mut Write,
    act: &Act,
    claim: &Claim,
    name_id: Option<&str>,
    refused: &Refused,
) -> Result<(), Error> {
    let account = claim.account();
    let scope = match scope_of(tx, account).await {
        Ok(scope) => scope,
        Err(Error::AccountNotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    let cause = refused.name();
    let after = if let Some(name_id) = name_id {
        json!({ "cause": cause, "name_id": name_id, "provider": claim.provider() })
    } else {
        let detail = json!({});
        let door = UnprovedDoor::AccountSignIn;
        let one = Unproved { door, owner: account.0, cause, detail: &detail };
        let times = unproved::count(tx, act, one).await?;
        if !unproved::tell(tx, act, one).await? {
            return Ok(());
        }
        json!({ "cause": cause, "times": times })
    };
    let change = Change {
        scope,
        action: "account_sign_in.refuse",
        object_kind: "account",
        object_id: &account.to_string(),
        before: json!(null),
        after,
    };
    Ok(audit::record(tx, act, change).await?)
}
