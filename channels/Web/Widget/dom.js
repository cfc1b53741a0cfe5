/**
 * Makes an element. Texts become text nodes and attributes go through `setAttribute` with names that stand in this code: nothing that
 * a visitor or a brand wrote is ever parsed as HTML.
 */
export function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (key === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
        else if (value === true) element.setAttribute(key, "");
        else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
}

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
    send: "M3.4 20.4 21 12 3.4 3.6 3.4 10.1 15 12 3.4 13.9Z",
    chat: "M4 4h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H9l-5 4V18a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2Z",
    close: "M6.4 5 5 6.4 10.6 12 5 17.6 6.4 19 12 13.4 17.6 19 19 17.6 13.4 12 19 6.4 17.6 5 12 10.6Z",
    down: "M12 16.5 5 9.5 6.5 8 12 13.5 17.5 8 19 9.5Z",
    check: "M9.5 17.6 4 12.1 5.5 10.6 9.5 14.6 18.5 5.6 20 7.1Z",
};

/** A picture that says nothing to a screen reader: the control around it has a name. */
export function icon(name) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", "sb-icon");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", PATHS[name]);
    svg.append(path);
    return svg;
}

// Direction marks end a link: with them a text can show another address than it opens.
const LINK = /https?:\/\/[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;

/** A text as nodes, with what is an http(s) address made a link that shows exactly where it goes. */
export function linked(text) {
    const nodes = [];
    let end = 0;
    for (const match of text.matchAll(LINK)) {
        const shown = match[0].replace(/[.,;:!?)\]}]+$/, "");
        const target = URL.canParse(shown) ? new URL(shown) : null;
        // A name before the host ("https://bank.example@evil.example") is only ever meant to mislead.
        if (!target || !/^https?:$/.test(target.protocol) || target.username || target.password) continue;
        nodes.push(text.slice(end, match.index));
        nodes.push(make("a", { href: target.href, target: "_blank", rel: "noopener noreferrer nofollow" }, shown));
        end = match.index + shown.length;
    }
    nodes.push(text.slice(end));
    return nodes.filter((node) => node !== "");
}
