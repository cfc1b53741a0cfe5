/**
 * Web storage that may be forbidden, full or absent (private windows, sandboxed frames): then it forgets with the page, and the chat
 * works all the same.
 */
function keeper(find) {
    const memory = new Map();
    let storage = null;
    try {
        storage = find();
    } catch {
        storage = null; // A frame without storage access throws at the mere look.
    }
    return {
        read(key) {
            try {
                return JSON.parse(storage?.getItem(key) ?? memory.get(key) ?? "null");
            } catch {
                return null; // What somebody else wrote there is as good as nothing.
            }
        },
        write(key, value) {
            const text = JSON.stringify(value);
            memory.set(key, text);
            try {
                storage?.setItem(key, text);
            } catch {
                storage?.removeItem(key); // Full: an old value would be worse than none.
            }
        },
        remove(key) {
            memory.delete(key);
            storage?.removeItem(key);
        },
    };
}

/** Lives as long as the browser keeps it, shared by all tabs. */
export const lasting = keeper(() => globalThis.localStorage);
/** Lives as long as the tab. */
export const passing = keeper(() => globalThis.sessionStorage);

/** A random UUID. `crypto.randomUUID` exists only on pages served over https. */
export function randomID() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join("-");
}
