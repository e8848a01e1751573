// Elements, data and keys. Text reaches the page as text alone: nothing here takes HTML.

export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    // Through the object model: the content policy refuses style attributes.
    else if (key === "style") Object.assign(node.style, value);
    else if (key in node && typeof value !== "string") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Characters that reorder or hide text are shown by their numbers, so that an answer reads as it is stored.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

export function visible(text) {
  return String(text).replace(HIDDEN, (c) => `⟦U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟧`);
}

export function words(name) {
  return String(name).replaceAll("_", " ");
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  const whole = Math.floor(value / 60);
  return `${whole}:${(value - 60 * whole).toFixed(1).padStart(4, "0")}`;
}

// A length of time in words: 9 s, 12 min, 3.5 h.
export function duration(value) {
  if (value < 90) return `${Math.round(value)} s`;
  return value < 5400 ? `${Math.round(value / 60)} min` : `${(value / 3600).toFixed(1)} h`;
}

// The name of a task without its suite: s3/task1_features is 1 features.
export function shortTask(name) {
  return words(name.split("/").pop().replace(/^task(\d)_/, "$1 "));
}

export function number(value, places = 2) {
  return typeof value === "number" ? value.toFixed(places).replace("-", "−") : "–";
}

export class Refused extends Error {}

export async function getJson(path, params = []) {
  const response = await fetch(params.length ? `${path}?${new URLSearchParams(params)}` : path);
  return unpacked(response);
}

export async function postJson(path, data) {
  const headers = { "Content-Type": "application/json" };
  return unpacked(await fetch(path, { method: "POST", headers, body: JSON.stringify(data) }));
}

async function unpacked(response) {
  const type = response.headers.get("content-type") ?? "";
  const data = type.startsWith("application/json") ? await response.json() : { error: await response.text() };
  if (!response.ok) throw new Refused(data.error ?? response.statusText);
  return data;
}

export function runParams(names, more = {}) {
  return [...names.map((name) => ["run", name]), ...Object.entries(more)];
}

let fading = 0;

export function announce(text) {
  const status = document.getElementById("status");
  status.textContent = text;
  clearTimeout(fading);
  // It lies over the page, and would hide what is below it.
  fading = setTimeout(() => { status.textContent = ""; }, 8000);
}

// Keys of the page that is shown: key → [what it does, in words; action].
let keys = new Map();

// Keys whose own names are not what stands on them.
const KEY_CAPS = { " ": "space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

export function setKeys(entries) {
  keys = new Map(entries.map(([key, text, action]) => [key, { text, action }]));
  const list = el("dl", {}, ...entries.map(([key, text]) => [el("dt", {}, el("kbd", {}, KEY_CAPS[key] ?? key)), el("dd", {}, text)]));
  document.getElementById("keys").replaceChildren(el("h2", {}, "Keys"), list);
}

export function toggleHelp() {
  const panel = document.getElementById("keys");
  panel.hidden = !panel.hidden;
  document.getElementById("help").setAttribute("aria-expanded", String(!panel.hidden));
}

function isTyping(target) {
  return target.matches?.("input:not([type=checkbox]), textarea, select") ?? false;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "?") return toggleHelp();
  // Enter and space belong to the button or link that has the focus.
  if ([" ", "Enter"].includes(event.key) && event.target.closest?.("button, a, summary, input, select")) return;
  const entry = keys.get(event.key);
  if (!entry) return;
  event.preventDefault();
  entry.action(event);
});

// A link to another page of the room: #/item?run=…&item=….
export function link(page, params = []) {
  return `#/${page}${params.length ? `?${new URLSearchParams(params)}` : ""}`;
}

export function go(page, params = []) {
  location.hash = link(page, params);
}
