import { lasting, passing, randomID } from "./storage.js";

const REQUEST_TIMEOUT_MS = 20_000;

/** The gateway answered and trying again changes nothing. */
export class Refused extends Error {
    constructor(status, message) {
        super(message || `refused with ${status}`);
        this.status = status;
    }
}

/** The gateway asks to come back later. */
export class Busy extends Error {
    constructor(waitMS) {
        super("the gateway is busy");
        this.waitMS = waitMS;
    }
}

/** Milliseconds of a Retry-After header: seconds or a date; null when there is none. */
export function retryAfter(header, now = Date.now()) {
    if (!header) return null;
    const seconds = Number(header);
    const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
    return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), 120_000) : null;
}

/**
 * Who is talking: opens a session when there is none, keeps the token for the tab and a guest's way back for the browser.
 * The token never stands in a URL, the gateway sets no cookie.
 */
export class Session {
    #options;
    #keys;
    #opening = null;
    #current;

    /** `base` is a URL that ends with a slash; `getAuthToken` may return a token that the brand signed, or a promise of one. */
    constructor({ base, instance, getAuthToken, appKey, locale }) {
        this.#options = { getAuthToken, appKey, locale };
        this.root = new URL(`web/${encodeURIComponent(instance)}/`, base);
        const name = `switchboard:${this.root.host}:${instance}`;
        this.#keys = { token: `${name}:token`, secret: `${name}:resume`, device: `${name}:device` };
        this.outboxKey = `${name}:outbox`;
        // A signed-in visitor may be somebody else after the next load of the page.
        this.#current = getAuthToken ? null : passing.read(this.#keys.token);
    }

    /** The user's id, null before the first session. */
    get user() {
        return this.#current?.user ?? null;
    }

    /** A good token; throws `Refused` when there will be none, `Busy` or a network error otherwise. */
    async token() {
        if (this.#current && Date.parse(this.#current.expires) > Date.now() + 5_000) return this.#current.token;
        this.#opening ??= this.#exclusively(() => this.#open()).finally(() => (this.#opening = null));
        return await this.#opening;
    }

    /** Sends a request under the token. A token that is no longer good is replaced once. */
    async request(path, { method = "GET", body, headers = {}, signal } = {}) {
        for (let attempt = 0; ; attempt += 1) {
            const token = await this.token();
            const response = await fetch(new URL(path, this.root), {
                method,
                headers: { ...headers, Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": "application/json" } : {}) },
                body: body ? JSON.stringify(body) : undefined,
                signal: signal ?? AbortSignal.timeout(REQUEST_TIMEOUT_MS),
                credentials: "omit",
                cache: "no-store",
            });
            if (response.status !== 401 || attempt > 0) return await Session.#checked(response);
            if (this.#current?.token === token) this.#forget();
        }
    }

    #forget() {
        this.#current = null;
        passing.remove(this.#keys.token);
    }

    /** Two tabs that open at once would be two guests. Locks exist only on https pages; elsewhere that is a rare nuisance. */
    #exclusively(work) {
        return navigator.locks ? navigator.locks.request(this.#keys.secret, work) : work();
    }

    async #open() {
        const device = lasting.read(this.#keys.device) ?? randomID();
        lasting.write(this.#keys.device, device);
        const body = {
            device_id: device,
            resume_secret: lasting.read(this.#keys.secret) ?? undefined,
            auth_token: (await this.#options.getAuthToken?.()) ?? undefined,
            app_key: this.#options.appKey ?? undefined,
            locale: this.#options.locale ?? navigator.language,
            time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        };
        const response = await fetch(new URL("sessions", this.root), {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify(body),
            signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
            credentials: "omit",
            cache: "no-store",
        });
        const visit = await (await Session.#checked(response)).json();
        if (visit.resume_secret) lasting.write(this.#keys.secret, visit.resume_secret);
        this.#current = { token: visit.token, expires: visit.expires_at, user: visit.user.id };
        passing.write(this.#keys.token, this.#current);
        return visit.token;
    }

    static async #checked(response) {
        if (response.ok) return response;
        if (response.status === 429 || response.status >= 500) throw new Busy(retryAfter(response.headers.get("Retry-After")));
        const problem = await response.json().catch(() => ({}));
        throw new Refused(response.status, problem.detail ?? problem.title);
    }
}
