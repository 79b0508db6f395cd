//! Messages that are made to be slow: how long until they are refused, and, of those that an identity
//! provider really signed, until they are accepted.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use identity_center::saml::{
    certificate::SigningKey, encoding, encryption::DecryptionKey, response, response::Expected,
};
use openssl::pkey::PKey;

use crate::{Report, mark, messages::Idp, shared::slow::Material};

/// The longest that a judgement may take (milliseconds).
const LONGEST: f64 = 50.0;

pub fn measure(report: &mut Report) -> Result<()> {
    let idp = Idp::new()?;
    // As many as a space may have.
    let keys = [("new", 9), ("old", 10)]
        .map(|(name, serial)| SigningKey::generate(name, idp.now, [serial; 16]));
    let keys: Vec<DecryptionKey> =
        keys.into_iter().map(|key| key.map(Into::into)).collect::<Result<_, _>>()?;
    let ours: Vec<_> = keys.iter().map(|key| key.certificate().key()).collect();
    let good = idp.usual()?;
    let material = Material {
        good: &good,
        unsigned: &idp.unsigned()?,
        id: "_r1",
        key: &PKey::private_key_from_pem(idp.key.private_key_pem()?.as_bytes())?,
        ours: &ours,
    };
    let expected = Expected { decryption_keys: &keys, ..idp.expected(true) };
    report.heading("Messages made to be slow", "message | kB | judged after ms | by | goal");
    for slow in &material.messages().context("messages to make")? {
        let encoded = encoding::encode(slow.message.as_bytes());
        let mut longest = 0.0_f64;
        for _ in 0..5 {
            let began = Instant::now();
            let outcome = response::verify(&encoded, &expected);
            longest = longest.max(began.elapsed().as_secs_f64() * 1e3);
            // What is stopped early by something else measures nothing.
            let surprise = slow.surprise(&outcome);
            ensure!(surprise.is_none(), "{}", surprise.unwrap_or_default());
        }
        report.row(&[
            slow.name.to_owned(),
            format!("{}", slow.message.len() / 1_000),
            format!("{longest:.2}"),
            slow.by.first().map_or("accepted", |(check, _)| check).to_owned(),
            format!("≤ {LONGEST} {}", mark(longest <= LONGEST)),
        ]);
    }
    Ok(())
}
