"""Replays what Terraform does with each Identity Center resource: create, read, update, destroy.

The resources are in terraform_resources.py. `apply` and `change` then ask what `terraform plan` asks:
whether everything reads back as it was configured. ENDPOINT, SECRET_ID and SECRET_KEY say where and
as whom. Ends with status 0 when everything was as the provider expects it.
"""

import base64
import json

from terraform_resources import (
    ExternalSamlIdentityProvider,
    Group,
    PermissionCustomPoliciesAttachment,
    PermissionCustomPolicyAttachment,
    PermissionPolicyAttachment,
    ProvisionRoleConfigurationOperation,
    RoleAssignment,
    RoleConfiguration,
    ScimCredential,
    ScimCredentialStatus,
    ScimSynchronizationStatus,
    User,
    UserGroupAttachment,
    UserSyncProvisioning,
    apply,
    call,
    change,
    pages,
    policies,
    refused,
)

# What it stands on: an account, and `tencentcloud_open_identity_center_operation`.
root = call("DescribeOrganization").RootNodeId
account = call(
    "CreateOrganizationMember",
    Name="terraform",
    AccountName="terraform",
    PolicyType="Financial",
    PermissionIds=[1, 2],
    NodeId=root,
).Uin
zone = call("OpenIdentityCenter", ZoneName="terraform").ZoneId
assert zone, "the provider takes it as the id"
space = {"zone_id": zone}

# tencentcloud_identity_center_user
users = User()
before = {
    **space,
    "user_name": "ann",
    "first_name": "Ann",
    "last_name": "Smith",
    "display_name": "Ann Smith",
    "description": "First.",
    "email": "ann@example.com",
    "user_status": "Enabled",
}
ann = apply(users, **before)
after = {**before, "display_name": "安", "email": "a@example.com", "user_status": "Disabled"}
assert change(users, ann, before, after)["user_type"] == "Manual"
change(users, ann, after, before)
bob = apply(users, **space, user_name="bob")
names = [it.UserName for it in pages("ListUsers", "Users", zone)]
assert sorted(names) == ["ann", "bob"], names
people = [apply(users, **space, user_name=f"page-{number:02}") for number in range(12)]
assert len(pages("ListUsers", "Users", zone)) == 14
for person in people:
    users.delete(person)
# Out of band: the refresh is aborted, as in production.
refused("ResourceNotFound.UserNotExist", users.read, people[0])
refused("ResourceNotFound.UserNotExist", users.delete, people[0])

# tencentcloud_identity_center_group
groups = Group()
before = {**space, "group_name": "staff", "description": "All.", "group_type": "Manual"}
staff = apply(groups, **before)
after = {**before, "group_name": "people", "description": "Everybody."}
assert change(groups, staff, before, after)["member_count"] == 0
refused("InvalidParameter.GroupNotExist", groups.read, f"{zone}#g-000000000000")
assert len(pages("ListGroups", "Groups", zone)) == 1

# tencentcloud_identity_center_user_group_attachment
attachments = UserGroupAttachment()
attached = apply(
    attachments, **space, group_id=staff.split("#")[1], user_id=ann.split("#")[1]
)
refused("InvalidParameter.UserAlreadyExistsGroup", users.delete, ann)
refused("FailedOperation.DeleteGroupNotAllowExistUser", groups.delete, staff)

# tencentcloud_identity_center_role_configuration
configurations = RoleConfiguration()
before = {
    **space,
    "role_configuration_name": "reading",
    "description": "To read.",
    "session_duration": 3600,
    "relay_state": "https://cloud.tencent.com/cvm",
}
reading = apply(configurations, **before)
after = {**before, "session_duration": 7200, "relay_state": "https://cloud.tencent.com/cos"}
change(configurations, reading, before, after)
found = pages("ListRoleConfigurations", "RoleConfigurations", zone, Filter="READ")
assert [it.RoleConfigurationName for it in found] == ["reading"], found
configured = {**space, "role_configuration_id": reading.split("#")[1]}

