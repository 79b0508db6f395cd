//! One call of an action: who calls, with what.

use std::pin::Pin;

use serde_json::{Map, Value};

use super::{
    fields::{Field, Parameters},
    refusal::Refusal,
};
use crate::{
    app::App,
    audit::Act,
    cloud::CamPrincipal,
    id::SpaceId,
    organization::{Account, Organization},
    space::{self, Space},
    store::Read,
};

/// A call whose signature, parameters and permission were checked.
pub struct Call {
    /// What it may reach.
    pub app: App,
    /// What it is doing, under which request.
    pub act: Act,
    /// Who signed.
    pub caller: Caller,
    /// What it says.
    pub parameters: Parameters,
}

/// Who signed a call.
#[derive(Debug)]
pub struct Caller {
    /// Their account.
    pub account: Account,
    /// That account's organisation.
    pub organization: Organization,
    /// Who they are in it.
    pub principal: CamPrincipal,
}

/// What an action answers inside the envelope.
pub type Answer = Result<Map<String, Value>, Refusal>;

/// What runs an action.
pub type Run = for<'a> fn(&'a Call) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Who may call an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A principal of the management account whose policies allow `service:Action`.
    Administrator,
    /// Whoever holds any valid credential.
    AnyCredential,
}

/// An action: the table's row. Dispatch, checking and the reference page all come from it.
pub struct Action {
    /// Its name.
    pub name: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Its parameters, in the reference's order.
    pub fields: &'static [Field],
    /// What runs it.
    pub run: Run,
}

impl Call {
    /// The space that `ZoneId` names. A space of another organisation does not exist here.
    pub async fn space(&self, tx: &mut Read) -> Result<Space, Refusal> {
        let own = space::of_organization(tx, self.caller.organization.id).await?;
        let own = own.ok_or(space::Error::NotOpen)?;
        match self.parameters.text("ZoneId").parse::<SpaceId>() {
            Ok(id) if id == own.id => Ok(own),
            _ => Err(Refusal::new(
                "FailedOperation.ZoneIdNotExist",
                "The parameter `ZoneId` names no space of this organization.",
            )),
        }
    }
}

/// An object as an answer.
pub fn object<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
