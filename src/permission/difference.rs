//! What is different between what is deployed and what a configuration says (PC-16, DPL-08), and
//! what a configuration would say after a change.

use super::{
    Configuration, ConfigurationChange, ConfigurationPolicy, ConfigurationPolicyName, Content,
    Error, Limits, MOST_POLICIES, NewPolicy, PolicyKind,
    configurations::resolve,
    content,
    rules::{ContentPolicy, check_description, check_relay_state, check_session_duration},
};
use crate::audit::Act;

/// What would have to be done to make one content out of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Policies that come.
    pub added: Vec<ContentPolicy>,
    /// Policies that go.
    pub removed: Vec<ContentPolicy>,
    /// Policies of one's own that say something else: as they will be.
    pub changed: Vec<ContentPolicy>,
    /// The seconds that a session lasts, before and after, where they differ.
    pub session_duration: Option<(i64, i64)>,
}

impl Difference {
    /// Between what is there and what is to be.
    pub fn between(old: &Content, new: &Content) -> Self {
        let same = |one: &ContentPolicy, other: &ContentPolicy| {
            (one.kind, &one.name) == (other.kind, &other.name)
        };
        let not_in = |all: &[ContentPolicy], others: &[ContentPolicy]| -> Vec<ContentPolicy> {
            let missing = |it: &&ContentPolicy| !others.iter().any(|other| same(it, other));
            all.iter().filter(missing).cloned().collect()
        };
        let changed = new
            .policies
            .iter()
            .filter(|it| old.policies.iter().any(|other| same(it, other) && *it != other));
        let durations = (old.session_duration, new.session_duration);
        Self {
            added: not_in(&new.policies, &old.policies),
            removed: not_in(&old.policies, &new.policies),
            changed: changed.cloned().collect(),
            session_duration: (durations.0 != durations.1).then_some(durations),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// For people: `+ A, - B, ~ C, session 3600 s to 7200 s`.
impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        for (sign, policies) in [("+", &self.added), ("-", &self.removed), ("~", &self.changed)] {
            parts.extend(policies.iter().map(|it| format!("{sign} {}", it.name)));
        }
        if let Some((old, new)) = self.session_duration {
            parts.push(format!("session {old} s to {new} s"));
        }
        f.write_str(&parts.join(", "))
    }
}

/// What a configuration would say after a change: policies that go first, then those that come,
/// then the rest. Refused as the change itself would be.
pub fn edited(
    act: &Act,
    old: &Configuration,
    mut policies: Vec<ConfigurationPolicy>,
    (removed, added): (&[ConfigurationPolicyName], &[NewPolicy]),
    change: &ConfigurationChange,
    limits: &Limits,
) -> Result<Content, Error> {
    for gone in removed {
        let at = policies.iter().position(|it| match gone {
            ConfigurationPolicyName::Preset(id) => {
                it.kind == PolicyKind::Preset && it.policy_id == *id
            }
            ConfigurationPolicyName::Custom(name) => {
                it.kind == PolicyKind::Custom && it.name == *name
            }
        });
        policies.remove(at.ok_or(Error::PolicyNotBound)?);
    }
    if added.len() > MOST_POLICIES {
        return Err(Error::PolicyCountInvalid);
    }
    for new in added {
        let policy = resolve(new, old.id, act)?;
        if policies.iter().any(|it| it.kind == policy.kind && it.name == policy.name) {
            return Err(Error::PolicyTaken(policy.name));
        }
        policies.push(policy);
    }
    let count = |kind| policies.iter().filter(|policy| policy.kind == kind).count();
    if !added.is_empty() && count(PolicyKind::Preset) > MOST_POLICIES {
        return Err(Error::TooManyPresets);
    }
    if !added.is_empty() && count(PolicyKind::Custom) > limits.custom_policies {
        return Err(Error::TooManyCustomPolicies(limits.custom_policies));
    }
    let duration = match change.session_duration {
        Some(seconds) => check_session_duration(Some(seconds))?,
        None => old.session_duration,
    };
    check_description(change.description.as_deref().unwrap_or_default())?;
    check_relay_state(change.relay_state.as_deref().unwrap_or_default(), &limits.landing_origins)?;
    Ok(content(duration, &policies))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, document: Option<&str>) -> ContentPolicy {
        let kind = if document.is_some() { PolicyKind::Custom } else { PolicyKind::Preset };
        ContentPolicy { kind, name: name.to_owned(), id: 0, document: document.map(str::to_owned) }
    }

    #[test]
    fn pc_16_a_difference_names_what_comes_goes_and_changes() {
        let content = |session_duration, policies: &[(&str, Option<&str>)]| Content {
            session_duration,
            policies: policies.iter().map(|(name, document)| policy(name, *document)).collect(),
        };
        let old = content(3600, &[("A", None), ("B", None), ("own", Some("1"))]);
        let new = content(7200, &[("B", None), ("C", None), ("own", Some("2"))]);
        let found = Difference::between(&old, &new);
        assert_eq!(found.to_string(), "+ C, - A, ~ own, session 3600 s to 7200 s");
        assert!(Difference::between(&new, &new).is_empty());
        // A preset and a policy of one's own of the same name are two.
        let other = content(3600, &[("A", Some("1"))]);
        let found = Difference::between(&content(3600, &[("A", None)]), &other);
        assert_eq!((found.added.len(), found.removed.len()), (1, 1));
    }
}
