//! Trust policies: who may assume a role.
//!
//! The language is that of policies, with `principal` in the place of `resource`. Nobody is trusted
//! whom no statement allows, and deny wins.

use super::{
    condition::Condition,
    document::{self, Effect, Error, Fields, Node, Problem, at},
    evaluate::{Context, speaks},
    pattern::ActionPattern,
};

/// A trust policy: its statements in the order written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    statements: Vec<TrustStatement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TrustStatement {
    effect: Effect,
    actions: Vec<ActionPattern>,
    principals: Vec<Trusted>,
    conditions: Vec<Condition>,
}

/// Somebody whom a statement speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trusted {
    /// `qcs::cam::uin/N:root`: everybody in the account whose own policies let them.
    Account(i64),
    /// `qcs::cam::uin/N:uin/M`: one CAM user of the account.
    User {
        /// The account.
        account: i64,
        /// The user.
        user: i64,
    },
    /// A product of the cloud, by its name (`cic.cloud.tencent.com`).
    Service(String),
    /// Whomever a SAML provider of the account vouches for.
    Provider {
        /// The account.
        account: i64,
        /// The provider's name.
        name: String,
    },
}

/// Somebody who asks for a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking<'a> {
    /// A CAM user; the root has the account's own number.
    User {
        /// The account.
        account: i64,
        /// The user.
        user: i64,
    },
    /// Somebody for whom a SAML provider vouches.
    Provider {
        /// The account.
        account: i64,
        /// The provider's name.
        name: &'a str,
    },
}

impl Trusted {
    fn is(&self, asking: Asking<'_>) -> bool {
        match (self, asking) {
            (Self::Account(trusted), Asking::User { account, .. }) => *trusted == account,
            (
                Self::User { account: trusted_account, user: trusted },
                Asking::User { account, user },
            ) => (*trusted_account, *trusted) == (account, user),
            (
                Self::Provider { account: trusted_account, name: trusted },
                Asking::Provider { account, name },
            ) => *trusted_account == account && trusted == name,
            (Self::Account(_) | Self::User { .. }, Asking::Provider { .. })
            | (Self::Provider { .. }, Asking::User { .. })
            | (Self::Service(_), _) => false,
        }
    }
}

impl TrustPolicy {
    /// Reads and lints a trust policy.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self { statements: document::statements(text, statement)? })
    }

    /// Everybody whom the policy names, allowed or denied.
    pub fn principals(&self) -> impl Iterator<Item = &Trusted> {
        self.statements.iter().flat_map(|statement| &statement.principals)
    }

    /// Places of operators that evaluation cannot decide.
    pub fn unknown_operators(&self) -> Vec<String> {
        document::unknown_operators(
            self.statements.iter().map(|statement| statement.conditions.as_slice()),
        )
    }

    /// Whether somebody may do `action` (`sts:AssumeRole`) to get the role.
    pub fn allows(&self, asking: Asking<'_>, action: &str, context: &Context) -> bool {
        let mut allowed = false;
        for statement in &self.statements {
            let applies = statement.principals.iter().any(|trusted| trusted.is(asking))
                && statement.actions.iter().any(|pattern| pattern.covers(action))
                && speaks(&statement.conditions, statement.effect, context);
            match (applies, statement.effect) {
                (true, Effect::Deny) => return false,
                (true, Effect::Allow) => allowed = true,
                (false, Effect::Deny | Effect::Allow) => {}
            }
        }
        allowed
    }
}

fn statement(node: &Node, path: String) -> Result<TrustStatement, Error> {
    let mut fields = Fields::of(node, path)?;
    let effect = document::effect(&mut fields)?;
    let actions = fields.entries("action", ActionPattern::parse)?;
    let place = fields.path_of("principal");
    let mut kinds = Fields::of(fields.required("principal")?, place.clone())?;
    let mut principals = Vec::new();
    for (kind, read) in READERS {
        if kinds.optional(kind).is_some() {
            principals.extend(kinds.entries(kind, |text| read(text).ok_or(Problem::BadPrincipal))?);
        }
    }
    kinds.nothing_left()?;
    if principals.is_empty() {
        return Err(at(place, Problem::Empty));
    }
    let conditions = document::conditions(&mut fields)?;
    fields.nothing_left()?;
    Ok(TrustStatement { effect, actions, principals, conditions })
}

type Reader = fn(&str) -> Option<Trusted>;

const READERS: [(&str, Reader); 3] =
    [("qcs", cam_principal), ("service", service), ("federated", provider)];

/// Splits `qcs::cam::uin/N:rest`.
fn of_account(text: &str) -> Option<(i64, &str)> {
    let (account, rest) = text.strip_prefix("qcs::cam::uin/")?.split_once(':')?;
    Some((number(account)?, rest))
}

