"""The Identity Center resources of Terraform's provider `tencentcloud`, call by call.

Each class is one resource, with the calls of the provider's own create, read, update and delete (its
folder `tencentcloud/services/tco`), in its order, with its fields, and with its polling, which only
waits less. ENDPOINT, SECRET_ID and SECRET_KEY say where and as whom.
"""


import os
import time

from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.organization.v20210331 import models, organization_client

profile = ClientProfile(
    httpProfile=HttpProfile(protocol="http", endpoint=os.environ["ENDPOINT"], reqTimeout=30)
)
key = credential.Credential(os.environ["SECRET_ID"], os.environ["SECRET_KEY"])
client = organization_client.OrganizationClient(key, "", profile)


def call(action, **parameters):
    """Calls an action. What is None or empty is not sent, as Go's GetOk has it."""
    request = getattr(models, f"{action}Request")()
    request._deserialize(parameters)
    return getattr(client, action)(request)


def given(**parameters):
    return {name: value for name, value in parameters.items() if value not in (None, "", 0)}




def refused(code, work, *arguments, **parameters):
    try:
        work(*arguments, **parameters)
    except TencentCloudSDKException as error:
        assert error.get_code() == code, error
    else:
        raise AssertionError(f"was not refused with {code}")


def wait(action, zone, task, only_success=False):
    """Waits as the provider does: for Success or Failed, or for Success only."""
    for _ in range(600):
        status = call(action, ZoneId=zone, TaskId=task).TaskStatus
        # The provider dereferences both.
        assert status is not None and status.Status is not None, status
        if status.Status == "Success" or (status.Status == "Failed" and not only_success):
            assert status.Status == "Success", status
            return
        time.sleep(0.05)
    raise AssertionError(f"{task} does not end")


def changed(before, after, *names):
    return any(before.get(name) != after.get(name) for name in names)


class User:
    def create(self, c):
        made = call(
            "CreateUser",
            ZoneId=c["zone_id"],
            UserName=c["user_name"],
            **given(
                FirstName=c.get("first_name"),
                LastName=c.get("last_name"),
                DisplayName=c.get("display_name"),
                Description=c.get("description"),
                Email=c.get("email"),
                UserStatus=c.get("user_status"),
            ),
        )
        return f"{c['zone_id']}#{made.UserInfo.UserId}"

    def read(self, id):
        zone, user = id.split("#")
        it = call("GetUser", ZoneId=zone, UserId=user).UserInfo
        return it and {
            "zone_id": zone,
            "user_name": it.UserName,
            "first_name": it.FirstName,
            "last_name": it.LastName,
            "display_name": it.DisplayName,
            "description": it.Description,
            "email": it.Email,
            "user_status": it.UserStatus,
            "user_type": it.UserType,
            "user_id": it.UserId,
        }

    def update(self, id, before, c):
        zone, user = id.split("#")
        if changed(before, c, "user_status"):
            call("UpdateUserStatus", ZoneId=zone, UserId=user, NewUserStatus=c["user_status"])
        if changed(before, c, "first_name", "last_name", "display_name", "description", "email"):
            call(
                "UpdateUser",
                ZoneId=zone,
                UserId=user,
                **given(
                    NewFirstName=c.get("first_name"),
                    NewLastName=c.get("last_name"),
                    NewDisplayName=c.get("display_name"),
                    NewDescription=c.get("description"),
                    NewEmail=c.get("email"),
                ),
            )

    def delete(self, id):
        zone, user = id.split("#")
        call("DeleteUser", ZoneId=zone, UserId=user)


