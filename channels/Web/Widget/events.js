/**
 * Reads server-sent events from a response body (`EventSource` cannot send an `Authorization` header). Yields `{type, id, data}`;
 * `alive` is called for every piece that arrives, heart-beat comments included.
 */
export async function* serverEvents(body, alive) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let event = { type: "message", id: null, data: [] };
    try {
        while (true) {
            const { done, value } = await reader.read();
            if (done) return; // An event without its closing blank line was cut off: it comes again.
            alive();
            const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
            rest = lines.pop();
            for (const line of lines) {
                if (line !== "") {
                    takeField(line, event);
                } else {
                    if (event.data.length > 0) yield { ...event, data: event.data.join("\n") };
                    event = { type: "message", id: null, data: [] };
                }
            }
        }
    } finally {
        await reader.cancel().catch(() => undefined); // Already broken: nothing left to release.
    }
}

function takeField(line, event) {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event.type = value;
    else if (name === "id") event.id = value;
    else if (name === "data") event.data.push(value);
}
