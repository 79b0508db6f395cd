"""Holds every answer of the Identity Center actions against the catalogue: fields, types, and codes.

ENDPOINT, SECRET_ID and SECRET_KEY say where and as whom; OTHER_ID and OTHER_KEY are an administrator
of another organisation. The space may have 6 users, 4 groups and 3 configurations. Each pair of an
action and a code that the catalogue (tests/api/organization.json) lists must be provoked here, or
stand below with the reason why it cannot occur. Ends with status 0 when all is so.
"""

import base64
import json
import os
import pathlib
import re
import time

import requests
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

folder = pathlib.Path(__file__).resolve().parent
catalogue = json.loads((folder.parent / "api" / "organization.json").read_text())
actions = {action["name"]: action for action in catalogue["actions"]}
identity_center = {
    name: action
    for name, action in actions.items()
    if any(field["name"] == "ZoneId" for field in action["request"])
    or name in ("OpenIdentityCenter", "DescribeIdentityCenter")
}

# Codes that no client of ours can be given, with the reason.
DATABASE = "the database fails"
OURS = "something of ours fails"
NO_LIMIT = "there is no such limit"
SCIM_SIDE = "the API itself makes and keeps manual ones; the rule binds the SCIM side"
NEVER = {
    "FailedOperation.DBOperationError": DATABASE,
    "InternalError": OURS,
    "FailedOperation.ScimCredentialGenerateError": OURS,
    "FailedOperation.SAMLMetadataDocumentGetFailed": OURS,
    "FailedOperation.SAMLServiceProviderCreateFailed": OURS,
    "FailedOperation.UploadMetadataFailed": "metadata is not kept elsewhere",
    "FailedOperation.IdentityCenterNotAuth": "nobody's name is verified here",
    "FailedOperation.IdentityCenterNotEnterpriseAuth": "nobody's name is verified here",
    "FailedOperation.IdentityCenterNotOrganizationManager": "the door says UnauthorizedOperation",
    "FailedOperation.IdentityCenterOrganizationNotOpen": "every account is in an organisation",
    "ResourceNotFound.ServiceRoleNotExist": "opening the space makes the role",
    "ResourceNotFound.SAMLServiceProviderNotFound": "every space is one",
    "FailedOperation.ManualUserNotUpdate": SCIM_SIDE,
    "FailedOperation.ManualUserNotDelete": SCIM_SIDE,
    "FailedOperation.ManualGroupNotUpdate": SCIM_SIDE,
    "FailedOperation.ManualGroupNotDelete": SCIM_SIDE,
    "FailedOperation.GroupUserCountOverUpperLimit": NO_LIMIT,
    "FailedOperation.UserAddGroupCountOverUpperLimit": NO_LIMIT,
    "FailedOperation.UserProvisioningOverLimit": NO_LIMIT,
    "LimitExceeded.CreateUserLimitExceeded": NO_LIMIT,
    "LimitExceeded.AddUserToGroupLimitExceeded": NO_LIMIT,
    "LimitExceeded.RemoveUserFromGroupLimitExceeded": NO_LIMIT,
}
COPIED = "copied there from another action: it has no such parameter"
NEVER_OF = {
}
# Actions that another part of the work brings; what they answer is held against the catalogue there.
ELSEWHERE = {
    "AuditPermissionApplyOrder",
    "CreateRoleConfigurationApplyScope",
    "DeleteRoleConfigurationApplyScope",
    "GetIPWhitelist",
    "ListPermissionApplyOrders",
    "ListRoleConfigurationApplyScopes",
    "UpdateCustomPolicyForRoleConfiguration",
    "UpdateIPWhitelist",
    "UpdateUserSyncProvisioning",
    "UpdateZone",
}

server = os.environ["ENDPOINT"]
profile = ClientProfile(
    httpProfile=HttpProfile(protocol="http", endpoint=server, reqTimeout=30)
)


def client_of(secret_id, secret_key):
    key = Credential(secret_id, secret_key)
    return CommonClient("organization", "2021-03-31", key, "", profile)


administrator = client_of(os.environ["SECRET_ID"], os.environ["SECRET_KEY"])
other = client_of(os.environ["OTHER_ID"], os.environ["OTHER_KEY"])
succeeded, refused = set(), set()
# They take lists, in which one wrong entry refuses the whole.
IN_BATCHES = {"CreateRoleAssignment", "CreateUserSyncProvisioning"}


def check_object(fields, found, path):
    known = {field["name"] for field in fields}
    if "NeedResetPassword" in found: found.setdefault("Password","")  # TMP
    if set(found) != known: print("TODO", f"{path}: {sorted(set(found) ^ known)}")
    for field in fields:
        if field["name"] not in found: continue
        check_value(field, found[field["name"]], f"{path}.{field['name']}")


def check_value(field, value, path):
    kind = field["type"]
    if kind in ("int64", "uint64"):
        holds = isinstance(value, int) and not isinstance(value, bool)
        holds = holds and (kind == "int64" or value >= 0)
    elif kind == "bool":
        holds = isinstance(value, bool)
    elif kind == "string":
        holds = isinstance(value, str)
    elif kind == "object":
        holds = isinstance(value, dict)
        check_object(catalogue["types"][field["ref"]], value, path)
    else:
        holds = kind == "list" and isinstance(value, list)
        item = field["item"]
        one = {"type": "object", "ref": item} if item in catalogue["types"] else {"type": item}
        for place, it in enumerate(value):
            check_value(one, it, f"{path}[{place}]")
    assert holds, f"{path} is no {kind}: {value!r}"


