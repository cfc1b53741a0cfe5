import { Chat } from "./chat.js";

const main = document.getElementById("chat");
const { instance, brand, locale } = main.dataset;

document.title = brand || document.title;
// The page lies at /chat/{instance}, this file at /chat/assets/: whatever stands before is where the gateway is.
const base = new URL("../../", import.meta.url);
const chat = new Chat(main, { base, instance, brand, locale });
chat.focus();
