//! What a call is about, as policies name it: the resource that the caller must be allowed to touch.

use std::collections::BTreeMap;

use super::{call::Caller, fields::Parameters, refusal::Refusal};
use crate::{
    cloud::{
        management::{self, FoundPolicy, Which},
        sts::RoleArn,
    },
    id::Uin,
    policy::Context,
    store::Read,
};

/// What a call is about; the words are names of its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Nothing in particular.
    Everything,
    /// A role that is to be.
    NewRole(&'static str),
    /// A role, by id or name.
    Role {
        /// The parameter with its id.
        id: &'static str,
        /// The parameter with its name.
        name: &'static str,
    },
    /// A role of any account, by its resource name.
    RoleArn(&'static str),
    /// A policy, by number or name.
    Policy {
        /// The parameter with its number.
        id: &'static str,
        /// The parameter with its name, if there is one.
        name: Option<&'static str>,
    },
    /// Policies, by number.
    Policies(&'static str),
    /// A CAM user that is to be, or one by its name.
    UserNamed(&'static str),
    /// A CAM user, by number; the caller where none is given.
    User(&'static str),
    /// CAM users, by number.
    Users(&'static str),
    /// A SAML provider, by its name.
    Provider(&'static str),
}

/// A resource as policies name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// Its six-part name, or `*`: one name however the call says it.
    pub name: String,
    /// The same in the words of the call. Who is refused is told these, and so learns nothing about
    /// what there is.
    pub shown: String,
    /// Its tags, as far as it has any.
    pub tags: BTreeMap<String, String>,
}

impl Resource {
    fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { shown: name.clone(), name, tags: BTreeMap::new() }
    }

    fn shown_as(mut self, shown: impl Into<String>) -> Self {
        self.shown = shown.into();
        self
    }

    fn with(self, tags: BTreeMap<String, String>) -> Self {
        Self { tags, ..self }
    }
}

/// The role that the parameters name. An id that cannot be read names none.
pub fn which_role<'a>(
    parameters: &'a Parameters,
    id: &'static str,
    name: &'static str,
) -> Which<'a> {
    const NONE: i64 = -1;
    let given = parameters.optional_text(id).map(|text| text.parse().unwrap_or(NONE));
    Which { id: parameters.integer(id).or(given), name: parameters.optional_text(name) }
}

impl Subject {
    /// The resources that a call is about. What does not exist has a name all the same, so that
    /// only those who may touch everything of its kind learn that it does not.
    pub async fn resources(
        self,
        tx: &mut Read,
        caller: &Caller,
        parameters: &Parameters,
    ) -> Result<Vec<Resource>, Refusal> {
        let account = caller.account.uin;
        let own = |rest: &str| format!("qcs::cam::uin/{account}:{rest}");
        let one = match self {
            Self::Everything => Resource::named("*"),
            Self::NewRole(name) => {
                Resource::named(own(&format!("roleName/{}", parameters.text(name))))
            }
            Self::Role { id, name } => role(tx, account, which_role(parameters, id, name)).await?,
            Self::RoleArn(field) => role_by_arn(tx, account, parameters.text(field)).await?,
            Self::Policy { id, name } => {
                let name = name.and_then(|name| parameters.optional_text(name));
                policy(tx, account, parameters.integer(id), name).await?
            }
            Self::Policies(field) => {
                let mut all = Vec::new();
                // A list that is too long is refused by its action; it is not looked up here.
                for id in parameters.integers(field).into_iter().take(management::MOST_AT_ONCE) {
                    all.push(policy(tx, account, Some(id), None).await?);
                }
                return Ok(all);
            }
            Self::UserNamed(field) => {
                let name = parameters.text(field);
                let shown = own(&format!("userName/{name}"));
                match management::user_detail(tx, account, name).await {
                    Ok(found) => {
                        Resource::named(own(&format!("uin/{}", found.user.uin))).shown_as(shown)
                    }
                    Err(management::Error::NotFound(_)) => Resource::named(shown),
                    Err(other) => return Err(other.into()),
                }
            }
            Self::User(field) => {
                let uin = parameters.integer(field);
                let uin = uin
                    .map_or_else(|| caller.principal.identity().principal_id, |it| it.to_string());
                Resource::named(own(&format!("uin/{uin}")))
            }
            Self::Users(field) => {
                let uins = parameters.integers(field);
                let names = uins.iter().map(|uin| Resource::named(own(&format!("uin/{uin}"))));
                return Ok(names.collect());
            }
            Self::Provider(field) => {
                Resource::named(own(&format!("saml-provider/{}", parameters.text(field))))
            }
        };
        Ok(vec![one])
    }
}

async fn role(tx: &mut Read, account: Uin, which: Which<'_>) -> Result<Resource, Refusal> {
    let shown = match (which.id, which.name) {
        (None, None) => return Ok(Resource::named("*")),
        (_, Some(name)) => format!("qcs::cam::uin/{account}:roleName/{name}"),
        (Some(id), None) => format!("qcs::cam::uin/{account}:role/{id}"),
    };
    Ok(match management::role(tx, account, which).await? {
        Some(role) => Resource::named(role.arn()).shown_as(shown).with(role.tags.0),
        None => Resource::named(shown),
    })
}

async fn role_by_arn(tx: &mut Read, account: Uin, text: &str) -> Result<Resource, Refusal> {
    let Ok(arn) = text.parse::<RoleArn>() else { return Ok(Resource::named("*")) };
    Ok(match arn.find(tx).await? {
        // The tags of another account are that account's.
        Some(role) if role.account_uin == account => {
            Resource::named(role.arn()).shown_as(text).with(role.tags.0)
        }
        Some(role) => Resource::named(role.arn()).shown_as(text),
        None => Resource::named(text),
    })
}

async fn policy(
    tx: &mut Read,
    account: Uin,
    id: Option<i64>,
    name: Option<&str>,
) -> Result<Resource, Refusal> {
    let (shown, found) = match (id, name) {
        (Some(id), _) => (id.to_string(), management::policy(tx, account, id).await?),
        (None, Some(name)) => (name.to_owned(), management::policy_named(tx, account, name).await?),
        (None, None) => return Ok(Resource::named("*")),
    };
    let arn = |word: &str| format!("qcs::cam::uin/{account}:policyid/{word}");
    let Some(found) = found else { return Ok(Resource::named(arn(&shown))) };
    let resource = Resource::named(arn(&found.id().to_string())).shown_as(arn(&shown));
    Ok(match found {
        FoundPolicy::Custom(policy) => resource.with(policy.tags.0),
        FoundPolicy::Preset(_) => resource,
    })
}

/// States the tags of a resource, and those that a call would give it, as `key&value`.
pub fn with_tags(context: Context, resource: &Resource, parameters: &Parameters) -> Context {
    let context = resource.tags.iter().fold(context, |context, (key, value)| {
        context.with("qcs:resource_tag", format!("{key}&{value}"))
    });
    parameters.objects("Tags").iter().fold(context, |context, tag| {
        context.with("qcs:request_tag", format!("{}&{}", tag.text("Key"), tag.text("Value")))
    })
}
