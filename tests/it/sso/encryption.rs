//! Encrypted assertions through the front door: off until there is a key, keys that take turns,
//! and refusals that tell nobody why (SSO-21).

use identity_center::{
    id::KeyPairId,
    saml::{
        certificate::{Certificate, SigningKey},
        encoding, instant,
        logout::LogoutCheck,
        redirect::{self, MessageKind},
        trace::{Check, Verdict},
    },
    secret::random,
    space::{self, KeyPurpose, NewKeyPair},
    store::sql,
};
use openssl::{
    encrypt::Encrypter,
    rsa::Padding,
    symm::{Cipher, encrypt, encrypt_aead},
};
use reqwest::{Client, StatusCode};

use super::{expect_refusal, last_attempt, sessions};
use crate::{
    fake_idp::{Message, right_key},
    journey::{Company, act, count, header, location},
    on_both,
};

const CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
const GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";

/// The assertion as an identity provider encrypts it, in canonical XML.
fn closed(assertion: &str, cipher: &str, to: &Certificate) -> String {
    let key = random::<32>().unwrap();
    let data = if cipher == CBC {
        let start = random::<16>().unwrap();
        let text = encrypt(Cipher::aes_256_cbc(), &key, Some(&start), assertion.as_bytes());
        [&start[..], &text.unwrap()].concat()
    } else {
        let (nonce, mut tag) = (random::<12>().unwrap(), [0; 16]);
        let cipher = Cipher::aes_256_gcm();
        let text = encrypt_aead(cipher, &key, Some(&nonce), &[], assertion.as_bytes(), &mut tag);
        [&nonce[..], &text.unwrap(), &tag].concat()
    };
    let mut encrypter = Encrypter::new(to.key()).unwrap();
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
    let mut sealed = vec![0; encrypter.encrypt_len(&key).unwrap()];
    let length = encrypter.encrypt(&key, &mut sealed).unwrap();
    let (data, sealed) = (encoding::encode(&data), encoding::encode(&sealed[..length]));
    format!(
        "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">\
         <xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" \
         Type=\"http://www.w3.org/2001/04/xmlenc#Element\"><xenc:EncryptionMethod \
         Algorithm=\"{cipher}\"></xenc:EncryptionMethod><ds:KeyInfo \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey>\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\">\
         </xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>{sealed}</xenc:CipherValue>\
         </xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>\
         {data}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"
    )
}

/// An answer about alice whose signed assertion is encrypted, and which is not signed itself.
async fn answer(
    company: &Company<'_>,
    browser: &Client,
    cipher: &str,
    to: &Certificate,
) -> Message {
    let request = company.idp.read(&company.start(browser).await);
    let answer = company.idp.answer(&request, "alice", company.house.now().to_jiff());
    let signed = answer.unsigned().sign_assertion(right_key());
    let assertion = signed.assertion();
    signed.change(&assertion, &closed(&assertion, cipher, to))
}

async fn add_key(company: &Company<'_>) -> Result<KeyPairId, space::Error> {
    let house = company.house;
    let doing = act(house);
    let key = NewKeyPair::generate("test", doing.now).unwrap();
    let (sealer, id) = (&house.app.sealer, company.space.id);
    house
        .app
        .db
        .write(async |tx| space::add_encryption_key(tx, &doing, sealer, id, key).await)
        .await
}

async fn remove_key(company: &Company<'_>, id: KeyPairId) -> Result<(), space::Error> {
    let doing = act(company.house);
    let space = company.space.id;
    let db = &company.house.app.db;
    db.write(async |tx| space::remove_encryption_key(tx, &doing, space, id).await).await
}

/// The certificates in our metadata that are for encryption, as an identity provider reads them.
async fn published(company: &Company<'_>) -> Vec<Certificate> {
    let url = company.house.url(&format!("/saml/sp/{}", company.space.id));
    let metadata = reqwest::get(url).await.unwrap().text().await.unwrap();
    metadata
        .split("<md:KeyDescriptor ")
        .filter(|descriptor| descriptor.starts_with("use=\"encryption\""))
        .map(|descriptor| {
            for algorithm in [GCM, "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"] {
                assert!(descriptor.contains(&format!("Algorithm=\"{algorithm}\"")), "{descriptor}");
            }
            let (_, rest) = descriptor.split_once("<ds:X509Certificate>").unwrap();
            Certificate::from_base64(rest.split('<').next().unwrap()).unwrap()
        })
        .collect()
}

