//! Accounts that are in another cloud: people deploy to them, we only let in.
//!
//! Such an account has a place in the organisation like any other. What is different is where it
//! is, how it is numbered there, and that nothing of ours reaches into it.

use serde_json::json;

use super::{AccountKind, Error, account};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{OrganizationId, Uin},
    store::{self as database, Read, Write, sql, text_enum},
};

text_enum! {
    /// A cloud whose accounts take our word, and into which nothing of ours reaches.
    pub enum OtherCloud {
        /// Amazon Web Services.
        Aws = "AWS",
        /// Alibaba Cloud in China.
        AlibabaChina = "AlibabaChina",
        /// Alibaba Cloud elsewhere.
        AlibabaInternational = "AlibabaInternational",
        /// Tencent Cloud in China.
        TencentChina = "TencentChina",
        /// Tencent Cloud elsewhere.
        TencentInternational = "TencentInternational",
    }
}

/// Largest number of an account at Amazon Web Services: twelve digits.
const LARGEST_AWS: i64 = 999_999_999_999;
/// Longest name of a region.
const LONGEST_REGION: usize = 32;

impl OtherCloud {
    /// What people call it.
    pub fn shown(&self) -> &'static str {
        match self {
            Self::TencentChina => "Tencent Cloud (China)",
            Self::TencentInternational => "Tencent Cloud (international)",
            Self::Aws => "Amazon Web Services",
            Self::AlibabaChina => "Alibaba Cloud (China)",
            Self::AlibabaInternational => "Alibaba Cloud (international)",
        }
    }
}

/// Where an account is, if it is in another cloud.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OtherCloudAccount {
    /// The cloud.
    pub cloud: OtherCloud,
    /// The account's number there.
    pub number: i64,
    /// The region whose sign-in is used, where the cloud has several; none for the global one.
    pub region: Option<String>,
}

impl OtherCloudAccount {
    /// The number as that cloud writes it.
    pub fn shown_number(&self) -> String {
        match self.cloud {
            OtherCloud::Aws => format!("{:012}", self.number),
            OtherCloud::TencentChina
            | OtherCloud::TencentInternational
            | OtherCloud::AlibabaChina
            | OtherCloud::AlibabaInternational => self.number.to_string(),
        }
    }

    /// Whether it can be: the region becomes part of the address that a signed response goes to.
    fn check(&self) -> Result<(), Error> {
        let largest = if self.cloud == OtherCloud::Aws { LARGEST_AWS } else { i64::MAX };
        if !(1..=largest).contains(&self.number) {
            return Err(Error::OtherCloudNumberInvalid);
        }
        let fits = |region: &String| {
            let parts = || region.split('-');
            self.cloud == OtherCloud::Aws
                && region.len() <= LONGEST_REGION
                && parts().count() >= 3
                && parts().all(|part| {
                    !part.is_empty()
                        && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
                })
        };
        if self.region.as_ref().is_some_and(|region| !fits(region)) {
            return Err(Error::OtherCloudRegionInvalid);
        }
        Ok(())
    }
}

/// Where an account is; none if it is one of the cloud behind us.
pub async fn other_cloud(
    tx: &mut Read,
    account: Uin,
) -> Result<Option<OtherCloudAccount>, database::Error> {
    sql("SELECT cloud, number, region FROM other_cloud_accounts WHERE account_uin = $1")
        .bind(account)
        .fetch_optional(tx)
        .await
}

/// Says that a member account is in another cloud, or, with none, that it is not. Not for an account
/// that anybody has access to: what was deployed stands where the account was.
pub async fn set_other_cloud(
    tx: &mut Write,
    act: &Act,
    organization: OrganizationId,
    uin: Uin,
    wanted: Option<&OtherCloudAccount>,
) -> Result<(), Error> {
    // Whoever gives access to an account holds its space meanwhile; so do two who say the same here.
    let mut query = sql("SELECT id FROM spaces WHERE organization_id = ");
    query.push_bind(organization).push(tx.for_no_key_update());
    query.exists(tx).await?;
    let found = account(tx, organization, uin).await?.ok_or(Error::AccountNotFound)?;
    if found.kind == AccountKind::Management {
        return Err(Error::ManagementAccountStays);
    }
    if let Some(wanted) = wanted {
        wanted.check()?;
    }
    let before = other_cloud(tx, uin).await?;
    if before.as_ref() == wanted {
        return Ok(());
    }
    let in_use = sql("SELECT 1 WHERE EXISTS (SELECT 1 FROM assignments WHERE account_uin = $1)
            OR EXISTS (SELECT 1 FROM deployments WHERE account_uin = $1)
            OR EXISTS (SELECT 1 FROM user_syncs WHERE account_uin = $1)
            OR EXISTS (SELECT 1 FROM manual_steps WHERE account_uin = $1)")
    .bind(uin)
    .exists(tx)
    .await?;
    if in_use {
        return Err(Error::AccountInUse);
    }
    sql("DELETE FROM other_cloud_accounts WHERE account_uin = $1").bind(uin).execute(tx).await?;
    if let Some(wanted) = wanted {
        let taken =
            sql("SELECT 1 FROM other_cloud_accounts o JOIN accounts a ON a.uin = o.account_uin
             WHERE a.organization_id = $1 AND o.cloud = $2 AND o.number = $3")
            .bind(organization)
            .bind(wanted.cloud)
            .bind(wanted.number)
            .exists(tx)
            .await?;
        if taken {
            return Err(Error::OtherCloudNumberTaken);
        }
        sql("INSERT INTO other_cloud_accounts (account_uin, cloud, number, region, updated_at)
             VALUES ($1, $2, $3, $4, $5)")
        .bind(uin)
        .bind(wanted.cloud)
        .bind(wanted.number)
        .bind(wanted.region.as_deref())
        .bind(act.now)
        .execute(tx)
        .await?;
    }
    let state = |one: Option<&OtherCloudAccount>| {
        one.map(|one| json!({ "cloud": one.cloud, "number": one.number, "region": one.region }))
    };
    let change = Change {
        scope: Scope::Organization(organization),
        action: "account.move_cloud",
        object_kind: "account",
        object_id: &uin.to_string(),
        before: json!(state(before.as_ref())),
        after: json!(state(wanted)),
    };
    Ok(audit::record(tx, act, change).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(cloud: OtherCloud, number: i64, region: Option<&str>) -> OtherCloudAccount {
        OtherCloudAccount { cloud, number, region: region.map(str::to_owned) }
    }

    #[test]
    fn numbers_and_regions_are_those_of_the_cloud() {
        let aws = |number, region| account(OtherCloud::Aws, number, region).check();
        assert!(aws(1, None).is_ok() && aws(LARGEST_AWS, Some("eu-west-1")).is_ok());
        assert!(aws(1, Some("us-gov-west-1")).is_ok());
        for number in [0, -1, LARGEST_AWS + 1] {
            assert!(matches!(aws(number, None), Err(Error::OtherCloudNumberInvalid)), "{number}");
        }
        for region in ["", "eu", "eu-west", "EU-west-1", "eu-west-1.evil.example", "a--1", "-a-b-c"]
        {
            let refused = aws(1, Some(region));
            assert!(matches!(refused, Err(Error::OtherCloudRegionInvalid)), "{region}");
        }
        let alibaba = |region| account(OtherCloud::AlibabaChina, i64::MAX, region).check();
        assert!(alibaba(None).is_ok());
        assert!(alibaba(Some("cn-north-1")).is_err(), "it has one sign-in");
        assert_eq!(account(OtherCloud::Aws, 42, None).shown_number(), "000000000042");
    }
}
