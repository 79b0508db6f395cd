//! Why a sign-in was refused, as fine as we can tell: what is wrong, what to do about it, and which
//! field of the identity provider it is about. A [`Check`](super::trace::Check) says which rule was
//! broken; a cause says how.

use serde::{Deserialize, Serialize};

use super::product::Setting;

/// The cause of a refusal (SSO-17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The form field is not base64.
    NotBase64,
    /// Longer than any message we read.
    TooLarge,
    /// Not UTF-8.
    NotUtf8,
    /// Not well-formed, or cut short.
    NotXml,
    /// A document type, comments, CDATA, processing instructions.
    ForbiddenXml,
    /// Another message than a response.
    NotAResponse,
    /// A message of SAML 1.1.
    OlderSaml,
    /// Elements or attributes that have no business in the profile.
    UnknownParts,
    /// The subject carries no name identifier.
    NoNameId,
    /// The subject's name identifier is encrypted by itself.
    EncryptedNameId,
    /// Two elements share an ID.
    DuplicateIds,
    /// Sent to another address than ours.
    OtherDestination,
    /// Signed without saying to which address it was sent.
    NoDestination,
    /// From another identity provider than the configured one.
    OtherIssuer,
    /// Signed without saying who sends it.
    NoIssuer,
    /// The identity provider holds our request for wrong.
    RequestRefused,
    /// The identity provider failed.
    IdentityProviderFailed,
    /// The person did not authenticate.
    AuthenticationFailed,
    /// The demanded way to authenticate is not offered.
    AuthnContextNotOffered,
    /// The requested format of the name identifier is not offered.
    NameIdFormatNotOffered,
    /// The identity provider does not let this person in.
    PersonRefused,
    /// Signed in, without an assertion.
    NoAssertion,
    /// More than one assertion.
    SeveralAssertions,
    /// Encrypted, and no encryption key was made here.
    EncryptionOff,
    /// Encrypted for a key that is not here, or damaged.
    EncryptedForAnother,
    /// Encrypted in a way that is not safe.
    EncryptionAlgorithm,
    /// AES-CBC without a signature around it.
    EncryptionNotSigned,
    /// What was encrypted is not built as an assertion is.
    EncryptionForm,
    /// Neither response nor assertion is signed.
    NotSigned,
    /// Signed by a key that is not configured.
    OtherCertificate,
    /// Signed with SHA-1 or something else that is broken.
    WeakAlgorithm,
    /// Signed with RSA where an EC key is configured, or the other way round.
    OtherKeyType,
    /// The content differs from what was signed.
    ContentChanged,
    /// Signed over another canonicalisation than the exclusive one without comments.
    OtherCanonicalization,
    /// A signature of another form than SAML allows.
    SignatureForm,
    /// No certificate here to verify with.
    NoCertificate,
    /// Made in the future: the identity provider's clock is ahead.
    ClockAhead,
    /// Made too long ago: slow, sent again, or the identity provider's clock is behind.
    TooOld,
    /// No bearer confirmation, or not exactly one.
    NotBearer,
    /// Meant for another address.
    OtherRecipient,
    /// Answers no request: begun at the identity provider.
    Unsolicited,
    /// Answers another request, or one that has been answered or forgotten.
    OtherRequest,
    /// The confirmation does not say until when it holds.
    NoExpiry,
    /// The confirmation or the conditions have expired.
    Expired,
    /// No conditions.
    NoConditions,
    /// A condition that we do not know, and so cannot keep.
    UnknownCondition,
    /// Not valid yet: the identity provider's clock is ahead.
    NotYetValid,
    /// The assertion names no audience.
    NoAudience,
    /// The assertion is meant for another service provider.
    OtherAudience,
    /// The assertion does not say that the person authenticated.
    NoAuthnStatement,
    /// Authenticated in another way than demanded.
    OtherAuthnContext,
    /// Not authenticated anew, though that is demanded.
    OldAuthentication,
    /// The session at the identity provider is over.
    SessionOver,
    /// The name identifier is empty.
    EmptyNameId,
    /// The name identifier is too long, or holds control characters.
    UnreadableNameId,
    /// The name identifier changes each time.
    TransientNameId,
    /// An attribute that is not written as SAML writes attributes, or has a value that is no text.
    UnreadableAttributes,
    /// The attribute that is to name the person is missing.
    NoIdentityAttribute,
    /// The attribute that is to name the person has several values, or one that is no name.
    UnreadableIdentityAttribute,
    /// The two implementations disagree.
    Disagreement,
    /// The assertion was used before.
    Replayed,
    /// The directory has no user of this name.
    UnknownUser,
    /// The user is disabled.
    UserDisabled,
    /// Another browser than the one that began, or too late.
    OtherBrowser,
    /// Came back with another `RelayState` than it was sent with.
    OtherRelayState,
}