class Group:
    def create(self, c):
        made = call(
            "CreateGroup",
            ZoneId=c["zone_id"],
            GroupName=c["group_name"],
            **given(Description=c.get("description"), GroupType=c.get("group_type")),
        )
        return f"{c['zone_id']}#{made.GroupInfo.GroupId}"

    def read(self, id):
        zone, group = id.split("#")
        it = call("GetGroup", ZoneId=zone, GroupId=group).GroupInfo
        return it and {
            "zone_id": zone,
            "group_name": it.GroupName,
            "description": it.Description,
            "group_type": it.GroupType,
            "group_id": it.GroupId,
            "member_count": it.MemberCount,
        }

    def update(self, id, before, c):
        zone, group = id.split("#")
        if changed(before, c, "group_name", "description"):
            wished = given(NewGroupName=c["group_name"], NewDescription=c.get("description"))
            call("UpdateGroup", ZoneId=zone, GroupId=group, **wished)

    def delete(self, id):
        zone, group = id.split("#")
        call("DeleteGroup", ZoneId=zone, GroupId=group)


class UserGroupAttachment:
    def create(self, c):
        where = {"ZoneId": c["zone_id"], "GroupId": c["group_id"], "UserId": c["user_id"]}
        call("AddUserToGroup", **where)
        return "#".join(where.values())

    def read(self, id):
        zone, group, user = id.split("#")
        token = None
        while True:
            page = call(
                "ListJoinedGroupsForUser",
                ZoneId=zone,
                UserId=user,
                MaxResults=100,
                **given(NextToken=token),
            )
            if any(it.GroupId == group for it in page.JoinedGroups):
                return {"zone_id": zone, "group_id": group, "user_id": user}
            if len(page.JoinedGroups) < 100:
                return None
            token = page.NextToken

    def delete(self, id):
        zone, group, user = id.split("#")
        call("RemoveUserFromGroup", ZoneId=zone, GroupId=group, UserId=user)


class RoleConfiguration:
    def create(self, c):
        made = call(
            "CreateRoleConfiguration",
            ZoneId=c["zone_id"],
            RoleConfigurationName=c["role_configuration_name"],
            **given(
                Description=c.get("description"),
                SessionDuration=c.get("session_duration"),
                RelayState=c.get("relay_state"),
            ),
        )
        return f"{c['zone_id']}#{made.RoleConfigurationInfo.RoleConfigurationId}"

    def read(self, id):
        zone, configuration = id.split("#")
        it = call("GetRoleConfiguration", ZoneId=zone, RoleConfigurationId=configuration)
        it = it.RoleConfigurationInfo
        return it and {
            "zone_id": zone,
            "role_configuration_id": it.RoleConfigurationId,
            "role_configuration_name": it.RoleConfigurationName,
            "description": it.Description,
            "session_duration": it.SessionDuration,
            "relay_state": it.RelayState,
        }

    def update(self, id, before, c):
        zone, configuration = id.split("#")
        if changed(before, c, "description", "session_duration", "relay_state"):
            call(
                "UpdateRoleConfiguration",
                ZoneId=zone,
                RoleConfigurationId=configuration,
                **given(
                    NewDescription=c.get("description"),
                    NewSessionDuration=c.get("session_duration"),
                    NewRelayState=c.get("relay_state"),
                ),
            )

    def delete(self, id):
        zone, configuration = id.split("#")
        call("DeleteRoleConfiguration", ZoneId=zone, RoleConfigurationId=configuration)


def policies(zone, configuration, kind):
    return call(
        "ListPermissionPoliciesInRoleConfiguration",
        ZoneId=zone,
        RoleConfigurationId=configuration,
        RolePolicyType=kind,
    ).RolePolicies


class PermissionPolicyAttachment:
    def create(self, c):
        detail = {"PolicyId": c["role_policy_id"], **given(PolicyName=c.get("role_policy_name"))}
        call(
            "AddPermissionPolicyToRoleConfiguration",
            ZoneId=c["zone_id"],
            RoleConfigurationId=c["role_configuration_id"],
            RolePolicyType="System",
            RolePolicies=[detail],
        )
        return f"{c['zone_id']}#{c['role_configuration_id']}#{c['role_policy_id']}"

    def read(self, id):
        zone, configuration, policy = id.split("#")
        found = policies(zone, configuration, "System")
        it = next((it for it in found if str(it.RolePolicyId) == policy), None)
        return it and {
            "zone_id": zone,
            "role_configuration_id": configuration,
            "role_policy_id": it.RolePolicyId,
            "role_policy_name": it.RolePolicyName,
            "role_policy_type": it.RolePolicyType,
        }

    def delete(self, id):
        zone, configuration, policy = id.split("#")
        call(
            "RemovePermissionPolicyFromRoleConfiguration",
            ZoneId=zone,
            RoleConfigurationId=configuration,
            RolePolicyType="System",
            RolePolicyId=int(policy),
        )


