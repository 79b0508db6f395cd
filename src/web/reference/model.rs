//! The reference as pages and programs read it: the table of actions in words, with examples.

use serde_json::{Map, Value, json};

use super::story::{ByAction, Example, Story};
use crate::web::api::{
    call::{Access, Action},
    catalogue::{self, OWN},
    fields::{Field, Kind, Rule},
    subject::Subject as About,
    table::{self, TABLE},
};

/// The examples, as they are in the repository.
const EXAMPLES: &str = include_str!("../../../docs/api-examples.json");

/// Everything that there is to be read.
#[derive(Debug)]
pub struct Reference {
    /// By service, those of the public API first.
    pub services: Vec<ServiceEntry>,
}

/// A version of a service.
#[derive(Debug)]
pub struct ServiceEntry {
    /// `organization`, as in the credential scope.
    pub name: &'static str,
    /// `2021-03-31`, as in `X-TC-Version`.
    pub version: &'static str,
    /// What it does, by subject.
    pub subjects: Vec<SubjectEntry>,
    /// Names of actions that it knows and answers with `UnsupportedOperation`.
    pub unsupported: Vec<&'static str>,
}

/// Actions that are about the same.
#[derive(Debug)]
pub struct SubjectEntry {
    /// What they are about.
    pub title: &'static str,
    /// The actions.
    pub actions: Vec<ActionEntry>,
}

/// An action in words.
#[derive(Debug)]
pub struct ActionEntry {
    /// Its service.
    pub service: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: String,
    /// Who may call it.
    pub access: Access,
    /// Whether it may come without a signature.
    pub may_be_unsigned: bool,
    /// Its parameters, those of objects after their object.
    pub parameters: Vec<Parameter>,
    /// Calls of it, and what was answered.
    pub examples: Vec<Example>,
    fields: &'static [Field],
}

/// A parameter in words.
#[derive(Debug)]
pub struct Parameter {
    /// `Tags[].Key` for the field `Key` of each object of the list `Tags`.
    pub path: String,
    /// What it is declared as.
    pub field: &'static Field,
}

impl Reference {
    /// The table with its examples.
    pub fn read() -> serde_json::Result<Self> {
        let mut told = Story::read(EXAMPLES)?.by_action();
        let services =
            catalogue::SERVICES.iter().map(|service| ServiceEntry::new(service, &mut told));
        Ok(Self { services: services.collect() })
    }

    /// One action, if there is one of the name.
    pub fn find(&self, service: &str, version: &str, name: &str) -> Option<&ActionEntry> {
        let found = self.services.iter().find(|it| it.name == service && it.version == version)?;
        found.actions().find(|action| action.name == name)
    }

    /// All of it for programs.
    pub fn to_json(&self) -> Value {
        json!({ "Services": self.services.iter().map(ServiceEntry::to_json).collect::<Vec<_>>() })
    }
}

impl ServiceEntry {
    fn new(service: &catalogue::Service, told: &mut ByAction) -> Self {
        let (name, version) = (service.name, service.version);
        let mut subjects = Vec::new();
        for part in TABLE.iter().filter(|part| (part.service, part.version) == (name, version)) {
            subjects.extend(part.subjects.iter().map(|(title, actions)| SubjectEntry {
                title,
                actions:
                    actions.iter().map(|it| ActionEntry::new(name, version, it, told)).collect(),
            }));
        }
        let mut entry = Self { name, version, subjects, unsupported: Vec::new() };
        let is_done = |name: &str| entry.actions().any(|action| action.name == name);
        let unsupported = service.actions.iter().copied().filter(|name| !is_done(name));
        let unsupported = unsupported.collect();
        entry.unsupported = unsupported;
        entry
    }

    /// Its actions.
    pub fn actions(&self) -> impl Iterator<Item = &ActionEntry> {
        self.subjects.iter().flat_map(|subject| &subject.actions)
    }

    /// Whether it is our own, beside the public API.
    pub fn is_own(&self) -> bool {
        (self.name, self.version) == OWN
    }

    fn to_json(&self) -> Value {
        json!({
            "Service": self.name,
            "Version": self.version,
            "Actions": self.actions().map(ActionEntry::to_json).collect::<Vec<_>>(),
            "UnsupportedActions": self.unsupported,
        })
    }
}