impl Cause {
    /// The stable name, as it is stored.
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Which field of the identity provider it is about, if it is one.
    pub fn setting(self) -> Option<Setting> {
        Some(match self {
            Self::OlderSaml => Setting::Protocol,
            Self::NotBase64
            | Self::NotAResponse
            | Self::OtherDestination
            | Self::NoDestination
            | Self::OtherRecipient => Setting::AcsUrl,
            Self::TooLarge
            | Self::UnreadableAttributes
            | Self::NoIdentityAttribute
            | Self::UnreadableIdentityAttribute => Setting::Attributes,
            Self::NoNameId | Self::EmptyNameId | Self::UnreadableNameId | Self::UnknownUser => {
                Setting::NameId
            }
            Self::EncryptedNameId
            | Self::EncryptionOff
            | Self::EncryptedForAnother
            | Self::EncryptionAlgorithm
            | Self::EncryptionForm => Setting::Encryption,
            Self::OtherIssuer | Self::NoIssuer => Setting::IdpEntityId,
            Self::RequestRefused => Setting::OurMetadata,
            Self::AuthnContextNotOffered | Self::OtherAuthnContext => Setting::AuthnContext,
            Self::NameIdFormatNotOffered | Self::TransientNameId => Setting::NameIdFormat,
            Self::PersonRefused => Setting::Assignment,
            Self::EncryptionNotSigned | Self::NotSigned | Self::SignatureForm => {
                Setting::SignedParts
            }
            Self::OtherCertificate | Self::OtherKeyType | Self::NoCertificate => {
                Setting::SigningCertificate
            }
            Self::OtherCanonicalization => Setting::Canonicalization,
            Self::WeakAlgorithm => Setting::SignatureAlgorithm,
            Self::ClockAhead | Self::NotYetValid | Self::TooOld | Self::SessionOver => {
                Setting::Clock
            }
            Self::Unsolicited | Self::OtherRequest => Setting::StartUrl,
            Self::NoExpiry | Self::Expired => Setting::Lifetime,
            Self::NoConditions | Self::NoAudience | Self::OtherAudience => Setting::Audience,
            Self::NoAuthnStatement => Setting::AuthnStatement,
            Self::OldAuthentication => Setting::ForceAuthn,
            Self::OtherRelayState => Setting::RelayState,
            // No setting of an identity provider brings these about. First: damaged or rewritten on the way, or forged: what an identity provider has made whole
            // has none of these, and no setting of it brings them about. The remedies say where to
            // look instead.
            Self::NotUtf8
            | Self::NotXml
            | Self::ForbiddenXml
            | Self::DuplicateIds
            | Self::ContentChanged
            | Self::Disagreement
            | Self::Replayed
            // None of the products leaves it open: each writes one assertion with one bearer
            // confirmation, the conditions that SAML defines, and nothing beside them. Who does
            // otherwise is software of somebody's own; what it wrote stands in the report.
            | Self::UnknownParts
            | Self::NoAssertion
            | Self::SeveralAssertions
            | Self::NotBearer
            | Self::UnknownCondition
            // About the person or their browser, or a failure that its own log explains.
            | Self::IdentityProviderFailed
            | Self::AuthenticationFailed
            | Self::UserDisabled
            | Self::OtherBrowser => return None,
        })
    }
}
