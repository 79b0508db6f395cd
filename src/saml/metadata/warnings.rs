//! What is not refused in metadata, but should be known before it is used.

use jiff::Timestamp;

use super::IdpMetadata;
use crate::saml::{certificate::CertificateFacts, name_id_format::TRANSIENT};

/// So many days before an end it is said that it comes.
const SOON: i64 = 30;

/// Something that an administrator should know of metadata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A certificate is past its end. Its key counts all the same: it is trusted because it is
    /// configured (SAML2int, DESIGN §8).
    #[error("certificate {number} has expired; its key is still trusted")]
    Expired {
        /// Which one, counted from 1.
        number: usize,
    },
    /// A certificate is before its begin.
    #[error("certificate {number} is not valid yet; its key is trusted at once")]
    NotYetValid {
        /// Which one, counted from 1.
        number: usize,
    },
    /// A certificate ends soon.
    #[error("certificate {number} expires in {days} days")]
    ExpiresSoon {
        /// Which one, counted from 1.
        number: usize,
        /// Whole days until then.
        days: i64,
    },
    /// A certificate was signed in a way that is broken. Nobody relies on that signature.
    #[error("certificate {number} was signed with {algorithm}, which is outdated")]
    OutdatedSignature {
        /// Which one, counted from 1.
        number: usize,
        /// As the certificate names it.
        algorithm: String,
    },
    /// People would be sent to an address without TLS.
    #[error("people are sent to {0} without TLS")]
    Plain(String),
    /// The only names on offer differ at every sign-in.
    #[error("it offers transient names only, which do not say who signs in")]
    TransientNames,
    /// The description ends soon.
    #[error("the metadata is valid until {0} only")]
    EndsSoon(Timestamp),
}

impl IdpMetadata {
    /// What an administrator should know before this is used.
    pub fn warnings(&self, now: Timestamp) -> Vec<Warning> {
        let mut found = Vec::new();
        for (index, certificate) in self.certificates.iter().enumerate() {
            found.extend(of_certificate(index + 1, certificate.facts(), now));
        }
        for endpoint in &self.single_sign_on {
            if endpoint.location.get(..5).is_some_and(|it| it.eq_ignore_ascii_case("http:")) {
                found.push(Warning::Plain(endpoint.location.clone()));
            }
        }
        if !self.name_id_formats.is_empty()
            && self.name_id_formats.iter().all(|format| format == TRANSIENT)
        {
            found.push(Warning::TransientNames);
        }
        let soon = |end: &Timestamp| days_until(*end, now) < SOON;
        found.extend(self.valid_until.filter(soon).map(Warning::EndsSoon));
        found
    }
}

fn of_certificate(number: usize, facts: &CertificateFacts, now: Timestamp) -> Vec<Warning> {
    let mut found = Vec::new();
    let days = days_until(facts.not_after, now);
    if facts.not_after <= now {
        found.push(Warning::Expired { number });
    } else if facts.not_before > now {
        found.push(Warning::NotYetValid { number });
    } else if days < SOON {
        found.push(Warning::ExpiresSoon { number, days });
    }
    let algorithm = facts.signature_algorithm.to_ascii_lowercase();
    if ["sha1", "md5", "md4", "md2"].iter().any(|hash| algorithm.contains(hash)) {
        let algorithm = facts.signature_algorithm.clone();
        found.push(Warning::OutdatedSignature { number, algorithm });
    }
    found
}

fn days_until(end: Timestamp, now: Timestamp) -> i64 {
    (end.as_second() - now.as_second()).div_euclid(86_400)
}
