//! What people are told of a failure: the message of its kind in their language. Failures of ours
//! are told as such; their causes are for the log.

use super::Fault;
use crate::{
    cam,
    cloud::{self, management},
    credential, directory, event, organization, permission, provisioning, request,
    saml::{
        certificate::CertificateError,
        metadata::{MAXIMUM_CERTIFICATES, MetadataError},
    },
    space, sso, task,
    web::messages::Message,
};

/// The message of a failure.
pub(super) fn told(fault: &Fault) -> String {
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
        Fault::Cloud(error) => cloud(error),
        Fault::Management(error) => management(error),
        Fault::Sts(_)
        | Fault::Store(_)
        | Fault::Secret(_)
        | Fault::Session(_)
        | Fault::Internal(_) => ours(),
    }
}

/// A failure of ours.
fn ours() -> String {
    t!("problem-internal-about")
}

fn organization(error: &organization::Error) -> String {
    use organization::Error as E;
    match error {
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
        E::DepartmentNotEmpty => t!("error-department-not-empty"),
        E::RootStays => t!("error-root-stays"),
        E::ManagementAccountStaysAtTheRoot => t!("error-management-stays-at-root"),
        E::CountInvalid { limit, .. } => t!("error-count", most = limit),
        E::OtherCloudNumberInvalid => t!("error-cloud-number"),
        E::OtherCloudNumberTaken => t!("error-cloud-number-taken"),
        E::OtherCloudRegionInvalid => t!("error-cloud-region"),
        E::Secret(_) | E::Store(_) => ours(),
    }
}

fn space(error: &space::Error) -> String {
    use space::Error as E;
    match error {
        E::NameInvalid => t!("error-space-name"),
        E::NameTaken => t!("error-space-taken"),
        E::AlreadyOpen => t!("error-space-open"),
        E::NotOpen => t!("error-space-not-open"),
        E::TooManyKeys => t!("error-too-many-keys", most = space::MAXIMUM_ENCRYPTION_KEYS),
        E::KeyPrepared => t!("error-key-prepared"),
        E::KeyInUse => t!("error-key-in-use"),
        E::KeyNotFound => t!("error-no-key"),
        E::OrganizationNotOpen => t!("error-organization-not-open"),
        E::OutOfRange { field, least, most, .. } => {
            t!("error-out-of-range", setting = setting(field), least = least, most = most)
        }
        E::TooManyNetworks => t!("error-too-many-networks", most = space::MOST_NETWORKS),
        E::NetworksInvalid(misread) => t!("error-networks", entries = misread.entries()),
        E::Key(error) => t!("error-certificate", why = certificate(error)),
        E::Secret(_) | E::Store(_) => ours(),
    }
}

fn directory(error: &directory::Error) -> String {
    use directory::Error as E;
    match error {
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
        E::UserCountInvalid(_) => t!("error-user-count", most = directory::MOST_USERS_PER_CALL),
        E::NothingMade(refused) => {
            let each = |one: &directory::Refused| {
                t!("error-row", row = one.place + 1, why = directory(&one.error))
            };
            refused.iter().map(each).collect::<Vec<_>>().join(" ")
        }
        E::InUse(blockers) => {
            let steps = [
                (blockers.groups, key!("step-groups")),
                (blockers.members, key!("step-members")),
                (blockers.held.assignments, key!("step-assignments")),
                (blockers.held.user_syncs, key!("step-syncs")),
            ];
            t!("error-in-use", steps = counted(&steps))
        }
        E::TooManyToAdopt => t!("error-too-many-to-adopt", most = directory::MAX_ADOPTED),
        E::Store(_) => ours(),
    }
}

fn credential(error: &credential::Error) -> String {
    use credential::Error as E;
    match error {
        E::TooMany => t!("error-too-many-tokens", most = credential::MAX_TOKENS),
        E::NotFound => t!("error-no-token"),
        E::Lifetime => t!("error-token-lifetime"),
        E::Secret(_) | E::Store(_) => ours(),
    }
}

fn event(error: &event::Error) -> String {
    use event::Error as E;
    match error {
        E::NoKind => t!("error-no-kind"),
        E::TooMany => t!("error-too-many-endpoints", most = event::MAX_ENDPOINTS),
        E::EndpointNotFound => t!("error-no-endpoint"),
        E::EventNotFound => t!("error-no-event"),
        E::Disabled => t!("error-endpoint-disabled"),
        E::UrlInvalid(_) => t!("error-url"),
        E::Secret(_) | E::Store(_) => ours(),
    }
}