async fn signs_in(company: &Company<'_>, cipher: &str, to: &Certificate, signed: bool) {
    let browser = company.house.browser();
    let message = answer(company, &browser, cipher, to).await;
    let message = if signed { message.sign_response(right_key()) } else { message };
    let accepted = company.post(&browser, &message.base64()).await;
    assert_eq!(accepted.status(), StatusCode::SEE_OTHER, "{}", accepted.text().await.unwrap());
    let inside = browser.get(location(&accepted)).send().await.unwrap();
    assert_eq!(location(&inside), company.portal(""));
    let attempt = last_attempt(company).await;
    let opened = attempt.checks().entries().iter().find(|it| it.check == Check::Decryption);
    assert_eq!(opened.unwrap().verdict, Verdict::Passed);
    assert!(opened.unwrap().received.contains(&to.facts().fingerprint));
}

async fn is_refused(company: &Company<'_>, to: &Certificate) {
    let browser = company.house.browser();
    let message = answer(company, &browser, GCM, to).await;
    let refused = company.post(&browser, &message.base64()).await;
    expect_refusal(company, refused, "SamlResponseRefused", Check::Decryption).await;
}

/// A logout request of the identity provider that names alice encrypted, by redirect.
fn encrypted_logout(
    company: &Company<'_>,
    id: &str,
    to: &Certificate,
    by: Option<&SigningKey>,
) -> String {
    let name =
        "<saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">alice</saml:NameID>";
    let name = closed(name, GCM, to).replace("EncryptedAssertion", "EncryptedID");
    let slo = company.house.url(&format!("/saml/slo/{}", company.space.id));
    let now = instant::format(company.house.now().to_jiff());
    let xml = format!(
        "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         Destination=\"{slo}\" ID=\"{id}\" IssueInstant=\"{now}\" Version=\"2.0\">\
         <saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{}</saml:Issuer>{name}\
         </samlp:LogoutRequest>",
        company.idp.entity_id
    );
    redirect::address(&slo, MessageKind::Request, &xml, None, by).unwrap()
}

