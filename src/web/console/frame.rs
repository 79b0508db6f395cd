//! What stands around every page of the console, and the small parts that its lists share.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Administrator;
use crate::{
    store::{Page, PageRequest},
    web::{
        Face, Fault,
        messages::{self, Message},
        page::Field,
        pages::{PageError, told},
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
    Sessions,
    Configurations,
    Authorization,
    UserSyncs,
    Explorer,
    Requests,
    Drift,
    Tasks,
    SingleSignOn,
    Scim,
    Events,
    Expiring,
    Audit,
    Administrators,
    Keys,
    Organization,
    Own,
}

/// An entry of the menu.
pub(super) struct Entry {
    pub section: Section,
    pub href: &'static str,
    pub icon: &'static str,
    pub label: Message,
}

/// A part of the menu with a title.
pub(super) struct Part {
    pub title: Option<Message>,
    pub entries: &'static [Entry],
}

const fn entry(section: Section, href: &'static str, icon: &'static str, label: Message) -> Entry {
    Entry { section, href, icon, label }
}

/// SET-01.
const MENU: &[Part] = &[
    Part {
        title: None,
        entries: &[entry(Section::Overview, "/console", "home", key!("overview-title"))],
    },
    Part {
        title: Some(key!("menu-users")),
        entries: &[
            entry(Section::Users, "/console/users", "user", key!("users-title")),
            entry(Section::Groups, "/console/groups", "users", key!("groups-title")),
            entry(Section::Sessions, "/console/sessions", "enter", key!("sessions-title")),
        ],
    },
    Part {
        title: Some(key!("menu-cam")),
        entries: &[
            entry(
                Section::Configurations,
                "/console/configurations",
                "shield",
                key!("configurations-title"),
            ),
            entry(
                Section::Authorization,
                "/console/authorization",
                "tree",
                key!("authorization-title"),
            ),
            entry(Section::UserSyncs, "/console/user-syncs", "sync", key!("user-syncs-title")),
            entry(Section::Explorer, "/console/explorer", "search", key!("explorer-title")),
            entry(Section::Requests, "/console/requests", "check", key!("requests-title")),
            entry(Section::Drift, "/console/drift", "warning", key!("drift-title")),
            entry(Section::Tasks, "/console/tasks", "tasks", key!("tasks-title")),
        ],
    },
    Part {
        title: Some(key!("menu-settings")),
        entries: &[
            entry(Section::SingleSignOn, "/console/settings/sso", "key", key!("sso-title")),
            entry(Section::Scim, "/console/settings/scim", "sync", key!("scim-title")),
            entry(Section::Events, "/console/settings/events", "enter", key!("events-title")),
            entry(Section::Expiring, "/console/expiring", "clock", key!("expiring-title")),
            entry(Section::Audit, "/console/audit", "log", key!("audit-title")),
        ],
    },
    Part {
        title: Some(key!("menu-organization")),
        entries: &[
            entry(
                Section::Organization,
                "/console/organization",
                "tree",
                key!("organization-title"),
            ),
            entry(
                Section::Administrators,
                "/console/administrators",
                "users",
                key!("administrators-title"),
            ),
            entry(Section::Keys, "/console/keys", "key", key!("keys-own")),
            entry(Section::Own, "/console/account", "user", key!("own-title")),
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
    pub done: Option<String>,
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
            done: done.and_then(messages::done),
        }
    }

    pub fn is_current(&self, entry: &Entry) -> bool {
        entry.section == self.section
    }
}

/// Goes on after a change, to a page that says the message `done-<code>`.
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
            Face::Field(field) => Ok(Self { field: Some(field), message: told(&fault) }),
            Face::Refused => Ok(Self::whole(told(&fault))),
            Face::NotFound | Face::Malformed | Face::Internal => Err(PageError::Fault(fault)),
        }
    }

    /// What to say above the form; what is wrong with a field stands at the field.
    pub fn summary(&self) -> String {
        if self.field.is_some() { t!("one-field-wrong") } else { self.message.clone() }
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
    pub title: Message,
    pub intro: Message,
    pub back: String,
    pub back_label: String,
    pub action: String,
    pub submit: Message,
    pub fields: Vec<Field>,
    pub wrong: Option<Wrong>,
    /// What it was made from, where it changes something: see [`super::conflict`].
    pub mark: String,
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
        self.pager_with(path, page, &[])
    }

    /// The same for a list that is narrowed by more: what its address says besides.
    pub fn pager_with<T>(&self, path: &str, page: &Page<T>, more: &[(&str, &str)]) -> Pager {
        let own = [("search", &*self.search), ("tab", &*self.tab), ("state", &*self.state)];
        let kept: Vec<String> = own
            .iter()
            .chain(more)
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
    pub label: Message,
    pub text: String,
    pub keep: Vec<(&'static str, String)>,
    /// Whether the list is narrowed by more than the search.
    pub is_narrowed: bool,
}

impl Search {
    pub fn new(label: Message, query: &ListQuery) -> Self {
        Self { label, text: query.search.trim().to_owned(), keep: Vec::new(), is_narrowed: false }
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
}
