// One table over all tasks of the chosen runs: only the rows on the screen are in the page.
import { announce, el, getJson, go, link, number, runParams, setKeys, shortTask, visible, words } from "./dom.js";

const ROW_PX = 36;
const MARGIN_ROWS = 8;
const RIGHT = new Set(["hit", "correctly absent", "untested in truth"]);
const [ITEM, TASK, VIDEO, SUBJECT, GROUP, TRUTH, ANSWERS] = [0, 1, 2, 3, 4, 5, 6];
export const listed = { items: [], query: "" };

export async function showItems(main, params, crumbs) {
  const runs = params.getAll("run");
  document.title = `${runs.join(", ")} – Items`;
  crumbs(el("a", { href: "#/" }, "Runs"), " / ", el("span", {}, runs.join(", ")));
  main.replaceChildren(el("h1", {}, runs.join(", ")), el("p", { class: "hint", role: "status" }, "Reading the answers …"));
  const data = await getJson("/api/items", runParams(runs));
  data.rows.forEach((row, place) => { row.place = place; row.differs = disagreement(row[ANSWERS]); });
  const table = new Table(data, params);
  main.replaceChildren(el("h1", {}, runs.length > 1 ? `Items of ${runs.length} runs` : `Items of ${runs[0]}`), table.controls, table.box);
  table.start();
  setKeys([
    ["j", "next item", () => table.move(1)],
    ["k", "previous item", () => table.move(-1)],
    ["ArrowDown", "next item", () => table.move(1)],
    ["ArrowUp", "previous item", () => table.move(-1)],
    ["PageDown", "a screen down", () => table.move(table.page())],
    ["PageUp", "a screen up", () => table.move(-table.page())],
    ["Home", "first item", () => table.move(-Infinity)],
    ["End", "last item", () => table.move(Infinity)],
    ["Enter", "open the item at the claimed second", () => table.open()],
    ["w", "only wrong answers, or all", () => table.toggle("wrong")],
    ["d", "only disagreements, or all", () => table.toggle("differs")],
    ["/", "search the answers", () => table.search.focus()],
    ["u", "back to the runs", () => go("")],
  ]);
  return () => table.stop();
}

// The number of different answers beyond the first; unread answers count as one.
function disagreement(answers) {
  return new Set(answers.filter((answer) => answer !== null).map((answer) => answer[0])).size - 1;
}

export function isWrong(answers) {
  return answers.some((answer) => answer !== null && answer[1].some((kind) => !RIGHT.has(kind)));
}

// Probability of the answer that was given, from 0.5 to 1; null where the model states none.
function confidence(answer) {
  const p = answer?.[2] ?? null;
  return p === null ? null : Math.max(p, 1 - p);
}

const CONFIDENCE = {
  "sure (0.9 or more)": (p) => p !== null && p >= 0.9,
  "in between": (p) => p !== null && p >= 0.7 && p < 0.9,
  "unsure (below 0.7)": (p) => p !== null && p < 0.7,
  "not stated": (p) => p === null,
};

const COLUMNS = [
  ["task", "task", (row) => row[TASK]],
  ["sign", "sign", (row) => row[SUBJECT]],
  ["video", "video", (row) => row[VIDEO]],
  ["group", "patient", (row) => row[GROUP]],
  ["truth", "truth", (row) => row[TRUTH]],
];

class Table {
  constructor(data, params) {
    this.data = data;
    this.params = params;
    this.matches = null;
    this.at = 0;
    this.sort = params.get("sort") ?? "";
    this.order = data.rows;
    this.body = el("div", { class: "body", role: "presentation" });
    this.columns = [...COLUMNS, ...data.runs.map((run, n) => [`run${n}`, run, (row) => row[ANSWERS][n]?.[1].join() ?? ""]),
      ["p", "p(yes)", (row) => Math.max(...row[ANSWERS].map((answer) => answer?.[2] ?? -1))],
      ...(data.runs.length > 1 ? [["differs", "differs", (row) => -row.differs]] : [])];
    this.count = el("output", { class: "count" });
    this.controls = this.makeControls();
    this.head = this.makeHead();
    this.box = el("div", { class: "items", role: "grid", "aria-label": "Items", tabindex: "-1", onscroll: () => this.draw() }, this.head, this.body);
    this.box.style.setProperty("--columns", this.widths());
    this.resized = () => this.draw(true);
  }

  widths() {
    return this.columns.map(([key]) => ({ task: "9rem", sign: "minmax(9rem, 1.4fr)", video: "5rem", group: "4.5rem", truth: "minmax(5rem, 1fr)", p: "4.5rem", differs: "5.5rem" }[key] ?? "minmax(10rem, 1.6fr)")).join(" ");
  }

