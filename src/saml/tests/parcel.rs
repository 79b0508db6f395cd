//! Encrypts as identity providers do, right and wrong, in canonical XML.

use std::sync::OnceLock;

use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, Crypter, Mode, encrypt_aead};

use super::house::*;
use crate::saml::certificate::{Certificate, SigningKey};
use crate::saml::encoding;
use crate::saml::encryption::{AES_256_GCM, DecryptionKey, RSA_OAEP};
use crate::saml::response::{Expected, Outcome};

pub const OAEP_11: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
pub const PKCS1: &str = "http://www.w3.org/2001/04/xmlenc#rsa-1_5";
pub const CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";

/// Our two encryption keys, the newer first.
pub fn ours() -> &'static [DecryptionKey] {
    static KEYS: OnceLock<Vec<DecryptionKey>> = OnceLock::new();
    KEYS.get_or_init(|| {
        [("new", 9), ("old", 10)]
            .map(|(name, serial)| SigningKey::generate(name, now(), [serial; 16]).unwrap().into())
            .into()
    })
}

/// How something is encrypted.
#[derive(Clone)]
pub struct Parcel<'a> {
    pub cipher: &'a str,
    pub transport: &'a str,
    pub digest: Option<&'a str>,
    pub mask: Option<&'a str>,
    pub to: Vec<&'a Certificate>,
    /// Whether the encrypted keys stand beside the data, as Okta has them.
    pub beside: bool,
    /// What becomes of the bytes of the data, and of the encrypted key.
    pub damage: fn(&mut Vec<u8>),
    pub key_damage: fn(&mut Vec<u8>),
}

impl Parcel<'static> {
    pub fn new() -> Self {
        Self {
            cipher: AES_256_GCM,
            transport: RSA_OAEP,
            digest: Some("http://www.w3.org/2000/09/xmldsig#sha1"),
            mask: None,
            to: vec![ours()[0].certificate()],
            beside: false,
            damage: |_| {},
            key_damage: |_| {},
        }
    }
}

impl Parcel<'_> {
    /// An `EncryptedAssertion` that holds this text.
    pub fn close(&self, text: &[u8]) -> String {
        let size = match self.cipher.split("aes").nth(1) {
            Some(rest) if rest.starts_with("128") => 16,
            Some(rest) if rest.starts_with("192") => 24,
            _ => 32,
        };
        let key: Vec<u8> = (0..size).collect();
        let mut data =
            if self.cipher.ends_with("-cbc") { cbc(&key, text) } else { gcm(&key, text) };
        (self.damage)(&mut data);
        let xenc = " xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"";
        let ds = " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
        let keys: Vec<String> = self
            .to
            .iter()
            .map(|to| {
                let (xenc, ds) = if self.beside { (xenc, ds) } else { ("", "") };
                self.key(&key, to, xenc, ds)
            })
            .collect();
        let (inside, beside) = if self.beside {
            let kind = "http://www.w3.org/2001/04/xmlenc#EncryptedKey";
            let refer =
                format!("<ds:RetrievalMethod Type=\"{kind}\" URI=\"#_ek\"></ds:RetrievalMethod>");
            (refer, keys.concat())
        } else {
            (keys.concat(), String::new())
        };
        let data = encoding::encode(&data);
        format!(
            "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">\
             <xenc:EncryptedData{xenc} Type=\"http://www.w3.org/2001/04/xmlenc#Element\">\
             <xenc:EncryptionMethod Algorithm=\"{}\"></xenc:EncryptionMethod>\
             <ds:KeyInfo{ds}>{inside}</ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{data}\
             </xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>{beside}\
             </saml:EncryptedAssertion>",
            self.cipher
        )
    }

    fn key(&self, key: &[u8], to: &Certificate, xenc: &str, ds: &str) -> String {
        let mut sealed = self.seal(key, to);
        (self.key_damage)(&mut sealed);
        let digest = self.digest.map_or_else(String::new, |uri| {
            format!("<ds:DigestMethod{ds} Algorithm=\"{uri}\"></ds:DigestMethod>")
        });
        let mask = self.mask.map_or_else(String::new, |uri| {
            let mgf = "xmlns:xenc11=\"http://www.w3.org/2009/xmlenc11#\"";
            format!("<xenc11:MGF {mgf} Algorithm=\"{uri}\"></xenc11:MGF>")
        });
        let id = if self.beside { " Id=\"_ek\"" } else { "" };
        format!(
            "<xenc:EncryptedKey{xenc}{id}><xenc:EncryptionMethod Algorithm=\"{}\">{digest}{mask}\
             </xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue>\
             </xenc:CipherData></xenc:EncryptedKey>",
            self.transport,
            encoding::encode(&sealed)
        )
    }

    fn seal(&self, key: &[u8], to: &Certificate) -> Vec<u8> {
        let mut encrypter = Encrypter::new(to.key()).unwrap();
        if self.transport == PKCS1 {
            encrypter.set_rsa_padding(Padding::PKCS1).unwrap();
        } else {
            encrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
            encrypter.set_rsa_oaep_md(digest(self.digest)).unwrap();
            encrypter.set_rsa_mgf1_md(digest(self.mask)).unwrap();
        }
        let mut sealed = vec![0; encrypter.encrypt_len(key).unwrap()];
        let length = encrypter.encrypt(key, &mut sealed).unwrap();
        sealed.truncate(length);
        sealed
    }
}

