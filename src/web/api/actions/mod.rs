//! The actions, by what they are about. Each file has its rows of the table and what runs them.

pub mod assignment;
pub mod cam;
pub mod configuration;
pub mod group;
pub mod organization;
pub mod own;
pub mod request;
pub mod saml;
pub mod scim;
pub mod space;
pub mod sts;
pub mod task;
pub mod user;
pub mod user_sync;

use super::{
    call::{Access, Action, Run},
    fields::{Field, Parameters},
    subject::Subject,
};
use crate::directory::PrincipalKind;

/// `ZoneId`, which almost every action wants.
pub const ZONE_ID: Field = Field::text("ZoneId").required();

/// A row for administrators.
pub const fn action(name: &'static str, fields: &'static [Field], run: Run) -> Action {
    Action { name, access: Access::Administrator, fields, run }
}

/// A row for the principals of an account, as far as their policies let them.
pub const fn action_on(
    name: &'static str,
    subject: Subject,
    fields: &'static [Field],
    run: Run,
) -> Action {
    Action { name, access: Access::Account(subject), fields, run }
}

/// The kind of identity that `PrincipalType` names.
fn principal_kind(parameters: &Parameters) -> Option<PrincipalKind> {
    match parameters.optional_text("PrincipalType") {
        Some("Group") => Some(PrincipalKind::Group),
        Some(_) => Some(PrincipalKind::User),
        None => None,
    }
}
