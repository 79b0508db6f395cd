//! The table of actions: what there is, and what of it we do.

use super::{
    actions,
    call::Action,
    catalogue::{SERVICES, Service},
    refusal::Refusal,
};
use crate::tc3::CommonCode;

/// The actions of one version of a service that we do.
pub struct Implemented {
    /// The service, as in the credential scope.
    pub service: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The rows, by subject.
    pub actions: &'static [&'static [Action]],
}

/// Every action that we do.
pub const TABLE: &[Implemented] = &[
    Implemented {
        service: "organization",
        version: "2021-03-31",
        actions: &[
            actions::organization::ACTIONS,
            actions::space::ACTIONS,
            actions::user::ACTIONS,
            actions::group::ACTIONS,
            actions::scim::ACTIONS,
            actions::saml::ACTIONS,
            actions::configuration::ACTIONS,
            actions::assignment::ACTIONS,
            actions::task::ACTIONS,
            actions::user_sync::ACTIONS,
        ],
    },
    Implemented { service: "sts", version: "2018-08-13", actions: &[actions::sts::ACTIONS] },
];

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
        .flat_map(|it| it.actions.iter().copied().flatten())
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
            ("cam", "2019-01-16", "CreateRole", "UnsupportedOperation"),
            ("sts", "2018-08-13", "GetCallerIdentity", "found GetCallerIdentity"),
            ("sts", "2018-08-13", "AssumeRole", "UnsupportedOperation"),
            ("cvm", "2017-03-12", "DescribeInstances", "NoSuchProduct"),
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
        assert_eq!(counts, [139, 20, 45, 7]);
        for part in TABLE {
            let catalogue = SERVICES
                .iter()
                .find(|it| it.name == part.service && it.version == part.version)
                .unwrap();
            let mut names = Vec::new();
            for action in part.actions.iter().copied().flatten() {
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

    fn check_fields(fields: &[Field]) {
        for (place, field) in fields.iter().enumerate() {
            assert!(fields[..place].iter().all(|other| other.name != field.name), "{}", field.name);
            if let Kind::ObjectList(inner) = field.kind {
                check_fields(inner);
            }
        }
    }
}
