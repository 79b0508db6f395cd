"""Builds an identity centre with the official SDK, as its users' scripts do.

usage: sdk.py ENDPOINT SECRET_ID SECRET_KEY IDP_METADATA_FILE

The endpoint is `host:port`; the key is that of a management account whose organisation has no
space yet. Fails at the first answer that is not as expected.
"""

import base64
import json
import sys
import time

from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.organization.v20210331 import models
from tencentcloud.organization.v20210331.organization_client import OrganizationClient
from tencentcloud.sts.v20180813 import models as sts_models
from tencentcloud.sts.v20180813.sts_client import StsClient

PATIENCE_SECONDS = 30


class Organization:
    """The organization service: each action a method, parameters by their names."""

    def __init__(self, keys, profile):
        self.client = OrganizationClient(keys, "ap-guangzhou", profile)

    def __getattr__(self, action):
        def call(**parameters):
            request = getattr(models, action + "Request")()
            request.from_json_string(json.dumps(parameters))
            # Through the SDK's own classes, so that an answer of another shape does not pass.
            return json.loads(getattr(self.client, action)(request).to_json_string())

        return call


def refused(call, code):
    try:
        answer = call()
    except TencentCloudSDKException as error:
        assert error.get_code() == code, error
        assert error.get_request_id(), "a refusal names its request"
        return
    raise AssertionError(f"should have been {code}: {answer}")


def organize(organization):
    home = organization.DescribeOrganization()
    node = organization.AddOrganizationNode(ParentNodeId=home["RootNodeId"], Name="Sales")["NodeId"]
    member = organization.CreateOrganizationMember(
        Name="shop", AccountName="shop", PolicyType="Financial", PermissionIds=[1, 2], NodeId=node
    )["Uin"]
    members = organization.DescribeOrganizationMembers(Offset=0, Limit=50)
    assert {home["HostUin"], member} <= {item["MemberUin"] for item in members["Items"]}, members
    nodes = organization.DescribeOrganizationNodes(Offset=0, Limit=50)
    assert nodes["Total"] == 2, nodes
    return home["HostUin"], member


def fill_directory(organization, zone):
    ann, bob = (
        organization.CreateUser(ZoneId=zone, UserName=name, DisplayName=name.title())["UserInfo"]["UserId"]
        for name in ("ann", "bob")
    )
    refused(
        lambda: organization.CreateUser(ZoneId=zone, UserName="ANN"),
        "InvalidParameter.UsernameAlreadyExists",
    )
    assert organization.GetUser(ZoneId=zone, UserId=ann)["UserInfo"]["UserName"] == "ann"
    assert organization.ListUsers(ZoneId=zone, MaxResults=1)["TotalCounts"] == 2
    group = organization.CreateGroup(ZoneId=zone, GroupName="developers")["GroupInfo"]["GroupId"]
    for user in (ann, bob):
        organization.AddUserToGroup(ZoneId=zone, GroupId=group, UserId=user)
    organization.RemoveUserFromGroup(ZoneId=zone, GroupId=group, UserId=bob)
    members = organization.ListGroupMembers(ZoneId=zone, GroupId=group)
    assert [member["UserId"] for member in members["GroupMembers"]] == [ann], members
    joined = organization.ListJoinedGroupsForUser(ZoneId=zone, UserId=ann)
    assert [one["GroupId"] for one in joined["JoinedGroups"]] == [group], joined
    assert organization.GetGroup(ZoneId=zone, GroupId=group)["GroupInfo"]["MemberCount"] == 1
    assert organization.ListGroups(ZoneId=zone)["TotalCounts"] == 1
    return ann, group


def connect(organization, zone, metadata):
    made = organization.CreateSCIMCredential(ZoneId=zone)
    assert made["CredentialSecret"], made
    organization.UpdateSCIMSynchronizationStatus(ZoneId=zone, SCIMSynchronizationStatus="Enabled")
    switch = organization.GetSCIMSynchronizationStatus(ZoneId=zone)
    assert switch["SCIMSynchronizationStatus"] == "Enabled", switch
    organization.UpdateSCIMCredentialStatus(
        ZoneId=zone, CredentialId=made["CredentialId"], NewStatus="Disabled"
    )
    listed = organization.ListSCIMCredentials(ZoneId=zone)["SCIMCredentials"]
    assert [one["Status"] for one in listed] == ["Disabled"], listed
    organization.DeleteSCIMCredential(ZoneId=zone, CredentialId=made["CredentialId"])
    assert organization.ListSCIMCredentials(ZoneId=zone)["TotalCounts"] == 0

    ours = organization.GetZoneSAMLServiceProviderInfo(ZoneId=zone)["SAMLServiceProvider"]
    assert ours["AcsUrl"].encode() in base64.b64decode(ours["EncodedMetadataDocument"]), ours
    document = base64.b64encode(metadata).decode()
    organization.SetExternalSAMLIdentityProvider(
        ZoneId=zone, EncodedMetadataDocument=document, SSOStatus="Enabled"
    )
    theirs = organization.GetExternalSAMLIdentityProvider(ZoneId=zone)
    theirs = theirs["SAMLIdentityProviderConfiguration"]
    assert theirs["SSOStatus"] == "Enabled" and theirs["EntityId"].encode() in metadata, theirs
    assert organization.ListExternalSAMLIdPCertificates(ZoneId=zone)["TotalCounts"] == 1


