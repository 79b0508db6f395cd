//! What an operation on `members` wants of the set. The set itself stays in the database.

use serde_json::Value;

use super::{Action, MemberChange};
use crate::scim::document;
use crate::scim::error::{Error, ErrorKind};
use crate::scim::filter::{Filter, Operator};
use crate::scim::schema::{GROUP, Location};

/// Whether a path is that of the members of a group, and nothing but it. An extension may have an
/// attribute of this name, too.
pub(super) fn are_at(path: &str) -> bool {
    let (urn, name) = path.trim().rsplit_once(':').unwrap_or(("", path.trim()));
    name.eq_ignore_ascii_case("members") && (urn.is_empty() || urn.eq_ignore_ascii_case(&GROUP.id))
}

/// The value of an operation on `members`, smaller: of each member its id alone. A list of a
/// hundred thousand is then a few megabytes while the database is at work, and not ten times that.
/// What is no member stays as it is, for [`change`] to refuse.
pub(super) fn slim(value: Value) -> Value {
    let Value::Array(list) = value else { return value };
    Value::Array(
        list.into_iter()
            .map(|member| match document::member_id(&member) {
                Some(id) if member.is_object() => Value::from(id),
                Some(_) | None => member,
            })
            .collect(),
    )
}

/// The change one operation makes; none when it changes nothing whatever the members are.
pub(super) fn change<'a>(
    action: Action,
    location: &Location<'_>,
    filter: Option<Filter<'a>>,
    value: Option<&'a Value>,
) -> Result<Option<MemberChange<'a>>, Error> {
    if let Some(sub_attribute) = location.sub_attribute {
        let detail =
            format!("{} of a member is immutable: add and remove members", sub_attribute.name);
        return Err(Error::new(ErrorKind::Mutability, detail));
    }
    match (action, filter) {
        // Okta, new Entra ID jobs: remove members[value eq "…"].
        (Action::Remove, Some(filter)) => {
            let mut values = Vec::new();
            Ok(Some(if collect_values(&filter, &mut values) {
                MemberChange::Remove(values)
            } else {
                MemberChange::RemoveMatching(filter)
            }))
        }
        // Old Entra ID jobs, rauthy, JumpCloud: a list of those who leave. Keycloak: null
        // empties the group.
        (Action::Remove, None) => Ok(Some(match value {
            None | Some(Value::Null) => MemberChange::Replace(Vec::new()),
            Some(value) => MemberChange::Remove(document::read_members(value)?.unwrap_or_default()),
        })),
        (Action::Add, None) => {
            let Some(value) = value else { return Ok(None) };
            let members = document::read_members(value)?.unwrap_or_default();
            Ok((!members.is_empty()).then_some(MemberChange::Add(members)))
        }
        (Action::Replace, None) => {
            let Some(value) = value else { return Ok(None) };
            let members = document::read_members(value)?.unwrap_or_default();
            Ok(Some(MemberChange::Replace(members)))
        }
        (Action::Add | Action::Replace, Some(_)) => {
            let detail = "a member is immutable: add and remove members by value";
            Err(Error::new(ErrorKind::Mutability, detail))
        }
    }
}

/// Collects the values of `value eq "…"`, alone or joined by `or`; false when the filter says
/// anything else.
fn collect_values(filter: &Filter<'_>, values: &mut Vec<String>) -> bool {
    match filter {
        Filter::Compare(path, Operator::Eq, literal)
            if path.urn.is_none()
                && path.sub.is_none()
                && path.name.eq_ignore_ascii_case("value") =>
        {
            literal.text().map(|text| values.push(text.to_owned())).is_some()
        }
        Filter::Or(parts) => parts.iter().all(|part| collect_values(part, values)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_member_only_the_id_is_kept_and_what_is_none_stays_to_be_refused() {
        let value = json!([
            { "value": "u-1", "display": "A", "$ref": "https://x" },
            { "VALUE": "u-2" },
            "u-3",
            { "value": 7 },
            { "display": "B" },
            null,
        ]);
        let slim = slim(value);
        assert_eq!(slim, json!(["u-1", "u-2", "u-3", { "value": 7 }, { "display": "B" }, null]));
        assert_eq!(super::slim(json!({ "value": "u-1" })), json!({ "value": "u-1" }));
    }

    #[test]
    fn members_of_an_extension_are_something_else() {
        assert!(are_at("members") && are_at(" Members "));
        assert!(are_at("urn:ietf:params:scim:schemas:core:2.0:group:members"));
        assert!(!are_at("urn:example:club:2.0:Group:members"));
        assert!(!are_at(r#"members[value eq "u-1"]"#) && !are_at("members.value"));
    }
}
