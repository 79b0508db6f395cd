//! The words pages use for what the rooms know by code, and the colour of each state.

use crate::{
    access::ReachState,
    directory::Source,
    event, expiry,
    id::{Principal, PrincipalKind},
    permission::{AssignmentState, DeploymentStatus, PolicyKind},
    store::Timestamp,
    task::{Kind, State},
};

/// A state: the class of its badge, and its word.
pub type Badge = (&'static str, &'static str);

/// The steps of a role sync.
pub static STEPS: [(u8, &str); 4] = [
    (1, "Choose accounts"),
    (2, "Choose users and groups"),
    (3, "Choose configurations"),
    (4, "Review"),
];

/// Who made a user or a group.
pub fn source(source: Source) -> &'static str {
    match source {
        Source::Manual => "Manual",
        Source::Scim => "SCIM",
    }
}

/// User or group.
pub fn principal_kind(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "User",
        PrincipalKind::Group => "Group",
    }
}

/// The page of an identity.
pub fn principal_href(principal: Principal) -> String {
    match principal {
        Principal::User(id) => format!("/console/users/{id}"),
        Principal::Group(id) => format!("/console/groups/{id}"),
    }
}

/// What ends.
pub fn expiry_kind(kind: expiry::Kind) -> &'static str {
    match kind {
        expiry::Kind::IdpCertificate => "A certificate of the identity provider",
        expiry::Kind::IdpMetadata => "The identity provider’s metadata",
        expiry::Kind::ServiceProviderKey => "A signing key towards the identity provider",
        expiry::Kind::IdentityProviderKey => "A signing key towards the accounts",
        expiry::Kind::EncryptionKey => "An encryption key",
        expiry::Kind::ScimToken => "A SCIM token",
    }
}

/// Something that ends soon, or has, as pages say it.
pub struct Ending {
    pub what: &'static str,
    pub href: &'static str,
    pub at: Timestamp,
    /// Whole days; negative when it is past.
    pub days: i64,
}

impl Ending {
    /// Those that are near, out of all that ends in a space.
    pub fn near(ends: Vec<expiry::End>, now: Timestamp) -> Vec<Self> {
        let near = ends.into_iter().filter(|end| end.is_near(now));
        near.map(|end| Self {
            what: expiry_kind(end.kind),
            href: match end.kind {
                expiry::Kind::IdpCertificate => "/console/settings/sso#certificates",
                expiry::Kind::IdpMetadata => "/console/settings/sso#provider",
                expiry::Kind::ServiceProviderKey
                | expiry::Kind::IdentityProviderKey
                | expiry::Kind::EncryptionKey => "/console/settings/sso/keys",
                expiry::Kind::ScimToken => "/console/settings/scim",
            },
            at: end.at,
            days: end.days_left(now),
        })
        .collect()
    }
}

/// What an event tells.
pub fn event_kind(kind: event::Kind) -> &'static str {
    match kind {
        event::Kind::Create => "User or group created",
        event::Kind::Patch => "Attributes changed",
        event::Kind::Answer => "Operations of asynchronous bulk requests",
        event::Kind::Membership => "Members joined or left",
        event::Kind::Delete => "User or group deleted",
        event::Kind::Activate => "User enabled",
        event::Kind::Deactivate => "User disabled",
        event::Kind::Expiry => "Certificates, keys and tokens that end soon",
        event::Kind::Verification => "Test",
    }
}

/// How the delivery of an event stands.
pub fn delivery(state: event::State) -> Badge {
    match state {
        event::State::Waiting => ("badge-busy", "Waiting"),
        event::State::Delivered => ("badge-good", "Delivered"),
        event::State::GivenUp => ("badge-bad", "Given up"),
    }
}

/// How an endpoint for events stands.
pub fn endpoint(endpoint: &event::Endpoint) -> Badge {
    match (endpoint.enabled, endpoint.failures) {
        (false, _) => ("", "Disabled"),
        (true, 0) => ("badge-good", "Enabled"),
        (true, _) => ("badge-bad", "Failing"),
    }
}

/// Preset or custom.
pub fn policy_kind(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Preset => "Preset",
        PolicyKind::Custom => "Custom",
    }
}

/// How a deployment stands.
pub fn deployment(status: DeploymentStatus) -> Badge {
    match status {
        DeploymentStatus::Deployed => ("badge-good", "Deployed"),
        DeploymentStatus::Outdated => ("badge-warn", "Outdated"),
        DeploymentStatus::Failed => ("badge-bad", "Failed"),
        DeploymentStatus::InProgress => ("badge-busy", "In progress"),
    }
}

/// How far an assignment is.
pub fn assignment(state: AssignmentState) -> Badge {
    match state {
        AssignmentState::Pending => ("badge-busy", "In progress"),
        AssignmentState::Active => ("badge-good", "Active"),
        AssignmentState::Failed => ("badge-bad", "Failed"),
        AssignmentState::Removing => ("badge-busy", "Being removed"),
    }
}

/// How far something that a user can reach is.
pub fn reach(state: ReachState) -> Badge {
    match state {
        ReachState::Deployed => ("badge-good", "Ready"),
        ReachState::Pending => ("badge-busy", "In progress"),
        ReachState::Failed => ("badge-bad", "Failed"),
    }
}

/// What a task does.
pub fn task_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::ProvisionConfiguration => "Deploy configuration",
        Kind::DeprovisionConfiguration => "Undeploy configuration",
        Kind::CreateAssignment => "Create assignment",
        Kind::DeleteAssignment => "Remove assignment",
        Kind::StartUserSync => "Start user sync",
        Kind::DeleteUserSync => "End user sync",
        Kind::RefreshProvider => "Make new keys known",
        Kind::DetectDrift => "Look for drift",
    }
}

/// How far a task is.
pub fn task_state(state: State) -> Badge {
    match state {
        State::Ready => ("badge-busy", "Waiting"),
        State::Running => ("badge-busy", "In progress"),
        State::Success => ("badge-good", "Done"),
        State::Failed => ("badge-bad", "Failed"),
    }
}

/// A span of whole seconds in the words people use.
pub fn duration(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut words = Vec::new();
    for (count, unit) in [(hours, "h"), (minutes, "min"), (rest, "s")] {
        if count > 0 {
            words.push(format!("{count} {unit}"));
        }
    }
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}

/// Microseconds in milliseconds, to a tenth.
pub fn milliseconds(microseconds: i64) -> String {
    format!("{}.{} ms", microseconds / 1000, microseconds / 100 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reads_well() {
        assert_eq!(duration(3600), "1 h");
        assert_eq!(duration(5400), "1 h 30 min");
        assert_eq!(duration(905), "15 min 5 s");
        assert_eq!(duration(0), "0 s");
    }
}
