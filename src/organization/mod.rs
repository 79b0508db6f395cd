//! Organisations, departments and accounts.
//!
//! An organisation is a tree of departments; each account is in one of them. One account is the
//! management account, whose principals administer the organisation; the others are members.

mod editing;
mod other_cloud;
mod rules;
mod store;

pub use editing::{
    MOST_AT_ONCE, delete_departments, move_accounts, update_account, update_department,
};
pub use other_cloud::{OtherCloud, OtherCloudAccount, other_cloud, set_other_cloud};
pub use rules::{check_department_name, check_member_name, check_organization_name};
pub use store::{
    AccountFilter, account, accounts, accounts_of, create, create_department, create_member,
    department, departments, lock, of_account, organization,
};

use crate::{
    id::{DepartmentId, OrganizationId, Uin},
    secret,
    store::{self as database, Timestamp, text_enum},
};

text_enum! {
    /// What an account is to its organisation.
    pub enum AccountKind {
        /// The account that administers the organisation.
        Management = "management",
        /// Any other account.
        Member = "member",
    }
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name, unique in the installation.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A department: a node of the organisation's tree.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Department {
    /// Its id.
    pub id: DepartmentId,
    /// The number by which the public API knows it.
    pub node_id: i64,
    /// The department above it; none for the root.
    pub parent_id: Option<DepartmentId>,
    /// The public API's number of the department above it.
    pub parent_node_id: Option<i64>,
    /// Its name, unique below its parent.
    pub name: String,
    /// A remark.
    pub remark: String,
    /// How many departments are above it.
    pub depth: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A cloud account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Account {
    /// Its number.
    pub uin: Uin,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Where in the tree it is.
    pub department_id: DepartmentId,
    /// That department's number in the public API.
    pub node_id: i64,
    /// That department's name.
    pub department_name: String,
    /// Management account or member.
    pub kind: AccountKind,
    /// Its name, unique in the organisation.
    pub name: String,
    /// A remark.
    pub remark: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl Account {
    /// Whether it administers the organisation.
    pub fn is_management(&self) -> bool {
        self.kind == AccountKind::Management
    }
}

/// Why something about an organisation could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An organisation's name is empty, too long, or has control characters.
    #[error("an organisation's name has 1 to 64 characters and no control characters")]
    NameInvalid,
    /// Another organisation has this name.
    #[error("another organisation has this name")]
    NameTaken,
    /// A department's name breaks DEP-03.
    #[error(
        "a department's name has 1 to 40 letters, digits, Chinese characters or + @ & . _ [ ] -"
    )]
    DepartmentNameInvalid,
    /// A department below the same parent has this name.
    #[error("a department below the same parent has this name")]
    DepartmentNameTaken,
    /// There is no such department in the organisation.
    #[error("there is no such department")]
    DepartmentNotFound,
    /// The tree would become deeper than allowed (ORG-11).
    #[error("the tree of departments may have at most {0} levels")]
    TooDeep(i64),
    /// A member's name breaks MEM-03.
    #[error(
        "a member's name has 1 to 25 letters, digits, Chinese characters or @ & _ [ ] . - : ; ~ ,"
    )]
    MemberNameInvalid,
    /// Another account of the organisation has this name.
    #[error("another account of the organisation has this name")]
    MemberNameTaken,
    /// A remark is longer than 40 characters.
    #[error("a remark has at most 40 characters")]
    RemarkTooLong,
    /// A department in which departments or accounts are.
    #[error("a department is deleted when nothing is in it: move its accounts first")]
    DepartmentNotEmpty,
    /// The department at the root of the tree.
    #[error("the department at the root of the tree stays")]
    RootStays,
    /// The management account is right at the root.
    #[error("the management account stays where it is")]
    ManagementAccountStaysAtTheRoot,
    /// None of them, or more than one call takes.
    #[error("a call is about 1 to {limit} of them, and this one about {count}")]
    CountInvalid {
        /// How many it may be about.
        limit: usize,
        /// How many it is about.
        count: usize,
    },
    /// There is no such account in the organisation.
    #[error("there is no such account")]
    AccountNotFound,
    /// A number that an account of another cloud cannot have.
    #[error(
        "the number of an account at Amazon Web Services has at most 12 digits, and no account has one below 1"
    )]
    OtherCloudNumberInvalid,
    /// Another account of the organisation is the one with this number.
    #[error("another account of the organisation has this number in that cloud")]
    OtherCloudNumberTaken,
    /// A region that is none, or of a cloud that has a single sign-in.
    #[error(
        "a region is one of Amazon Web Services, such as eu-west-1; other clouds have one sign-in"
    )]
    OtherCloudRegionInvalid,
    /// The management account is one of the cloud behind us.
    #[error("the management account cannot be in another cloud")]
    ManagementAccountStays,
    /// Somebody has access to the account, or something is deployed there.
    #[error(
        "an account that anybody has access to stays in its cloud: take assignments, deployments and user syncs off it first"
    )]
    AccountInUse,
    /// A number could not be made.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
