//! The access explorer: who can reach what, and why; as a table and as a picture of the same rows.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Administrator,
    frame::{Frame, Section, encode},
    words,
};
use crate::{
    access::{self, Names, Origin, Reached, Viewpoint, WantedNames, Way, WayMark},
    app::App,
    directory::{self, GroupFilter, UserFilter},
    id::{ConfigurationId, GroupId, Principal, SpaceId, Uin, UserId},
    organization::{self, AccountFilter},
    permission::{self, ConfigurationFilter},
    store::{PageRequest, Read},
    web::{Fault, messages::Message, page::Page, pages::PageError},
};

/// Ways on a page, and in a picture.
const SHOWN: usize = 25;
/// What a search offers of each kind.
const OFFERED: i64 = 8;

/// From where to look, as the address says it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    user: Option<UserId>,
    group: Option<GroupId>,
    account: Option<Uin>,
    configuration: Option<ConfigurationId>,
    /// `assignment-user`, both as numbers.
    after: String,
    search: String,
}

impl Asked {
    fn view(&self) -> Viewpoint {
        Viewpoint {
            user: self.user,
            group: self.group,
            account: self.account,
            configuration: self.configuration,
        }
    }

    fn mark(&self) -> Option<WayMark> {
        let (by, user) = self.after.split_once('-')?;
        Some(WayMark { by: by.parse().ok()?, user: user.parse().ok()? })
    }

    /// The address with this viewpoint.
    fn address(&self) -> String {
        let said = [
            self.user.map(|id| format!("user={id}")),
            self.group.map(|id| format!("group={id}")),
            self.account.map(|uin| format!("account={uin}")),
            self.configuration.map(|id| format!("configuration={id}")),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        format!("/console/explorer?{}", said.join("&"))
    }
}

/// Something to look from.
struct Offer {
    href: String,
    kind: Message,
    name: String,
}

struct WayRow {
    user_href: String,
    user_name: String,
    account: Uin,
    account_name: String,
    /// The configuration's page, or nothing for a CAM user.
    reached_href: Option<String>,
    reached: String,
    through: Option<(GroupId, String)>,
    badge: words::Badge,
}

#[derive(Template)]
#[template(path = "console/explorer.html")]
struct Explorer {
    frame: Frame,
    search: String,
    offers: Vec<Offer>,
    /// What is looked from, and how not to.
    views: Vec<(Message, String)>,
    rows: Vec<WayRow>,
    total: i64,
    picture: Picture,
    first: Option<String>,
    next: Option<String>,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(from): Query<Asked>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let (view, now) = (from.view(), administrator.act.now);
    let organization = administrator.organization.id;
    let (ways, names, offers) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let ways = access::ways(tx, space, &view, now, (from.mark(), SHOWN)).await?;
            let user = view.user.map(Principal::User);
            let wanted = WantedNames {
                accounts: view.account.into_iter().collect(),
                configurations: view.configuration.into_iter().collect(),
                principals: user.into_iter().chain(view.group.map(Principal::Group)).collect(),
            };
            let names = Names::read(tx, space, &wanted).await?;
            let offers = offers(tx, space, organization, from.search.trim()).await?;
            Ok((ways, names, offers))
        })
        .await?;
    let address = from.address();
    let page = Explorer {
        frame: Frame::new(&administrator, Section::Explorer, None),
        search: from.search.trim().to_owned(),
        offers,
        views: views(&view, &names),
        picture: Picture::of(&ways.rows),
        total: ways.total,
        first: (!from.after.is_empty()).then(|| address.clone()),
        next: ways.next.map(|mark| {
            let after = encode(&format!("{}-{}", mark.by, mark.user));
            format!("{address}&after={after}")
        }),
        rows: ways.rows.into_iter().map(row).collect(),
    };
    Ok(Page::new(page).into_response())
}

fn views(view: &Viewpoint, names: &Names) -> Vec<(Message, String)> {
    let all = [
        view.user.map(|id| (key!("identity-user"), names.principal(Principal::User(id)))),
        view.group.map(|id| (key!("identity-group"), names.principal(Principal::Group(id)))),
        view.account.map(|uin| (key!("col-account"), names.account(uin))),
        view.configuration.map(|id| (key!("col-configuration"), names.configuration(id))),
    ];
    all.into_iter().flatten().collect()
}

/// Whom and what a search finds to look from.
async fn offers(
    tx: &mut Read,
    space: SpaceId,
    organization: crate::id::OrganizationId,
    search: &str,
) -> Result<Vec<Offer>, Fault> {
    if search.is_empty() {
        return Ok(Vec::new());
    }
    let (wanted, page) = (Some(search.to_owned()), PageRequest::first(OFFERED));
    let users = UserFilter { search: wanted.clone(), ..UserFilter::default() };
    let groups = GroupFilter { search: wanted.clone(), ..GroupFilter::default() };
    let accounts = AccountFilter { search: wanted.clone(), ..AccountFilter::default() };
    let configurations = ConfigurationFilter { search: wanted };
    let offer = |name: &str, id: String, kind: Message, text: String| Offer {
        href: format!("/console/explorer?{name}={id}"),
        kind,
        name: text,
    };
    let mut all = Vec::new();
    for it in directory::users(tx, space, &users, page).await?.rows {
        all.push(offer("user", it.id.to_string(), key!("identity-user"), it.user_name));
    }
    for it in directory::groups(tx, space, &groups, page).await?.rows {
        all.push(offer("group", it.id.to_string(), key!("identity-group"), it.name));
    }
    for it in organization::accounts(tx, organization, &accounts, page).await?.rows {
        all.push(offer("account", it.uin.to_string(), key!("col-account"), it.name));
    }
    for it in permission::configurations(tx, space, &configurations, page).await?.rows {
        all.push(offer("configuration", it.id.to_string(), key!("col-configuration"), it.name));
    }
    Ok(all)
}

