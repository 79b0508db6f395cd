//! The organisation: departments and member accounts.

use serde_json::{Map, Value, json};

use super::action;
use crate::{
    cloud,
    id::Uin,
    organization::{self, Account, AccountFilter, AccountKind, Department},
    store::PageRequest,
    tc3::CommonCode,
    web::api::{
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        shape::time,
    },
};

const TAG: &[Field] = &[Field::text("TagKey").required(), Field::text("TagValue")];
const TAGS: Field = Field::objects("Tags", TAG);
const LIMIT: Field = Field::integer("Limit")
    .required()
    .rule(Rule::Within(1, 50))
    .refused_as(CommonCode::InvalidParameter.as_str());
const OFFSET: Field = Field::unsigned("Offset").required();
/// Viewing bills and balances: every member has them at least.
const LEAST_PERMISSIONS: [i64; 2] = [1, 2];
/// The one kind of relation between payer and member that there is.
const FINANCIAL: &str = "Financial";

pub const ACTIONS: &[Action] = &[
    action("CreateOrganization", &[], |call| Box::pin(create(call))),
    action("DescribeOrganization", &[Field::text("Lang"), Field::text("Product")], |call| {
        Box::pin(describe(call))
    }),
    action(
        "AddOrganizationNode",
        &[
            Field::unsigned("ParentNodeId").required(),
            Field::text("Name").required(),
            Field::text("Remark"),
            TAGS,
        ],
        |call| Box::pin(add_node(call)),
    ),
    action("DescribeOrganizationNodes", &[LIMIT, OFFSET, TAGS], |call| {
        Box::pin(describe_nodes(call))
    }),
    action(
        "CreateOrganizationMember",
        &[
            Field::text("Name").required(),
            Field::text("PolicyType")
                .required()
                .rule(Rule::OneOf(&[FINANCIAL]))
                .refused_as("FailedOperation.OrganizationPolicyIllegal"),
            Field::integers("PermissionIds").required(),
            Field::integer("NodeId").required(),
            Field::text("AccountName").required().rule(Rule::Characters(25)),
            Field::text("Remark"),
            Field::integer("RecordId"),
            Field::text("PayUin"),
            Field::integers("IdentityRoleID"),
            Field::integer("AuthRelationId"),
            TAGS,
        ],
        |call| Box::pin(create_member(call)),
    ),
    action(
        "DescribeOrganizationMembers",
        &[
            OFFSET,
            LIMIT,
            Field::text("Lang"),
            Field::text("SearchKey"),
            Field::text("AuthName"),
            Field::text("Product"),
            TAGS,
            Field::unsigned("NodeId"),
            Field::text("NodeName"),
        ],
        |call| Box::pin(describe_members(call)),
    ),
    action(
        "UpdateOrganizationNode",
        &[Field::unsigned("NodeId").required(), Field::text("Name"), Field::text("Remark")],
        |call| Box::pin(update_node(call)),
    ),
    action("DeleteOrganizationNodes", &[Field::integers("NodeId").required()], |call| {
        Box::pin(delete_nodes(call))
    }),
    action(
        "MoveOrganizationNodeMembers",
        &[Field::integer("NodeId").required(), Field::integers("MemberUin").required()],
        |call| Box::pin(move_members(call)),
    ),
    action(
        "UpdateOrganizationMember",
        &[
            Field::unsigned("MemberUin").required(),
            Field::text("Name"),
            Field::text("Remark"),
            Field::text("PolicyType"),
            Field::integers("PermissionIds"),
            Field::text("IsAllowQuit"),
            Field::text("PayUin"),
            Field::unsigned("IsModifyNickName"),
        ],
        |call| Box::pin(update_member(call)),
    ),
];

/// Whoever gets here has an organisation: it is made by `init`, together with the account.
#[expect(clippy::unused_async, reason = "a row of the table")]
async fn create(_call: &Call) -> Answer {
    Err(Refusal::new(
        "FailedOperation.OrganizationExistAlready",
        "The account has an organization already.",
    ))
}

async fn describe(call: &Call) -> Answer {
    let organization = &call.caller.organization;
    let account = &call.caller.account;
    let departments =
        call.app.db.read(async |tx| organization::departments(tx, organization.id).await).await?;
    let root = departments.first().map_or(0, |root| root.node_id);
    let created = time(organization.created_at);
    Ok(object([
        ("OrgId", json!(organization.id.0)),
        ("HostUin", json!(account.uin.0)),
        ("NickName", json!(organization.name)),
        ("OrgType", json!(1)),
        ("IsManager", json!(account.kind == AccountKind::Management)),
        ("OrgPolicyType", json!(FINANCIAL)),
        ("OrgPolicyName", json!("")),
        ("OrgPermission", json!([])),
        ("RootNodeId", json!(root)),
        ("CreateTime", json!(created)),
        ("JoinTime", json!(created)),
        ("IsAllowQuit", json!("Denied")),
        ("PayUin", json!(account.uin.to_string())),
        ("PayName", json!(account.name)),
        ("IsAssignManager", json!(false)),
        ("IsAuthManager", json!(false)),
    ]))
}

