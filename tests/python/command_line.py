"""Drives a whole life of Identity Center with tccli, the official command line.

ENDPOINT, SECRET_ID and SECRET_KEY say where and as whom; HOME is a folder that tccli may write to.
Ends with status 0 when every command ended as its manual has it. The commands run in this process,
through the entry point of the `tccli` program: a process each would be mostly start-up.
"""

import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import sysconfig

import requests

server = f"http://{os.environ['ENDPOINT']}"
os.environ["TENCENTCLOUD_SECRET_ID"] = os.environ["SECRET_ID"]
os.environ["TENCENTCLOUD_SECRET_KEY"] = os.environ["SECRET_KEY"]
os.environ["TENCENTCLOUD_REGION"] = "ap-guangzhou"

# It puts streams of its own in place of these two.
streams = sys.stdout, sys.stderr
import tccli.main  # noqa: E402

sys.stdout, sys.stderr = streams
# It makes a table of some 260 services for each command, which takes half a second: one is enough.
commands = tccli.main.CLICommand()
tccli.main.CLICommand = lambda: commands


def words(service, action, parameters):
    """A command line: lists and objects as JSON, everything else plain."""
    words = ["tccli", service, action, "--endpoint", server]
    for name, value in parameters.items():
        plain = isinstance(value, (str, int)) and not isinstance(value, bool)
        words += [f"--{name}", str(value) if plain else json.dumps(value)]
    return words


class Said(io.BytesIO):
    """What was said, which stays: tccli wraps its output anew and forgets the wrapping."""

    def close(self):
        pass


def run(words):
    """The status of a command, what it said, and what it complained of."""
    said, complained = io.TextIOWrapper(Said(), "utf-8"), io.StringIO()
    sys.argv = words
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        try:
            status = tccli.main.main()
        except SystemExit as ended:
            status = ended.code
    return status, said.buffer.getvalue().decode(), complained.getvalue()


def call(action, service="organization", wait_for=None, **parameters):
    """Runs a command that must work. With `wait_for`, tccli itself asks again until it is so."""
    line = words(service, action, parameters)
    if wait_for:
        wish = {"expr": wait_for, "to": "Success", "timeout": 30, "interval": 1}
        line += ["--waiter", json.dumps(wish)]
    status, said, complained = run(line)
    assert status == 0, f"{line}: {status} {complained}"
    # While it waits, it says so on lines before the answer.
    return json.loads(said[said.index("{") :])


def refused(code, action, **parameters):
    line = words("organization", action, parameters)
    status, said, complained = run(line)
    assert status == 255 and not said, f"{line} was not refused with {code}: {said}"
    assert f"code:{code} " in complained, f"{line}: {complained}"


def finished(task, action="GetTaskStatus"):
    ended = call(action, wait_for="TaskStatus.Status", ZoneId=zone, TaskId=task["TaskId"])
    assert ended["TaskStatus"]["Status"] == "Success", ended


# The program itself, once: its status is what a script would see.
program = os.path.join(sysconfig.get_path("scripts"), "tccli")
there = [program, *words("organization", "DescribeOrganization", {})[1:]]
there = json.loads(subprocess.run(there, check=True, capture_output=True).stdout)
missing = [program, *words("organization", "DescribeIdentityCenter", {})[1:]]
missing = subprocess.run(missing, capture_output=True, text=True)
assert missing.returncode == 255, missing
assert "FailedOperation.IdentityCenterNotOpen" in missing.stderr, missing

# The caller, an account, and the space.
me = call("GetCallerIdentity", service="sts")
assert me["AccountId"] == str(there["HostUin"]), me
member = call(
    "CreateOrganizationMember",
    Name="workshop",
    AccountName="workshop",
    PolicyType="Financial",
    PermissionIds=[1, 2],
    NodeId=there["RootNodeId"],
)["Uin"]
zone = call("OpenIdentityCenter", ZoneName="command-line")["ZoneId"]
assert call("DescribeIdentityCenter")["ZoneName"] == "command-line"

