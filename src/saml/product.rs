//! Where identity providers keep their settings, in their own words: what an administrator searches
//! for when a check has failed (SSO-17). Taken from the vendors' manuals.

mod places;

use serde::{Deserialize, Serialize};

/// A product that people sign in at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Product {
    /// Microsoft Entra ID.
    Entra,
    /// Okta Workforce Identity.
    Okta,
    /// Microsoft Active Directory Federation Services.
    AdFs,
    /// Keycloak.
    Keycloak,
    /// Google Workspace.
    Google,
}

impl Product {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::Entra, Self::Okta, Self::AdFs, Self::Keycloak, Self::Google];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entra => "Microsoft Entra ID",
            Self::Okta => "Okta",
            Self::AdFs => "AD FS",
            Self::Keycloak => "Keycloak",
            Self::Google => "Google Workspace",
        }
    }

    /// The product that an entity id gives away, if it does. A guess, and shown as one.
    pub fn of_entity_id(entity_id: &str) -> Option<Self> {
        let id = entity_id.to_ascii_lowercase();
        let holds = |part: &str| id.contains(part);
        if holds("sts.windows.net/") || holds("login.microsoftonline.") {
            Some(Self::Entra)
        } else if holds("okta.com/") || holds("oktapreview.com/") || holds("okta-emea.com/") {
            Some(Self::Okta)
        } else if holds("/adfs/services/trust") {
            Some(Self::AdFs)
        } else if holds("accounts.google.com/o/saml2") {
            Some(Self::Google)
        } else if holds("/realms/") {
            Some(Self::Keycloak)
        } else {
            None
        }
    }
}

/// A field of an identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// Which protocol, and which version of it.
    Protocol,
    /// Our assertion consumer service URL.
    AcsUrl,
    /// Our entity id.
    Audience,
    /// Our metadata as a whole.
    OurMetadata,
    /// Its entity id.
    IdpEntityId,
    /// The certificate that it signs with.
    SigningCertificate,
    /// The algorithm that it signs with.
    SignatureAlgorithm,
    /// How what it signs is written out for that.
    Canonicalization,
    /// What it signs: response, assertion, both.
    SignedParts,
    /// Encryption of assertions.
    Encryption,
    /// The value of the name identifier.
    NameId,
    /// The format of the name identifier.
    NameIdFormat,
    /// Which attributes it sends.
    Attributes,
    /// How long an assertion holds.
    Lifetime,
    /// The time.
    Clock,
    /// Who may use the application.
    Assignment,
    /// How people authenticate.
    AuthnContext,
    /// Whether people authenticate anew.
    ForceAuthn,
    /// The authentication statement.
    AuthnStatement,
    /// Where people begin.
    StartUrl,
    /// The `RelayState`.
    RelayState,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Protocol,
        Self::AcsUrl,
        Self::Audience,
        Self::OurMetadata,
        Self::IdpEntityId,
        Self::SigningCertificate,
        Self::SignatureAlgorithm,
        Self::Canonicalization,
        Self::SignedParts,
        Self::Encryption,
        Self::NameId,
        Self::NameIdFormat,
        Self::Attributes,
        Self::Lifetime,
        Self::Clock,
        Self::Assignment,
        Self::AuthnContext,
        Self::ForceAuthn,
        Self::AuthnStatement,
        Self::StartUrl,
        Self::RelayState,
    ];

    /// Where the product keeps it.
    pub fn place(self, product: Product) -> Place {
        match product {
            Product::Entra => places::in_entra(self),
            Product::Okta => places::in_okta(self),
            Product::AdFs => places::in_ad_fs(self),
            Product::Keycloak => places::in_keycloak(self),
            Product::Google => places::in_google(self),
        }
    }
}

/// Where a product keeps a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The ways to it through the product's pages, in the words that stand there; none where the
    /// product has no such setting.
    pub ways: &'static [&'static str],
    /// What to do there or instead, where the way does not say it.
    pub advice: Option<Advice>,
}

/// What to do where a product keeps a setting, or has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Advice {
    /// It speaks SAML 2.0 alone.
    OnlyThisVersion,
    /// What is asked for is always sent.
    AlwaysSent,
    /// The canonicalisation is always the exclusive one.
    AlwaysExclusive,
    /// It signs with RSA and SHA-256 always.
    AlwaysSha256,
    /// Assertions hold for five minutes.
    AlwaysFiveMinutes,
    /// Its clock is right: compare ours.
    CompareOurClock,
    /// Its clock is the one of its host.
    ClockOfItsHost,
    /// Take the certificate that is in use.
    CertificateInUse,
    /// The field has to be empty.
    LeaveEmpty,
    /// It does not encrypt.
    RemoveOurEncryptionKey,
    /// It honours no demand of a context.
    DemandNoContext,
    /// It honours no demand to authenticate anew.
    DemandNothingAnew,
    /// Have people begin at our address.
    GiveOurAddress,
    /// Hide the application, and offer a link to our address.
    HideAndLink,
    /// It honours the demand only where its flow does.
    HonourTheDemand,
}