fn row(way: Way) -> WayRow {
    let (reached_href, reached) = match way.reached {
        Reached::Role { id, name } => (Some(format!("/console/configurations/{id}")), name),
        Reached::CamUser(name) => (None, name),
    };
    WayRow {
        user_href: format!("/console/users/{}", way.user),
        user_name: way.user_name,
        account: way.account,
        account_name: way.account_name,
        reached_href,
        reached,
        through: match way.origin {
            Origin::Direct => None,
            Origin::Group { id, name } => Some((id, name)),
        },
        badge: words::reach(way.state),
    }
}

/// A box of the picture.
struct Node {
    x: usize,
    y: usize,
    name: String,
    /// Shown when the name is cut.
    whole: String,
    class: &'static str,
}

/// A line of the picture, from the right edge of one box to the left edge of another.
struct Edge {
    from: (usize, usize),
    to: (usize, usize),
}

/// The ways of a page as a picture: users, then the groups they come through, then what they reach.
struct Picture {
    width: usize,
    height: usize,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

const COLUMN: usize = 320;
const BOX_WIDTH: usize = 250;
const ROW: usize = 44;
const BOX_HEIGHT: usize = 30;
/// Letters that fit into a box.
const LETTERS: usize = 31;

impl Picture {
    fn of(ways: &[Way]) -> Self {
        let mut columns: [Vec<(String, &'static str)>; 3] = Default::default();
        let mut place = |column: usize, name: String, class: &'static str| -> (usize, usize) {
            let all = &mut columns[column];
            let at = all.iter().position(|(known, of)| *known == name && *of == class);
            let at = at.unwrap_or_else(|| {
                all.push((name, class));
                all.len() - 1
            });
            (column, at)
        };
        let mut lines: Vec<((usize, usize), (usize, usize))> = Vec::new();
        for way in ways {
            let user = place(0, way.user_name.clone(), "user");
            let what = match &way.reached {
                Reached::Role { name, .. } | Reached::CamUser(name) => {
                    format!("{name} @ {}", way.account_name)
                }
            };
            let class = match way.reached {
                Reached::Role { .. } => "role",
                Reached::CamUser(_) => "cam-user",
            };
            let target = place(2, what, class);
            match &way.origin {
                Origin::Direct => lines.push((user, target)),
                Origin::Group { name, .. } => {
                    let group = place(1, name.clone(), "group");
                    lines.push((user, group));
                    lines.push((group, target));
                }
            }
        }
        lines.sort_unstable();
        lines.dedup();
        let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
        let middle = |(column, at): (usize, usize)| {
            // Short columns stand in the middle.
            let spare = (longest - columns[column].len()) * ROW / 2;
            (column * COLUMN, spare + at * ROW + ROW / 2)
        };
        let edges = lines.iter().map(|(from, to)| {
            let (x, y) = middle(*from);
            Edge { from: (x + BOX_WIDTH, y), to: middle(*to) }
        });
        let edges = edges.collect();
        let mut nodes = Vec::new();
        for (column, all) in columns.iter().enumerate() {
            for (at, (name, class)) in all.iter().enumerate() {
                let (x, y) = middle((column, at));
                let cut: String = name.chars().take(LETTERS).collect();
                let name_shown =
                    if name.chars().count() > LETTERS { format!("{cut}…") } else { cut };
                nodes.push(Node {
                    x,
                    y: y - BOX_HEIGHT / 2,
                    name: name_shown,
                    whole: name.clone(),
                    class,
                });
            }
        }
        Self { width: 2 * COLUMN + BOX_WIDTH, height: longest * ROW, nodes, edges }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::ReachState;

    fn way(user: &str, through: Option<&str>, name: &str) -> Way {
        Way {
            user: UserId(1),
            user_name: user.to_owned(),
            account: Uin(1),
            account_name: "one".to_owned(),
            reached: Reached::Role { id: ConfigurationId(1), name: name.to_owned() },
            origin: through.map_or(Origin::Direct, |name| Origin::Group {
                id: GroupId(1),
                name: name.to_owned(),
            }),
            state: ReachState::Deployed,
        }
    }

    #[test]
    fn a_picture_has_everybody_once_and_a_line_for_each_step() {
        let ways = [
            way("ann", None, "look"),
            way("ann", Some("Sales"), "run"),
            way("bob", Some("Sales"), "run"),
        ];
        let picture = Picture::of(&ways);
        assert_eq!(picture.nodes.len(), 2 + 1 + 2);
        // ann → look, ann → Sales, bob → Sales, Sales → run.
        assert_eq!(picture.edges.len(), 4);
        assert!(picture.nodes.iter().all(|it| it.y + BOX_HEIGHT <= picture.height));
        assert_eq!(Picture::of(&[]).height, 0);
        let long = Picture::of(&[way(&"x".repeat(99), None, "look")]);
        assert_eq!(long.nodes[0].name.chars().count(), LETTERS + 1);
    }
}
