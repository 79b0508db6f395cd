//! The tables: where each product keeps each [`Setting`]. A way is written as a person clicks it, in
//! the product's own English; what no page says is an [`Advice`].

use super::{Advice, Place, Setting};

const fn at(ways: &'static [&'static str]) -> Place {
    Place { ways, advice: None }
}

const fn nowhere(advice: Advice) -> Place {
    Place { ways: &[], advice: Some(advice) }
}

impl Place {
    const fn then(self, advice: Advice) -> Self {
        Self { ways: self.ways, advice: Some(advice) }
    }
}

pub(super) fn in_entra(setting: Setting) -> Place {
    match setting {
        // The version is not on the application's pages: a policy of its own sets it (Microsoft
        // Graph, tokenIssuancePolicy).
        Setting::Protocol => at(&[
            "Single sign-on › Select a single sign-on method › SAML",
            "Microsoft Graph: tokenIssuancePolicy › SamlTokenVersion",
        ]),
        Setting::AcsUrl => at(&[
            "Single sign-on › Basic SAML Configuration › Reply URL (Assertion Consumer Service URL)",
        ]),
        Setting::Audience => {
            at(&["Single sign-on › Basic SAML Configuration › Identifier (Entity ID)"])
        }
        Setting::OurMetadata => at(&["Single sign-on › Upload metadata file"]),
        Setting::IdpEntityId => at(&["Single sign-on › Set up › Microsoft Entra Identifier"]),
        Setting::SigningCertificate => {
            at(&["Single sign-on › SAML Certificates › Federation Metadata XML"])
                .then(Advice::CertificateInUse)
        }
        Setting::SignatureAlgorithm => {
            at(&["Single sign-on › SAML Certificates › Edit › Signing Algorithm"])
        }
        Setting::Canonicalization => nowhere(Advice::AlwaysExclusive),
        Setting::SignedParts => at(&["Single sign-on › SAML Certificates › Edit › Signing Option"]),
        Setting::Encryption => at(&["Token encryption › Import Certificate"]),
        Setting::NameId => at(&[
            "Single sign-on › Attributes & Claims › Unique User Identifier (Name ID) › Source \
             attribute",
        ]),
        Setting::NameIdFormat => {
            at(&["Single sign-on › Attributes & Claims › Unique User Identifier (Name ID) › Name \
             identifier format"])
        }
        Setting::Attributes => at(&[
            "Single sign-on › Attributes & Claims › Additional claims",
            "Single sign-on › Attributes & Claims › Add a group claim",
        ]),
        Setting::Lifetime => at(&["Microsoft Graph: tokenLifetimePolicy"]),
        Setting::Clock => nowhere(Advice::CompareOurClock),
        Setting::Assignment => at(&["Users and groups › Add user/group"]),
        Setting::AuthnContext => at(&["Protection › Conditional Access › Grant"]),
        Setting::ForceAuthn => {
            at(&["Protection › Conditional Access › Session › Sign-in frequency"])
        }
        Setting::AuthnStatement => nowhere(Advice::AlwaysSent),
        Setting::StartUrl => {
            at(&["Single sign-on › Basic SAML Configuration › Sign on URL (Optional)"])
                .then(Advice::GiveOurAddress)
        }
        Setting::RelayState => {
            at(&["Single sign-on › Basic SAML Configuration › Relay State (Optional)"])
                .then(Advice::LeaveEmpty)
        }
    }
}

