//! The engine on one thread: the strict core, samael, and what cryptography alone costs.

use std::{hint::black_box, time::Duration};

use anyhow::{Context, Result, ensure};
use identity_center::saml::{encoding, response};
use openssl::{
    hash::{MessageDigest, hash},
    pkey::PKey,
    sign::{Signer, Verifier},
};
use samael::{metadata::EntityDescriptor, service_provider::ServiceProviderBuilder};

use crate::{
    Report, mark,
    messages::{ACS, Addressee, Idp, REQUEST, SP},
    rate,
};

/// Milliseconds that a sign-in is held against.
pub struct Figures {
    pub rsa: f64,
    pub samael: f64,
    pub core: f64,
    pub both: f64,
}

pub fn measure(report: &mut Report, span: Duration) -> Result<Figures> {
    let columns = "message | kB | RSA alone /s | RSA and SHA alone /s | strict core /s | of that | \
                   core and second opinion /s | samael alone /s | core : samael | goal";
    report.heading("Responses judged, one thread, RSA-2048 and SHA-256", columns);
    let mut figures = Figures { rsa: 0.0, samael: 0.0, core: 0.0, both: 0.0 };
    for (name, signatures) in [("assertion signed", 1), ("both signed", 2)] {
        // Made at this moment: samael takes nothing that is older than a minute and a half.
        let idp = Idp::new()?;
        let message = if signatures == 1 { idp.assertion_signed()? } else { idp.usual()? };
        let encoded = encoding::encode(message.as_bytes());
        let signed = signed(&message)?;
        ensure!(signed.len() == signatures, "{name}: {} signatures", signed.len());
        let rsa = cryptography(&idp, &signed, false, span)?;
        let alone = cryptography(&idp, &signed, true, span)?;
        for second_opinion in [false, true] {
            let outcome = response::verify(&encoded, &idp.expected(second_opinion));
            ensure!(outcome.result.is_ok(), "{name}: {:?}", outcome.result);
        }
        let core = rate(span, || {
            let _ = response::verify(&encoded, &idp.expected(false));
        });
        let both = rate(span, || {
            let _ = response::verify(&encoded, &idp.expected(true));
        });
        let samael = samael(&idp, &encoded, span)?;
        let reached = core >= 5.0 * samael && core * 3.0 >= alone;
        report.row(&[
            name.to_owned(),
            format!("{:.1}", kilobytes(message.len())),
            format!("{rsa:.0}"),
            format!("{alone:.0}"),
            format!("{core:.0}"),
            format!("{:.2} × the cost", alone / core),
            format!("{both:.0}"),
            format!("{samael:.0}"),
            format!("{:.1}", core / samael),
            format!("≥ 5 × samael, ≤ 3 × the cost {}", mark(reached)),
        ]);
        figures =
            Figures { rsa: 1e3 / rsa, samael: 1e3 / samael, core: 1e3 / core, both: 1e3 / both };
    }
    issue(report, &Idp::new()?, span)?;
    Ok(figures)
}

#[expect(clippy::cast_precision_loss, reason = "a size to show")]
fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1e3
}

/// What one signature of a message covers.
struct Signed {
    /// The element without its signature, which is digested.
    content: String,
    /// The `SignedInfo`, which is signed.
    info: String,
}

/// What each signature covers, outermost first. Messages of ours are canonical as they are written,
/// and the assertion is on its own.
fn signed(message: &str) -> Result<Vec<Signed>> {
    let between = |text: &str, from: &str, to: &str| {
        let start = text.find(from)?;
        let end = start + text[start..].find(to)? + to.len();
        Some((text[..start].to_owned(), text[start..end].to_owned(), text[end..].to_owned()))
    };
    let (before, assertion, after) =
        between(message, "<saml:Assertion ", "</saml:Assertion>").context("an assertion")?;
    let mut all = Vec::new();
    // The response's own signature stands before the assertion, and covers the assertion's.
    for (head, rest) in [(before, format!("{assertion}{after}")), (assertion, String::new())] {
        let Some((start, signature, end)) = between(&head, "<ds:Signature ", "</ds:Signature>")
        else {
            continue;
        };
        let (_, info, _) =
            between(&signature, "<ds:SignedInfo>", "</ds:SignedInfo>").context("what is signed")?;
        let declared = "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">";
        let info = info.replacen("<ds:SignedInfo>", declared, 1);
        all.push(Signed { content: format!("{start}{end}{rest}"), info });
    }
    Ok(all)
}

/// How often a second a message's verifications, and its digests with them or not, can be done, and
/// nothing else. A verification digests the `SignedInfo`.
fn cryptography(idp: &Idp, signed: &[Signed], digests: bool, span: Duration) -> Result<f64> {
    let key = PKey::private_key_from_pem(idp.key.private_key_pem()?.as_bytes())?;
    let mut values = Vec::new();
    for one in signed {
        let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
        values.push(signer.sign_oneshot_to_vec(one.info.as_bytes())?);
        // What is measured is what the message really has.
        let digest = hash(MessageDigest::sha256(), one.content.as_bytes())?;
        let stated = format!("<ds:DigestValue>{}<", encoding::encode(&digest));
        ensure!(one.info.contains(&stated), "the signature covers something else");
    }
    let public = idp.key.certificate().key();
    Ok(rate(span, || {
        for (one, value) in signed.iter().zip(&values) {
            if digests {
                let _ = black_box(hash(MessageDigest::sha256(), one.content.as_bytes()));
            }
            let good = Verifier::new(MessageDigest::sha256(), public)
                .and_then(|mut verifier| verifier.verify_oneshot(value, one.info.as_bytes()));
            assert!(matches!(good, Ok(true)));
        }
    }))
}

fn samael(idp: &Idp, encoded: &str, span: Duration) -> Result<f64> {
    let metadata: EntityDescriptor =
        idp.metadata()?.parse().context("samael reads our metadata")?;
    let provider = ServiceProviderBuilder::default()
        .entity_id(SP.to_owned())
        .acs_url(ACS.to_owned())
        .idp_metadata(metadata)
        .build()?;
    let good = provider.parse_base64_response(encoded, Some(&[REQUEST]));
    ensure!(good.is_ok(), "samael: {:?}", good.err().map(|error| error.to_string()));
    Ok(rate(span, || {
        let _ = provider.parse_base64_response(encoded, Some(&[REQUEST]));
    }))
}

fn issue(report: &mut Report, idp: &Idp, span: Duration) -> Result<()> {
    let key = PKey::private_key_from_pem(idp.key.private_key_pem()?.as_bytes())?;
    let info = vec![b'x'; 900];
    let signing = rate(span, || {
        for _ in 0..2 {
            let signed = Signer::new(MessageDigest::sha256(), &key)
                .and_then(|mut signer| signer.sign_oneshot_to_vec(&info));
            assert!(signed.is_ok());
        }
    });
    let to = Addressee { request: REQUEST, acs_url: ACS, audience: SP, name: "alice", id: "1" };
    let issued = rate(span, || {
        let _ = idp.both_signed(&to, idp.now);
    });
    let columns = "two RSA signatures alone /s | responses issued /s | cost | goal";
    report.heading("Responses issued, one thread", columns);
    report.row(&[
        format!("{signing:.0}"),
        format!("{issued:.0}"),
        format!("{:.2} ×", signing / issued),
        format!("≤ 1.2 × {}", mark(signing <= 1.2 * issued)),
    ]);
    Ok(())
}
