//! Why a call is refused, and the one place where the rooms' errors get their codes.
//!
//! The codes are the original's, copied exactly, irregular prefixes included; the texts are ours.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::{
    cloud, credential, directory, event, organization, permission, provisioning, request,
    saml::metadata::MetadataError,
    space, sso, store, task,
    tc3::{self, CommonCode},
    web::Fault,
};

mod account;

/// A call that is not done.
#[derive(Debug)]
pub enum Refusal {
    /// Refused at the door.
    Code {
        /// The code, for programs.
        code: &'static str,
        /// The text, for people; names the parameter.
        message: String,
    },
    /// The same, with what the caller needs to try again.
    Telling {
        /// The code, for programs.
        code: &'static str,
        /// The text, for people.
        message: String,
        /// What stands beside the error.
        more: Map<String, Value>,
    },
    /// A room refused, or something failed.
    Fault(Fault),
    /// Something of ours failed, in the words of its service.
    Failure {
        /// The code, for programs.
        code: &'static str,
        /// The cause, for the log.
        fault: Fault,
    },
}

impl Refusal {
    /// A refusal with a code of its action.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::Code { code, message: message.into() }
    }

    /// A refusal with a code that all services have.
    pub fn common(code: CommonCode, message: impl Into<String>) -> Self {
        Self::new(code.as_str(), message)
    }

    /// The same, with the parameter that it is about. A failure of ours is about none.
    pub fn naming(self, field: &str) -> Self {
        match self {
            Self::Fault(fault) if !matches!(code_of(&fault), DATABASE | INTERNAL) => {
                let said = sentence(&fault.to_string());
                Self::new(code_of(&fault), format!("The parameter `{field}`: {said}"))
            }
            other @ (Self::Code { .. }
            | Self::Telling { .. }
            | Self::Fault(_)
            | Self::Failure { .. }) => other,
        }
    }

    /// The same as this service says it: CAM and STS have words of their own for our failures.
    pub fn of_service(self, service: &str) -> Self {
        match self {
            Self::Fault(fault) if matches!(code_of(&fault), DATABASE | INTERNAL) => {
                let code = match (service, code_of(&fault)) {
                    ("sts", DATABASE) => "InternalError.DbError",
                    ("cam" | "sts", _) => "InternalError.SystemError",
                    (_, other) => other,
                };
                Self::Failure { code, fault }
            }
            other @ (Self::Code { .. }
            | Self::Telling { .. }
            | Self::Fault(_)
            | Self::Failure { .. }) => other,
        }
    }

    /// What the caller is told.
    pub fn code_and_message(&self) -> (String, String) {
        match self {
            Self::Code { code, message } | Self::Telling { code, message, .. } => {
                ((*code).to_owned(), message.clone())
            }
            Self::Failure { code, .. } => ((*code).to_owned(), FAILED.to_owned()),
            Self::Fault(fault) => {
                let code = code_of(fault);
                let message = match code {
                    DATABASE | INTERNAL => FAILED.to_owned(),
                    _ => sentence(&fault.to_string()),
                };
                (code.to_owned(), message)
            }
        }
    }

    /// The failure to log, if this is one of ours rather than the caller's.
    pub fn failure(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) if matches!(code_of(fault), DATABASE | INTERNAL) => Some(fault),
            Self::Failure { fault, .. } => Some(fault),
            Self::Fault(_) | Self::Code { .. } | Self::Telling { .. } => None,
        }
    }

    /// What stands beside the error.
    pub fn more(&self) -> &Map<String, Value> {
        static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        match self {
            Self::Telling { more, .. } => more,
            Self::Code { .. } | Self::Fault(_) | Self::Failure { .. } => &NOTHING,
        }
    }
}

/// Room errors begin in lower case and end without a stop; people get a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

impl<E> From<E> for Refusal
where
    Fault: From<E>,
{
    fn from(error: E) -> Self {
        Self::Fault(Fault::from(error))
    }
}

