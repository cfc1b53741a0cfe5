import { backoff } from "./connection.js";
import { Busy, Refused } from "./session.js";
import { passing, randomID } from "./storage.js";

/** So many times "come back later" and the visitor is asked whether to go on. A missing network is waited for without end. */
const PATIENCE = 10;

/**
 * What the visitor said and the gateway has not confirmed, in order, one at a time. Every try carries the same request id, by which the
 * gateway knows it; the list survives a reload of the page.
 *
 * An item is `{requestID, body, shown, state, messageID?}`; state is `waiting`, `sending`, `offline`, `failed` or `sent`.
 */
export class Outbox {
    #session;
    #changed;
    #items;
    #isRunning = false;
    #isClosed = false;
    #wake = () => undefined;
    /** Called when a send went through after the network had failed. */
    recovered = () => undefined;

    constructor(session, changed) {
        this.#session = session;
        this.#changed = changed;
        const kept = passing.read(session.outboxKey);
        this.#items = (Array.isArray(kept) ? kept : []).map((item) => ({ ...item, state: item.state === "failed" ? "failed" : "waiting" }));
    }

    get items() {
        return [...this.#items];
    }

    /** `body` is `{text}` or `{reply: {id}}`; `shown` the content to show for it. */
    add(body, shown) {
        const item = { requestID: randomID(), body, shown, state: "waiting", at: new Date().toISOString() };
        this.#items.push(item);
        this.#move(item, this.#items.some(({ state }) => state === "offline") ? "offline" : "waiting");
        this.run();
    }

    /** Sends a failed item once more, as the same request. */
    retry(item) {
        this.#move(item, "waiting");
        this.run();
    }

    /** There may be a network again. */
    nudge() {
        this.#wake();
    }

    close() {
        this.#isClosed = true;
        this.#wake();
    }

    async run() {
        if (this.#isRunning) return;
        this.#isRunning = true;
        try {
            for (let item; !this.#isClosed && (item = this.#items.find(({ state }) => state !== "failed")); ) await this.#deliver(item);
        } finally {
            this.#isRunning = false;
        }
    }

    async #deliver(item) {
        let wasOffline = false;
        for (let attempt = 0, refusals = 0; !this.#isClosed; attempt += 1) {
            this.#move(item, wasOffline ? "offline" : "sending");
            let wait = null;
            try {
                const body = { request_id: item.requestID, ...item.body };
                const response = await this.#session.request("messages", { method: "POST", body });
                item.messageID = (await response.json()).message_id;
                this.#items = this.#items.filter((other) => other !== item);
                this.#move(item, "sent");
                if (wasOffline) this.recovered();
                return;
            } catch (problem) {
                if (problem instanceof Refused) return this.#move(item, "failed");
                if (problem instanceof Busy) {
                    refusals += 1;
                    if (refusals >= PATIENCE) return this.#move(item, "failed");
                    wait = problem.waitMS;
                } else {
                    wasOffline = true;
                    for (const other of this.#items) if (other.state !== "failed") this.#move(other, "offline");
                }
            }
            await this.#pause(Math.max(wait ?? 0, backoff(attempt)));
        }
    }

    #move(item, state) {
        item.state = state;
        this.#keep();
        this.#changed(item);
    }

    #keep() {
        passing.write(this.#session.outboxKey, this.#items);
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
