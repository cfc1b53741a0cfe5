"""Checks of the conversation itself: booking, reload, keyboard, a network that fails."""

import random
import threading
import time
import urllib.parse
import uuid

import dialog
from browser import DESKTOP, PHONE, Page, shown
from proxy import Wire

BREAK_TOKEN = """
const [key, value] = Object.entries(sessionStorage).find(([key]) => key.endsWith(":token"));
sessionStorage.setItem(key, JSON.stringify({...JSON.parse(value), token: "no-longer-good"}));
"""

# The gateway gets every request; the page gets other answers to the first four.
UNWILLING = """
const real = window.fetch;
window.__tries = [];
window.__opened = 0;
const answers = [[503, {"Retry-After": "2"}], [429, {"Retry-After": "1"}], null, [401, {}]];
window.fetch = async (url, options = {}) => {
    if (String(url).endsWith("/sessions")) window.__opened += 1;
    if (options.method !== "POST" || !String(url).endsWith("/messages")) return real(url, options);
    window.__tries.push({id: JSON.parse(options.body).request_id, at: Date.now()});
    const response = await real(url, options);
    const answer = answers[window.__tries.length - 1];
    if (answer === null) throw new TypeError("network");
    return answer ? new Response("{}", {status: answer[0], headers: answer[1]}) : response;
};
"""


def chat_url(setup, base=None):
    return f"{base or setup.url}/chat/{setup.instance}"


def shoot(page, setup, name):
    """Phone and desktop, light and dark."""
    for label, size in (("desktop", DESKTOP), ("phone", PHONE)):
        for scheme in ("light", "dark"):
            page.resize(size)
            page.dark(scheme == "dark")
            time.sleep(0.4)
            page.save(setup.out / f"{name}-{label}-{scheme}.png")
    page.resize(DESKTOP)
    page.dark(False)


def is_same(page):
    """Compares page and gateway; returns a text of what differs, empty when nothing does."""
    answer = page.history()
    if "problem" in answer:
        return answer["problem"]
    stored = [(one["id"], "in" if one["direction"] == "in" else "out") for one in answer["all"]]
    on_page = [(one["id"], one["side"]) for one in page.messages()]
    problems = []
    if len(set(on_page)) != len(on_page):
        problems.append("doubled on the page")
    if missing := [one for one in stored if one not in on_page]:
        problems.append(f"missing on the page: {missing}")
    if unknown := [one for one in on_page if one not in stored]:
        problems.append(f"unknown to the gateway: {unknown}")
    return "; ".join(problems)


# Words that leave the service open, so that it is asked for with a list.
OPEN_WORDS = "I need an appointment"


def talk(setup, hand, name, words, wish=None):
    with Page() as page:
        page.open(chat_url(setup))
        page.wait_online()
        shoot(page, setup, f"{name}-empty")
        dialog.slow_bookings(setup.sandbox)
        number = dialog.phone()
        shots = {}

        class Watching(hand):
            def choose(self, title):
                is_booking = dialog.confirms(page, title)
                if title not in shots:
                    shots[title] = shoot(page, setup, f"{name}-{'confirm' if title == 'Yes' else 'list'}")
                super().choose(title)
                if is_booking:
                    page.wait(lambda: page.seen()["progress"], "progress", 20)
                    page.save(setup.out / f"{name}-progress.png")

        text = dialog.book(page, Watching(page), words, number, wish)
        shoot(page, setup, f"{name}-booked")
        seen = page.seen()
        problems = []
        if words == OPEN_WORDS and not page.one(".sb-list"):
            problems.append("the services were not offered as a list")
        if dialog.bookings_with(setup.sandbox, number) != 1:
            problems.append("not exactly one booking reached the brand")
        values = [int(value) for value in seen["progress"]]
        if not values or values != sorted(values) or values[-1] != 100:
            problems.append(f"progress was {values}")
        if not any(message["state"] == "sent" for message in page.messages()):
            problems.append("no message was marked as sent")
        pressed = [option for message in page.messages() for option in message["options"] if option["pressed"]]
        if not pressed:
            problems.append("no choice is marked")
        problems += page.problems() + page.ran() + [problem for problem in [is_same(page)] if problem]
        return not problems, "; ".join(problems) or f"{text} — progress {values}, {seen['lines']}"


def booking(setup):
    return talk(setup, dialog.Mouse, "booking", setup.words, setup.wish)


def keyboard(setup):
    return talk(setup, dialog.Keyboard, "keyboard", OPEN_WORDS)


