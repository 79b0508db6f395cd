//! The words pages use for what the rooms know by code, and the colour of each state.

use crate::{
    access::ReachState,
    directory::Source,
    event, expiry,
    id::{Principal, PrincipalKind},
    permission::{AssignmentState, DeploymentStatus, PolicyKind},
    store::Timestamp,
    task::{Kind, State},
    web::messages::Message,
};

/// A state: the class of its badge, and its word.
pub type Badge = (&'static str, Message);

/// Who made a user or a group.
pub fn source(source: Source) -> Message {
    match source {
        Source::Manual => key!("source-manual"),
        Source::Scim => key!("source-scim"),
    }
}

/// User or group.
pub fn principal_kind(kind: PrincipalKind) -> Message {
    match kind {
        PrincipalKind::User => key!("identity-user"),
        PrincipalKind::Group => key!("identity-group"),
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
pub fn expiry_kind(kind: expiry::Kind) -> Message {
    match kind {
        expiry::Kind::IdpCertificate => key!("expiry-idp-certificate"),
        expiry::Kind::IdpMetadata => key!("expiry-idp-metadata"),
        expiry::Kind::ServiceProviderKey => key!("expiry-sp-key"),
        expiry::Kind::IdentityProviderKey => key!("expiry-idp-key"),
        expiry::Kind::EncryptionKey => key!("expiry-encryption-key"),
        expiry::Kind::ScimToken => key!("expiry-scim-token"),
        expiry::Kind::TlsCertificate => key!("expiry-tls"),
    }
}

/// Something that ends soon, or has, as pages say it.
pub struct Ending {
    pub what: Message,
    pub href: &'static str,
    pub at: Timestamp,
    /// Whole days; negative when it is past.
    pub days: i64,
}

impl Ending {
    /// Those that are near, out of all that ends.
    pub fn near(ends: Vec<expiry::End>, now: Timestamp) -> Vec<Self> {
        let near = ends.into_iter().filter(|end| end.is_near(now));
        near.map(|end| Self::of(&end, now)).collect()
    }

    /// This one. The server's own certificate is set in its settings, on no page.
    pub fn of(end: &expiry::End, now: Timestamp) -> Self {
        Self {
            what: expiry_kind(end.kind),
            href: match end.kind {
                expiry::Kind::IdpCertificate => "/console/settings/sso#certificates",
                expiry::Kind::IdpMetadata => "/console/settings/sso#provider",
                expiry::Kind::ServiceProviderKey
                | expiry::Kind::IdentityProviderKey
                | expiry::Kind::EncryptionKey => "/console/settings/sso/keys",
                expiry::Kind::ScimToken => "/console/settings/scim",
                expiry::Kind::TlsCertificate => "/console/expiring",
            },
            at: end.at,
            days: end.days_left(now),
        }
    }
}

/// What an event tells.
pub fn event_kind(kind: event::Kind) -> Message {
    match kind {
        event::Kind::Create => key!("event-create"),
        event::Kind::Patch => key!("event-patch"),
        event::Kind::Answer => key!("event-answer"),
        event::Kind::Membership => key!("event-membership"),
        event::Kind::Delete => key!("event-delete"),
        event::Kind::Activate => key!("event-activate"),
        event::Kind::Deactivate => key!("event-deactivate"),
        event::Kind::Expiry => key!("event-expiry"),
        event::Kind::Alarm => key!("event-alarm"),
        event::Kind::Verification => key!("event-verification"),
    }
}

/// How the delivery of an event stands.
pub fn delivery(state: event::State) -> Badge {
    match state {
        event::State::Waiting => ("badge-busy", key!("state-waiting")),
        event::State::Delivered => ("badge-good", key!("delivery-delivered")),
        event::State::GivenUp => ("badge-bad", key!("delivery-given-up")),
    }
}

/// How an endpoint for events stands.
pub fn endpoint(endpoint: &event::Endpoint) -> Badge {
    match (endpoint.enabled, endpoint.failures) {
        (false, _) => ("", key!("state-disabled")),
        (true, 0) => ("badge-good", key!("state-enabled")),
        (true, _) => ("badge-bad", key!("state-failing")),
    }
}

/// Preset or custom.
pub fn policy_kind(kind: PolicyKind) -> Message {
    match kind {
        PolicyKind::Preset => key!("policy-preset"),
        PolicyKind::Custom => key!("policy-custom"),
    }
}

/// How a deployment stands.
pub fn deployment(status: DeploymentStatus) -> Badge {
    match status {
        DeploymentStatus::Deployed => ("badge-good", key!("deployment-deployed")),
        DeploymentStatus::Outdated => ("badge-warn", key!("deployment-outdated")),
        DeploymentStatus::Failed => ("badge-bad", key!("state-failed")),
        DeploymentStatus::InProgress => ("badge-busy", key!("state-in-progress")),
    }
}

/// How far an assignment is.
pub fn assignment(state: AssignmentState) -> Badge {
    match state {
        AssignmentState::Pending => ("badge-busy", key!("state-in-progress")),
        AssignmentState::Active => ("badge-good", key!("assignment-active")),
        AssignmentState::Failed => ("badge-bad", key!("state-failed")),
        AssignmentState::Removing => ("badge-busy", key!("assignment-removing")),
    }
}

/// How far a user sync is.
pub fn user_sync(state: AssignmentState) -> Badge {
    match state {
        AssignmentState::Active => ("badge-good", key!("state-enabled")),
        AssignmentState::Pending | AssignmentState::Failed | AssignmentState::Removing => {
            assignment(state)
        }
    }
}

/// How far something that a user can reach is.
pub fn reach(state: ReachState) -> Badge {
    match state {
        ReachState::Deployed => ("badge-good", key!("reach-ready")),
        ReachState::Pending => ("badge-busy", key!("state-in-progress")),
        ReachState::Failed => ("badge-bad", key!("state-failed")),
    }
}

/// What a task does.
pub fn task_kind(kind: Kind) -> Message {
    match kind {
        Kind::ProvisionConfiguration => key!("task-deploy"),
        Kind::DeprovisionConfiguration => key!("task-undeploy"),
        Kind::CreateAssignment => key!("task-create-assignment"),
        Kind::DeleteAssignment => key!("task-remove-assignment"),
        Kind::StartUserSync => key!("task-start-sync"),
        Kind::DeleteUserSync => key!("task-end-sync"),
        Kind::RefreshProvider => key!("task-refresh-provider"),
        Kind::DetectDrift => key!("task-detect-drift"),
    }
}

/// How far a task is.
pub fn task_state(state: State) -> Badge {
    match state {
        State::Ready => ("badge-busy", key!("state-waiting")),
        State::Running => ("badge-busy", key!("state-in-progress")),
        State::Success => ("badge-good", key!("state-done")),
        State::Failed => ("badge-bad", key!("state-failed")),
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