/// Tags are refused rather than forgotten.
fn no_tags(call: &Call) -> Result<(), Refusal> {
    if call.parameters.objects("Tags").is_empty() {
        Ok(())
    } else {
        Err(Refusal::new("InvalidParameter.TagError", "The parameter `Tags` is not supported."))
    }
}

async fn add_node(call: &Call) -> Answer {
    no_tags(call)?;
    let parameters = &call.parameters;
    let parent = parameters.integer("ParentNodeId").unwrap_or_default();
    let department = call
        .app
        .db
        .write(async |tx| {
            organization::create_department(
                tx,
                &call.act,
                call.caller.organization.id,
                parent,
                parameters.text("Name"),
                parameters.text("Remark"),
            )
            .await
        })
        .await?;
    Ok(object([("NodeId", json!(department.node_id))]))
}

async fn describe_nodes(call: &Call) -> Answer {
    no_tags(call)?;
    let organization = call.caller.organization.id;
    let departments =
        call.app.db.read(async |tx| organization::departments(tx, organization).await).await?;
    let (offset, limit) = window(call);
    let total = departments.len();
    let items: Vec<Value> = departments.iter().skip(offset).take(limit).map(node).collect();
    Ok(object([("Total", json!(total)), ("Items", json!(items))]))
}

fn window(call: &Call) -> (usize, usize) {
    let number = |name: &str| {
        usize::try_from(call.parameters.integer(name).unwrap_or_default()).unwrap_or(usize::MAX)
    };
    (number("Offset"), number("Limit"))
}

fn node(department: &Department) -> Value {
    json!({
        "NodeId": department.node_id,
        "Name": department.name,
        "ParentNodeId": department.parent_node_id.unwrap_or(0),
        "Remark": department.remark,
        "CreateTime": time(department.created_at),
        "UpdateTime": time(department.updated_at),
        "Tags": [],
    })
}

async fn create_member(call: &Call) -> Answer {
    no_tags(call)?;
    let parameters = &call.parameters;
    let permissions = parameters.integers("PermissionIds");
    let known = permissions.iter().all(|id| (1..=10).contains(id));
    if !known || !LEAST_PERMISSIONS.iter().all(|id| permissions.contains(id)) {
        return Err(Refusal::new(
            "FailedOperation.OrganizationPermissionIllegal",
            "The parameter `PermissionIds` must hold 1 and 2, and nothing outside 1 to 10.",
        ));
    }
    if parameters.integer("RecordId").is_some_and(|record| record != 0) {
        return Err(Refusal::new(
            "FailedOperation.CreateRecordNotExist",
            "The parameter `RecordId` names no unfinished creation.",
        ));
    }
    let payer = call.caller.account.uin.to_string();
    if parameters.optional_text("PayUin").is_some_and(|given| given != payer) {
        return Err(Refusal::new(
            "FailedOperation.PayUinIllegal",
            "The parameter `PayUin` must be the management account.",
        ));
    }
    let others_verify = parameters.integer("AuthRelationId").is_some_and(|relation| relation != 0);
    if others_verify || !parameters.integers("IdentityRoleID").is_empty() {
        return Err(Refusal::common(
            CommonCode::UnsupportedOperation,
            "The parameters `AuthRelationId` and `IdentityRoleID` are not supported.",
        ));
    }
    let account = call
        .app
        .db
        .write(async |tx| {
            cloud::create_member(
                tx,
                &call.act,
                &call.caller.account,
                parameters.integer("NodeId"),
                parameters.text("Name"),
                parameters.text("Remark"),
            )
            .await
        })
        .await?;
    Ok(object([("Uin", json!(account.uin.0))]))
}