  makeControls() {
    const { rows, tasks } = this.data;
    const kinds = new Set(rows.flatMap((row) => row[ANSWERS].flatMap((answer) => answer?.[1] ?? [])));
    const choice = (name, label, values, title = words) => {
      const select = el("select", { id: `f-${name}`, onchange: () => this.set(name, select.value) }, el("option", { value: "" }, "all"), values.map((value) => el("option", { value: String(value) }, visible(title(value)))));
      select.value = this.params.get(name) ?? "";
      return el("label", { for: `f-${name}` }, label, select);
    };
    const tick = (name, label) => {
      const box = el("input", { type: "checkbox", id: `f-${name}`, checked: this.params.get(name) === "1", onchange: () => this.set(name, box.checked ? "1" : "") });
      return el("label", { for: `f-${name}`, class: "tick" }, box, label);
    };
    this.search = el("input", { type: "search", id: "f-q", value: this.params.get("q") ?? "", placeholder: "text in answers", oninput: () => this.find(), onkeydown: (event) => event.key === "Enter" && (this.search.blur(), this.focus()) });
    const several = this.data.runs.length > 1;
    const signs = [...new Set(rows.map((row) => row[SUBJECT]))];
    const groups = [...new Set(rows.map((row) => row[GROUP]))].sort((a, b) => a - b);
    return el("form", { class: "filters", "aria-label": "Filters", onsubmit: (event) => event.preventDefault() },
      choice("task", "Task", Object.keys(tasks), (name) => tasks[name].title),
      choice("sign", "Sign", signs),
      choice("group", "Patient", groups, (group) => `patient ${group + 1}`),
      choice("outcome", "Outcome", [...kinds].sort()),
      rows.some((row) => row[ANSWERS].some((answer) => confidence(answer) !== null)) && choice("sure", "Confidence", Object.keys(CONFIDENCE)),
      el("label", { for: "f-q" }, "Search", this.search),
      tick("wrong", "wrong only"),
      several && tick("differs", "disagreements only"),
      this.count);
  }

  makeHead() {
    const head = el("div", { class: "row head", role: "row", "aria-rowindex": "1" });
    this.columns.forEach(([key, title]) => {
      const button = el("button", { type: "button", onclick: () => this.set("sort", this.sort === key ? `-${key}` : this.sort === `-${key}` ? "" : key) }, visible(title));
      head.append(el("div", { role: "columnheader", class: `c-${key.replace(/\d+/, "")}`, "data-key": key }, button));
    });
    return head;
  }

  start() {
    addEventListener("resize", this.resized);
    const opened = this.params.get("at");
    this.apply();
    this.at = Math.max(0, this.order.findIndex((row) => row[ITEM] === opened));
    if (this.search.value) this.find();
    this.draw(true);
    this.focus();
  }

  stop() {
    removeEventListener("resize", this.resized);
  }

  set(name, value) {
    value ? this.params.set(name, value) : this.params.delete(name);
    if (name === "sort") this.sort = value;
    this.at = 0;
    this.apply();
    this.box.scrollTop = 0;
    this.draw(true);
    this.remember();
  }

  toggle(name) {
    const box = document.getElementById(`f-${name}`);
    if (!box) return;
    box.checked = !box.checked;
    this.set(name, box.checked ? "1" : "");
    this.focus();
  }

  // In the address, so that a link shows the same table; without a step in the browser's history for each key.
  remember() {
    this.params.delete("at");
    history.replaceState(null, "", link("items", [...this.params]));
  }

  async find() {
    const text = this.search.value.trim();
    text ? this.params.set("q", text) : this.params.delete("q");
    const mine = (this.finding = Symbol("search"));
    await new Promise((resolve) => setTimeout(resolve, 80));
    if (mine !== this.finding) return;
    const matches = text ? new Set(await getJson("/api/search", runParams(this.data.runs, { q: text }))) : null;
    if (mine !== this.finding) return;
    this.matches = matches;
    this.at = 0;
    this.apply();
    this.draw(true);
    this.remember();
  }

