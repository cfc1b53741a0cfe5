"""Chromium, headless, and what the checks do with a chat page: read it, write in it, look at it."""

import json
import time

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

PHONE = (360, 640)
DESKTOP = (1280, 800)

# Watches from before the first script of a page: whatever runs that should not, reports here.
WATCH = """
window.__ran = [];
window.__seen = {progress: [], lines: [], banners: []};
for (const name of ["alert", "confirm", "prompt", "open", "print"]) {
    window[name] = (...words) => { window.__ran.push(name + ":" + words[0]); };
}
document.addEventListener("securitypolicyviolation", (event) => {
    window.__ran.push("policy:" + event.violatedDirective + ":" + event.blockedURI);
});
new MutationObserver(() => {
    const note = (list, value) => { if (value && list[list.length - 1] !== value) list.push(value); };
    for (const root of [document, ...Array.from(document.querySelectorAll(".switchboard-chat"), (node) => node.shadowRoot).filter(Boolean)]) {
        const bar = root.querySelector("[role=progressbar]");
        if (bar && bar.checkVisibility()) {
            note(window.__seen.progress, bar.getAttribute("aria-valuenow"));
            note(window.__seen.lines, root.querySelector(".sb-line").textContent);
        }
        note(window.__seen.banners, root.querySelector(".sb-banner")?.textContent);
    }
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""

READ = """
const root = arguments[0] ? document.querySelector(".switchboard-chat").shadowRoot : document;
return Array.from(root.querySelectorAll(".sb-message"), (node) => ({
    id: node.dataset.message || null, side: node.classList.contains("sb-in") ? "in" : "out", state: node.dataset.state || null,
    text: node.querySelector(".sb-bubble").textContent,
    options: Array.from(node.querySelectorAll(".sb-option"), (button) => ({
        title: button.querySelector(".sb-option-title").textContent, disabled: button.disabled,
        pressed: button.getAttribute("aria-pressed") === "true"})),
}));
"""


class Page:
    """One tab with its own profile. `size` is width and height in CSS pixels."""

    # Seconds to wait for what should come; far more than it takes, for machines that have other work.
    patience = 60

    def __init__(self, size=DESKTOP, dark=False, arguments=()):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en-US", *arguments):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        self.is_widget = False
        self.resize(size)
        self.dark(dark)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def resize(self, size):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        )

    def dark(self, is_dark):
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def open(self, url):
        self.driver.get(url)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def wait(self, condition, what, seconds=None):
        seconds = seconds or self.patience
        try:
            return WebDriverWait(self.driver, seconds, poll_frequency=0.1).until(lambda _: condition())
        except Exception as problem:
            raise AssertionError(f"waited {seconds} s in vain for {what}; the page says {self.texts()[-4:]}") from problem

    def one(self, selector):
        """An element, in the widget's shadow root when there is one."""
        root = 'document.querySelector(".switchboard-chat").shadowRoot' if self.is_widget else "document"
        return self.script(f"return {root}.querySelector(arguments[0])", selector)

    def state(self):
        chat = self.one(".sb-chat")
        return chat.get_attribute("data-connection") if chat else None

    def wait_online(self, seconds=None):
        self.wait(lambda: self.state() == "online", "the connection", seconds)

    def messages(self):
        return self.script(READ, self.is_widget)

    def texts(self):
        try:
            return [f"{message['side']}: {message['text']}" for message in self.messages()]
        except Exception:
            return ["(no conversation)"]

    def seen(self):
        return self.script("return window.__seen")

    def ran(self):
        return self.script("return window.__ran")

    def type(self, text, submit=True, at_once=False):
        """Key by key, or as when something is pasted."""
        field = self.one(".sb-input")
        # A driver's keys do not carry characters beyond the basic plane and would act on line ends.
        if at_once or any(ord(letter) > 0xFFFF or letter < " " or 0xE000 <= ord(letter) <= 0xF8FF for letter in text):
            self.script(
                "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))", field, text
            )
        else:
            field.send_keys(text)
        if submit:
            field.send_keys(Keys.ENTER)

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def active(self):
        """The focused element, through shadow roots."""
        return self.script(
            "let node = document.activeElement; while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement; return node"
        )

    def active_text(self):
        return self.script("return arguments[0].textContent || arguments[0].getAttribute('aria-label') || ''", self.active())

    def replies(self, count):
        """Waits for more answers than `count`; returns the newest."""
        self.wait(lambda: len([m for m in self.messages() if m["side"] == "out"]) > count, "an answer")
        time.sleep(0.3)
        return [m for m in self.messages() if m["side"] == "out"][-1]

    def answers(self):
        return len([m for m in self.messages() if m["side"] == "out"])

    def press_option(self, title):
        for element in self.options():
            if self.script("return arguments[0].querySelector('.sb-option-title').textContent", element) == title:
                self.script("arguments[0].scrollIntoView({block: 'center'})", element)
                element.click()
                return
        raise AssertionError(f"no option {title}")

    def options(self):
        root = 'document.querySelector(".switchboard-chat").shadowRoot' if self.is_widget else "document"
        return self.script(f"return Array.from({root}.querySelectorAll('.sb-option:enabled'))")

    def history(self):
        """What the gateway has, asked with the page's own token."""
        return self.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            const key = Object.keys(sessionStorage).find((key) => key.endsWith(":token"));
            const {token} = JSON.parse(sessionStorage.getItem(key));
            const instance = key.split(":").at(-2);
            (async () => {
                const all = [];
                for (let after = null, page; !page || page.length > 0;) {
                    const query = after ? `?limit=100&after=${encodeURIComponent(after)}` : "?limit=100";
                    const answer = await fetch(`/web/${instance}/messages${query}`, {headers: {Authorization: `Bearer ${token}`}});
                    page = (await answer.json()).messages.filter((message) => !all.some((other) => other.id === message.id));
                    all.push(...page);
                    after = all.at(-1)?.id;
                    if (!after) break;
                }
                return all;
            })().then((all) => done({all}), (problem) => done({problem: String(problem)}));
        """)

    def problems(self):
        """What the browser's console holds against the page, but for requests that failed."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE" and "Failed to load" not in entry["message"] and "net::" not in entry["message"]
        ]

    def save(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))


def shown(value):
    return json.dumps(value, ensure_ascii=False)[:900]
