//! What people are told of a failure: the message of its kind in their language, or the words of
//! the room in English where no catalogue has one.

use super::Fault;
use crate::{
    credential, directory, event, organization, permission, provisioning, request,
    saml::metadata::MetadataError, space, sso, task,
};

/// The message of a failure that is for people, if there is one.
pub(super) fn told(fault: &Fault) -> Option<String> {
    match fault {
        Fault::Organization(error) => organization(error),
        Fault::Space(error) => space(error),
        Fault::Directory(error) => directory(error),
        Fault::Credential(error) => credential(error),
        Fault::Event(error) => event(error),
        Fault::Permission(error) => permission(error),
        Fault::Task(error) => of_task(error),
        Fault::Sso(error) => sso(error),
        Fault::Provisioning(error) => provisioning(error),
        Fault::Request(error) => request(error),
        _ => None,
    }
}

fn organization(error: &organization::Error) -> Option<String> {
    use organization::Error as E;
    Some(match error {
        E::NameInvalid => t!("error-organization-name"),
        E::NameTaken => t!("error-organization-taken"),
        E::DepartmentNameInvalid => t!("error-department-name"),
        E::DepartmentNameTaken => t!("error-department-taken"),
        E::DepartmentNotFound => t!("error-no-department"),
        E::TooDeep(levels) => t!("error-too-deep", levels = levels),
        E::MemberNameInvalid => t!("error-member-name"),
        E::MemberNameTaken => t!("error-member-taken"),
        E::RemarkTooLong => t!("error-remark"),
        E::AccountNotFound => t!("error-no-account"),
        E::ManagementAccountStays => t!("error-management-stays"),
        E::AccountInUse => t!("error-account-in-use"),
        _ => return None,
    })
}

fn space(error: &space::Error) -> Option<String> {
    use space::Error as E;
    Some(match error {
        E::NameInvalid => t!("error-space-name"),
        E::NameTaken => t!("error-space-taken"),
        E::AlreadyOpen => t!("error-space-open"),
        E::NotOpen => t!("error-space-not-open"),
        E::TooManyKeys => t!("error-too-many-keys", most = space::MAXIMUM_ENCRYPTION_KEYS),
        E::KeyPrepared => t!("error-key-prepared"),
        E::KeyInUse => t!("error-key-in-use"),
        E::KeyNotFound => t!("error-no-key"),
        _ => return None,
    })
}

fn directory(error: &directory::Error) -> Option<String> {
    use directory::Error as E;
    Some(match error {
        E::UserNameInvalid => t!("error-user-name"),
        E::UserNameTaken => t!("error-user-taken"),
        E::EmailInvalid => t!("error-email"),
        E::EmailTaken => t!("error-email-taken"),
        E::UserNotFound => t!("error-no-user"),
        E::TooManyUsers { limit, .. } => t!("error-too-many-users", most = limit),
        E::GroupNameInvalid => t!("error-group-name"),
        E::GroupNameTaken => t!("error-group-taken"),
        E::GroupNotFound => t!("error-no-group"),
        E::TooManyGroups { limit, .. } => t!("error-too-many-groups", most = limit),
        E::TooManyMembers { limit, .. } => t!("error-too-many-members", most = limit),
        E::TooManyMemberships { limit, .. } => t!("error-too-many-memberships", most = limit),
        E::AlreadyMember => t!("error-already-member"),
        E::NotMember => t!("error-not-member"),
        E::SourcesDiffer => t!("error-sources-differ"),
        E::GroupManagedByScim => t!("error-group-scim"),
        E::UserManagedByScim => t!("error-user-scim"),
        E::AdoptedAlready => t!("error-adopted-already"),
        E::AdoptionChanged => t!("error-adoption-changed"),
        E::FieldInvalid { field, longest } => {
            t!("error-field-invalid", field = field, longest = longest)
        }
        _ => return None,
    })
}

fn credential(error: &credential::Error) -> Option<String> {
    use credential::Error as E;
    Some(match error {
        E::TooMany => t!("error-too-many-tokens", most = credential::MAX_TOKENS),
        E::NotFound => t!("error-no-token"),
        _ => return None,
    })
}

fn event(error: &event::Error) -> Option<String> {
    use event::Error as E;
    Some(match error {
        E::NoKind => t!("error-no-kind"),
        E::TooMany => t!("error-too-many-endpoints", most = event::MAX_ENDPOINTS),
        E::EndpointNotFound => t!("error-no-endpoint"),
        E::EventNotFound => t!("error-no-event"),
        E::Disabled => t!("error-endpoint-disabled"),
        _ => return None,
    })
}

