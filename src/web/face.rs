//! How a page shows each failure: at a field of the form, as a sentence, or as a failure of ours.

use super::Fault;
use crate::{
    cam,
    cloud::{self, management},
    credential, directory, event, organization, permission, provisioning, request,
    saml::metadata::MetadataError,
    space, sso, store, task,
};

/// How a failure is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// At the field of this name; the error's words are for people.
    Field(&'static str),
    /// There is no such thing; the error's words are for people.
    NotFound,
    /// Not as things are; the error's words are for people.
    Refused,
    /// What was sent is nothing that could ever be: text with NUL in it.
    Malformed,
    /// Our failure: its words are for the log only.
    Internal,
}

impl Face {
    /// The face of a failure.
    pub fn of(fault: &Fault) -> Self {
        match fault {
            Fault::Organization(error) => organization(error),
            Fault::Space(error) => space(error),
            Fault::Directory(error) => directory(error),
            Fault::Credential(error) => credential(error),
            Fault::Event(error) => event(error),
            Fault::Permission(error) => permission(error),
            Fault::Sso(error) => sso(error),
            Fault::Cloud(error) => cloud(error),
            Fault::Provisioning(error) => provisioning(error),
            Fault::Request(error) => request(error),
            Fault::Management(error) => management(error),
            // No page is about these: the API has its own words for them.
            Fault::Sts(_) => Self::Refused,
            Fault::Task(error) => of_task(error),
            Fault::Store(error) => store(error),
            Fault::Secret(_) | Fault::Session(_) | Fault::Internal(_) => Self::Internal,
        }
    }
}

fn store(error: &store::Error) -> Face {
    use store::Error as E;
    match error {
        E::Nul => Face::Malformed,
        E::Conflict(_)
        | E::Busy
        | E::NestedWrite
        | E::Lost
        | E::Overtaken
        | E::Corrupt { .. }
        | E::Migrate(_)
        | E::UnknownScheme
        | E::Database(_) => Face::Internal,
    }
}

/// Pages are about one's own access keys only.
fn management(error: &management::Error) -> Face {
    use management::Error as E;
    match error {
        E::DescriptionTooLong => Face::Field("description"),
        E::KeyNotFound => Face::NotFound,
        E::Cloud(error) => cloud(error),
        E::Store(error) => store(error),
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
        | E::PasswordWeak
        | E::ContactInvalid(_)
        | E::HasKeys
        | E::TooManyKeys
        | E::RootsKeys
        | E::Metadata(_)
        | E::MetadataTooLong
        | E::UnknownService
        | E::DeletionNotFound => Face::Refused,
    }
}

fn organization(error: &organization::Error) -> Face {
    use organization::Error as E;
    match error {
        E::NameInvalid
        | E::NameTaken
        | E::DepartmentNameInvalid
        | E::DepartmentNameTaken
        | E::MemberNameInvalid
        | E::MemberNameTaken => Face::Field("name"),
        E::RemarkTooLong => Face::Field("remark"),
        E::DepartmentNotFound | E::AccountNotFound => Face::NotFound,
        E::OtherCloudNumberInvalid | E::OtherCloudNumberTaken => Face::Field("number"),
        E::OtherCloudRegionInvalid => Face::Field("region"),
        E::TooDeep(_)
        | E::ManagementAccountStays
        | E::ManagementAccountStaysAtTheRoot
        | E::RootStays
        | E::DepartmentNotEmpty
        | E::CountInvalid { .. }
        | E::AccountInUse => Face::Refused,
        E::Secret(_) => Face::Internal,
        E::Store(error) => store(error),
    }
}

fn space(error: &space::Error) -> Face {
    use space::Error as E;
    match error {
        E::NameInvalid | E::NameTaken => Face::Field("name"),
        E::OutOfRange { field, .. } => Face::Field(field),
        E::TooManyNetworks | E::NetworksInvalid(_) => Face::Field("networks"),
        E::AlreadyOpen
        | E::NotOpen
        | E::OrganizationNotOpen
        | E::TooManyKeys
        | E::KeyPrepared
        | E::KeyInUse => Face::Refused,
        E::KeyNotFound => Face::NotFound,
        E::Key(_) | E::Secret(_) => Face::Internal,
        E::Store(error) => store(error),
    }
}

fn directory(error: &directory::Error) -> Face {
    use directory::Error as E;
    match error {
        E::UserNameInvalid | E::UserNameTaken => Face::Field("user_name"),
        E::FieldInvalid { field, .. } => Face::Field(field),
        E::EmailInvalid | E::EmailTaken => Face::Field("email"),
        E::GroupNameInvalid | E::GroupNameTaken => Face::Field("name"),
        E::UserNotFound | E::GroupNotFound => Face::NotFound,
        E::TooManyUsers { .. }
        | E::UserCountInvalid(_)
        | E::NothingMade(_)
        | E::TooManyGroups { .. }
        | E::TooManyMembers { .. }
        | E::TooManyMemberships { .. }
        | E::AlreadyMember
        | E::NotMember
        | E::SourcesDiffer
        | E::UserManagedByScim
        | E::InUse(_)
        | E::AdoptedAlready
        | E::TooManyToAdopt
        | E::AdoptionChanged
        | E::GroupManagedByScim => Face::Refused,
        E::Store(error) => store(error),
    }
}

fn credential(error: &credential::Error) -> Face {
    use credential::Error as E;
    match error {
        E::TooMany => Face::Refused,
        E::Lifetime => Face::Field("days"),
        E::NotFound => Face::NotFound,
        E::Secret(_) => Face::Internal,
        E::Store(error) => store(error),
    }
}

