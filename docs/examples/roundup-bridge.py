"""The tracker roundup as a desk of kind `webhook`: WEBHOOK_SECRET=whsec_… roundup-bridge.py PORT TRACKER

TRACKER is https://user:password@host/tracker/ with an account of the gateway's own. It needs standardwebhooks.
The bridge keeps nothing: the gateway repeats what was not answered, and asks what people did. A call that is
not proven ends in `verify`, and is answered 500.
"""
import json, os, sys, urllib.parse as parse, xmlrpc.client as rpc
from wsgiref.simple_server import make_server
from standardwebhooks import Webhook

port, url, hook = int(sys.argv[1]), sys.argv[2], Webhook(os.environ["WEBHOOK_SECRET"])
roundup = rpc.ServerProxy(url + "xmlrpc", headers=[("X-Requested-With", "bridge")], allow_none=True)
me, resolved = roundup.lookup("user", parse.urlsplit(url).username), roundup.lookup("status", "resolved")


def message(id, text):  # one for each id, however often it is asked for
    new = [f"content={text}", f"messageid={id}", f"author={me}", "date=."]
    return next(iter(roundup.filter("msg", None, {"messageid": id})), None) or roundup.create("msg", *new)


def answer(call):  # the ticket as it is then; null when there is none
    wanted = {"title": f"[{call['reference']}]"} if "reference" in call else {"id": call["ticket"]}
    issue = next(iter(roundup.filter("issue", None, wanted)), None)
    if call["event"] == "ticket.opened" and not issue:
        words = message(call["reference"], call["body"])
        issue = roundup.create("issue", f"title={call['subject']} [{call['reference']}]", f"messages={words}")
    if call["event"] == "ticket.entry" and issue:
        roundup.set(f"issue{issue}", "messages=+" + message(call["entry"]["id"], call["entry"]["body"]))
    if call["event"] == "ticket.closed" and issue:
        roundup.set(f"issue{issue}", "status=resolved")
    now = roundup.display(f"issue{issue}", "messages", "status") if issue else {"messages": [], "status": ""}
    said = {id: roundup.display(f"msg{id}", "author", "content") for id in now["messages"]}
    replies = [{"id": id, "text": words["content"]} for id, words in said.items() if words["author"] != me]
    return {"ticket": issue, "closed": now["status"] == resolved, "replies": replies}


def desk(request, respond):
    headers = {key[5:].replace("_", "-"): value for key, value in request.items() if key.startswith("HTTP_")}
    call = hook.verify(request["wsgi.input"].read(int(request["CONTENT_LENGTH"])), headers)
    result = json.dumps(answer(call))
    respond("200 OK", [("Content-Type", "application/json")])
    return [result.encode()]


make_server("127.0.0.1", port, desk).serve_forever()
