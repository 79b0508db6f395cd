//! Looking at one account, without changing anything there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    Drift, Nature, ObjectKind,
    store::{Expected, ExpectedRole, expected, write_down},
};
use crate::{
    audit::{Act, Actor},
    cam::{Cam, Policy, User},
    permission::{Content, PolicyKind},
    policy::catalogue,
    provisioning::{
        deploy::DESCRIPTION,
        names,
        reconciler::{Attempt, Reconciler},
    },
    secret::{hex, sha256},
    task::Task,
};

impl Reconciler {
    /// Looks at the account of a task and writes down what is not as recorded.
    pub(in crate::provisioning) async fn detect(&self, task: &Task) -> Attempt<()> {
        // Nothing of ours reaches into an account of another cloud.
        if self.other_cloud(task).await?.is_some() {
            return Ok(());
        }
        let (space, account) = (task.space, task.account);
        let expected = self.db.read(async |tx| expected(tx, space, account).await).await?;
        let cam = self.enter(task);
        let mut found = Vec::new();
        for role in &expected.roles {
            self.look_at_role(task, &*cam, role, &mut found).await?;
        }
        if expected.provider {
            self.look_at_provider(task, &*cam, &mut found).await?;
        }
        look_at_users(&*cam, &expected, &mut found).await?;
        let now = self.clock.now();
        let actor = Actor::system("drift");
        let act = Act::new(actor, task.id.to_string(), None, now, self.ids.clone());
        self.db
            .write(async |tx| write_down(tx, &act, (space, account), &expected, &found).await)
            .await?;
        Ok(())
    }

    async fn look_at_role(
        &self,
        task: &Task,
        cam: &dyn Cam,
        wanted: &ExpectedRole,
        all: &mut Vec<Drift>,
    ) -> Attempt<()> {
        let name = names::role(&wanted.name);
        let drift = |kind, name: &str, nature, recorded, found| Drift {
            configuration: Some(wanted.configuration),
            kind,
            name: name.to_owned(),
            nature,
            recorded,
            found,
        };
        let Some(found) = cam.role(&name).await? else {
            let recorded = json!({ "session_duration": wanted.content.session_duration });
            let missing = Nature::Missing;
            all.push(drift(ObjectKind::Role, &name, missing, recorded, json!(null)));
            return Ok(());
        };
        let provider = names::saml_provider(task.space);
        let trust = names::trust_policy(task.account, &provider, &self.sign_in_url());
        let (mut recorded, mut is) = (json!({}), json!({}));
        for (field, was, now) in [
            ("trust_policy", json!(trust), json!(found.trust_policy)),
            (
                "session_duration",
                json!(wanted.content.session_duration),
                json!(found.session_duration),
            ),
            ("description", json!(DESCRIPTION), json!(found.description)),
            ("managed", json!(true), json!(found.ours)),
        ] {
            if was != now {
                recorded[field] = was;
                is[field] = now;
            }
        }
        if recorded != json!({}) {
            all.push(drift(ObjectKind::Role, &name, Nature::Changed, recorded, is));
        }
        let policies = cam.policies(&names::policy_prefix(&wanted.name)).await?;
        let bound = cam.role_policies(&name).await?;
        for (kind, object, nature, recorded, found) in
            policies_that_differ(&wanted.name, &wanted.content, &policies, &bound)
        {
            all.push(drift(kind, &object, nature, recorded, found));
        }
        Ok(())
    }

    async fn look_at_provider(
        &self,
        task: &Task,
        cam: &dyn Cam,
        all: &mut Vec<Drift>,
    ) -> Attempt<()> {
        let name = names::saml_provider(task.space);
        let metadata = self.idp_metadata(task.space).await?;
        let told = |metadata: &str, managed: bool| {
            let digest = hex(&sha256(metadata.as_bytes()));
            json!({ "metadata_sha256": digest, "managed": managed })
        };
        let recorded = told(&metadata, true);
        let (nature, found) = match cam.saml_provider(&name).await? {
            None => (Nature::Missing, json!(null)),
            Some(found) => {
                let found = told(&found.metadata, found.ours);
                if found == recorded {
                    return Ok(());
                }
                (Nature::Changed, found)
            }
        };
        let kind = ObjectKind::SamlProvider;
        all.push(Drift { configuration: None, kind, name, nature, recorded, found });
        Ok(())
    }
}

