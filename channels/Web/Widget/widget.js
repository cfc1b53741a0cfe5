/**
 * A chat for any page:
 *
 *     <script type="module" src="https://gateway.example/widget.js" data-instance="salon-web" data-brand="Blue Door Salon"></script>
 *
 * or `import { mount } from "https://gateway.example/widget.js"`, which also takes functions. It lives in a shadow root: the page's
 * styles do not reach it, its own do not reach the page.
 */
import { Chat } from "./chat/assets/chat.js";
import { icon, make } from "./chat/assets/dom.js";
import { fill, wording } from "./chat/assets/strings.js";

const base = new URL(".", import.meta.url);
let styles = null;

/** One style sheet for all widgets of a page, made from text: the page's policy need not allow ours. */
function sheet() {
    styles ??= fetch(new URL("chat/assets/chat.css", base), { credentials: "omit" })
        .then((response) => (response.ok ? response.text() : Promise.reject(new Error(`the chat's styles: ${response.status}`))))
        .then((text) => new CSSStyleSheet().replace(text));
    return styles;
}

/**
 * Puts a launcher on the page, which opens the chat in a panel. Returns `{open, close, unmount}`.
 *
 * Options: `instance` (required), `brand`, `locale`, `strings`, `appKey`, `getAuthToken()`, `open` (true: at once), `side` ("left" or
 * "right"), `container` (else the body).
 */
export function mount(options) {
    if (!options?.instance) throw new TypeError("the chat needs an instance");
    return new Widget(options);
}

class Widget {
    #options;
    #words;
    #host;
    #launcher;
    #badge;
    #panel;
    #chat = null;
    #unread = 0;

    constructor(options) {
        this.#options = options;
        this.#words = wording(options.strings);
        this.#build();
        (options.container ?? document.body).append(this.#host);
        if (options.open) this.open();
    }

    /** Shows the panel; the conversation begins with the first time. */
    open() {
        this.#chat ??= this.#begin();
        this.#panel.hidden = false;
        this.#launcher.setAttribute("aria-expanded", "true");
        this.#host.dataset.open = "";
        this.#count(0);
        this.#chat.toEnd();
        this.#chat.focus();
    }

    /** Hides the panel; the conversation goes on behind it. */
    close() {
        const hadFocus = this.#panel.contains(this.#panel.getRootNode().activeElement);
        this.#panel.hidden = true;
        this.#launcher.setAttribute("aria-expanded", "false");
        delete this.#host.dataset.open;
        if (hadFocus) this.#launcher.focus();
    }

    /** Ends the conversation on this page and takes everything away. */
    unmount() {
        this.#chat?.close();
        this.#host.remove();
    }

    #build() {
        const words = this.#words;
        // A name that no rule of the page means; what it would inherit from there the style sheet keeps away.
        this.#host = make("switchboard-chat", { class: "switchboard-chat", lang: this.#options.strings ? this.#options.locale : "en" });
        this.#host.dataset.side = this.#options.side === "left" ? "left" : "right";
        this.#badge = make("span", { class: "sb-badge", "aria-hidden": "true", hidden: true });
        this.#launcher = make(
            "button",
            {
                type: "button", class: "sb-launcher", "aria-label": words.open, "aria-expanded": "false", "aria-controls": "sb-panel",
                on: { click: () => (this.#panel.hidden ? this.open() : this.close()) },
            },
            icon("chat"),
            this.#badge,
        );
        const name = this.#options.brand || words.title;
        this.#panel = make("div", { class: "sb-panel sb-host", id: "sb-panel", role: "dialog", "aria-label": name, hidden: true });
        this.#panel.addEventListener("keydown", (event) => {
            if (event.key !== "Escape" || event.isComposing) return;
            event.stopPropagation();
            this.close();
        });
        const root = this.#host.attachShadow({ mode: "open" });
        // Without its styles the widget would lie about the page in pieces.
        this.#host.hidden = true;
        root.append(this.#panel, this.#launcher);
        sheet().then(
            (styles) => {
                root.adoptedStyleSheets = [styles];
                this.#host.hidden = false;
                if (!this.#panel.hidden) this.#chat?.focus();
            },
            (problem) => console.error("The chat cannot be shown.", problem),
        );
    }

    #begin() {
        const close = make(
            "button",
            { type: "button", class: "sb-close", "aria-label": this.#words.close, on: { click: () => this.close() } },
            icon("close"),
        );
        return new Chat(this.#panel, {
            ...this.#options,
            base,
            actions: [close],
            onMessage: () => this.#panel.hidden && this.#count(this.#unread + 1),
        });
    }

    #count(unread) {
        this.#unread = unread;
        this.#badge.hidden = unread === 0;
        this.#badge.textContent = unread > 9 ? "9+" : String(unread);
        this.#launcher.setAttribute("aria-label", unread > 0 ? fill(this.#words.openUnread, { count: unread }) : this.#words.open);
    }
}

// A module has no `currentScript`: the tags that name this very file and an instance are meant.
function mountTags() {
    for (const tag of document.querySelectorAll("script[data-instance]")) {
        if (tag.src !== import.meta.url || tag.dataset.mounted !== undefined) continue;
        tag.dataset.mounted = "";
        const { instance, brand, locale, appKey, side, open } = tag.dataset;
        mount({ instance, brand, locale, appKey, side, open: open !== undefined && open !== "false" });
    }
}

mountTags();
