"""200 texts that would run if anything of them were taken for markup, code, a template or an address."""

import itertools
import time
import unicodedata

from browser import Page, shown
from talk_checks import chat_url, is_same

RUN = "window.__ran.push('payload')"


def payload_list():
    """200 different ones, always the same."""
    events = [
        "onerror",
        "onload",
        "onclick",
        "onfocus",
        "onmouseover",
        "onanimationstart",
        "ontoggle",
        "onpointerenter",
        "onbegin",
        "onpageshow",
    ]
    elements = [
        "img src=x",
        "svg",
        "body",
        "video src=x",
        "details open",
        "input autofocus",
        "iframe src=x",
        "marquee",
        "object data=x",
        "a href=x",
    ]
    handlers = [f"<{element} {event}={RUN}>" for element, event in itertools.product(elements, events)]
    scripts = [
        f"<script>{RUN}</script>",
        f"<SCRIPT >{RUN}</SCRIPT >",
        f"</textarea><script>{RUN}</script>",
        f"</title><script>{RUN}</script>",
        f"<scr<script>ipt>{RUN}</scr</script>ipt>",
        f"<script src='data:text/javascript,{RUN}'></script>",
        f"--><script>{RUN}</script><!--",
        f"]]><script>{RUN}</script>",
        f"<svg><script>{RUN}</script></svg>",
        f'<math><mi//xlink:href="data:x,<script>{RUN}</script>">',
        f"<template><script>{RUN}</script></template>",
        f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
        f"<style>@import 'javascript:{RUN}';</style>",
        f"<link rel=stylesheet href='data:text/css,*{{}}'>",
        "<base href='//evil.test/'>",
        f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
        f"<form action=javascript:{RUN}><button>go</button></form>",
        f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
        f"<embed src=javascript:{RUN}>",
        f"<portal src=javascript:{RUN}>",
        f'"><script>{RUN}</script>',
        f"'><script>{RUN}</script>",
        f'" autofocus onfocus={RUN} x="',
        f"' onmouseover={RUN} '",
        f"`${{{RUN}}}`",
    ]
    addresses = [
        f"{start}{RUN}"
        for start in (
            "javascript:",
            "JaVaScRiPt:",
            "java\tscript:",
            "java\nscript:",
            " javascript:",
            "\u0001javascript:",
            "vbscript:",
            "data:text/html,<script>",
            "data:text/html;base64,",
            "https://javascript:",
            "http://user:pass@",
            'https://example.org/" onclick="',
            "https://example.org/'><svg onload=",
            "https://example.org/<script>",
            "//evil.test/",
            "file:///etc/",
            "blob:https://example.org/",
            "view-source:",
            "feed:javascript:",
            "jar:javascript:",
            "http://example.org#javascript:",
            "http://example.org?x=<img src=x onerror=>",
            "mailto:x@example.org?",
            "tel:+1;",
            "intent://x#",
        )
    ]
    templates = [
        f"{before}{inner}{after}"
        for (before, after), inner in itertools.product(
            [("{{", "}}"), ("${", "}"), ("#{", "}"), ("<%=", "%>"), ("{%", "%}"), ("[[", "]]"), ("{", "}")],
            [RUN, "constructor.constructor('window.__ran.push(1)')()", "7*7", "user.phone"],
        )
    ]
    unicode = [
        "\u202e<script>" + RUN + "</script>",
        "\u2066\u2067<img src=x onerror=" + RUN + ">",
        "＜script＞" + RUN + "＜/script＞",
        "\ufeff<script>" + RUN + "</script>",
        "\u200b<\u200bscript\u200b>" + RUN,
        "%3Cscript%3E" + RUN + "%3C/script%3E",
        "&lt;script&gt;" + RUN + "&lt;/script&gt;",
        "&#60;script&#62;" + RUN,
        "\\u003cscript\\u003e" + RUN,
        "\\x3cscript\\x3e" + RUN,
        "+ADw-script+AD4-" + RUN,
        "https://example.org/\u202egpj.exe",
        "https://ex\u0430mple.org/" + RUN,
        "😀<svg/onload=" + RUN + ">",
        "שלום <b onclick=" + RUN + ">עולם</b>",
        "مرحبا\u202c<i onload=" + RUN + ">",
        'event: message\ndata: {"id":"forged"}\n\nid: 999999',
        "data: x\r\n\r\nevent: reset\r\ndata: {}",
        '"}\n\ndata: {"type":"text"}',
        "__proto__",
        "constructor",
        '{"__proto__":{"polluted":true}}',
        "[object Object]",
        "null",
        "undefined",
        "NaN",
        "%s%s%n",
        "'; DROP TABLE messages; --",
    ]
    rest = [f"<x{number} style='animation-name:x' onanimationend={RUN}>" for number in range(200)]
    everything = handlers + scripts + addresses + templates + unicode + rest
    return list(dict.fromkeys(text.strip() for text in everything))[:200]