  apply() {
    const started = performance.now();
    const { params } = this;
    const [task, sign, group, outcome, sure] = ["task", "sign", "group", "outcome", "sure"].map((name) => params.get(name));
    const wrong = params.get("wrong") === "1", differs = params.get("differs") === "1";
    this.order = this.data.rows.filter((row) =>
      (!task || row[TASK] === task) && (!sign || row[SUBJECT] === sign) && (!group || String(row[GROUP]) === group) &&
      (!outcome || row[ANSWERS].some((answer) => answer?.[1].includes(outcome))) &&
      (!sure || row[ANSWERS].some((answer) => CONFIDENCE[sure]?.(confidence(answer)))) &&
      (!wrong || isWrong(row[ANSWERS])) && (!differs || row.differs > 0) && (!this.matches || this.matches.has(row[ITEM])));
    const column = this.columns.find(([key]) => key === this.sort.replace(/^-/, ""));
    if (column) {
      const sign = this.sort.startsWith("-") ? -1 : 1;
      const keyed = this.order.map((row) => [column[2](row), row]);
      keyed.sort(([a, one], [b, two]) => sign * (a < b ? -1 : a > b ? 1 : 0) || one.place - two.place);
      this.order = keyed.map(([, row]) => row);
    }
    this.head.querySelectorAll("[data-key]").forEach((cell) => cell.setAttribute("aria-sort", cell.dataset.key === this.sort ? "ascending" : `-${cell.dataset.key}` === this.sort ? "descending" : "none"));
    this.count.textContent = `${this.order.length.toLocaleString("en")} of ${this.data.rows.length.toLocaleString("en")}`;
    this.box.setAttribute("aria-rowcount", String(this.order.length + 1));
    this.tookMs = performance.now() - started;
    this.box.dataset.tookMs = this.tookMs.toFixed(1);
    listed.items = this.order.map((row) => row[ITEM]);
  }

  draw(anew = false) {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW_PX) - MARGIN_ROWS);
    const last = Math.min(this.order.length, first + Math.ceil(this.box.clientHeight / ROW_PX) + 2 * MARGIN_ROWS);
    if (!anew && first === this.first && last === this.last) return;
    [this.first, this.last] = [first, last];
    this.body.style.height = `${this.order.length * ROW_PX}px`;
    this.body.replaceChildren(...this.order.slice(first, last).map((row, n) => this.row(row, first + n)));
    if (!this.order.length) this.body.replaceChildren(el("p", { class: "hint" }, "No item matches the filters."));
  }

  row(row, place) {
    const title = shortTask(row[TASK]);
    const cells = {
      task: [title], sign: [words(row[SUBJECT])], video: [row[VIDEO]], group: [String(row[GROUP] + 1)], truth: [visible(row[TRUTH])],
      p: [row[ANSWERS].map((answer) => (answer?.[2] ?? null) === null ? "–" : number(answer[2])).join(" ")],
      differs: [row.differs > 0 ? `${row.differs + 1} answers` : "–"],
    };
    const isHere = place === this.at;
    const node = el("div", { class: `row${isHere ? " here" : ""}`, role: "row", "aria-rowindex": String(place + 2), "aria-selected": String(isHere), tabindex: isHere ? "0" : "-1",
      onclick: () => { this.at = place; this.open(); }, style: { transform: `translateY(${place * ROW_PX}px)` } });
    for (const [key] of this.columns) {
      const run = key.match(/^run(\d+)$/)?.[1];
      node.append(run === undefined ? el("div", { role: "gridcell", class: `c-${key}`, title: cells[key][0] }, cells[key][0]) : answerCell(row[ANSWERS][run]));
    }
    return node;
  }

  page() {
    return Math.max(1, Math.floor(this.box.clientHeight / ROW_PX) - 2);
  }

  move(step) {
    this.at = Math.min(Math.max(this.at + step, 0), Math.max(0, this.order.length - 1));
    const top = this.at * ROW_PX, view = this.box.clientHeight - 2 * ROW_PX;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top > this.box.scrollTop + view) this.box.scrollTop = top - view;
    this.draw(true);
    this.focus();
  }

  focus() {
    this.body.querySelector(".here")?.focus({ preventScroll: true });
  }

  open() {
    const row = this.order[this.at];
    if (!row) return announce("No item matches the filters.");
    listed.query = [...this.params].filter(([name]) => name !== "at");
    go("item", runParams(this.data.runs, { item: row[ITEM] }));
  }
}

function answerCell(answer) {
  if (!answer) return el("div", { role: "gridcell", class: "c-run" }, "–");
  const [text, kinds] = answer;
  return el("div", { role: "gridcell", class: "c-run", title: visible(text) }, chip(kinds), el("span", { class: "text", dir: "auto" }, visible(text)));
}

export function chip(kinds) {
  const worst = kinds.find((kind) => !RIGHT.has(kind)) ?? kinds[0] ?? "missing";
  const state = kinds.every((kind) => kind === "untested in truth") ? "none" : kinds.length && kinds.every((kind) => RIGHT.has(kind)) ? "good" : "bad";
  const mark = { good: "✓", bad: "✗", none: "○" }[state];
  return el("span", { class: `chip ${state}`, title: kinds.join(", ") }, `${mark} ${worst}${kinds.length > 1 ? " …" : ""}`);
}
