"""A roundup tracker as a desk of kind `webhook`: WEBHOOK_SECRET=whsec_… roundup-bridge.py PORT TRACKER GATEWAY
TRACKER is https://user:password@host/tracker/, GATEWAY is https://host/webhooks/tickets/{desk}; pip install standardwebhooks."""
import datetime, http.server, json, os, sys, threading, time, urllib.parse, urllib.request, xmlrpc.client
from standardwebhooks import Webhook, WebhookVerificationError
port, tracker, gateway, hook = int(sys.argv[1]), sys.argv[2], sys.argv[3], Webhook(os.environ["WEBHOOK_SECRET"])
roundup = lambda do, *what: getattr(xmlrpc.client.ServerProxy(
    tracker + "xmlrpc", headers=[("X-Requested-With", "XMLHttpRequest")], allow_none=True), do)(*what)
me, = roundup("filter", "user", None, {"username": urllib.parse.urlsplit(tracker).username})
resolved, = roundup("filter", "status", None, {"name": "resolved"})
told, lock = {}, threading.Lock()
def text(entry):
    head = entry["author"] + (" (internal)" if entry["internal"] else "") + ": " + entry["text"]
    return "\n".join([head] + [f"{file['name']}: {file['url']}" for file in entry["attachments"]])
def message(id, text):  # one for each id, however often it is asked for
    return (roundup("filter", "msg", None, {"messageid": id})
            or [roundup("create", "msg", "content=" + text, "messageid=" + id, "author=" + me, "date=.")])[0]
def handle(call):
    if "reference" in call:  # ticket.opened, or the question whether there is one
        issue = roundup("filter", "issue", None, {"title": f"[{call['reference']}]"})
        if "event" in call and not issue:
            lines = [call["summary"], f"({call['history_omitted']} earlier)"] + [text(entry) for entry in call["history"]]
            words = message(call["reference"], "\n".join(lines))
            issue = [roundup("create", "issue", f"title={call['subject']} [{call['reference']}]", "messages=" + words, "status=unread")]
        return {"ticket": issue[0] if issue else None}
    roundup("display", "issue" + call["ticket"], "title")  # fails when it is gone
    roundup("set", "issue" + call["ticket"], "status=resolved" if call["event"] == "ticket.closed"
            else "messages=+" + message(call["entry"]["id"], text(call["entry"])))
    return {}
class Desk(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            hook.verify(body, {name.lower(): value for name, value in self.headers.items()}, json_parse=False)
            with lock:
                status, answer = 200, handle(json.loads(body) if body else {"reference": self.headers["webhook-id"].removeprefix("find-")})
        except WebhookVerificationError as error:
            status, answer = 401, {"error": str(error)}
        except xmlrpc.client.Fault as error:
            status, answer = 404 if "no such" in str(error) else 500, {"error": str(error)}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())
    do_GET = do_POST
def tell(issue, id, event, **more):
    body, id, now = json.dumps({"event": event, "id": id, "ticket": issue, **more}), f"{issue}-{id}", datetime.datetime.now(datetime.timezone.utc)
    headers = {"webhook-id": id, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": hook.sign(id, now, body)}
    urllib.request.urlopen(urllib.request.Request(gateway, body.encode(), headers | {"Content-Type": "application/json"}), timeout=10).read()
def watch(issue):
    now, before = roundup("display", "issue" + issue, "messages", "status", "activity"), told.setdefault(issue, {"messages": [], "status": None})
    for id in (id for id in now["messages"] if id not in before["messages"]):
        words = roundup("display", "msg" + id, "author", "content")
        if words["author"] != me: tell(issue, "msg" + id, "reply", text=words["content"])
        before["messages"].append(id)
    if (now["status"] == resolved) != (before["status"] == resolved):
        tell(issue, now["activity"], "closed" if now["status"] == resolved else "reopened")
    before["status"] = now["status"]
threading.Thread(target=http.server.ThreadingHTTPServer(("127.0.0.1", port), Desk).serve_forever, daemon=True).start()
while True:  # what could not be told is told the next time, under the same id
    try:
        for issue in roundup("filter", "issue", None, {"creator": me}): watch(issue)
    except Exception as error: print(error, file=sys.stderr, flush=True)
    time.sleep(1)
