//! What stands around every page of the console, and the small parts that its lists share.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Administrator;
use crate::{
    store::{Page, PageRequest},
    web::{
        Face, Fault,
        page::Field,
        pages::{PageError, sentence},
    },
};

/// Rows on a page of a list.
const PAGE_ROWS: i64 = 50;

/// Where in the console a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Users,
    Groups,
    Configurations,
    Authorization,
    Requests,
    Tasks,
    SingleSignOn,
    Scim,
    Events,
    Audit,
}

/// An entry of the menu.
pub(super) struct Entry {
    pub section: Section,
    pub href: &'static str,
    pub icon: &'static str,
    pub label: &'static str,
}

/// A part of the menu with a title.
pub(super) struct Part {
    pub title: &'static str,
    pub entries: &'static [Entry],
}

const fn entry(
    section: Section,
    href: &'static str,
    icon: &'static str,
    label: &'static str,
) -> Entry {
    Entry { section, href, icon, label }
}

/// SET-01.
const MENU: &[Part] = &[
    Part { title: "", entries: &[entry(Section::Overview, "/console", "home", "Overview")] },
    Part {
        title: "User management",
        entries: &[
            entry(Section::Users, "/console/users", "user", "Users"),
            entry(Section::Groups, "/console/groups", "users", "Groups"),
        ],
    },
    Part {
        title: "CAM synchronisation",
        entries: &[
            entry(
                Section::Configurations,
                "/console/configurations",
                "shield",
                "Permission configurations",
            ),
            entry(
                Section::Authorization,
                "/console/authorization",
                "tree",
                "Multi-account authorisation",
            ),
            entry(Section::Requests, "/console/requests", "check", "Access requests"),
            entry(Section::Tasks, "/console/tasks", "tasks", "Tasks"),
        ],
    },
    Part {
        title: "Settings",
        entries: &[
            entry(Section::SingleSignOn, "/console/settings/sso", "key", "Single sign-on"),
            entry(Section::Scim, "/console/settings/scim", "sync", "SCIM"),
            entry(Section::Events, "/console/settings/events", "enter", "Events"),
            entry(Section::Audit, "/console/audit", "log", "Audit log"),
        ],
    },
];

/// What stands around a page.
pub(super) struct Frame {
    section: Section,
    pub menu: &'static [Part],
    pub administrator: String,
    pub organization: String,
    pub may_change: bool,
    pub done: Option<&'static str>,
}

impl Frame {
    /// Around a page of this section. `done` is the code of what was done last.
    pub fn new(administrator: &Administrator, section: Section, done: Option<&str>) -> Self {
        Self {
            section,
            menu: MENU,
            administrator: administrator.name.clone(),
            organization: administrator.organization.name.clone(),
            may_change: administrator.may_change,
            done: done.and_then(done_words),
        }
    }

    pub fn is_current(&self, entry: &Entry) -> bool {
        entry.section == self.section
    }
}

/// What a page says once after something was done. Only these words can be shown: the code comes
/// out of the address.
fn done_words(code: &str) -> Option<&'static str> {
    Some(match code {
        "space-opened" => "The space is open.",
        "user-created" => "The user was created.",
        "user-enabled" => "The user was enabled.",
        "user-disabled" => "The user was disabled. Their portal sessions have ended.",
        "user-changed" => "The user was changed.",
        "user-deleted" => "The user was deleted.",
        "user-adopted" => "The user was handed over to SCIM.",
        "group-changed" => "The group was changed.",
        "group-deleted" => "The group was deleted.",
        "group-adopted" => "The group was handed over to SCIM.",
        "request-approved" => "The request was approved. Tasks do the rest.",
        "request-rejected" => "The request was rejected.",
        "group-created" => "The group was created.",
        "member-added" => "The member was added.",
        "member-removed" => "The member was removed.",
        "configuration-created" => "The permission configuration was created.",
        "policies-added" => "The policies were added.",
        "command-line-on" => "People get credentials for the command line from now on.",
        "command-line-off" => "Nobody gets credentials for the command line any more.",
        "deployment-begun" => "The deployment has begun.",
        "assignments-begun" => "The role sync has begun: one task per assignment.",
        "assignment-removed" => "The permission was removed.",
        "cloud-set" => "Where the account is was saved.",
        "step-confirmed" => "Thank you. What waited for it goes on now.",
        "task-retried" => "The task is tried again.",
        "switched-on" => "Switched on.",
        "switched-off" => "Switched off.",
        "token-enabled" => "The token was enabled.",
        "token-disabled" => "The token was disabled.",
        "token-deleted" => "The token was deleted.",
        "brake-lifted" => "The brake is lifted. The directory's next attempts pass.",
        "brake-back" => "The brake is back.",
        "settings-saved" => "The settings were saved.",
        "schema-registered" => "The schema was registered. Its values come with the next push.",
        "schema-removed" => "The schema was removed, with every value of it.",
        "endpoint-changed" => "The endpoint was changed.",
        "endpoint-enabled" => "The endpoint was enabled. What it missed can be replayed.",
        "endpoint-disabled" => "The endpoint was disabled. Nothing is sent to it.",
        "endpoint-deleted" => "The endpoint was deleted.",
        "test-sent" => "A test is on its way.",
        "replayed" => "The events are sent once more.",
        "redelivered" => "The event is sent once more.",
        "test-made" => "The test is ready. It affects nobody.",
        "provider-saved" => "The identity provider was saved.",
        "provider-cleared" => "The identity provider was cleared.",
        "source-same" => "What is published is what is configured.",
        "source-looked" => "The address was looked at.",
        "source-kept" => "The address was kept. It is looked at within two minutes.",
        "source-failed" => "The address was looked at. Why what came does not count stands below.",
        "source-removed" => "Nothing is fetched any more. What is configured stays.",
        "proposal-discarded" => "The proposal was thrown away. Nothing has changed.",
        "key-added" => {
            "The key was made and is in the metadata. Give that to your identity provider."
        }
        "key-removed" => "The key was removed. What is encrypted for it is refused from now on.",
        "key-prepared" => "The key was made and is in the metadata. It signs nothing yet.",
        "key-switched" => {
            "The key is in use. The other one stays in the metadata until it is removed."
        }
        "key-retired" => "The key was removed.",
        "certificate-added" => "The certificate was added.",
        "certificate-removed" => "The certificate was removed.",
        _ => return None,
    })
}

