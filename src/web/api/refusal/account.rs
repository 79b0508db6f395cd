//! The codes of CAM and STS.

use super::{INTERNAL, cloud, store};
use crate::{
    cloud::{
        management::{Error as Management, Kind},
        sts::Error as Sts,
    },
    policy::document::{Error as Document, Problem},
    tc3::CommonCode,
};

const PARAMETER: &str = "InvalidParameter.ParamError";

pub(super) fn management(error: &Management) -> &'static str {
    match error {
        Management::Locked(kind) => match kind {
            Kind::Role => "InvalidParameter.OrganizationRoleOperateError",
            Kind::Policy => "FailedOperation.OrganizationPolicyOperateError",
            Kind::Provider => "FailedOperation.CICIdentityForbidden",
            Kind::User => "FailedOperation.Unmodifiable",
        },
        Management::BuiltIn => "InvalidParameter.OrganizationRoleOperateError",
        Management::Preset => "InvalidParameter.PolicyIdError",
        Management::NameInvalid(kind) | Management::NameReserved(kind) => match kind {
            Kind::Role => "InvalidParameter.RoleNameError",
            Kind::Policy => "InvalidParameter.PolicyNameError",
            Kind::Provider => "InvalidParameterValue.NameError",
            Kind::User => "InvalidParameter.UserNameIllegal",
        },
        Management::NameTaken(kind) => match kind {
            Kind::Role => "InvalidParameter.RoleNameInUse",
            Kind::Policy => "FailedOperation.PolicyNameInUse",
            Kind::Provider => "InvalidParameter.IdentityNameInUse",
            Kind::User => "InvalidParameter.SubUserNameInUse",
        },
        Management::NotFound(kind) => match kind {
            Kind::Role => "InvalidParameter.RoleNotExist",
            Kind::Policy => "InvalidParameter.PolicyIdNotExist",
            Kind::Provider => "ResourceNotFound.IdentityNotExist",
            Kind::User => "ResourceNotFound.UserNotExist",
        },
        Management::Unnamed(_)
        | Management::SessionDuration
        | Management::ContactInvalid(_)
        | Management::IsBoundary => PARAMETER,
        Management::TooMany(kind) => match kind {
            Kind::Role => "InvalidParameter.RoleFull",
            Kind::Policy => "FailedOperation.PolicyFull",
            Kind::Provider => "LimitExceeded.IdentityFull",
            Kind::User => "InvalidParameter.SubUserFull",
        },
        Management::TooManyAttached => "InvalidParameter.AttachmentFull",
        Management::TooManyAtOnce => "InvalidParameter.OperatePoliciesOverLimit",
        Management::DescriptionTooLong => "InvalidParameter.DescriptionLengthOverlimit",
        Management::Document(error) => document(error),
        Management::UnknownOperator(_) => "InvalidParameter.ConditionTypeError",
        Management::ForeignProvider => "InvalidParameter.PrincipalQcsCrossError",
        Management::TagInvalid(_) | Management::TagTwice(_) => "InvalidParameter.TagParamError",
        Management::TooManyTags => "InvalidParameter.TagLimitExceeded",
        Management::PasswordWeak => "InvalidParameter.PasswordViolatedRules",
        Management::HasKeys => "OperationDenied.HaveKeys",
        Management::KeyNotFound => "ResourceNotFound.SecretNotExist",
        Management::TooManyKeys => "OperationDenied.AccessKeyOverLimit",
        Management::RootsKeys => "OperationDenied.SubUin",
        Management::Metadata(_) | Management::MetadataTooLong => {
            "InvalidParameterValue.MetadataError"
        }
        Management::UnknownService => "InvalidParameter.PrincipalServiceNotExist",
        Management::DeletionNotFound => "InvalidParameter.DeletionTaskNotExist",
        Management::Cloud(error) => cloud(error),
        Management::Store(error) => store(error),
    }
}

/// The code for what is wrong with a policy document, by the field that is wrong.
fn document(error: &Document) -> &'static str {
    let within = |part: &str| error.path.split(['.', '[']).any(|it| it.eq_ignore_ascii_case(part));
    match &error.problem {
        Problem::NotJson { .. } => "InvalidParameter.PolicyDocumentError",
        Problem::TooLong => "InvalidParameter.PolicyDocumentLengthOverLimit",
        Problem::BadVersion => "InvalidParameter.VersionError",
        Problem::BadEffect => "InvalidParameter.EffectError",
        Problem::BadAction => "InvalidParameter.ActionError",
        Problem::BadResource => "InvalidParameter.ResourceQcsError",
        Problem::BadPrincipal => "InvalidParameter.PrincipalQcsError",
        Problem::BadConditionKey => "InvalidParameter.ConditionError",
        Problem::BadConditionValue => "InvalidParameter.ConditionContentError",
        Problem::WrongType(_)
        | Problem::Missing
        | Problem::UnknownField
        | Problem::Twice
        | Problem::Empty => {
            let missing = matches!(error.problem, Problem::Missing | Problem::Empty);
            if within("condition") {
                "InvalidParameter.ConditionError"
            } else if within("principal") {
                "InvalidParameter.PrincipalError"
            } else if within("action") {
                if missing { "InvalidParameter.ActionMiss" } else { "InvalidParameter.ActionError" }
            } else if within("resource") {
                "InvalidParameter.ResourceError"
            } else if within("effect") {
                "InvalidParameter.EffectError"
            } else if within("version") {
                "InvalidParameter.VersionError"
            } else if within("statement") {
                "InvalidParameter.StatementError"
            } else {
                "InvalidParameter.PolicyDocumentError"
            }
        }
    }
}

pub(super) fn sts(error: &Sts) -> &'static str {
    match error {
        Sts::Temporary => CommonCode::UnsupportedOperation.as_str(),
        Sts::RoleArn | Sts::Name { .. } | Sts::Text(..) => PARAMETER,
        Sts::RoleNotFound => "ResourceNotFound.RoleNotFound",
        Sts::NotTrusted => CommonCode::UnauthorizedOperation.as_str(),
        Sts::Duration(_) => "InvalidParameter.OverTimeError",
        Sts::PolicyTooLong => "InvalidParameter.PolicyTooLong",
        Sts::Policy(error) => match error.problem {
            Problem::NotJson { .. } => "InvalidParameter.StrategyFormatError",
            Problem::TooLong
            | Problem::BadVersion
            | Problem::BadEffect
            | Problem::BadAction
            | Problem::BadResource
            | Problem::BadPrincipal
            | Problem::BadConditionKey
            | Problem::BadConditionValue
            | Problem::WrongType(_)
            | Problem::Missing
            | Problem::UnknownField
            | Problem::Twice
            | Problem::Empty => "InvalidParameter.StrategyInvalid",
        },
        Sts::UnknownOperator(_) => "InvalidParameter.StrategyInvalid",
        Sts::Management(error) => match management(error) {
            internal if internal == INTERNAL || internal == super::DATABASE => internal,
            _ => PARAMETER,
        },
        Sts::Cloud(error) => cloud(error),
        Sts::Store(error) => store(error),
    }
}
