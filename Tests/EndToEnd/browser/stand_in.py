"""A small gateway for work on the chat page without a Swift build: serves the widget's files and talks like the salon.

    python3 Tests/EndToEnd/browser/stand_in.py --port 8099 [--origin http://127.0.0.1:9001 …]

It keeps everything in memory and knows one conversation: a booking. Checks of the product run against the real gateway.
"""

import argparse
import html
import json
import pathlib
import queue
import secrets
import threading
import time
import urllib.parse
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILES = pathlib.Path(__file__).resolve().parents[3] / "channels" / "Web" / "Widget"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
SERVICES = [
    ("Haircut", "45 USD, 45 minutes"),
    ("Colour", "120 USD, 120 minutes"),
    ("Blow-dry", "35 USD, 30 minutes"),
    ("Manicure", "30 USD, 40 minutes"),
    ("Pedicure", "40 USD, 50 minutes"),
    ("Massage", "80 USD, 60 minutes"),
]
BOOKED = []


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Conversation:
    """What one visitor sees: numbered events and messages, and the booking's state."""

    def __init__(self, marks):
        self.lock = threading.RLock()
        self.events, self.messages, self.requests, self.listeners = [], [], {}, set()
        self.service = self.when = self.phone = None
        self.user = secrets.token_hex(8)
        self.marks = marks

    def emit(self, kind, body):
        with self.lock:
            self.events.append((len(self.events) + 1, kind, body))
            for listener in self.listeners:
                listener.put(None)

    def message(self, direction, content):
        with self.lock:
            message = {
                "id": f"{int(time.time() * 1000):012x}-{len(self.messages):06d}",
                "direction": direction,
                "content": content,
                "at": now(),
            }
            self.messages.append(message)
            self.emit("message", message)
            return message["id"]

    def say(self, text):
        self.message("out", {"type": "text", "text": text})

    def ask(self, text, options):
        rows = [{"id": secrets.token_hex(6), "title": title, "description": description} for title, description in options]
        self.titles = {row["id"]: row["title"] for row in rows}
        self.message("out", {"type": "choices", "text": text, "options": rows, "list_title": "Services"})

    def take(self, body):
        with self.lock:
            if body["request_id"] in self.requests:
                return self.requests[body["request_id"]], True
            if "reply" in body:
                identifier = body["reply"]["id"]
                words = getattr(self, "titles", {}).get(identifier, identifier)
                content = {"type": "reply", "kind": "button", "id": identifier, "title": words}
            else:
                words = body["text"]
                content = {"type": "text", "text": words}
            self.requests[body["request_id"]] = self.message("in", content)
        threading.Thread(target=self.turn, args=(words,), daemon=True).start()
        return self.requests[body["request_id"]], False

    def turn(self, words):
        for listener in list(self.listeners):
            listener.put("typing")
        time.sleep(0.4)
        self.emit("update", {"update_type": "action_lookup", "timestamp": now(), "status": "found"})
        time.sleep(0.3)
        low = words.lower()
        if low.startswith("echo ") or "<" in words:
            return self.ask(words, [(words[:60], None), ("No", None)]) if self.marks else self.say(words)
        if low == "yes" and self.phone:
            return self.book()
        self.service = next((name for name, _ in SERVICES if name.lower() in low), self.service)
        if " at " in low or low.endswith(("am", "pm")):
            self.when = words
        if sum(letter.isdigit() for letter in words) >= 8:
            self.phone = words
        if not self.service:
            return self.ask("Which service would you like?", SERVICES)
        if not self.when:
            return self.say("When would you like to come?")
        if not self.phone:
            return self.say("Which phone number may we reach you at?")
        self.ask(f"Book {self.service} on Wednesday, 25 November, 3:00 PM?", [("Yes", None), ("No", None), ("Change", None)])

    def book(self):
        item = {"queue_id": secrets.token_hex(4)}
        for wait, kind, fields in [
            (0, "action_queued", {}),
            (0.4, "action_executing", {"progress": 0}),
            (1.5, "action_progress", {"progress": 20, "current_step": "Checking the calendar"}),
            (1.5, "action_progress", {"progress": 40, "current_step": "Booking"}),
            (1, "action_completed", {"result": {}}),
        ]:
            time.sleep(wait)
            self.emit("update", {"update_type": kind, "timestamp": now(), **item, **fields})
        self.say(
            f"You're booked: {self.service} on Wednesday, 25 November, 3:00 PM. "
            f"Your booking number is bk-{secrets.randbelow(900) + 100}. See you then!"
        )
        BOOKED.append({"method": "POST", "json": {"contact_phone": self.phone}})
        self.service = self.when = self.phone = None


