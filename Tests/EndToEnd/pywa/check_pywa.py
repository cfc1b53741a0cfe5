"""Checks the sandbox against pywa, a WhatsApp client library that others wrote.

When pywa takes the sandbox's webhooks for Meta's, and the sandbox takes pywa's requests, then what the gateway is
tested against is the platform's format and not our idea of it.

    python3 -m venv .venv && .venv/bin/pip install -r requirements.txt
    .venv/bin/python check_pywa.py --sandbox http://127.0.0.1:8090

Secrets come from the environment under the names of the demo brands: WHATSAPP_APP_SECRET and SALON_WHATSAPP_TOKEN.
For the time of the check the sandbox posts its webhooks here instead of to the gateway.
"""

import argparse
import contextlib
import http.server
import logging
import os
import queue
import sys
import threading
import uuid

import httpx
from pywa import WhatsApp, handlers, types, utils
from pywa.types import templates

PHONE_NUMBER_ID = "106540352242922"
INSTANCE = "salon-whatsapp"
WAIT_SECONDS = 10
# pywa expects what Meta sends since 2026: the business-scoped user id beside the phone.
CUSTOMER = {"from": "15550100100", "from_user_id": "US.13490001"}


class CheckFailed(Exception):
    """Something is not as it must be; the text says what."""


def expect(condition, what):
    if not condition:
        raise CheckFailed(what)


class LogCounter(logging.Handler):
    """pywa logs an update it cannot read and goes on, so its log is part of the verdict."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


class Receiver:
    """Stands where the gateway stands: verifies with pywa, parses with pywa, keeps what came out."""

    def __init__(self, client):
        self.client = client
        self.updates = queue.Queue()
        self.rejected = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                status, text = receiver.take(self)
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                """The server's own log lines add nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        for handler in (
            handlers.MessageHandler,
            handlers.CallbackButtonHandler,
            handlers.CallbackSelectionHandler,
            handlers.MessageStatusHandler,
        ):
            client.add_handlers(handler(lambda _, update: self.updates.put(update)))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        refusal = self.client.webhook_update_validator(body, request.headers.get(utils.HUB_SIG))
        if refusal:
            self.rejected.append(refusal)
            return refusal[1], refusal[0]
        text, status = self.client.webhook_update_handler(body)
        return status, text

    def next(self, kind, matches=lambda update: True):
        """The next update of a kind; others in between are statuses of earlier sends."""
        while True:
            try:
                update = self.updates.get(timeout=WAIT_SECONDS)
            except queue.Empty:
                raise CheckFailed(f"no {kind.__name__} came; rejected: {self.rejected}") from None
            if isinstance(update, kind) and matches(update):
                return update

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()


