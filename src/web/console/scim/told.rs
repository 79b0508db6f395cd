//! What a refusal means, in the words of whoever looks after the directory.

use crate::{recorder::Explanation, web::messages::Message};

/// What happened, and what to change at the directory or here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub reason: Message,
    pub advice: Message,
}

impl From<Explanation> for Told {
    fn from(explanation: Explanation) -> Self {
        use Explanation as E;
        let (reason, advice) = match explanation {
            E::MadeByHand => (key!("refusal-made-by-hand"), key!("refusal-made-by-hand-advice")),
            E::Taken => (key!("refusal-taken"), key!("refusal-taken-advice")),
            E::Immutable => (key!("refusal-immutable"), key!("refusal-immutable-advice")),
            E::Filter => (key!("refusal-filter"), key!("refusal-filter-advice")),
            E::TooWide => (key!("refusal-too-wide"), key!("refusal-too-wide-advice")),
            E::UnknownAttribute => {
                (key!("refusal-unknown-attribute"), key!("refusal-unknown-attribute-advice"))
            }
            E::NoTarget => (key!("refusal-no-target"), key!("refusal-no-target-advice")),
            E::ValueMissing => {
                (key!("refusal-value-missing"), key!("refusal-value-missing-advice"))
            }
            E::ValueWrong => (key!("refusal-value-wrong"), key!("refusal-value-wrong-advice")),
            E::Syntax => (key!("refusal-syntax"), key!("refusal-syntax-advice")),
            E::ChangedMeanwhile => {
                (key!("refusal-changed-meanwhile"), key!("refusal-changed-meanwhile-advice"))
            }
            E::PageGone => (key!("refusal-page-gone"), key!("refusal-page-gone-advice")),
            E::Token => (key!("refusal-token"), key!("refusal-token-advice")),
            E::SwitchedOff => (key!("refusal-switched-off"), key!("refusal-switched-off-advice")),
            E::Limit => (key!("refusal-limit"), key!("refusal-limit-advice")),
            E::NotAllowed => (key!("refusal-not-allowed"), key!("refusal-not-allowed-advice")),
            E::NotHere => (key!("refusal-not-here"), key!("refusal-not-here-advice")),
            E::NoAddress => (key!("refusal-no-address"), key!("refusal-no-address-advice")),
            E::NotOffered => (key!("refusal-not-offered"), key!("refusal-not-offered-advice")),
            E::Slow => (key!("refusal-slow"), key!("refusal-slow-advice")),
            E::TooLarge => (key!("refusal-too-large"), key!("refusal-too-large-advice")),
            E::NotJson => (key!("refusal-not-json"), key!("refusal-not-json-advice")),
            E::Brake => (key!("refusal-brake"), key!("refusal-brake-advice")),
            E::BadTokens => (key!("refusal-bad-tokens"), key!("refusal-bad-tokens-advice")),
            E::TooFast => (key!("refusal-too-fast"), key!("refusal-too-fast-advice")),
            E::Server => (key!("refusal-server"), key!("refusal-server-advice")),
        };
        Self { reason, advice }
    }
}