impl ActionEntry {
    fn new(
        service: &'static str,
        version: &'static str,
        action: &'static Action,
        told: &mut ByAction,
    ) -> Self {
        let key = (service.to_owned(), version.to_owned(), action.name.to_owned());
        let told = told.remove(&key).unwrap_or_default();
        let mut parameters = Vec::new();
        list(action.fields, "", &mut parameters);
        Self {
            service,
            version,
            name: action.name,
            about: told.about,
            access: action.access,
            may_be_unsigned: table::may_be_unsigned(service, version, action.name),
            parameters,
            examples: told.examples,
            fields: action.fields,
        }
    }

    /// Where its page is.
    pub fn href(&self) -> String {
        format!("/docs/api/{}/{}/{}", self.service, self.version, self.name)
    }

    /// Whether somebody who looks for this, in lower case, looks for the action.
    pub fn is_about(&self, wanted: &str) -> bool {
        let holds = |text: &str| text.to_lowercase().contains(wanted);
        holds(self.name)
            || holds(&self.about)
            || self.parameters.iter().any(|parameter| holds(parameter.field.name))
    }

    /// What policies call it.
    pub fn policy_action(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }

    /// What it touches, as policies see it.
    pub fn resource(&self) -> Option<String> {
        let Access::Account(subject) = self.access else { return None };
        Some(match subject {
            About::Everything => "no resource in particular (`*`)".to_owned(),
            About::NewRole(name) => format!("the role that is to have the name `{name}`"),
            About::Role { id, name } => format!("the role that `{id}` or `{name}` names"),
            About::RoleArn(name) => format!("the role of `{name}`"),
            About::Policy { id, name: None } => format!("the policy of the number `{id}`"),
            About::Policy { id, name: Some(name) } => {
                format!("the policy that `{id}` or `{name}` names")
            }
            About::Policies(name) => format!("each policy of `{name}`"),
            About::UserNamed(name) => format!("the CAM user that `{name}` names"),
            About::User(name) => format!("the CAM user of `{name}`, or the caller without it"),
            About::Users(name) => format!("each CAM user of `{name}`"),
            About::Provider(name) => format!("the SAML provider that `{name}` names"),
        })
    }

    fn to_json(&self) -> Value {
        let access = match self.access {
            Access::Administrator => "Administrator",
            Access::AnyCredential => "AnyCredential",
            Access::Account(_) => "Account",
        };
        let examples = self.examples.iter().map(|example| {
            json!({
                "Title": example.title.as_deref().unwrap_or_default(),
                "Request": example.request,
                "Response": example.response,
            })
        });
        json!({
            "Name": self.name,
            "About": self.about,
            "Access": access,
            "MayBeUnsigned": self.may_be_unsigned,
            "Parameters": self.fields.iter().map(field_to_json).collect::<Vec<_>>(),
            "Examples": examples.collect::<Vec<_>>(),
        })
    }
}

fn list(fields: &'static [Field], before: &str, all: &mut Vec<Parameter>) {
    for field in fields {
        let path = format!("{before}{}", field.name);
        let inner = match field.kind {
            Kind::Object(fields) => Some((fields, format!("{path}."))),
            Kind::ObjectList(fields) => Some((fields, format!("{path}[]."))),
            Kind::Text
            | Kind::Integer
            | Kind::Unsigned
            | Kind::Boolean
            | Kind::TextList
            | Kind::IntegerList => None,
        };
        all.push(Parameter { path, field });
        if let Some((fields, before)) = inner {
            list(fields, &before, all);
        }
    }
}

