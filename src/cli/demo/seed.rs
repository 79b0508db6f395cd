//! What the demo makes: an organisation with departments and accounts, people and groups, a
//! permission configuration for each kind of work, and who has what where.

use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::{super::init, Made};
use crate::{
    app::App,
    audit::Act,
    cloud, credential,
    directory::{
        self, Principal,
        scim::{self, NewUser, Push, View},
    },
    id::{ConfigurationId, GroupId, SpaceId, Uin, UserId},
    organization::{self, Account},
    permission::{self, Limits, NewConfiguration, NewPolicy, Triple},
    scim::{projection::Projection, schema::ResourceTypes},
    space, sso,
    store::Write,
    web::demo::provider_metadata,
};

const ORGANIZATION: &str = "Acme";
const ADMINISTRATOR: &str = "admin";
const SPACE: &str = "acme";

/// Departments and the accounts in them.
const TREE: [(&str, &[&str]); 3] = [
    ("Engineering", &["web-production", "web-staging"]),
    ("Data", &["analytics"]),
    ("Finance", &["billing"]),
];

/// Configurations: name, description, seconds of a session, preset policies.
const CONFIGURATIONS: [(&str, &str, i64, &[&str]); 4] = [
    ("ReadOnly", "Look at everything, change nothing", 3_600, &["ReadOnlyAccess"]),
    ("ServerReader", "See servers, and nothing else", 3_600, &["QcloudCVMReadOnlyAccess"]),
    (
        "WebOperator",
        "Run web servers and their load balancers",
        7_200,
        &["QcloudCVMFullAccess", "QcloudCLBFullAccess", "QcloudVPCReadOnlyAccess"],
    ),
    ("Administrator", "Everything, for an hour", 3_600, &["AdministratorAccess"]),
];

/// Makes everything there is in the demo. A start that was cut short began in a database without
/// a space, so what it left is an organisation of the same name, which is refused by name.
pub async fn make(app: &App) -> anyhow::Result<Made> {
    let installed = init::install(app, ORGANIZATION, ADMINISTRATOR)
        .await
        .context("an earlier first start was cut short: remove the data folder and start again")?;
    let act = app.own_act("demo")?;
    let keys = cloud::space_keys(SPACE.to_owned(), act.now).await?;
    let (scim_token, scim_group) = app
        .db
        .write(async |tx| -> anyhow::Result<_> {
            let (_, management) = organization::of_account(tx, installed.management_uin)
                .await?
                .context("the management account is not there")?;
            let accounts = accounts(tx, &act, &management).await?;
            let space = cloud::activate(tx, &act, &app.sealer, &management, SPACE, keys).await?;
            space::set_scim_enabled(tx, &act, &space, true).await?;
            let (_, token) = credential::create(tx, &act, space.id, None).await?;
            let configurations = configurations(tx, &act, space.id).await?;
            let group = people(tx, app, &act, space.id).await?;
            access(tx, &act, space.id, &accounts, &configurations, group).await?;
            Ok((token.expose_secret().to_owned(), group))
        })
        .await?;
    Ok(Made {
        space: SPACE.to_owned(),
        administrator: ADMINISTRATOR.to_owned(),
        management_uin: installed.management_uin,
        console_password: installed.console_password.to_string(),
        secret_id: installed.secret_id,
        secret_key: installed.secret_key.to_string(),
        scim_token,
        scim_group,
    })
}

/// Has people of the space sign in at the demo's own identity provider.
pub async fn connect_identity_provider(app: &App, space_name: &str) -> anyhow::Result<()> {
    let Some(provider) = app.demo.as_deref() else { bail!("this is not the demo") };
    let metadata = provider_metadata(provider)?;
    let act = app.own_act("demo")?;
    app.db
        .write(async |tx| -> anyhow::Result<()> {
            let space =
                space::space_by_name(tx, space_name).await?.context("the space is not there")?;
            let known = sso::identity_provider(tx, space.id).await?;
            if known.is_none_or(|known| known.entity_id != provider.entity_id) {
                sso::set_by_metadata(tx, &act, space.id, metadata.as_bytes()).await?;
            }
            space::set_sso_enabled(tx, &act, &space, true).await?;
            Ok(())
        })
        .await
}

