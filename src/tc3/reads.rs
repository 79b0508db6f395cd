//! Signatures of calls that only read, for as long as they hold: TC3 does not cover the name of the
//! action by itself, so a read that somebody has found could come again as a write. They are kept in
//! this process: no look is worth a write.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::TOLERANCE_SECONDS;

/// Signatures that are kept at most in each of two generations.
const MOST: usize = 100_000;
/// For how many seconds a signature may come again as another call; the same as for what changes something.
const OWN_REPEAT: i64 = 2;

/// The signatures of reads.
#[derive(Debug, Default)]
pub struct Reads(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    began: i64,
    now: HashMap<[u8; 16], i64>,
    before: HashMap<[u8; 16], i64>,
}

/// Half of a SHA-256 is enough to tell signatures apart.
fn key(signature: &[u8]) -> [u8; 16] {
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(signature) {
        *to = *from;
    }
    key
}

impl Reads {
    /// Remembers the signature of a read at a moment, in seconds.
    pub fn note(&self, signature: &[u8], at: i64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A timestamp may be as far ahead as it may be behind.
        let life = i64::try_from(2 * TOLERANCE_SECONDS).unwrap_or(i64::MAX);
        if at - all.began > life || all.now.len() >= MOST {
            all.before = std::mem::take(&mut all.now);
            all.began = at;
        }
        all.now.entry(key(signature)).or_insert(at);
    }

    /// Whether a signature was a read's, too long ago for its client to make another call with it
    /// within the same second.
    pub fn had(&self, signature: &[u8], at: i64) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(signature);
        let seen = [&all.now, &all.before].into_iter().filter_map(|seen| seen.get(&key)).min();
        seen.is_some_and(|seen| at - seen > OWN_REPEAT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_remembered_while_it_holds_and_not_for_ever() {
        let reads = Reads::default();
        let signature = [7; 32];
        reads.note(&signature, 1000);
        assert!(!reads.had(&signature, 1002) && reads.had(&signature, 1003));
        assert!(!reads.had(&[8; 32], 1003));
        reads.note(&signature, 1200);
        assert!(reads.had(&signature, 1201), "the first time counts");
        reads.note(&[9; 32], 1601);
        assert!(reads.had(&signature, 1602), "one generation longer");
        reads.note(&[9; 32], 2300);
        assert!(!reads.had(&signature, 2301));
    }
}
