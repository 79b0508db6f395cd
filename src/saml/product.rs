//! Where identity providers keep their settings, in their own words: what an administrator searches
//! for when a check has failed (SSO-17). Taken from the vendors' manuals.

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
    /// Where the product keeps it, in its own words.
    pub fn place(self, product: Product) -> &'static str {
        match product {
            Product::Entra => self.in_entra(),
            Product::Okta => self.in_okta(),
            Product::AdFs => self.in_ad_fs(),
            Product::Keycloak => self.in_keycloak(),
            Product::Google => self.in_google(),
        }
    }

    fn in_entra(self) -> &'static str {
        match self {
            Self::AcsUrl => {
                "Single sign-on › Basic SAML Configuration › Reply URL (Assertion Consumer \
                 Service URL)"
            }
            Self::Audience => "Single sign-on › Basic SAML Configuration › Identifier (Entity ID)",
            Self::OurMetadata => "Single sign-on › Upload metadata file",
            Self::IdpEntityId => "Single sign-on › Set up › Microsoft Entra Identifier",
            Self::SigningCertificate => {
                "Single sign-on › SAML Certificates › Federation Metadata XML, of the certificate \
                 marked Active"
            }
            Self::SignatureAlgorithm => {
                "Single sign-on › SAML Certificates › Edit › Signing Algorithm"
            }
            Self::SignedParts => "Single sign-on › SAML Certificates › Edit › Signing Option",
            Self::Encryption => "Token encryption › Import Certificate",
            Self::NameId => {
                "Single sign-on › Attributes & Claims › Unique User Identifier (Name ID) › Source \
                 attribute"
            }
            Self::NameIdFormat => {
                "Single sign-on › Attributes & Claims › Unique User Identifier (Name ID) › Name \
                 identifier format"
            }
            Self::Attributes => {
                "Single sign-on › Attributes & Claims › Additional claims, and Add a group claim"
            }
            Self::Lifetime => {
                "A token lifetime policy assigned to the application (PowerShell, Graph)"
            }
            Self::Clock => "Nothing to set there: compare our server's clock with a time server",
            Self::Assignment => "Users and groups › Add user/group",
            Self::AuthnContext | Self::ForceAuthn => {
                "Protection › Conditional Access › Grant, and Session › Sign-in frequency"
            }
            Self::AuthnStatement => "Nothing to set there: it is always sent",
            Self::StartUrl => "Single sign-on › Basic SAML Configuration › Sign on URL (Optional)",
            Self::RelayState => {
                "Single sign-on › Basic SAML Configuration › Relay State (Optional): leave it empty"
            }
        }
    }

    fn in_okta(self) -> &'static str {
        match self {
            Self::AcsUrl => {
                "General › SAML Settings › Single sign-on URL, with “Use this for Recipient URL \
                 and Destination URL”"
            }
            Self::Audience => "General › SAML Settings › Audience URI (SP Entity ID)",
            Self::OurMetadata => "General › SAML Settings › Edit",
            Self::IdpEntityId => "Sign On › SAML 2.0 › More details › Issuer",
            Self::SigningCertificate => {
                "Sign On › SAML Signing Certificates › the Active one › View IdP metadata"
            }
            Self::SignatureAlgorithm => {
                "General › SAML Settings › Show Advanced Settings › Signature Algorithm and Digest \
                 Algorithm"
            }
            Self::SignedParts => {
                "General › SAML Settings › Show Advanced Settings › Response and Assertion Signature"
            }
            Self::Encryption => {
                "General › SAML Settings › Show Advanced Settings › Assertion Encryption, Key \
                 Transport Algorithm and Encryption Certificate"
            }
            Self::NameId => "General › SAML Settings › Application username",
            Self::NameIdFormat => "General › SAML Settings › Name ID format",
            Self::Attributes => {
                "General › SAML Settings › Attribute Statements and Group Attribute Statements"
            }
            Self::Lifetime => "Nothing to set there: assertions hold for five minutes",
            Self::Clock => "Nothing to set there: compare our server's clock with a time server",
            Self::Assignment => "Assignments › Assign",
            Self::AuthnContext => {
                "Sign On › User authentication › Authentication policy, and SAML Settings › Show \
                 Advanced Settings › Authentication context class"
            }
            Self::ForceAuthn => {
                "General › SAML Settings › Show Advanced Settings › Honor Force Authentication"
            }
            Self::AuthnStatement => "Nothing to set there: it is always sent",
            Self::StartUrl => {
                "A Bookmark App with the user login URL, and this application hidden from users"
            }
            Self::RelayState => "General › SAML Settings › Default RelayState: leave it empty",
        }
    }

    fn in_ad_fs(self) -> &'static str {
        match self {
            Self::AcsUrl => {
                "Relying Party Trusts › Properties › Endpoints › SAML Assertion Consumer \
                 Endpoints › POST"
            }
            Self::Audience => {
                "Relying Party Trusts › Properties › Identifiers › Relying party identifiers"
            }
            Self::OurMetadata => "Relying Party Trusts › Update from Federation Metadata",
            Self::IdpEntityId => {
                "Service › Edit Federation Service Properties › Federation Service identifier"
            }
            Self::SigningCertificate => {
                "Service › Certificates › Token-signing, the Primary one; or \
                 /FederationMetadata/2007-06/FederationMetadata.xml"
            }
            Self::SignatureAlgorithm => {
                "Relying Party Trusts › Properties › Advanced › Secure hash algorithm"
            }
            Self::SignedParts => {
                "PowerShell: Set-AdfsRelyingPartyTrust -SamlResponseSignature MessageAndAssertion"
            }
            Self::Encryption => "Relying Party Trusts › Properties › Encryption",
            Self::NameId => {
                "Relying Party Trusts › Edit Claim Issuance Policy › the rule whose outgoing claim \
                 type is Name ID"
            }
            Self::NameIdFormat => {
                "Relying Party Trusts › Edit Claim Issuance Policy › a Transform rule › Outgoing \
                 name ID format"
            }
            Self::Attributes => {
                "Relying Party Trusts › Edit Claim Issuance Policy › Send LDAP Attributes as Claims"
            }
            Self::Lifetime => "PowerShell: Set-AdfsRelyingPartyTrust -TokenLifetime",
            Self::Clock => {
                "On each federation server: w32tm /query /status; and Set-AdfsRelyingPartyTrust \
                 -NotBeforeSkew"
            }
            Self::Assignment => "Relying Party Trusts › Edit Access Control Policy",
            Self::AuthnContext => "Service › Authentication Methods, and Access Control Policies",
            Self::ForceAuthn => {
                "PowerShell: Set-AdfsRelyingPartyTrust -AlwaysRequireAuthentication"
            }
            Self::AuthnStatement => "Nothing to set there: it is always sent",
            Self::StartUrl => {
                "Give people the user login URL instead of /adfs/ls/idpinitiatedsignon.aspx"
            }
            Self::RelayState => "Leave RelayState out of addresses made for sign-in begun there",
        }
    }

    fn in_keycloak(self) -> &'static str {
        match self {
            Self::AcsUrl => {
                "Clients › Advanced › Assertion Consumer Service POST Binding URL, and Settings › \
                 Valid redirect URIs"
            }
            Self::Audience => "Clients › Settings › Client ID",
            Self::OurMetadata => "Clients › Import client",
            Self::IdpEntityId => {
                "The realm's address, https://…/realms/NAME: check Realm settings › Frontend URL"
            }
            Self::SigningCertificate => {
                "Realm settings › Endpoints › SAML 2.0 Identity Provider Metadata, and Realm \
                 settings › Keys"
            }
            Self::SignatureAlgorithm => {
                "Clients › Settings › Signature and Encryption › Signature algorithm: RSA_SHA256"
            }
            Self::SignedParts => {
                "Clients › Settings › Signature and Encryption › Sign documents, Sign assertions"
            }
            Self::Encryption => "Clients › Keys › Encrypt assertions",
            Self::NameId => {
                "Clients › Settings › Name ID format: username; or Client scopes › dedicated › a \
                 mapper of type User Attribute Mapper For NameID"
            }
            Self::NameIdFormat => "Clients › Settings › Name ID format, with Force name ID format",
            Self::Attributes => "Clients › Client scopes › dedicated › Add mapper",
            Self::Lifetime => "Clients › Advanced › Assertion Lifespan",
            Self::Clock => "The time service of the host, and of its virtual machine or container",
            Self::Assignment | Self::AuthnContext => {
                "Authentication › the browser flow bound to the client"
            }
            Self::ForceAuthn => "Authentication › the browser flow: it has to honour ForceAuthn",
            Self::AuthnStatement => {
                "Clients › Settings › SAML capabilities › Include AuthnStatement"
            }
            Self::StartUrl => "Clients › Settings › Home URL: the user login URL",
            Self::RelayState => {
                "Clients › Settings › IDP Initiated SSO Relay State: leave it empty"
            }
        }
    }

    fn in_google(self) -> &'static str {
        match self {
            Self::AcsUrl => "Apps › Web and mobile apps › Service provider details › ACS URL",
            Self::Audience => "Apps › Web and mobile apps › Service provider details › Entity ID",
            Self::OurMetadata => "Apps › Web and mobile apps › Service provider details",
            Self::IdpEntityId => "Apps › Web and mobile apps › Download metadata › Entity ID",
            Self::SigningCertificate => {
                "Apps › Web and mobile apps › Service provider details › Certificate, and Download \
                 metadata"
            }
            Self::SignatureAlgorithm => "Nothing to set there: it signs with RSA and SHA-256",
            Self::SignedParts => {
                "Apps › Web and mobile apps › Service provider details › Signed response"
            }
            Self::Encryption => "Not offered there: remove our encryption key",
            Self::NameId => "Apps › Web and mobile apps › Service provider details › Name ID",
            Self::NameIdFormat => {
                "Apps › Web and mobile apps › Service provider details › Name ID format"
            }
            Self::Attributes => {
                "Apps › Web and mobile apps › SAML attribute mapping, and Group membership"
            }
            Self::Lifetime => "Nothing to set there: assertions hold for five minutes",
            Self::Clock => "Nothing to set there: compare our server's clock with a time server",
            Self::Assignment => "Apps › Web and mobile apps › User access › ON",
            Self::AuthnContext => "Not offered there: demand no authentication context here",
            Self::ForceAuthn => "Not offered there: do not demand it here",
            Self::AuthnStatement => "Nothing to set there: it is always sent",
            Self::StartUrl | Self::RelayState => {
                "Apps › Web and mobile apps › Service provider details › Start URL: leave it empty"
            }
        }
    }
}