fn number(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = plain && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

fn cam_principal(text: &str) -> Option<Trusted> {
    let (account, rest) = of_account(text)?;
    if rest == "root" {
        return Some(Trusted::Account(account));
    }
    Some(Trusted::User { account, user: number(rest.strip_prefix("uin/")?)? })
}

fn service(text: &str) -> Option<Trusted> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let named = text.len() <= 128
        && text.contains('.')
        && text.split('.').all(|part| !part.is_empty() && part.bytes().all(letter));
    named.then(|| Trusted::Service(text.to_owned()))
}

fn provider(text: &str) -> Option<Trusted> {
    let (account, rest) = of_account(text)?;
    let name = rest.strip_prefix("saml-provider/")?;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    let named = (1..=160).contains(&name.len()) && name.bytes().all(letter);
    named.then(|| Trusted::Provider { account, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(statements: &str) -> TrustPolicy {
        TrustPolicy::parse(&format!(r#"{{"version":"2.0","statement":[{statements}]}}"#)).unwrap()
    }

    const USER: Asking<'_> = Asking::User { account: 100, user: 7 };
    const ROOT: Asking<'_> = Asking::User { account: 100, user: 100 };
    const OTHER: Asking<'_> = Asking::User { account: 101, user: 7 };
    const PROVIDER: Asking<'_> = Asking::Provider { account: 100, name: "P" };

    #[test]
    fn only_who_is_named_is_trusted() {
        let allow = |principal: &str| {
            policy(&format!(
                r#"{{"effect":"allow","action":"name/sts:AssumeRole","principal":{{{principal}}}}}"#
            ))
        };
        for (principal, trusted) in [
            (r#""qcs":"qcs::cam::uin/100:root""#, vec![USER, ROOT]),
            (r#""qcs":["qcs::cam::uin/100:uin/7"]"#, vec![USER]),
            (r#""qcs":["qcs::cam::uin/100:uin/100"]"#, vec![ROOT]),
            (r#""service":["cvm.qcloud.com"]"#, vec![]),
            (r#""federated":"qcs::cam::uin/100:saml-provider/P""#, vec![PROVIDER]),
            (r#""federated":"qcs::cam::uin/101:saml-provider/P""#, vec![]),
        ] {
            let policy = allow(principal);
            for asking in [USER, ROOT, OTHER, PROVIDER] {
                let allowed = policy.allows(asking, "sts:AssumeRole", &Context::new());
                assert_eq!(allowed, trusted.contains(&asking), "{principal} {asking:?}");
                assert!(!policy.allows(asking, "sts:AssumeRoleWithSAML", &Context::new()));
            }
        }
    }

    #[test]
    fn deny_wins_and_conditions_count() {
        let both = policy(
            r#"{"effect":"allow","action":"sts:*","principal":{"qcs":"qcs::cam::uin/100:root"},
                "condition":{"string_equal":{"sts:external_id":"x"}}},
               {"effect":"deny","action":"*","principal":{"qcs":"qcs::cam::uin/100:uin/7"},
                "condition":{"ip_not_equal":{"qcs:ip":"10.0.0.0/8"}}}"#,
        );
        let context = Context::new().with("sts:external_id", "x");
        let inside = context.clone().with("qcs:ip", "10.1.1.1");
        let outside = context.clone().with("qcs:ip", "192.0.2.1");
        for (asking, context, allowed) in [
            (USER, &inside, true),
            (USER, &outside, false),
            (USER, &context, false),
            (ROOT, &outside, true),
            (ROOT, &Context::new(), false),
            (OTHER, &inside, false),
        ] {
            assert_eq!(both.allows(asking, "sts:AssumeRole", context), allowed, "{asking:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = r#"{"effect":"allow","action":"sts:AssumeRole",
                       "principal":{"qcs":"qcs::cam::uin/100:root"}}"#;
        for (from, to, place) in [
            (r#""qcs":"#, r#""aws":"#, "statement[0].principal.aws"),
            (":root", ":everybody", "statement[0].principal.qcs"),
            ("uin/100", "uin/0100", "statement[0].principal.qcs"),
            (r#""qcs":"qcs::cam::uin/100:root""#, "", "statement[0].principal"),
            (r#""principal""#, r#""resource""#, "statement[0].principal"),
            (r#""action""#, r#""resource":"*","action""#, "statement[0].resource"),
            (r#""allow""#, r#""permit""#, "statement[0].effect"),
            ("sts:AssumeRole", "sts", "statement[0].action"),
        ] {
            let text = format!(r#"{{"version":"2.0","statement":[{}]}}"#, good.replace(from, to));
            assert_eq!(TrustPolicy::parse(&text).unwrap_err().path, place, "{text}");
        }
    }
}
