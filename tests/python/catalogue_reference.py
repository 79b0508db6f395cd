"""What the catalogue says of the Identity Center actions, and calls that are held against it.

ENDPOINT, SECRET_ID and SECRET_KEY say where and as whom.
"""

import json
import os
import pathlib
import re

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

# Codes that this run does not provoke, with the reason: most can never come.
DATABASE = "the database fails"
OURS = "something of ours fails"
NO_LIMIT = "there is no such limit"
BY_SETTING = "only where a setting makes the limit smaller; tests/it/people/limits.rs has the rule"
SCIM_SIDE = "the API itself makes and keeps manual ones; the rule binds the SCIM side"
NEVER = {
    "FailedOperation.DBOperationError": DATABASE,
    "InternalError": OURS,
    "FailedOperation.ScimCredentialGenerateError": OURS,
    "FailedOperation.SAMLMetadataDocumentGetFailed": OURS,
    "FailedOperation.SAMLServiceProviderCreateFailed": OURS,
    "FailedOperation.UploadMetadataFailed": "metadata is not kept elsewhere",
    "FailedOperation.PermissionDenied": "the door says UnauthorizedOperation",
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
    "FailedOperation.GroupUserCountOverUpperLimit": BY_SETTING,
    "FailedOperation.UserAddGroupCountOverUpperLimit": BY_SETTING,
    "FailedOperation.UserProvisioningOverLimit": NO_LIMIT,
    "LimitExceeded.CreateUserLimitExceeded": NO_LIMIT,
    "LimitExceeded.AddUserToGroupLimitExceeded": NO_LIMIT,
    "LimitExceeded.RemoveUserFromGroupLimitExceeded": NO_LIMIT,
}
COPIED = "copied there from another action: nothing in this one can be wrong so"
EXACT = "a more exact code is given"
NEVER_OF = {
    ("AddExternalSAMLIdPCertificate", "FailedOperation.X509CertificateMinimumRequired"): COPIED,
    ("AddUserToGroup", "FailedOperation.SynchronizedGroupNotUpdate"): EXACT,
    ("RemoveUserFromGroup", "FailedOperation.SynchronizedGroupNotUpdate"): EXACT,
    ("CreateRoleAssignment", "FailedOperation.RoleConfigurationAuthorizationOverLimit"): (
        "ten million are too many for a test; tests/it/permission.rs has the rule"
    ),
    ("DeleteUserSyncProvisioning", "FailedOperation.UserProvisioningFailed"): (
        "the task fails, and says why"
    ),
    ("DismantleRoleConfiguration", "FailedOperation.RoleConfigurationProvisioningStatusError"): (
        "only while a task is under way"
    ),
    ("GetExternalSAMLIdentityProvider", "ResourceNotFound.SAMLIdentityProviderNotFound"): (
        "its fields are empty then: clients read the switch here"
    ),
    ("ProvisionRoleConfiguration", "FailedOperation.UserOverUpperLimit"): COPIED,
    ("ProvisionRoleConfiguration", "InvalidParameter.EmailAlreadyExists"): COPIED,
    ("ProvisionRoleConfiguration", "InvalidParameter.UsernameAlreadyExists"): COPIED,
    ("ProvisionRoleConfiguration", "InvalidParameter.UsernameFormatError"): COPIED,
    ("RemoveExternalSAMLIdPCertificate", "FailedOperation.X509CertificateLimitExceeded"): COPIED,
    ("UpdateUser", "InvalidParameter.UserTypeError"): COPIED,
    ("UpdateUserStatus", "FailedOperation.SynchronizedUserNotUpdate"): (
        "anybody can be shut out by hand, whatever the directory says"
    ),
}
# For which the catalogue lists no codes: they are in the tests of access requests.
ELSEWHERE = {
    "AuditPermissionApplyOrder",
    "CreateRoleConfigurationApplyScope",
    "DeleteRoleConfigurationApplyScope",
    "ListPermissionApplyOrders",
    "ListRoleConfigurationApplyScopes",
}

server = os.environ["ENDPOINT"]
profile = ClientProfile(
    httpProfile=HttpProfile(protocol="http", endpoint=server, reqTimeout=30)
)


def client_of(secret_id, secret_key, service="organization", version="2021-03-31"):
    return CommonClient(service, version, Credential(secret_id, secret_key), "", profile)


administrator = client_of(os.environ["SECRET_ID"], os.environ["SECRET_KEY"])
succeeded, refused = set(), set()
# They take lists, in which one wrong entry refuses the whole.
IN_BATCHES = {"CreateRoleAssignment", "CreateUserSyncProvisioning"}


def check_object(fields, found, path):
    known = {field["name"] for field in fields}
    assert set(found) == known, f"{path}: {sorted(set(found) ^ known)}"
    for field in fields:
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


def say_what_is_left_out():
    """Fails unless each pair was provoked or cannot occur, and no reason is out of date."""
    listed = {
        (name, code)
        for name, action in identity_center.items()
        if name not in ELSEWHERE
        for code in action["errors"]
    }
    never = {pair for pair in listed if pair[1] in NEVER or pair in NEVER_OF}
    assert not listed - refused - never, sorted(listed - refused - never)
    assert not never & refused, sorted(never & refused)
    stale = NEVER.keys() - {code for _, code in listed}, NEVER_OF.keys() - listed
    assert not any(stale), stale
    silent = set(identity_center) - ELSEWHERE - succeeded
    assert not silent, sorted(silent)
    written = (folder.parent.parent / "docs" / "API.md").read_text().split("not provoked\n")[1]
    told = [f"| every one | `{code}` | {why} |" for code, why in NEVER.items()]
    told += [f"| `{name}` | `{code}` | {why} |" for (name, code), why in NEVER_OF.items()]
    rows = [line for line in written.splitlines() if "` | " in line]
    assert rows == told, sorted(set(rows) ^ set(told))
    print(f"{len(listed & refused)} pairs provoked, {len(never)} cannot occur")
