//! Refusals in plain words: what happened, and what to change at the directory.

use super::{FailedOperation, Recorded};

/// What a refusal means to the person who looks after the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, in one sentence.
    pub reason: &'static str,
    /// What to change at the directory, or here.
    pub advice: &'static str,
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
    let (reason, advice) = match (status, scim_type) {
        (_, Some("uniqueness")) if detail.contains("made by hand") => (
            "The directory wants to create somebody whose name an administrator has given out by \
             hand. Nothing was taken over.",
            "Open the user or group here and hand it over to the directory with \"Adopt\", or \
             rename one of the two.",
        ),
        (_, Some("uniqueness")) => (
            "The directory wants to create somebody who is there already, or to rename somebody \
             to a name that is taken.",
            "At the directory, find the two that map to the same userName or displayName and \
             correct the mapping, or restart provisioning so that it matches the existing one.",
        ),
        (_, Some("mutability")) => (
            "The request would change or remove what may not change.",
            "Take the attribute out of the attribute mapping, or map it only when an object is \
             created.",
        ),
        (_, Some("invalidFilter")) => (
            "The search of the directory could not be understood.",
            "Choose another matching attribute: userName, externalId or emails[type eq \
             \"work\"].value always work.",
        ),
        (_, Some("tooMany")) => (
            "The search would have looked at too many users one by one.",
            "Match by userName, externalId or an e-mail address instead, or register the \
             attribute as an extension schema so that it is indexed.",
        ),
        (_, Some("invalidPath")) => (
            "The directory changes an attribute that is not known here.",
            "Take the attribute out of the mapping, or register an extension schema that has it.",
        ),
        (_, Some("noTarget")) => (
            "The directory changes one value of a list, and no value is the one it means.",
            "Map the attribute as a whole, or with a type, as in emails[type eq \"work\"].value.",
        ),
        (_, Some("invalidValue")) if detail.contains("required") => (
            "A value that everybody must have was missing.",
            "Map the attribute that the detail names to one that is filled for everybody, or \
             leave those without it out of scope.",
        ),
        (_, Some("invalidValue")) => (
            "A value was of the wrong type or out of its limits.",
            "Correct the value that the detail names, or the expression that makes it.",
        ),
        (_, Some("invalidSyntax")) => (
            "The body was no SCIM message.",
            "If the directory speaks SCIM 2.0 and this happens again, a proxy between the two may \
             change bodies.",
        ),
        (_, Some("invalidVers")) | (412, _) => (
            "Somebody else changed the object since the directory read it.",
            "Nothing: the directory reads it again and retries.",
        ),
        (_, Some("invalidCursor" | "expiredCursor" | "invalidCount")) => (
            "The directory asked for a page of a list that is gone.",
            "Nothing: the next import begins at the first page.",
        ),
        (401, _) => (
            "The token had expired or was switched off.",
            "Create a token under Settings, SCIM, and enter it at the directory as its secret \
             token.",
        ),
        (403, _) if detail.contains("switched off") => (
            "SCIM is switched off in this space.",
            "Switch it on under Settings, SCIM, when the directory is to push again.",
        ),
        (403, _) if detail.contains("limit") => (
            "The space has as many users or groups as it may have.",
            "Narrow the scope of provisioning, or have the limit raised in the settings file.",
        ),
        (403, _) => ("The request is not allowed.", "The detail says what is."),
        (404, _) if matches!(method, "PUT" | "PATCH" | "DELETE" | "GET") => (
            "The directory remembers somebody who is not here: deleted, or made by hand and not \
             the directory's to see.",
            "Restart provisioning for this user or group, so that the directory looks it up by \
             name again.",
        ),
        (404, _) => (
            "There is no such address.",
            "The base URL ends in /scim/v2; copy it from Settings, SCIM.",
        ),
        (405 | 501, _) => (
            "The directory asked for a part of SCIM that is not offered at this address.",
            "Check the base URL, and switch the feature off at the directory.",
        ),
        (408, _) => (
            "The body did not arrive in time.",
            "Look at the network between the directory and this server.",
        ),
        (413, _) => (
            "The body was larger than is taken.",
            "Have the directory send fewer members or operations at once.",
        ),
        (415, _) => (
            "The body was not announced as JSON.",
            "Set the content type to application/scim+json at the directory.",
        ),
        (429, _) if detail.contains("brake") => (
            "The mass-change brake holds: in a short time more users would be disabled or deleted \
             than is usual.",
            "Look whether the scope of provisioning was changed by mistake. If all of it is \
             wanted, let it pass under Settings, SCIM.",
        ),
        (429, _) if detail.contains("without a good token") => (
            "Too many requests came from the directory's address with a token that is switched \
             off or has expired.",
            "Enter a token that works at the directory, or stop its provisioning.",
        ),
        (429, _) => (
            "The directory sent more requests in a second than its token may.",
            "Nothing: it slows down and retries.",
        ),
        _ => (
            "The server could not do it.",
            "Nothing at the directory: it retries. The server's log has the cause under the \
             request's id.",
        ),
    };
    Explanation { reason, advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_reason_and_what_to_do() {
        for status in [400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 429, 500, 501, 503] {
            for scim_type in [None, Some("invalidValue"), Some("nonsense")] {
                let told = of(status, scim_type, "PATCH", "");
                assert!(told.reason.ends_with('.') && told.advice.ends_with('.'), "{told:?}");
            }
        }
        let held = of(429, None, "DELETE", "The mass-change brake holds");
        assert!(held.advice.contains("Settings"));
        let taken = of(409, Some("uniqueness"), "POST", "A user made by hand has this userName");
        assert!(taken.advice.contains("Adopt"));
    }
}
