/** Times as the visitor's language writes them. */
export class Times {
    #clock;
    #date;
    #words;

    constructor(locale, words) {
        this.#words = words;
        const known = Times.#known(locale);
        this.#clock = new Intl.DateTimeFormat(known, { hour: "numeric", minute: "2-digit" });
        this.#date = new Intl.DateTimeFormat(known, { weekday: "long", day: "numeric", month: "long" });
    }

    /** Hours and minutes; empty for what is no time. */
    clock(at) {
        const date = new Date(at);
        return Number.isNaN(date.valueOf()) ? "" : this.#clock.format(date);
    }

    /** The day in words; empty for what is no time. */
    day(at, now = new Date()) {
        const date = new Date(at);
        if (Number.isNaN(date.valueOf())) return "";
        const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
        if (date.toDateString() === now.toDateString()) return this.#words.today;
        if (date.toDateString() === yesterday.toDateString()) return this.#words.yesterday;
        return this.#date.format(date);
    }

    static #known(locale) {
        try {
            return Intl.getCanonicalLocales(locale ?? [])[0];
        } catch {
            return undefined; // A page may say anything; the browser's own language is a good second.
        }
    }
}
