//! The clouds that take our word, and how each wants to hear it (SAML.md §5): where it goes, for
//! whom it is, and which attributes name the roles.

use std::borrow::Cow;

use jiff::SignedDuration;

use super::role::{self, RoleClaim};

/// Shortest session that AWS and Alibaba grant.
const SHORTEST_SESSION: SignedDuration = SignedDuration::from_mins(15);
/// Longest `RelayState` (bytes; SAML bindings §3.5.3).
const LONGEST_RELAY_STATE: usize = 80;
/// Longest session that AWS and Alibaba grant.
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(12);

/// A cloud whose accounts trust a SAML provider for their roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// The embedded cloud, whose sign-in is at this address.
    Embedded {
        /// The address; recipient and audience.
        sign_in_url: &'a str,
    },
    /// Tencent Cloud in China.
    TencentChina,
    /// Tencent Cloud elsewhere.
    TencentInternational,
    /// Amazon Web Services; a region of its own outlives a failure of the global sign-in.
    Aws {
        /// The region; none for the global sign-in.
        region: Option<&'a str>,
    },
    /// Alibaba Cloud in China.
    AlibabaChina,
    /// Alibaba Cloud elsewhere.
    AlibabaInternational,
}

/// What a person may be in an account.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The account's number.
    pub account: i64,
    /// Names of roles, at least one; the person picks one of several.
    pub roles: &'a [&'a str],
    /// The name of the SAML provider in the account.
    pub provider: &'a str,
    /// Who it is.
    pub user_name: &'a str,
    /// How long a session may last.
    pub session: SignedDuration,
}

/// An attribute to state, with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its name.
    pub name: String,
    /// Its values, in order.
    pub values: Vec<String>,
}