fn event(error: &event::Error) -> Face {
    use event::Error as E;
    match error {
        E::UrlInvalid(_) => Face::Field("url"),
        E::NoKind => Face::Field("kinds"),
        E::TooMany | E::Disabled => Face::Refused,
        E::EndpointNotFound | E::EventNotFound => Face::NotFound,
        E::Secret(_) => Face::Internal,
        E::Store(error) => store(error),
    }
}

fn sso(error: &sso::Error) -> Face {
    use sso::Error as E;
    match error {
        E::Metadata(MetadataError::EntityId) => Face::Field("entity_id"),
        E::Metadata(MetadataError::Endpoint(_)) => Face::Field("login_url"),
        E::Metadata(_) => Face::Field("metadata"),
        E::AuthnContexts => Face::Field("authn_contexts"),
        E::Certificate(_) | E::DevelopmentKey => Face::Field("certificate"),
        E::IdentityAttribute => Face::Field("identity_attribute"),
        E::TestNotFound => Face::NotFound,
        E::SwitchedOff | E::NotConfigured | E::NoPost => Face::Refused,
        E::Provider(error) => provider(error),
        E::Key(error) => space(error),
        E::Interrupted | E::Request(_) | E::Secret(_) => Face::Internal,
        E::Store(error) => store(error),
    }
}

fn provider(error: &sso::ProviderError) -> Face {
    use sso::ProviderError as E;
    match error {
        E::CertificateKnown => Face::Field("certificate"),
        E::PinNeeded | E::Pin(_) | E::TooManyPins => Face::Field("pins"),
        E::CertificateNotFound | E::ProposalNotFound | E::NoSource => Face::NotFound,
        E::TooManyCertificates
        | E::LastCertificate
        | E::StillOn
        | E::LookedAtJustNow
        | E::ChangedMeanwhile => Face::Refused,
    }
}

fn cloud(error: &cloud::Error) -> Face {
    use cloud::Error as E;
    match error {
        E::Cam(error) => cam(error),
        E::Organization(error) => organization(error),
        E::Space(error) => space(error),
        E::AccountNotFound | E::UserNotFound | E::PolicyNotFound => Face::NotFound,
        E::UserNameTaken | E::UserNameInvalid => Face::Field("user_name"),
        E::TokenInvalid | E::TokenExpired => Face::Refused,
        E::Interrupted | E::Password | E::Secret(_) => Face::Internal,
        E::Store(error) => store(error),
    }
}

fn cam(error: &cam::Error) -> Face {
    use cam::Error as E;
    match error {
        E::NotFound { .. } => Face::NotFound,
        E::Denied(_) | E::NameClash { .. } | E::Limit(_) | E::Invalid(_) => Face::Refused,
        E::Unavailable(_) => Face::Internal,
    }
}

fn permission(error: &permission::Error) -> Face {
    use permission::Error as E;
    match error {
        E::NameInvalid | E::NameTaken => Face::Field("name"),
        E::DescriptionInvalid => Face::Field("description"),
        E::SessionDurationInvalid => Face::Field("session_duration"),
        E::RelayStateInvalid => Face::Field("relay_state"),
        E::ConfigurationNotFound | E::AssignmentNotFound | E::DeploymentNotFound => Face::NotFound,
        E::TooManyConfigurations(_)
        | E::PolicyCountInvalid
        | E::PolicyNameInvalid
        | E::PolicyNotFound(_)
        | E::PolicyNotBound
        | E::PolicyTaken(_)
        | E::TooManyPresets
        | E::TooManyCustomPolicies(_)
        | E::DocumentEmpty
        | E::DocumentTooLong
        | E::DocumentInvalid { .. }
        | E::OperatorUnknown { .. }
        | E::PolicyIsPreset(_)
        | E::AssignmentCountInvalid { .. }
        | E::Unknown(_)
        | E::AssignmentsExist
        | E::TooManyAssignments(_)
        | E::DeploymentBusy
        | E::ConfigurationInUse(_)
        | E::DeploymentInUse => Face::Refused,
        E::Store(error) => store(error),
    }
}

fn request(error: &request::Error) -> Face {
    use request::Error as E;
    match error {
        E::ReasonInvalid => Face::Field("reason"),
        E::DurationInvalid => Face::Field("seconds"),
        E::ConfigurationsInvalid | E::ScopeNotFound | E::Exists => Face::Field("wanted"),
        E::OpinionInvalid => Face::Field("opinion"),
        E::NotFound => Face::NotFound,
        E::ScopeCountInvalid | E::TooMany | E::TooOften | E::NotPending | E::Own | E::UserGone => {
            Face::Refused
        }
        E::Permission(error) => permission(error),
        E::Directory(error) => directory(error),
        E::Store(error) => store(error),
    }
}

fn of_task(error: &task::Error) -> Face {
    match error {
        task::Error::NotFound => Face::NotFound,
        task::Error::NotFailed => Face::Refused,
        task::Error::Store(error) => store(error),
    }
}

fn provisioning(error: &provisioning::Error) -> Face {
    use provisioning::Error as E;
    match error {
        E::DescriptionInvalid => Face::Field("description"),
        E::UserSyncNotFound | E::ManualStepNotFound => Face::NotFound,
        E::UserSyncCountInvalid { .. }
        | E::Unknown(_)
        | E::UserSyncsExist
        | E::ConflictPolicyStays
        | E::ManualStepChanged
        | E::KeyNotKnown(_) => Face::Refused,
        E::Task(error) => of_task(error),
        E::Space(error) => space(error),
        E::Permission(error) => permission(error),
        E::Store(error) => store(error),
    }
}
