//! Responses in the shapes that eleven products write them in: prefixes, default namespaces, line
//! breaks, prefix lists, what is signed, what is named how. Each is accepted as it is, and refused
//! once a letter of the name is another.

use openssl::hash::MessageDigest;
use openssl::sign::Signer;

use super::house::*;
use super::parcel::{CBC, Parcel, ours};
use super::signatures::our_private_key;
use crate::saml::encryption::AES_256_GCM;
use crate::saml::response::{Expected, Outcome};
use crate::saml::xml::{self, Element, Profile};
use crate::saml::{c14n, encoding};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXC: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const CONTEXT: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

/// How a product writes its signatures.
#[derive(Clone, Copy)]
struct Style {
    /// With a colon, or empty where the namespace is the default one.
    prefix: &'static str,
    /// The prefix list of exclusive canonicalisation, if there is one.
    list: &'static str,
    /// The key information; `CERT` is the certificate.
    key: &'static str,
    /// After how many characters base64 is broken; 0 for never.
    wrap: usize,
    digest: &'static str,
    method: &'static str,
}

const PLAIN: Style = Style {
    prefix: "ds:",
    list: "",
    key: "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>CERT</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
    wrap: 0,
    digest: "http://www.w3.org/2001/04/xmlenc#sha256",
    method: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
};

const MICROSOFT: Style = Style {
    prefix: "",
    key: "<KeyInfo><X509Data><X509Certificate>CERT</X509Certificate></X509Data></KeyInfo>",
    ..PLAIN
};

fn wrapped(text: &str, every: usize) -> String {
    if every == 0 {
        return text.to_owned();
    }
    let lines: Vec<&str> =
        text.as_bytes().chunks(every).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("\n{}\n", lines.join("\n"))
}

fn canonical(message: &str, pick: impl Fn(Element<'_>) -> bool, prefixes: &[&str]) -> Vec<u8> {
    let document = xml::parse(message.as_bytes(), Profile::Message).unwrap();
    let element = document.elements().find(|it| pick(*it)).unwrap();
    c14n::exclusive(element, prefixes, None)
}

/// Puts the signature of the element with this id in the place of its mark.
fn seal(message: &str, mark: &str, id: &str, style: Style) -> String {
    let unmarked = |text: &str| text.replace("@A@", "").replace("@R@", "");
    let prefixes: Vec<&str> = style.list.split_whitespace().collect();
    let content = canonical(&unmarked(message), |it| it.attribute("ID") == Some(id), &prefixes);
    let digest = openssl::hash::hash(MessageDigest::sha256(), &content).unwrap();
    let Style { prefix, digest: digest_method, method, .. } = style;
    let declared = prefix.trim_end_matches(':');
    let declared =
        if declared.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{declared}") };
    let list = if style.list.is_empty() {
        format!("<{prefix}Transform Algorithm=\"{EXC}\"/>")
    } else {
        format!(
            "<{prefix}Transform Algorithm=\"{EXC}\"><ec:InclusiveNamespaces xmlns:ec=\"{EXC}\" \
             PrefixList=\"{}\"/></{prefix}Transform>",
            style.list
        )
    };
    let signature = format!(
        "<{prefix}Signature {declared}=\"{DS}\"><{prefix}SignedInfo><{prefix}CanonicalizationMethod \
         Algorithm=\"{EXC}\"/><{prefix}SignatureMethod Algorithm=\"{method}\"/><{prefix}Reference \
         URI=\"#{id}\"><{prefix}Transforms><{prefix}Transform \
         Algorithm=\"{DS}enveloped-signature\"/>{list}</{prefix}Transforms><{prefix}DigestMethod \
         Algorithm=\"{digest_method}\"/><{prefix}DigestValue>{}</{prefix}DigestValue>\
         </{prefix}Reference></{prefix}SignedInfo><{prefix}SignatureValue>VALUE</{prefix}SignatureValue>\
         {}</{prefix}Signature>",
        encoding::encode(&digest),
        style.key.replace("CERT", &wrapped(&key().certificate().base64(), style.wrap)),
    );
    let signed = message.replace(mark, &signature);
    let of_this = |it: Element<'_>| {
        let around = it.parent().and_then(Element::parent);
        it.is(DS, "SignedInfo") && around.is_some_and(|it| it.attribute("ID") == Some(id))
    };
    let info = canonical(&unmarked(&signed), of_this, &[]);
    let private = our_private_key();
    let mut signer = Signer::new(MessageDigest::sha256(), &private).unwrap();
    let value = encoding::encode(&signer.sign_oneshot_to_vec(&info).unwrap());
    signed.replace("VALUE", &wrapped(&value, style.wrap))
}

