//! A configuration in an account: made so, or taken away.

use std::collections::BTreeSet;

use super::{
    names,
    reconciler::{Attempt, Reconciler, Trouble},
};
use crate::{
    cam::{self, Cam, RoleSpec},
    id::ConfigurationId,
    permission::{self, Content, PolicyKind},
    store,
    task::Task,
};

/// What the things that we make say about themselves.
pub(super) const DESCRIPTION: &str = "Managed by Identity Center; changes belong there.";

/// What has to be deployed.
struct Wanted {
    name: String,
    content: Content,
    version: Option<i64>,
}

impl Reconciler {
    /// Makes a configuration real in an account (DPL-01, DPL-14): SAML provider, role, custom
    /// policies, bindings. Says what was deployed.
    pub(super) async fn deploy(
        &self,
        task: &Task,
        configuration: ConfigurationId,
    ) -> Attempt<(Content, Option<i64>)> {
        let wanted = self.wanted(task, configuration).await?;
        if let Some(account) = self.other_cloud(task).await? {
            let what = (wanted.name.as_str(), &wanted.content);
            self.deploy_by_hand(task, &account, configuration, what).await?;
            return Ok((wanted.content, wanted.version));
        }
        let cam = self.enter(task);
        self.ensure_provider(task, &*cam).await?;
        let role = names::role(&wanted.name);
        let provider = names::saml_provider(task.space);
        let trust_policy = names::trust_policy(task.account, &provider, &self.sign_in_url());
        let spec = RoleSpec {
            name: &role,
            description: DESCRIPTION,
            trust_policy: &trust_policy,
            session_duration: wanted.content.session_duration,
        };
        match cam.role(&role).await? {
            None => cam.create_role(&spec).await?,
            Some(found) if !found.ours => return Err(clash("role", &role)),
            Some(found) => {
                let same = found.trust_policy == trust_policy
                    && found.session_duration == spec.session_duration
                    && found.description == spec.description;
                if !same {
                    cam.update_role(&spec).await?;
                }
            }
        }
        self.bind(&*cam, &role, &wanted).await?;
        // Another task may have removed the provider with what was the last configuration.
        self.ensure_provider(task, &*cam).await?;
        Ok((wanted.content, wanted.version))
    }

    async fn wanted(&self, task: &Task, configuration: ConfigurationId) -> Attempt<Wanted> {
        let is_repair = task.payload["content"] == "recorded";
        let (found, policies, recorded) = self
            .db
            .read(async |tx| -> store::Result<_> {
                let found = permission::configuration(tx, task.space, configuration).await?;
                let recorded = if is_repair {
                    permission::deployment(tx, task.space, configuration, task.account).await?
                } else {
                    None
                };
                Ok((found, permission::policies(tx, configuration).await?, recorded))
            })
            .await?;
        let gone = || Trouble::Permanent("the configuration is gone".to_owned());
        let found = found.ok_or_else(gone)?;
        // A repair restores what was recorded; what the configuration says by now is for a
        // redeployment (CON-12).
        if is_repair {
            let nothing = || Trouble::Permanent("nothing is deployed there".to_owned());
            // What was taken off, or is to go, does not come back.
            let recorded = recorded.filter(|it| !it.is_leaving).ok_or_else(nothing)?;
            let content = recorded.deployed_content.as_deref().and_then(Content::from_text);
            let content = content.ok_or_else(nothing)?;
            return Ok(Wanted { name: found.name, content, version: recorded.deployed_version });
        }
        let content = permission::content(found.session_duration, &policies);
        Ok(Wanted { name: found.name, content, version: Some(found.version) })
    }