def grant(organization, zone, user, group, manager, member):
    configuration = organization.CreateRoleConfiguration(
        ZoneId=zone, RoleConfigurationName="look", SessionDuration=3600
    )["RoleConfigurationInfo"]["RoleConfigurationId"]
    organization.AddPermissionPolicyToRoleConfiguration(
        ZoneId=zone,
        RoleConfigurationId=configuration,
        RolePolicyType="System",
        RolePolicyNames=["ReadOnlyAccess"],
    )
    policies = organization.ListPermissionPoliciesInRoleConfiguration(
        ZoneId=zone, RoleConfigurationId=configuration
    )
    assert [one["RolePolicyName"] for one in policies["RolePolicies"]] == ["ReadOnlyAccess"], policies
    got = organization.GetRoleConfiguration(ZoneId=zone, RoleConfigurationId=configuration)
    assert got["RoleConfigurationInfo"]["SessionDuration"] == 3600, got
    assert organization.ListRoleConfigurations(ZoneId=zone)["TotalCounts"] == 1

    def triple(kind, principal, target_type, target):
        return {
            "PrincipalType": kind,
            "PrincipalId": principal,
            "TargetType": target_type,
            "TargetUin": target,
            "RoleConfigurationId": configuration,
        }

    tasks = organization.CreateRoleAssignment(
        ZoneId=zone,
        RoleAssignmentInfo=[
            triple("User", user, "MemberUin", member),
            triple("Group", group, "ManagerUin", manager),
        ],
    )["Tasks"]
    assert len(tasks) == 2, tasks
    for task in tasks:
        status = await_end(organization, zone, task["TaskId"])
        assert status["Status"] == "Success", status
    assert organization.ListTasks(ZoneId=zone, Status="Success")["TotalCounts"] >= 2
    assert organization.ListRoleAssignments(ZoneId=zone)["TotalCounts"] == 2
    deployed = organization.ListRoleConfigurationProvisionings(ZoneId=zone, DeploymentStatus="Deployed")
    targets = {one["TargetUin"] for one in deployed["RoleConfigurationProvisionings"]}
    assert targets == {manager, member}, deployed


def await_end(organization, zone, task):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        status = organization.GetTaskStatus(ZoneId=zone, TaskId=task)["TaskStatus"]
        if status["Status"] != "InProgress" or time.monotonic() > deadline:
            return status
        time.sleep(0.1)


def main():
    endpoint, secret_id, secret_key, metadata_file = sys.argv[1:]
    with open(metadata_file, "rb") as file:
        metadata = file.read()
    keys = credential.Credential(secret_id, secret_key)
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint))
    organization = Organization(keys, profile)

    manager, member = organize(organization)
    refused(organization.DescribeIdentityCenter, "FailedOperation.IdentityCenterNotOpen")
    zone = organization.OpenIdentityCenter(ZoneName="example")["ZoneId"]
    assert organization.DescribeIdentityCenter()["ZoneId"] == zone
    user, group = fill_directory(organization, zone)
    connect(organization, zone, metadata)
    grant(organization, zone, user, group, manager, member)
    statistics = organization.GetZoneStatistics(ZoneId=zone)["ZoneStatistics"]
    assert (statistics["UserCount"], statistics["GroupCount"]) == (2, 1), statistics

    sts = StsClient(keys, "ap-guangzhou", profile)
    me = sts.GetCallerIdentity(sts_models.GetCallerIdentityRequest())
    assert me.AccountId == str(manager), me.to_json_string()

    wrong = Organization(credential.Credential(secret_id, "wrong"), profile)
    refused(wrong.DescribeOrganization, "AuthFailure.SignatureFailure")


if __name__ == "__main__":
    main()