# People and groups.
user = call("CreateUser", ZoneId=zone, UserName="ann", Email="ann@example.com", DisplayName="安")
user = user["UserInfo"]["UserId"]
assert call("GetUser", ZoneId=zone, UserId=user)["UserInfo"]["DisplayName"] == "安"
call("UpdateUser", ZoneId=zone, UserId=user, NewDisplayName="Ann")
call("UpdateUserStatus", ZoneId=zone, UserId=user, NewUserStatus="Disabled")
disabled = call("ListUsers", ZoneId=zone, UserStatus="Disabled", Filter="ann")["Users"]
assert [it["DisplayName"] for it in disabled] == ["Ann"], disabled
call("UpdateUserStatus", ZoneId=zone, UserId=user, NewUserStatus="Enabled")
group = call("CreateGroup", ZoneId=zone, GroupName="Staff")["GroupInfo"]["GroupId"]
call("UpdateGroup", ZoneId=zone, GroupId=group, NewGroupName="Smiths")
call("AddUserToGroup", ZoneId=zone, GroupId=group, UserId=user)
members = call("ListGroupMembers", ZoneId=zone, GroupId=group)["GroupMembers"]
assert [it["UserId"] for it in members] == [user], members

# A SCIM credential opens the directory's door exactly while it is enabled.
def directory_says(secret):
    headers = {"Authorization": f"Bearer {secret}"}
    return requests.get(f"{server}/scim/v2/Users", headers=headers, timeout=30).status_code


call("UpdateSCIMSynchronizationStatus", ZoneId=zone, SCIMSynchronizationStatus="Enabled")
credential = call("CreateSCIMCredential", ZoneId=zone, ExpireDuration=3600)
held = {"ZoneId": zone, "CredentialId": credential["CredentialId"]}
assert directory_says(credential["CredentialSecret"]) == 200
call("UpdateSCIMCredentialStatus", **held, NewStatus="Disabled")
assert directory_says(credential["CredentialSecret"]) == 401
call("DeleteSCIMCredential", **held)
refused("InvalidParameter.ScimCredentialNotFound", "DeleteSCIMCredential", **held)
call("UpdateSCIMSynchronizationStatus", ZoneId=zone, SCIMSynchronizationStatus="Disabled")

# The identity provider; our own certificate stands for its.
service_provider = call("GetZoneSAMLServiceProviderInfo", ZoneId=zone)["SAMLServiceProvider"]
metadata = base64.b64decode(service_provider["EncodedMetadataDocument"]).decode()
lines = "\n".join(metadata.split("X509Certificate>")[1].split("<")[0].split())
call(
    "SetExternalSAMLIdentityProvider",
    ZoneId=zone,
    EntityId="https://idp.example.com/saml",
    LoginUrl="https://idp.example.com/login",
    X509Certificate=f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n",
    SSOStatus="Enabled",
)
provider = call("GetExternalSAMLIdentityProvider", ZoneId=zone)
provider = provider["SAMLIdentityProviderConfiguration"]
assert provider["SSOStatus"] == "Enabled" and len(provider["CertificateIds"]) == 1, provider

# A configuration, given to the group on the account.
configuration = call("CreateRoleConfiguration", ZoneId=zone, RoleConfigurationName="Reading")
configuration = configuration["RoleConfigurationInfo"]["RoleConfigurationId"]
which = {"ZoneId": zone, "RoleConfigurationId": configuration}
policy = "AddPermissionPolicyToRoleConfiguration"
call(policy, **which, RolePolicyType="System", RolePolicyNames=["ReadOnlyAccess"])
where = {"TargetType": "MemberUin", "TargetUin": member}
triple = {
    "PrincipalId": group,
    "PrincipalType": "Group",
    "RoleConfigurationId": configuration,
    **where,
}
made = call("CreateRoleAssignment", ZoneId=zone, RoleAssignmentInfo=[triple])["Tasks"]
finished(made[0])
assigned = call("ListRoleAssignments", ZoneId=zone, **triple)["RoleAssignments"]
assert [it["PrincipalName"] for it in assigned] == ["Smiths"], assigned


def deployment():
    found = call("ListRoleConfigurationProvisionings", **which, **where)
    return [it["DeploymentStatus"] for it in found["RoleConfigurationProvisionings"]]


assert deployment() == ["Deployed"]

