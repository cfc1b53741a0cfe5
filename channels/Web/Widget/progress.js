import { make } from "./dom.js";
import { fill } from "./strings.js";

const TYPING_MS = 8_000;
/** How long "done" stays to be seen; a call can end in the moment it began. */
const LINGER_MS = 2_500;
/** Steps come every few seconds; a bar without news for so long tells nothing any more. */
const SILENT_MS = 120_000;

/** What the gateway does meanwhile: dots while it reads and thinks, a bar with a status line while an action runs. */
export class Progress {
    #words;
    #dots;
    #doing;
    #typing;
    #card;
    #bar;
    #line;
    #amount;
    #timer = null;
    #changed;

    constructor(container, words, brand, changed) {
        this.#words = words;
        this.#changed = changed;
        this.#typing = fill(words.typing, { name: brand || words.assistant });
        this.#doing = make("span", { class: "sb-doing", role: "status" });
        const dots = [1, 2, 3].map(() => make("span", { class: "sb-dot", "aria-hidden": "true" }));
        this.#dots = make("div", { class: "sb-typing", hidden: true }, ...dots, this.#doing);
        this.#amount = make("span", { class: "sb-amount", "aria-hidden": "true" });
        this.#line = make("span", { class: "sb-line", role: "status", dir: "auto" });
        this.#bar = make("div", {
            class: "sb-bar", role: "progressbar", "aria-label": words.progress, "aria-valuemin": "0", "aria-valuemax": "100",
        });
        this.#bar.append(make("div", { class: "sb-bar-fill" }));
        const head = make("div", { class: "sb-progress-head" }, this.#line, this.#amount);
        this.#card = make("div", { class: "sb-progress", hidden: true }, head, this.#bar);
        container.append(this.#card, this.#dots);
    }

    /** `doing` says what is done meanwhile, when that is known. */
    typing(doing = this.#typing) {
        this.#doing.textContent = doing;
        this.#show(this.#dots, TYPING_MS);
    }

    /** A message came: what was awaited is there. */
    settle() {
        this.#dots.hidden = true;
    }

    hide() {
        clearTimeout(this.#timer);
        this.#dots.hidden = true;
        this.#card.hidden = true;
    }

    /** One of the 14 kinds of update. An unknown one changes nothing. */
    update(update) {
        const words = this.#words;
        const offered = [update.status_line, update.current_step];
        const said = (fallback) => offered.find((text) => typeof text === "string" && text) ?? fallback;
        switch (update.update_type) {
            case "action_lookup":
            case "intent_logged":
                return this.typing(words.understanding);
            case "fetching_schemas":
            case "schemas_fetched":
                return this.typing(words.lookingUp);
            case "checking_eligibility":
            case "eligibility_checked":
                return this.typing(words.checking);
            case "action_queued":
                return this.#run(2, said(words.queued));
            case "action_executing":
                return this.#run(Math.max(5, percent(update.progress)), said(words.working));
            case "action_progress":
                return this.#run(
                    Math.max(5, percent(update.progress)), update.current_step === "retrying" ? words.retrying : said(words.working));
            case "action_completed":
                return this.#end(100, said(words.done), "done");
            case "action_failed":
                return this.#end(null, said(words.failedAction), "failed");
            case "action_not_found":
            case "action_blocked":
            case "collecting_params":
                this.#card.hidden = true;
                return this.settle();
        }
    }

    #run(amount, line) {
        // A late update of an earlier stage does not turn the bar back.
        const shown = this.#card.hidden || this.#card.dataset.state !== "running" ? 0 : Number(this.#bar.getAttribute("aria-valuenow"));
        this.#draw(Math.max(amount, shown), line, "running");
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.hide(), SILENT_MS);
    }

    #end(amount, line, state) {
        this.#draw(amount ?? Number(this.#bar.getAttribute("aria-valuenow") ?? 0), line, state);
        this.#show(this.#card, LINGER_MS);
    }

    #draw(amount, line, state) {
        this.#dots.hidden = true;
        this.#card.hidden = false;
        this.#card.dataset.state = state;
        this.#bar.setAttribute("aria-valuenow", String(amount));
        this.#bar.setAttribute("aria-valuetext", `${amount}%, ${line}`);
        this.#bar.firstElementChild.style.setProperty("inline-size", `${amount}%`);
        this.#amount.textContent = `${amount}%`;
        if (this.#line.textContent !== line) this.#line.textContent = line;
        this.#changed();
    }

    #show(node, duration) {
        const isNew = node.hidden;
        if (node === this.#dots && !this.#card.hidden) return;
        node.hidden = false;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.hide(), duration);
        if (isNew) this.#changed();
    }
}

function percent(value) {
    return Number.isFinite(value) ? Math.round(Math.min(Math.max(value, 0), 100)) : 0;
}
