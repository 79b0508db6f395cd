//! What a set of policies says about one request.

use super::{
    condition::{Condition, Verdict},
    document::{Document, Effect, Statement},
};

/// Facts about a request that conditions compare: `qcs:ip` and the like. Keys are compared
/// without case; a fact may have several values.
#[derive(Debug, Clone, Default)]
pub struct Context {
    facts: Vec<(String, Vec<String>)>,
}

impl Context {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// States one more value of a fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        match self.facts.iter_mut().find(|(seen, _)| seen.eq_ignore_ascii_case(key)) {
            Some((_, values)) => values.push(value),
            None => self.facts.push((key.to_owned(), vec![value])),
        }
        self
    }

    /// The values stated for a fact; none when it is absent.
    pub fn get(&self, key: &str) -> &[String] {
        self.facts
            .iter()
            .find(|(seen, _)| seen.eq_ignore_ascii_case(key))
            .map_or(&[], |(_, values)| values.as_slice())
    }
}

/// One question: may this action be done to this resource?
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `service:Action`.
    pub action: &'a str,
    /// The six-segment name, or `*` for actions without a resource of their own.
    pub resource: &'a str,
    /// The account whose policies are asked; what an empty account segment means.
    pub account: i64,
    /// Facts for conditions.
    pub context: &'a Context,
}

/// Why a request was allowed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A deny statement covers it.
    ExplicitDeny,
    /// An allow statement covers it and nothing denies.
    Allowed,
    /// No statement covers it.
    ImplicitDeny,
}

/// The statement that settled a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// Name of its policy.
    pub policy: String,
    /// Its place in that policy, from 0.
    pub statement: usize,
    /// What it did.
    pub effect: Effect,
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// May it be done?
    pub allowed: bool,
    /// The first statement that settled it; none for an implicit deny.
    pub deciding: Option<Deciding>,
    /// Why.
    pub reason: Reason,
}

/// Evaluates `policies`, pairs of name and document, in any order: deny wins, and what nothing
/// allows is denied.
pub fn evaluate<'a>(
    policies: impl IntoIterator<Item = (&'a str, &'a Document)>,
    request: &Request<'_>,
) -> Decision {
    let mut allowing = None;
    for (policy, document) in policies {
        for (statement, content) in document.statements().iter().enumerate() {
            if !applies(content, request) {
                continue;
            }
            let deciding =
                || Deciding { policy: policy.to_owned(), statement, effect: content.effect };
            match content.effect {
                Effect::Deny => {
                    let deciding = Some(deciding());
                    return Decision { allowed: false, deciding, reason: Reason::ExplicitDeny };
                }
                Effect::Allow => {
                    allowing.get_or_insert_with(deciding);
                }
            }
        }
    }
    match allowing {
        Some(deciding) => {
            Decision { allowed: true, deciding: Some(deciding), reason: Reason::Allowed }
        }
        None => Decision { allowed: false, deciding: None, reason: Reason::ImplicitDeny },
    }
}

/// Does a statement speak of this request? What a condition leaves open is taken against access:
/// an allow stays silent, a deny speaks.
fn applies(statement: &Statement, request: &Request<'_>) -> bool {
    statement.actions.iter().any(|pattern| pattern.covers(request.action))
        && statement
            .resources
            .iter()
            .any(|pattern| pattern.covers(request.resource, request.account))
        && speaks(&statement.conditions, statement.effect, request.context)
}

/// Do a statement's conditions let it speak?
pub(super) fn speaks(conditions: &[Condition], effect: Effect, context: &Context) -> bool {
    conditions.iter().all(|condition| match (condition.holds(context), effect) {
        (Verdict::Holds, _) | (Verdict::Unknown, Effect::Deny) => true,
        (Verdict::Fails, _) | (Verdict::Unknown, Effect::Allow) => false,
    })
}