# What changes since is pushed again by hand.
call(policy, **which, RolePolicyType="System", RolePolicyNames=["QcloudCVMFullAccess"])
assert deployment() == ["DeployedRequired"]
pushed = call("ProvisionRoleConfiguration", **which, **where)["Task"]
assert pushed["TaskType"] == "ProvisionRoleConfiguration", pushed
finished(pushed)
assert deployment() == ["Deployed"]

# The user is synced into the account.
sync = {
    "PrincipalId": user,
    "PrincipalType": "User",
    "DuplicationStrategy": "KeepBoth",
    "DeletionStrategy": "Delete",
    **where,
}
sync = call("CreateUserSyncProvisioning", ZoneId=zone, UserSyncProvisionings=[sync])["Tasks"][0]
finished(sync, "GetProvisioningTaskStatus")
sync = {"ZoneId": zone, "UserProvisioningId": sync["UserProvisioningId"]}
synced = call("GetUserSyncProvisioning", **sync)["UserProvisioning"]
assert (synced["PrincipalName"], synced["Status"]) == ("ann", "Enabled"), synced

statistics = call("GetZoneStatistics", ZoneId=zone)["ZoneStatistics"]
counts = [f"{it}Count" for it in ("User", "Group", "RoleConfiguration", "UserProvisioning")]
assert [statistics[it] for it in counts] == [1, 1, 1, 1], statistics

# Everything goes, and nothing goes out of turn.
in_group = {"ZoneId": zone, "GroupId": group, "UserId": user}
refused("InvalidParameter.UserAlreadyExistsGroup", "DeleteUser", ZoneId=zone, UserId=user)
refused("FailedOperation.DeleteGroupNotAllowExistUser", "DeleteGroup", ZoneId=zone, GroupId=group)
call("RemoveUserFromGroup", **in_group)
refused("InvalidParameter.GroupUserNotExist", "RemoveUserFromGroup", **in_group)
refused("FailedOperation.UserProvisioningExists", "DeleteUser", ZoneId=zone, UserId=user)
finished(call("DeleteUserSyncProvisioning", **sync)["Tasks"], "GetProvisioningTaskStatus")
refused("ResourceNotFound.UserProvisioningNotFound", "GetUserSyncProvisioning", **sync)
call("DeleteUser", ZoneId=zone, UserId=user)
refused("ResourceNotFound.UserNotExist", "GetUser", ZoneId=zone, UserId=user)
held = "FailedOperation.RoleConfigurationAuthorizationExist"
refused(held, "DeleteGroup", ZoneId=zone, GroupId=group)
refused(held, "DismantleRoleConfiguration", **which, **where)
finished(call("DeleteRoleAssignment", ZoneId=zone, DeprovisionStrategy="None", **triple)["Task"])
assert deployment() == ["Deployed"]
deployed = "FailedOperation.RoleConfigurationProvisioningAlreadyDeployed"
refused(deployed, "DeleteRoleConfiguration", **which)
taken_off = call("DismantleRoleConfiguration", **which, **where)["Task"]
assert taken_off["TaskType"] == "DeprovisionRoleConfiguration", taken_off
finished(taken_off)
assert deployment() == []
refused("InvalidParameter.RolePolicyAlreadyExist", "DeleteRoleConfiguration", **which)
policies = call("ListPermissionPoliciesInRoleConfiguration", **which)["RolePolicies"]
assert len(policies) == 2, policies
for policy in policies:
    call(
        "RemovePermissionPolicyFromRoleConfiguration",
        **which,
        RolePolicyType="System",
        RolePolicyId=policy["RolePolicyId"],
    )
call("DeleteRoleConfiguration", **which)
call("DeleteGroup", ZoneId=zone, GroupId=group)
enabled = "FailedOperation.SSoStatusEnableNotClearIdentityProvider"
refused(enabled, "ClearExternalSAMLIdentityProvider", ZoneId=zone)
call("SetExternalSAMLIdentityProvider", ZoneId=zone, SSOStatus="Disabled")
call("ClearExternalSAMLIdentityProvider", ZoneId=zone)
statistics = call("GetZoneStatistics", ZoneId=zone)["ZoneStatistics"]
assert [statistics[it] for it in counts] == [0, 0, 0, 0], statistics
tasks = call("ListTasks", ZoneId=zone, MaxResults=100)["Tasks"]
assert {it["Status"] for it in tasks} == {"Success"}, tasks
