import { Options, bubble } from "./content.js";
import { icon, make } from "./dom.js";

const NEAR_THE_END = 90;

/**
 * The conversation on the page: what the gateway confirmed, in its order, then what is still on its way. Every message is there once,
 * by its id, however often and by whichever road it comes.
 */
export class Transcript {
    #words;
    #times;
    #names;
    #choose;
    #retry;
    #byID = new Map();
    #pending = new Map();
    #prompts = [];
    #day = null;
    #welcome;
    #wasAtEnd = true;
    #size = null;
    /** Called when something was added while the reader looks at older messages. */
    unseen = () => undefined;

    constructor({ words, times, brand, welcome, choose, retry }) {
        this.#words = words;
        this.#times = times;
        this.#names = { in: words.you, out: brand || words.assistant };
        this.#choose = choose;
        this.#retry = retry;
        this.#welcome = welcome;
        this.tail = make("div", { class: "sb-tail" });
        this.log = make("div", { class: "sb-log", role: "log", "aria-live": "polite", "aria-label": words.log }, this.#welcome);
        this.scroller = make("div", { class: "sb-scroll", tabindex: "0", role: "region", "aria-label": words.log }, this.log, this.tail);
        this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
        // A keyboard that slides in, a turned phone, a growing field: who read the end goes on reading the end.
        new ResizeObserver(() => this.#resized()).observe(this.scroller);
    }

    get isAtEnd() {
        const { scrollHeight, scrollTop, clientHeight } = this.scroller;
        return scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
    }

    #resized() {
        this.#size = this.#measured;
        if (this.#wasAtEnd) this.toEnd();
    }

    get #measured() {
        return `${this.scroller.clientWidth} ${this.scroller.clientHeight}`;
    }

    #scrolled() {
        // The browser moved the texts for a new size, which it tells before the observer hears of the size: no choice of the reader's.
        if (this.#size !== this.#measured) return;
        this.#wasAtEnd = this.isAtEnd;
        if (this.#wasAtEnd) this.unseen(false);
    }

    toEnd() {
        this.scroller.scrollTop = this.scroller.scrollHeight;
        this.unseen(false);
    }

    /** Messages of the past are not read out one by one. */
    addHistory(messages) {
        this.log.setAttribute("aria-live", "off");
        for (const message of messages) this.add(message);
        setTimeout(() => this.log.setAttribute("aria-live", "polite"), 500);
        this.toEnd();
    }

    /** False when it was there already. */
    add(message) {
        if (this.#byID.has(message.id)) return false;
        const follow = this.isAtEnd;
        const claimed = message.direction === "in" ? this.#claim(message) : null;
        if (claimed) this.#settle(claimed, message.id);
        else this.#insert(message);
        if (message.direction === "in") this.#answer(message.content);
        if (follow) this.toEnd();
        else this.unseen(true);
        return true;
    }

    /** Shows how far a message of the visitor is; makes its bubble when it has none. */
    show(item) {
        let entry = this.#pending.get(item.requestID);
        if (!entry) {
            if (item.state === "sent") return;
            entry = { item, node: this.#message("in", item.shown, item.at), id: null };
            this.#pending.set(item.requestID, entry);
            if (this.#firstPending === entry.node) this.#beginDay(item.at);
            this.log.append(entry.node);
            this.#answer(item.shown);
            this.#welcome.remove();
            this.toEnd();
        }
        if (item.state === "sent") this.#confirm(entry, item.messageID);
        else if (entry.id === null) this.#mark(entry.node, item); // What the stream has brought has certainly arrived.
    }

    notice(text) {
        this.log.insertBefore(make("p", { class: "sb-notice" }, text), this.#firstPending);
        if (this.isAtEnd) this.toEnd();
    }

    /** Takes everything away but what is still on its way. */
    clear() {
        this.#byID.clear();
        this.#prompts = [];
        this.#day = null;
        for (const entry of this.#pending.values()) entry.id = null;
        this.log.replaceChildren(...[...this.#pending.values()].map(({ node }) => node));
    }

    get #firstPending() {
        for (const { node, id } of this.#pending.values()) if (id === null) return node;
        return null;
    }

    /**
     * The stream may bring our own message before the answer to the request that sent it. Then the first of the same words that is being
     * sent is taken for it; should the answer name another id, `#confirm` mends that.
     */
    #claim({ content }) {
        for (const entry of this.#pending.values()) {
            if (entry.id !== null) continue;
            const { shown } = entry.item;
            const isSame = shown.type === "reply" ? content?.id === shown.id : content?.type === "text" && content.text === shown.text;
            if (isSame) return entry;
        }
        return null;
    }

    #settle(entry, id) {
        entry.id = id;
        this.#byID.set(id, entry.node);
        entry.node.dataset.message = id;
        // Behind what was confirmed before it, which is where it stands unless an earlier message failed.
        const next = this.#firstPending;
        if (next && next.compareDocumentPosition(entry.node) & Node.DOCUMENT_POSITION_FOLLOWING) this.log.insertBefore(entry.node, next);
        this.#mark(entry.node, { state: "sent" });
    }

    #confirm(entry, id) {
        this.#pending.delete(entry.item.requestID);
        if (entry.id === id) return this.#mark(entry.node, { state: "sent" });
        if (entry.id !== null) {
            // Another tab said the same words: that bubble is the other one's, ours comes as a message of its own.
            if (!this.#byID.has(id)) this.#insert({ id, direction: "in", content: entry.item.shown, at: entry.item.at });
        } else if (this.#byID.has(id)) {
            entry.node.remove();
        } else {
            this.#settle(entry, id);
        }
    }

    #insert({ id, direction, content, at }) {
        this.#welcome.remove();
        const node = this.#message(direction, content, at);
        node.dataset.message = id;
        this.#byID.set(id, node);
        if (direction === "in") this.#mark(node, { state: "sent" });
        this.#beginDay(at);
        this.log.insertBefore(node, this.#firstPending);
    }

    #message(direction, content, at) {
        const side = direction === "in" ? "in" : "out";
        const node = make(
            "div",
            { class: `sb-message sb-${side}` },
            make("span", { class: "sb-hidden" }, `${this.#names[side]}: `),
            bubble(content, this.#words),
        );
        if (content?.type === "choices" && side === "out") node.append(this.#options(content));
        const time = this.#times.clock(at);
        node.append(make("div", { class: "sb-meta" }, time ? make("time", { datetime: at }, time) : null));
        return node;
    }

    /** Only the newest question can be answered by a press. */
    #options(content) {
        for (const prompt of this.#prompts) prompt.close();
        const options = new Options(content, this.#words, (option) => this.#choose(option));
        this.#prompts.push(options);
        return options.node;
    }

    #answer(content) {
        if (content?.type !== "reply") return;
        for (const prompt of this.#prompts) if (prompt.has(content.id)) prompt.close(content.id);
    }

    #beginDay(at) {
        const day = this.#times.day(at);
        if (!day || day === this.#day) return;
        this.#day = day;
        const next = this.#firstPending;
        this.log.insertBefore(make("div", { class: "sb-day" }, day), next?.parentNode === this.log ? next : null);
    }

    #mark(node, { state, ...item }) {
        const meta = node.querySelector(".sb-meta");
        meta.querySelector(".sb-state")?.remove();
        node.dataset.state = state;
        const words = { waiting: "sending", sending: "sending", offline: "waiting", failed: "failed", sent: "sent" };
        const word = this.#words[words[state]];
        const isSent = state === "sent";
        const shown = isSent ? [icon("check"), make("span", { class: "sb-hidden" }, word)] : [word];
        const label = make("span", { class: "sb-state" }, ...shown);
        if (state === "failed") {
            label.append(
                make("button", { type: "button", class: "sb-retry", on: { click: () => this.#retry(item.requestID) } }, this.#words.retry),
            );
        }
        meta.append(label);
    }
}