fn permission(error: &permission::Error) -> String {
    use permission::Error as E;
    match error {
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
        E::ConfigurationInUse(blockers) => {
            let held = [
                (blockers.deployments, key!("held-deployments")),
                (blockers.assignments, key!("held-assignments")),
                (blockers.policies, key!("held-policies")),
            ];
            t!("error-configuration-in-use", held = counted(&held))
        }
        E::TooManyPresets => t!("error-too-many-presets", most = permission::MOST_POLICIES),
        E::DocumentInvalid { name, line, cause } => {
            t!("error-document", name = name, line = line, field = cause.to_string())
        }
        E::OperatorUnknown { name, line, place } => {
            t!("error-operator", name = name, line = line, place = place)
        }
        E::AssignmentCountInvalid { limit, .. } => t!("error-count", most = limit),
        E::Unknown(_) => t!("error-batch-unknown"),
        E::Store(_) => ours(),
    }
}

fn of_task(error: &task::Error) -> String {
    use task::Error as E;
    match error {
        E::NotFound => t!("error-no-task"),
        E::NotFailed => t!("error-task-not-failed"),
        E::Store(_) => ours(),
    }
}

fn sso(error: &sso::Error) -> String {
    use sso::Error as E;
    match error {
        E::SwitchedOff => t!("error-sso-off"),
        E::NotConfigured => t!("error-sso-unset"),
        E::NoPost => t!("error-sso-no-post"),
        E::IdentityAttribute => t!("error-sso-attribute"),
        E::AuthnContexts => t!("error-sso-contexts"),
        E::DevelopmentKey => t!("error-development-key"),
        E::Metadata(error) => metadata(error),
        E::Certificate(error) => t!("error-certificate", why = certificate(error)),
        E::Provider(error) => provider(error),
        E::Key(error) => space(error),
        E::TestNotFound => t!("sso-no-test"),
        E::Interrupted | E::Request(_) | E::Secret(_) | E::Store(_) => ours(),
    }
}

fn provider(error: &sso::ProviderError) -> String {
    use sso::ProviderError as E;
    match error {
        E::CertificateKnown => t!("error-certificate-known"),
        E::LastCertificate => t!("error-last-certificate"),
        E::CertificateNotFound => t!("error-no-certificate"),
        E::StillOn => t!("error-still-on"),
        E::ProposalNotFound => t!("error-no-proposal"),
        E::NoSource => t!("error-no-source"),
        E::PinNeeded => t!("error-pin-needed"),
        E::TooManyPins => t!("error-too-many-pins"),
        E::ChangedMeanwhile => t!("error-changed-meanwhile"),
        E::TooManyCertificates => {
            t!("error-too-many-certificates", most = MAXIMUM_CERTIFICATES)
        }
        E::LookedAtJustNow => t!("error-looked-at-just-now"),
        E::Pin(error) => t!("error-certificate", why = certificate(error)),
    }
}

fn provisioning(error: &provisioning::Error) -> String {
    use provisioning::Error as E;
    match error {
        E::UserSyncsExist => t!("error-syncs-exist"),
        E::UserSyncNotFound => t!("error-no-sync"),
        E::ConflictPolicyStays => t!("error-conflict-policy"),
        E::ManualStepNotFound => t!("error-no-step"),
        E::ManualStepChanged => t!("error-step-changed"),
        E::Task(error) => of_task(error),
        E::Space(error) => space(error),
        E::Permission(error) => permission(error),
        E::UserSyncCountInvalid { limit, count: _ } => t!("error-count", most = limit),
        E::Unknown(_) => t!("error-batch-unknown"),
        E::DescriptionInvalid => t!("error-description"),
        E::KeyNotKnown(accounts) => t!("error-key-not-known", count = accounts),
        E::Store(_) => ours(),
    }
}

fn request(error: &request::Error) -> String {
    use request::Error as E;
    match error {
        E::ScopeNotFound => t!("error-no-scope"),
        E::DurationInvalid => t!("error-request-duration"),
        E::Exists => t!("error-request-exists"),
        E::TooMany => t!("error-request-too-many", most = request::MOST_PENDING),
        E::TooOften => t!("error-request-too-often", most = request::MOST_A_DAY),
        E::NotFound => t!("error-no-request"),
        E::NotPending => t!("error-request-not-pending"),
        E::Own => t!("error-request-own"),
        E::UserGone => t!("error-request-user-gone"),
        E::Permission(error) => permission(error),
        E::Directory(error) => directory(error),
        E::ScopeCountInvalid => t!("error-count", most = request::MOST_SCOPES_PER_CALL),
        E::ConfigurationsInvalid => {
            t!("error-request-configurations", most = request::MOST_CONFIGURATIONS)
        }
        E::ReasonInvalid => t!("error-request-reason", most = request::LONGEST_TEXT),
        E::OpinionInvalid => t!("error-request-opinion", most = request::LONGEST_TEXT),
        E::Store(_) => ours(),
    }
}