impl Target<'_> {
    /// Where responses go: destination and recipient.
    pub fn acs_url(&self) -> Cow<'_, str> {
        match self {
            Self::Embedded { sign_in_url } => Cow::Borrowed(sign_in_url),
            Self::TencentChina => "https://cloud.tencent.com/login/saml".into(),
            Self::TencentInternational => "https://www.tencentcloud.com/login/saml".into(),
            Self::Aws { region: None } => "https://signin.aws.amazon.com/saml".into(),
            Self::Aws { region: Some(region) } => {
                format!("https://{region}.signin.aws.amazon.com/saml").into()
            }
            Self::AlibabaChina => "https://signin.aliyun.com/saml-role/sso".into(),
            Self::AlibabaInternational => "https://signin.alibabacloud.com/saml-role/sso".into(),
        }
    }

    /// For whom they are.
    pub fn audience(&self) -> &str {
        match self {
            Self::Embedded { sign_in_url } => sign_in_url,
            Self::TencentChina => "cloud.tencent.com",
            Self::TencentInternational => "www.tencentcloud.com",
            Self::Aws { .. } => "urn:amazon:webservices",
            Self::AlibabaChina => "urn:alibaba:cloudcomputing",
            Self::AlibabaInternational => "urn:alibaba:cloudcomputing:international",
        }
    }

    /// The `RelayState` by which the cloud leads to a landing page: the address, for a cloud that is
    /// not ours. None where there is none that it would take: longer than 80 bytes (SAML bindings
    /// §3.5.3), or the path of a console whose address we do not know.
    pub fn relay_state(&self, page: &str) -> Option<String> {
        let console = match self {
            Self::Embedded { .. } | Self::AlibabaChina | Self::AlibabaInternational => None,
            Self::TencentChina => Some("https://console.cloud.tencent.com"),
            Self::TencentInternational => Some("https://console.intl.cloud.tencent.com"),
            Self::Aws { .. } => Some("https://console.aws.amazon.com"),
        };
        let address = match page.strip_prefix('/') {
            Some(path) => format!("{}/{path}", console?),
            None => page.to_owned(),
        };
        (1..=LONGEST_RELAY_STATE).contains(&address.len()).then_some(address)
    }

    /// How long a name of a session may be, and what beside letters and digits may stand in it.
    fn session_names(&self) -> (usize, &'static [u8]) {
        match self {
            Self::Embedded { .. } | Self::TencentChina | Self::TencentInternational => {
                (32, role::NAME_SIGNS)
            }
            Self::Aws { .. } => (64, role::NAME_SIGNS),
            // The manuals of its two sites differ; these stand in both.
            Self::AlibabaChina | Self::AlibabaInternational => (64, b"_=.@-"),
        }
    }

    /// The attributes that say it all. Where the cloud takes the length of a session in an
    /// attribute, it is there, within what the cloud allows and never more than is granted: a
    /// grant shorter than the cloud's shortest session is not stated longer, so the cloud's own
    /// refusal or `SessionNotOnOrAfter` decides.
    pub fn statements(&self, grant: &Grant<'_>) -> Vec<Statement> {
        let (longest, signs) = self.session_names();
        let name = role::session_name_of(grant.user_name, longest, signs);
        let prefix = match self {
            Self::Embedded { .. } | Self::TencentChina | Self::TencentInternational => {
                let claim = RoleClaim {
                    uin: grant.account,
                    roles: grant.roles.iter().map(ToString::to_string).collect(),
                    provider: grant.provider.to_owned(),
                };
                return vec![
                    Statement { name: role::ROLE.to_owned(), values: vec![claim.to_string()] },
                    Statement { name: role::ROLE_SESSION_NAME.to_owned(), values: vec![name] },
                ];
            }
            Self::Aws { .. } => "https://aws.amazon.com/SAML/Attributes",
            Self::AlibabaChina | Self::AlibabaInternational => {
                "https://www.aliyun.com/SAML-Role/Attributes"
            }
        };
        // One attribute with a value for each role; each names the provider too.
        let value = |role: &&str| {
            let (account, provider) = (grant.account, grant.provider);
            match self {
                Self::Aws { .. } => format!(
                    "arn:aws:iam::{account:012}:role/{role},\
                     arn:aws:iam::{account:012}:saml-provider/{provider}"
                ),
                _ => format!(
                    "acs:ram::{account}:role/{role},acs:ram::{account}:saml-provider/{provider}"
                ),
            }
        };
        let mut statements = vec![
            Statement {
                name: format!("{prefix}/Role"),
                values: grant.roles.iter().map(value).collect(),
            },
            Statement { name: format!("{prefix}/RoleSessionName"), values: vec![name] },
        ];
        if grant.session >= SHORTEST_SESSION {
            let seconds = grant.session.min(LONGEST_SESSION).as_secs().to_string();
            statements.push(Statement {
                name: format!("{prefix}/SessionDuration"),
                values: vec![seconds],
            });
        }
        statements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(session: SignedDuration) -> Grant<'static> {
        Grant {
            account: 100_000_001_234,
            roles: &["look", "touch"],
            provider: "sso",
            user_name: "a-name-of-more-than-thirty-two-characters@example.com",
            session,
        }
    }

    fn value(statements: &[Statement], end: &str) -> Vec<String> {
        let found = statements.iter().find(|it| it.name.ends_with(end));
        found.map(|it| it.values.clone()).unwrap_or_default()
    }

    #[test]
    fn pc_06_a_landing_page_is_told_where_it_is_understood() {
        let here = Target::Embedded { sign_in_url: "https://x/cloud/login/saml" };
        let page = |target: Target<'_>, page: &str| target.relay_state(page);
        assert_eq!(
            page(Target::TencentChina, "/cvm").as_deref(),
            Some("https://console.cloud.tencent.com/cvm")
        );
        let aws = Target::Aws { region: None };
        assert_eq!(page(aws, "/ec2").as_deref(), Some("https://console.aws.amazon.com/ec2"));
        assert_eq!(page(Target::AlibabaChina, "/ecs"), None);
        let ecs = "https://ecs.console.aliyun.com/";
        assert_eq!(page(Target::AlibabaChina, ecs).as_deref(), Some(ecs));
        assert_eq!(page(here, "/cloud"), None);
        assert_eq!(page(aws, ""), None);
        let origin = "https://console.aws.amazon.com/";
        let [fits, long] = [80, 81].map(|length| "a".repeat(length - origin.len()));
        assert!(page(aws, &format!("/{fits}")).is_some());
        assert_eq!(page(aws, &format!("/{long}")), None);
    }

    #[test]
    fn each_cloud_hears_it_in_its_own_words() {
        let hour = grant(SignedDuration::from_hours(1));
        let here = Target::Embedded { sign_in_url: "https://x/cloud/login/saml" };
        for target in [here, Target::TencentChina, Target::TencentInternational] {
            let said = target.statements(&hour);
            assert_eq!(
                value(&said, "/Role"),
                ["qcs::cam::uin/100000001234:roleName/look;\
                 qcs::cam::uin/100000001234:roleName/touch,\
                 qcs::cam::uin/100000001234:saml-provider/sso"]
            );
            assert_eq!(value(&said, "/RoleSessionName")[0].len(), 32);
            assert!(value(&said, "/SessionDuration").is_empty());
        }
        let said = Target::Aws { region: None }.statements(&hour);
        assert_eq!(
            value(&said, "/Role"),
            [
                "arn:aws:iam::100000001234:role/look,arn:aws:iam::100000001234:saml-provider/sso",
                "arn:aws:iam::100000001234:role/touch,arn:aws:iam::100000001234:saml-provider/sso",
            ]
        );
        assert_eq!(value(&said, "/RoleSessionName"), [hour.user_name]);
        assert_eq!(value(&said, "/SessionDuration"), ["3600"]);
        let said = Target::AlibabaChina.statements(&hour);
        assert_eq!(
            value(&said, "/Role")[0],
            "acs:ram::100000001234:role/look,acs:ram::100000001234:saml-provider/sso"
        );
        let region = Target::Aws { region: Some("eu-west-1") };
        assert_eq!(region.acs_url(), "https://eu-west-1.signin.aws.amazon.com/saml");
    }

    #[test]
    fn no_session_is_longer_than_granted() {
        for (hours, stated) in [(1, Some("3600")), (12, Some("43200")), (24, Some("43200"))] {
            let said =
                Target::AlibabaInternational.statements(&grant(SignedDuration::from_hours(hours)));
            assert_eq!(value(&said, "/SessionDuration").first().map(String::as_str), stated);
        }
        let short = Target::Aws { region: None }.statements(&grant(SignedDuration::from_mins(14)));
        assert!(value(&short, "/SessionDuration").is_empty());
    }
}