/// What a signature that is not accepted is called.
pub fn signature(error: tc3::Error) -> Refusal {
    let code = match error {
        tc3::Error::MissingHeader(_) => CommonCode::MissingParameter,
        tc3::Error::MalformedAuthorization(_)
        | tc3::Error::UnusableSignedHeader
        | tc3::Error::DateMismatch => CommonCode::InvalidAuthorization,
        tc3::Error::MalformedTimestamp => CommonCode::InvalidParameter,
        tc3::Error::Expired => CommonCode::SignatureExpire,
        tc3::Error::Mismatch => CommonCode::SignatureFailure,
        tc3::Error::Crypto => CommonCode::InternalError,
    };
    Refusal::common(code, sentence(&error.to_string()))
}

const FAILED: &str = "The server failed. Its log has the cause.";
const DATABASE: &str = "FailedOperation.DBOperationError";
const INTERNAL: &str = "InternalError";

fn code_of(fault: &Fault) -> &'static str {
    match fault {
        Fault::Organization(error) => organization(error),
        Fault::Space(error) => space(error),
        Fault::Directory(error) => directory(error),
        Fault::Credential(error) => credential(error),
        Fault::Event(error) => event(error),
        Fault::Permission(error) => permission(error),
        Fault::Task(error) => task(error),
        Fault::Sso(error) => sso(error),
        Fault::Cloud(error) => cloud(error),
        Fault::Management(error) => account::management(error),
        Fault::Sts(error) => account::sts(error),
        Fault::Provisioning(error) => provisioning(error),
        Fault::Request(error) => request(error),
        Fault::Store(error) => store(error),
        Fault::Secret(_) | Fault::Session(_) | Fault::Internal(_) => INTERNAL,
    }
}

fn store(error: &store::Error) -> &'static str {
    match error {
        store::Error::Nul => "InvalidParameter",
        store::Error::Conflict(_)
        | store::Error::Busy
        | store::Error::NestedWrite
        | store::Error::Lost
        | store::Error::Overtaken
        | store::Error::Corrupt { .. }
        | store::Error::Migrate(_)
        | store::Error::UnknownScheme
        | store::Error::Database(_) => DATABASE,
    }
}

fn organization(error: &organization::Error) -> &'static str {
    use organization::Error;
    match error {
        Error::NameInvalid
        | Error::DepartmentNameInvalid
        | Error::MemberNameInvalid
        | Error::OtherCloudNumberInvalid
        | Error::OtherCloudRegionInvalid
        | Error::RemarkTooLong
        | Error::CountInvalid { .. } => "InvalidParameter",
        Error::OtherCloudNumberTaken
        | Error::ManagementAccountStays
        | Error::ManagementAccountStaysAtTheRoot
        | Error::RootStays
        | Error::AccountInUse => "FailedOperation",
        Error::DepartmentNotEmpty => "FailedOperation.OrganizationNodeNotEmpty",
        Error::NameTaken => "FailedOperation.OrganizationExistAlready",
        Error::DepartmentNameTaken => "FailedOperation.OrganizationNodeNameUsed",
        Error::DepartmentNotFound => "ResourceNotFound.OrganizationNodeNotExist",
        Error::TooDeep(_) => "LimitExceeded.NodeDepthExceedLimit",
        Error::MemberNameTaken => "FailedOperation.OrganizationMemberNameUsed",
        Error::AccountNotFound => "FailedOperation.OrganizationMemberNotExist",
        Error::Secret(_) => INTERNAL,
        Error::Store(error) => store(error),
    }
}

fn event(error: &event::Error) -> &'static str {
    use event::Error;
    match error {
        Error::UrlInvalid(_) | Error::NoKind => "InvalidParameter.ParamError",
        Error::TooMany => "LimitExceeded.EventEndpoint",
        Error::EndpointNotFound => "ResourceNotFound.EventEndpointNotExist",
        Error::EventNotFound => "ResourceNotFound.EventNotExist",
        Error::Disabled => "FailedOperation.EventEndpointDisabled",
        Error::Secret(_) => INTERNAL,
        Error::Store(error) => store(error),
    }
}

