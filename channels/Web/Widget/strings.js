/** What the chat itself says. An embedding page overrides any of it by key; `{name}` stands for a value. */
export const english = Object.freeze({
    title: "Chat",
    log: "Conversation",
    input: "Your message",
    placeholder: "Write a message",
    send: "Send",
    open: "Open the chat",
    openUnread: "Open the chat, {count} new",
    close: "Close the chat",
    you: "You",
    assistant: "Assistant",
    welcome: "Say what you need in your own words.",
    online: "Online",
    connecting: "Connecting…",
    offline: "Offline",
    lost: "The connection is lost. What you write is kept and sent when it is back.",
    back: "Connected again.",
    paused: "Paused",
    resting: "This chat is open in many windows. Here it goes on as soon as you use it.",
    refused: "This chat is not available here.",
    signIn: "Please sign in to use this chat.",
    sending: "Sending…",
    waiting: "Waiting for the connection",
    sent: "Sent",
    failed: "Not sent",
    retry: "Try again",
    left: "{count} characters left",
    over: "{count} characters too many",
    newMessages: "New messages",
    typing: "{name} is typing",
    options: "Your options",
    chosen: "chosen",
    progress: "Progress",
    understanding: "Reading your message",
    lookingUp: "Looking things up",
    checking: "Checking what is possible",
    queued: "Waiting for its turn",
    working: "Working on it",
    retrying: "That took too long, trying again",
    done: "Done",
    failedAction: "That did not work",
    handoverOpen: "A person joins the conversation.",
    handoverClosed: "The assistant is back.",
    today: "Today",
    yesterday: "Yesterday",
    attachment: "Attachment: {kind}",
    location: "Location",
    unknownContent: "A message that cannot be shown here",
});

/** English with the overrides that are texts of a known key. */
export function wording(overrides) {
    const known = Object.entries(overrides ?? {}).filter(([key, text]) => Object.hasOwn(english, key) && typeof text === "string");
    return { ...english, ...Object.fromEntries(known) };
}

/** Puts values in place of `{name}`. */
export function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}