fn metadata(error: &MetadataError) -> String {
    use MetadataError as E;
    match error {
        E::WebPage => t!("error-metadata-page"),
        E::Utf16 => t!("error-metadata-utf16"),
        E::Xml(error) => t!("error-metadata-xml", detail = error.to_string()),
        E::NotMetadata(root) => t!("error-metadata-root", element = root),
        E::Signature(error) => t!("error-metadata-signature", detail = error.to_string()),
        E::ServiceProvider => t!("error-metadata-sp"),
        E::NoIdentityProvider => t!("error-metadata-no-idp"),
        E::SeveralIdentityProviders => t!("error-metadata-several"),
        E::DoubledIdentityProvider => t!("error-metadata-doubled"),
        E::NotAmongThem => t!("error-metadata-not-among"),
        E::EntityId => t!("error-metadata-entity-id"),
        E::Expired(at) => t!("error-metadata-expired", at = at.to_string()),
        E::ValidUntil => t!("error-metadata-valid-until"),
        E::NoSingleSignOn => t!("error-metadata-no-sso"),
        E::Endpoint(address) => t!("error-metadata-endpoint", address = address),
        E::NoSigningCertificate => t!("error-metadata-no-certificate"),
        E::TooManyCertificates => t!("error-metadata-many-certificates"),
        E::Certificate { number, problem } => {
            t!("error-metadata-certificate", number = number, why = certificate(problem))
        }
    }
}

fn certificate(error: &CertificateError) -> String {
    use CertificateError as E;
    match error {
        E::Malformed => t!("certificate-malformed"),
        E::SeveralCertificates => t!("certificate-several"),
        E::WeakKey { bits } => t!("certificate-weak", bits = bits),
        E::UnsupportedKey => t!("certificate-key-type"),
        E::MalformedKey => t!("certificate-key-malformed"),
        E::KeyMismatch => t!("certificate-key-mismatch"),
        E::Library => ours(),
    }
}

fn cloud(error: &cloud::Error) -> String {
    use cloud::Error as E;
    match error {
        E::Cam(error) => cam(error),
        E::Organization(error) => organization(error),
        E::Space(error) => space(error),
        E::AccountNotFound => t!("error-no-account"),
        E::UserNotFound => t!("error-no-cam-user"),
        E::UserNameTaken => t!("error-cam-user-taken"),
        E::UserNameInvalid => t!("error-cam-user-name"),
        E::PolicyNotFound => t!("error-no-cam-policy"),
        E::TokenInvalid | E::TokenExpired => t!("error-credentials-ended"),
        E::Interrupted | E::Password | E::Secret(_) | E::Store(_) => ours(),
    }
}

/// What an account answered.
fn cam(error: &cam::Error) -> String {
    use cam::Error as E;
    match error {
        E::Denied(why) => t!("reason-denied", why = why),
        E::NameClash { kind, name } => t!("reason-name-clash", thing = format!("{kind} {name}")),
        E::NotFound { kind, name } => t!("reason-not-found", thing = format!("{kind} {name}")),
        E::Limit(what) => t!("reason-limit", what = what),
        E::Invalid(what) => t!("reason-invalid", what = what),
        E::Unavailable(why) => t!("reason-unavailable", why = why),
    }
}

/// Pages are about one's own access keys only; the rest an API alone can meet.
fn management(error: &management::Error) -> String {
    use management::Error as E;
    match error {
        E::DescriptionTooLong => t!("error-key-description"),
        E::KeyNotFound => t!("error-no-access-key"),
        E::TooManyKeys => t!("error-too-many-access-keys"),
        E::PasswordWeak => t!("error-password-weak"),
        E::Cloud(error) => cloud(error),
        E::Metadata(error) => metadata(error),
        E::Store(_) => ours(),
        E::Locked(_)
        | E::BuiltIn
        | E::Preset
        | E::NameInvalid(_)
        | E::NameReserved(_)
        | E::NameTaken(_)
        | E::NotFound(_)
        | E::Unnamed(_)
        | E::TooMany(_)
        | E::TooManyAttached
        | E::TooManyAtOnce
        | E::Document(_)
        | E::UnknownOperator(_)
        | E::ForeignProvider
        | E::IsBoundary
        | E::SessionDuration
        | E::TagInvalid(_)
        | E::TagTwice(_)
        | E::TooManyTags
        | E::ContactInvalid(_)
        | E::HasKeys
        | E::RootsKeys
        | E::MetadataTooLong
        | E::UnknownService
        | E::DeletionNotFound => t!("error-account-refuses"),
    }
}

/// A setting of SCIM, by the name of its field.
fn setting(field: &str) -> Message {
    match field {
        "brake_users" => key!("setting-brake-users"),
        "brake_percent" => key!("setting-brake-percent"),
        "brake_window" => key!("setting-brake-window"),
        "record_days" => key!("setting-record-days"),
        _ => key!("setting-record-megabytes"),
    }
}

/// Those of which there are any, with how many.
fn counted(all: &[(i64, Message)]) -> String {
    let present = all.iter().filter(|(count, _)| *count > 0);
    present.map(|(count, what)| format!("{what} ({count})")).collect::<Vec<_>>().join(", ")
}
