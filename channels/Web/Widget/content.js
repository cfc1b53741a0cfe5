import { icon, linked, make } from "./dom.js";
import { fill } from "./strings.js";

/** What a channel shows as buttons; more of them are a list. */
const MAX_BUTTONS = 3;

function text(value) {
    return typeof value === "string" ? value : "";
}

/** The words of a message's content, for kinds without a form of their own too. */
export function plainText(content, words) {
    switch (content?.type) {
        case "text":
        case "choices":
            return text(content.text);
        case "reply":
            return text(content.title) || text(content.id);
        case "location":
            return [content.name, content.address].filter(text).join(", ") || words.location;
        case "template":
            return (Array.isArray(content.parameters) ? content.parameters : []).filter(text).join("\n") || text(content.name);
        case "reaction":
            return text(content.emoji);
        case "system":
            return text(content.body) || words.unknownContent;
        case "image":
        case "video":
        case "audio":
        case "voice":
        case "document":
        case "sticker":
        case "media": {
            const kind = text(content.filename) || text(content.kind) || content.type;
            return [text(content.caption), fill(words.attachment, { kind }), text(content.url)].filter(Boolean).join("\n");
        }
        default:
            return text(content?.text) || words.unknownContent;
    }
}

/** The bubble of a message. */
export function bubble(content, words) {
    return make("div", { class: "sb-bubble", dir: "auto" }, ...linked(plainText(content, words)));
}

/**
 * The options of a question: a row of buttons, or a list under its title. `choose(option)` is called once; afterwards, or when `close` is,
 * none of them can be pressed.
 */
export class Options {
    #buttons;
    #words;

    constructor(content, words, choose) {
        this.#words = words;
        const options = (Array.isArray(content.options) ? content.options : []).filter((option) => text(option?.id));
        this.isList = options.length > MAX_BUTTONS;
        this.#buttons = options.map((option) => ({ id: option.id, node: this.#button(option, choose) }));
        const name = this.isList && text(content.list_title) ? content.list_title : words.options;
        const nodes = this.#buttons.map(({ node }) => node);
        this.node = make(
            "div",
            {
                class: this.isList ? "sb-list" : "sb-buttons",
                role: "group",
                "aria-label": name,
                on: { keydown: (event) => this.#move(event) },
            },
            this.isList ? make("div", { class: "sb-list-title", "aria-hidden": "true", dir: "auto" }, name) : null,
            ...nodes,
        );
    }

    has(id) {
        return this.#buttons.some((button) => button.id === id);
    }

    /** No more choosing; `chosen` is the id of what was, if anything. */
    close(chosen = null) {
        for (const { id, node } of this.#buttons) {
            node.disabled = true;
            if (id !== chosen || node.getAttribute("aria-pressed")) continue;
            node.setAttribute("aria-pressed", "true");
            node.append(icon("check"), make("span", { class: "sb-hidden" }, `, ${this.#words.chosen}`));
        }
    }

    #button(option, choose) {
        const description = text(option.description);
        return make(
            "button",
            {
                type: "button",
                class: "sb-option",
                on: {
                    click: () => {
                        this.close(option.id);
                        choose({ id: option.id, title: text(option.title) });
                    },
                },
            },
            make(
                "span",
                { class: "sb-option-words", dir: "auto" },
                make("span", { class: "sb-option-title" }, text(option.title) || option.id),
                description ? make("span", { class: "sb-hidden" }, ", ") : null,
                description ? make("span", { class: "sb-option-description" }, description) : null,
            ),
        );
    }

    /** Arrow keys go round, Home and End to the ends; Tab works as everywhere. */
    #move(event) {
        const nodes = this.#buttons.map(({ node }) => node).filter((node) => !node.disabled);
        const here = nodes.indexOf(event.target);
        if (here < 0) return;
        const steps = { ArrowDown: here + 1, ArrowRight: here + 1, ArrowUp: here - 1, ArrowLeft: here - 1, Home: 0, End: -1 };
        if (!(event.key in steps)) return;
        event.preventDefault();
        nodes.at(steps[event.key] % nodes.length).focus();
    }
}
