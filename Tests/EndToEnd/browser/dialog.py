"""Books an appointment on a chat page with the given words and answers whatever is asked."""

import itertools
import json
import random
import re
import time
import urllib.request

from selenium.webdriver.common.keys import Keys

NUMBER = re.compile(r"\bbk-[0-9A-Za-z]+")
# The salon is closed on two Fridays around the new year.
DAYS = ["Wednesday", "Thursday"]
HOURS = ["10am", "11am", "noon", "1pm", "2pm", "3pm", "4pm"]
NUMBERS = itertools.count(random.randrange(2000, 9000))


class Mouse:
    """Says things by typing, chooses by clicking."""

    def __init__(self, page):
        self.page = page

    def say(self, text):
        self.page.type(text)

    def choose(self, title):
        self.page.press_option(title)


class Keyboard:
    """Everything by keys, beginning wherever the focus is."""

    def __init__(self, page):
        self.page = page

    def reach(self, wanted, key=Keys.TAB, limit=40):
        for _ in range(limit):
            if wanted():
                return
            self.page.keys(key)
        raise AssertionError("the keyboard does not get there")

    def is_in_field(self):
        return self.page.active().get_attribute("class") == "sb-input"

    def say(self, text):
        self.reach(self.is_in_field)
        self.page.keys(text, Keys.ENTER)

    def choose(self, title):
        self.page.driver.switch_to.active_element.send_keys(Keys.SHIFT, Keys.TAB)
        page = self.page
        is_option = lambda: "sb-option" in (page.active().get_attribute("class") or "")
        if not is_option():
            raise AssertionError("one step back from the field is no option")
        page.keys(Keys.HOME)
        self.reach(lambda: title in page.active_text(), Keys.ARROW_DOWN, 20)
        page.keys(Keys.ENTER)
        page.wait(self.is_in_field, "the focus back in the field", 5)


def phone():
    """A number that nobody else in this process has; checks run side by side."""
    return f"+1 212 555 {next(NUMBERS)}"


def confirms(page, title):
    """Whether that choice makes the booking; a question what was meant is answered with Yes too. To be asked before choosing."""
    asked = [message["text"] for message in page.messages() if message["side"] == "out"][-1]
    return title == "Yes" and asked.startswith("Book ")


def book(page, hand, words, number, wish=None):
    """The text that names the booking. At most 14 steps, each an answer to what was asked.

    `wish` says the service (as it is called), the day and the hour that any question is answered with; without one they are drawn.
    """
    times = [f"next {random.choice(DAYS)} at {random.choice(HOURS)}" for _ in range(3)]
    count = page.answers()
    hand.say(words)
    for _ in range(14):
        page.replies(count)
        time.sleep(0.8)  # An answer can have more than one part.
        answers = [message for message in page.messages() if message["side"] == "out"]
        count, last = len(answers), answers[-1]
        if NUMBER.search(last["text"]):
            return last["text"]
        titles = [option["title"] for option in last["options"] if not option["disabled"]]
        asked = last["text"].lower()
        wished = wish and answer_for(wish, asked)
        if "Yes" in titles:
            hand.choose("Yes")
        elif wished in titles:
            hand.choose(wished)
        elif wished:
            hand.say(wished)
        elif titles:
            hand.choose(random.choice(titles))
        elif "phone" in asked:
            hand.say(number)
        elif "service" in asked and "when" not in asked:
            hand.say("a haircut")
        elif re.search(r"when|time|day|open|closed|o'clock", asked) and times:
            hand.say(times.pop(0))
        elif not re.search(r"\?", asked):
            continue  # A word on the way, such as "Booking…": the next one follows.
        else:
            raise AssertionError(f"no answer known to: {last['text']}")
    raise AssertionError(f"no booking after 14 steps: {page.texts()[-6:]}")


def answer_for(wish, asked):
    """What somebody who wishes that answers to a question; None when it is about something else."""
    if "i'm not sure" in asked:
        return "book an appointment"
    if "which service" in asked or "which one do you mean" in asked:
        return wish["service"]
    if "when would you like" in asked:
        return f"{wish['day']} at {wish['hour']}"
    if "at what time" in asked:
        return wish["hour"]
    if "on which day" in asked:
        return wish["day"]
    return None


def call(method, url, body=None, headers=None):
    """Status, headers and JSON (or text) of an answer of any status."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            status, fields, text = response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        status, fields, text = error.code, error.headers, error.read().decode()
    try:
        return status, fields, json.loads(text)
    except ValueError:
        return status, fields, text


def slow_bookings(sandbox):
    """Makes the next booking take 5 s, so that there is progress to see."""
    status, _, answer = call(
        "POST", f"{sandbox}/_sandbox/faults", {"path": "/salon/bookings", "method": "POST", "delay_ms": 5000, "times": 1}
    )
    if status >= 300:
        raise AssertionError(f"the sandbox takes no fault: {answer}")


def bookings_with(sandbox, number):
    """How many bookings with that phone number the brand has."""
    _, _, answer = call("GET", f"{sandbox}/_sandbox/state")
    digits = re.sub(r"\D", "", number)
    return sum(digits in re.sub(r"\D", "", one["contact_phone"]) for one in answer["salon"]["bookings"])
