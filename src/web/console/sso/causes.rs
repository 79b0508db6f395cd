//! What is wrong with a sign-in, and what to do about it, in the reader's language (SSO-17).

use crate::{
    saml::{cause::Cause, logout::LogoutCheck},
    web::messages::Message,
};

/// What is wrong, in a sentence.
pub(super) fn what(cause: Cause) -> Message {
    words(cause).0
}

/// What to do about it.
pub(super) fn remedy(cause: Cause) -> Message {
    words(cause).1
}

fn words(cause: Cause) -> (Message, Message) {
    match cause {
        Cause::NotBase64 => (key!("cause-not-base64"), key!("cause-not-base64-remedy")),
        Cause::TooLarge => (key!("cause-too-large"), key!("cause-too-large-remedy")),
        Cause::NotUtf8 => (key!("cause-not-utf8"), key!("cause-not-utf8-remedy")),
        Cause::NotXml => (key!("cause-not-xml"), key!("cause-not-xml-remedy")),
        Cause::ForbiddenXml => (key!("cause-forbidden-xml"), key!("cause-forbidden-xml-remedy")),
        Cause::NotAResponse => (key!("cause-not-a-response"), key!("cause-not-a-response-remedy")),
        Cause::OlderSaml => (key!("cause-older-saml"), key!("cause-older-saml-remedy")),
        Cause::UnknownParts => (key!("cause-unknown-parts"), key!("cause-unknown-parts-remedy")),
        Cause::NoNameId => (key!("cause-no-name-id"), key!("cause-no-name-id-remedy")),
        Cause::EncryptedNameId => {
            (key!("cause-encrypted-name-id"), key!("cause-encrypted-name-id-remedy"))
        }
        Cause::DuplicateIds => (key!("cause-duplicate-ids"), key!("cause-duplicate-ids-remedy")),
        Cause::OtherDestination => {
            (key!("cause-other-destination"), key!("cause-other-destination-remedy"))
        }
        Cause::NoDestination => (key!("cause-no-destination"), key!("cause-no-destination-remedy")),
        Cause::OtherIssuer => (key!("cause-other-issuer"), key!("cause-other-issuer-remedy")),
        Cause::NoIssuer => (key!("cause-no-issuer"), key!("cause-no-issuer-remedy")),
        Cause::RequestRefused => {
            (key!("cause-request-refused"), key!("cause-request-refused-remedy"))
        }
        Cause::IdentityProviderFailed => {
            (key!("cause-identity-provider-failed"), key!("cause-identity-provider-failed-remedy"))
        }
        Cause::AuthenticationFailed => {
            (key!("cause-authentication-failed"), key!("cause-authentication-failed-remedy"))
        }
        Cause::AuthnContextNotOffered => (
            key!("cause-authn-context-not-offered"),
            key!("cause-authn-context-not-offered-remedy"),
        ),
        Cause::NameIdFormatNotOffered => (
            key!("cause-name-id-format-not-offered"),
            key!("cause-name-id-format-not-offered-remedy"),
        ),
        Cause::PersonRefused => (key!("cause-person-refused"), key!("cause-person-refused-remedy")),
        Cause::NoAssertion => (key!("cause-no-assertion"), key!("cause-no-assertion-remedy")),
        Cause::SeveralAssertions => {
            (key!("cause-several-assertions"), key!("cause-several-assertions-remedy"))
        }
        Cause::EncryptionOff => (key!("cause-encryption-off"), key!("cause-encryption-off-remedy")),
        Cause::EncryptedForAnother => {
            (key!("cause-encrypted-for-another"), key!("cause-encrypted-for-another-remedy"))
        }
        Cause::EncryptionAlgorithm => {
            (key!("cause-encryption-algorithm"), key!("cause-encryption-algorithm-remedy"))
        }
        Cause::EncryptionNotSigned => {
            (key!("cause-encryption-not-signed"), key!("cause-encryption-not-signed-remedy"))
        }
        Cause::EncryptionForm => {
            (key!("cause-encryption-form"), key!("cause-encryption-form-remedy"))
        }
        Cause::NotSigned => (key!("cause-not-signed"), key!("cause-not-signed-remedy")),
        Cause::OtherCertificate => {
            (key!("cause-other-certificate"), key!("cause-other-certificate-remedy"))
        }
        Cause::WeakAlgorithm => (key!("cause-weak-algorithm"), key!("cause-weak-algorithm-remedy")),
        Cause::OtherKeyType => (key!("cause-other-key-type"), key!("cause-other-key-type-remedy")),
        Cause::ContentChanged => {
            (key!("cause-content-changed"), key!("cause-content-changed-remedy"))
        }
        Cause::OtherCanonicalization => {
            (key!("cause-other-canonicalization"), key!("cause-other-canonicalization-remedy"))
        }
        Cause::SignatureForm => (key!("cause-signature-form"), key!("cause-signature-form-remedy")),
        Cause::NoCertificate => (key!("cause-no-certificate"), key!("cause-no-certificate-remedy")),
        Cause::ClockAhead | Cause::NotYetValid => {
            (key!("cause-clock-ahead"), key!("cause-clock-ahead-remedy"))
        }
        Cause::TooOld => (key!("cause-too-old"), key!("cause-too-old-remedy")),
        Cause::NotBearer => (key!("cause-not-bearer"), key!("cause-not-bearer-remedy")),
        Cause::OtherRecipient => {
            (key!("cause-other-recipient"), key!("cause-other-recipient-remedy"))
        }
        Cause::Unsolicited => (key!("cause-unsolicited"), key!("cause-unsolicited-remedy")),
        Cause::OtherRequest => (key!("cause-other-request"), key!("cause-other-request-remedy")),
        Cause::NoExpiry => (key!("cause-no-expiry"), key!("cause-no-expiry-remedy")),
        Cause::Expired => (key!("cause-expired"), key!("cause-expired-remedy")),
        Cause::NoConditions | Cause::NoAudience => {
            (key!("cause-no-conditions"), key!("cause-no-conditions-remedy"))
        }
        Cause::UnknownCondition => {
            (key!("cause-unknown-condition"), key!("cause-unknown-condition-remedy"))
        }
        Cause::OtherAudience => (key!("cause-other-audience"), key!("cause-other-audience-remedy")),
        Cause::NoAuthnStatement => {
            (key!("cause-no-authn-statement"), key!("cause-no-authn-statement-remedy"))
        }
        Cause::OtherAuthnContext => {
            (key!("cause-other-authn-context"), key!("cause-other-authn-context-remedy"))
        }
        Cause::OldAuthentication => {
            (key!("cause-old-authentication"), key!("cause-old-authentication-remedy"))
        }
        Cause::SessionOver => (key!("cause-session-over"), key!("cause-session-over-remedy")),
        Cause::EmptyNameId => (key!("cause-empty-name-id"), key!("cause-empty-name-id-remedy")),
        Cause::UnreadableNameId => {
            (key!("cause-unreadable-name-id"), key!("cause-unreadable-name-id-remedy"))
        }
        Cause::TransientNameId => {
            (key!("cause-transient-name-id"), key!("cause-transient-name-id-remedy"))
        }
        Cause::UnreadableAttributes => {
            (key!("cause-unreadable-attributes"), key!("cause-unreadable-attributes-remedy"))
        }
        Cause::NoIdentityAttribute => {
            (key!("cause-no-identity-attribute"), key!("cause-no-identity-attribute-remedy"))
        }
        Cause::UnreadableIdentityAttribute => (
            key!("cause-unreadable-identity-attribute"),
            key!("cause-unreadable-identity-attribute-remedy"),
        ),
        Cause::Disagreement => (key!("cause-disagreement"), key!("cause-disagreement-remedy")),
        Cause::Replayed => (key!("cause-replayed"), key!("cause-replayed-remedy")),
        Cause::UnknownUser => (key!("cause-unknown-user"), key!("cause-unknown-user-remedy")),
        Cause::UserDisabled => (key!("cause-user-disabled"), key!("cause-user-disabled-remedy")),
        Cause::OtherBrowser => (key!("cause-other-browser"), key!("cause-other-browser-remedy")),
        Cause::OtherRelayState => {
            (key!("cause-other-relay-state"), key!("cause-other-relay-state-remedy"))
        }
    }
}

/// What to change when a check of a logout message fails.
pub(super) fn advice(check: LogoutCheck) -> Message {
    match check {
        LogoutCheck::Binding | LogoutCheck::Encoding | LogoutCheck::Xml => {
            key!("logout-advice-binding")
        }
        LogoutCheck::Structure => key!("logout-advice-structure"),
        LogoutCheck::UniqueIds => key!("logout-advice-unique-ids"),
        LogoutCheck::Version => key!("logout-advice-version"),
        LogoutCheck::Destination => key!("logout-advice-destination"),
        LogoutCheck::Issuer => key!("logout-advice-issuer"),
        LogoutCheck::Signature => key!("logout-advice-signature"),
        LogoutCheck::IssueInstant | LogoutCheck::NotOnOrAfter => {
            key!("logout-advice-issue-instant")
        }
        LogoutCheck::Decryption => key!("logout-advice-decryption"),
        LogoutCheck::NameId => key!("logout-advice-name-id"),
        LogoutCheck::Replay => key!("logout-advice-replay"),
        LogoutCheck::InResponseTo => key!("logout-advice-in-response-to"),
    }
}
