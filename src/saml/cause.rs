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

/// What is wrong, what to do, and where at the identity provider.
type Words = (&'static str, &'static str, Option<Setting>);

impl Cause {
    /// The stable name, as it is stored.
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// What is wrong, in a sentence.
    pub fn what(self) -> &'static str {
        self.words().0
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        self.words().1
    }

    /// Which field of the identity provider it is about, if it is one.
    pub fn setting(self) -> Option<Setting> {
        self.words().2
    }

    fn words(self) -> Words {
        match self {
            Self::NotBase64
            | Self::TooLarge
            | Self::NotUtf8
            | Self::NotXml
            | Self::ForbiddenXml
            | Self::NotAResponse
            | Self::OlderSaml
            | Self::UnknownParts
            | Self::NoNameId
            | Self::EncryptedNameId
            | Self::DuplicateIds => self.of_the_message(),
            Self::OtherDestination
            | Self::NoDestination
            | Self::OtherIssuer
            | Self::NoIssuer
            | Self::RequestRefused
            | Self::IdentityProviderFailed
            | Self::AuthenticationFailed
            | Self::AuthnContextNotOffered
            | Self::NameIdFormatNotOffered
            | Self::PersonRefused
            | Self::NoAssertion
            | Self::SeveralAssertions => self.of_the_response(),
            Self::EncryptionOff
            | Self::EncryptedForAnother
            | Self::EncryptionAlgorithm
            | Self::EncryptionNotSigned
            | Self::EncryptionForm
            | Self::NotSigned
            | Self::OtherCertificate
            | Self::WeakAlgorithm
            | Self::OtherKeyType
            | Self::ContentChanged
            | Self::SignatureForm
            | Self::NoCertificate
            | Self::Disagreement => self.of_the_keys(),
            Self::ClockAhead
            | Self::TooOld
            | Self::NotBearer
            | Self::OtherRecipient
            | Self::Unsolicited
            | Self::OtherRequest
            | Self::NoExpiry
            | Self::Expired
            | Self::NoConditions
            | Self::UnknownCondition
            | Self::NotYetValid
            | Self::NoAudience
            | Self::OtherAudience
            | Self::NoAuthnStatement
            | Self::OtherAuthnContext
            | Self::OldAuthentication
            | Self::SessionOver => self.of_the_assertion(),
            Self::EmptyNameId
            | Self::UnreadableNameId
            | Self::TransientNameId
            | Self::NoIdentityAttribute
            | Self::UnreadableIdentityAttribute
            | Self::Replayed
            | Self::UnknownUser
            | Self::UserDisabled
            | Self::OtherBrowser
            | Self::OtherRelayState => self.of_the_person(),
        }
    }

    fn of_the_message(self) -> Words {
        match self {
            Self::NotBase64 => (
                "What came in the field SAMLResponse is not base64.",
                "Something between the identity provider and here changes the form, or another \
                 binding is used. Send responses by the HTTP-POST binding, unchanged.",
                Some(Setting::AcsUrl),
            ),
            Self::TooLarge => (
                "The response is larger than 400 KiB.",
                "Send fewer attributes; most often it is a list of groups.",
                Some(Setting::Attributes),
            ),
            Self::NotUtf8 => (
                "The response is not written in UTF-8.",
                "Have the identity provider write its messages in UTF-8.",
                None,
            ),
            Self::NotXml => (
                "The response is not well-formed XML, or arrived cut short.",
                "Look at what the identity provider's own log says it sent; something in between \
                 may limit the size of forms.",
                None,
            ),
            Self::ForbiddenXml => (
                "The response holds a document type, comments, CDATA or processing instructions.",
                "No identity provider of repute writes those into a response, and they have been \
                 used in attacks. Find out what adds them.",
                None,
            ),
            Self::NotAResponse => (
                "The message is not a SAML response.",
                "This address takes sign-in responses only. A logout message belongs to the \
                 single logout URL.",
                Some(Setting::AcsUrl),
            ),
            Self::OlderSaml => (
                "The message is of another version of SAML than 2.0.",
                "Set the application up for SAML 2.0 at the identity provider.",
                None,
            ),
            Self::NoNameId => (
                "The assertion does not name the person: there is no NameID.",
                "Have the identity provider send a NameID that equals the user name here.",
                Some(Setting::NameId),
            ),
            Self::EncryptedNameId => (
                "The name identifier is encrypted by itself.",
                "Encrypt the whole assertion instead, or nothing.",
                Some(Setting::Encryption),
            ),
            Self::DuplicateIds => (
                "Two elements of the response carry the same ID.",
                "This is how forged messages are built. Treat it as an attack until the identity \
                 provider's log shows that it sent this.",
                None,
            ),
            _ => (
                "The response has parts that do not belong to a sign-in.",
                "Use the Web Browser SSO profile of SAML 2.0, without extensions.",
                None,
            ),
        }
    }

    fn of_the_response(self) -> Words {
        match self {
            Self::OtherDestination => (
                "The response was sent to another address than ours.",
                "Set the assertion consumer service URL at the identity provider to exactly the \
                 wanted value.",
                Some(Setting::AcsUrl),
            ),
            Self::NoDestination => (
                "The response is signed and does not say to which address it was sent.",
                "Have the identity provider write the Destination, or sign the assertion only.",
                Some(Setting::AcsUrl),
            ),
            Self::OtherIssuer => (
                "The response comes from another identity provider than the configured one.",
                "Compare the two entity IDs character by character; then give the current \
                 metadata of the right identity provider here, or have people use the right one.",
                Some(Setting::IdpEntityId),
            ),
            Self::NoIssuer => (
                "The response is signed and does not say who sends it.",
                "Have the identity provider write the Issuer, or sign the assertion only.",
                Some(Setting::IdpEntityId),
            ),
            Self::RequestRefused => (
                "The identity provider holds our request for wrong.",
                "Most often it does not know our entity ID or our assertion consumer service URL, \
                 or it wants requests signed. Give it our current metadata.",
                Some(Setting::OurMetadata),
            ),
            Self::AuthenticationFailed => (
                "The person did not authenticate at the identity provider.",
                "Let them try again; the identity provider's log says what failed.",
                None,
            ),
            Self::AuthnContextNotOffered => (
                "The identity provider does not offer the way to authenticate that is demanded \
                 here.",
                "Offer it there, or change which ways the settings here demand.",
                Some(Setting::AuthnContext),
            ),
            Self::NameIdFormatNotOffered => (
                "The identity provider does not offer the format of the name identifier that is \
                 asked for.",
                "Ask for none in the settings of requests here, or set the format there.",
                Some(Setting::NameIdFormat),
            ),
            Self::PersonRefused => (
                "The identity provider does not let this person use this application.",
                "Assign the application to the person, or to a group of theirs.",
                Some(Setting::Assignment),
            ),
            Self::NoAssertion => (
                "The response says that sign-in succeeded, and brings no assertion.",
                "Have the identity provider send one assertion by the HTTP-POST binding.",
                None,
            ),
            Self::SeveralAssertions => (
                "The response brings more than one assertion.",
                "Have the identity provider send exactly one.",
                None,
            ),
            _ => (
                "The identity provider could not answer.",
                "Its own log says why; the status beside the check repeats what it told us.",
                None,
            ),
        }
    }

    fn of_the_keys(self) -> Words {
        match self {
            Self::EncryptionOff => (
                "The assertion is encrypted, and this space has no encryption key.",
                "Make an encryption key here and give the identity provider our new metadata; or \
                 turn assertion encryption off there.",
                Some(Setting::Encryption),
            ),
            Self::EncryptedForAnother => (
                "The assertion is encrypted for a key that is not here, or was damaged.",
                "Give the identity provider our current metadata, so that it encrypts for a key \
                 that is here.",
                Some(Setting::Encryption),
            ),
            Self::EncryptionAlgorithm => (
                "The assertion is encrypted with an algorithm that is not safe.",
                "Use AES-GCM for the assertion and RSA-OAEP for its key.",
                Some(Setting::Encryption),
            ),
            Self::EncryptionNotSigned => (
                "The assertion is encrypted with AES-CBC, and the response around it is not signed.",
                "Use AES-GCM, or have the identity provider sign the response too.",
                Some(Setting::SignedParts),
            ),
            Self::EncryptionForm => (
                "What was encrypted is not built as an assertion is.",
                "Encrypt one whole assertion, as SAML 2.0 describes it.",
                Some(Setting::Encryption),
            ),
            Self::NotSigned => (
                "Neither the response nor the assertion is signed.",
                "Have the identity provider sign the assertion or the response.",
                Some(Setting::SignedParts),
            ),
            Self::OtherCertificate => (
                "The signature was made by a key that is not configured here.",
                "Give the identity provider's current metadata or signing certificate here. If \
                 the certificates agree, somebody else answers in its name.",
                Some(Setting::SigningCertificate),
            ),
            Self::WeakAlgorithm => (
                "The signature uses an algorithm that is not accepted; SHA-1 for instance.",
                "Sign with RSA or ECDSA and SHA-256 or better.",
                Some(Setting::SignatureAlgorithm),
            ),
            Self::OtherKeyType => (
                "The signature is of another kind, RSA or ECDSA, than every configured certificate.",
                "Give the identity provider's current signing certificate here.",
                Some(Setting::SigningCertificate),
            ),
            Self::ContentChanged => (
                "The content is not what was signed.",
                "Something changed the message after it was signed: a proxy that rewrites \
                 addresses, a page that reformats the XML, or an attacker.",
                None,
            ),
            Self::NoCertificate => (
                "There is no certificate here to verify the signature with.",
                "Give the identity provider's metadata or signing certificate here.",
                Some(Setting::SigningCertificate),
            ),
            Self::Disagreement => (
                "Two independent implementations disagree about this message.",
                "Treat it as an attack until it is explained, and report it.",
                None,
            ),
            _ => (
                "The signature has another form than SAML allows.",
                "An enveloped signature with exclusive canonicalisation, which refers to the \
                 element that it stands in, is what SAML 2.0 wants.",
                Some(Setting::SignedParts),
            ),
        }
    }

    fn of_the_assertion(self) -> Words {
        match self {
            Self::ClockAhead | Self::NotYetValid => (
                "The response was made in the future: the identity provider's clock is ahead of \
                 ours.",
                "Compare both clocks with a time server, and correct the wrong one.",
                Some(Setting::Clock),
            ),
            Self::TooOld => (
                "The response was made too long ago: the identity provider's clock is behind \
                 ours, or an old response was sent.",
                "Compare both clocks with a time server, and correct the wrong one.",
                Some(Setting::Clock),
            ),
            Self::NotBearer => (
                "The subject is not confirmed in the one way we accept: one bearer confirmation.",
                "Use the Web Browser SSO profile, with exactly one subject confirmation of method \
                 bearer and without NotBefore.",
                None,
            ),
            Self::OtherRecipient => (
                "The assertion is meant for another address than ours.",
                "Set the recipient, which is the assertion consumer service URL, to exactly the \
                 wanted value.",
                Some(Setting::AcsUrl),
            ),
            Self::Unsolicited => (
                "The response answers no request: sign-in began at the identity provider.",
                "Begin at the user login URL; or allow sign-in that begins at the identity \
                 provider, in the settings of responses here.",
                Some(Setting::StartUrl),
            ),
            Self::OtherRequest => (
                "The response answers another request, or one that was answered or has expired.",
                "Begin again at the user login URL, and come back within ten minutes.",
                Some(Setting::StartUrl),
            ),
            Self::NoExpiry => (
                "The subject confirmation does not say until when it holds.",
                "Have the identity provider write NotOnOrAfter into SubjectConfirmationData.",
                Some(Setting::Lifetime),
            ),
            Self::Expired => (
                "The assertion has expired.",
                "Compare the clocks; if they agree, lengthen the validity of assertions.",
                Some(Setting::Lifetime),
            ),
            Self::NoConditions | Self::NoAudience => (
                "The assertion does not say for whom it is meant.",
                "Have the identity provider restrict the audience to our entity ID.",
                Some(Setting::Audience),
            ),
            Self::OtherAudience => (
                "The assertion is meant for another service provider.",
                "Set the audience, which is our entity ID, to exactly the wanted value.",
                Some(Setting::Audience),
            ),
            Self::NoAuthnStatement => (
                "The assertion does not say that the person authenticated.",
                "Have the identity provider include an authentication statement.",
                Some(Setting::AuthnStatement),
            ),
            Self::OtherAuthnContext => (
                "The person authenticated in another way than is demanded here.",
                "Have the identity provider demand it of people and say so in \
                 AuthnContextClassRef; or change which ways the settings here demand.",
                Some(Setting::AuthnContext),
            ),
            Self::OldAuthentication => (
                "The person did not authenticate anew, which is demanded here.",
                "Let the identity provider honour ForceAuthn, or do not demand it here.",
                Some(Setting::ForceAuthn),
            ),
            Self::SessionOver => (
                "The session at the identity provider is over.",
                "Sign in there again; if it stays, compare the clocks.",
                Some(Setting::Clock),
            ),
            _ => (
                "The assertion holds a condition that we do not know and cannot keep.",
                "Use only the conditions that SAML 2.0 defines.",
                None,
            ),
        }
    }

    fn of_the_person(self) -> Words {
        match self {
            Self::EmptyNameId => (
                "The name identifier is empty.",
                "The person lacks the value that the identity provider sends as name identifier. \
                 Fill it in, or choose another one.",
                Some(Setting::NameId),
            ),
            Self::UnreadableNameId => (
                "The name identifier is longer than 512 characters or holds control characters.",
                "Send the user name, one line of text, as name identifier.",
                Some(Setting::NameId),
            ),
            Self::TransientNameId => (
                "The name identifier is transient: it is another one each time.",
                "Choose another format there; or name an attribute that carries the user name, \
                 in the settings of responses here.",
                Some(Setting::NameIdFormat),
            ),
            Self::NoIdentityAttribute => (
                "The attribute that is to carry the user name is missing.",
                "Have the identity provider send it, by exactly the wanted name.",
                Some(Setting::Attributes),
            ),
            Self::UnreadableIdentityAttribute => (
                "The attribute that is to carry the user name has several values, or none that \
                 can be a name.",
                "Send exactly one value, one line of text.",
                Some(Setting::Attributes),
            ),
            Self::Replayed => (
                "The same assertion came before.",
                "Sign in again. If nobody sent the form twice, treat it as an attack.",
                None,
            ),
            Self::UnknownUser => (
                "No user of the directory has this name.",
                "Let the identity provider send the user name as it stands in the directory; or \
                 have the directory push this person here.",
                Some(Setting::NameId),
            ),
            Self::UserDisabled => (
                "The user is disabled here.",
                "Enable the user, in the directory that pushes them or by hand.",
                None,
            ),
            Self::OtherBrowser => (
                "Sign-in ended in another browser than it began in, or too late.",
                "Begin again at the user login URL, with cookies allowed.",
                None,
            ),
            _ => (
                "The identity provider returned another RelayState than it was sent.",
                "Have it return RelayState unchanged; a fixed one that is configured there has to \
                 go.",
                Some(Setting::RelayState),
            ),
        }
    }
}
