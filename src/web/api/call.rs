//! One call of an action: who calls, with what.

use std::pin::Pin;

use serde_json::{Map, Value};

use super::{
    fields::{Field, Parameters},
    refusal::Refusal,
    subject::Subject,
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
    /// A principal of any account whose policies allow `service:Action` on what the call is about.
    Account(Subject),
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

impl Action {
    /// Whether it is about a space.
    pub fn is_about_space(&self) -> bool {
        self.fields.iter().any(|field| field.name == "ZoneId")
    }
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

/// An action whose proof is in its parameters: it comes without a signature (API.md §4.2).
pub struct Unsigned {
    /// Its service.
    pub service: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its parameters, in the reference's order.
    pub fields: &'static [Field],
    /// What runs it.
    pub run: RunUnsigned,
}

/// What runs an action that nobody signed.
pub type RunUnsigned = for<'a> fn(
    &'a App,
    &'a Act,
    &'a Parameters,
) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

impl Action {
    /// Whether it changes nothing and gives nobody a credential: told by its name, as the reference
    /// names them.
    pub fn only_reads(&self) -> bool {
        let reads = ["Describe", "Get", "List"].iter().any(|word| self.name.starts_with(word));
        reads && self.name != "GetFederationToken"
    }
}

/// An object as an answer.
pub fn object<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