# tencentcloud_identity_center_role_configuration_permission_policy_attachment
presets = PermissionPolicyAttachment()
call(
    "AddPermissionPolicyToRoleConfiguration",
    ZoneId=zone,
    RoleConfigurationId=configured["role_configuration_id"],
    RolePolicyType="System",
    RolePolicyNames=["ReadOnlyAccess"],
)
first = policies(zone, configured["role_configuration_id"], "System")[0]
preset = f"{zone}#{configured['role_configuration_id']}#{first.RolePolicyId}"
presets.delete(preset)
assert presets.read(preset) is None
preset = apply(presets, **configured, role_policy_id=first.RolePolicyId)
presets.delete(preset)
preset = apply(
    presets,
    **configured,
    role_policy_id=first.RolePolicyId,
    role_policy_name=first.RolePolicyName,
)

# tencentcloud_identity_center_role_configuration_permission_custom_policy_attachment, and the one
# for several
custom = PermissionCustomPolicyAttachment()
statement = {"effect": "allow", "action": "cvm:Describe*", "resource": "*"}
document = json.dumps({"version": "2.0", "statement": [statement]})
wished = {**configured, "role_policy_name": "mine", "role_policy_document": document}
mine = apply(custom, **wished)
refused("InvalidParameter.PolicyNameAlreadyExists", custom.create, wished)
several = PermissionCustomPoliciesAttachment()
names = [{"role_policy_name": name, "role_policy_document": document} for name in ("a", "b")]
# Two are allowed here.
code = "FailedOperation.CustomPolicyOverUpperLimit"
refused(code, several.create, {**configured, "policies": names})
custom.delete(mine)
assert custom.read(mine) is None
refused("InvalidParameter.RolePolicyNotExist", custom.delete, mine)
both = apply(several, **configured, policies=names)
several.delete(both)
assert several.read(both)["policies"] == []

# tencentcloud_identity_center_role_assignment, alone and beside another, with each strategy
assignments = RoleAssignment()
where = {**configured, "target_type": "MemberUin", "target_uin": account}
to_staff = {**where, "principal_type": "Group", "principal_id": staff.split("#")[1]}
to_bob = {**where, "principal_type": "User", "principal_id": bob.split("#")[1]}
assigned = apply(assignments, **to_staff)
refused(
    "FailedOperation.RoleConfigurationAuthorizationAlreadyExist", assignments.create, to_staff
)


def deployments():
    # tencentcloud_role_configuration_provisionings
    found = pages(
        "ListRoleConfigurationProvisionings",
        "RoleConfigurationProvisionings",
        zone,
        RoleConfigurationId=configured["role_configuration_id"],
        TargetType="MemberUin",
        TargetUin=account,
    )
    return [it.DeploymentStatus for it in found]


assert deployments() == ["Deployed"]
second = apply(assignments, **to_bob)
# The provider takes the role off the account although another still needs it; that is refused, and
# the assignment itself is gone.
refused("FailedOperation.RoleConfigurationAuthorizationExist", assignments.delete, second)
assert assignments.read(second) is None
assert assignments.read(assigned) and deployments() == ["Deployed"]

# tencentcloud_provision_role_configuration_operation, after a change and without one
change(configurations, reading, after, {**after, "session_duration": 1800})
assert deployments() == ["DeployedRequired"]
pushing = ProvisionRoleConfigurationOperation()
pushing.create(where)
assert deployments() == ["Deployed"]
pushing.create(where)
assert deployments() == ["Deployed"]

assignments.delete(assigned)
assert assignments.read(assigned) is None and deployments() == []
again = apply(assignments, **to_staff)
strategy = "DeprovisionForLastRoleAssignmentOnAccount"
# With this one nothing is left to take off, and the provider asks for it all the same.
refused(
    "ResourceNotFound.RoleConfigurationProvisioningNotFound",
    assignments.delete,
    again,
    deprovision_strategy=strategy,
)
assert assignments.read(again) is None and deployments() == []

