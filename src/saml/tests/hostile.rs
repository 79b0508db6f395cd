//! Messages that are made to be slow: each stopped by the limit that is there for it. How fast, the
//! bench says.

use std::time::Instant;

use super::house::*;
use super::parcel::{judge_encrypted, ours};
use super::shared::slow::Material;
use super::signatures::our_private_key;
use crate::saml::response::Expected;

#[test]
fn each_message_that_is_made_to_be_slow_is_stopped_by_its_limit() {
    let opening = ours();
    let ours: Vec<_> = ours().iter().map(|key| key.certificate().key()).collect();
    let material = Material {
        good: &issued().xml,
        unsigned: &unsigned(),
        id: "_response",
        key: &our_private_key(),
        ours: &ours,
    };
    let all = material.messages().unwrap();
    let mut surprises = Vec::new();
    for slow in &all {
        let alone = Expected { second_opinion: false, decryption_keys: opening, ..expected() };
        let began = Instant::now();
        let _ = judge_as(&slow.message, &alone);
        let first = began.elapsed();
        surprises.extend(slow.surprise(&judge_encrypted(&slow.message)));
        let both = began.elapsed().saturating_sub(first);
        println!("{first:>10.1?} {both:>10.1?} {:>4} {}", slow.message.len() / 1_000, slow.name);
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
    assert_eq!(all.iter().filter(|slow| slow.by.is_empty()).count(), 4, "long and honest");
    // Those that the limit on length itself does not stop are about as long as it allows.
    let short: Vec<_> =
        all.iter().filter(|slow| slow.message.len() > 262_144).map(|it| it.name).collect();
    assert_eq!(short, ["more than is read"]);
}
