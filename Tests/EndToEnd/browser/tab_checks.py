"""More pages of one person than the gateway keeps streams for."""

import time

from browser import Page
from talk_checks import chat_url, is_same

# What the gateway keeps open for one person.
STREAMS = 5


# Looking at a page means switching to its tab, which uses it; so each page keeps a diary.
DIARY = """
const chat = document.querySelector(".sb-chat");
window.__diary = [[chat.dataset.connection, Date.now()]];
new MutationObserver(() => window.__diary.push([chat.dataset.connection, Date.now()]))
    .observe(chat, {attributeFilter: ["data-connection"]});
"""


def tabs(setup):
    """The oldest page rests and does not fight for its place; used again it goes on and has missed nothing."""
    problems = []
    with Page() as page:
        handles = []
        for number in range(STREAMS + 1):
            if number > 0:
                page.driver.switch_to.new_window("tab")
            page.open(chat_url(setup))
            page.wait_online()
            page.script(DIARY)
            handles.append(page.driver.current_window_handle)
        count = page.answers()
        page.type("when are you open")
        page.replies(count)
        # Long enough for every page to come back twice, if any wanted to.
        time.sleep(5)
        end = page.script("return Date.now()")
        diaries = []
        for handle in handles:
            page.driver.switch_to.window(handle)
            diaries.append([state for state, at in page.script("return window.__diary") if at <= end])
        if diaries != [["online", "resting"]] + [["online"]] * STREAMS:
            problems.append(f"the pages went through {diaries}")
        page.driver.switch_to.window(handles[0])
        page.save(setup.out / "tabs-resting.png")
        page.one(".sb-input").click()
        page.wait_online()
        page.wait(lambda: page.answers() > 0, "what it missed")
        page.wait(lambda: not is_same(page), f"all that it missed: {is_same(page)}")
        return not problems, "; ".join(problems) or f"{len(handles)} pages: {diaries}"
