"""Accessibility: what can be computed of names, roles, contrast, focus, order, sizes and language."""

import time

from browser import DESKTOP, PHONE, Page
from selenium.webdriver.common.keys import Keys
from talk_checks import chat_url

# Roles that a person meets by name.
NAMED = {"button", "link", "textbox", "log", "region", "dialog", "group", "progressbar", "heading", "list", "RootWebArea"}

LOOK = """
const root = arguments[0] ? document.querySelector(".switchboard-chat").shadowRoot : document;
const problems = [];
const parent = (node) => node.parentElement ?? node.getRootNode().host ?? null;
const channels = (text) => { const found = text.match(/[\\d.]+/g).map(Number); return {rgb: found.slice(0, 3), a: found[3] ?? 1}; };
const over = (top, under) => top.rgb.map((value, index) => value * top.a + under[index] * (1 - top.a));
const ground = (node) => {
    const layers = [];
    for (let one = node; one; one = parent(one)) {
        const style = getComputedStyle(one);
        if (style.backgroundImage !== "none") problems.push("a background image hides what the contrast is: " + one.className);
        const colour = channels(style.backgroundColor);
        layers.push(colour);
        if (colour.a === 1) break;
    }
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return layers.reduceRight((under, layer) => over(layer, under), dark ? [18, 18, 18] : [255, 255, 255]);
};
const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => value / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (one, two) => { const [high, low] = [light(one), light(two)].sort((a, b) => b - a); return (high + 0.05) / (low + 0.05); };
const hold = (node, text, least, what) => {
    const under = ground(node);
    const found = ratio(over(channels(text), under), under);
    if (found < least) {
        const name = node.className?.baseVal ?? node.className;
        problems.push(`${what} "${node.textContent.slice(0, 30)}" .${name}: ${found.toFixed(2)} < ${least}`);
    }
    return found;
};
let lowest = 99, count = 0;
for (const node of root.querySelectorAll(".sb-chat *, .sb-launcher, .sb-launcher *")) {
    if (!node.checkVisibility() || node.closest(".sb-hidden")) continue;
    const style = getComputedStyle(node);
    if (Array.from(node.childNodes).some((child) => child.nodeType === 3 && child.data.trim())) {
        lowest = Math.min(lowest, hold(node, style.color, 4.5, "text"));
        count += 1;
    }
    if (node.matches("textarea")) hold(node, getComputedStyle(node, "::placeholder").color, 4.5, "placeholder");
    if (node.matches("svg.sb-icon")) hold(node, style.color, 3, "icon");
    if (node.matches(".sb-field")) hold(parent(node), style.borderTopColor, 3, "field edge");
    if (node.matches("button, textarea, [tabindex]")) {
        const box = node.getBoundingClientRect();
        if (box.width < 24 || box.height < 24) problems.push(`target .${node.className} is ${box.width} x ${box.height}`);
    }
    if (Number(node.getAttribute("tabindex") ?? 0) > 0) problems.push("positive tabindex on ." + node.className);
    if (node.matches("[style]") && !node.matches(".sb-bar-fill, .sb-input")) problems.push("style attribute on ." + node.className);
}
if (!root.querySelector("[role=log][aria-live=polite]")) problems.push("no live log");
const lang = arguments[0] ? document.querySelector(".switchboard-chat").lang : document.documentElement.lang;
if (!/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/.test(lang)) problems.push("lang is " + lang);
const ids = Array.from(root.querySelectorAll("[id]"), (node) => node.id);
if (new Set(ids).size !== ids.length) problems.push("an id stands twice");
const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
if (wide) problems.push("the page scrolls sideways");
for (const node of root.querySelectorAll("[aria-controls], [aria-describedby]")) {
    const id = node.getAttribute("aria-controls") ?? node.getAttribute("aria-describedby");
    if (!root.getElementById(id)) problems.push("refers to nothing: " + id);
}
return {problems, lowest, count};
"""

FOCUS = """
let node = document.activeElement;
while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
if (!node || node === document.body) return null;
const style = getComputedStyle(node);
const field = node.closest(".sb-field");
const visible = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)
    || (field !== null && getComputedStyle(field).boxShadow !== "none");
window.__order ??= [];
const before = window.__order.at(-1);
const follows = !before || before === node || Boolean(before.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING);
const again = window.__order.includes(node);
if (!again) window.__order.push(node);
const box = node.getBoundingClientRect();
const inView = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
return {name: node.className || node.tagName, visible, follows, again, inView};
"""


