"""Drives every action of the public API with the official SDK, end to end.

ENDPOINT, SECRET_ID and SECRET_KEY say where and as whom. Ends with status 0 when every answer was
as the API reference has it.
"""

import base64
import json
import os
import time
import urllib.parse
import uuid

from tencentcloud.cam.v20190116 import cam_client, models as cam_models
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.organization.v20210331 import models, organization_client
from tencentcloud.sts.v20180813 import models as sts_models, sts_client

profile = ClientProfile(
    httpProfile=HttpProfile(protocol="http", endpoint=os.environ["ENDPOINT"], reqTimeout=30)
)
key = credential.Credential(os.environ["SECRET_ID"], os.environ["SECRET_KEY"])
organization = organization_client.OrganizationClient(key, "", profile)
sts = sts_client.StsClient(key, "", profile)
name = f"sdk-{uuid.uuid4().hex[:8]}"


def call(action, _client=organization, _models=models, **parameters):
    """Calls an action through the SDK's own request and response types."""
    request = getattr(_models, f"{action}Request")()
    request._deserialize(parameters)
    response = getattr(_client, action)(request)
    assert uuid.UUID(response.RequestId).version == 4, response.RequestId
    return response


def refused(code, action, _client=organization, _models=models, **parameters):
    try:
        call(action, _client, _models, **parameters)
    except TencentCloudSDKException as error:
        assert error.get_code() == code, f"{action}: {error}"
        assert error.get_message() and error.get_request_id(), action
    else:
        raise AssertionError(f"{action} was not refused with {code}")


def finished(task_id, action="GetTaskStatus"):
    for _ in range(300):
        status = call(action, ZoneId=zone, TaskId=task_id).TaskStatus
        if status.Status != "InProgress":
            assert status.Status == "Success", status
            return
        time.sleep(0.1)
    raise AssertionError(f"{task_id} does not end")


# The caller and the organisation.
me = call("GetCallerIdentity", _client=sts, _models=sts_models)
assert me.Type == "CAMUser", me
host = call("DescribeOrganization")
assert str(host.HostUin) == me.AccountId and host.IsManager is True, host
refused("FailedOperation.OrganizationExistAlready", "CreateOrganization")
node = call("AddOrganizationNode", ParentNodeId=host.RootNodeId, Name="Research").NodeId
nodes = call("DescribeOrganizationNodes", Limit=50, Offset=0)
assert [item.NodeId for item in nodes.Items] == [host.RootNodeId, node], nodes
member = call(
    "CreateOrganizationMember",
    Name="laboratory",
    AccountName="laboratory",
    PolicyType="Financial",
    PermissionIds=[1, 2],
    NodeId=node,
).Uin
members = call("DescribeOrganizationMembers", Limit=50, Offset=0, SearchKey="laboratory")
assert [item.MemberUin for item in members.Items] == [member], members

# The space.
refused("FailedOperation.IdentityCenterNotOpen", "DescribeIdentityCenter")
zone = call("OpenIdentityCenter", ZoneName=name).ZoneId
described = call("DescribeIdentityCenter")
assert (described.ZoneId, described.ZoneName) == (zone, name), described
assert (described.ServiceStatus, described.ScimSyncStatus) == ("Enabled", "Disabled"), described

# People and groups.
user = call("CreateUser", ZoneId=zone, UserName="ann", Email="ann@example.com").UserInfo.UserId
assert call("GetUser", ZoneId=zone, UserId=user).UserInfo.Email == "ann@example.com"
call("CreateUser", ZoneId=zone, UserName="bob", UserStatus="Disabled")
listed = call("ListUsers", ZoneId=zone, UserStatus="Disabled")
assert [it.UserName for it in listed.Users] == ["bob"] and listed.IsTruncated is False, listed
refused("InvalidParameter.UsernameAlreadyExists", "CreateUser", ZoneId=zone, UserName="ann")
call("UpdateUserStatus", ZoneId=zone, UserId=user, NewUserStatus="Disabled")
assert call("GetUser", ZoneId=zone, UserId=user).UserInfo.UserStatus == "Disabled"
call("UpdateUserStatus", ZoneId=zone, UserId=user, NewUserStatus="Enabled")
group = call("CreateGroup", ZoneId=zone, GroupName="Staff").GroupInfo.GroupId
call("AddUserToGroup", ZoneId=zone, GroupId=group, UserId=user)
assert call("GetGroup", ZoneId=zone, GroupId=group).GroupInfo.MemberCount == 1
in_group = call("ListGroupMembers", ZoneId=zone, GroupId=group).GroupMembers
assert [it.UserId for it in in_group] == [user], in_group
joined = call("ListJoinedGroupsForUser", ZoneId=zone, UserId=user).JoinedGroups
assert [it.GroupId for it in joined] == [group], joined
call("RemoveUserFromGroup", ZoneId=zone, GroupId=group, UserId=user)
assert call("ListGroups", ZoneId=zone, Filter="GroupName eq Staff").Groups[0].MemberCount == 0
call("AddUserToGroup", ZoneId=zone, GroupId=group, UserId=user)

