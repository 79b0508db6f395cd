//! The examples: the story of `docs/api-examples.json`, which a test tells to a server and compares
//! with what it answers (`tests/it/api_examples.rs`).

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// What stands in the file, of which the reference needs this.
#[derive(Debug, Deserialize)]
pub struct Story {
    /// Values that requests name and no answer gives, as they are shown.
    given: HashMap<String, Value>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
struct Step {
    service: String,
    version: String,
    action: String,
    about: Option<String>,
    title: Option<String>,
    #[serde(default)]
    aside: bool,
    #[serde(default)]
    unsigned: bool,
    request: Value,
    #[serde(default)]
    keep: HashMap<String, String>,
    response: Value,
}

/// One call of an action, and what was answered.
#[derive(Debug)]
pub struct Example {
    /// What tells it from the others of its action, if there are others.
    pub title: Option<String>,
    /// Whether it comes without a signature.
    pub unsigned: bool,
    /// The body of the request.
    pub request: Value,
    /// What the envelope held, without the request's id.
    pub response: Value,
}

/// What the story has of one action.
#[derive(Debug, Default)]
pub struct Told {
    /// What the action does, in a sentence or two.
    pub about: String,
    /// Its examples, in the order of the story.
    pub examples: Vec<Example>,
}

/// What the story has of each action, by service, version and name.
pub type ByAction = HashMap<(String, String, String), Told>;

impl Story {
    /// Reads it.
    pub fn read(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Sorts it by action, with each request as it was sent.
    pub fn by_action(self) -> ByAction {
        let mut kept = self.given;
        let mut all = ByAction::new();
        for step in self.steps {
            let request = filled(&step.request, &kept);
            for (name, pointer) in step.keep {
                if let Some(value) = step.response.pointer(&pointer) {
                    kept.insert(name, value.clone());
                }
            }
            if step.aside {
                continue;
            }
            let told = all.entry((step.service, step.version, step.action)).or_default();
            if let Some(about) = step.about {
                told.about = about;
            }
            let (title, unsigned, response) = (step.title, step.unsigned, step.response);
            told.examples.push(Example { title, unsigned, request, response });
        }
        all
    }
}

/// A request with the values that it names: `$name` for a whole value, `{$name}` in a text. A name
/// that nothing is kept under stays as it is.
fn filled(template: &Value, kept: &HashMap<String, Value>) -> Value {
    match template {
        Value::String(text) => {
            let whole = text.strip_prefix('$').and_then(|name| kept.get(name));
            whole.cloned().unwrap_or_else(|| Value::String(filled_text(text, kept)))
        }
        Value::Array(list) => list.iter().map(|value| filled(value, kept)).collect(),
        Value::Object(object) => {
            let all = object.iter().map(|(name, value)| (name.clone(), filled(value, kept)));
            Value::Object(all.collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
    }
}

fn filled_text(text: &str, kept: &HashMap<String, Value>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{$") {
        filled.push_str(before);
        let named = after.split_once('}').and_then(|(name, rest)| Some((kept.get(name)?, rest)));
        if let Some((value, after)) = named {
            match value {
                Value::String(text) => filled.push_str(text),
                other => filled.push_str(&other.to_string()),
            }
            rest = after;
        } else {
            filled.push_str("{$");
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_filled_with_what_was_answered_before() {
        let text = json!({ "given": { "word": "w" }, "steps": [
            { "service": "s", "version": "1", "action": "Make", "about": "Makes.",
              "request": { "Word": "$word", "Other": "$other" },
              "keep": { "id": "/Made/Id", "gone": "/Nothing" }, "response": { "Made": { "Id": 7 } } },
            { "service": "s", "version": "1", "action": "Make", "aside": true,
              "request": {}, "keep": { "id": "/Id" }, "response": { "Id": 8 } },
            { "service": "s", "version": "1", "action": "Show", "about": "Shows.", "title": "One",
              "request": { "Ids": ["$id"], "Arn": "a/{$id}:{$word}{$", "Policy": "{\"a\":1}" },
              "response": {} },
        ]});
        let all = Story::read(&text.to_string()).unwrap().by_action();
        let of = |name: &str| &all[&("s".to_owned(), "1".to_owned(), name.to_owned())];
        assert_eq!(of("Make").examples.len(), 1, "what is aside is not shown");
        assert_eq!(of("Make").examples[0].request, json!({ "Word": "w", "Other": "$other" }));
        assert_eq!(of("Show").about, "Shows.");
        let wanted = json!({ "Ids": [8], "Arn": "a/8:w{$", "Policy": "{\"a\":1}" });
        assert_eq!(of("Show").examples[0].request, wanted);
    }
}
