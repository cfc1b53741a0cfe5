import { serverEvents } from "./events.js";
import { Busy, Refused } from "./session.js";

/** Heart-beats come every 15 s: two missed ones and a little. */
const SILENCE_MS = 40_000;
const PAGE = 100;
const MAX_WAIT_MS = 15_000;
/** A connection that comes back sooner was not worth a word. */
const PATIENCE_MS = 1_500;

/** Grows with every failed attempt, with jitter so that not all pages come back in the same moment. */
export function backoff(attempt, random = Math.random) {
    return Math.min(MAX_WAIT_MS, 400 * 2 ** attempt) * (0.5 + random() / 2);
}

/**
 * Keeps one stream of events open and says what came. Events are numbered; after a gap the stream goes on behind the last number seen, and
 * when that is no longer possible the messages are loaded anew. Whoever listens must take a message twice (by id) as one.
 *
 * Handlers: `history(messages)`, `message`, `update`, `typing`, `handover`, `forget()` (another user: show nothing of the old one),
 * `state("connecting" | "online" | "lost" | "resting" | "refused", problem)`; resting is what a page does whose stream the gateway closed
 * for newer ones of the same person, until somebody uses it again.
 */
export class Connection {
    #session;
    #handlers;
    #newest = null;
    #lastMessage = null;
    #user = null;
    #closed = false;
    #attempt = 0;
    #isReplaced = false;
    #abort = new AbortController();
    #wake = () => undefined;
    #mourning = null;
    #listeners = new AbortController();

    constructor(session, handlers) {
        this.#session = session;
        this.#handlers = handlers;
        const signal = this.#listeners.signal;
        addEventListener("online", () => this.restart(), { signal });
        addEventListener("offline", () => this.#lose(), { signal });
        document.addEventListener("visibilitychange", () => document.hidden || this.#wake(), { signal });
        for (const use of ["focus", "pointerdown", "keydown"]) addEventListener(use, () => this.#isReplaced && this.#wake(), { signal });
    }

    /** Runs until `close`, or until the gateway refuses for good. */
    async run() {
        this.#handlers.state("connecting");
        while (!this.#closed) {
            let wait = null;
            try {
                await this.#listen();
            } catch (problem) {
                if (problem instanceof Refused) return this.#handlers.state("refused", problem);
                if (problem instanceof Busy) wait = problem.waitMS;
            }
            if (this.#closed) return;
            if (this.#isReplaced) {
                await this.#rest();
                continue;
            }
            this.#suspect();
            await this.#pause(wait ?? backoff(this.#attempt));
            this.#attempt += 1;
        }
    }

    close() {
        this.#closed = true;
        clearTimeout(this.#mourning);
        this.#listeners.abort();
        this.#abort.abort();
        this.#wake();
    }

    /** Makes a new connection at once: the old one may be dead without having said so. */
    restart() {
        this.#attempt = 0;
        this.#abort.abort();
        this.#wake();
    }

    async #listen() {
        this.#abort = new AbortController();
        const abort = this.#abort;
        await this.#session.token();
        this.#noticeUser();
        let watch = setTimeout(() => abort.abort(), SILENCE_MS);
        const alive = () => {
            clearTimeout(watch);
            watch = setTimeout(() => abort.abort(), SILENCE_MS);
        };
        try {
            const headers = { Accept: "text/event-stream", ...(this.#newest ? { "Last-Event-ID": this.#newest } : {}) };
            const response = await this.#session.request("events", { headers, signal: abort.signal });
            if (this.#noticeUser()) return;
            if (this.#newest !== null) this.#greet();
            for await (const event of serverEvents(response.body, alive)) await this.#take(event);
        } finally {
            clearTimeout(watch);
            abort.abort();
        }
    }

    /** True when the session turned out to be another person's, whose events begin elsewhere. */
    #noticeUser() {
        const before = this.#user;
        this.#user = this.#session.user;
        if (before === null || before === this.#user) return false;
        this.#newest = null;
        this.#lastMessage = null;
        this.#handlers.forget();
        return true;
    }

    async #take({ type, id, data }) {
        const value = parsed(data);
        switch (type) {
            case "hello":
                if (this.#newest === null) await this.#load();
                this.#greet();
                if (this.#newest !== null) return; // Events between the two numbers are still to come.
                break;
            case "reset":
                await this.#load();
                break;
            case "message":
                if (value?.id) this.#show([value], (messages) => this.#handlers.message(messages[0]));
                break;
            case "update":
                if (value) this.#handlers.update(value);
                break;
            case "typing":
                this.#handlers.typing();
                break;
            case "handover":
                if (value) this.#handlers.handover(value);
                break;
            case "closed":
                this.#isReplaced = value?.reason === "too_many_streams";
                break;
        }
        if (id) this.#newest = id;
    }

    #show(messages, show) {
        if (messages.length === 0) return;
        this.#lastMessage = messages[messages.length - 1].id;
        show(messages);
    }

    /** The last messages, and all between those shown before and them. */
    async #load() {
        let after = this.#lastMessage;
        while (after !== null) {
            const page = await this.#page(`messages?after=${encodeURIComponent(after)}&limit=${PAGE}`);
            this.#show(page, this.#handlers.history);
            after = page.length > 0 && this.#lastMessage !== after ? this.#lastMessage : null;
        }
        this.#show(await this.#page(`messages?limit=${PAGE}`), this.#handlers.history);
    }

    async #page(path) {
        const answer = await (await this.#session.request(path)).json();
        return answer.messages ?? [];
    }

    #greet() {
        clearTimeout(this.#mourning);
        this.#mourning = null;
        this.#attempt = 0;
        this.#handlers.state("online");
    }

    #suspect() {
        if (!navigator.onLine) this.#lose();
        this.#mourning ??= setTimeout(() => this.#handlers.state("lost"), PATIENCE_MS);
    }

    #lose() {
        this.#handlers.state("lost");
        this.#abort.abort();
    }

    /** Coming back at once would take the place of another page, which would come back and take ours. */
    async #rest() {
        clearTimeout(this.#mourning);
        this.#mourning = null;
        this.#handlers.state("resting");
        await new Promise((resolve) => (this.#wake = resolve));
        this.#isReplaced = false;
        this.#attempt = 0;
    }

    #pause(duration) {
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, duration);
            this.#wake = () => {
                clearTimeout(timer);
                resolve();
            };
        });
    }
}

function parsed(data) {
    try {
        return JSON.parse(data);
    } catch {
        return null; // Not ours to mend; the next event is whole again.
    }
}
