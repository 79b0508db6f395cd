"""Holds every answer of the Identity Center actions against the catalogue: fields, types, codes.

OTHER_ID and OTHER_KEY are an administrator of another organisation; the space may have 20 users,
4 groups, 3 configurations and 2 custom policies of each. Every pair of an action and a code that the
catalogue (tests/api/organization.json) lists is provoked here, or stands in catalogue_reference.py
with the reason why it cannot occur. Ends with status 0 when all is so.
"""

import base64
import datetime
import json
import os
import time

import requests
from catalogue_reference import (
    ELSEWHERE,
    IN_BATCHES,
    SAMPLES,
    actions,
    call,
    client_of,
    expect,
    listing,
    sample,
    say_what_is_left_out,
    server,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

administrator = client_of(os.environ["SECRET_ID"], os.environ["SECRET_KEY"])
cam = client_of(os.environ["SECRET_ID"], os.environ["SECRET_KEY"], "cam", "2019-01-16")
other = client_of(os.environ["OTHER_ID"], os.environ["OTHER_KEY"])


def certificate(name):
    """A certificate of its own making, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=365))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def finished(task, action="GetTaskStatus", status="Success"):
    for _ in range(600):
        told = call(action, ZoneId=zone, TaskId=task["TaskId"])["TaskStatus"]
        if told["Status"] != "InProgress":
            assert told["Status"] == status, told
            return
        time.sleep(0.05)
    raise AssertionError(f"{task} does not end")


# Before the space is open, and once it is under another name.
code = "FailedOperation.IdentityCenterNotOpen"
for action in set(listing(code)) - ELSEWHERE:
    expect(code, action, **sample(action, ZoneId="z-000000000000"))
call("OpenIdentityCenter", _client=other, ZoneName="taken")
expect(
    "InvalidParameterValue.IdentityCenterZoneNameAlreadyExist",
    "OpenIdentityCenter",
    ZoneName="taken",
)
for name in ("a", "-a", "a-", "a--b", "A", "a" * 65):
    expect("InvalidParameterValue.ZoneNameFormatError", "OpenIdentityCenter", ZoneName=name)
zone = call("OpenIdentityCenter", ZoneName="catalogue")["ZoneId"]
expect("FailedOperation.IdentityCenterAlreadyOpen", "OpenIdentityCenter", ZoneName="another")
call("DescribeIdentityCenter")
call("GetZoneStatistics", ZoneId=zone)
theirs = other.call_json("DescribeIdentityCenter", {})["Response"]["ZoneId"]
code = "FailedOperation.ZoneIdNotExist"
for action in set(listing(code)) - ELSEWHERE:
    for wrong in ("z-000000000000", "nonsense", theirs):
        expect(code, action, **sample(action, ZoneId=wrong))

# The company: accounts, people, groups, a configuration; a directory that pushes some of them.
root = administrator.call_json("DescribeOrganization", {})["Response"]["RootNodeId"]


def account(name):
    made = {"Name": name, "AccountName": name, "PolicyType": "Financial"}
    made |= {"PermissionIds": [1, 2], "NodeId": root}
    return call("CreateOrganizationMember", **made)["Uin"]


member, second = account("one"), account("two")


def user(name, **more):
    return call("CreateUser", ZoneId=zone, UserName=name, **more)["UserInfo"]["UserId"]


def group(name):
    return call("CreateGroup", ZoneId=zone, GroupName=name)["GroupInfo"]["GroupId"]


ann = user("ann", Email="ann@example.com", DisplayName="Ann")
bob = user("bob", Email="bob@example.com")
staff, spare = group("staff"), group("spare")
configuration = call("CreateRoleConfiguration", ZoneId=zone, RoleConfigurationName="reading")
configuration = configuration["RoleConfigurationInfo"]["RoleConfigurationId"]

call("UpdateSCIMSynchronizationStatus", ZoneId=zone, SCIMSynchronizationStatus="Enabled")
assert call("GetSCIMSynchronizationStatus", ZoneId=zone)["SCIMSynchronizationStatus"] == "Enabled"
token = call("CreateSCIMCredential", ZoneId=zone)


def push(kind, **resource):
    headers = {"Authorization": f"Bearer {token['CredentialSecret']}"}
    where = f"http://{server}/scim/v2/{kind}"
    made = requests.post(where, json=resource, headers=headers, timeout=30)
    assert made.status_code == 201, made.text
    return made.json()["id"]


pushed = push("Users", userName="carl")
synced = push("Groups", displayName="synced", members=[{"value": pushed}])

# What names nothing.
here = {"ZoneId": zone}
triple = {
    "PrincipalId": ann,
    "PrincipalType": "User",
    "TargetUin": member,
    "TargetType": "MemberUin",
    "RoleConfigurationId": configuration,
}
sync = {name: triple[name] for name in ("PrincipalId", "PrincipalType", "TargetUin", "TargetType")}
sync |= {"DuplicationStrategy": "KeepBoth", "DeletionStrategy": "Keep"}
SAMPLES["UserSyncProvisionings"] = [sync]
no_user, no_group = {"PrincipalId": "u-000000000000"}, {"PrincipalId": "g-000000000000"}
no_group["PrincipalType"] = "Group"
no_account, no_configuration = {"TargetUin": 1}, {"RoleConfigurationId": "rc-000000000000"}
wrong_assignments = {
    "ResourceNotFound.UserNotExist": no_user,
    "InvalidParameter.GroupNotExist": no_group,
    "InvalidParameter.RoleConfigurationNotExist": no_configuration,
    "FailedOperation.OrganizationMemberNotExist": no_account,
}
for code, wrong in wrong_assignments.items():
    expect(code, "CreateRoleAssignment", **here, RoleAssignmentInfo=[triple, {**triple, **wrong}])
    if code in actions["CreateUserSyncProvisioning"]["errors"]:
        syncs = [sync, {**sync, **wrong}]
        expect(code, "CreateUserSyncProvisioning", **here, UserSyncProvisionings=syncs)
for code, exceptions in {
    "ResourceNotFound.UserNotExist": {"AddUserToGroup": {"GroupId": staff}},
    "InvalidParameter.GroupNotExist": {},
    "InvalidParameter.RoleConfigurationNotExist": {},
    "FailedOperation.OrganizationMemberNotExist": {},
    "InvalidParameter.ScimCredentialNotFound": {},
    "ResourceNotFound.RoleConfigurationAuthorizationNotFound": {},
    "ResourceNotFound.RoleConfigurationProvisioningNotFound": {
        "DismantleRoleConfiguration": {"RoleConfigurationId": configuration, "TargetUin": member}
    },
    "ResourceNotFound.RoleConfigurationTaskNotFound": {},
    "ResourceNotFound.UserProvisioningNotFound": {},
    "ResourceNotFound.UserProvisioningTaskNotFound": {},
    "ResourceNotFound.X509CertificateNotFound": {},
}.items():
    for action in set(listing(code)) - ELSEWHERE - IN_BATCHES:
        parameters = sample(action, **here)
        expect(code, action, **{**parameters, **exceptions.get(action, {})})
code = "InvalidParameter.NextTokenInvalid"
for action in listing(code):
    for wrong in ("nonsense", "bm8="):
        expect(code, action, **here, NextToken=wrong)
code = "InvalidParameter.ParamError"
for action in listing(code):
    if any(field["name"] == "MaxResults" for field in actions[action]["request"]):
        for wrong in (0, 101, -1):
            expect(code, action, **here, MaxResults=wrong)

# Users.
code = "InvalidParameter.UsernameFormatError"
for name in ("a b", "ä", "a" * 65, "a/b"):
    expect(code, "CreateUser", **here, UserName=name)
expect("InvalidParameter.UsernameAlreadyExists", "CreateUser", **here, UserName="ANN")
code = "InvalidParameter.EmailAlreadyExists"
expect(code, "CreateUser", **here, UserName="dan", Email="Ann@example.com")
expect(code, "UpdateUser", **here, UserId=bob, NewEmail="ann@example.com")
call("GetUser", **here, UserId=ann)
call("UpdateUser", **here, UserId=ann, NewDescription="One.")
call("UpdateUserStatus", **here, UserId=ann, NewUserStatus="Enabled")
call("ListUsers", **here, MaxResults=1)
call("ListUsers", **here, FilterGroups=[staff], SortField="CreateTime", SortType="Desc")
code = "FailedOperation.SynchronizedUserNotUpdate"
expect(code, "UpdateUser", **here, UserId=pushed, NewDisplayName="Carl")
expect("FailedOperation.SynchronizedUserNotDelete", "DeleteUser", **here, UserId=pushed)
for number in range(17):
    user(f"more-{number}")
expect("FailedOperation.UserOverUpperLimit", "CreateUser", **here, UserName="dan")

# Groups.
code = "InvalidParameter.GroupNameFormatError"
for name in ("a b", "a_b", "a" * 129):
    expect(code, "CreateGroup", **here, GroupName=name)
expect("InvalidParameter.GroupNameAlreadyExists", "CreateGroup", **here, GroupName="Staff")
code = "InvalidParameter.GroupNameAlreadyExists"
expect(code, "UpdateGroup", **here, GroupId=spare, NewGroupName="staff")
group("last")
expect("FailedOperation.GroupOverUpperLimit", "CreateGroup", **here, GroupName="more")
call("UpdateGroup", **here, GroupId=spare, NewDescription="Nobody.")
call("GetGroup", **here, GroupId=spare)
call("ListGroups", **here, MaxResults=1, Filter="GroupName eq staff")
call("AddUserToGroup", **here, GroupId=staff, UserId=ann)
code = "InvalidParameter.GroupUserAlreadyExists"
expect(code, "AddUserToGroup", **here, GroupId=staff, UserId=ann)
code = "InvalidParameter.GroupUserNotExist"
expect(code, "RemoveUserFromGroup", **here, GroupId=staff, UserId=bob)
call("ListGroupMembers", **here, GroupId=staff)
call("ListJoinedGroupsForUser", **here, UserId=ann)
code = "FailedOperation.GroupTypeUserTypeNotMatch"
expect(code, "AddUserToGroup", **here, GroupId=staff, UserId=pushed)
code = "FailedOperation.SynchronizedGroupNotUpdate"
expect(code, "UpdateGroup", **here, GroupId=synced, NewDescription="x")
for code, action in {
    "FailedOperation.SynchronizedGroupNotAddUser": "AddUserToGroup",
    "FailedOperation.SynchronizedGroupNotRemoveUser": "RemoveUserFromGroup",
}.items():
    expect(code, action, **here, GroupId=synced, UserId=pushed)
expect("FailedOperation.SynchronizedGroupNotDelete", "DeleteGroup", **here, GroupId=synced)

# SCIM tokens.
held = {**here, "CredentialId": token["CredentialId"]}
call("ListSCIMCredentials", **held)
call("UpdateSCIMCredentialStatus", **held, NewStatus="Disabled")
code = "InvalidParameter.UserScimCredentialStatusError"
expect(code, "UpdateSCIMCredentialStatus", **held, NewStatus="On")
code = "InvalidParameter.ScimSyncStatusError"
expect(code, "UpdateSCIMSynchronizationStatus", **here, SCIMSynchronizationStatus="On")
call("CreateSCIMCredential", **here, ExpireDuration=3600)
expect("LimitExceeded.ScimCredentialLimitExceeded", "CreateSCIMCredential", **here)
call("DeleteSCIMCredential", **held)

# The identity provider; our own certificate stands for its.
action = "SetExternalSAMLIdentityProvider"
ours = call("GetZoneSAMLServiceProviderInfo", **here)["SAMLServiceProvider"]
ours = base64.b64decode(ours["EncodedMetadataDocument"]).decode()
lines = "\n".join(ours.split("X509Certificate>")[1].split("<")[0].split())
pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
call("GetExternalSAMLIdentityProvider", **here)
code = "ResourceNotFound.SAMLIdentityProviderNotFound"
expect(code, "ClearExternalSAMLIdentityProvider", **here)
code = "FailedOperation.DecodeMetadataDocumentFailed"
expect(code, action, **here, EncodedMetadataDocument="not base64!")
code = "FailedOperation.MetadataCosParsingFailed"
document = base64.b64encode(b"<EntityDescriptor/>").decode()
expect(code, action, **here, EncodedMetadataDocument=document)
code = "FailedOperation.XMLDataUnmarshalFailed"
document = base64.b64encode(b"<EntityDescriptor").decode()
expect(code, action, **here, EncodedMetadataDocument=document)
expect("InvalidParameterValue.SSoStatusInvalid", action, **here, SSOStatus="On")
code = "FailedOperation.X509CertificateParsingFailed"
broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
expect(code, action, **here, X509Certificate=broken)
code = "InvalidParameterValue.X509CertificateFormatError"
expect(code, action, **here, X509Certificate="nonsense")
fields = {"EntityId": "https://idp.example.com/saml", "LoginUrl": "https://idp.example.com/login"}
call(action, **here, **fields, X509Certificate=pem, SSOStatus="Enabled")
call("GetExternalSAMLIdentityProvider", **here)
found = call("ListExternalSAMLIdPCertificates", **here)["SAMLIdPCertificates"]
action = "AddExternalSAMLIdPCertificate"
expect("FailedOperation.X509CertificateAlreadyExist", action, **here, X509Certificate=pem)
code = "FailedOperation.X509CertificateParsingFailed"
expect(code, action, **here, X509Certificate=broken)
code = "InvalidParameterValue.X509CertificateFormatError"
expect(code, action, **here, X509Certificate="nonsense")
code = "FailedOperation.X509CertificateMinimumRequired"
id = found[0]["CertificateId"]
expect(code, "RemoveExternalSAMLIdPCertificate", **here, CertificateId=id)
code = "FailedOperation.SSoStatusEnableNotClearIdentityProvider"
expect(code, "ClearExternalSAMLIdentityProvider", **here)

# As many certificates as there may be, each of its own making.
code = "FailedOperation.X509CertificateLimitExceeded"
for number in range(9):
    call(action, **here, X509Certificate=certificate(f"idp-{number}"))
expect(code, action, **here, X509Certificate=certificate("one-more"))
found = call("ListExternalSAMLIdPCertificates", **here)["SAMLIdPCertificates"]
id = found[-1]["CertificateId"]
call("RemoveExternalSAMLIdPCertificate", **here, CertificateId=id)
call("SetExternalSAMLIdentityProvider", **here, SSOStatus="Disabled")
call("ClearExternalSAMLIdentityProvider", **here)

# Configurations.
which = {**here, "RoleConfigurationId": configuration}
code = "InvalidParameter.ConfigurationNameFormatError"
for name in ("a b", "a_b", "a" * 129):
    expect(code, "CreateRoleConfiguration", **here, RoleConfigurationName=name)
code = "InvalidParameter.ConfigurationNameAlreadyExists"
expect(code, "CreateRoleConfiguration", **here, RoleConfigurationName="Reading")
for name in ("two", "three"):
    call("CreateRoleConfiguration", **here, RoleConfigurationName=name)
code = "FailedOperation.ConfigurationOverUpperLimit"
expect(code, "CreateRoleConfiguration", **here, RoleConfigurationName="four")
call("GetRoleConfiguration", **which)
call("UpdateRoleConfiguration", **which, NewSessionDuration=7200)
call("ListRoleConfigurations", **here, FilterTargets=[member])

action = "AddPermissionPolicyToRoleConfiguration"
system = {**which, "RolePolicyType": "System"}
custom = {**which, "RolePolicyType": "Custom"}
statement = {"effect": "allow", "action": "cvm:Describe*", "resource": "*"}
document = json.dumps({"version": "2.0", "statement": [statement]})
code = "InvalidParameter.BindPolicyNameNotAllowed"
expect(code, action, **system, RolePolicyNames=["NoSuchAccess"])
for wrong in ({}, {"RolePolicyNames": ["a"] * 21}):
    expect("InvalidParameter.ParamError", action, **system, **wrong)
broken_document = {"RolePolicyNames": ["a"], "CustomPolicyDocument": "{"}
expect("InvalidParameter.ParamError", action, **custom, **broken_document)
code = "InvalidParameter.PolicyNameSizeOverUpperLimit"
expect(code, action, **custom, RolePolicyNames=["a" * 33], CustomPolicyDocument=document)
for wrong in ({}, {"CustomPolicyDocument": ""}):
    expect("InvalidParameter.PolicyDocumentEmpty", action, **custom, RolePolicyNames=["a"], **wrong)
call(action, **system, RolePolicyNames=["ReadOnlyAccess"])
code = "InvalidParameter.PolicyNameAlreadyExists"
expect(code, action, **system, RolePolicyNames=["ReadOnlyAccess"])
call(action, **custom, RolePolicyNames=["own"], CustomPolicyDocument=document)
expect(code, action, **custom, RolePolicyNames=["own"], CustomPolicyDocument=document)
call(action, **custom, RolePolicyNames=["other"], CustomPolicyDocuments=[document])
code = "FailedOperation.CustomPolicyOverUpperLimit"
expect(code, action, **custom, RolePolicyNames=["third"], CustomPolicyDocument=document)
presets = cam.call_json("ListPolicies", {"Scope": "QCS", "Rp": 30, "Page": 1})["Response"]["List"]
presets = [it["PolicyName"] for it in presets if it["PolicyName"] != "ReadOnlyAccess"]
call(action, **system, RolePolicyNames=presets[:19])
code = "FailedOperation.SystemPolicyOverUpperLimit"
expect(code, action, **system, RolePolicyNames=presets[19:20])
call("ListPermissionPoliciesInRoleConfiguration", **which)

action = "UpdateCustomPolicyForRoleConfiguration"
changed = {**which, "CustomPolicyName": "own"}
call(action, **changed, NewCustomPolicyDocument=document)
code = "InvalidParameter.PolicyDocumentEmpty"
expect(code, action, **changed, NewCustomPolicyDocument="")
changed = {**which, "NewCustomPolicyDocument": document}
expect("InvalidParameter.PolicyTypeError", action, **changed, CustomPolicyName="ReadOnlyAccess")
code = "InvalidParameter.RolePolicyNotExist"
expect(code, action, **changed, CustomPolicyName="nothing")

action = "RemovePermissionPolicyFromRoleConfiguration"
expect("InvalidParameter.ParamError", action, **system)
expect(code, action, **custom, RolePolicyName="nothing")
call(action, **custom, RolePolicyName="other", RolePolicyId=0)

# Access.
action = "CreateRoleAssignment"
code = "LimitExceeded.CreateRoleAssignmentLimitExceeded"
expect(code, action, **here, RoleAssignmentInfo=[triple] * 51)
made = call(action, **here, RoleAssignmentInfo=[triple])["Tasks"][0]
finished(made)
code = "FailedOperation.RoleConfigurationAuthorizationAlreadyExist"
expect(code, action, **here, RoleAssignmentInfo=[triple])
of_group = {**triple, "PrincipalId": spare, "PrincipalType": "Group"}
finished(call(action, **here, RoleAssignmentInfo=[of_group])["Tasks"][0])
call("ListRoleAssignments", **here)
call("ListRoleConfigurationProvisionings", **here)
call("ListTasks", **here)
where = {**which, "TargetUin": member, "TargetType": "MemberUin"}
code = "FailedOperation.RoleConfigurationAuthorizationExist"
expect(code, "DismantleRoleConfiguration", **where)
expect(code, "DeleteGroup", **here, GroupId=spare)
code = "FailedOperation.RoleConfigurationProvisioningAlreadyDeployed"
expect(code, "DeleteRoleConfiguration", **which)
finished(call("ProvisionRoleConfiguration", **where)["Task"])
told = call("GetRoleConfiguration", **which)["RoleConfigurationInfo"]
assert (told["ApplyStatus"], told["AppliedSessionDuration"]) == ("Success", 7200), told
call("UpdateRoleConfiguration", **which, NewSessionDuration=3600)
told = call("ListRoleConfigurations", **here, Filter="reading")["RoleConfigurations"][0]
assert (told["ApplyStatus"], told["AppliedSessionDuration"]) == ("Unknown", 7200), told

# User syncs.
action = "CreateUserSyncProvisioning"
code = "LimitExceeded.CreateUserSyncProvisioningLimitExceeded"
expect(code, action, **here, UserSyncProvisionings=[sync] * 51)
made = call(action, **here, UserSyncProvisionings=[sync])["Tasks"][0]
finished(made, "GetProvisioningTaskStatus")
code = "FailedOperation.UserProvisioningAlreadyExists"
expect(code, action, **here, UserSyncProvisionings=[sync])
of_group = {**sync, "PrincipalId": spare, "PrincipalType": "Group", "TargetUin": second}
of_group = call(action, **here, UserSyncProvisionings=[of_group])["Tasks"][0]
finished(of_group, "GetProvisioningTaskStatus")
this = {**here, "UserProvisioningId": made["UserProvisioningId"]}
call("GetUserSyncProvisioning", **this)
call("UpdateUserSyncProvisioning", **this, NewDescription="One.")
call("ListUserSyncProvisionings", **here)

# Out of turn, one by one.
expect("InvalidParameter.UserAlreadyExistsGroup", "DeleteUser", **here, UserId=ann)
expect("FailedOperation.DeleteGroupNotAllowExistUser", "DeleteGroup", **here, GroupId=staff)
call("RemoveUserFromGroup", **here, GroupId=staff, UserId=ann)
code = "FailedOperation.RoleConfigurationAuthorizationExist"
expect(code, "DeleteUser", **here, UserId=ann)
finished(call("DeleteRoleAssignment", **here, **triple)["Task"])
expect("FailedOperation.UserProvisioningExists", "DeleteUser", **here, UserId=ann)
ended = call("DeleteUserSyncProvisioning", **this)["Tasks"]
finished(ended, "GetProvisioningTaskStatus")
call("DeleteUser", **here, UserId=ann)
of_spare = {**triple, "PrincipalId": spare, "PrincipalType": "Group"}
finished(call("DeleteRoleAssignment", **here, **of_spare)["Task"])
expect("FailedOperation.UserProvisioningExists", "DeleteGroup", **here, GroupId=spare)
this = {**here, "UserProvisioningId": of_group["UserProvisioningId"]}
finished(call("DeleteUserSyncProvisioning", **this)["Tasks"], "GetProvisioningTaskStatus")
call("DeleteGroup", **here, GroupId=spare)
finished(call("DismantleRoleConfiguration", **where)["Task"])
code = "InvalidParameter.RolePolicyAlreadyExist"
expect(code, "DeleteRoleConfiguration", **which)
empty = call("ListRoleConfigurations", **here, Filter="three")["RoleConfigurations"][0]
call("DeleteRoleConfiguration", **here, RoleConfigurationId=empty["RoleConfigurationId"])

# The space.
call("UpdateIPWhitelist", **here, IpWhitelist=[])
call("GetIPWhitelist", **here)
expect("InvalidParameterValue.ZoneNameFormatError", "UpdateZone", **here, NewZoneName="-")
call("UpdateZone", **here, NewZoneName="renamed")

say_what_is_left_out()
