"""The widget on pages of other origins: on the allow-list it works, elsewhere the gateway refuses."""

import html
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dialog
from access_checks import looked_at
from browser import DESKTOP, PHONE, Page
from selenium.webdriver.common.keys import Keys

# Names of the reserved domain "test", which only this browser resolves, to this machine.
RESOLVE = "--host-resolver-rules=MAP *.test 127.0.0.1"


class Site:
    """A page of somebody else that embeds the widget; `/framed` does it in a frame of no origin."""

    def __init__(self, setup, tag=None):
        tag = tag or (
            f'<script type="module" src="{setup.url}/widget.js" data-instance="{setup.instance}" data-brand="Blue Door Salon" '
            'data-locale="en-US"></script>'
        )
        style = (
            "<style>body{font:16px serif;color:purple;background:#fffbe8}button{background:red;font-size:40px}"
            "*{letter-spacing:2px;text-transform:uppercase;word-spacing:9px}</style>"
        )
        start = '<!DOCTYPE html><html lang="en"><title>Another site</title>'
        page = f"{start}{style}<h1>Another site</h1><p>With words of its own.</p>{tag}</html>"
        framed = f'{start}<iframe sandbox="allow-scripts" width="900" height="700" srcdoc="{html.escape(page)}"></iframe></html>'

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = (framed if self.path == "/framed" else page).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def allowed(setup):
    site = Site(setup)
    problems, done = [], []
    for host in setup.allowed_host:
        with Page() as page:
            page.is_widget = True
            page.open(f"http://{host}:{site.port}/")
            page.wait(
                lambda: page.script("return Boolean(document.querySelector('.switchboard-chat:not([hidden])'))"),
                f"the widget on {host}",
            )
            page.one(".sb-launcher").click()
            page.wait_online()
            page.wait(lambda: "sb-input" in page.active().get_attribute("class"), "the focus in the field", 5)
            count = page.answers()
            page.type("I would like to book an appointment")
            page.replies(count)
            lowest, _ = looked_at(page, f"widget on {host}", problems)
            for label, size in (("desktop", DESKTOP), ("phone", PHONE)):
                for scheme in (False, True):
                    page.resize(size)
                    page.dark(scheme)
                    time.sleep(0.4)
                    page.save(setup.out / f"widget-{host}-{label}-{'dark' if scheme else 'light'}.png")
            page.resize(DESKTOP)
            page.dark(False)
            before = len(page.messages())
            page.one(".sb-input").send_keys(Keys.ESCAPE)
            if "sb-launcher" not in page.active().get_attribute("class") or page.one(".sb-panel").is_displayed():
                problems.append("Escape does not close the panel and give the focus back")
            page.save(setup.out / f"widget-{host}-closed.png")
            page.keys(Keys.ENTER)
            page.wait(lambda: page.one(".sb-panel").is_displayed(), "the panel again", 5)
            if len(page.messages()) != before:
                problems.append("closing the panel lost messages")
            inherited = page.script(
                "const style = getComputedStyle(arguments[0]);"
                "return [style.letterSpacing, style.textTransform, style.wordSpacing, style.fontSize]",
                page.one(".sb-bubble"),
            )
            if inherited != ["normal", "none", "0px", "16px"]:
                problems.append(f"the page's look gets into the widget: {inherited}")
            style = page.script(
                "return [getComputedStyle(document.querySelector('h1')).color, document.styleSheets.length,"
                "document.adoptedStyleSheets.length]"
            )
            if style != ["rgb(128, 0, 128)", 1, 0]:
                problems.append(f"the page's own look changed: {style}")
            problems += page.problems() + page.ran()
            done.append(f"{host} (lowest contrast {lowest:.2f})")
    return not problems, "; ".join(problems) or f"works on {', '.join(done)}"


def refused(setup):
    site = Site(setup)
    problems, done = [], []
    places = [
        f"http://{host}:{site.port}/" for host in ("evil.test", "127.0.0.1.evil.test", "localhost.evil.test", "xlocalhost.test")
    ]
    places.append(f"http://127.0.0.1:{site.port}/framed")
    for place in places:
        with Page(arguments=[RESOLVE]) as page:
            page.is_widget = True
            page.open(place)
            if place.endswith("/framed"):
                page.driver.switch_to.frame(0)
            page.wait(
                lambda: page.script("return Boolean(document.querySelector('.switchboard-chat:not([hidden])'))"),
                f"the widget on {place}",
            )
            page.script("arguments[0].click()", page.one(".sb-launcher"))
            page.wait(lambda: page.state() in ("lost", "refused"), "a refusal", 15)
            page.type("hello")
            time.sleep(3)
            if page.state() == "online" or any(one["state"] == "sent" or one["side"] == "out" for one in page.messages()):
                problems.append(f"{place} is served")
            done.append(page.state())
    return not problems, "; ".join(problems) or f"refused: {dict(zip(places, done))}"


def forged_origins(setup):
    """Origins that a browser cannot be made to send here, said outright."""
    port = setup.url.rsplit(":", 1)[1]
    origins = [
        "null",
        f"https://127.0.0.1:{port}",
        f"http://127.0.0.1.evil.test:{port}",
        f"http://localhost.evil.test:{port}",
        f"http://evil.test#http://127.0.0.1:{port}",
        f"http://evil.test?127.0.0.1:{port}",
        f"http://127.0.0.1:{port}@evil.test",
        f"ftp://127.0.0.1:{port}",
        f"http://127.0.0.1:{port} http://evil.test",
        "*",
        "",
        f"file://127.0.0.1:{port}",
        f"HTTP://EVIL.TEST:{port}",
        "http://[::ffff:7f00:1]:1",
        "http://2130706433",
    ]
    problems = []
    url = f"{setup.url}/web/{setup.instance}/sessions"
    for origin in origins:
        status, headers, _ = dialog.call("POST", url, {"device_id": "00000000-0000-4000-8000-000000000000"}, {"Origin": origin})
        if status != 403:
            problems.append(f"{origin!r} was answered {status}")
        if headers.get("Access-Control-Allow-Origin"):
            problems.append(f"{origin!r} is allowed to read")
        _, headers, _ = dialog.call("OPTIONS", url, None, {"Origin": origin, "Access-Control-Request-Method": "POST"})
        if headers.get("Access-Control-Allow-Origin"):
            problems.append(f"{origin!r} passes the preflight")
    status, headers, answer = dialog.call("POST", url, {}, {"Origin": setup.url})
    if status != 201 or headers.get("Access-Control-Allow-Origin") not in (setup.url, None):
        problems.append(f"our own origin was answered {status}: {answer}")
    return not problems, "; ".join(problems) or f"{len(origins)} origins refused"
