//! A bulk body: it is refused, or every operation is done or failed exactly once.

#![no_main]

use identity_center_fuzz::scim::{
    bulk::{Bulk, Done, Failure},
    error::{Error, ErrorKind},
    json,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(body) = json::parse_object(body) else { return };
    let Ok(bulk) = Bulk::parse(body, 1000) else { return };
    let count = bulk.len();
    let mut made = 0;
    let mut run = bulk.start(|_| {
        made += 1;
        format!("u-{made}")
    });
    let mut seen = vec![false; count];
    let mut units = 0_usize;
    while let Some(unit) = run.next_unit() {
        units += 1;
        for step in &unit.steps {
            assert!(!std::mem::replace(&mut seen[step.index], true));
        }
        // Every third unit fails.
        let outcome = if units % 3 == 0 {
            let step = unit.steps.len() - 1;
            Err(Failure { step, error: Error::new(ErrorKind::Conflict, "it fails") })
        } else {
            Ok(unit.steps.iter().map(|_| Done { status: 200, version: Some(1) }).collect())
        };
        run.record(&unit, outcome);
    }
    let told = run.results("http://x").count();
    assert!(told <= count);
    assert!(told == count || run.errors() > 0);
    assert!(run.response("http://x")["Operations"].is_array());
});
