//! The table of actions: what there is, and what of it we do.

use super::{
    actions,
    call::{Action, Unsigned},
    catalogue::{OWN, SERVICES, Service},
    refusal::Refusal,
};
use crate::{tc3::CommonCode, web::messages::Message};

/// The actions of one version of a service that we do.
pub struct Implemented {
    /// The service, as in the credential scope.
    pub service: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The rows, by subject, each with what the reference calls it.
    pub subjects: &'static [(Message, &'static [Action])],
}

impl Implemented {
    /// All of them.
    pub fn actions(&self) -> impl Iterator<Item = &'static Action> + use<> {
        self.subjects.iter().flat_map(|(_, actions)| actions.iter())
    }
}

/// Every action that we do.
pub const TABLE: &[Implemented] = &[
    Implemented {
        service: "organization",
        version: "2021-03-31",
        subjects: &[
            (key!("reference-subject-organization"), actions::organization::ACTIONS),
            (key!("reference-subject-space"), actions::space::ACTIONS),
            (key!("reference-subject-users"), actions::user::ACTIONS),
            (key!("reference-subject-groups"), actions::group::ACTIONS),
            (key!("reference-subject-scim"), actions::scim::ACTIONS),
            (key!("reference-subject-sign-in"), actions::saml::ACTIONS),
            (key!("reference-subject-configurations"), actions::configuration::ACTIONS),
            (key!("reference-subject-assignments"), actions::assignment::ACTIONS),
            (key!("reference-subject-tasks"), actions::task::ACTIONS),
            (key!("reference-subject-user-syncs"), actions::user_sync::ACTIONS),
            (key!("reference-subject-requests"), actions::request::ACTIONS),
        ],
    },
    Implemented {
        service: "cam",
        version: "2019-01-16",
        subjects: &[
            (key!("reference-subject-policies"), actions::cam::policy::ACTIONS),
            (key!("reference-subject-roles"), actions::cam::role::ACTIONS),
            (key!("reference-subject-attachments"), actions::cam::attachment::ACTIONS),
            (key!("reference-subject-service-roles"), actions::cam::service_role::ACTIONS),
            (key!("reference-subject-cam-users"), actions::cam::user::ACTIONS),
            (key!("reference-subject-access-keys"), actions::cam::access_key::ACTIONS),
            (key!("reference-subject-saml-providers"), actions::cam::saml_provider::ACTIONS),
        ],
    },
    Implemented {
        service: "sts",
        version: "2018-08-13",
        subjects: &[
            (key!("reference-subject-temporary"), actions::sts::ACTIONS),
            (key!("reference-subject-temporary-saml"), actions::sts::saml::ACTIONS),
        ],
    },
    Implemented {
        service: OWN.0,
        version: OWN.1,
        subjects: &[
            (key!("reference-subject-own-account"), actions::own::account::ACTIONS),
            (key!("reference-subject-several-users"), actions::own::directory::ACTIONS),
            (key!("reference-subject-overview"), actions::own::overview::ACTIONS),
            (key!("reference-subject-sessions"), actions::own::session::ACTIONS),
            (key!("reference-subject-look"), actions::own::look::ACTIONS),
            (key!("reference-subject-command-lines"), actions::own::command_line::ACTIONS),
            (key!("reference-subject-plans"), actions::own::plan::ACTIONS),
            (key!("reference-subject-deployments"), actions::own::deployment::ACTIONS),
            (key!("reference-subject-drift"), actions::own::drift::ACTIONS),
            (key!("reference-subject-other-clouds"), actions::own::other_cloud::ACTIONS),
            (key!("reference-subject-events"), actions::own::event::ACTIONS),
            (key!("reference-subject-keys"), actions::own::key::ACTIONS),
            (key!("reference-subject-proposals"), actions::own::proposal::ACTIONS),
            (key!("reference-subject-sign-in-settings"), actions::own::sign_in::ACTIONS),
            (key!("reference-subject-sign-in-tests"), actions::own::sign_in_test::ACTIONS),
            (key!("reference-subject-history"), actions::own::history::ACTIONS),
            (key!("reference-subject-directory-settings"), actions::own::scim::ACTIONS),
            (key!("reference-subject-all-tasks"), actions::own::task::ACTIONS),
        ],
    },
];