# SCIM.
call("UpdateSCIMSynchronizationStatus", ZoneId=zone, SCIMSynchronizationStatus="Enabled")
switch = call("GetSCIMSynchronizationStatus", ZoneId=zone)
assert switch.SCIMSynchronizationStatus == "Enabled", switch
token = call("CreateSCIMCredential", ZoneId=zone, ExpireDuration=3600)
assert token.CredentialSecret and token.CredentialStatus == "Enabled", token.CredentialId
call(
    "UpdateSCIMCredentialStatus",
    ZoneId=zone,
    CredentialId=token.CredentialId,
    NewStatus="Disabled",
)
tokens = call("ListSCIMCredentials", ZoneId=zone, CredentialId=token.CredentialId)
assert [it.Status for it in tokens.SCIMCredentials] == ["Disabled"], tokens
call("DeleteSCIMCredential", ZoneId=zone, CredentialId=token.CredentialId)
assert call("ListSCIMCredentials", ZoneId=zone).TotalCounts == 0

# Sign-in: our own certificate stands for the identity provider's.
info = call("GetZoneSAMLServiceProviderInfo", ZoneId=zone).SAMLServiceProvider
metadata = base64.b64decode(info.EncodedMetadataDocument).decode()
assert info.EntityId in metadata and info.AcsUrl in metadata, info
lines = metadata.split("X509Certificate>")[1].split("<")[0].split()
pem = "-----BEGIN CERTIFICATE-----\n" + "\n".join(lines) + "\n-----END CERTIFICATE-----\n"
empty = call("GetExternalSAMLIdentityProvider", ZoneId=zone).SAMLIdentityProviderConfiguration
assert (empty.EntityId, empty.SSOStatus) == ("", "Disabled"), empty
call(
    "SetExternalSAMLIdentityProvider",
    ZoneId=zone,
    EncodedMetadataDocument="",
    EntityId="https://idp.example.com/saml",
    LoginUrl="https://idp.example.com/login",
    X509Certificate=pem,
)
call("SetExternalSAMLIdentityProvider", ZoneId=zone, SSOStatus="Enabled")
is_set = call("GetExternalSAMLIdentityProvider", ZoneId=zone).SAMLIdentityProviderConfiguration
assert is_set.EntityId == "https://idp.example.com/saml", is_set
assert is_set.SSOStatus == "Enabled" and len(is_set.CertificateIds) == 1, is_set
certificates = call("ListExternalSAMLIdPCertificates", ZoneId=zone).SAMLIdPCertificates
assert certificates[0].CertificateId == is_set.CertificateIds[0], certificates
refused(
    "FailedOperation.DecodeMetadataDocumentFailed",
    "SetExternalSAMLIdentityProvider",
    ZoneId=zone,
    EncodedMetadataDocument="not base64!",
)

# Permission configurations and access.
made = call("CreateRoleConfiguration", ZoneId=zone, RoleConfigurationName="ReadOnly")
configuration = made.RoleConfigurationInfo.RoleConfigurationId
got = call("GetRoleConfiguration", ZoneId=zone, RoleConfigurationId=configuration)
assert got.RoleConfigurationInfo.SessionDuration == 3600, got
call(
    "AddPermissionPolicyToRoleConfiguration",
    ZoneId=zone,
    RoleConfigurationId=configuration,
    RolePolicyType="System",
    RolePolicyNames=["ReadOnlyAccess", "QcloudCVMFullAccess"],
)
policies = call(
    "ListPermissionPoliciesInRoleConfiguration", ZoneId=zone, RoleConfigurationId=configuration
)
assert policies.TotalCounts == 2, policies
triple = {
    "PrincipalId": group,
    "PrincipalType": "Group",
    "TargetUin": member,
    "TargetType": "MemberUin",
    "RoleConfigurationId": configuration,
}
task = call("CreateRoleAssignment", ZoneId=zone, RoleAssignmentInfo=[triple]).Tasks[0]
finished(task.TaskId)
assert call("ListTasks", ZoneId=zone, PrincipalId=group).Tasks[0].TaskId == task.TaskId
assigned = call("ListRoleAssignments", ZoneId=zone, MaxResults=100, **triple).RoleAssignments
assert [it.PrincipalName for it in assigned] == ["Staff"], assigned
deployed = call("ListRoleConfigurationProvisionings", ZoneId=zone)
states = [it.DeploymentStatus for it in deployed.RoleConfigurationProvisionings]
assert states == ["Deployed"], deployed
selected = call("ListRoleConfigurations", ZoneId=zone, FilterTargets=[member])
assert selected.RoleConfigurations[0].IsSelected is True, selected

