"""200 texts that would run if anything of them were taken for markup, code, a template or an address."""

import itertools
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


# Of the page, or of the widget when the first argument is true.
LOOK = """
const root = arguments[0] ? document.querySelector(".switchboard-chat").shadowRoot : document;
const problems = [];
const allowed = new Set(["DIV", "SPAN", "TIME", "BUTTON", "A", "P", "H1", "STRONG", "svg", "path"]);
for (const node of root.querySelector(".sb-chat").querySelectorAll(".sb-header *, .sb-scroll *")) {
    if (!allowed.has(node.nodeName)) problems.push("element " + node.nodeName);
    for (const {name} of node.attributes) if (/^on|^srcdoc$|^src$|^action$/.test(name)) problems.push("attribute " + name);
    if (node.nodeName === "A") {
        if (!/^https?:$/.test(node.protocol)) problems.push("link to " + node.href);
        if (!/noopener/.test(node.rel)) problems.push("link without noopener");
        if (node.username) problems.push("link with a name in it " + node.href);
    }
}
for (const node of arguments[0] ? [] : document.querySelectorAll("script")) if (!node.src.startsWith(location.origin)) problems.push("script " + node.src);
if (root.querySelector("iframe, object, embed, base, form:not(.sb-composer)")) problems.push("a foreign element");
if ({}.polluted) problems.push("a polluted prototype");
if (!arguments[0] && location.pathname.split("/")[1] !== "chat") problems.push("went to " + location);
return problems.concat(window.__ran);
"""


def payloads(setup):
    everything = payload_list()
    with Page() as page:
        page.open(chat_url(setup))
        page.wait_online()
        send_all(page, everything)
        said = {visible(one["text"]) for one in page.messages() if one["side"] == "in"}
        problems = [f"not shown as it was written: {text!r}" for text in everything if visible(text) not in said]
        problems += page.script(LOOK, False) + page.problems()
        page.save(setup.out / "payloads.png")
        page.driver.refresh()
        page.wait_online()
        page.wait(lambda: len(page.messages()) >= 100, "the history")
        problems += [f"after a reload: {problem}" for problem in page.script(LOOK, False) + page.problems()]
    if len(everything) != 200:
        problems.append(f"there are {len(everything)} payloads")
    return not problems, shown(problems[:12]) if problems else f"{len(everything)} payloads shown as text, and again after a reload"


def visible(text):
    """Without the characters that a text field or a gateway may take out: controls and invisible marks."""
    return "".join(letter for letter in text if letter == "\n" or not unicodedata.category(letter).startswith("C")).strip()


def send_all(page, texts):
    """Messages that the gateway wants later are tried until they went."""
    for number, text in enumerate(texts):
        page.type(text, at_once=True)
        # A visitor is not that fast either, and the gateway limits those who are.
        if number % 10 == 9:
            settle(page)
    settle(page)


def settle(page, limit=300):
    def all_sent():
        for button in page.script("return Array.from(document.querySelectorAll('.sb-retry'))"):
            button.click()
        return page.script(
            "return !document.querySelector('[data-state=sending], [data-state=waiting], [data-state=offline], [data-state=failed]')"
        )

    page.wait(all_sent, "all to be sent", limit)