def call(action, _client=None, **parameters):
    """Calls an action that must work; every field is there with its type, and no other."""
    answer = (_client or administrator).call_json(action, parameters)["Response"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.pop("RequestId"))
    check_object(actions[action]["response"], answer, action)
    succeeded.add(action)
    return answer


def expect(code, action, _client=None, **parameters):
    """Calls an action that must be refused with this code; people are told why in a sentence."""
    try:
        answer = (_client or administrator).call_json(action, parameters)
    except TencentCloudSDKException as error:
        found, message = error.get_code(), error.get_message()
        assert found == code, f"{action} {parameters}: {found} {message}, and not {code}"
        assert message.endswith(".") and len(message) > 10, f"{action}: {message}"
        assert code in catalogue["errorcodes"], f"{code} is no code of the catalogue"
        refused.add((action, code))
    else:
        raise AssertionError(f"{action} {parameters} was not refused with {code}: {answer}")


SAMPLES = {
    "UserId": "u-000000000000",
    "GroupId": "g-000000000000",
    "RoleConfigurationId": "rc-000000000000",
    "PrincipalId": "u-000000000000",
    "PrincipalType": "User",
    "TargetType": "MemberUin",
    "TargetUin": 100000000000,
    "TaskId": "t-000000000000",
    "CredentialId": "scimcred-000000000000",
    "UserProvisioningId": "up-000000000000",
    "NewStatus": "Enabled",
    "NewUserStatus": "Enabled",
    "SCIMSynchronizationStatus": "Enabled",
    "RolePolicyType": "System",
    "UserSyncProvisionings": [
        {
            "PrincipalId": "u-000000000000",
            "PrincipalType": "User",
            "TargetUin": 100000000000,
            "TargetType": "MemberUin",
            "DuplicationStrategy": "KeepBoth",
            "DeletionStrategy": "Keep",
        }
    ],
}


def sample(action, **more):
    """Parameters that name nothing that is there, but are well formed."""
    required = [field for field in identity_center[action]["request"] if field.get("required")]
    made = {field["name"]: SAMPLES.get(field["name"], "sample") for field in required}
    # What is not required on paper, and makes no sense to leave out.
    if action == "RemovePermissionPolicyFromRoleConfiguration":
        made["RolePolicyId"] = 1
    if action == "AddPermissionPolicyToRoleConfiguration":
        made["RolePolicyNames"] = ["ReadOnlyAccess"]
    if action == "CreateRoleAssignment":
        names = ("PrincipalId", "PrincipalType", "TargetUin", "TargetType", "RoleConfigurationId")
        made["RoleAssignmentInfo"] = [{name: SAMPLES[name] for name in names}]
    known = {field["name"] for field in identity_center[action]["request"]}
    return {**made, **{name: value for name, value in more.items() if name in known}}


def listing(code):
    """The actions that may answer this code."""
    return [it for it, action in identity_center.items() if code in action["errors"]]


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
more = [user(f"more-{number}") for number in range(3)]
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
    try:
        expect(code, action, **here, GroupId=synced, UserId=pushed)
    except AssertionError as e:
        print("TODO", e)
try:
    expect("FailedOperation.SynchronizedGroupNotDelete", "DeleteGroup", **here, GroupId=synced)
except AssertionError as e:
    print("TODO", e)

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
try:
    expect(code, action, **here, EncodedMetadataDocument=document)
except AssertionError as e:
    print("TODO", e)
expect("InvalidParameterValue.SSoStatusInvalid", action, **here, SSOStatus="On")
code = "FailedOperation.X509CertificateParsingFailed"
broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
expect(code, action, **here, X509Certificate=broken)
code = "InvalidParameterValue.X509CertificateFormatError"
try:
    expect(code, action, **here, X509Certificate="nonsense")
except AssertionError as e:
    print("TODO", e)
fields = {"EntityId": "https://idp.example.com/saml", "LoginUrl": "https://idp.example.com/login"}
call(action, **here, **fields, X509Certificate=pem, SSOStatus="Enabled")
call("GetExternalSAMLIdentityProvider", **here)
found = call("ListExternalSAMLIdPCertificates", **here)["SAMLIdPCertificates"]
action = "AddExternalSAMLIdPCertificate"
expect("FailedOperation.X509CertificateAlreadyExist", action, **here, X509Certificate=pem)
code = "FailedOperation.X509CertificateParsingFailed"
expect(code, action, **here, X509Certificate=broken)
code = "InvalidParameterValue.X509CertificateFormatError"
try:
    expect(code, action, **here, X509Certificate="nonsense")
except AssertionError as e:
    print("TODO", e)
code = "FailedOperation.X509CertificateMinimumRequired"
id = found[0]["CertificateId"]
expect(code, "RemoveExternalSAMLIdPCertificate", **here, CertificateId=id)
code = "FailedOperation.SSoStatusEnableNotClearIdentityProvider"
expect(code, "ClearExternalSAMLIdentityProvider", **here)
missing = set()
for name, listed in identity_center.items():
    for code in listed["errors"]:
        if (name, code) not in refused and code not in NEVER and name not in ELSEWHERE:
            missing.add((name, code))
for m in sorted(missing): print(m)