    /// Gives the role exactly the policies that are wanted.
    async fn bind(&self, cam: &dyn Cam, role: &str, wanted: &Wanted) -> Attempt<()> {
        let prefix = names::policy_prefix(&wanted.name);
        let existing = cam.policies(&prefix).await?;
        let mut ids = BTreeSet::new();
        for policy in &wanted.content.policies {
            let id = match (policy.kind, &policy.document) {
                (PolicyKind::Preset, _) => policy.id,
                (PolicyKind::Custom, document) => {
                    let document = document.as_deref().unwrap_or_default();
                    let name = names::policy(&wanted.name, &policy.name);
                    match existing.iter().find(|found| found.name == name) {
                        None => cam.create_policy(&name, DESCRIPTION, document).await?,
                        Some(found) if !found.ours => return Err(clash("policy", &name)),
                        Some(found) => {
                            if found.document != document {
                                cam.update_policy(found.id, document).await?;
                            }
                            found.id
                        }
                    }
                }
            };
            ids.insert(id);
        }
        let attached: BTreeSet<i64> = cam.role_policies(role).await?.into_iter().collect();
        // Nothing is allowed for a moment that is not wanted: what goes goes first.
        for id in attached.difference(&ids) {
            cam.detach_role_policy(role, *id).await?;
        }
        for id in ids.difference(&attached) {
            cam.attach_role_policy(role, *id).await?;
        }
        for found in existing.iter().filter(|found| found.ours && !ids.contains(&found.id)) {
            cam.delete_policy(found.id).await?;
        }
        Ok(())
    }

    /// Has the account trust the space's identity provider with its present keys.
    pub(super) async fn ensure_provider(&self, task: &Task, cam: &dyn Cam) -> Attempt<()> {
        let name = names::saml_provider(task.space);
        let metadata = self.idp_metadata(task.space).await?;
        match cam.saml_provider(&name).await? {
            None => cam.create_saml_provider(&name, DESCRIPTION, &metadata).await?,
            Some(found) if !found.ours => return Err(clash("SAML provider", &name)),
            Some(found) if found.metadata != metadata => {
                cam.update_saml_provider(&name, &metadata).await?;
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Takes a configuration off an account, and the SAML provider with the last one (DPL-11).
    pub(super) async fn undeploy(
        &self,
        task: &Task,
        configuration: ConfigurationId,
    ) -> Attempt<()> {
        let wanted = self.wanted(task, configuration).await?;
        if self.other_cloud(task).await?.is_some() {
            return self.undeploy_by_hand(task, &wanted.name).await;
        }
        let cam = self.enter(task);
        let role = names::role(&wanted.name);
        // A role of this name that is not ours was never deployed by us: it stays.
        if cam.role(&role).await?.is_some_and(|found| found.ours) {
            for id in cam.role_policies(&role).await? {
                cam.detach_role_policy(&role, id).await?;
            }
            cam.delete_role(&role).await?;
        }
        for found in cam.policies(&names::policy_prefix(&wanted.name)).await? {
            if found.ours {
                cam.delete_policy(found.id).await?;
            }
        }
        self.release_provider(task, &*cam).await
    }

    /// Removes the SAML provider if nothing of the space is left on the account. Whoever comes to
    /// need it meanwhile has left a row before it looked, so a second look finds it.
    pub(super) async fn release_provider(&self, task: &Task, cam: &dyn Cam) -> Attempt<()> {
        if self.is_needed(task).await? {
            return Ok(());
        }
        let name = names::saml_provider(task.space);
        if cam.saml_provider(&name).await?.is_some_and(|found| found.ours) {
            cam.delete_saml_provider(&name).await?;
        }
        if self.is_needed(task).await? {
            self.ensure_provider(task, cam).await?;
        }
        Ok(())
    }

    /// Tells an account our present keys, if it has anything of the space.
    pub(super) async fn refresh_provider(&self, task: &Task) -> Attempt<()> {
        if !self.is_needed(task).await? {
            return Ok(());
        }
        if self.other_cloud(task).await?.is_some() {
            return self.refresh_provider_by_hand(task).await;
        }
        let cam = self.enter(task);
        self.ensure_provider(task, &*cam).await?;
        // Keys may have changed since ours were read, and so may what is on the account.
        self.ensure_provider(task, &*cam).await?;
        self.release_provider(task, &*cam).await
    }

    pub(super) async fn is_needed(&self, task: &Task) -> Attempt<bool> {
        let needed = self
            .db
            .read(async |tx| -> store::Result<_> {
                let deployments =
                    permission::deployments_left(tx, task.space, task.account).await?;
                let syncs = super::user_syncs::left(tx, task.space, task.account).await?;
                Ok(deployments + syncs > 0)
            })
            .await?;
        Ok(needed)
    }
}

pub(super) fn clash(kind: &'static str, name: &str) -> Trouble {
    cam::Error::NameClash { kind, name: name.to_owned() }.into()
}