# User syncs.
sync = {
    "PrincipalId": user,
    "PrincipalType": "User",
    "TargetUin": member,
    "TargetType": "MemberUin",
    "DuplicationStrategy": "KeepBoth",
    "DeletionStrategy": "Delete",
}
task = call("CreateUserSyncProvisioning", ZoneId=zone, UserSyncProvisionings=[sync]).Tasks[0]
finished(task.TaskId, "GetProvisioningTaskStatus")
synced = call("ListUserSyncProvisionings", ZoneId=zone).UserProvisionings
assert [it.UserProvisioningId for it in synced] == [task.UserProvisioningId], synced
sync = task.UserProvisioningId

statistics = call("GetZoneStatistics", ZoneId=zone).ZoneStatistics
assert (statistics.UserCount, statistics.GroupCount) == (2, 1), statistics
assert statistics.RoleConfigurationSyncCount == 1, statistics

# What changes since the deployment is pushed again by hand.
which = {"ZoneId": zone, "RoleConfigurationId": configuration}
where = {"TargetType": "MemberUin", "TargetUin": member}


def deployment():
    found = call("ListRoleConfigurationProvisionings", **which, **where)
    return [it.DeploymentStatus for it in found.RoleConfigurationProvisionings]


changed = call("UpdateRoleConfiguration", **which, NewSessionDuration=7200)
assert changed.RoleConfigurationInfo.SessionDuration == 7200, changed
assert deployment() == ["DeployedRequired"]
task = call("ProvisionRoleConfiguration", **which, **where).Task
assert (task.TaskType, task.TargetUin) == ("ProvisionRoleConfiguration", member), task
finished(task.TaskId)
assert deployment() == ["Deployed"]

# Everything goes, and nothing goes out of turn.
refused("InvalidParameter.UserAlreadyExistsGroup", "DeleteUser", ZoneId=zone, UserId=user)
refused("FailedOperation.DeleteGroupNotAllowExistUser", "DeleteGroup", ZoneId=zone, GroupId=group)
call("RemoveUserFromGroup", ZoneId=zone, GroupId=group, UserId=user)
refused("FailedOperation.UserProvisioningExists", "DeleteUser", ZoneId=zone, UserId=user)
ended = call("DeleteUserSyncProvisioning", ZoneId=zone, UserProvisioningId=sync)
finished(ended.Tasks.TaskId, "GetProvisioningTaskStatus")
updated = call("UpdateUser", ZoneId=zone, UserId=user, NewDisplayName="Ann")
assert updated.UserInfo.DisplayName == "Ann", updated
call("DeleteUser", ZoneId=zone, UserId=user)
refused("ResourceNotFound.UserNotExist", "GetUser", ZoneId=zone, UserId=user)
renamed = call("UpdateGroup", ZoneId=zone, GroupId=group, NewGroupName="Everybody")
assert renamed.GroupInfo.GroupName == "Everybody", renamed
authorized = "FailedOperation.RoleConfigurationAuthorizationExist"
refused(authorized, "DeleteGroup", ZoneId=zone, GroupId=group)
refused(authorized, "DismantleRoleConfiguration", **which, **where)
finished(call("DeleteRoleAssignment", ZoneId=zone, **triple).Task.TaskId)
assert call("ListRoleAssignments", ZoneId=zone).TotalCounts == 0
deployed = "FailedOperation.RoleConfigurationProvisioningAlreadyDeployed"
refused(deployed, "DeleteRoleConfiguration", **which)
task = call("DismantleRoleConfiguration", **which, **where).Task
assert (task.TaskType, task.TargetUin) == ("DeprovisionRoleConfiguration", member), task
finished(task.TaskId)
assert deployment() == []
refused(
    "ResourceNotFound.RoleConfigurationProvisioningNotFound",
    "DismantleRoleConfiguration",
    **which,
    **where,
)
refused("InvalidParameter.RolePolicyAlreadyExist", "DeleteRoleConfiguration", **which)
for policy in policies.RolePolicies:
    call(
        "RemovePermissionPolicyFromRoleConfiguration",
        **which,
        RolePolicyType="System",
        RolePolicyId=policy.RolePolicyId,
    )
