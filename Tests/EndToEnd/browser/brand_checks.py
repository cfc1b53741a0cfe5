"""Markup in what a brand and a sign-in say: service names, button titles, questions, the brand's name, the visitor's own."""

import base64
import hashlib
import hmac
import json
import os
import re
import time

import dialog
from browser import Page, shown
from embed_checks import Site
from payload_checks import LOOK, RUN, visible
from talk_checks import chat_url

NAME = f"<img src=x onerror={RUN}> Customer </script><script>{RUN}</script>"
BRAND = f"<svg onload={RUN}> Salon"
# The sandbox knows services by their id alone, so names may be anything.
SERVICES = {
    "svc-haircut": f"<script>{RUN}</script> Cut",
    "svc-colour": f'"><img src=x onerror={RUN}> Colour',
    "svc-blow-dry": f"javascript:{RUN} Dry",
    "svc-manicure": f"<a href=javascript:{RUN}>Nails</a>",
    "svc-pedicure": f"</button><iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    "svc-beard-trim": f"' autofocus onfocus={RUN} x='",
    "svc-massage": f"<style>*{{animation-name:x}}</style><b onanimationstart={RUN}>",
    "svc-facial": f"&lt;img src=x onerror={RUN}&gt; Facial",
}
HOURS = {day: ["09:00-18:00"] for day in ("tue", "wed", "thu", "fri")} | {"sat": ["09:00-16:00"], "sun": [], "mon": [], "closed": []}


def catalog():
    offered = [
        {"id": key, "name": name, "synonyms": [], "price": 45, "currency": "USD", "duration_min": 45} for key, name in SERVICES.items()
    ]
    return {"services": offered, "hours": HOURS}


def signed(setup, claims):
    """A sign-in token as the brand would make it."""
    secret = os.environ["SALON_JWT_SECRET"].encode()
    parts = [{"alg": "HS256", "typ": "JWT"}, {"aud": setup.instance, "exp": int(time.time()) + 3600, **claims}]
    encoded = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    return (encoded + b"." + base64.urlsafe_b64encode(hmac.new(secret, encoded, hashlib.sha256).digest()).rstrip(b"=")).decode()


def mounting(setup):
    """A script of the embedding page that signs its visitor in."""
    options = {"instance": setup.instance, "brand": BRAND, "locale": "en-US", "open": True}
    token = signed(setup, {"sub": "payload-customer", "name": NAME})
    text = (
        f'import {{ mount }} from "{setup.url}/widget.js"; '
        f"mount({{...{json.dumps(options)}, getAuthToken: () => {json.dumps(token)}}});"
    )
    # A closing tag in a text would end the element, which is the embedding page's to know.
    safe = text.replace("</", "<\\/")
    return f'<script type="module">{safe}</script>'


def brand_data(setup):
    fault = {"path": "/salon/catalog", "method": "GET", "status": 200, "body": catalog()}
    status, _, answer = dialog.call("POST", f"{setup.sandbox}/_sandbox/faults", fault)
    if status >= 300:
        return False, f"the sandbox takes no fault: {answer}"
    problems = on_the_page(setup) + in_the_widget(setup)
    return not problems, shown(problems[:12]) if problems else f"{len(SERVICES)} services, a brand and a visitor shown as text"


def on_the_page(setup):
    with Page() as page:
        page.open(chat_url(setup))
        page.wait_online()
        for text in ("what services do you offer", "flurble grommet wibble"):
            count = page.answers()
            page.type(text)
            page.replies(count)
        said = " ".join(one["text"] for one in page.messages() if one["side"] == "out")
        suggested = page.messages()[-1]["text"]
        problems = [f"the list does not show {name!r}" for name in SERVICES.values() if visible(name) not in visible(said)]
        for what, found in (("title", page.driver.title), ("heading", page.one(".sb-title").text), ("suggestion", suggested)):
            if setup.payload_brand_data and "window.__ran" not in found:
                problems.append(f"the {what} should hold markup of the configuration and is {found!r}")
        page.save(setup.out / "brand-page.png")
        problems += page.script(LOOK, False) + page.problems()
        return [f"page: {problem}" for problem in problems]


def in_the_widget(setup):
    site = Site(setup, tag=mounting(setup))
    chosen = SERVICES["svc-haircut"]
    with Page() as page:
        page.is_widget = True
        page.open(f"http://127.0.0.1:{site.port}/")
        page.wait(lambda: page.one(".sb-chat") is not None, "the widget")
        page.wait_online()

        class Chooser(dialog.Mouse):
            def choose(self, title):
                titles = [option["title"] for option in page.messages()[-1]["options"]]
                if title != "Yes":
                    offered.extend(titles)
                    title = next(one for one in titles if visible(one) == visible(chosen))
                super().choose(title)

        offered = []
        number = dialog.phone()
        dialog.book(page, Chooser(page), "I need an appointment", number)
        said = [one["text"] for one in page.messages()]
        problems = [f"no button for {name!r}" for name in SERVICES.values() if visible(name) not in map(visible, offered)]
        if not any(re.match("Book ", text) and visible(chosen) in visible(text) for text in said):
            problems.append(f"no question names the service: {said}")
        if setup.payload_brand_data and not any(re.match("Book ", text) and visible(NAME) in visible(text) for text in said):
            problems.append(f"no question names the visitor: {said}")
        if (heading := page.one(".sb-title").text) != BRAND:
            problems.append(f"the heading is {heading!r}")
        page.save(setup.out / "brand-widget.png")
        problems += page.script(LOOK, True) + page.problems()
        return [f"widget: {problem}" for problem in problems]
