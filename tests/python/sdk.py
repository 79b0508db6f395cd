"""Drives every action of the public API with the official SDK, end to end.

ENDPOINT, SECRET_ID and SECRET_KEY say where and as whom. Ends with status 0 when every answer was
as the API reference has it.
"""

import base64
import os
import time
import uuid

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


def refused(code, action, **parameters):
    try:
        call(action, **parameters)
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

statistics = call("GetZoneStatistics", ZoneId=zone).ZoneStatistics
assert (statistics.UserCount, statistics.GroupCount) == (2, 1), statistics
assert statistics.RoleConfigurationSyncCount == 1, statistics

ended = call("DeleteUserSyncProvisioning", ZoneId=zone, UserProvisioningId=task.UserProvisioningId)
finished(ended.Tasks.TaskId, "GetProvisioningTaskStatus")
finished(call("DeleteRoleAssignment", ZoneId=zone, **triple).Task.TaskId)
assert call("ListRoleAssignments", ZoneId=zone).TotalCounts == 0

refused("UnsupportedOperation", "UpdateZone", ZoneId=zone, NewZoneName="another")
refused("FailedOperation.ZoneIdNotExist", "ListUsers", ZoneId="z-000000000000")