LOOK = """
const problems = [];
const allowed = new Set(["DIV", "SPAN", "TIME", "BUTTON", "A", "P", "svg", "path"]);
for (const node of document.querySelector(".sb-scroll").querySelectorAll("*")) {
    if (!allowed.has(node.nodeName)) problems.push("element " + node.nodeName);
    for (const {name} of node.attributes) if (/^on|^srcdoc$|^src$|^action$/.test(name)) problems.push("attribute " + name);
    if (node.nodeName === "A") {
        if (!/^https?:$/.test(node.protocol)) problems.push("link to " + node.href);
        if (!/noopener/.test(node.rel)) problems.push("link without noopener");
        if (node.username) problems.push("link with a name in it " + node.href);
    }
}
for (const node of document.querySelectorAll("script")) if (!node.src.startsWith(location.origin)) problems.push("script " + node.src);
if (document.querySelector("iframe, object, embed, base, form:not(.sb-composer)")) problems.push("a foreign element");
if ({}.polluted) problems.push("a polluted prototype");
if (location.pathname.split("/")[1] !== "chat") problems.push("went to " + location);
return problems.concat(window.__ran);
"""


def payloads(setup):
    everything = payload_list()
    problems, found_in_answers = [], 0
    for begin in range(0, len(everything), 50):
        part = everything[begin : begin + 50]
        with Page() as page:
            page.open(chat_url(setup))
            page.wait_online()
            if setup.payload_brand_data and begin == 0:
                found_in_answers = brand_data(page)
            send_all(page, part)
            said = [visible(one["text"]) for one in page.messages() if one["side"] == "in"]
            problems += [f"not shown as it was written: {text!r}" for text in part if visible(text) not in said]
            problems += page.script(LOOK) + page.problems()
            page.driver.refresh()
            page.wait_online()
            page.wait(lambda: len(page.messages()) >= 20, "the history", 30)
            time.sleep(1)
            problems += [f"after a reload: {problem}" for problem in page.script(LOOK) + page.problems()]
            if begin == 0:
                page.save(setup.out / "payloads.png")
    if setup.payload_brand_data and found_in_answers == 0:
        problems.append("no payload of the brand's data was shown")
    return not problems and len(everything) == 200, (
        shown(problems[:12]) if problems else f"{len(everything)} payloads shown as text; {found_in_answers} in answers"
    )


def visible(text):
    """Without the characters that a text field or a gateway may take out: controls and invisible marks."""
    return "".join(letter for letter in text if letter == "\n" or not unicodedata.category(letter).startswith("C")).strip()


def send_all(page, texts):
    """Messages that the gateway wants later are tried until they went."""
    for number, text in enumerate(texts):
        page.type(text)
        # A visitor is not that fast either, and the gateway limits those who are.
        if number % 10 == 9:
            settle(page)
    settle(page)
    time.sleep(2)


def settle(page, limit=180):
    def all_sent():
        for button in page.script("return Array.from(document.querySelectorAll('.sb-retry'))"):
            button.click()
        return not any(one["state"] in ("sending", "waiting", "offline", "failed") for one in page.messages())

    page.wait(all_sent, "all to be sent", limit)


def brand_data(page):
    """How many bubbles and buttons of the brand hold markup, asked for where brands show data: lists and questions."""
    for text in ("what services do you offer", "I would like to book an appointment"):
        count = page.answers()
        page.type(text)
        page.replies(count)
    time.sleep(1)
    shown_texts = [one["text"] for one in page.messages() if one["side"] == "out"]
    titles = [option["title"] for one in page.messages() for option in one["options"]]
    return sum("<" in text or "javascript:" in text for text in shown_texts + titles)