class Sandbox:
    def __init__(self, url):
        self.http = httpx.Client(base_url=url, timeout=WAIT_SECONDS, trust_env=False)

    def call(self, method, path, body=None, status=200):
        answer = self.http.request(method, path, json=body)
        expect(answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def say(self, **members):
        answer = self.call("POST", "/_sandbox/say", {"instance": INSTANCE, **members})
        expect(answer["gateway_status"] == 200, f"the receiver did not take it: {answer}")
        return answer["id"]

    @contextlib.contextmanager
    def posting_to(self, url):
        before = self.call("GET", "/_sandbox/gateway")["url"]
        self.call("PUT", "/_sandbox/gateway", {"url": url})
        try:
            yield
        finally:
            self.call("PUT", "/_sandbox/gateway", {"url": before})


def make_client(sandbox_url, token, secret):
    session = httpx.Client(timeout=WAIT_SECONDS, trust_env=False)
    client = WhatsApp(phone_id=PHONE_NUMBER_ID, token=token, session=session, app_secret=secret, validate_updates=True)
    # pywa fixes the address of the Graph API when it is made; the session it sends through is ours.
    session.base_url = f"{sandbox_url}/graph/v23.0"
    return client


def check_text(sandbox, receiver):
    said = sandbox.say(**CUSTOMER, name="Customer", text="Hello 👋")
    message = receiver.next(types.Message)
    expect(message.id == said, "the id of a text")
    expect(message.text == "Hello 👋", "the text of a text")
    expect(message.from_user.wa_id == "15550100100", "the sender's phone")
    expect(message.from_user.bsuid == "US.13490001", "the sender's business-scoped user id")
    expect(message.from_user.name == "Customer", "the sender's name")
    expect(message.metadata.phone_number_id == PHONE_NUMBER_ID, "the receiving number")


def check_user_without_phone(sandbox, receiver):
    sandbox.say(from_user_id="US.1349", text="No phone")
    message = receiver.next(types.Message)
    expect(message.from_user.bsuid == "US.1349", "the business-scoped user id")
    expect(not message.from_user.wa_id, "a user without a phone has none")


def check_buttons(sandbox, receiver, client):
    buttons = [types.Button(title="Yes", callback_data="yes-1"), types.Button(title="No", callback_data="no-1")]
    sent = client.send_message("15550100100", "Book it?", footer="Blue Door", buttons=buttons)
    sandbox.say(**CUSTOMER, reply={"index": 2})
    pressed = receiver.next(types.CallbackButton)
    expect(pressed.data == "no-1" and pressed.title == "No", "the pressed button")
    expect(pressed.reply_to_message.id == sent.id, "the message of the pressed button")


def check_list(sandbox, receiver, client):
    rows = [
        types.SectionRow(title="Haircut", callback_data="svc-1", description="45 minutes"),
        types.SectionRow(title="Colour", callback_data="svc-2"),
    ]
    sections = types.SectionList(button_title="Choose", sections=[types.Section(title="Services", rows=rows)])
    sent = client.send_message("15550100100", "Which service?", header="Services", buttons=sections)
    sandbox.say(**CUSTOMER, reply={"id": "svc-1"})
    chosen = receiver.next(types.CallbackSelection)
    expect(chosen.data == "svc-1" and chosen.title == "Haircut", "the chosen row")
    expect(chosen.description == "45 minutes", "the description of the chosen row")
    expect(chosen.reply_to_message.id == sent.id, "the message of the chosen row")


def check_statuses(receiver, client):
    reference = str(uuid.uuid4())
    for recipient in ("15550100100", "US.1349"):
        sent = client.send_message(recipient, "Statuses?", tracker=reference)
        for expected in ("sent", "delivered", "read"):
            status = receiver.next(types.MessageStatus, lambda update: update.id == sent.id)
            expect(status.status.value == expected, f"{expected} and not {status.status.value}")
            expect(status.tracker == reference, "the reference of a status")
            expect(recipient in (status.from_user.wa_id, status.from_user.bsuid), "the recipient of a status")


def check_sends(sandbox, client):
    said = sandbox.say(**CUSTOMER, text="For the sends")
    template = client.send_template(
        "15550100100",
        name="appointment_reminder",
        language=templates.TemplateLanguage.ENGLISH_US,
        params=[templates.BodyText.params("Haircut", "10:00")],
    )
    others = [
        client.send_message("15550100100", "Plain", preview_url=True, reply_to_message_id=said),
        client.send_image("15550100100", image="https://example.com/cut.png", caption="A cut"),
        client.send_document("15550100100", document="https://example.com/terms.pdf", filename="terms.pdf"),
        client.send_location("15550100100", latitude=40.7, longitude=-74.0, name="Salon"),
        client.send_reaction("15550100100", emoji="👍", message_id=said),
    ]
    for sent in [template, *others]:
        expect(sent.id.startswith("wamid."), f"the id of a sent message: {sent.id}")
    expect(client.mark_message_as_read(said).success, "a read receipt")
    expect(client.indicate_typing(said).success, "a typing indicator")
    kinds = [message["type"] for message in sandbox.call("GET", "/_sandbox/last?to=15550100100")["messages"][-6:]]
    wanted = ["template", "text", "image", "document", "location", "reaction"]
    expect(kinds == wanted, f"the sandbox kept {kinds} and not {wanted}")


def check_media(client):
    media = client.get_media_url("1234567890")
    expect(media.mime_type == "image/png" and media.file_size > 0, "the description of media")


def check_refusals(client, sandbox_url):
    try:
        client.send_message("15550100100", "x" * 4097)
    except Exception as error:
        expect(getattr(error, "code", None) == 100, f"the code of a refusal: {error!r}")
    else:
        raise CheckFailed("a text of 4,097 characters was accepted")
    stranger = make_client(sandbox_url, "not-the-token", "unused")
    try:
        stranger.send_message("15550100100", "Hello")
    except Exception as error:
        expect(getattr(error, "code", None) == 190, f"the code for a bad token: {error!r}")
    else:
        raise CheckFailed("a wrong token was accepted")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sandbox", default="http://127.0.0.1:8090", help="where the sandbox listens")
    arguments = parser.parse_args()
    missing = [name for name in ("WHATSAPP_APP_SECRET", "SALON_WHATSAPP_TOKEN") if not os.environ.get(name)]
    if missing:
        parser.error(f"set {' and '.join(missing)} to what the sandbox was started with")

    log = LogCounter()
    logging.getLogger("pywa").addHandler(log)
    sandbox_url = arguments.sandbox.rstrip("/")
    sandbox = Sandbox(sandbox_url)
    client = make_client(sandbox_url, os.environ["SALON_WHATSAPP_TOKEN"], os.environ["WHATSAPP_APP_SECRET"])
    checks = [
        ("a text", lambda: check_text(sandbox, receiver)),
        ("a user without a phone", lambda: check_user_without_phone(sandbox, receiver)),
        ("buttons and a button reply", lambda: check_buttons(sandbox, receiver, client)),
        ("a list and a list reply", lambda: check_list(sandbox, receiver, client)),
        ("statuses in order, with the reference", lambda: check_statuses(receiver, client)),
        ("templates, media, location, reaction, receipts", lambda: check_sends(sandbox, client)),
        ("media", lambda: check_media(client)),
        ("refusals", lambda: check_refusals(client, sandbox_url)),
    ]
    failures = 0
    receiver = Receiver(client)
    with receiver.running(), sandbox.posting_to(receiver.url):
        for name, check in checks:
            try:
                check()
                print(f"ok    {name}")
            except Exception as error:
                failures += 1
                print(f"FAIL  {name}: {error}")
    for line in receiver.rejected + log.lines:
        failures += 1
        print(f"FAIL  pywa complains: {line}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