class Gateway(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, origins, marks):
        super().__init__(address, Handler)
        self.origins, self.marks, self.tokens, self.secrets = origins, marks, {}, {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json", headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.cross_origin()
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def cross_origin(self):
        origin = self.headers.get("Origin")
        if self.path.startswith(("/chat/assets/", "/widget.js")):
            self.send_header("Access-Control-Allow-Origin", "*")
        elif origin and self.allowed(origin):
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Expose-Headers", "Retry-After")
            self.send_header("Vary", "Origin")

    def allowed(self, origin):
        name = urllib.parse.urlsplit(origin)
        is_local = (
            origin in (f"http://127.0.0.1:{name.port}", f"http://localhost:{name.port}")
            if "@" not in origin and " " not in origin
            else False
        )
        return is_local or origin in self.server.origins

    def do_OPTIONS(self):
        if not self.allowed(self.headers.get("Origin", "")):
            return self.answer(403, {"status": 403})
        self.answer(
            204,
            b"",
            headers=[
                ("Access-Control-Allow-Methods", "GET, POST"),
                ("Access-Control-Allow-Headers", "authorization, content-type, last-event-id"),
            ],
        )

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        if url.path == "/widget.js":
            return self.file("widget.js")
        if parts[:2] == ["chat", "assets"] and len(parts) == 3:
            return self.file(parts[2])
        if parts[0] == "chat" and len(parts) == 2:
            page = (FILES / "chat.html").read_text()
            for key, value in {"instance": parts[1], "brand": "Blue Door Salon", "locale": "en-US"}.items():
                page = page.replace("{{" + key + "}}", html.escape(value, quote=True))
            return self.answer(
                200, page.encode(), TYPES[".html"], [("Content-Security-Policy", POLICY), ("X-Content-Type-Options", "nosniff")]
            )
        if url.path == "/_sandbox/requests":
            return self.answer(200, {"requests": BOOKED})
        conversation = self.visitor()
        if conversation is None:
            return self.answer(401, {"status": 401, "title": "Unauthorized"})
        if parts[-1] == "events":
            return self.events(conversation)
        query = urllib.parse.parse_qs(url.query)
        limit = int(query.get("limit", ["50"])[0])
        with conversation.lock:
            known = [message["id"] for message in conversation.messages]
            after = query.get("after", [None])[0]
            chosen = conversation.messages[-limit:] if after is None else conversation.messages[known.index(after) + 1 :][:limit]
        self.answer(200, {"messages": chosen})

    def file(self, name):
        path = FILES / name
        if path.parent != FILES or path.suffix not in TYPES or not path.is_file():
            return self.answer(404, {"status": 404})
        self.answer(
            200, path.read_bytes(), TYPES[path.suffix], [("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff")]
        )

    def visitor(self):
        return self.server.tokens.get((self.headers.get("Authorization") or "").removeprefix("Bearer "))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path == "/_sandbox/faults":
            return self.answer(200, {})
        origin = self.headers.get("Origin")
        if origin is not None and not self.allowed(origin):
            return self.answer(403, {"status": 403})
        if self.path.endswith("/sessions"):
            return self.open(body)
        conversation = self.visitor()
        if conversation is None:
            return self.answer(401, {"status": 401})
        identifier, duplicate = conversation.take(body)
        self.answer(202, {"message_id": identifier, "duplicate": duplicate})

    def open(self, body):
        secret = body.get("resume_secret")
        if secret not in self.server.secrets:
            secret = secrets.token_urlsafe(32)
            self.server.secrets[secret] = Conversation(self.server.marks)
        conversation = self.server.secrets[secret]
        token = secrets.token_urlsafe(32)
        self.server.tokens[token] = conversation
        expires = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.answer(
            201,
            {
                "token": token,
                "resume_secret": secret,
                "expires_at": expires,
                "user": {"id": conversation.user, "tier": "guest"},
                "session": {"id": conversation.user},
            },
        )

    def events(self, conversation):
        signals = queue.Queue()
        conversation.listeners.add(signals)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.cross_origin()
        self.end_headers()
        try:
            last = self.headers.get("Last-Event-ID")
            newest = len(conversation.events)
            seen = newest if last is None else int(last)
            if last is None:
                self.write(f"event: hello\nid: {newest}\ndata: {{}}\n\n")
            while True:
                for number, kind, value in conversation.events[seen:]:
                    self.write(f"event: {kind}\nid: {number}\ndata: {json.dumps(value)}\n\n")
                    seen = number
                try:
                    if signals.get(timeout=10) == "typing":
                        self.write("event: typing\ndata: {}\n\n")
                except queue.Empty:
                    self.write(": beat\n\n")
        except OSError:
            pass  # The reader left.
        finally:
            conversation.listeners.discard(signals)
            self.close_connection = True

    def write(self, text):
        self.wfile.write(text.encode())
        self.wfile.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--origin", action="append", default=[], help="another origin that may embed the widget")
    parser.add_argument("--marks", action="store_true", help="repeat markup in texts and button titles")
    arguments = parser.parse_args()
    server = Gateway(("127.0.0.1", arguments.port), arguments.origin, arguments.marks)
    print(f"http://127.0.0.1:{server.server_port}/chat/salon-web", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