def named(page):
    """What the browser itself tells assistive programs."""
    nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    problems = []
    for node in nodes:
        role = node.get("role", {}).get("value")
        if node.get("ignored") or role not in NAMED:
            continue
        if not node.get("name", {}).get("value", "").strip():
            problems.append(f"{role} without a name")
    focusable = [
        node["role"]["value"]
        for node in nodes
        if not node.get("ignored") and any(p["name"] == "focusable" and p["value"].get("value") for p in node.get("properties", []))
    ]
    problems += [f"focusable without a role: {role}" for role in focusable if role in ("generic", "none", "GenericContainer")]
    return problems


def focus_walk(page):
    """Tab through everything: visible, in the order of the document, and back out again."""
    page.script("window.__order = []; const top = document.querySelector('.sb-header'); top.tabIndex = -1; top.focus()")
    problems, names = [], []
    for _ in range(60):
        page.keys(Keys.TAB)
        here = page.script(FOCUS)
        if here is None or here["again"]:
            break
        names.append(here["name"])
        if not here["visible"]:
            problems.append(f"focus on {here['name']} cannot be seen")
        if not here["follows"]:
            problems.append(f"focus order jumps back to {here['name']}")
        if not here["inView"]:
            problems.append(f"focus on {here['name']} is out of view")
    else:
        problems.append("the keyboard never gets out")
    if not any("sb-input" in name for name in names):
        problems.append(f"Tab does not reach the field: {names}")
    return problems


def looked_at(page, label, problems):
    lowest, texts = 99, 0
    for scheme in (False, True):
        for size in (DESKTOP, PHONE):
            page.dark(scheme)
            page.resize(size)
            time.sleep(0.7)
            found = page.script(LOOK, page.is_widget)
            where = f"{label}, {'dark' if scheme else 'light'}, {size[0]} wide"
            problems += [f"{where}: {problem}" for problem in found["problems"]]
            lowest, texts = min(lowest, found["lowest"]), texts + found["count"]
    page.dark(False)
    page.resize(DESKTOP)
    problems += [f"{label}: {problem}" for problem in named(page)]
    return lowest, texts


def accessibility(setup):
    problems, results = [], []
    with Page() as page:
        page.open(chat_url(setup))
        page.wait_online()
        results.append(looked_at(page, "empty", problems))
        if "sb-input" not in (page.active().get_attribute("class") or ""):
            problems.append("the page does not begin in the field")
        count = page.answers()
        page.type("I would like to book an appointment")
        page.replies(count)
        page.wait(page.options, "options")
        page.type("x" * 4100, submit=False)
        results.append(looked_at(page, "options and a text too long", problems))
        if page.one(".sb-input").get_attribute("aria-invalid") != "true":
            problems.append("a text too long is not said to be")
        page.keys(Keys.ENTER)
        if any("xxxx" in message["text"] for message in page.messages()):
            problems.append("a text too long was sent")
        page.script("arguments[0].value = ''; arguments[0].dispatchEvent(new Event('input'))", page.one(".sb-input"))
        problems += focus_walk(page)
        page.one(".sb-input").send_keys(
            "one", Keys.SHIFT, Keys.ENTER, Keys.NULL, "two https://example.org/page, javascript:alert(1)"
        )
        page.keys(Keys.ENTER)
        page.wait(lambda: any("one\ntwo" in message["text"] for message in page.messages()), "a message of two lines", 10)
        links = page.script("return Array.from(document.querySelectorAll('.sb-bubble a'), (a) => [a.href, a.rel, a.textContent])")
        if (
            not links
            or links[0][0] != "https://example.org/page"
            or "noopener" not in links[0][1]
            or any("javascript" in link[0] for link in links)
        ):
            problems.append(f"links are {links}")
        time.sleep(1)
        results.append(looked_at(page, "a conversation", problems))
        problems += page.problems()
    lowest = min(result[0] for result in results)
    return not problems, "; ".join(problems) or f"{sum(result[1] for result in results)} texts, lowest contrast {lowest:.2f}"
