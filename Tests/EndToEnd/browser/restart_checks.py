"""The gateway dies in the middle of a conversation and is started again: the open page goes on by itself."""

import os
import random
import signal
import time
from collections import Counter

import dialog
from browser import Page
from talk_checks import chat_url, is_same

GENEROUS = 120


class Killer(dialog.Mouse):
    """Kills the gateway twice: when something was just said, and while the brand is working on the booking."""

    def __init__(self, page, pid_file):
        super().__init__(page)
        self.pid_file = pid_file
        self.kills = 0
        self.said = Counter()

    def say(self, text):
        super().say(text)
        self.said["in", text] += 1
        if self.kills == 0:
            time.sleep(random.uniform(0, 0.3))
            self.kill()

    def choose(self, title):
        page = self.page
        is_booking = dialog.confirms(page, title)
        super().choose(title)
        self.said["in", title] += 1
        if is_booking:
            page.wait(lambda: any(int(value) >= 5 for value in page.seen()["progress"]), "the booking to be under way", GENEROUS)
            self.kill()

    def kill(self):
        pid = int(self.pid_file.read_text())
        os.kill(pid, signal.SIGKILL)
        self.kills += 1
        # Whoever supervises the gateway names the new process only when that one is ready.
        self.page.wait(lambda: int(self.pid_file.read_text()) != pid, "the gateway to be started again", GENEROUS)


def restart(setup):
    if setup.gateway_pid_file is None:
        return False, "--gateway-pid-file is needed"
    with Page() as page:
        page.patience = GENEROUS
        page.open(chat_url(setup))
        page.wait_online()
        page.script("window.__isTheSamePage = true")
        dialog.slow_bookings(setup.sandbox)
        number = dialog.phone()
        killer = Killer(page, setup.gateway_pid_file)
        text = dialog.book(page, killer, setup.words, number)
        page.wait_online(GENEROUS)
        page.wait(
            lambda: not any(one["state"] in ("sending", "waiting", "offline") for one in page.messages()), "all to be sent", GENEROUS
        )
        page.save(setup.out / "restart.png")
        texts = Counter((one["side"], one["text"]) for one in page.messages())
        problems = [f"{one} stands there {count} times" for one, count in sorted(texts.items()) if count > max(1, killer.said[one])]
        problems += [problem for problem in [is_same(page)] if problem]
        if killer.kills != 2:
            problems.append(f"the gateway was killed {killer.kills} times")
        if not page.script("return window.__isTheSamePage === true"):
            problems.append("the page was loaded anew")
        if (made := dialog.bookings_with(setup.sandbox, number)) != 1:
            problems.append(f"the brand has {made} bookings")
        return not problems, "; ".join(problems) or f"{text} — after two kills, {texts.total()} messages"