/// Every action that may come without a signature.
const UNSIGNED: &[Unsigned] = &[actions::sts::saml::UNSIGNED];

/// Whether an action may come without a signature.
pub fn may_be_unsigned(service: &str, version: &str, name: &str) -> bool {
    UNSIGNED.iter().any(|it| (it.service, it.version, it.name) == (service, version, name))
}

/// The row for an action that came without a signature.
pub fn find_unsigned(version: &str, name: &str) -> Result<&'static Unsigned, Refusal> {
    let found = UNSIGNED.iter().find(|it| it.version == version && it.name == name);
    found.ok_or_else(|| {
        Refusal::common(
            CommonCode::InvalidAuthorization,
            "The action must be signed with TC3-HMAC-SHA256.",
        )
    })
}

/// The row for an action, or the code that says why there is none.
pub fn find(service: &str, version: &str, name: &str) -> Result<&'static Action, Refusal> {
    let mut versions = SERVICES.iter().filter(|it| it.name == service).peekable();
    if versions.peek().is_none() {
        return Err(Refusal::common(
            CommonCode::NoSuchProduct,
            "The service of the credential scope does not exist.",
        ));
    }
    let Some(catalogue) = versions.find(|it| it.version == version) else {
        return Err(Refusal::common(
            CommonCode::NoSuchVersion,
            "The service has no version of the name in `X-TC-Version`.",
        ));
    };
    if let Some(action) = implemented(catalogue).find(|action| action.name == name) {
        return Ok(action);
    }
    if catalogue.actions.binary_search(&name).is_ok() {
        return Err(Refusal::common(
            CommonCode::UnsupportedOperation,
            format!("The action {name} is not supported here."),
        ));
    }
    Err(Refusal::common(
        CommonCode::InvalidAction,
        "The service has no action of the name in `X-TC-Action`.",
    ))
}