fn space(error: &space::Error) -> &'static str {
    use space::Error;
    match error {
        Error::NameInvalid => "InvalidParameterValue.ZoneNameFormatError",
        Error::NameTaken => "InvalidParameterValue.IdentityCenterZoneNameAlreadyExist",
        Error::AlreadyOpen => "FailedOperation.IdentityCenterAlreadyOpen",
        Error::NotOpen => "FailedOperation.IdentityCenterNotOpen",
        Error::OrganizationNotOpen => "FailedOperation.IdentityCenterOrganizationNotOpen",
        Error::OutOfRange { .. } | Error::TooManyNetworks | Error::NetworksInvalid(_) => {
            "InvalidParameter.ParamError"
        }
        Error::TooManyKeys | Error::KeyPrepared => "LimitExceeded.SpaceKey",
        Error::KeyInUse => "FailedOperation.SpaceKeyInUse",
        Error::KeyNotFound => "ResourceNotFound.SpaceKeyNotExist",
        Error::Key(_) | Error::Secret(_) => INTERNAL,
        Error::Store(error) => store(error),
    }
}

fn directory(error: &directory::Error) -> &'static str {
    use directory::Error;
    match error {
        Error::UserNameInvalid => "InvalidParameter.UsernameFormatError",
        Error::UserNameTaken => "InvalidParameter.UsernameAlreadyExists",
        Error::FieldInvalid { .. } | Error::EmailInvalid => "InvalidParameter.ParamError",
        Error::EmailTaken => "InvalidParameter.EmailAlreadyExists",
        Error::UserNotFound => "ResourceNotFound.UserNotExist",
        Error::TooManyUsers { .. } => "FailedOperation.UserOverUpperLimit",
        Error::UserCountInvalid(_) => "LimitExceeded.CreateUserLimitExceeded",
        // The text names each row; the code is the first one's.
        Error::NothingMade(refused) => {
            refused.first().map_or(INTERNAL, |refused| directory(&refused.error))
        }
        Error::GroupNameInvalid => "InvalidParameter.GroupNameFormatError",
        Error::GroupNameTaken => "InvalidParameter.GroupNameAlreadyExists",
        Error::GroupNotFound => "InvalidParameter.GroupNotExist",
        Error::TooManyGroups { .. } => "FailedOperation.GroupOverUpperLimit",
        Error::TooManyMembers { .. } => "FailedOperation.GroupUserCountOverUpperLimit",
        Error::TooManyMemberships { .. } => "FailedOperation.UserAddGroupCountOverUpperLimit",
        Error::AlreadyMember => "InvalidParameter.GroupUserAlreadyExists",
        Error::NotMember => "InvalidParameter.GroupUserNotExist",
        Error::SourcesDiffer => "FailedOperation.GroupTypeUserTypeNotMatch",
        Error::GroupManagedByScim => "FailedOperation.SynchronizedGroupNotUpdate",
        Error::UserManagedByScim => "FailedOperation.SynchronizedUserNotUpdate",
        Error::InUse(blockers) => first_blocker(blockers),
        Error::AdoptedAlready | Error::TooManyToAdopt | Error::AdoptionChanged => "FailedOperation",
        Error::Store(error) => store(error),
    }
}

/// Of several blockers the first in the order of the reference; the text names all of them.
fn first_blocker(blockers: &directory::Blockers) -> &'static str {
    if blockers.groups > 0 {
        "InvalidParameter.UserAlreadyExistsGroup"
    } else if blockers.members > 0 {
        "FailedOperation.DeleteGroupNotAllowExistUser"
    } else if blockers.held.assignments > 0 {
        "FailedOperation.RoleConfigurationAuthorizationExist"
    } else {
        "FailedOperation.UserProvisioningExists"
    }
}

fn credential(error: &credential::Error) -> &'static str {
    use credential::Error;
    match error {
        Error::TooMany => "LimitExceeded.ScimCredentialLimitExceeded",
        Error::Lifetime => "InvalidParameter.ParamError",
        Error::NotFound => "InvalidParameter.ScimCredentialNotFound",
        Error::Secret(_) => "FailedOperation.ScimCredentialGenerateError",
        Error::Store(error) => store(error),
    }
}

