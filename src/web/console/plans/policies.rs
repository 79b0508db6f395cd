//! Policies in plain words, with how much they let somebody do (PC-15).

use askama::Template;

use crate::{
    permission::{ConfigurationPolicy, NewPolicy, PolicyKind},
    policy::{
        Description, Document, Effect, Risk, catalogue, describe,
        describe::{Actions, Sentence, ServiceActions},
    },
    web::messages::Message,
};

/// A policy and what it says.
#[derive(Template, Clone, Debug)]
#[template(path = "parts/policy_words.html")]
pub(in crate::web::console) struct PolicyWords {
    pub name: String,
    /// The preset's own sentence; empty for a custom one.
    pub summary: String,
    pub risk: Risk,
    sentences: Vec<String>,
    /// The box that its name is the label of.
    label_for: Option<String>,
}

impl PolicyWords {
    /// Of a policy that a configuration has.
    pub fn of(policy: &ConfigurationPolicy) -> Self {
        match policy.kind {
            PolicyKind::Preset => Self::of_preset(policy.policy_id, &policy.name),
            PolicyKind::Custom => {
                let document = policy.document.as_deref().unwrap_or_default();
                Self::of_document(policy.name.clone(), document)
            }
        }
    }

    /// Of a policy that is to be added.
    pub fn of_new(policy: &NewPolicy) -> Self {
        match policy {
            NewPolicy::Preset(name) => {
                let id = catalogue::by_name(name).map_or(0, |preset| preset.id);
                Self::of_preset(id, name)
            }
            NewPolicy::PresetId(id) => {
                let name = catalogue::by_id(*id).map_or("", |preset| &preset.name);
                Self::of_preset(*id, name)
            }
            NewPolicy::Custom { name, document } => Self::of_document(name.clone(), document),
        }
    }

    /// Of a preset.
    pub fn of_preset(id: i64, name: &str) -> Self {
        let Some(preset) = catalogue::by_id(id) else {
            return Self::unknown(name.to_owned());
        };
        let Description { sentences, risk } = describe(&preset.document);
        Self {
            name: preset.name.clone(),
            summary: preset.description.clone(),
            risk,
            sentences: sentences.iter().flat_map(said).collect(),
            label_for: None,
        }
    }

    fn of_document(name: String, document: &str) -> Self {
        let Ok(document) = Document::parse(document) else { return Self::unknown(name) };
        let Description { sentences, risk } = describe(&document);
        let sentences = sentences.iter().flat_map(said).collect();
        Self { name, summary: String::new(), risk, sentences, label_for: None }
    }

    /// One that cannot be read is taken for the worst.
    fn unknown(name: String) -> Self {
        Self {
            name,
            summary: String::new(),
            risk: Risk::Privileged,
            sentences: Vec::new(),
            label_for: None,
        }
    }

    /// With its name as the label of a box.
    pub fn labelling(self, id: String) -> Self {
        Self { label_for: Some(id), ..self }
    }

    /// The colour and the word of its risk.
    pub fn badge(&self) -> (&'static str, Message) {
        risk_badge(self.risk)
    }
}

/// The colour and the word of a risk.
pub(in crate::web::console) fn risk_badge(risk: Risk) -> (&'static str, Message) {
    match risk {
        Risk::Nothing => ("", key!("risk-nothing")),
        Risk::Reads => ("badge-good", key!("risk-reads")),
        Risk::Changes => ("badge-busy", key!("risk-changes")),
        Risk::Broad => ("badge-warn", key!("risk-broad")),
        Risk::Privileged => ("badge-bad", key!("risk-privileged")),
    }
}

/// The greatest risk among policies.
pub(in crate::web::console) fn worst(policies: &[PolicyWords]) -> Risk {
    policies.iter().map(|it| it.risk).max().unwrap_or(Risk::Nothing)
}

/// A sentence for each service that a statement speaks of.
fn said(sentence: &Sentence) -> Vec<String> {
    let mut tail = String::new();
    if !sentence.resources.is_empty() {
        tail.push_str(&t!("policy-on", resources = sentence.resources.join(", ")));
    }
    if !sentence.conditions.is_empty() {
        tail.push_str(&t!("policy-if", conditions = sentence.conditions.join("; ")));
    }
    let one = |it: &ServiceActions| format!("{}{tail}", of_service(sentence.effect, it));
    sentence.services.iter().map(one).collect()
}

fn of_service(effect: Effect, it: &ServiceActions) -> String {
    let everywhere = it.service.is_none();
    let service = it.title.as_str();
    match (effect, &it.actions, everywhere) {
        (Effect::Allow, Actions::All, true) => t!("policy-allow-everything"),
        (Effect::Deny, Actions::All, true) => t!("policy-deny-everything"),
        (Effect::Allow, Actions::Reading, true) => t!("policy-allow-look-everywhere"),
        (Effect::Deny, Actions::Reading, true) => t!("policy-deny-look-everywhere"),
        (Effect::Allow, Actions::All, false) => t!("policy-allow-all", service = service),
        (Effect::Deny, Actions::All, false) => t!("policy-deny-all", service = service),
        (Effect::Allow, Actions::Reading, false) => t!("policy-allow-look", service = service),
        (Effect::Deny, Actions::Reading, false) => t!("policy-deny-look", service = service),
        (effect, Actions::Some(named, more), _) => {
            let service = if everywhere { t!("policy-every-service") } else { service.to_owned() };
            let actions = named.join(", ");
            match effect {
                Effect::Allow => {
                    t!("policy-allow-some", service = service, actions = actions, more = *more)
                }
                Effect::Deny => {
                    t!("policy-deny-some", service = service, actions = actions, more = *more)
                }
            }
        }
    }
}
