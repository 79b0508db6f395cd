//! Carrying a plan out.

use std::collections::BTreeSet;

use super::{Edit, Error, Operation, Place, Plan, State, plan};
use crate::{
    audit::Act,
    id::{ConfigurationId, Principal, PrincipalKind, SpaceId, TaskId, Uin},
    permission::{self, Limits, RemovalStrategy, Triple},
    provisioning,
    secret::constant_time_eq,
    space::{self, Space},
    store::{self as database, Write, sql},
};

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The plan that was carried out.
    pub plan: Plan,
    /// The tasks that do the rest, in its order.
    pub tasks: Vec<TaskId>,
}

/// Carries an operation out if its plan is still the one with this hash; otherwise nothing is done,
/// and the error has the plan as it is now. Every act goes through the function that the public
/// API calls for it.
pub async fn apply(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    operation: &Operation,
    hash: &str,
    limits: &Limits,
) -> Result<Applied, Error> {
    // Who assigns, syncs, joins or deletes comes before or after this; so does who changes a
    // configuration that this is about.
    space::lock(tx, space.id).await?;
    lock_configurations(tx, space.id, operation).await?;
    let state = State::read(tx, act, space, operation, limits).await?;
    let plan = plan(&state, operation);
    if !constant_time_eq(plan.hash().as_bytes(), hash.as_bytes()) {
        return Err(Error::Stale(Box::new(plan)));
    }
    let tasks = carry_out(tx, act, space, operation, limits).await?;
    // The rooms refuse in their own words what the plan refuses; what they would let through all
    // the same is undone.
    if plan.is_refused {
        return Err(Error::Refused);
    }
    Ok(Applied { plan, tasks })
}

async fn lock_configurations(
    tx: &mut Write,
    space: SpaceId,
    operation: &Operation,
) -> Result<(), database::Error> {
    let mut ids: Vec<i64> = match operation {
        Operation::Assign(triples) | Operation::Unassign { triples, .. } => {
            triples.iter().map(|it| it.configuration.0).collect()
        }
        Operation::Deploy(places)
        | Operation::Redeploy(places)
        | Operation::Clear(places)
        | Operation::Undeploy { places, .. } => {
            places.iter().map(|it| it.configuration.0).collect()
        }
        Operation::DeleteConfiguration(id) | Operation::Edit(id, _) => vec![id.0],
        Operation::Sync(_)
        | Operation::Unsync(_)
        | Operation::DeleteUser(_)
        | Operation::DeleteGroup(_) => return Ok(()),
    };
    ids.sort_unstable();
    ids.dedup();
    let mut query = sql("SELECT id FROM permission_configurations WHERE space_id = ");
    query.push_bind(space).push(" AND id IN ").push_numbers(ids).push(" ORDER BY id");
    query.push(tx.for_update());
    let _: Vec<(ConfigurationId,)> = query.fetch_all(tx).await?;
    Ok(())
}

async fn carry_out(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    operation: &Operation,
    limits: &Limits,
) -> Result<Vec<TaskId>, Error> {
    let mut tasks = Vec::new();
    match operation {
        Operation::Assign(triples) => {
            let made = permission::create_assignments(tx, act, space.id, triples, limits).await?;
            tasks.extend(made.into_iter().map(|item| item.task));
        }
        Operation::Unassign { triples, strategy } => {
            let removed =
                provisioning::remove_assignments(tx, act, space.id, triples, *strategy).await?;
            tasks.extend(removed);
        }
        Operation::Deploy(places) | Operation::Redeploy(places) => {
            let places: Vec<_> = places.iter().map(|it| (it.configuration, it.account)).collect();
            tasks.extend(permission::begin_deployments(tx, act, space.id, &places).await?);
        }
        Operation::Undeploy { places, remove_assignments } => {
            if *remove_assignments {
                tasks.extend(clear(tx, act, space.id, places).await?.1);
            }
            let places: Vec<_> = places.iter().map(|it| (it.configuration, it.account)).collect();
            tasks.extend(permission::begin_removals(tx, act, space.id, &places).await?);
        }
        Operation::Clear(places) => {
            let (cleared, removed) = clear(tx, act, space.id, places).await?;
            if places.iter().any(|place| !cleared.contains(&(place.account, place.configuration))) {
                return Err(permission::Error::AssignmentNotFound.into());
            }
            tasks.extend(removed);
        }
        Operation::Sync(new) => {
            let per_call = limits.per_call;
            let made = provisioning::create_user_syncs(tx, act, space.id, new, per_call).await?;
            tasks.extend(made.into_iter().map(|item| item.task));
        }
        Operation::Unsync(ids) => {
            tasks.extend(provisioning::delete_user_syncs(tx, act, space.id, ids).await?);
        }
        Operation::DeleteUser(id) => provisioning::delete_user(tx, act, space, *id).await?,
        Operation::DeleteGroup(id) => provisioning::delete_group(tx, act, space, *id).await?,
        Operation::DeleteConfiguration(id) => {
            permission::delete_configuration(tx, act, space.id, *id).await?;
        }
        Operation::Edit(id, edit) => {
            tasks = change(tx, act, space.id, *id, edit, limits).await?;
        }
    }
    Ok(tasks)
}

/// Takes every assignment of these configurations on these accounts away; the roles stay. Says where
/// there were any, and the tasks.
async fn clear(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    places: &[Place],
) -> Result<(BTreeSet<(Uin, ConfigurationId)>, Vec<TaskId>), Error> {
    let mut query = sql("SELECT account_uin, configuration_id, principal_kind, principal_id
         FROM assignments WHERE state <> 'removing' AND space_id = ");
    query.push_bind(space).push(" AND account_uin IN ");
    query.push_numbers(places.iter().map(|place| place.account.0).collect::<Vec<i64>>());
    query.push(" AND configuration_id IN ");
    query.push_numbers(places.iter().map(|place| place.configuration.0).collect::<Vec<i64>>());
    let rows: Vec<(Uin, ConfigurationId, PrincipalKind, i64)> = query.fetch_all(tx).await?;
    let wanted: BTreeSet<_> = places.iter().map(|it| (it.account, it.configuration)).collect();
    let mut triples: Vec<Triple> = rows
        .into_iter()
        .filter(|(account, configuration, ..)| wanted.contains(&(*account, *configuration)))
        .map(|(account, configuration, kind, number)| Triple {
            principal: Principal::new(kind, number),
            account,
            configuration,
        })
        .collect();
    triples.sort_unstable_by_key(|it| (it.account, it.configuration, it.principal));
    let cleared = triples.iter().map(|it| (it.account, it.configuration)).collect();
    let strategy = RemovalStrategy::Keep;
    let tasks = provisioning::remove_assignments(tx, act, space, &triples, strategy).await?;
    Ok((cleared, tasks))
}

async fn change(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ConfigurationId,
    edit: &Edit,
    limits: &Limits,
) -> Result<Vec<TaskId>, Error> {
    for policy in &edit.removed {
        permission::remove_policy(tx, act, space, id, policy).await?;
    }
    if !edit.added.is_empty() {
        permission::add_policies(tx, act, space, id, &edit.added, limits).await?;
    }
    let change = &edit.change;
    let says = change.description.is_some()
        || change.session_duration.is_some()
        || change.relay_state.is_some();
    if says {
        permission::update_configuration(tx, act, space, id, change, limits).await?;
    }
    if !edit.redeploy {
        return Ok(Vec::new());
    }
    Ok(permission::redeploy_everywhere(tx, act, space, id).await?)
}
