"""Asks scim2-tester what it thinks of a SCIM server.

usage: scim_conformance.py BASE_URL TOKEN

Prints every finding that is not a success, and fails when one of them is an error.
"""

import sys
from collections import Counter

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server


def main() -> int:
    base_url, token = sys.argv[1:]
    with Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}) as http:
        results = check_server(SyncSCIMClient(http))
    for result in results:
        if result.status is not Status.SUCCESS:
            print(result.status.name, result.resource_type or "", result.title, "-", result.reason)
    counts = Counter(result.status for result in results)
    print(", ".join(f"{count} {status.name}" for status, count in sorted(counts.items(), key=lambda c: c[0].value)))
    if not counts[Status.SUCCESS]:
        print("nothing was checked")
        return 1
    return 1 if counts[Status.ERROR] or counts[Status.CRITICAL] else 0


if __name__ == "__main__":
    sys.exit(main())