fn permission(error: &permission::Error) -> Option<String> {
    use permission::Error as E;
    Some(match error {
        E::NameInvalid => t!("error-configuration-name"),
        E::NameTaken => t!("error-configuration-taken"),
        E::DescriptionInvalid => t!("error-description"),
        E::SessionDurationInvalid => t!("error-session-duration"),
        E::RelayStateInvalid => t!("error-relay-state"),
        E::TooManyConfigurations(most) => t!("error-too-many-configurations", most = most),
        E::ConfigurationNotFound => t!("error-no-configuration"),
        E::PolicyCountInvalid => t!("error-policy-count"),
        E::PolicyNameInvalid => t!("error-policy-name"),
        E::PolicyNotFound(name) => t!("error-no-policy", name = name),
        E::PolicyNotBound => t!("error-policy-not-bound"),
        E::PolicyTaken(name) => t!("error-policy-taken", name = name),
        E::TooManyCustomPolicies(most) => t!("error-too-many-custom", most = most),
        E::DocumentEmpty => t!("error-document-empty"),
        E::DocumentTooLong => t!("error-document-long"),
        E::PolicyIsPreset(name) => t!("error-policy-is-preset", name = name),
        E::AssignmentsExist => t!("error-assignments-exist"),
        E::TooManyAssignments(most) => t!("error-too-many-assignments", most = most),
        E::AssignmentNotFound => t!("error-no-assignment"),
        E::DeploymentNotFound => t!("error-not-deployed"),
        E::DeploymentBusy => t!("error-deployment-busy"),
        E::DeploymentInUse => t!("error-deployment-in-use"),
        _ => return None,
    })
}

fn of_task(error: &task::Error) -> Option<String> {
    use task::Error as E;
    Some(match error {
        E::NotFound => t!("error-no-task"),
        E::NotFailed => t!("error-task-not-failed"),
        _ => return None,
    })
}

fn sso(error: &sso::Error) -> Option<String> {
    use sso::Error as E;
    Some(match error {
        E::SwitchedOff => t!("error-sso-off"),
        E::NotConfigured => t!("error-sso-unset"),
        E::NoPost => t!("error-sso-no-post"),
        E::IdentityAttribute => t!("error-sso-attribute"),
        E::AuthnContexts => t!("error-sso-contexts"),
        E::DevelopmentKey => t!("error-development-key"),
        E::Metadata(MetadataError::WebPage) => t!("error-metadata-page"),
        E::Metadata(MetadataError::ServiceProvider) => t!("error-metadata-sp"),
        E::Metadata(MetadataError::NoIdentityProvider) => t!("error-metadata-no-idp"),
        E::Metadata(MetadataError::EntityId) => t!("error-metadata-entity-id"),
        E::Metadata(MetadataError::NoSingleSignOn) => t!("error-metadata-no-sso"),
        E::Metadata(MetadataError::NoSigningCertificate) => t!("error-metadata-no-certificate"),
        E::Metadata(error) => t!("error-metadata", why = error.to_string()),
        E::Certificate(error) => t!("error-certificate", why = error.to_string()),
        E::Provider(error) => return provider(error),
        E::Key(error) => return space(error),
        _ => return None,
    })
}

fn provider(error: &sso::ProviderError) -> Option<String> {
    use sso::ProviderError as E;
    Some(match error {
        E::CertificateKnown => t!("error-certificate-known"),
        E::LastCertificate => t!("error-last-certificate"),
        E::CertificateNotFound => t!("error-no-certificate"),
        E::StillOn => t!("error-still-on"),
        E::ProposalNotFound => t!("error-no-proposal"),
        E::NoSource => t!("error-no-source"),
        E::PinNeeded => t!("error-pin-needed"),
        E::TooManyPins => t!("error-too-many-pins"),
        E::ChangedMeanwhile => t!("error-changed-meanwhile"),
        _ => return None,
    })
}

fn provisioning(error: &provisioning::Error) -> Option<String> {
    use provisioning::Error as E;
    Some(match error {
        E::UserSyncsExist => t!("error-syncs-exist"),
        E::UserSyncNotFound => t!("error-no-sync"),
        E::ConflictPolicyStays => t!("error-conflict-policy"),
        E::ManualStepNotFound => t!("error-no-step"),
        E::ManualStepChanged => t!("error-step-changed"),
        E::Task(error) => return of_task(error),
        E::Space(error) => return space(error),
        E::Permission(error) => return permission(error),
        _ => return None,
    })
}

fn request(error: &request::Error) -> Option<String> {
    use request::Error as E;
    Some(match error {
        E::ScopeNotFound => t!("error-no-scope"),
        E::DurationInvalid => t!("error-request-duration"),
        E::Exists => t!("error-request-exists"),
        E::TooMany => t!("error-request-too-many", most = request::MOST_PENDING),
        E::TooOften => t!("error-request-too-often", most = request::MOST_A_DAY),
        E::NotFound => t!("error-no-request"),
        E::NotPending => t!("error-request-not-pending"),
        E::Own => t!("error-request-own"),
        E::UserGone => t!("error-request-user-gone"),
        E::Permission(error) => return permission(error),
        E::Directory(error) => return directory(error),
        _ => return None,
    })
}
