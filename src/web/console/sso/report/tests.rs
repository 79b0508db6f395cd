//! Each setting in the words of each product, as the report shows them (SSO-17).

use std::fmt::Write;

use super::*;
use crate::web::messages::{Language, in_language};

fn places() -> String {
    let mut text = String::new();
    for setting in Setting::ALL {
        writeln!(text, "{setting:?}").unwrap();
        for product in Product::ALL {
            let place = Place::of(setting, product, None);
            let ways = place.ways.iter().map(ToString::to_string);
            let words: Vec<String> = ways.chain(place.advice.map(|it| it.to_string())).collect();
            assert!(!words.is_empty(), "{setting:?} {product:?}");
            writeln!(text, "  {}: {}", place.product, words.join(" | ")).unwrap();
        }
    }
    text
}

/// What is not the product's own word.
fn advice_given() -> String {
    let mut said: Vec<String> = Setting::ALL
        .into_iter()
        .flat_map(|setting| Product::ALL.map(|product| Place::of(setting, product, None)))
        .filter_map(|place| place.advice.map(|advice| advice.to_string()))
        .collect();
    said.sort();
    said.dedup();
    said.join("\n")
}

#[test]
fn sso_17_each_setting_in_the_words_of_each_product() {
    insta::assert_snapshot!(places(), @r"
    Protocol
      Microsoft Entra ID: Single sign-on › Select a single sign-on method › SAML | Microsoft Graph: tokenIssuancePolicy › SamlTokenVersion
      Okta: Create App Integration › Sign-in method › SAML 2.0
      AD FS: Add Relying Party Trust › Configure URL › Enable support for the SAML 2.0 WebSSO protocol
      Keycloak: Clients › Create client › Client type: SAML
      Google Workspace: It speaks SAML 2.0 and nothing else: the message comes from elsewhere.
    AcsUrl
      Microsoft Entra ID: Single sign-on › Basic SAML Configuration › Reply URL (Assertion Consumer Service URL)
      Okta: General › SAML Settings › Single sign-on URL | General › SAML Settings › Use this for Recipient URL and Destination URL
      AD FS: Relying Party Trusts › Properties › Endpoints › SAML Assertion Consumer Endpoints › POST
      Keycloak: Clients › Advanced › Assertion Consumer Service POST Binding URL | Clients › Settings › Valid redirect URIs
      Google Workspace: Apps › Web and mobile apps › Service provider details › ACS URL
    Audience
      Microsoft Entra ID: Single sign-on › Basic SAML Configuration › Identifier (Entity ID)
      Okta: General › SAML Settings › Audience URI (SP Entity ID)
      AD FS: Relying Party Trusts › Properties › Identifiers › Relying party identifiers
      Keycloak: Clients › Settings › Client ID
      Google Workspace: Apps › Web and mobile apps › Service provider details › Entity ID
    OurMetadata
      Microsoft Entra ID: Single sign-on › Upload metadata file
      Okta: General › SAML Settings › Edit
      AD FS: Relying Party Trusts › Update from Federation Metadata
      Keycloak: Clients › Import client
      Google Workspace: Apps › Web and mobile apps › Service provider details
    IdpEntityId
      Microsoft Entra ID: Single sign-on › Set up › Microsoft Entra Identifier
      Okta: Sign On › SAML 2.0 › More details › Issuer
      AD FS: Service › Edit Federation Service Properties › Federation Service identifier
      Keycloak: Realm settings › General › Frontend URL
      Google Workspace: Apps › Web and mobile apps › Download metadata › Entity ID
    SigningCertificate
      Microsoft Entra ID: Single sign-on › SAML Certificates › Federation Metadata XML | Take the certificate that is in use there now.
      Okta: Sign On › SAML Signing Certificates › Actions › View IdP metadata | Take the certificate that is in use there now.
      AD FS: Service › Certificates › Token-signing › Primary | /FederationMetadata/2007-06/FederationMetadata.xml | Take the certificate that is in use there now.
      Keycloak: Realm settings › General › Endpoints › SAML 2.0 Identity Provider Metadata | Realm settings › Keys | Take the certificate that is in use there now.
      Google Workspace: Apps › Web and mobile apps › Service provider details › Certificate | Apps › Web and mobile apps › Download metadata | Take the certificate that is in use there now.
    SignatureAlgorithm
      Microsoft Entra ID: Single sign-on › SAML Certificates › Edit › Signing Algorithm
      Okta: General › SAML Settings › Show Advanced Settings › Signature Algorithm | General › SAML Settings › Show Advanced Settings › Digest Algorithm
      AD FS: Relying Party Trusts › Properties › Advanced › Secure hash algorithm
      Keycloak: Clients › Settings › Signature and Encryption › Signature algorithm: RSA_SHA256
      Google Workspace: Nothing to set there: it signs with RSA and SHA-256.
    Canonicalization
      Microsoft Entra ID: Nothing to set there: it is always exclusive.
      Okta: Nothing to set there: it is always exclusive.
      AD FS: Nothing to set there: it is always exclusive.
      Keycloak: Clients › Settings › Signature and Encryption › Canonicalization method: EXCLUSIVE
      Google Workspace: Nothing to set there: it is always exclusive.
    SignedParts
      Microsoft Entra ID: Single sign-on › SAML Certificates › Edit › Signing Option
      Okta: General › SAML Settings › Show Advanced Settings › Response | General › SAML Settings › Show Advanced Settings › Assertion Signature
      AD FS: PowerShell: Set-AdfsRelyingPartyTrust -SamlResponseSignature MessageAndAssertion
      Keycloak: Clients › Settings › Signature and Encryption › Sign documents | Clients › Settings › Signature and Encryption › Sign assertions
      Google Workspace: Apps › Web and mobile apps › Service provider details › Signed response
    Encryption
      Microsoft Entra ID: Token encryption › Import Certificate
      Okta: General › SAML Settings › Show Advanced Settings › Assertion Encryption | General › SAML Settings › Show Advanced Settings › Key Transport Algorithm | General › SAML Settings › Show Advanced Settings › Encryption Certificate
      AD FS: Relying Party Trusts › Properties › Encryption
      Keycloak: Clients › Keys › Encrypt assertions
      Google Workspace: Not offered there: remove our encryption key.
    NameId
      Microsoft Entra ID: Single sign-on › Attributes & Claims › Unique User Identifier (Name ID) › Source attribute
      Okta: General › SAML Settings › Application username
      AD FS: Relying Party Trusts › Edit Claim Issuance Policy › Outgoing claim type: Name ID
      Keycloak: Clients › Settings › Name ID format: username | Clients › Client scopes › dedicated › Add mapper › User Attribute Mapper For NameID
      Google Workspace: Apps › Web and mobile apps › Service provider details › Name ID
    NameIdFormat
      Microsoft Entra ID: Single sign-on › Attributes & Claims › Unique User Identifier (Name ID) › Name identifier format
      Okta: General › SAML Settings › Name ID format
      AD FS: Relying Party Trusts › Edit Claim Issuance Policy › Transform an Incoming Claim › Outgoing name ID format
      Keycloak: Clients › Settings › Name ID format | Clients › Settings › Force name ID format
      Google Workspace: Apps › Web and mobile apps › Service provider details › Name ID format
    Attributes
      Microsoft Entra ID: Single sign-on › Attributes & Claims › Additional claims | Single sign-on › Attributes & Claims › Add a group claim
      Okta: General › SAML Settings › Attribute Statements | General › SAML Settings › Group Attribute Statements
      AD FS: Relying Party Trusts › Edit Claim Issuance Policy › Send LDAP Attributes as Claims
      Keycloak: Clients › Client scopes › dedicated › Add mapper
      Google Workspace: Apps › Web and mobile apps › SAML attribute mapping › Attributes | Apps › Web and mobile apps › SAML attribute mapping › Group membership
    Lifetime
      Microsoft Entra ID: Microsoft Graph: tokenLifetimePolicy
      Okta: Nothing to set there: assertions hold for five minutes.
      AD FS: PowerShell: Set-AdfsRelyingPartyTrust -TokenLifetime
      Keycloak: Clients › Advanced › Assertion Lifespan
      Google Workspace: Nothing to set there: assertions hold for five minutes.
    Clock
      Microsoft Entra ID: Nothing to set there: compare our server's clock with a time server.
      Okta: Nothing to set there: compare our server's clock with a time server.
      AD FS: w32tm /query /status | PowerShell: Set-AdfsRelyingPartyTrust -NotBeforeSkew | Its clock is the one of its host: set that by a time server.
      Keycloak: Its clock is the one of its host: set that by a time server.
      Google Workspace: Nothing to set there: compare our server's clock with a time server.
    Assignment
      Microsoft Entra ID: Users and groups › Add user/group
      Okta: Assignments › Assign
      AD FS: Relying Party Trusts › Edit Access Control Policy
      Keycloak: Clients › Advanced › Authentication flow overrides › Browser Flow
      Google Workspace: Apps › Web and mobile apps › User access › ON
    AuthnContext
      Microsoft Entra ID: Protection › Conditional Access › Grant
      Okta: Sign On › User authentication › Authentication policy | General › SAML Settings › Show Advanced Settings › Authentication context class
      AD FS: Service › Authentication Methods | Access Control Policies
      Keycloak: Clients › Advanced › Authentication flow overrides › Browser Flow
      Google Workspace: Not offered there: demand no authentication context here.
    ForceAuthn
      Microsoft Entra ID: Protection › Conditional Access › Session › Sign-in frequency
      Okta: General › SAML Settings › Show Advanced Settings › Honor Force Authentication
      AD FS: PowerShell: Set-AdfsRelyingPartyTrust -AlwaysRequireAuthentication
      Keycloak: Clients › Advanced › Authentication flow overrides › Browser Flow | The flow has to honour ForceAuthn.
      Google Workspace: Not offered there: do not demand it here.
    AuthnStatement
      Microsoft Entra ID: Nothing to set there: it is always sent.
      Okta: Nothing to set there: it is always sent.
      AD FS: Nothing to set there: it is always sent.
      Keycloak: Clients › Settings › SAML capabilities › Include AuthnStatement
      Google Workspace: Nothing to set there: it is always sent.
    StartUrl
      Microsoft Entra ID: Single sign-on › Basic SAML Configuration › Sign on URL (Optional) | Have people begin at the user login URL of the portal.
      Okta: Browse App Catalog › Bookmark App | General › App Settings › Application visibility | Hide the application, and offer a bookmark to the user login URL of the portal.
      AD FS: /adfs/ls/idpinitiatedsignon.aspx | Have people begin at the user login URL of the portal.
      Keycloak: Clients › Settings › Home URL | Have people begin at the user login URL of the portal.
      Google Workspace: Apps › Web and mobile apps › Service provider details › Start URL | Leave it empty.
    RelayState
      Microsoft Entra ID: Single sign-on › Basic SAML Configuration › Relay State (Optional) | Leave it empty.
      Okta: General › SAML Settings › Default RelayState | Leave it empty.
      AD FS: /adfs/ls/idpinitiatedsignon.aspx?RelayState= | Leave it empty.
      Keycloak: Clients › Settings › IDP Initiated SSO Relay State | Leave it empty.
      Google Workspace: Apps › Web and mobile apps › Service provider details › Start URL | Leave it empty.
    ");
}

#[test]
fn sso_17_advice_is_given_in_chinese_too() {
    let said = in_language(Language::Chinese, advice_given);
    insta::assert_snapshot!(said, @r"
    它不支持：请不要在这里要求。
    它不支持：请不要在这里要求认证上下文。
    它不支持：请移除我们的加密密钥。
    它使用所在主机的时钟：请让主机与时间服务器同步。
    它只支持 SAML 2.0：这条消息来自别处。
    无需设置：它使用 RSA 和 SHA-256 签名。
    无需设置：它始终使用独占规范化。
    无需设置：它总会发送。
    无需设置：断言的有效期为五分钟。
    无需设置：请将我们服务器的时钟与时间服务器比较。
    该流程必须遵循 ForceAuthn。
    请使用那里当前生效的证书。
    请留空。
    请让用户从门户的用户登录 URL 开始登录。
    请隐藏该应用，并提供指向门户用户登录 URL 的书签。
    ");
}