class PermissionCustomPolicyAttachment:
    def create(self, c):
        call(
            "AddPermissionPolicyToRoleConfiguration",
            ZoneId=c["zone_id"],
            RoleConfigurationId=c["role_configuration_id"],
            RolePolicyNames=[c["role_policy_name"]],
            CustomPolicyDocument=c["role_policy_document"],
            RolePolicyType="Custom",
        )
        return f"{c['zone_id']}#{c['role_configuration_id']}#{c['role_policy_name']}"

    def read(self, id):
        zone, configuration, policy = id.split("#")
        found = policies(zone, configuration, "Custom")
        it = next((it for it in found if it.RolePolicyName == policy), None)
        return it and {
            "zone_id": zone,
            "role_configuration_id": configuration,
            "role_policy_name": it.RolePolicyName,
            "role_policy_document": it.RolePolicyDocument,
            "role_policy_type": it.RolePolicyType,
        }

    def delete(self, id):
        zone, configuration, names = id.split("#")
        for name in names.split(","):
            call(
                "RemovePermissionPolicyFromRoleConfiguration",
                ZoneId=zone,
                RoleConfigurationId=configuration,
                RolePolicyType="Custom",
                RolePolicyId=0,
                RolePolicyName=name,
            )


class PermissionCustomPoliciesAttachment(PermissionCustomPolicyAttachment):
    def create(self, c):
        names = [it["role_policy_name"] for it in c["policies"]]
        call(
            "AddPermissionPolicyToRoleConfiguration",
            ZoneId=c["zone_id"],
            RoleConfigurationId=c["role_configuration_id"],
            RolePolicyNames=names,
            CustomPolicyDocuments=[it["role_policy_document"] for it in c["policies"]],
            RolePolicyType="Custom",
        )
        return f"{c['zone_id']}#{c['role_configuration_id']}#{','.join(names)}"

    def read(self, id):
        zone, configuration, names = id.split("#")
        found = policies(zone, configuration, "Custom")
        found = [it for it in found if it.RolePolicyName in names.split(",")]
        read = [
            {
                "role_policy_name": it.RolePolicyName,
                "role_policy_document": it.RolePolicyDocument,
            }
            for it in found
        ]
        return {"zone_id": zone, "role_configuration_id": configuration, "policies": read}


class RoleAssignment:
    FIELDS = {
        "role_configuration_id": "RoleConfigurationId",
        "target_type": "TargetType",
        "target_uin": "TargetUin",
        "principal_type": "PrincipalType",
        "principal_id": "PrincipalId",
    }

    def create(self, c):
        info = {name: c[field] for field, name in self.FIELDS.items()}
        task = call("CreateRoleAssignment", ZoneId=c["zone_id"], RoleAssignmentInfo=[info]).Tasks[0]
        assert task.Status != "Failed", task
        wait("GetTaskStatus", c["zone_id"], task.TaskId)
        c = {**c, "role_configuration_id": task.RoleConfigurationId}
        return "#".join(str(c[field]) for field in ("zone_id", *self.FIELDS))

    def where(self, id):
        zone, configuration, kind, account, principal_kind, principal = id.split("#")
        return {
            "ZoneId": zone,
            "RoleConfigurationId": configuration,
            "TargetType": kind,
            "TargetUin": int(account),
            "PrincipalType": principal_kind,
            "PrincipalId": principal,
        }

    def read(self, id):
        where = self.where(id)
        found = call("ListRoleAssignments", **where, MaxResults=100).RoleAssignments
        if not found:
            return None
        # The provider takes the first, whatever it is.
        state = {field: getattr(found[0], name) for field, name in self.FIELDS.items()}
        names = found[0].PrincipalName, found[0].RoleConfigurationName, found[0].TargetName
        assert all(names), found
        return {"zone_id": where["ZoneId"], **state}

    def delete(self, id, deprovision_strategy="None"):
        where = self.where(id)
        wished = given(DeprovisionStrategy=deprovision_strategy)
        task = call("DeleteRoleAssignment", **where, **wished).Task
        assert task.Status != "Failed" and task.TaskId, task
        wait("GetTaskStatus", where["ZoneId"], task.TaskId)
        # Always, and at once.
        there = {name: where[name] for name in where if not name.startswith("Principal")}
        task = call("DismantleRoleConfiguration", **there).Task
        assert task.TaskStatus != "Failed" and task.TaskId, task
        wait("GetTaskStatus", where["ZoneId"], task.TaskId)


