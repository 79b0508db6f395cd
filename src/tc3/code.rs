//! Error codes that every service of the API has.

use std::fmt;

macro_rules! codes {
    ($($variant:ident = $text:literal: $meaning:literal,)*) => {
        /// An error code common to all services (API reference §3.4).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum CommonCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl CommonCode {
            /// Every common code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as it stands in a reply.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

codes! {
    ActionOffline = "ActionOffline": "The action was taken out of service.",
    InvalidAuthorization = "AuthFailure.InvalidAuthorization": "The Authorization header is malformed.",
    InvalidSecretId = "AuthFailure.InvalidSecretId": "The secret id is not one for this API.",
    MfaFailure = "AuthFailure.MFAFailure": "The second factor failed.",
    SecretIdNotFound = "AuthFailure.SecretIdNotFound": "No such key, or it is disabled.",
    SignatureExpire = "AuthFailure.SignatureExpire": "The timestamp is more than 300 s away.",
    SignatureFailure = "AuthFailure.SignatureFailure": "The signature does not match.",
    TokenFailure = "AuthFailure.TokenFailure": "The session token is wrong, missing or expired.",
    AuthUnauthorizedOperation = "AuthFailure.UnauthorizedOperation": "The credential may not do this.",
    DryRunOperation = "DryRunOperation": "It would have worked.",
    FailedOperation = "FailedOperation": "The operation failed.",
    InternalError = "InternalError": "Something broke on our side.",
    InvalidAction = "InvalidAction": "No such action.",
    InvalidParameter = "InvalidParameter": "A parameter has the wrong type or shape.",
    InvalidParameterValue = "InvalidParameterValue": "A parameter has a value that is not allowed.",
    InvalidRequest = "InvalidRequest": "The request as such is malformed.",
    IpInBlacklist = "IpInBlacklist": "The address is refused.",
    IpNotInWhitelist = "IpNotInWhitelist": "The address is not among those allowed.",
    LimitExceeded = "LimitExceeded": "A quota is used up.",
    MissingParameter = "MissingParameter": "A required parameter is absent.",
    NoSuchProduct = "NoSuchProduct": "No such service.",
    NoSuchVersion = "NoSuchVersion": "The service has no such version.",
    RequestLimitExceeded = "RequestLimitExceeded": "Too many requests.",
    RequestLimitExceededGlobalRegionUin = "RequestLimitExceeded.GlobalRegionUinLimitExceeded": "Too many requests of this account everywhere.",
    RequestLimitExceededIp = "RequestLimitExceeded.IPLimitExceeded": "Too many requests from this address.",
    RequestLimitExceededUin = "RequestLimitExceeded.UinLimitExceeded": "Too many requests of this account.",
    RequestSizeLimitExceeded = "RequestSizeLimitExceeded": "The request is too large.",
    ResourceInUse = "ResourceInUse": "It is in use.",
    ResourceInsufficient = "ResourceInsufficient": "There is not enough of it.",
    ResourceNotFound = "ResourceNotFound": "It does not exist.",
    ResourceUnavailable = "ResourceUnavailable": "It cannot be used now.",
    ResponseSizeLimitExceeded = "ResponseSizeLimitExceeded": "The reply would be too large.",
    ServiceUnavailable = "ServiceUnavailable": "We cannot answer now.",
    UnauthorizedOperation = "UnauthorizedOperation": "The caller's policies do not allow it.",
    UnknownParameter = "UnknownParameter": "The action has no such parameter.",
    UnsupportedOperation = "UnsupportedOperation": "We do not do this.",
    UnsupportedProtocol = "UnsupportedProtocol": "Neither GET nor POST.",
    UnsupportedRegion = "UnsupportedRegion": "We are not in that region.",
}

impl fmt::Display for CommonCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
