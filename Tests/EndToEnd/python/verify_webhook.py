"""Verifies recorded requests with the reference library of Standard Webhooks, as a brand would.

    SIGNING_SECRET=whsec_… python3 verify_webhook.py requests.json

The file holds a list of {"headers": {…}, "body": "…"}. Prints how many were verified; exit code 1 when one was not, or when the
library took a body that was changed or a secret that is not ours; 2 when the library is missing.
"""

import base64
import importlib.metadata
import json
import os
import sys

WANTED = "1.1.0"
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def library():
    try:
        version = importlib.metadata.version("standardwebhooks")
    except importlib.metadata.PackageNotFoundError:
        version = None
    if version != WANTED:
        print(
            f"standardwebhooks {WANTED} is needed by {sys.executable} and it has {version}: "
            "python3 -m venv .venv && .venv/bin/pip install -r Tests/EndToEnd/requirements.txt, "
            "then SWITCHBOARD_PYTHON=.venv/bin/python",
            file=sys.stderr,
        )
        sys.exit(2)
    import standardwebhooks.webhooks

    return standardwebhooks.webhooks


def takes(webhooks, secret, body, headers):
    try:
        webhooks.Webhook(secret).verify(body, headers)
    except webhooks.WebhookVerificationError:
        return False
    return True


def problems(webhooks, secret, request):
    headers = {name: request["headers"].get(name, "") for name in HEADERS}
    stranger = "whsec_" + base64.b64encode(bytes(32)).decode()
    if not takes(webhooks, secret, request["body"], headers):
        yield f"refused: {headers}"
    if takes(webhooks, secret, request["body"].replace("{", "{ ", 1), headers):
        yield "taken although the body was changed"
    if takes(webhooks, secret, request["body"], {**headers, "webhook-id": "msg_other"}):
        yield "taken although the id was changed"
    if takes(webhooks, stranger, request["body"], headers):
        yield "taken with a secret that is not ours"


def main():
    webhooks = library()
    with open(sys.argv[1], encoding="utf-8") as file:
        requests = json.load(file)
    found = [f"request {number}: {problem}" for number, request in enumerate(requests)
             for problem in problems(webhooks, os.environ["SIGNING_SECRET"], request)]
    for line in found:
        print(line, file=sys.stderr)
    print(len(requests))
    return 1 if found or not requests else 0


if __name__ == "__main__":
    sys.exit(main())