class ProvisionRoleConfigurationOperation:
    def create(self, c):
        task = call(
            "ProvisionRoleConfiguration",
            ZoneId=c["zone_id"],
            RoleConfigurationId=c["role_configuration_id"],
            TargetType=c["target_type"],
            TargetUin=c["target_uin"],
        ).Task
        wait("GetTaskStatus", c["zone_id"], task.TaskId, only_success=True)
        return f"{c['zone_id']}#{c['role_configuration_id']}"


class UserSyncProvisioning:
    FIELDS = {
        "description": "Description",
        "principal_id": "PrincipalId",
        "principal_type": "PrincipalType",
        "target_uin": "TargetUin",
        "target_type": "TargetType",
        "duplication_strategy": "DuplicationStrategy",
        "deletion_strategy": "DeletionStrategy",
    }

    def create(self, c):
        sync = given(**{name: c.get(field) for field, name in self.FIELDS.items()})
        zone = c["zone_id"]
        task = call("CreateUserSyncProvisioning", ZoneId=zone, UserSyncProvisionings=[sync])
        task = task.Tasks[0]
        wait("GetProvisioningTaskStatus", zone, task.TaskId)
        return f"{zone}#{task.UserProvisioningId}"

    def read(self, id):
        zone, sync = id.split("#")
        it = call("GetUserSyncProvisioning", ZoneId=zone, UserProvisioningId=sync).UserProvisioning
        state = {field: getattr(it, name) for field, name in self.FIELDS.items()}
        return {"zone_id": zone, "user_provisioning_id": it.UserProvisioningId, **state}

    def update(self, id, before, c):
        zone, sync = id.split("#")
        # The provider looks at an argument that it does not have; the conflict policy stays.
        if changed(before, c, "description", "deletion_strategy"):
            wished = given(NewDescription=c.get("description"))
            wished |= given(NewDeletionStrategy=c.get("deletion_strategy"))
            call("UpdateUserSyncProvisioning", ZoneId=zone, UserProvisioningId=sync, **wished)

    def delete(self, id):
        zone, sync = id.split("#")
        task = call("DeleteUserSyncProvisioning", ZoneId=zone, UserProvisioningId=sync).Tasks
        wait("GetProvisioningTaskStatus", zone, task.TaskId)