fn implemented(catalogue: &Service) -> impl Iterator<Item = &'static Action> {
    let (service, version) = (catalogue.name, catalogue.version);
    TABLE
        .iter()
        .filter(move |it| it.service == service && it.version == version)
        .flat_map(Implemented::actions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::api::fields::{Field, Kind};

    fn code(service: &str, version: &str, name: &str) -> String {
        match find(service, version, name) {
            Ok(action) => format!("found {}", action.name),
            Err(refusal) => refusal.code_and_message().0,
        }
    }

    #[test]
    fn every_name_has_its_answer() {
        for (service, version, name, expected) in [
            ("organization", "2021-03-31", "CreateUser", "found CreateUser"),
            ("organization", "2021-03-31", "InviteOrganizationMember", "UnsupportedOperation"),
            ("organization", "2021-03-31", "createuser", "InvalidAction"),
            ("organization", "2018-12-25", "GetOrganization", "UnsupportedOperation"),
            ("organization", "2018-12-25", "CreateUser", "InvalidAction"),
            ("organization", "2019-01-16", "CreateUser", "NoSuchVersion"),
            ("cam", "2019-01-16", "CreateGroup", "InvalidAction"),
            ("cam", "2019-01-16", "CreateRole", "found CreateRole"),
            ("cam", "2019-01-16", "CreateUserSAMLConfig", "UnsupportedOperation"),
            ("sts", "2018-08-13", "GetCallerIdentity", "found GetCallerIdentity"),
            ("sts", "2018-08-13", "AssumeRole", "found AssumeRole"),
            ("sts", "2018-08-13", "GetSessionToken", "UnsupportedOperation"),
            ("cvm", "2017-03-12", "DescribeInstances", "NoSuchProduct"),
            ("identitycenter", "2026-11-22", "ListPortalSessions", "found ListPortalSessions"),
            ("identitycenter", "2026-11-22", "ListUsers", "InvalidAction"),
            ("identitycenter", "2021-03-31", "ListPortalSessions", "NoSuchVersion"),
            ("organization", "2021-03-31", "ListPortalSessions", "InvalidAction"),
        ] {
            assert_eq!(code(service, version, name), expected, "{service} {version} {name}");
        }
    }

    #[test]
    fn the_catalogue_is_sorted_and_holds_the_whole_table() {
        for service in SERVICES {
            assert!(service.actions.is_sorted(), "{} {}", service.name, service.version);
        }
        let counts: Vec<usize> = SERVICES.iter().map(|service| service.actions.len()).collect();
        assert_eq!(counts[..4], [139, 20, 45, 7]);
        let own = &SERVICES[4];
        assert_eq!(implemented(own).count(), own.actions.len(), "of our own there is no other");
        for part in TABLE {
            let catalogue = SERVICES
                .iter()
                .find(|it| it.name == part.service && it.version == part.version)
                .unwrap();
            let mut names = Vec::new();
            for action in part.actions() {
                assert!(catalogue.actions.contains(&action.name), "{}", action.name);
                names.push(action.name);
                check_fields(action.fields);
            }
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "an action is there twice");
        }
    }

    /// What a field of the reference is called in the table.
    fn kind_of(field: &serde_json::Value) -> String {
        let word = |name: &str| field[name].as_str().unwrap_or_default().to_owned();
        match word("type").as_str() {
            "string" => "Text".to_owned(),
            "boolean" => "Boolean".to_owned(),
            "int64" => "Integer".to_owned(),
            "uint64" => "Unsigned".to_owned(),
            "list" => match word("item").as_str() {
                "string" => "TextList".to_owned(),
                "uint64" | "int64" => "IntegerList".to_owned(),
                _ => "ObjectList".to_owned(),
            },
            other => panic!("{other}"),
        }
    }

    /// CAM, STS and what we have of the reference of the Identity Center: the table has every
    /// parameter of the reference, with its type, and no other.
    #[test]
    fn the_fields_are_those_of_the_reference() {
        for text in [
            include_str!("../../../tests/api/cam.json"),
            include_str!("../../../tests/api/sts.json"),
            include_str!("../../../tests/api/identity-center.json"),
        ] {
            let reference: serde_json::Value = serde_json::from_str(text).unwrap();
            let service = reference["service"].as_str().unwrap();
            let part = TABLE.iter().find(|part| part.service == service).unwrap();
            assert_eq!(part.version, reference["version"]);
            for action in part.actions() {
                let name = action.name;
                let actions = reference["actions"].as_array().unwrap();
                let Some(found) = actions.iter().find(|it| it["name"] == name) else {
                    assert_eq!(service, "organization", "{name}");
                    continue;
                };
                let wanted: Vec<(String, String, bool)> = found["request"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| {
                        let required = it["required"].as_bool().unwrap_or_default();
                        (it["name"].as_str().unwrap().to_owned(), kind_of(it), required)
                    })
                    .collect();
                let ours: Vec<(String, String, bool)> = action
                    .fields
                    .iter()
                    .map(|field| {
                        let kind = format!("{:?}", field.kind);
                        let kind = kind.split('(').next().unwrap().to_owned();
                        (field.name.to_owned(), kind, field.required)
                    })
                    .collect();
                assert_eq!(ours, wanted, "{service}:{name}");
            }
        }
    }

    fn check_fields(fields: &[Field]) {
        for (place, field) in fields.iter().enumerate() {
            assert!(fields[..place].iter().all(|other| other.name != field.name), "{}", field.name);
            if let Kind::ObjectList(inner) | Kind::Object(inner) = field.kind {
                check_fields(inner);
            }
        }
    }
}