def reload(setup):
    with Page(PHONE) as page:
        page.open(chat_url(setup))
        page.wait_online()
        for text in ("hello", "what services do you offer"):
            count = page.answers()
            page.type(text)
            page.replies(count)
        quiet(page, still=1.5)
        before = [(one["id"], one["text"]) for one in page.messages()]
        user = page.script("return Object.entries(sessionStorage).find(([key]) => key.endsWith(':token'))[1]")
        page.driver.refresh()
        page.wait_online()
        page.wait(lambda: len(page.messages()) >= len(before), "the history")
        after = [(one["id"], one["text"]) for one in page.messages()]
        # A token that is gone, as after the tab was closed: the resume secret opens the same conversation.
        page.script("sessionStorage.clear()")
        page.driver.refresh()
        page.wait_online()
        page.wait(lambda: len(page.messages()) >= len(before), "the history by resume secret")
        again = [(one["id"], one["text"]) for one in page.messages()]
        renewed = page.script("return Object.entries(sessionStorage).find(([key]) => key.endsWith(':token'))[1]")
        page.script(BREAK_TOKEN)
        page.driver.refresh()
        page.wait_online()
        page.wait(lambda: len(page.messages()) >= len(before), "the history after a token that is no longer good")
        count = page.answers()
        page.type("when are you open")
        page.replies(count)
        ok = before == after == again and user != renewed and not is_same(page) and len(before) >= 4
        return ok, shown(
            {"before": before, "after": after, "again": again} if not ok else f"{len(before)} messages kept, and it goes on"
        )


def offline(setup, hang):
    target = urllib.parse.urlsplit(setup.url)
    wire = Wire(target.hostname, target.port)
    with Page() as page:
        page.open(chat_url(setup, f"http://127.0.0.1:{wire.port}"))
        page.wait_online()
        count = page.answers()
        page.type("hello")
        page.replies(count)
        token = page.script("return JSON.parse(Object.entries(sessionStorage).find(([key]) => key.endsWith(':token'))[1]).token")
        page.type("what services do you offer")
        time.sleep(random.uniform(0, 0.05))
        wire.cut(hang)
        began = time.monotonic()
        said = [f"when are you open, question {number}" for number in range(3)]
        for text in said:
            page.type(text)
        # Meanwhile another device of the same person writes, on a network that works.
        elsewhere = threading.Thread(target=other_device, args=(setup, token))
        elsewhere.start()
        if not hang:
            page.wait(lambda: page.state() == "lost", "the notice of the lost connection", 8)
            page.save(setup.out / "offline-lost.png")
        time.sleep(max(0, 10 - (time.monotonic() - began)))
        waiting = [one for one in page.messages() if one["state"] in ("sending", "waiting", "offline")]
        wire.mend()
        page.wait_online(30)
        elsewhere.join()
        page.wait(
            lambda: not any(one["state"] in ("sending", "waiting", "offline") for one in page.messages()), "all to be sent", 60
        )
        quiet(page)
        texts = [one["text"] for one in page.messages() if one["side"] == "in"]
        problems = [f"{text!r} stands there {texts.count(text)} times" for text in said if texts.count(text) != 1]
        if texts.count("what services do you offer") != 1:
            problems.append("the message that was cut is not there once")
        if sum(text.startswith("from elsewhere") for text in texts) != 3:
            problems.append("not all of the other device's messages are there")
        if len(waiting) < len(said):
            problems.append(f"only {len(waiting)} messages were shown as waiting while the network was away")
        if difference := is_same(page):
            problems.append(difference)
        page.save(setup.out / f"offline-{'hang' if hang else 'cut'}-after.png")
        return (
            not problems,
            "; ".join(problems)
            or f"{len(texts)} said, {page.answers()} answers, {len(waiting)} waited; nothing missing or doubled",
        )


def other_device(setup, token):
    for number in range(3):
        time.sleep(1.5)
        headers = {"Authorization": f"Bearer {token}", "Origin": setup.url}
        body = {"request_id": str(uuid.uuid4()), "text": f"from elsewhere {number}"}
        dialog.call("POST", f"{setup.url}/web/{setup.instance}/messages", body, headers)


def quiet(page, still=4.0, limit=60):
    """Waits until no message came for a while."""
    until = time.monotonic() + limit
    count, since = -1, time.monotonic()
    while time.monotonic() < until:
        now = len(page.messages())
        if now != count:
            count, since = now, time.monotonic()
        if time.monotonic() - since > still:
            return
        time.sleep(0.2)


def busy(setup):
    """A gateway that did it and answered badly: the same request again, as long as it takes, and a new token when it asks for one."""
    with Page() as page:
        page.open(chat_url(setup))
        page.wait_online()
        page.script(UNWILLING)
        count = page.answers()
        page.type("what services do you offer")
        page.replies(count)
        page.wait(
            lambda: all(one["state"] == "sent" for one in page.messages() if one["side"] == "in"), "the message to be sent", 60
        )
        # What it said may be seen on the page before the last answer to saying it was a good one.
        page.wait(lambda: page.script("return window.__tries.length") >= 5, "the fifth try", 60)
        quiet(page)
        tries = page.script("return window.__tries")
        said = [one for one in page.messages() if one["side"] == "in"]
        waited = tries[1]["at"] - tries[0]["at"]
        problems = [problem for problem in [is_same(page)] if problem]
        if len(tries) != 5 or len({one["id"] for one in tries}) != 1:
            problems.append(f"tries were {tries}")
        if waited < 1900:
            problems.append(f"Retry-After was 2 s, it waited {waited} ms")
        if page.script("return window.__opened") != 1:
            problems.append("no new session was asked for after 401")
        if len(said) != 1:
            problems.append(f"it stands there {len(said)} times")
        return not problems, "; ".join(problems) or f"{len(tries)} tries with one request id, first wait {waited} ms, said once"


def offline_cut(setup):
    return offline(setup, hang=False)


def offline_hang(setup):
    return offline(setup, hang=True)
