import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { icon, make } from "./dom.js";
import { Outbox } from "./outbox.js";
import { Progress } from "./progress.js";
import { Session } from "./session.js";
import { wording } from "./strings.js";
import { Times } from "./times.js";
import { Transcript } from "./transcript.js";

const BACK_MS = 3_000;

/**
 * A conversation in an element, on a page of its own or in the widget's panel.
 *
 * Options: `base` (the gateway's URL with a slash at its end), `instance`, `brand`, `locale`, `strings` (overrides by key), `appKey`,
 * `getAuthToken()`, `onMessage(message)` for messages that arrive while the page is open, `actions` (elements for the header).
 */
export class Chat {
    #options;
    #words;
    #session;
    #connection;
    #outbox;
    #transcript;
    #progress;
    #composer;
    #status;
    #banner;
    #jump;
    #root;
    #state = null;
    #hiding = null;

    constructor(container, options) {
        this.#options = options;
        this.#words = wording(options.strings);
        this.#session = new Session(options);
        this.#outbox = new Outbox(this.#session, (item) => this.#moved(item));
        this.#build(container);
        this.#connection = new Connection(this.#session, {
            history: (messages) => this.#transcript.addHistory(messages),
            message: (message) => this.#arrived(message),
            update: (update) => this.#progress.update(update),
            typing: () => this.#progress.typing(),
            handover: ({ state }) => this.#transcript.notice(state === "open" ? this.#words.handoverOpen : this.#words.handoverClosed),
            forget: () => this.#forget(),
            state: (state, problem) => this.#changed(state, problem),
        });
        this.#outbox.recovered = () => this.#connection.restart();
        for (const item of this.#outbox.items) this.#transcript.show(item);
        this.#connection.run();
        this.#outbox.run();
    }

    focus(how) {
        this.#composer.focus(how);
    }

    toEnd() {
        this.#transcript.toEnd();
    }

    /** Ends the connection and takes the conversation off the page. */
    close() {
        this.#connection.close();
        this.#outbox.close();
        this.#root.remove();
    }

    #build(container) {
        const words = this.#words;
        const { brand, locale, actions = [] } = this.#options;
        this.#transcript = new Transcript({
            words,
            times: new Times(locale, words),
            brand,
            welcome: this.#welcome(),
            choose: (option) => this.#choose(option),
            retry: (requestID) => this.#retry(requestID),
        });
        this.#transcript.unseen = (isUnseen) => (this.#jump.hidden = !isUnseen);
        this.#progress = new Progress(this.#transcript.tail, words, brand, () => this.#follow());
        this.#composer = new Composer(words, (text) => this.#say({ text }, { type: "text", text }));
        this.#status = make("span", { class: "sb-status-words" }, words.connecting);
        this.#banner = make("div", { class: "sb-banner", role: "status" });
        this.#jump = make(
            "button",
            { type: "button", class: "sb-jump", hidden: true, on: { click: () => this.#jumped() } },
            icon("down"),
            words.newMessages,
        );
        const lamp = make("span", { class: "sb-lamp", "aria-hidden": "true" });
        const header = make(
            "header",
            { class: "sb-header" },
            make("div", { class: "sb-avatar", "aria-hidden": "true" }, initials(brand || words.title)),
            make(
                "div",
                { class: "sb-titles" },
                make("h1", { class: "sb-title", dir: "auto" }, brand || words.title),
                make("div", { class: "sb-status", role: "status" }, lamp, this.#status),
            ),
            ...actions,
        );
        const body = make("div", { class: "sb-body" }, this.#transcript.scroller, this.#jump);
        const name = brand || words.title;
        const parts = [header, this.#banner, body, this.#composer.node];
        this.#root = make("section", { class: "sb-chat", "aria-label": name }, ...parts);
        container.append(this.#root);
    }

    #welcome() {
        const words = this.#words;
        const name = this.#options.brand || words.title;
        return make(
            "div",
            { class: "sb-welcome" },
            make("div", { class: "sb-avatar", "aria-hidden": "true" }, initials(name)),
            make("strong", { dir: "auto" }, name),
            make("span", {}, words.welcome),
        );
    }

    #say(body, shown) {
        this.#outbox.add(body, shown);
    }

    #choose({ id, title }) {
        this.#say({ reply: { id } }, { type: "reply", id, title });
        this.#composer.focus();
    }

    #retry(requestID) {
        const item = this.#outbox.items.find((item) => item.requestID === requestID);
        if (item) this.#outbox.retry(item);
        this.#composer.focus();
    }

    #moved(item) {
        this.#transcript.show(item);
    }

    #arrived(message) {
        const isNew = this.#transcript.add(message);
        if (message.direction !== "out") return;
        this.#progress.settle();
        if (isNew) this.#options.onMessage?.(message);
        this.#follow();
    }

    #follow() {
        if (this.#transcript.isAtEnd) this.#transcript.toEnd();
    }

    #jumped() {
        this.#transcript.toEnd();
        this.#composer.focus();
    }

    #forget() {
        this.#transcript.clear();
        this.#progress.hide();
    }

    #changed(state, problem) {
        const words = this.#words;
        const before = this.#state;
        this.#state = state;
        this.#root.dataset.connection = state;
        const offline = words.offline;
        const shown = { connecting: words.connecting, online: words.online, lost: offline, resting: words.paused, refused: offline };
        this.#status.textContent = shown[state];
        if (state === "online") {
            this.#outbox.nudge();
            if (before === "lost") this.#announce(words.back, "back");
            else if (before !== "online") this.#announce("");
        } else if (state === "lost") {
            this.#progress.hide();
            this.#announce(words.lost, "lost");
        } else if (state === "resting") {
            this.#progress.hide();
            this.#announce(words.resting, "lost");
        } else if (state === "refused") {
            this.#announce(problem?.status === 401 ? words.signIn : words.refused, "lost");
            this.#composer.disable();
        }
    }

    #announce(text, kind = "") {
        clearTimeout(this.#hiding);
        this.#banner.textContent = text;
        this.#banner.dataset.kind = kind;
        if (kind === "back") this.#hiding = setTimeout(() => this.#announce(""), BACK_MS);
    }
}

function initials(name) {
    const parts = name.trim().split(/\s+/u).filter(Boolean);
    const letters = parts.slice(0, 2).map((part) => [...part][0]);
    return letters.join("").toUpperCase();
}