fn permission(error: &permission::Error) -> &'static str {
    use permission::Error;
    match error {
        Error::NameInvalid => "InvalidParameter.ConfigurationNameFormatError",
        Error::NameTaken => "InvalidParameter.ConfigurationNameAlreadyExists",
        Error::DescriptionInvalid
        | Error::SessionDurationInvalid
        | Error::PolicyCountInvalid
        | Error::DocumentTooLong
        | Error::DocumentInvalid { .. }
        | Error::OperatorUnknown { .. }
        | Error::AssignmentCountInvalid { .. } => "InvalidParameter.ParamError",
        Error::RelayStateInvalid => "InvalidParameter.RelayStateFormatError",
        Error::TooManyConfigurations(_) => "FailedOperation.ConfigurationOverUpperLimit",
        Error::ConfigurationNotFound => "InvalidParameter.RoleConfigurationNotExist",
        Error::PolicyNameInvalid => "InvalidParameter.PolicyNameSizeOverUpperLimit",
        Error::PolicyNotFound(_) => "InvalidParameter.BindPolicyNameNotAllowed",
        Error::PolicyIsPreset(_) => "InvalidParameter.PolicyTypeError",
        Error::PolicyNotBound => "InvalidParameter.RolePolicyNotExist",
        // Of several blockers, the code of the one that takes longest to be rid of.
        Error::ConfigurationInUse(blockers) if blockers.deployments > 0 => {
            "FailedOperation.RoleConfigurationProvisioningAlreadyDeployed"
        }
        Error::ConfigurationInUse(blockers) if blockers.assignments > 0 => {
            "FailedOperation.RoleConfigurationAuthorizationExist"
        }
        Error::ConfigurationInUse(_) => "InvalidParameter.RolePolicyAlreadyExist",
        Error::PolicyTaken(_) => "InvalidParameter.PolicyNameAlreadyExists",
        Error::TooManyPresets => "FailedOperation.SystemPolicyOverUpperLimit",
        Error::TooManyCustomPolicies(_) => "FailedOperation.CustomPolicyOverUpperLimit",
        Error::DocumentEmpty => "InvalidParameter.PolicyDocumentEmpty",
        Error::Unknown(unknown) => first_unknown(unknown),
        Error::AssignmentsExist => "FailedOperation.RoleConfigurationAuthorizationAlreadyExist",
        Error::TooManyAssignments(_) => "FailedOperation.RoleConfigurationAuthorizationOverLimit",
        Error::AssignmentNotFound => "ResourceNotFound.RoleConfigurationAuthorizationNotFound",
        Error::DeploymentNotFound => "ResourceNotFound.RoleConfigurationProvisioningNotFound",
        Error::DeploymentBusy => "FailedOperation.RoleConfigurationProvisioningStatusError",
        Error::DeploymentInUse => "FailedOperation.RoleConfigurationAuthorizationExist",
        Error::Store(error) => store(error),
    }
}

/// Of several blockers, the code of the first.
pub fn first_unknown(unknown: &permission::Unknown) -> &'static str {
    if !unknown.accounts.is_empty() {
        "FailedOperation.OrganizationMemberNotExist"
    } else if !unknown.configurations.is_empty() {
        "InvalidParameter.RoleConfigurationNotExist"
    } else if !unknown.users.is_empty() {
        "ResourceNotFound.UserNotExist"
    } else {
        "InvalidParameter.GroupNotExist"
    }
}

fn task(error: &task::Error) -> &'static str {
    use task::Error;
    match error {
        Error::NotFound => "ResourceNotFound.RoleConfigurationTaskNotFound",
        Error::NotFailed => "FailedOperation.TaskNotFailed",
        Error::Store(error) => store(error),
    }
}

fn sso(error: &sso::Error) -> &'static str {
    use sso::Error;
    match error {
        Error::SwitchedOff => "FailedOperation",
        Error::NotConfigured => "ResourceNotFound.SAMLIdentityProviderNotFound",
        Error::DevelopmentKey => "InvalidParameterValue.X509CertificateFormatError",
        Error::Metadata(MetadataError::Xml(_)) => "FailedOperation.XMLDataUnmarshalFailed",
        Error::Metadata(_) => "FailedOperation.MetadataCosParsingFailed",
        Error::Certificate(_) => "FailedOperation.X509CertificateParsingFailed",
        Error::Provider(error) => provider(error),
        Error::NoPost | Error::AuthnContexts | Error::IdentityAttribute => {
            "InvalidParameter.ParamError"
        }
        Error::TestNotFound => "ResourceNotFound.SignInTestNotExist",
        Error::Key(error) => space(error),
        Error::Interrupted | Error::Request(_) | Error::Secret(_) => INTERNAL,
        Error::Store(error) => store(error),
    }
}