# tencentcloud_identity_center_user_sync_provisioning
syncs = UserSyncProvisioning()
wished = {
    **space,
    "description": "One.",
    "principal_id": ann.split("#")[1],
    "principal_type": "User",
    "target_uin": account,
    "target_type": "MemberUin",
    "duplication_strategy": "KeepBoth",
    "deletion_strategy": "Delete",
}
sync = apply(syncs, **wished)
refused("FailedOperation.UserProvisioningAlreadyExists", syncs.create, wished)
after = {**wished, "description": "Two.", "deletion_strategy": "Keep"}
change(syncs, sync, wished, after)
syncs.delete(sync)
refused("ResourceNotFound.UserProvisioningNotFound", syncs.read, sync)

# tencentcloud_identity_center_external_saml_identity_provider: read before anything is configured,
# by fields, field by field, by metadata, and gone; our own certificate stands for the provider's.
providers = ExternalSamlIdentityProvider()
state = providers.read(zone)
assert (state["sso_status"], state["certificate_ids"]) == ("Disabled", []), state
ours = call("GetZoneSAMLServiceProviderInfo", ZoneId=zone).SAMLServiceProvider
ours = base64.b64decode(ours.EncodedMetadataDocument).decode()
lines = ours.split("X509Certificate>")[1].split("<")[0].split()
pem = "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
before = {
    **space,
    "entity_id": "https://idp.example.com/saml",
    "login_url": "https://idp.example.com/login",
    "x509_certificate": pem,
    "sso_status": "Enabled",
}
provider = apply(providers, **before)
state = providers.read(provider)
assert len(state["certificate_ids"]) == 1, state
after = {**before, "login_url": "https://idp.example.com/sign-in"}
assert change(providers, provider, before, after)["certificate_ids"] == state["certificate_ids"]
off = {**after, "sso_status": "Disabled"}
change(providers, provider, after, off)
change(providers, provider, off, after)
providers.delete(provider)
state = providers.read(zone)
assert (state["entity_id"], state["sso_status"]) == ("", "Disabled"), state
metadata = f"""<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"
  entityID="https://idp.example.com/saml"><IDPSSODescriptor
  protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">
  <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{"".join(lines)}
  </X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService
  Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
  Location="https://idp.example.com/login"/></IDPSSODescriptor></EntityDescriptor>"""
by_metadata = {
    **space,
    "encoded_metadata_document": base64.b64encode(metadata.encode()).decode(),
    "sso_status": "Enabled",
}
provider = apply(providers, **by_metadata)
assert providers.read(provider)["entity_id"] == "https://idp.example.com/saml"
providers.delete(provider)
# The switch alone, as the provider's own test has it.
switch = apply(providers, **space, sso_status="Enabled")
change(providers, switch, {"sso_status": "Enabled"}, {**space, "sso_status": "Disabled"})

# tencentcloud_identity_center_scim_synchronization_status: destroying it does nothing.
switches = ScimSynchronizationStatus()
before = {**space, "scim_synchronization_status": "Enabled"}
switch = apply(switches, **before)
apply(switches, **before)

# tencentcloud_identity_center_scim_credential, and its status, which begins with what it is.
credentials = ScimCredential()
made = apply(credentials, **space)
statuses = ScimCredentialStatus()
enabled = {**space, "credential_id": made.split("#")[1], "status": "Enabled"}
disabled = {**enabled, "status": "Disabled"}
status = apply(statuses, **enabled)
change(statuses, status, enabled, disabled)
change(statuses, status, disabled, enabled)
credentials.delete(made)
assert not credentials.read(made) and not statuses.read(status)
change(switches, switch, before, {**space, "scim_synchronization_status": "Disabled"})

# And everything is destroyed in the order of its dependencies.
attachments.delete(attached)
assert attachments.read(attached) is None
refused("InvalidParameter.RolePolicyAlreadyExist", configurations.delete, reading)
presets.delete(preset)
configurations.delete(reading)
groups.delete(staff)
users.delete(ann)
users.delete(bob)
