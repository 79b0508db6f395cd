//! The objects of an account's CAM in the database, and who may change them.

mod policies;
mod providers;
mod roles;
mod users;

pub(super) use policies::{create_policy, custom_policies, delete_policy, update_policy};
pub(super) use providers::{
    ProviderRow, create_provider, delete_provider, provider, update_provider,
};
pub use roles::managed_by;
pub(super) use roles::{
    attach_role_policy, create_role, delete_role, detach_role_policy, role, role_policies,
    update_role,
};
pub use users::shut_out;
pub(super) use users::{
    cam_user, cam_users, create_cam_user, delete_cam_user, release_cam_user, set_cam_user_blocked,
    take_over_cam_user,
};

use serde_json::Value;

use super::Error;
use crate::{
    audit::{self, Act, Change, Scope},
    cam,
    id::{OrganizationId, SpaceId, Uin},
    store::{Read, Write, sql},
};

/// Whose hand an object is in: `deployer` is the space that acts, none for somebody in the account
/// itself. What a space's deployer made only that deployer may change, root included (DPL-02);
/// what it did not make it may not change (DPL-16).
fn check_hand(
    deployer: Option<SpaceId>,
    managed_by: Option<SpaceId>,
    kind: &'static str,
    name: &str,
) -> Result<(), cam::Error> {
    match (deployer, managed_by) {
        (ours, theirs) if ours == theirs => Ok(()),
        (Some(_), _) => Err(cam::Error::NameClash { kind, name: name.to_owned() }),
        (None, _) => {
            Err(cam::Error::Denied(format!("{kind} {name} is managed by Identity Center")))
        }
    }
}

/// The account as the acting hand sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hand {
    /// The account.
    pub account: Uin,
    /// The space whose deployer acts; none for somebody in the account itself.
    pub deployer: Option<SpaceId>,
}

/// The organisation whose log an account's changes belong to.
pub(super) async fn scope_of(tx: &mut Read, account: Uin) -> Result<Scope, Error> {
    let found: Option<(OrganizationId,)> =
        sql("SELECT organization_id FROM accounts WHERE uin = $1")
            .bind(account)
            .fetch_optional(tx)
            .await?;
    found.map(|(id,)| Scope::Organization(id)).ok_or(Error::AccountNotFound)
}

/// Writes the record of a change to an object.
pub(super) async fn record(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    action: &'static str,
    kind: &'static str,
    name: &str,
    [before, after]: [Value; 2],
) -> Result<(), Error> {
    let scope = match hand.deployer {
        Some(space) => Scope::Space(space),
        None => scope_of(tx, hand.account).await?,
    };
    let object_id = format!("{}/{name}", hand.account);
    let change = Change { scope, action, object_kind: kind, object_id: &object_id, before, after };
    Ok(audit::record(tx, act, change).await?)
}

fn not_found(kind: &'static str, name: &str) -> Error {
    cam::Error::NotFound { kind, name: name.to_owned() }.into()
}

const PROVIDER: &str = "SAML provider";
const ROLE: &str = "role";
const POLICY: &str = "policy";
const USER: &str = "CAM user";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dpl_02_and_dpl_16_every_hand_changes_only_its_own() {
        let [one, other] = [SpaceId(1), SpaceId(2)];
        let check = |hand, managed| check_hand(hand, managed, ROLE, "r");
        assert!(check(Some(one), Some(one)).is_ok());
        assert!(check(None, None).is_ok());
        assert!(matches!(check(None, Some(one)), Err(cam::Error::Denied(_))));
        assert!(matches!(check(Some(one), None), Err(cam::Error::NameClash { .. })));
        assert!(matches!(check(Some(one), Some(other)), Err(cam::Error::NameClash { .. })));
    }
}