async fn accounts(
    tx: &mut Write,
    act: &Act,
    management: &Account,
) -> anyhow::Result<Vec<(&'static str, Uin)>> {
    let mut made = Vec::new();
    for (department, names) in TREE {
        let organization = management.organization_id;
        let root = management.node_id;
        let department =
            organization::create_department(tx, act, organization, root, department, "").await?;
        for name in names {
            let account =
                cloud::create_member(tx, act, management, Some(department.node_id), name, "")
                    .await?;
            made.push((*name, account.uin));
        }
    }
    Ok(made)
}

async fn configurations(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
) -> anyhow::Result<Vec<(&'static str, ConfigurationId)>> {
    let limits = Limits::default();
    let mut made = Vec::new();
    for (name, description, duration, presets) in CONFIGURATIONS {
        let new = NewConfiguration {
            name: name.to_owned(),
            description: description.to_owned(),
            session_duration: Some(duration),
            relay_state: String::new(),
        };
        let configuration = permission::create_configuration(tx, act, space, &new, &limits).await?;
        let policies: Vec<NewPolicy> =
            presets.iter().map(|name| NewPolicy::Preset((*name).to_owned())).collect();
        permission::add_policies(tx, act, space, configuration.id, &policies, &limits).await?;
        made.push((name, configuration.id));
    }
    Ok(made)
}

/// Alice and Bob, as a directory would push them, and the group that is for more to come.
async fn people(tx: &mut Write, app: &App, act: &Act, space: SpaceId) -> anyhow::Result<GroupId> {
    let base = app.settings.url("/scim/v2");
    let found = space::space(tx, space).await?.context("the space")?;
    let push = Push {
        act,
        space: &found,
        limits: app.directory_limits(),
        view: View {
            base: &base,
            types: ResourceTypes::standard(),
            projection: Projection::Whole,
            always_emit_members: false,
        },
        precondition: None,
    };
    let mut ids = Vec::new();
    for (name, given, family) in [("alice", "Alice", "Miller"), ("bob", "Bob", "Chen")] {
        let document = object(json!({
            "userName": name,
            "displayName": format!("{given} {family}"),
            "name": { "givenName": given, "familyName": family },
            "emails": [{ "value": format!("{name}@example.com"), "type": "work", "primary": true }],
        }));
        let user =
            scim::create_user(tx, NewUser { push: &push, id: None, body: &document }).await?;
        ids.push(Value::from(UserId(user.id).to_string()));
    }
    let [alice, bob] = <[Value; 2]>::try_from(ids).map_err(|_| anyhow::anyhow!("two people"))?;
    let engineers = object(json!({ "displayName": "Engineers", "members": [{ "value": alice }] }));
    let group = scim::create_group(tx, &push, None, &engineers).await?;
    let everybody = object(json!({
        "displayName": "Everybody",
        "members": [{ "value": alice }, { "value": bob }],
    }));
    scim::create_group(tx, &push, None, &everybody).await?;
    Ok(GroupId(group.id))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

/// Who has what where: engineers run the web and look at the data, Bob looks at the bills.
async fn access(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    accounts: &[(&str, Uin)],
    configurations: &[(&str, ConfigurationId)],
    engineers: GroupId,
) -> anyhow::Result<()> {
    let user = |found: Option<directory::User>| found.map(|user| Principal::User(user.id));
    let alice = user(directory::user_by_name(tx, space, "alice").await?).context("alice")?;
    let bob = user(directory::user_by_name(tx, space, "bob").await?).context("bob")?;
    let engineers = Principal::Group(engineers);
    let grants = [
        (engineers, "web-production", "ServerReader"),
        (engineers, "web-staging", "WebOperator"),
        (alice, "web-production", "ReadOnly"),
        (alice, "web-staging", "Administrator"),
        (bob, "billing", "ReadOnly"),
    ];
    let mut triples = Vec::new();
    for (principal, account, configuration) in grants {
        let account = find(accounts, account).context("an account of the demo")?;
        let configuration = find(configurations, configuration).context("a configuration")?;
        triples.push(Triple { principal, account, configuration });
    }
    permission::create_assignments(tx, act, space, &triples, &Limits::default()).await?;
    Ok(())
}

fn find<T: Copy>(named: &[(&str, T)], name: &str) -> Option<T> {
    named.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}
