"""Works in a roundup tracker as one of its people: roundup_agent.py TRACKER_URL COMMAND [ARGUMENT …]; prints JSON."""
import json
import sys
import urllib.parse
import xmlrpc.client

tracker, command, *arguments = sys.argv[1:]
headers = [("X-Requested-With", "XMLHttpRequest")]
roundup = xmlrpc.client.ServerProxy(tracker + "xmlrpc", headers=headers, allow_none=True)


def user():
    return roundup.filter("user", None, {"username": urllib.parse.urlsplit(tracker).username})[0]


def tickets(reference):
    return len(roundup.filter("issue", None, {"title": reference}))


def entries(issue):
    return [roundup.display("msg" + id, "content")["content"] for id in roundup.display("issue" + issue, "messages")["messages"]]


def write(issue, text):
    message = roundup.create("msg", "content=" + text, "author=" + user(), "date=.")
    roundup.set("issue" + issue, "messages=+" + message)
    return message


def status(issue, name=None):
    if name:
        roundup.set("issue" + issue, "status=" + name)
    return roundup.display("status" + roundup.display("issue" + issue, "status")["status"], "name")["name"]


print(json.dumps({"tickets": tickets, "entries": entries, "write": write, "status": status}[command](*arguments)))
