"""The same random patches for our server and for scim2-models; every difference has a reason.

    python patches.py BASE_URL TOKEN [ROUNDS] [SEED]

For each round a user is made on the server, a patch is sent to it, and scim2-models applies the
same patch to the user as the server showed it. The two must agree on whether the patch is refused
and on what the user is afterwards, except where `reason` knows why they don't: every reason is a
decision of ours that the documentation has, and a reason that is never needed fails the run too.
"""

import collections
import json
import random
import sys
import urllib.error
import urllib.request

from scim2_models import EnterpriseUser, PatchOp, User
from scim2_models.context import Context

BASE, TOKEN = sys.argv[1], sys.argv[2]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 400
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 20261123
chance = random.Random(SEED)

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
Model = User[EnterpriseUser]


def call(method, path, body):
    request = urllib.request.Request(BASE + path, json.dumps(body).encode(), method=method)
    request.add_header("Authorization", f"Bearer {TOKEN}")
    request.add_header("Content-Type", "application/scim+json")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def word():
    return chance.choice(["a", "b", "C", "é", "x y", "1"])


def kind():
    return chance.choice(["work", "home", "other"])


def entry(attribute):
    mailbox = chance.choice(["ann", "bo", "Cy"])
    made = {"value": f"{mailbox}@example.com" if attribute == "emails" else word()}
    if chance.random() < 0.8:
        made["type"] = kind()
    if chance.random() < 0.3:
        made["primary"] = chance.random() < 0.5
    return made


def entries(attribute):
    made = [entry(attribute) for _ in range(chance.randint(1, 3))]
    for one in made[1:]:
        one.pop("primary", None)
    return made


def user(number):
    made = {"schemas": [CORE], "userName": f"user-{SEED}-{number}", "active": True}
    for name in ("title", "nickName", "displayName", "externalId"):
        if chance.random() < 0.5:
            made[name] = word()
    if chance.random() < 0.5:
        made["name"] = {"givenName": word(), "familyName": word()}
    for name in ("emails", "phoneNumbers"):
        if chance.random() < 0.6:
            made[name] = entries(name)
    if chance.random() < 0.4:
        made["schemas"].append(ENTERPRISE)
        made[ENTERPRISE] = {"department": word(), "costCenter": word()}
    return made


def operation():
    op = chance.choice(["add", "replace", "remove"])
    target = chance.randrange(8)
    if target == 0:
        path, value = chance.choice(["title", "nickName", "displayName", "externalId"]), word()
    elif target == 1:
        path, value = chance.choice(["name.givenName", "name.familyName"]), word()
    elif target == 2:
        path, value = "name", {"givenName": word()}
    elif target == 3:
        path = chance.choice(["emails", "phoneNumbers"])
        value = entries(path)
    elif target == 4:
        many = chance.choice(["emails", "phoneNumbers"])
        path = f'{many}[type eq "{kind()}"].value'
        value = entry(many)["value"]
    elif target == 5:
        many = chance.choice(["emails", "phoneNumbers"])
        path, value = f'{many}[type eq "{kind()}"]', entry(many)
    elif target == 6:
        path = f"{ENTERPRISE}:{chance.choice(['department', 'costCenter'])}"
        value = word()
    else:
        path, value = "active", chance.random() < 0.5
    made = {"op": op, "path": path}
    if op != "remove":
        made["value"] = value
        if chance.random() < 0.15 and target in (0, 2, 3):
            del made["path"]
            made["value"] = {path: value}
    return made


def model_says(shown, body):
    """What scim2-models makes of the patch: the user afterwards, or why not."""
    resource = Model.model_validate(shown)
    try:
        patch = PatchOp[Model].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
        patch.patch(resource)
    except Exception as error:  # every refusal of the model is one, whatever its class
        return None, str(error)
    return resource.model_dump(scim_ctx=Context.RESOURCE_PATCH_RESPONSE), ""


def plain(value):
    """Without what a server adds, and without what is empty (RFC 7643 section 2.5)."""
    if isinstance(value, dict):
        skipped = {"meta", "schemas", "id"}
        cut = {name: plain(inner) for name, inner in value.items() if name not in skipped}
        return {name: inner for name, inner in cut.items() if inner not in (None, [], {})}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def reason(body, ours, theirs, why):
    """Why the two may differ; None when there is no reason."""
    status, answer = ours
    if theirs is None and status == 200 and "matches the path filter" in why:
        if all(one["op"] == "remove" for one in body["Operations"] if "[" in one.get("path", "")):
            return "removing what is not there is done already"
        return "a value filter that selects nothing creates the value (Entra ID)"
    if theirs is not None and status == 200:
        mine, model = plain(answer), plain(theirs)
        differing = {name for name in {*mine, *model} if mine.get(name) != model.get(name)}
        if differing <= {"emails", "phoneNumbers"}:
            def bare(document, name):
                listed = ({k: v for k, v in one.items() if k != "primary"} for one in document.get(name, []))
                return sorted(json.dumps(one, sort_keys=True) for one in listed)
            if all(bare(mine, name) == bare(model, name) for name in differing):
                return "which of the other values say that they are not primary"
            if all(set(bare(mine, name)) == set(bare(model, name)) for name in differing):
                return "a value of a type is there once (RFC 7643 section 2.4)"
    return None


def main():
    reasons = collections.Counter()
    same = 0
    for number in range(ROUNDS):
        status, shown = call("POST", "/Users", user(number))
        assert status == 201, shown
        operations = [operation() for _ in range(chance.randint(1, 3))]
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}
        ours = call("PATCH", f"/Users/{shown['id']}", body)
        assert ours[0] in (200, 400), ours
        theirs, why = model_says(shown, body)
        agree = (ours[0] == 400) == (theirs is None) and (
            theirs is None or plain(ours[1]) == plain(theirs)
        )
        if agree:
            same += 1
            continue
        told = reason(body, ours, theirs, why)
        if told is None:
            print("a difference without a reason, seed", SEED, "round", number)
            for label, what in (("before", shown), ("patch", body), ("ours", ours), ("theirs", theirs), ("why", why)):
                print(label, json.dumps(what, ensure_ascii=False))
            sys.exit(1)
        reasons[told] += 1
        if ours[0] == 400:
            # Refused: nothing may have changed.
            again = call("PATCH", f"/Users/{shown['id']}", {"Operations": [{"op": "add", "value": {}}]})
            assert plain(again[1]) == plain(shown), (again, shown)
    print(f"{same} of {ROUNDS} patches alike")
    for told, times in reasons.most_common():
        print(f"{times:5} {told}")


main()
