//! CAM: an account's access management, for the people of the account.

pub mod access_key;
pub mod attachment;
pub mod policy;
pub mod role;
pub mod saml_provider;
pub mod service_role;
pub mod user;

use serde_json::{Value, json};

use crate::{
    cloud::management::{self, Tags},
    id::Uin,
    web::api::{
        call::Call,
        fields::{Field, Parameters, Rule},
        refusal::Refusal,
        subject::Subject,
    },
};

/// The page that is wanted, from 1.
const PAGE: Field = Field::unsigned("Page").rule(Rule::Within(1, 1_000_000));
/// How many rows a page has.
const RP: Field = Field::unsigned("Rp").rule(Rule::Within(1, 200));

const ROLE_ID: Field = Field::text("RoleId");
const ROLE_NAME: Field = Field::text("RoleName");
/// The role that `RoleId` or `RoleName` names.
const THE_ROLE: Subject = Subject::Role { id: "RoleId", name: "RoleName" };
/// The policy that `PolicyId` names.
const THE_POLICY: Subject = Subject::Policy { id: "PolicyId", name: None };

const TAG: &[Field] = &[Field::text("Key").required(), Field::text("Value").required()];
/// Tags of something.
const TAGS: Field = Field::objects("Tags", TAG);

/// The account that a call is about: the caller's own, always.
fn account(call: &Call) -> Uin {
    call.caller.account.uin
}

/// Offset and limit of the page that is wanted.
fn window(parameters: &Parameters) -> (i64, i64) {
    let limit = parameters.integer("Rp").unwrap_or(20);
    ((parameters.integer("Page").unwrap_or(1) - 1) * limit, limit)
}

/// The part of a short list that is on the page that is wanted.
fn cut<T>(parameters: &Parameters, rows: Vec<T>) -> Vec<T> {
    let (offset, limit) = window(parameters);
    let [offset, limit] = [offset, limit].map(|it| usize::try_from(it).unwrap_or(usize::MAX));
    rows.into_iter().skip(offset).take(limit).collect()
}

fn tags(parameters: &Parameters) -> Result<Tags, Refusal> {
    let given = parameters.objects("Tags");
    Ok(management::check_tags(given.iter().map(|tag| (tag.text("Key"), tag.text("Value"))))?)
}

fn tag_list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// A switch that the API writes as 0 or 1.
const SWITCH: Rule = Rule::Within(0, 1);