/// A product's response: `@A@` and `@R@` are where the assertion and the response are signed.
struct Shape {
    product: &'static str,
    issuer: &'static str,
    style: Style,
    message: String,
}

impl Shape {
    fn sealed(&self) -> String {
        let mut message = self.message.clone();
        for (mark, id) in [("@A@", "_a"), ("@R@", "_r")] {
            if message.contains(mark) {
                message = seal(&message, mark, id, self.style);
            }
        }
        message
    }

    fn judge(&self, message: &str) -> Outcome {
        judge_as(
            message,
            &Expected { idp_entity_id: self.issuer, decryption_keys: ours(), ..expected() },
        )
    }
}

fn shapes() -> Vec<Shape> {
    let times = |from: &str, to: &str| {
        format!("NotBefore=\"2026-11-22T{from}\" NotOnOrAfter=\"2026-11-22T{to}\"")
    };
    let response = |prefix: &str, at: &str| {
        format!(
            "ID=\"_r\" Version=\"2.0\" IssueInstant=\"2026-11-22T{at}\" Destination=\"{ACS}\" \
             InResponseTo=\"{REQUEST}\" xmlns:{prefix}=\"urn:oasis:names:tc:SAML:2.0:protocol\""
        )
    };
    let assertion = "urn:oasis:names:tc:SAML:2.0:assertion";
    let okta = "http://www.okta.com/exk1fcia6d6EMsf331d8";
    let entra = "https://sts.windows.net/2f1c5a2e-8d6e-4c2b-9c0e-6a8f3b1d7e55/";
    let adfs = "http://adfs.example.com/adfs/services/trust";
    let google = "https://accounts.google.com/o/saml2?idpid=C01abc234";
    let ping = "https://sso.example.com:9031";
    let onelogin = "https://app.onelogin.com/saml/metadata/a1b2c3d4";
    let keycloak = "https://sso.example.com/realms/staff";
    let authentik = "https://authentik.example.com";
    let shibboleth = "https://idp.example.edu/idp/shibboleth";
    let simple = "https://idp.example.org/simplesaml/saml2/idp/metadata.php";
    let lemon = "https://auth.example.com/saml/metadata";
    let success = |prefix: &str| {
        format!(
            "<{prefix}:Status><{prefix}:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></{prefix}:Status>"
        )
    };
    let confirmation = |p: &str, to: &str| {
        format!(
            "<{p}SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <{p}SubjectConfirmationData InResponseTo=\"{REQUEST}\" NotOnOrAfter=\"2026-11-22T{to}\" \
             Recipient=\"{ACS}\"/></{p}SubjectConfirmation>"
        )
    };
    vec![
        Shape {
            product: "Okta",
            issuer: okta,
            style: Style { list: "xs", ..PLAIN },
            message: format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><saml2p:Response {} xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\
                 <saml2:Issuer xmlns:saml2=\"{assertion}\" Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">{okta}</saml2:Issuer>@R@{}\
                 <saml2:Assertion ID=\"_a\" IssueInstant=\"2026-11-22T10:00:00.123Z\" Version=\"2.0\" xmlns:saml2=\"{assertion}\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\
                 <saml2:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\" xmlns:saml2=\"{assertion}\">{okta}</saml2:Issuer>@A@\
                 <saml2:Subject xmlns:saml2=\"{assertion}\"><saml2:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">alice</saml2:NameID>{}</saml2:Subject>\
                 <saml2:Conditions {} xmlns:saml2=\"{assertion}\"><saml2:AudienceRestriction><saml2:Audience>{SP}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>\
                 <saml2:AuthnStatement AuthnInstant=\"2026-11-22T10:00:00.123Z\" SessionIndex=\"{REQUEST}\" xmlns:saml2=\"{assertion}\"><saml2:AuthnContext><saml2:AuthnContextClassRef>{CONTEXT}</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement>\
                 <saml2:AttributeStatement xmlns:saml2=\"{assertion}\"><saml2:Attribute Name=\"groups\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\"><saml2:AttributeValue xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:string\">Everyone</saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement>\
                 </saml2:Assertion></saml2p:Response>",
                response("saml2p", "10:00:00.123Z"),
                success("saml2p"),
                confirmation("saml2:", "10:05:00.123Z"),
                times("09:55:00.123Z", "10:05:00.123Z"),
            ),
        },
        Shape {
            product: "Microsoft Entra ID",
            issuer: entra,
            style: MICROSOFT,
            message: format!(
                "<samlp:Response {}><Issuer xmlns=\"{assertion}\">{entra}</Issuer>{}\
                 <Assertion ID=\"_a\" IssueInstant=\"2026-11-22T10:00:00.045Z\" Version=\"2.0\" xmlns=\"{assertion}\"><Issuer>{entra}</Issuer>@A@\
                 <Subject><NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">alice</NameID>{}</Subject>\
                 <Conditions {}><AudienceRestriction><Audience>{SP}</Audience></AudienceRestriction></Conditions>\
                 <AttributeStatement><Attribute Name=\"http://schemas.microsoft.com/identity/claims/tenantid\"><AttributeValue>2f1c5a2e</AttributeValue></Attribute>\
                 <Attribute Name=\"http://schemas.microsoft.com/claims/authnmethodsreferences\"><AttributeValue>http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password</AttributeValue><AttributeValue>http://schemas.microsoft.com/claims/multipleauthn</AttributeValue></Attribute></AttributeStatement>\
                 <AuthnStatement AuthnInstant=\"2026-11-22T09:12:33.000Z\" SessionIndex=\"_a\"><AuthnContext><AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</AuthnContextClassRef></AuthnContext></AuthnStatement>\
                 </Assertion></samlp:Response>",
                response("samlp", "10:00:00.061Z"),
                success("samlp"),
                confirmation("", "11:00:00.045Z"),
                times("09:55:00.045Z", "11:00:00.045Z"),
            ),
        },
        Shape {
            product: "AD FS",
            issuer: adfs,
            style: Style {
                prefix: "ds:",
                key: "<KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>CERT</ds:X509Certificate></ds:X509Data></KeyInfo>",
                ..PLAIN
            },
            message: format!(
                "<samlp:Response {} Consent=\"urn:oasis:names:tc:SAML:2.0:consent:unspecified\"><Issuer xmlns=\"{assertion}\">{adfs}</Issuer>{}\
                 <Assertion ID=\"_a\" IssueInstant=\"2026-11-22T10:00:00.512Z\" Version=\"2.0\" xmlns=\"{assertion}\"><Issuer>{adfs}</Issuer>@A@\
                 <Subject><NameID>alice</NameID>{}</Subject>\
                 <Conditions {}><AudienceRestriction><Audience>{SP}</Audience></AudienceRestriction></Conditions>\
                 <AttributeStatement><Attribute Name=\"http://schemas.xmlsoap.org/claims/Group\" a:OriginalIssuer=\"urn:x\" xmlns:a=\"http://schemas.xmlsoap.org/ws/2009/09/identity/claims\"><AttributeValue>staff</AttributeValue></Attribute></AttributeStatement>\
                 <AuthnStatement AuthnInstant=\"2026-11-22T09:59:58.000Z\" SessionIndex=\"_a\"><AuthnContext><AuthnContextClassRef>{CONTEXT}</AuthnContextClassRef></AuthnContext></AuthnStatement>\
                 </Assertion></samlp:Response>",
                response("samlp", "10:00:00.512Z"),
                success("samlp"),
                confirmation("", "10:05:00.512Z"),
                times("10:00:00.509Z", "11:00:00.509Z"),
            ),
        },
        Shape {
            product: "Google Workspace",
            issuer: google,
            style: Style {
                key: "<ds:KeyInfo><ds:X509Data><ds:X509SubjectName>ST=California,C=US,OU=Google For Work,CN=Google,L=Mountain View,O=Google Inc.</ds:X509SubjectName><ds:X509Certificate>CERT</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
                wrap: 76,
                ..PLAIN
            },
            message: format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?><saml2p:Response {}><saml2:Issuer xmlns:saml2=\"{assertion}\">{google}</saml2:Issuer>@R@{}\
                 <saml2:Assertion xmlns:saml2=\"{assertion}\" ID=\"_a\" IssueInstant=\"2026-11-22T10:00:00.703Z\" Version=\"2.0\"><saml2:Issuer>{google}</saml2:Issuer>\
                 <saml2:Subject><saml2:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">alice</saml2:NameID>{}</saml2:Subject>\
                 <saml2:Conditions {}><saml2:AudienceRestriction><saml2:Audience>{SP}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>\
                 <saml2:AttributeStatement><saml2:Attribute Name=\"department\"><saml2:AttributeValue xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:anyType\"/></saml2:Attribute></saml2:AttributeStatement>\
                 <saml2:AuthnStatement AuthnInstant=\"2026-11-22T08:20:07.000Z\" SessionIndex=\"_a\"><saml2:AuthnContext><saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement></saml2:Assertion></saml2p:Response>",
                response("saml2p", "10:00:00.703Z"),
                success("saml2p"),
                confirmation("saml2:", "10:05:00.703Z"),
                times("09:55:00.703Z", "10:05:00.703Z"),
            ),
        },
        Shape {
            product: "PingFederate",
            issuer: ping,
            style: Style { wrap: 76, ..PLAIN },
            message: format!(
                "<samlp:Response {}><saml:Issuer xmlns:saml=\"{assertion}\">{ping}</saml:Issuer>@R@{}\
                 <saml:Assertion Version=\"2.0\" IssueInstant=\"2026-11-22T10:00:00.271Z\" ID=\"_a\" xmlns:saml=\"{assertion}\"><saml:Issuer>{ping}</saml:Issuer>\
                 <saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">alice</saml:NameID>{}</saml:Subject>\
                 <saml:Conditions {}><saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
                 <saml:AuthnStatement AuthnInstant=\"2026-11-22T10:00:00.270Z\" SessionIndex=\"_a\"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
                 <saml:AttributeStatement xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"><saml:Attribute NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\" Name=\"mail\"><saml:AttributeValue xsi:type=\"xs:string\">alice@example.com</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>",
                response("samlp", "10:00:00.271Z"),
                success("samlp"),
                confirmation("saml:", "10:05:00.271Z"),
                times("09:55:00.271Z", "10:05:00.271Z"),
            ),
        },
        Shape {
            product: "OneLogin",
            issuer: onelogin,
            style: PLAIN,
            message: format!(
                "<samlp:Response xmlns:saml=\"{assertion}\" {}><saml:Issuer>{onelogin}</saml:Issuer>{}\
                 <saml:Assertion xmlns:saml=\"{assertion}\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" Version=\"2.0\" ID=\"_a\" IssueInstant=\"2026-11-22T10:00:00Z\"><saml:Issuer>{onelogin}</saml:Issuer>@A@\
                 <saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">alice</saml:NameID>{}</saml:Subject>\
                 <saml:Conditions {}><saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
                 <saml:AuthnStatement AuthnInstant=\"2026-11-22T09:59:59Z\" SessionNotOnOrAfter=\"2026-11-23T10:00:00Z\" SessionIndex=\"_b2\"><saml:AuthnContext><saml:AuthnContextClassRef>{CONTEXT}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
                 <saml:AttributeStatement><saml:Attribute NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\" Name=\"User.email\"><saml:AttributeValue xsi:type=\"xs:string\">alice@example.com</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>\n\n",
                response("samlp", "10:00:00Z"),
                success("samlp"),
                confirmation("saml:", "10:03:00Z"),
                times("09:57:00Z", "10:03:00Z"),
            ),
        },
        Shape {
            product: "Keycloak",
            issuer: keycloak,
            style: Style {
                prefix: "dsig:",
                key: "<dsig:KeyInfo><dsig:KeyName>k7gH</dsig:KeyName><dsig:X509Data><dsig:X509Certificate>CERT</dsig:X509Certificate></dsig:X509Data></dsig:KeyInfo>",
                ..PLAIN
            },
            message: format!(
                "<samlp:Response xmlns:saml=\"{assertion}\" {}><saml:Issuer>{keycloak}</saml:Issuer>@R@{}\
                 <saml:Assertion xmlns=\"{assertion}\" ID=\"_a\" IssueInstant=\"2026-11-22T10:00:00.398Z\" Version=\"2.0\"><saml:Issuer>{keycloak}</saml:Issuer>@A@\
                 <saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">alice</saml:NameID>{}</saml:Subject>\
                 <saml:Conditions {}><saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
                 <saml:AuthnStatement AuthnInstant=\"2026-11-22T10:00:00.399Z\" SessionIndex=\"86d0::fd27\" SessionNotOnOrAfter=\"2026-11-22T20:00:00.399Z\"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
                 <saml:AttributeStatement><saml:Attribute FriendlyName=\"Role\" Name=\"Role\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\"><saml:AttributeValue xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:string\">manage-account</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>",
                response("samlp", "10:00:00.398Z"),
                success("samlp"),
                confirmation("saml:", "10:04:58.398Z"),
                times("09:59:58.398Z", "10:00:58.398Z"),
            ),
        },
        Shape {
            product: "authentik",
            issuer: authentik,
            style: Style { digest: "http://www.w3.org/2001/04/xmlenc#sha256", wrap: 64, ..PLAIN },
            message: format!(
                "<?xml version='1.0' encoding='UTF-8'?>\n<samlp:Response xmlns:saml=\"{assertion}\" {}><saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">{authentik}</saml:Issuer>{}\
                 <saml:Assertion xmlns:ds=\"{DS}\" Version=\"2.0\" ID=\"_a\" IssueInstant=\"2026-11-22T10:00:00Z\"><saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">{authentik}</saml:Issuer>@A@\
                 <saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">alice</saml:NameID>{}</saml:Subject>\
                 <saml:Conditions {}><saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
                 <saml:AuthnStatement AuthnInstant=\"2026-11-22T10:00:00Z\" SessionIndex=\"9f2c\" SessionNotOnOrAfter=\"2026-11-23T10:00:00Z\"><saml:AuthnContext><saml:AuthnContextClassRef>{CONTEXT}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
                 <saml:AttributeStatement><saml:Attribute Name=\"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\"><saml:AttributeValue>alice@example.com</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>",
                response("samlp", "10:00:00Z"),
                success("samlp"),
                confirmation("saml:", "10:05:00Z"),
                times("09:55:00Z", "10:05:00Z"),
            ),
        },
        Shape {
            product: "Shibboleth",
            issuer: shibboleth,
            style: Style { list: "xsd", wrap: 76, ..PLAIN },
            message: {
                let inside = format!(
                    "<saml2:Assertion xmlns:saml2=\"{assertion}\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" ID=\"_a\" IssueInstant=\"2026-11-22T10:00:00.872Z\" Version=\"2.0\"><saml2:Issuer>{shibboleth}</saml2:Issuer>\
                     <saml2:Subject><saml2:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" NameQualifier=\"{shibboleth}\" SPNameQualifier=\"{SP}\">alice</saml2:NameID>\
                     <saml2:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml2:SubjectConfirmationData Address=\"192.0.2.7\" InResponseTo=\"{REQUEST}\" NotOnOrAfter=\"2026-11-22T10:05:00.884Z\" Recipient=\"{ACS}\"/></saml2:SubjectConfirmation></saml2:Subject>\
                     <saml2:Conditions {}><saml2:AudienceRestriction><saml2:Audience>{SP}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>\
                     <saml2:AuthnStatement AuthnInstant=\"2026-11-22T09:59:59.100Z\" SessionIndex=\"_c0ffee\"><saml2:SubjectLocality Address=\"192.0.2.7\"/><saml2:AuthnContext><saml2:AuthnContextClassRef>{CONTEXT}</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement>\
                     <saml2:AttributeStatement><saml2:Attribute FriendlyName=\"eduPersonTargetedID\" Name=\"urn:oid:1.3.6.1.4.1.5923.1.1.1.10\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\"><saml2:AttributeValue><saml2:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" NameQualifier=\"{shibboleth}\" SPNameQualifier=\"{SP}\">kX9q</saml2:NameID></saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement></saml2:Assertion>",
                    times("10:00:00.872Z", "10:05:00.872Z"),
                );
                let parcel = Parcel { cipher: AES_256_GCM, ..Parcel::new() };
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<saml2p:Response {}><saml2:Issuer xmlns:saml2=\"{assertion}\">{shibboleth}</saml2:Issuer>@R@{}{}</saml2p:Response>",
                    response("saml2p", "10:00:00.872Z"),
                    success("saml2p"),
                    parcel.close(inside.as_bytes()),
                )
            },
        },
        Shape {
            product: "SimpleSAMLphp",
            issuer: simple,
            style: PLAIN,
            message: format!(
                "<samlp:Response xmlns:saml=\"{assertion}\" {}><saml:Issuer>{simple}</saml:Issuer>@R@{}\
                 <saml:Assertion xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" ID=\"_a\" Version=\"2.0\" IssueInstant=\"2026-11-22T10:00:00Z\"><saml:Issuer>{simple}</saml:Issuer>@A@\
                 <saml:Subject><saml:NameID SPNameQualifier=\"{SP}\" Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">alice</saml:NameID>{}</saml:Subject>\
                 <saml:Conditions {}><saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
                 <saml:AuthnStatement AuthnInstant=\"2026-11-22T09:58:11Z\" SessionNotOnOrAfter=\"2026-11-22T18:00:00Z\" SessionIndex=\"_5d\"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
                 <saml:AttributeStatement><saml:Attribute Name=\"uid\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\"><saml:AttributeValue xsi:type=\"xs:string\">alice</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>",
                response("samlp", "10:00:00Z"),
                success("samlp"),
                confirmation("saml:", "10:05:00Z"),
                times("09:59:30Z", "10:05:00Z"),
            ),
        },
        Shape {
            product: "LemonLDAP::NG",
            issuer: lemon,
            style: Style {
                prefix: "",
                key: "<KeyInfo>\n<X509Data>\n<X509Certificate>CERT</X509Certificate>\n</X509Data>\n</KeyInfo>",
                wrap: 64,
                ..PLAIN
            },
            message: format!(
                "<samlp:Response xmlns:saml=\"{assertion}\" {} Consent=\"urn:oasis:names:tc:SAML:2.0:consent:obtained\"><saml:Issuer>{lemon}</saml:Issuer>@R@{}\
                 <saml:Assertion Version=\"2.0\" ID=\"_a\" IssueInstant=\"2026-11-22T10:00:00Z\"><saml:Issuer>{lemon}</saml:Issuer>@A@\
                 <saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\" NameQualifier=\"{lemon}\" SPNameQualifier=\"{SP}\">alice</saml:NameID>{}</saml:Subject>\
                 <saml:Conditions {}><saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
                 <saml:AuthnStatement AuthnInstant=\"2026-11-22T10:00:00Z\" SessionIndex=\"_6A\" SessionNotOnOrAfter=\"2026-11-25T10:00:00Z\"><saml:AuthnContext><saml:AuthnContextClassRef>{CONTEXT}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
                 <saml:AttributeStatement><saml:Attribute Name=\"mail\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\" FriendlyName=\"mail\"><saml:AttributeValue>alice@example.com</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>",
                response("samlp", "10:00:00Z"),
                success("samlp"),
                confirmation("saml:", "10:20:00Z"),
                times("09:59:00Z", "10:20:00Z"),
            ),
        },
    ]
}