call("DeleteRoleConfiguration", **which)
refused("InvalidParameter.RoleConfigurationNotExist", "GetRoleConfiguration", **which)
call("DeleteGroup", ZoneId=zone, GroupId=group)
refused("InvalidParameter.GroupNotExist", "GetGroup", ZoneId=zone, GroupId=group)

# The second certificate, and the last of the identity provider.
refused(
    "FailedOperation.X509CertificateAlreadyExist",
    "AddExternalSAMLIdPCertificate",
    ZoneId=zone,
    X509Certificate=pem,
)
refused(
    "FailedOperation.X509CertificateMinimumRequired",
    "RemoveExternalSAMLIdPCertificate",
    ZoneId=zone,
    CertificateId=is_set.CertificateIds[0],
)
enabled = "FailedOperation.SSoStatusEnableNotClearIdentityProvider"
refused(enabled, "ClearExternalSAMLIdentityProvider", ZoneId=zone)
call("SetExternalSAMLIdentityProvider", ZoneId=zone, SSOStatus="Disabled")
call("ClearExternalSAMLIdentityProvider", ZoneId=zone)

# The account's own access management, with its own client.
def clients(secret_id, secret_key, token=None):
    """CAM and STS of whoever has these keys, as what `call` takes."""
    key = credential.Credential(secret_id, secret_key, token)
    return (
        {"_client": cam_client.CamClient(key, "", profile), "_models": cam_models},
        {"_client": sts_client.StsClient(key, "", profile), "_models": sts_models},
    )


def document(*actions, effect="allow"):
    statement = {"effect": effect, "action": list(actions), "resource": "*"}
    return json.dumps({"version": "2.0", "statement": [statement]})


as_root, as_root_sts = clients(os.environ["SECRET_ID"], os.environ["SECRET_KEY"])
account = me.AccountId
policy = call(
    "CreatePolicy",
    **as_root,
    PolicyName="looks",
    PolicyDocument=document("cam:Get*", "cam:List*"),
    Description="To look.",
).PolicyId
assert call("GetPolicy", **as_root, PolicyId=policy).Type == 1
listed = call("ListPolicies", **as_root, Scope="Local", Page=1, Rp=10)
assert [it.PolicyId for it in listed.List] == [policy], listed
refused(
    "InvalidParameter.EffectError",
    "CreatePolicy",
    **as_root,
    PolicyName="wrong",
    PolicyDocument=document("cvm:*", effect="permit"),
)

made = call("AddUser", **as_root, Name="builder", UseApi=1, ConsoleLogin=0)
builder, builder_sts = clients(made.SecretId, made.SecretKey)
assert call("GetCallerIdentity", **builder_sts).UserId == str(made.Uin)
refused("UnauthorizedOperation", "ListUsers", **builder)
call("AttachUserPolicy", **as_root, PolicyId=policy, AttachUin=made.Uin)
assert [it.Name for it in call("ListUsers", **builder).Data] == ["builder"]
second = call("CreateAccessKey", **as_root, TargetUin=made.Uin).AccessKey
refused("OperationDenied.AccessKeyOverLimit", "CreateAccessKey", **as_root, TargetUin=made.Uin)
call(
    "UpdateAccessKey",
    **as_root,
    AccessKeyId=second.AccessKeyId,
    Status="Inactive",
    TargetUin=made.Uin,
)
off, off_sts = clients(second.AccessKeyId, second.SecretAccessKey)
refused("AuthFailure.SecretIdNotFound", "GetCallerIdentity", **off_sts)
keys = call("ListAccessKeys", **as_root, TargetUin=made.Uin).AccessKeys
assert sorted(it.Status for it in keys) == ["Active", "Inactive"], keys
call("DeleteAccessKey", **as_root, AccessKeyId=second.AccessKeyId, TargetUin=made.Uin)