class ExternalSamlIdentityProvider:
    def create(self, c):
        self.update(c["zone_id"], {}, c)
        return c["zone_id"]

    def read(self, zone):
        ours = call("GetZoneSAMLServiceProviderInfo", ZoneId=zone).SAMLServiceProvider
        it = call("GetExternalSAMLIdentityProvider", ZoneId=zone)
        it = it.SAMLIdentityProviderConfiguration
        return {
            "zone_id": ours.ZoneId,
            "acs_url": ours.AcsUrl,
            "entity_id": it.EntityId,
            "sso_status": it.SSOStatus,
            "encoded_metadata_document": it.EncodedMetadataDocument,
            "certificate_ids": it.CertificateIds,
            "login_url": it.LoginUrl,
        }

    def update(self, zone, before, c):
        action = "SetExternalSAMLIdentityProvider"
        if changed(before, c, "encoded_metadata_document"):
            document = given(EncodedMetadataDocument=c.get("encoded_metadata_document"))
            call(action, ZoneId=zone, **document)
        if changed(before, c, "entity_id", "login_url", "x509_certificate"):
            call(
                action,
                ZoneId=zone,
                EncodedMetadataDocument="",
                **given(
                    EntityId=c.get("entity_id"),
                    LoginUrl=c.get("login_url"),
                    X509Certificate=c.get("x509_certificate"),
                ),
            )
        if changed(before, c, "sso_status"):
            call(action, ZoneId=zone, **given(SSOStatus=c.get("sso_status")))

    def delete(self, zone):
        it = call("GetExternalSAMLIdentityProvider", ZoneId=zone)
        if it.SAMLIdentityProviderConfiguration.SSOStatus == "Enabled":
            call("SetExternalSAMLIdentityProvider", ZoneId=zone, SSOStatus="Disabled")
        call("ClearExternalSAMLIdentityProvider", ZoneId=zone)


class ScimSynchronizationStatus:
    def create(self, c):
        self.update(c["zone_id"], {}, c)
        return c["zone_id"]

    def read(self, zone):
        it = call("GetSCIMSynchronizationStatus", ZoneId=zone)
        return {"zone_id": zone, "scim_synchronization_status": it.SCIMSynchronizationStatus}

    def update(self, zone, before, c):
        if changed(before, c, "scim_synchronization_status"):
            status = c["scim_synchronization_status"]
            call("UpdateSCIMSynchronizationStatus", ZoneId=zone, SCIMSynchronizationStatus=status)


class ScimCredential:
    def create(self, c):
        made = call("CreateSCIMCredential", ZoneId=c["zone_id"])
        assert made.CredentialSecret
        return f"{c['zone_id']}#{made.CredentialId}"

    def read(self, id):
        zone, credential = id.split("#")
        found = call("ListSCIMCredentials", ZoneId=zone, CredentialId=credential).SCIMCredentials
        return found and {
            "zone_id": found[0].ZoneId,
            "status": found[0].Status,
            "credential_id": found[0].CredentialId,
            "credential_type": found[0].CredentialType,
        }

    def delete(self, id):
        zone, credential = id.split("#")
        call("DeleteSCIMCredential", ZoneId=zone, CredentialId=credential)


class ScimCredentialStatus(ScimCredential):
    def create(self, c):
        id = f"{c['zone_id']}#{c['credential_id']}"
        self.update(id, {}, c)
        return id

    def update(self, id, before, c):
        zone, credential = id.split("#")
        if changed(before, c, "status"):
            where = {"ZoneId": zone, "CredentialId": credential}
            call("UpdateSCIMCredentialStatus", **where, NewStatus=c["status"])


def same(resource, id, configured):
    """A plan right after an apply must be empty; the certificate is never read back."""
    state = resource.read(id)
    assert state, f"{resource}: {id} is gone"
    wished = {name: value for name, value in configured.items() if name in state}
    differs = {n: (v, state[n]) for n, v in wished.items() if state[n] != v}
    assert not differs, f"{type(resource).__name__}: {differs}"
    return state


def apply(resource, **configured):
    id = resource.create(configured)
    same(resource, id, configured)
    return id


def change(resource, id, before, after):
    resource.update(id, before, after)
    return same(resource, id, after)


def pages(action, field, zone, **parameters):
    """A data source: pages until IsTruncated says no, which must be there."""
    found, token = [], None
    while True:
        page = call(action, ZoneId=zone, **parameters, **given(NextToken=token))
        found += getattr(page, field)
        assert page.IsTruncated in (True, False), page
        if not page.IsTruncated:
            return found
        assert page.NextToken, page
        token = page.NextToken