type Differs = (ObjectKind, String, Nature, serde_json::Value, serde_json::Value);

/// The bindings and custom policies of a role that are not as recorded.
fn policies_that_differ(
    configuration: &str,
    content: &Content,
    policies: &[Policy],
    bound: &[i64],
) -> Vec<Differs> {
    let role = names::role(configuration);
    let mut all = Vec::new();
    // What should be bound, by number.
    let mut wanted = BTreeSet::new();
    let mut own = Vec::new();
    for policy in &content.policies {
        let here = match policy.kind {
            PolicyKind::Preset => policy.name.clone(),
            PolicyKind::Custom => names::policy(configuration, &policy.name),
        };
        let told = json!({ "kind": policy.kind, "name": policy.name });
        let id = match policy.kind {
            PolicyKind::Preset => Some(policy.id),
            PolicyKind::Custom => {
                own.push(here.clone());
                let document = policy.document.as_deref().unwrap_or_default();
                let mut recorded = told.clone();
                recorded["document"] = json!(document);
                match policies.iter().find(|found| found.name == here) {
                    None => {
                        let missing = Nature::Missing;
                        all.push((
                            ObjectKind::Policy,
                            here.clone(),
                            missing,
                            recorded,
                            json!(null),
                        ));
                        continue;
                    }
                    Some(found) => {
                        if found.document != document || !found.ours {
                            let mut is = told.clone();
                            is["document"] = json!(found.document);
                            is["managed"] = json!(found.ours);
                            let changed = Nature::Changed;
                            all.push((ObjectKind::Policy, here.clone(), changed, recorded, is));
                        }
                        Some(found.id)
                    }
                }
            }
        };
        let Some(id) = id else { continue };
        wanted.insert(id);
        if !bound.contains(&id) {
            let name = format!("{role}: {here}");
            all.push((ObjectKind::PolicyBinding, name, Nature::Missing, told, json!(null)));
        }
    }
    for id in bound.iter().filter(|id| !wanted.contains(*id)) {
        let preset = catalogue::by_id(*id).map(|preset| preset.name.clone());
        let found = match &preset {
            Some(name) => json!({ "kind": PolicyKind::Preset, "name": name, "policy_id": id }),
            None => json!({ "policy_id": id }),
        };
        let here = policies.iter().find(|policy| policy.id == *id).map(|it| it.name.clone());
        let here = preset.or(here).unwrap_or_else(|| id.to_string());
        let name = format!("{role}: {here}");
        all.push((ObjectKind::PolicyBinding, name, Nature::Extra, json!(null), found));
    }
    for found in policies.iter().filter(|it| it.ours && !own.contains(&it.name)) {
        let is = json!({ "document": found.document });
        all.push((ObjectKind::Policy, found.name.clone(), Nature::Extra, json!(null), is));
    }
    all
}

async fn look_at_users(cam: &dyn Cam, expected: &Expected, all: &mut Vec<Drift>) -> Attempt<()> {
    if expected.users.is_empty() {
        return Ok(());
    }
    // CAM does not tell names apart by their case.
    let key = |name: &str| name.to_ascii_lowercase();
    let there: BTreeMap<String, User> =
        cam.users().await?.into_iter().map(|user| (key(&user.name), user)).collect();
    for wanted in &expected.users {
        let recorded = json!({ "blocked": !wanted.enabled, "managed": true });
        let (nature, found) = match there.get(&key(&wanted.cam_user_name)) {
            None => (Nature::Missing, json!(null)),
            Some(found) => {
                let is = json!({ "blocked": found.blocked, "managed": found.ours });
                if is == recorded {
                    continue;
                }
                (Nature::Changed, is)
            }
        };
        let (kind, name) = (ObjectKind::CamUser, wanted.cam_user_name.clone());
        all.push(Drift { configuration: None, kind, name, nature, recorded, found });
    }
    Ok(())
}
