// The address after # decides what is shown, so that each page, and each item, has a link.
import { showComparison } from "./compare.js";
import { announce, el, setKeys, toggleHelp } from "./dom.js";
import { showItem } from "./item.js";
import { showItems } from "./items.js";
import { showRuns } from "./runs.js";

const PAGES = { "": showRuns, items: showItems, compare: showComparison, item: showItem };
let leave = () => {};
let shown = Promise.resolve();

// One page after the other: one that is still loading would otherwise come over the page that was asked for after it.
function route() {
  shown = shown.then(show, show);
}

async function show() {
  leave();
  leave = () => {};
  const [name, query] = location.hash.replace(/^#\/?/, "").split("?");
  const main = document.getElementById("main");
  const params = new URLSearchParams(query ?? "");
  setKeys([]);
  try {
    leave = (await (PAGES[name] ?? showRuns)(main, params, crumbs)) ?? (() => {});
  } catch (error) {
    main.replaceChildren(el("h1", {}, "This cannot be shown"), el("p", { class: "trouble" }, error.message));
    announce(error.message);
  }
}

function crumbs(...parts) {
  document.getElementById("crumbs").replaceChildren(...parts);
}

document.getElementById("help").addEventListener("click", toggleHelp);
// Paper has nothing to unfold.
addEventListener("beforeprint", () => document.querySelectorAll("details.request").forEach((details) => { details.open = true; }));
addEventListener("hashchange", route);
route();