on_both! {
    /// What names somebody encrypted, for a key of ours and signed, ends what it names.
    async fn a_logout_whose_name_is_encrypted_is_obeyed(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        company.sign_in(&browser, "alice").await;
        let id = add_key(&company).await.unwrap();
        let ours = published(&company).await.remove(0);
        let refused = async |address: String, check: LogoutCheck| {
            let answer = house.browser().get(address).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{check}");
            assert_eq!(sessions(house).await, 1, "{check}");
        };
        let unsigned = encrypted_logout(&company, "_a", &ours, None);
        refused(unsigned, LogoutCheck::Signature).await;
        let strange = encrypted_logout(&company, "_b", right_key().certificate(), Some(right_key()));
        refused(strange, LogoutCheck::Decryption).await;
        let recorded = "SELECT COUNT(*) FROM audit_records WHERE action = 'single_logout.refuse'
                        AND state_after LIKE '%decryption%'";
        assert_eq!(count(house, recorded).await, 1);
        let good = encrypted_logout(&company, "_c", &ours, Some(right_key()));
        let ended = house.browser().get(&good).send().await.unwrap();
        assert_eq!(ended.status(), StatusCode::OK, "{}", ended.text().await.unwrap());
        assert_eq!(sessions(house).await, 0);
        // Without a key there is nothing to open it with.
        company.sign_in(&browser, "alice").await;
        remove_key(&company, id).await.unwrap();
        refused(encrypted_logout(&company, "_d", &ours, Some(right_key())), LogoutCheck::Decryption).await;
    }

    async fn sso_21_encryption_keys_take_turns(house) {
        let company = Company::open(house, "acme").await;
        // Off: nothing is published, and nothing is opened.
        assert_eq!(published(&company).await, []);
        is_refused(&company, right_key().certificate()).await;

        let first = add_key(&company).await.unwrap();
        let [old] = <[_; 1]>::try_from(published(&company).await).unwrap();
        signs_in(&company, GCM, &old, false).await;
        signs_in(&company, GCM, &old, true).await;
        signs_in(&company, CBC, &old, true).await;
        is_refused(&company, right_key().certificate()).await;

        // Both stand in the metadata, the new one first, and either opens.
        let second = add_key(&company).await.unwrap();
        let both = published(&company).await;
        let [new, also_old] = <[_; 2]>::try_from(both).unwrap();
        assert_eq!(also_old, old);
        assert_ne!(new, old);
        signs_in(&company, GCM, &old, false).await;
        signs_in(&company, GCM, &new, false).await;
        let third = add_key(&company).await;
        assert!(matches!(third, Err(space::Error::TooManyKeys)), "{third:?}");

        remove_key(&company, first).await.unwrap();
        assert_eq!(published(&company).await, std::slice::from_ref(&new));
        is_refused(&company, &old).await;
        signs_in(&company, GCM, &new, false).await;
        let again = remove_key(&company, first).await;
        assert!(matches!(again, Err(space::Error::KeyNotFound)), "{again:?}");

        remove_key(&company, second).await.unwrap();
        is_refused(&company, &new).await;
        // What comes in the clear comes in as ever.
        company.sign_in(&house.browser(), "alice").await;
        let recorded = "SELECT COUNT(*) FROM audit_records WHERE action LIKE 'space.encryption_key_%'";
        assert_eq!(count(house, recorded).await, 4);
    }

    async fn only_an_encryption_key_of_this_space_is_removed(house) {
        let acme = Company::open(house, "acme").await;
        let other = Company::open(house, "other").await;
        let key = add_key(&acme).await.unwrap();
        let refused = remove_key(&other, key).await;
        assert!(matches!(refused, Err(space::Error::KeyNotFound)), "{refused:?}");
        for purpose in [KeyPurpose::ServiceProvider, KeyPurpose::IdentityProvider] {
            let id = acme.space.id;
            let pair = house.app.db.read(async |tx| space::key_pair(tx, id, purpose).await).await;
            let refused = remove_key(&acme, pair.unwrap().id).await;
            assert!(matches!(refused, Err(space::Error::KeyNotFound)), "{refused:?}");
        }
        // A key of one space opens nothing in another.
        let [ours] = <[_; 1]>::try_from(published(&acme).await).unwrap();
        add_key(&other).await.unwrap();
        is_refused(&other, &ours).await;
        signs_in(&acme, GCM, &ours, false).await;
    }

    async fn two_who_add_a_key_at_once_do_not_add_three(house) {
        let company = Company::open(house, "acme").await;
        add_key(&company).await.unwrap();
        let (one, two) = tokio::join!(add_key(&company), add_key(&company));
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1, "{one:?} {two:?}");
        assert_eq!(published(&company).await.len(), 2);
    }

    /// Whatever is wrong with what is encrypted, the person (who may be an attacker that probes)
    /// gets the same page; and nobody is signed in.
    async fn refusals_look_alike(house) {
        let company = Company::open(house, "acme").await;
        add_key(&company).await.unwrap();
        let [ours] = <[_; 1]>::try_from(published(&company).await).unwrap();
        let browser = house.browser();
        let value = |message: &Message, nth: usize| {
            message.xml.split("<xenc:CipherValue>").nth(nth).unwrap().split('<').next().unwrap().to_owned()
        };
        let broken = |value: &str, at: usize| {
            let mut bytes = encoding::decode(value).unwrap();
            bytes[at] ^= 1;
            encoding::encode(&bytes)
        };
        let mut pages = Vec::new();
        for case in 0..8 {
            let to = if case == 0 { right_key().certificate() } else { &ours };
            let cipher = if case == 1 { CBC } else { GCM };
            let good = answer(&company, &browser, cipher, to).await;
            let (key, data) = (value(&good, 1), value(&good, 2));
            let message = match case {
                2 => good.change(&key, &broken(&key, 100)),
                3 => good.change(&key, &encoding::encode(&[7; 255])),
                4 => good.change(&data, &broken(&data, 50)),
                5 => good.change(&data, &encoding::encode(&encoding::decode(&data).unwrap()[..20])),
                6 => good.change("xmlenc#rsa-oaep-mgf1p", "xmlenc#rsa-1_5"),
                7 => good.with(good.xml.replace(
                    &element_of(&good.xml),
                    &closed("<not an assertion", GCM, to),
                )),
                _ => good,
            };
            let refused = company.post(&browser, &message.base64()).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "case {case}");
            let request = header(&refused, "x-request-id").to_owned();
            pages.push(refused.text().await.unwrap().replace(&request, ""));
            let attempt = last_attempt(&company).await;
            assert_eq!(attempt.checks().first_failure().unwrap().check, Check::Decryption, "case {case}");
        }
        pages.dedup();
        assert_eq!(pages.len(), 1, "{pages:#?}");
        assert_eq!(sessions(house).await, 0);
    }

    async fn the_private_key_is_sealed(house) {
        let company = Company::open(house, "acme").await;
        let id = add_key(&company).await.unwrap();
        let mut query = sql("SELECT private_key_sealed FROM space_keys WHERE id = ");
        query.push_bind(id);
        let sealed: Option<(Vec<u8>,)> =
            house.app.db.read(async |tx| query.fetch_optional(tx).await).await.unwrap();
        let sealed = sealed.unwrap().0;
        let text = String::from_utf8_lossy(&sealed);
        assert!(sealed.len() > 1000 && !text.contains("PRIVATE KEY"), "{text}");
    }
}

/// The encrypted assertion of a message.
fn element_of(xml: &str) -> String {
    crate::fake_idp::element(xml, "saml:EncryptedAssertion")
}