pub(super) fn in_okta(setting: Setting) -> Place {
    match setting {
        Setting::Protocol => at(&["Create App Integration › Sign-in method › SAML 2.0"]),
        Setting::AcsUrl => at(&[
            "General › SAML Settings › Single sign-on URL",
            "General › SAML Settings › Use this for Recipient URL and Destination URL",
        ]),
        Setting::Audience => at(&["General › SAML Settings › Audience URI (SP Entity ID)"]),
        Setting::OurMetadata => at(&["General › SAML Settings › Edit"]),
        Setting::IdpEntityId => at(&["Sign On › SAML 2.0 › More details › Issuer"]),
        Setting::SigningCertificate => {
            at(&["Sign On › SAML Signing Certificates › Actions › View IdP metadata"])
                .then(Advice::CertificateInUse)
        }
        Setting::SignatureAlgorithm => at(&[
            "General › SAML Settings › Show Advanced Settings › Signature Algorithm",
            "General › SAML Settings › Show Advanced Settings › Digest Algorithm",
        ]),
        Setting::Canonicalization => nowhere(Advice::AlwaysExclusive),
        Setting::SignedParts => at(&[
            "General › SAML Settings › Show Advanced Settings › Response",
            "General › SAML Settings › Show Advanced Settings › Assertion Signature",
        ]),
        Setting::Encryption => at(&[
            "General › SAML Settings › Show Advanced Settings › Assertion Encryption",
            "General › SAML Settings › Show Advanced Settings › Key Transport Algorithm",
            "General › SAML Settings › Show Advanced Settings › Encryption Certificate",
        ]),
        Setting::NameId => at(&["General › SAML Settings › Application username"]),
        Setting::NameIdFormat => at(&["General › SAML Settings › Name ID format"]),
        Setting::Attributes => at(&[
            "General › SAML Settings › Attribute Statements",
            "General › SAML Settings › Group Attribute Statements",
        ]),
        Setting::Lifetime => nowhere(Advice::AlwaysFiveMinutes),
        Setting::Clock => nowhere(Advice::CompareOurClock),
        Setting::Assignment => at(&["Assignments › Assign"]),
        Setting::AuthnContext => at(&[
            "Sign On › User authentication › Authentication policy",
            "General › SAML Settings › Show Advanced Settings › Authentication context class",
        ]),
        Setting::ForceAuthn => {
            at(&["General › SAML Settings › Show Advanced Settings › Honor Force Authentication"])
        }
        Setting::AuthnStatement => nowhere(Advice::AlwaysSent),
        Setting::StartUrl => at(&[
            "Browse App Catalog › Bookmark App",
            "General › App Settings › Application visibility",
        ])
        .then(Advice::HideAndLink),
        Setting::RelayState => {
            at(&["General › SAML Settings › Default RelayState"]).then(Advice::LeaveEmpty)
        }
    }
}

pub(super) fn in_ad_fs(setting: Setting) -> Place {
    match setting {
        Setting::Protocol => at(&[
            "Add Relying Party Trust › Configure URL › Enable support for the SAML 2.0 WebSSO \
             protocol",
        ]),
        Setting::AcsUrl => at(&[
            "Relying Party Trusts › Properties › Endpoints › SAML Assertion Consumer Endpoints › \
             POST",
        ]),
        Setting::Audience => {
            at(&["Relying Party Trusts › Properties › Identifiers › Relying party identifiers"])
        }
        Setting::OurMetadata => at(&["Relying Party Trusts › Update from Federation Metadata"]),
        Setting::IdpEntityId => {
            at(&["Service › Edit Federation Service Properties › Federation Service identifier"])
        }
        Setting::SigningCertificate => at(&[
            "Service › Certificates › Token-signing › Primary",
            "/FederationMetadata/2007-06/FederationMetadata.xml",
        ])
        .then(Advice::CertificateInUse),
        Setting::SignatureAlgorithm => {
            at(&["Relying Party Trusts › Properties › Advanced › Secure hash algorithm"])
        }
        Setting::Canonicalization => nowhere(Advice::AlwaysExclusive),
        Setting::SignedParts => at(&[
            "PowerShell: Set-AdfsRelyingPartyTrust -SamlResponseSignature MessageAndAssertion",
        ]),
        Setting::Encryption => at(&["Relying Party Trusts › Properties › Encryption"]),
        Setting::NameId => at(&[
            "Relying Party Trusts › Edit Claim Issuance Policy › Outgoing claim type: Name ID",
        ]),
        Setting::NameIdFormat => at(&[
            "Relying Party Trusts › Edit Claim Issuance Policy › Transform an Incoming Claim › \
             Outgoing name ID format",
        ]),
        Setting::Attributes => at(&[
            "Relying Party Trusts › Edit Claim Issuance Policy › Send LDAP Attributes as Claims",
        ]),
        Setting::Lifetime => at(&["PowerShell: Set-AdfsRelyingPartyTrust -TokenLifetime"]),
        Setting::Clock => {
            at(&["w32tm /query /status", "PowerShell: Set-AdfsRelyingPartyTrust -NotBeforeSkew"])
                .then(Advice::ClockOfItsHost)
        }
        Setting::Assignment => at(&["Relying Party Trusts › Edit Access Control Policy"]),
        Setting::AuthnContext => {
            at(&["Service › Authentication Methods", "Access Control Policies"])
        }
        Setting::ForceAuthn => {
            at(&["PowerShell: Set-AdfsRelyingPartyTrust -AlwaysRequireAuthentication"])
        }
        Setting::AuthnStatement => nowhere(Advice::AlwaysSent),
        Setting::StartUrl => at(&["/adfs/ls/idpinitiatedsignon.aspx"]).then(Advice::GiveOurAddress),
        Setting::RelayState => {
            at(&["/adfs/ls/idpinitiatedsignon.aspx?RelayState="]).then(Advice::LeaveEmpty)
        }
    }
}