impl Parameter {
    /// Its type, in a word or two.
    pub fn kind(&self) -> &'static str {
        match self.field.kind {
            Kind::Text => "string",
            Kind::Integer => "integer",
            Kind::Unsigned => "integer from 0",
            Kind::Boolean => "boolean",
            Kind::TextList => "list of strings",
            Kind::IntegerList => "list of integers",
            Kind::Object(_) => "object",
            Kind::ObjectList(_) => "list of objects",
        }
    }

    /// The words that it may be, if it may only be some.
    pub fn words(&self) -> &'static [&'static str] {
        match self.field.rule {
            Rule::OneOf(words) => words,
            Rule::Any | Rule::Within(..) | Rule::Characters(_) | Rule::Entries(_) => &[],
        }
    }

    /// How much it may be, if that is limited.
    pub fn bounds(&self) -> Option<String> {
        match self.field.rule {
            Rule::Any | Rule::OneOf(_) => None,
            Rule::Within(least, most) => Some(format!("{least} to {most}")),
            Rule::Characters(1) => Some("1 character".to_owned()),
            Rule::Characters(most) => Some(format!("up to {most} characters")),
            Rule::Entries(1) => Some("1 entry".to_owned()),
            Rule::Entries(most) => Some(format!("up to {most} entries")),
        }
    }

    /// The code for a value that breaks the rule, if there is one.
    pub fn code(&self) -> Option<&'static str> {
        match self.field.rule {
            Rule::Any => None,
            Rule::OneOf(_) | Rule::Within(..) | Rule::Characters(_) | Rule::Entries(_) => {
                Some(self.field.violation)
            }
        }
    }
}

fn field_to_json(field: &Field) -> Value {
    let (kind, inner): (&str, &[Field]) = match field.kind {
        Kind::Text => ("String", &[]),
        Kind::Integer => ("Integer", &[]),
        Kind::Unsigned => ("UnsignedInteger", &[]),
        Kind::Boolean => ("Boolean", &[]),
        Kind::TextList => ("StringList", &[]),
        Kind::IntegerList => ("IntegerList", &[]),
        Kind::Object(inner) => ("Object", inner),
        Kind::ObjectList(inner) => ("ObjectList", inner),
    };
    let mut told = Map::new();
    let mut tell = |name: &str, value: Value| told.insert(name.to_owned(), value);
    tell("Name", json!(field.name));
    tell("Type", json!(kind));
    tell("Required", json!(field.required));
    match field.rule {
        Rule::Any => None,
        Rule::OneOf(words) => tell("OneOf", json!(words)),
        Rule::Within(least, most) => tell("Within", json!([least, most])),
        Rule::Characters(most) => tell("MostCharacters", json!(most)),
        Rule::Entries(most) => tell("MostEntries", json!(most)),
    };
    if !inner.is_empty() {
        tell("Fields", inner.iter().map(field_to_json).collect());
    }
    Value::Object(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_told_about_and_shown() {
        let reference = Reference::read().unwrap();
        let mut count = 0;
        for action in reference.services.iter().flat_map(ServiceEntry::actions) {
            let name = action.policy_action();
            assert!(action.about.ends_with('.'), "{name}: a sentence about it is missing");
            assert!(!action.examples.is_empty(), "{name}: an example is missing");
            let several = action.examples.len() > 1;
            let titled = action.examples.iter().skip(1).all(|example| example.title.is_some());
            assert!(!several || titled, "{name}: what tells its examples apart?");
            count += 1;
        }
        assert_eq!(count, TABLE.iter().flat_map(table::Implemented::actions).count());
    }

    #[test]
    fn plans_have_an_example_of_each_type() {
        let reference = Reference::read().unwrap();
        let plan = reference.find(OWN.0, OWN.1, "DescribePlan").unwrap();
        let types = plan.parameters.iter().find(|it| it.path == "Operation.Type").unwrap();
        for word in types.words() {
            let shown = plan.examples.iter().any(|it| it.request["Operation"]["Type"] == *word);
            assert!(shown, "{word}");
        }
    }

    #[test]
    fn rules_are_put_into_words() {
        let reference = Reference::read().unwrap();
        let list = reference.find("organization", "2021-03-31", "ListUsers").unwrap();
        let parameter = |path: &str| list.parameters.iter().find(|it| it.path == path).unwrap();
        assert_eq!(parameter("MaxResults").bounds().unwrap(), "1 to 100");
        assert_eq!(parameter("FilterGroups").bounds().unwrap(), "up to 100 entries");
        assert_eq!(parameter("SortType").words(), ["Asc", "Desc"]);
        assert_eq!((parameter("Filter").code(), parameter("Filter").kind()), (None, "string"));
        assert!(list.is_about("filtergroups") && !list.is_about("nothing of it"));
        let role = reference.find("cam", "2019-01-16", "GetRole").unwrap();
        assert_eq!(role.resource().unwrap(), "the role that `RoleId` or `RoleName` names");
    }
}