fn provider(error: &sso::ProviderError) -> &'static str {
    use sso::ProviderError as Error;
    match error {
        Error::CertificateKnown => "FailedOperation.X509CertificateAlreadyExist",
        Error::TooManyCertificates => "FailedOperation.X509CertificateLimitExceeded",
        Error::LastCertificate => "FailedOperation.X509CertificateMinimumRequired",
        Error::CertificateNotFound => "ResourceNotFound.X509CertificateNotFound",
        Error::StillOn => "FailedOperation.SSoStatusEnableNotClearIdentityProvider",
        Error::ProposalNotFound => "ResourceNotFound.SAMLProposalNotExist",
        Error::NoSource => "ResourceNotFound.SAMLMetadataSourceNotExist",
        Error::ChangedMeanwhile => "FailedOperation.SAMLIdentityProviderChanged",
        Error::LookedAtJustNow => "LimitExceeded.SAMLMetadataFetch",
        Error::PinNeeded | Error::Pin(_) | Error::TooManyPins => "InvalidParameter.ParamError",
    }
}

fn cloud(error: &cloud::Error) -> &'static str {
    use cloud::Error;
    match error {
        Error::Cam(_) => "FailedOperation",
        Error::Organization(error) => organization(error),
        Error::Space(error) => space(error),
        Error::TokenInvalid | Error::TokenExpired => "AuthFailure.TokenFailure",
        Error::AccountNotFound => "FailedOperation.OrganizationMemberNotExist",
        Error::UserNotFound => "ResourceNotFound.UserNotExist",
        Error::UserNameTaken | Error::UserNameInvalid => "InvalidParameter",
        Error::Interrupted | Error::PolicyNotFound | Error::Password | Error::Secret(_) => INTERNAL,
        Error::Store(error) => store(error),
    }
}

/// The reference has these codes and says of none which action answers it.
fn request(error: &request::Error) -> &'static str {
    use request::Error;
    match error {
        Error::ScopeCountInvalid
        | Error::ConfigurationsInvalid
        | Error::ReasonInvalid
        | Error::DurationInvalid
        | Error::OpinionInvalid => "InvalidParameter.ParamError",
        Error::ScopeNotFound => "ResourceNotFound.PermissionApplyScopeNotFound",
        Error::Exists => "FailedOperation.ApplyExist",
        Error::TooMany | Error::TooOften => "LimitExceeded",
        Error::NotFound => "ResourceNotFound.PermissionApplyOrderNotFound",
        Error::NotPending => "FailedOperation.PermissionApplyOrderStatusInvalid",
        Error::Own => "FailedOperation.PermissionDenied",
        Error::UserGone => "ResourceNotFound.UserNotExist",
        Error::Permission(error) => permission(error),
        Error::Directory(error) => directory(error),
        Error::Store(error) => store(error),
    }
}

fn provisioning(error: &provisioning::Error) -> &'static str {
    use provisioning::Error;
    match error {
        Error::UserSyncCountInvalid { .. } => {
            "LimitExceeded.CreateUserSyncProvisioningLimitExceeded"
        }
        Error::Unknown(unknown) => first_unknown(unknown),
        Error::UserSyncsExist => "FailedOperation.UserProvisioningAlreadyExists",
        Error::UserSyncNotFound => "ResourceNotFound.UserProvisioningNotFound",
        Error::DescriptionInvalid => "InvalidParameter.ParamError",
        Error::KeyNotKnown(_) => "FailedOperation.SpaceKeyNotTrusted",
        Error::ManualStepChanged | Error::ConflictPolicyStays => "FailedOperation",
        Error::ManualStepNotFound => "ResourceNotFound.ManualStepNotExist",
        Error::Task(error) => task(error),
        Error::Space(error) => space(error),
        Error::Permission(error) => permission(error),
        Error::Store(error) => store(error),
    }
}
