//! Why somebody is in a group, or is not.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    app::App,
    directory::{self, GroupFilter},
    id::{GroupId, SpaceId, UserId},
    recorder::{self, By, Event, Standing, Why},
    store::{PageRequest, Read},
    web::{
        Fault,
        console::{
            Administrator,
            frame::{Frame, Section},
        },
        page::{Field, Page, time},
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/scim_why.html")]
struct WhyPage {
    frame: Frame,
    tab: &'static str,
    user: Field,
    group: Field,
    answer: Option<Answer>,
}

struct Answer {
    user: UserId,
    group: GroupId,
    why: Why,
}

impl Answer {
    /// How the user stands to the group, in a sentence.
    fn sentence(&self) -> String {
        let Why { user, group, since, standing, .. } = &self.why;
        let at = since.map(|at| time(&at)).unwrap_or_default();
        match standing {
            Standing::Member => t!("why-member", user = user, group = group, at = at),
            Standing::MadeByHand => t!("why-by-hand", user = user, group = group),
            Standing::NoRecord => t!("why-no-record", user = user, group = group),
            Standing::NeverNamed => t!("why-never-named", user = user, group = group),
            Standing::NotMember => t!("why-not-member", user = user, group = group),
        }
    }

    /// What happened, in a sentence.
    fn what(&self, event: &Event) -> String {
        let user = &self.why.user;
        let by = |by: &By| match by {
            By::Request => t!("why-by-request"),
            By::Directory => t!("why-by-directory"),
            By::Person(name) => t!("why-by-person", name = name),
        };
        match event {
            Event::Joined(whom) => t!("why-joined", user = user, by = by(whom)),
            Event::JoinedWithOthers(whom) => t!("why-joined-many", user = user, by = by(whom)),
            Event::Left(whom) => t!("why-left", user = user, by = by(whom)),
            Event::Refused => t!("why-refused"),
        }
    }
}

/// Who and where: names or ids.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WhyQuery {
    user: String,
    group: String,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<WhyQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.recorder.flush().await;
    let (user, group) = (query.user.trim(), query.group.trim());
    let asked = !user.is_empty() && !group.is_empty();
    let (wrong, answer) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            if !asked {
                return Ok(((None, None), None));
            }
            let found = (find_user(tx, space, user).await?, find_group(tx, space, group).await?);
            let (Ok(user), Ok(group)) = found else {
                return Ok(((found.0.err(), found.1.err()), None));
            };
            let why = recorder::why(tx, space, user, group).await?;
            Ok(((None, None), why.map(|why| Answer { user, group, why })))
        })
        .await?;
    let field = |name,
                 label: crate::web::messages::Message,
                 hint: crate::web::messages::Message,
                 value: &str,
                 wrong: Option<crate::web::messages::Message>| {
        let field = Field::text(name, label).longest(256).hint(hint).value(value);
        field.error(wrong.map(|wrong| wrong.to_string()))
    };
    let page = WhyPage {
        frame: Frame::new(&administrator, Section::Scim, None),
        tab: "/why",
        user: field("user", key!("identity-user"), key!("scim-user-hint"), user, wrong.0),
        group: field("group", key!("identity-group"), key!("scim-group-hint"), group, wrong.1),
        answer,
    };
    Ok(Page::new(page).into_response())
}

/// The user of a name or id, or why there is none.
async fn find_user(
    tx: &mut Read,
    space: SpaceId,
    text: &str,
) -> Result<Result<UserId, crate::web::messages::Message>, Fault> {
    if let Some(user) = directory::user_by_name(tx, space, text).await? {
        return Ok(Ok(user.id));
    }
    let Ok(id) = text.parse::<UserId>() else { return Ok(Err(key!("scim-no-such-user"))) };
    let found = directory::user(tx, space, id).await?;
    Ok(found.map(|user| user.id).ok_or(key!("scim-no-such-user")))
}

/// The group of a name or id, or why there is none.
async fn find_group(
    tx: &mut Read,
    space: SpaceId,
    text: &str,
) -> Result<Result<GroupId, crate::web::messages::Message>, Fault> {
    if let Ok(id) = text.parse::<GroupId>()
        && let Some(group) = directory::group(tx, space, id).await?
    {
        return Ok(Ok(group.id));
    }
    let filter = GroupFilter { name: Some(text.to_owned()), ..GroupFilter::default() };
    let found = directory::groups(tx, space, &filter, PageRequest::first(2)).await?.rows;
    Ok(match found.as_slice() {
        [] => Err(key!("scim-no-such-group")),
        [group] => Ok(group.id),
        _ => Err(key!("scim-several-groups")),
    })
}
