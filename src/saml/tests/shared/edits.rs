//! Messages that are changed and then signed: so a fuzzer gets past the signature, and everything
//! behind it is held against other people's parsers as well.
//!
//! The first byte says how the message is made, and stands below [`EDITED`], which is no byte that
//! XML begins with. Then edits follow: where (two bytes, the lower first), how many bytes go, how
//! many come, and those.

use openssl::pkey::{PKey, PKeyRef, Private, Public};

use super::closed::{DATA_KEY, closed, sealed};
use super::recipe::{ECDSA_SHA256, Form, RSA_SHA256, Recipe, bare, listing};
use crate::saml::namespace::ASSERTION;
use crate::saml::xml::{self, Profile};

/// From here on the first byte begins a message, and no edits.
pub const EDITED: u8 = 0x20;
/// What is signed stands in the lowest two bits: the assertion, the response, both, or both with two
/// kinds of key. Then these may be added.
pub const ELLIPTIC: u8 = 4;
/// The assertion is encrypted.
pub const ENCRYPTED: u8 = 8;
/// Signatures list prefixes.
pub const LISTED: u8 = 16;

const PREFIXES: [&str; 3] = ["saml", "xs", "#default"];

/// Who signs, and for whom is encrypted.
pub struct Hands<'a> {
    pub rsa: &'a PKey<Private>,
    pub elliptic: &'a PKey<Private>,
    pub recipient: &'a PKeyRef<Public>,
}

/// What comes out.
pub struct Made {
    pub message: String,
    /// The assertion as it was before it was encrypted, if it was.
    pub inside: Option<String>,
}

impl Hands<'_> {
    /// The message that this input asks for, out of a good one. `None` where there is nothing to
    /// sign any more.
    pub fn make(&self, good: &str, input: &[u8]) -> Option<Made> {
        let (how, edits) = input.split_first()?;
        let mut message = edited(&bare(good), edits)?;
        let (first, second) = match how & ELLIPTIC {
            0 => ((self.rsa, RSA_SHA256), (self.elliptic, ECDSA_SHA256)),
            _ => ((self.elliptic, ECDSA_SHA256), (self.rsa, RSA_SHA256)),
        };
        let transforms = listing(&PREFIXES.join(" "));
        let sign = |(key, method), message: &str, id: &str| {
            let plain = Recipe::good(key, method);
            let listed =
                Recipe { transforms: &transforms, content: Form::Exclusive(&PREFIXES), ..plain };
            if how & LISTED == 0 { plain } else { listed }.sign(message, id)
        };
        let what = how & 3;
        if what != 1 {
            let id = id_of(&message, "Assertion")?;
            message = sign(first, &message, &id)?;
        }
        let mut inside = None;
        if how & ENCRYPTED != 0 {
            let (start, close) = (message.find("<saml:Assertion ")?, "</saml:Assertion>");
            let end = message.rfind(close)? + close.len();
            let assertion = message.get(start..end)?.to_owned();
            let key = sealed(self.recipient, &DATA_KEY)?;
            let around = closed(&[&key], assertion.as_bytes())?;
            message = format!("{}{around}{}", message.get(..start)?, message.get(end..)?);
            inside = Some(assertion);
        }
        if what != 0 {
            let id = id_of(&message, "Response")?;
            message = sign(if what == 3 { second } else { first }, &message, &id)?;
        }
        Some(Made { message, inside })
    }
}

/// The ID of the first element of this name.
fn id_of(message: &str, local: &str) -> Option<String> {
    let document = xml::parse(message.as_bytes(), Profile::Message).ok()?;
    let element = document
        .elements()
        .find(|it| it.name().local == local && (local == "Response" || it.is(ASSERTION, local)))?;
    element.attribute("ID").map(str::to_owned)
}

fn edited(text: &str, mut edits: &[u8]) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    while let [low, high, gone, come, rest @ ..] = edits {
        let at = usize::from(u16::from_le_bytes([*low, *high])) % (bytes.len() + 1);
        let end = bytes.len().min(at + usize::from(*gone));
        let (new, rest) = rest.split_at(rest.len().min(usize::from(*come)));
        bytes.splice(at..end, new.iter().copied());
        edits = rest;
    }
    String::from_utf8(bytes).ok()
}
