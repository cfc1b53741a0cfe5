import { icon, make } from "./dom.js";
import { fill } from "./strings.js";

/** What the gateway takes in one message. */
const MAX_LENGTH = 4096;
const WARN_AT = 200;

/** Where the visitor writes. `send(text)` gets a text that is neither empty nor too long. */
export class Composer {
    #words;
    #send;
    #input;
    #button;
    #counter;

    constructor(words, send) {
        this.#words = words;
        this.#send = send;
        this.#input = make("textarea", {
            class: "sb-input",
            rows: "1",
            "aria-label": words.input,
            placeholder: words.placeholder,
            autocomplete: "off",
            enterkeyhint: "send",
            dir: "auto",
            "aria-describedby": "sb-counter",
            on: { input: () => this.#changed(), keydown: (event) => this.#key(event) },
        });
        const button = { type: "submit", class: "sb-send", "aria-label": words.send, "aria-disabled": "true" };
        this.#button = make("button", button, icon("send"));
        this.#counter = make("div", { class: "sb-counter", id: "sb-counter", role: "status" });
        this.node = make(
            "form",
            { class: "sb-composer", novalidate: true, on: { submit: (event) => this.#submit(event) } },
            make("div", { class: "sb-field" }, this.#input, this.#button),
            this.#counter,
        );
    }

    /** A finger would be answered by a keyboard that covers half the screen, so only other pointers get the focus moved. */
    focus({ force = false } = {}) {
        if (force || !matchMedia("(pointer: coarse)").matches) this.#input.focus({ preventScroll: true });
    }

    disable() {
        this.#input.disabled = true;
        this.#button.disabled = true;
    }

    #key(event) {
        // 229 is what some input methods report for the Enter that accepts a candidate.
        const isComposing = event.isComposing || event.keyCode === 229;
        if (event.key !== "Enter" || event.shiftKey || isComposing) return;
        event.preventDefault();
        this.node.requestSubmit();
    }

    #submit(event) {
        event.preventDefault();
        const text = this.#input.value.trim();
        if (text === "" || text.length > MAX_LENGTH) return this.#input.focus();
        this.#input.value = "";
        this.#changed();
        this.#send(text);
        this.#input.focus({ preventScroll: true });
    }

    #changed() {
        const { length } = this.#input.value.trim();
        const left = MAX_LENGTH - length;
        const text = left < 0 ? fill(this.#words.over, { count: -left }) : left <= WARN_AT ? fill(this.#words.left, { count: left }) : "";
        if (this.#counter.textContent !== text) this.#counter.textContent = text;
        this.#input.setAttribute("aria-invalid", String(left < 0));
        this.#button.setAttribute("aria-disabled", String(length === 0 || left < 0));
        this.#grow();
    }

    #grow() {
        this.#input.style.setProperty("block-size", "auto");
        this.#input.style.setProperty("block-size", `${Math.min(this.#input.scrollHeight, 140)}px`);
    }
}