pub(super) fn in_keycloak(setting: Setting) -> Place {
    match setting {
        Setting::Protocol => at(&["Clients › Create client › Client type: SAML"]),
        Setting::AcsUrl => at(&[
            "Clients › Advanced › Assertion Consumer Service POST Binding URL",
            "Clients › Settings › Valid redirect URIs",
        ]),
        Setting::Audience => at(&["Clients › Settings › Client ID"]),
        Setting::OurMetadata => at(&["Clients › Import client"]),
        Setting::IdpEntityId => at(&["Realm settings › General › Frontend URL"]),
        Setting::SigningCertificate => at(&[
            "Realm settings › General › Endpoints › SAML 2.0 Identity Provider Metadata",
            "Realm settings › Keys",
        ])
        .then(Advice::CertificateInUse),
        Setting::SignatureAlgorithm => {
            at(&["Clients › Settings › Signature and Encryption › Signature algorithm: RSA_SHA256"])
        }
        Setting::Canonicalization => at(&[
            "Clients › Settings › Signature and Encryption › Canonicalization method: EXCLUSIVE",
        ]),
        Setting::SignedParts => at(&[
            "Clients › Settings › Signature and Encryption › Sign documents",
            "Clients › Settings › Signature and Encryption › Sign assertions",
        ]),
        Setting::Encryption => at(&["Clients › Keys › Encrypt assertions"]),
        Setting::NameId => at(&[
            "Clients › Settings › Name ID format: username",
            "Clients › Client scopes › dedicated › Add mapper › User Attribute Mapper For NameID",
        ]),
        Setting::NameIdFormat => at(&[
            "Clients › Settings › Name ID format",
            "Clients › Settings › Force name ID format",
        ]),
        Setting::Attributes => at(&["Clients › Client scopes › dedicated › Add mapper"]),
        Setting::Lifetime => at(&["Clients › Advanced › Assertion Lifespan"]),
        Setting::Clock => nowhere(Advice::ClockOfItsHost),
        Setting::Assignment | Setting::AuthnContext => {
            at(&["Clients › Advanced › Authentication flow overrides › Browser Flow"])
        }
        Setting::ForceAuthn => {
            at(&["Clients › Advanced › Authentication flow overrides › Browser Flow"])
                .then(Advice::HonourTheDemand)
        }
        Setting::AuthnStatement => {
            at(&["Clients › Settings › SAML capabilities › Include AuthnStatement"])
        }
        Setting::StartUrl => at(&["Clients › Settings › Home URL"]).then(Advice::GiveOurAddress),
        Setting::RelayState => {
            at(&["Clients › Settings › IDP Initiated SSO Relay State"]).then(Advice::LeaveEmpty)
        }
    }
}

pub(super) fn in_google(setting: Setting) -> Place {
    match setting {
        Setting::Protocol => nowhere(Advice::OnlyThisVersion),
        Setting::AcsUrl => at(&["Apps › Web and mobile apps › Service provider details › ACS URL"]),
        Setting::Audience => {
            at(&["Apps › Web and mobile apps › Service provider details › Entity ID"])
        }
        Setting::OurMetadata => at(&["Apps › Web and mobile apps › Service provider details"]),
        Setting::IdpEntityId => at(&["Apps › Web and mobile apps › Download metadata › Entity ID"]),
        Setting::SigningCertificate => at(&[
            "Apps › Web and mobile apps › Service provider details › Certificate",
            "Apps › Web and mobile apps › Download metadata",
        ])
        .then(Advice::CertificateInUse),
        Setting::SignatureAlgorithm => nowhere(Advice::AlwaysSha256),
        Setting::Canonicalization => nowhere(Advice::AlwaysExclusive),
        Setting::SignedParts => {
            at(&["Apps › Web and mobile apps › Service provider details › Signed response"])
        }
        Setting::Encryption => nowhere(Advice::RemoveOurEncryptionKey),
        Setting::NameId => at(&["Apps › Web and mobile apps › Service provider details › Name ID"]),
        Setting::NameIdFormat => {
            at(&["Apps › Web and mobile apps › Service provider details › Name ID format"])
        }
        Setting::Attributes => at(&[
            "Apps › Web and mobile apps › SAML attribute mapping › Attributes",
            "Apps › Web and mobile apps › SAML attribute mapping › Group membership",
        ]),
        Setting::Lifetime => nowhere(Advice::AlwaysFiveMinutes),
        Setting::Clock => nowhere(Advice::CompareOurClock),
        Setting::Assignment => at(&["Apps › Web and mobile apps › User access › ON"]),
        Setting::AuthnContext => nowhere(Advice::DemandNoContext),
        Setting::ForceAuthn => nowhere(Advice::DemandNothingAnew),
        Setting::AuthnStatement => nowhere(Advice::AlwaysSent),
        Setting::StartUrl | Setting::RelayState => {
            at(&["Apps › Web and mobile apps › Service provider details › Start URL"])
                .then(Advice::LeaveEmpty)
        }
    }
}