async fn describe_members(call: &Call) -> Answer {
    no_tags(call)?;
    let parameters = &call.parameters;
    for unsupported in ["AuthName", "Product"] {
        if parameters.optional_text(unsupported).is_some() {
            return Err(Refusal::common(
                CommonCode::UnsupportedOperation,
                format!("The parameter `{unsupported}` is not supported."),
            ));
        }
    }
    let organization = call.caller.organization.id;
    let (offset, limit) = window(call);
    let page = PageRequest {
        after: None,
        offset: i64::try_from(offset).unwrap_or(i64::MAX),
        limit: i64::try_from(limit).unwrap_or(50),
    };
    let page = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let mut filter = AccountFilter {
                search: parameters.optional_text("SearchKey").map(str::to_owned),
                department: None,
            };
            let node_id = parameters.integer("NodeId").filter(|node_id| *node_id != 0);
            let node_name = parameters.optional_text("NodeName");
            if node_id.is_some() || node_name.is_some() {
                let departments = organization::departments(tx, organization).await?;
                let wanted = departments.into_iter().find(|department| {
                    node_id.is_none_or(|node_id| node_id == department.node_id)
                        && node_name.is_none_or(|name| name == department.name)
                });
                let wanted = wanted.ok_or(organization::Error::DepartmentNotFound)?;
                filter.department = Some(wanted.id);
            }
            Ok(organization::accounts(tx, organization, &filter, page).await?)
        })
        .await?;
    let payer = &call.caller.account;
    let items: Vec<Value> = page.rows.iter().map(|account| member(account, payer)).collect();
    let mut answer = Map::new();
    answer.insert("Items".into(), json!(items));
    answer.insert("Total".into(), json!(page.total));
    Ok(answer)
}

/// What is not named stays; an empty remark clears it.
async fn update_node(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let node = parameters.integer("NodeId").unwrap_or_default();
    let (name, remark) = (parameters.optional_text("Name"), parameters.given_text("Remark"));
    let organization = call.caller.organization.id;
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            match organization::update_department(tx, &call.act, organization, node, name, remark)
                .await
            {
                // The reference has another word for it here.
                Err(organization::Error::DepartmentNotFound) => Err(Refusal::new(
                    "FailedOperation.OrganizationNodeNotExist",
                    "The parameter `NodeId` names no department.",
                )),
                other => Ok(other?),
            }
        })
        .await?;
    Ok(object([]))
}

async fn delete_nodes(call: &Call) -> Answer {
    let nodes = call.parameters.integers("NodeId");
    let organization = call.caller.organization.id;
    call.app
        .db
        .write(async |tx| {
            organization::delete_departments(tx, &call.act, organization, &nodes).await
        })
        .await?;
    Ok(object([]))
}

async fn move_members(call: &Call) -> Answer {
    let node = call.parameters.integer("NodeId").unwrap_or_default();
    let accounts: Vec<Uin> = call.parameters.integers("MemberUin").into_iter().map(Uin).collect();
    let organization = call.caller.organization.id;
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            match organization::move_accounts(tx, &call.act, organization, &accounts, node).await {
                // The reference has another word for it here.
                Err(organization::Error::AccountNotFound) => Err(Refusal::new(
                    "FailedOperation.SomeUinsNotInOrganization",
                    "The parameter `MemberUin` names an account that is not in the organization.",
                )),
                other => Ok(other?),
            }
        })
        .await?;
    Ok(object([]))
}

/// Name and remark; how members pay is not ours to change.
async fn update_member(call: &Call) -> Answer {
    let parameters = &call.parameters;
    for unsupported in ["PolicyType", "PermissionIds", "IsAllowQuit", "PayUin"] {
        if parameters.is_given(unsupported) {
            return Err(Refusal::common(
                CommonCode::UnsupportedOperation,
                format!("The parameter `{unsupported}` is not supported."),
            ));
        }
    }
    let uin = Uin(parameters.integer("MemberUin").unwrap_or_default());
    let (name, remark) = (parameters.optional_text("Name"), parameters.given_text("Remark"));
    let organization = call.caller.organization.id;
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            match organization::update_account(tx, &call.act, organization, uin, name, remark).await
            {
                // The reference has another word for it here.
                Err(organization::Error::AccountNotFound) => Err(Refusal::new(
                    "ResourceNotFound.MemberNotExist",
                    "The parameter `MemberUin` names no account of the organization.",
                )),
                other => Ok(other?),
            }
        })
        .await?;
    Ok(object([]))
}

fn member(account: &Account, payer: &Account) -> Value {
    json!({
        "MemberUin": account.uin.0,
        "Name": account.name,
        "MemberType": "Create",
        "OrgPolicyType": FINANCIAL,
        "OrgPolicyName": "",
        "OrgPermission": [],
        "NodeId": account.node_id,
        "NodeName": account.department_name,
        "Remark": account.remark,
        "CreateTime": time(account.created_at),
        "UpdateTime": time(account.updated_at),
        "IsAllowQuit": "Denied",
        "PayUin": payer.uin.to_string(),
        "PayName": payer.name,
        "OrgIdentity": [],
        "BindStatus": "Unbound",
        "PermissionStatus": "Confirmed",
        "Tags": [],
        "NickName": account.name,
    })
}