#[test]
fn eleven_products_are_understood_as_they_write() {
    let all = shapes();
    assert_eq!(all.len(), 11);
    for shape in &all {
        let message = shape.sealed();
        let outcome = shape.judge(&message);
        let accepted = outcome.result.unwrap_or_else(|error| {
            panic!("{}: {error}: {}, not {}", shape.product, error.received, error.wanted)
        });
        assert_eq!(accepted.identity, "alice", "{}", shape.product);
    }
}

#[test]
fn of_none_of_them_another_name_is_taken() {
    for shape in shapes() {
        let message = shape.sealed();
        // Of an encrypted one the attacker can only change what is around.
        let forged = if message.contains(">alice<") {
            message.replace(">alice<", ">alicf<")
        } else {
            message.replace("InResponseTo=\"_request1\" xmlns", "InResponseTo=\"_request2\" xmlns")
        };
        assert_ne!(forged, message, "{}", shape.product);
        assert!(shape.judge(&forged).result.is_err(), "{}", shape.product);
    }
}

#[test]
fn pretty_printed_signed_and_in_lines_of_base64() {
    // Indented between all elements before it was signed, and sent in lines of 60 characters.
    for shape in shapes().iter().filter(|it| !it.message.contains("Encrypted")) {
        let pretty = shape.message.replace("><", ">\n  <").replace(">@A@<", ">\n @A@\n <");
        let pretty = pretty.replace(">@R@<", ">\n @R@\n <");
        let message = Shape { message: pretty, ..*shape }.sealed();
        let lines = wrapped(&encoding::encode(message.as_bytes()), 60);
        let expected = Expected { idp_entity_id: shape.issuer, ..expected() };
        for lines in [lines.replace('\n', "\r\n"), lines] {
            let outcome = crate::saml::response::verify(&lines, &expected);
            let accepted = outcome.result.map(|it| it.identity);
            assert_eq!(accepted.as_deref(), Ok("alice"), "{}", shape.product);
        }
    }
}

#[test]
fn cbc_is_taken_inside_a_signed_response_of_any_shape() {
    let shape = shapes().into_iter().find(|it| it.product == "Shibboleth").unwrap();
    let inside = Parcel { cipher: CBC, ..Parcel::new() };
    let plain = super::parcel::assertion(false).replace(IDP, shape.issuer);
    let start = shape.message.find("<saml:EncryptedAssertion").unwrap();
    let end = shape.message.find("</saml2p:Response>").unwrap();
    let mut message = shape.message.clone();
    message.replace_range(start..end, &inside.close(plain.as_bytes()));
    let signed = Shape { message, ..shape };
    assert_eq!(signed.judge(&signed.sealed()).result.unwrap().identity, "alice");
}
