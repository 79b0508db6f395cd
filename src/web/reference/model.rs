//! The reference as pages and programs read it: the table of actions in words, with examples.

use serde_json::{Map, Value, json};

use super::story::{ByAction, Example, Story};
use crate::web::{
    api::{
        call::{Access, Action},
        catalogue::{self, OWN},
        fields::{Field, Kind, Rule},
        subject::Subject as About,
        table::{self, TABLE},
    },
    messages::Message,
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
    pub title: Message,
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
                title: *title,
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

    /// What it touches, as policies see it, if that is something in particular.
    pub fn resource(&self) -> Option<String> {
        let Access::Account(subject) = self.access else { return None };
        Some(match subject {
            About::Everything => return None,
            About::NewRole(name) => t!("reference-resource-new-role", name = name),
            About::Role { id, name } => t!("reference-resource-role", id = id, name = name),
            About::RoleArn(name) => t!("reference-resource-role-arn", name = name),
            About::Policy { id, name: None } => t!("reference-resource-policy", id = id),
            About::Policy { id, name: Some(name) } => {
                t!("reference-resource-policy-or", id = id, name = name)
            }
            About::Policies(name) => t!("reference-resource-policies", name = name),
            About::UserNamed(name) => t!("reference-resource-user-named", name = name),
            About::User(name) => t!("reference-resource-user", name = name),
            About::Users(name) => t!("reference-resource-users", name = name),
            About::Provider(name) => t!("reference-resource-provider", name = name),
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
    pub fn kind(&self) -> Message {
        match self.field.kind {
            Kind::Text => key!("reference-string"),
            Kind::Integer => key!("reference-integer"),
            Kind::Unsigned => key!("reference-unsigned-integer"),
            Kind::Boolean => key!("reference-boolean"),
            Kind::TextList => key!("reference-string-list"),
            Kind::IntegerList => key!("reference-integer-list"),
            Kind::Object(_) => key!("reference-object"),
            Kind::ObjectList(_) => key!("reference-object-list"),
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
            Rule::Within(least, most) => {
                let (least, most) = (least.to_string(), most.to_string());
                Some(t!("reference-within", least = least, most = most))
            }
            Rule::Characters(most) => Some(t!("reference-characters", count = most)),
            Rule::Entries(most) => Some(t!("reference-entries", count = most)),
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
        assert_eq!(
            (parameter("Filter").code(), parameter("Filter").kind()),
            (None, key!("reference-string"))
        );
        assert!(list.is_about("filtergroups") && !list.is_about("nothing of it"));
        let role = reference.find("cam", "2019-01-16", "GetRole").unwrap();
        assert_eq!(role.resource().unwrap(), "the role that RoleId or RoleName names");
    }
}
