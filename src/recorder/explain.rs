//! Refusals in plain words: what happened, and what to change at the directory.

use super::{FailedOperation, Recorded};

/// What a refusal means to the person who looks after the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// The name was given out by hand.
    MadeByHand,
    /// The name is taken.
    Taken,
    /// What may not change.
    Immutable,
    /// A filter that cannot be read.
    Filter,
    /// A search one by one.
    TooWide,
    /// No such attribute.
    UnknownAttribute,
    /// No value of a list fits.
    NoTarget,
    /// A value is missing.
    ValueMissing,
    /// A value is wrong.
    ValueWrong,
    /// No SCIM message.
    Syntax,
    /// Somebody else changed it.
    ChangedMeanwhile,
    /// A page of a list is gone.
    PageGone,
    /// The token has ended.
    Token,
    /// SCIM is off.
    SwitchedOff,
    /// As many as there may be.
    Limit,
    /// Not allowed.
    NotAllowed,
    /// Nobody of this id.
    NotHere,
    /// No such address.
    NoAddress,
    /// A part of SCIM that is not offered.
    NotOffered,
    /// The body was slow.
    Slow,
    /// The body was too large.
    TooLarge,
    /// No JSON.
    NotJson,
    /// The brake holds.
    Brake,
    /// Too many bad tokens.
    BadTokens,
    /// Too many requests a second.
    TooFast,
    /// A failure of ours.
    Server,
}

/// Explains a refused request; none when it was not refused. The detail that the directory was
/// told says where exactly; this says what it means. Of a bulk request that was answered, the
/// first operation that failed is explained.
pub fn explain(request: &Recorded) -> Option<Explanation> {
    if request.status < 400 {
        return request.failures()?.first.first().map(explain_failure);
    }
    let detail = request.detail.as_deref().unwrap_or_default();
    Some(of(request.status, request.scim_type.as_deref(), &request.method, detail))
}

/// Explains why an operation of a bulk request failed.
pub fn explain_failure(failed: &FailedOperation) -> Explanation {
    of(failed.status, failed.scim_type.as_deref(), &failed.method, &failed.detail)
}

fn of(status: i64, scim_type: Option<&str>, method: &str, detail: &str) -> Explanation {
    match (status, scim_type) {
        (_, Some("uniqueness")) if detail.contains("made by hand") => Explanation::MadeByHand,
        (_, Some("uniqueness")) => Explanation::Taken,
        (_, Some("mutability")) => Explanation::Immutable,
        (_, Some("invalidFilter")) => Explanation::Filter,
        (_, Some("tooMany")) => Explanation::TooWide,
        (_, Some("invalidPath")) => Explanation::UnknownAttribute,
        (_, Some("noTarget")) => Explanation::NoTarget,
        (_, Some("invalidValue")) if detail.contains("required") => Explanation::ValueMissing,
        (_, Some("invalidValue")) => Explanation::ValueWrong,
        (_, Some("invalidSyntax")) => Explanation::Syntax,
        (_, Some("invalidVers")) | (412, _) => Explanation::ChangedMeanwhile,
        (_, Some("invalidCursor" | "expiredCursor" | "invalidCount")) => Explanation::PageGone,
        (401, _) => Explanation::Token,
        (403, _) if detail.contains("switched off") => Explanation::SwitchedOff,
        (403, _) if detail.contains("limit") => Explanation::Limit,
        (403, _) => Explanation::NotAllowed,
        (404, _) if matches!(method, "PUT" | "PATCH" | "DELETE" | "GET") => Explanation::NotHere,
        (404, _) => Explanation::NoAddress,
        (405 | 501, _) => Explanation::NotOffered,
        (408, _) => Explanation::Slow,
        (413, _) => Explanation::TooLarge,
        (415, _) => Explanation::NotJson,
        (429, _) if detail.contains("brake") => Explanation::Brake,
        (429, _) if detail.contains("without a good token") => Explanation::BadTokens,
        (429, _) => Explanation::TooFast,
        _ => Explanation::Server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_that_look_alike_are_told_apart() {
        let held = of(429, None, "DELETE", "The mass-change brake holds");
        assert_eq!(held, Explanation::Brake);
        assert_eq!(of(429, None, "DELETE", "too fast"), Explanation::TooFast);
        let by_hand = of(409, Some("uniqueness"), "POST", "A user made by hand has this userName");
        assert_eq!(by_hand, Explanation::MadeByHand);
        assert_eq!(of(409, Some("uniqueness"), "POST", "taken"), Explanation::Taken);
        for status in [400, 418, 500, 503] {
            assert_eq!(of(status, Some("nonsense"), "PATCH", ""), Explanation::Server, "{status}");
        }
    }
}