/// Goes on after a change, to a page that says what was done.
pub(super) fn done(path: &str, code: &'static str) -> Response {
    let joint = if path.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{path}{joint}done={code}")).into_response()
}

/// Why a form was refused, in the words of the room that refused it.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    field: Option<&'static str>,
    pub message: String,
}

impl Wrong {
    /// A refusal of the whole form.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { field: None, message: message.into() }
    }

    /// The refusal of one field.
    pub fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field), message: message.into() }
    }

    /// The refusal of a form, if the failure is one; else the failure.
    pub fn of(fault: Fault) -> Result<Self, PageError> {
        match Face::of(&fault) {
            Face::Field(field) => Ok(Self { field: Some(field), message: sentence(&fault) }),
            Face::Refused => Ok(Self::whole(sentence(&fault))),
            Face::NotFound | Face::Malformed | Face::Internal => Err(PageError::Fault(fault)),
        }
    }

    /// What to say above the form; what is wrong with a field stands at the field.
    pub fn summary(&self) -> &str {
        if self.field.is_some() { "Nothing was saved: one field is wrong." } else { &self.message }
    }

    /// What is wrong with the field of this name.
    pub fn at(wrong: Option<&Self>, field: &str) -> Option<String> {
        wrong.filter(|wrong| wrong.field == Some(field)).map(|wrong| wrong.message.clone())
    }
}

/// A page that is a form.
#[derive(Template)]
#[template(path = "console/form.html")]
pub(super) struct FormPage {
    pub frame: Frame,
    pub title: &'static str,
    pub intro: &'static str,
    pub back: String,
    pub back_label: String,
    pub action: String,
    pub submit: &'static str,
    pub fields: Vec<Field>,
    pub wrong: Option<Wrong>,
}

/// What the address of a list says.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    pub search: String,
    #[serde(default)]
    pub tab: String,
    #[serde(default)]
    pub state: String,
    pub after: Option<i64>,
    pub done: Option<String>,
}

impl ListQuery {
    /// What to look for, if anything.
    pub fn wanted(&self) -> Option<String> {
        let wanted = self.search.trim();
        (!wanted.is_empty()).then(|| wanted.to_owned())
    }

    pub fn page(&self) -> PageRequest {
        PageRequest { after: self.after, ..PageRequest::first(PAGE_ROWS) }
    }

    /// The way through the pages of a list that stands at `path`.
    pub fn pager<T>(&self, path: &str, page: &Page<T>) -> Pager {
        let kept = [("search", &self.search), ("tab", &self.tab), ("state", &self.state)];
        let kept: Vec<String> = kept
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        let address = |more: Option<String>| {
            let all: Vec<String> = kept.iter().cloned().chain(more).collect();
            if all.is_empty() { path.to_owned() } else { format!("{path}?{}", all.join("&")) }
        };
        Pager {
            total: page.total,
            first: self.after.is_some().then(|| address(None)),
            next: page.next.map(|after| address(Some(format!("after={after}")))),
        }
    }
}

/// The way through the pages of a list.
#[derive(Default)]
pub(super) struct Pager {
    pub total: i64,
    pub first: Option<String>,
    pub next: Option<String>,
}

/// A search field over a list. `keep` goes along with the search.
pub(super) struct Search {
    pub label: &'static str,
    pub text: String,
    pub keep: Vec<(&'static str, String)>,
}

impl Search {
    pub fn new(label: &'static str, query: &ListQuery) -> Self {
        Self { label, text: query.search.trim().to_owned(), keep: Vec::new() }
    }
}

/// A value in an address.
pub(super) fn encode(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_search_from_page_to_page() {
        let query = ListQuery { search: "a&b=c".to_owned(), after: Some(7), ..Default::default() };
        let page = Page::<i64> { rows: vec![], total: 99, next: Some(8) };
        let pager = query.pager("/console/users", &page);
        assert_eq!(pager.first.as_deref(), Some("/console/users?search=a%26b%3Dc"));
        assert_eq!(pager.next.as_deref(), Some("/console/users?search=a%26b%3Dc&after=8"));
        let only = Page::<i64> { rows: vec![], total: 0, next: None };
        assert_eq!(ListQuery::default().pager("/x", &only).next, None);
    }

    #[test]
    fn an_address_puts_no_words_of_its_own_on_a_page() {
        assert_eq!(done_words("<script>"), None);
        assert!(done_words("user-created").is_some());
    }
}