# A role: made, given a policy, assumed, used, and gone.
trust = {
    "effect": "allow",
    "action": "name/sts:AssumeRole",
    "principal": {"qcs": [f"qcs::cam::uin/{account}:uin/{made.Uin}"]},
}
trust = json.dumps({"version": "2.0", "statement": [trust]})
role = call(
    "CreateRole",
    **as_root,
    RoleName="Looker",
    PolicyDocument=trust,
    SessionDuration=3600,
    Tags=[{"Key": "team", "Value": "a"}],
).RoleId
info = call("GetRole", **as_root, RoleId=role).RoleInfo
assert (info.RoleName, info.SessionDuration) == ("Looker", 3600), info
assert [it.Key for it in info.Tags] == ["team"], info
call("AttachRolePolicy", **as_root, PolicyId=policy, AttachRoleName="Looker")
attached = call("ListAttachedRolePolicies", **as_root, Page=1, Rp=10, RoleId=role)
assert [it.PolicyId for it in attached.List] == [policy], attached
entities = call("ListEntitiesForPolicy", **as_root, PolicyId=policy, EntityFilter="All")
assert [it.Name for it in entities.List] == ["builder", "Looker"], entities
assume = {"RoleArn": info.RoleArn, "RoleSessionName": "sdk"}
refused("UnauthorizedOperation", "AssumeRole", **as_root_sts, **assume)
refused("UnauthorizedOperation", "AssumeRole", **builder_sts, **assume)
call(
    "UpdatePolicy",
    **as_root,
    PolicyId=policy,
    PolicyDocument=document("cam:Get*", "cam:List*", "sts:*"),
)
session = call("AssumeRole", **builder_sts, **assume)
assert session.ExpiredTime > time.time() + 3500, session.Expiration
inside, inside_sts = clients(
    session.Credentials.TmpSecretId,
    session.Credentials.TmpSecretKey,
    session.Credentials.Token,
)
assert call("GetCallerIdentity", **inside_sts).UserId == f"{role}:sdk"
assert call("GetRole", **inside, RoleName="Looker").RoleInfo.RoleId == role
refused("UnauthorizedOperation", "DeleteRole", **inside, RoleName="Looker")
narrowed = call(
    "AssumeRole",
    **builder_sts,
    **assume,
    Policy=urllib.parse.quote(document("cam:ListUsers")),
    DurationSeconds=900,
).Credentials
narrow, _ = clients(narrowed.TmpSecretId, narrowed.TmpSecretKey, narrowed.Token)
call("ListUsers", **narrow)
refused("UnauthorizedOperation", "GetRole", **narrow, RoleName="Looker")
guest = call(
    "GetFederationToken",
    **builder_sts,
    Name="guest",
    Policy=urllib.parse.quote(document("cam:ListUsers")),
).Credentials
guest, guest_sts = clients(guest.TmpSecretId, guest.TmpSecretKey, guest.Token)
assert call("GetCallerIdentity", **guest_sts).UserId == f"{made.Uin}:guest"
call("ListUsers", **guest)
refused("UnauthorizedOperation", "ListPolicies", **guest)
call("DetachRolePolicy", **as_root, PolicyId=policy, DetachRoleId=role)
refused("UnauthorizedOperation", "GetRole", **inside, RoleName="Looker")
call("DeleteRole", **as_root, RoleName="Looker")
refused("AuthFailure.SecretIdNotFound", "GetRole", **inside, RoleName="Looker")

# A SAML provider; the space's own certificate stands for its identity provider's again. The SDK
# sends this action of STS without a signature.
described = f"""<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"
  entityID="https://idp.example.com/saml"><IDPSSODescriptor
  protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">
  <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{"".join(lines)}
  </X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService
  Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
  Location="https://idp.example.com/login"/></IDPSSODescriptor></EntityDescriptor>"""
described = base64.b64encode(described.encode()).decode()
provider = call(
    "CreateSAMLProvider",
    **as_root,
    Name="Idp",
    Description="d",
    SAMLMetadataDocument=described,
).ProviderArn
assert provider == f"qcs::cam::uin/{account}:saml-provider/Idp", provider
assert call("GetSAMLProvider", **as_root, Name="Idp").SAMLMetadata == described
call("UpdateSAMLProvider", **as_root, Name="Idp", Description="e")
providers = call("ListSAMLProviders", **as_root).SAMLProviderSet
assert [it.Description for it in providers if it.Name == "Idp"] == ["e"], providers
refused(
    "UnauthorizedOperation",
    "AssumeRoleWithSAML",
    **as_root_sts,
    SAMLAssertion=base64.b64encode(b"<Response/>").decode(),
    PrincipalArn=provider,
    RoleArn=info.RoleArn,
    RoleSessionName="sdk",
)
call("DeleteSAMLProvider", **as_root, Name="Idp")
call("DetachUserPolicy", **as_root, PolicyId=policy, DetachUin=made.Uin)
call("DeletePolicy", **as_root, PolicyId=[policy])
refused("OperationDenied.HaveKeys", "DeleteUser", **as_root, Name="builder")
call("DeleteUser", **as_root, Name="builder", Force=1)
refused("AuthFailure.SecretIdNotFound", "ListUsers", **guest)
refused("UnsupportedOperation", "DescribeUserSAMLConfig", **as_root)

refused("UnsupportedOperation", "DeleteOrganization")
refused("FailedOperation.ZoneIdNotExist", "ListUsers", ZoneId="z-000000000000")