fn digest(uri: Option<&str>) -> MessageDigest {
    match uri.unwrap_or("sha1").rsplit("sha").next().unwrap() {
        "1" => MessageDigest::sha1(),
        "256" => MessageDigest::sha256(),
        "384" => MessageDigest::sha384(),
        "512" => MessageDigest::sha512(),
        // An algorithm that only tests of refusals name.
        _ => MessageDigest::sha224(),
    }
}

fn gcm(key: &[u8], text: &[u8]) -> Vec<u8> {
    let cipher = match key.len() {
        16 => Cipher::aes_128_gcm(),
        24 => Cipher::aes_192_gcm(),
        _ => Cipher::aes_256_gcm(),
    };
    let (nonce, mut tag) = ([3; 12], [0; 16]);
    let sealed = encrypt_aead(cipher, key, Some(&nonce), &[], text, &mut tag).unwrap();
    [&nonce[..], &sealed, &tag].concat()
}

/// Pads as XML encryption does: with anything, and the count in the last byte.
fn cbc(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut padded = text.to_vec();
    let padding = 16 - text.len() % 16;
    padded.extend(std::iter::repeat_n(0xaa, padding - 1));
    padded.push(u8::try_from(padding).unwrap());
    raw_cbc(key, &padded)
}

/// Without padding: what is given has whole blocks.
pub fn raw_cbc(key: &[u8], blocks: &[u8]) -> Vec<u8> {
    let cipher = match key.len() {
        16 => Cipher::aes_128_cbc(),
        24 => Cipher::aes_192_cbc(),
        _ => Cipher::aes_256_cbc(),
    };
    let start = [5; 16];
    let mut crypter = Crypter::new(cipher, Mode::Encrypt, key, Some(&start)).unwrap();
    crypter.pad(false);
    let mut sealed = vec![0; blocks.len() + 16];
    let mut length = crypter.update(blocks, &mut sealed).unwrap();
    length += crypter.finalize(&mut sealed[length..]).unwrap();
    sealed.truncate(length);
    [&start[..], &sealed].concat()
}

/// The assertion of the usual message, signed itself or not.
pub fn assertion(signed: bool) -> String {
    let plain = assertion_of(&unsigned());
    if signed { sign_element(&plain, "_assertion", key()) } else { plain }
}

/// The usual message with this in the place of its assertion, and not signed itself.
pub fn around(inside: &str) -> String {
    let message = unsigned();
    message.replace(&assertion_of(&message), inside)
}

/// Judges with our two encryption keys.
pub fn judge_encrypted(xml: &str) -> Outcome {
    judge_as(xml, &Expected { decryption_keys: ours(), ..expected() })
}
