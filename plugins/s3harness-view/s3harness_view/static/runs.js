// The table of runs, live while one of them goes on.
import { announce, duration, el, getJson, go, link, number, runParams, setKeys, shortTask } from "./dom.js";

const PAUSE_MS = 2000;

export async function showRuns(main, _, crumbs) {
  document.title = "Runs – Reading room";
  crumbs();
  const chosen = new Set();
  const body = el("div", { class: "runs" });
  const compareChosen = el("button", { type: "button", class: "primary", onclick: () => compare() }, "Compare the chosen runs");
  const openChosen = el("button", { type: "button", onclick: () => open([...chosen]) }, "Items of the chosen runs");
  const filters = new Filters(() => draw(last));
  main.replaceChildren(el("h1", {}, "Runs"), el("p", { class: "hint" }, "Open a run to see its items. Choose two or more to compare them."), filters.node, body, el("div", { class: "controls" }, compareChosen, openChosen));
  let shown = "";
  let timer = 0;
  let last = { runs: [] };
  let people = {};

  const open = (names) => names.length && go("items", runParams(names));
  const compare = () => chosen.size > 1 && go("compare", runParams([...chosen]));

  function draw(data) {
    const focused = document.activeElement?.dataset?.run;
    last = data;
    filters.offer(data.runs);
    const fitting = data.runs.filter((run) => filters.fits(run));
    body.replaceChildren(...fitting.map((run) => card(run, chosen, update, people[run.name] ?? {})));
    if (!fitting.length) body.append(el("p", { class: "hint" }, "No run matches the filters."));
    update();
    const again = [...body.querySelectorAll("a.open")];
    // A filter that is being typed into keeps the focus.
    (again.find((node) => node.dataset.run === focused) ?? (shown === "" ? again[0] : null))?.focus();
  }

  function update() {
    compareChosen.disabled = chosen.size < 2;
    openChosen.disabled = chosen.size < 1;
  }

  async function look() {
    const data = await getJson("/api/runs");
    const text = JSON.stringify(data);
    if (text !== shown) {
      draw(data);
      shown = text;
      // After the page is there: readers are scored on each run's own items, which takes a moment.
      getJson("/api/readers").then((lines) => { people = lines; if (Object.keys(lines).length) draw(last); }).catch(() => {});
    }
    // A run that is not going on changes only by a command; a look now and then is enough for new ones.
    const isLive = data.runs.some((run) => run.status === "running");
    timer = setTimeout(lookWhenSeen, isLive ? PAUSE_MS : 5 * PAUSE_MS);
  }

  async function lookWhenSeen() {
    if (document.hidden) {
      document.addEventListener("visibilitychange", lookWhenSeen, { once: true });
      return;
    }
    await look().catch((error) => {
      announce(`The server does not answer: ${error.message}`);
      timer = setTimeout(lookWhenSeen, 5 * PAUSE_MS);
    });
  }

  const move = (step) => {
    const links = [...body.querySelectorAll("a.open")];
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
  };
  setKeys([
    ["j", "next run", () => move(1)],
    ["k", "previous run", () => move(-1)],
    ["ArrowDown", "next run", () => move(1)],
    ["ArrowUp", "previous run", () => move(-1)],
    ["x", "choose the run", () => document.activeElement?.closest("article")?.querySelector("input")?.click()],
    ["c", "compare the chosen runs", compare],
    ["i", "items of the chosen runs", () => open([...chosen])],
    ["/", "find a run", () => filters.find.focus()],
  ]);
  await look();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", lookWhenSeen);
  };
}

// What narrows the list: a text, and one value of what the runs differ in.
class Filters {
  constructor(changed) {
    this.find = el("input", { type: "search", id: "f-run", placeholder: "name, model", oninput: changed });
    this.kinds = { state: (run) => run.status, data: (run) => run.dataset, task: (run) => (run.scores ?? []).map((score) => shortTask(score.task)) };
    this.selects = Object.fromEntries(Object.keys(this.kinds).map((name) => [name, el("select", { id: `f-${name}`, onchange: changed }, el("option", { value: "" }, "all"))]));
    this.count = el("output", { class: "count" });
    this.node = el("form", { class: "filters", "aria-label": "Filters", hidden: true, onsubmit: (event) => event.preventDefault() },
      el("label", { for: "f-run" }, "Find", this.find),
      Object.entries(this.selects).map(([name, select]) => el("label", { for: `f-${name}` }, name[0].toUpperCase() + name.slice(1), select)), this.count);
  }

  offer(runs) {
    this.node.hidden = runs.length < 2;
    for (const [name, select] of Object.entries(this.selects)) {
      const values = [...new Set(runs.flatMap(this.kinds[name]).filter(Boolean))].sort();
      const known = [...select.options].slice(1).map((option) => option.value);
      // Drawn anew only when it changes: an open list would close.
      if (known.join() !== values.join()) {
        const value = select.value;
        select.replaceChildren(el("option", { value: "" }, "all"), ...values.map((one) => el("option", { value: one }, one)));
        select.value = values.includes(value) ? value : "";
      }
      select.parentElement.hidden = values.length < 2;
    }
    this.count.textContent = `${runs.filter((run) => this.fits(run)).length} of ${runs.length}`;
  }

  fits(run) {
    const text = [run.name, run.model, run.backend, run.protocol].join(" ").toLowerCase();
    return text.includes(this.find.value.trim().toLowerCase()) &&
      Object.entries(this.selects).every(([name, select]) => !select.value || [this.kinds[name](run)].flat().includes(select.value));
  }
}

function card(run, chosen, update, people) {
  const id = `choose-${run.name}`;
  const toggle = (event) => {
    event.target.checked ? chosen.add(run.name) : chosen.delete(run.name);
    update();
  };
  const title = el("h2", {}, el("a", { class: "open", href: link("items", runParams([run.name])), "data-run": run.name }, run.name));
  const choose = el("label", { class: "choose", for: id }, el("input", { type: "checkbox", id, checked: chosen.has(run.name), onchange: toggle }), " choose");
  if (run.error) return el("article", { class: "run" }, title, el("p", { class: "trouble" }, run.error));
  return el(
    "article",
    { class: "run" },
    el("div", { class: "head" }, title, choose),
    el("p", { class: "facts" }, [run.model, run.backend !== run.model && run.backend, run.protocol, run.dataset && `data: ${run.dataset}`].filter(Boolean).join(" · ")),
    run.sees_truth && el("p", { class: "warn" }, "Sees the truth: a yardstick, no model."),
    (run.transforms.length > 0 || run.probe) && el("p", { class: "warn" }, `Shown through ${[...run.transforms, run.probe].filter(Boolean).join(", ")}.`),
    progress(run),
    scores(run, people),
  );
}

function progress(run) {
  const done = run.answered + run.failed;
  const parts = [`${done.toLocaleString("en")} of ${run.requests.toLocaleString("en")} requests`];
  if (run.failed) parts.push(`${run.failed.toLocaleString("en")} failed`);
  if (run.status === "running") {
    parts.push(run.per_minute === null ? "measuring the rate" : `${Math.round(run.per_minute).toLocaleString("en")} a minute`);
    if (run.per_minute > 0) parts.push(`${duration((60 * (run.requests - done)) / run.per_minute)} left`);
  } else if (run.seconds) parts.push(duration(run.seconds));
  const state = run.status === "running" ? "goes on, or was stopped" : run.status;
  return el(
    "div",
    { class: "progress" },
    el("progress", { max: Math.max(run.requests, 1), value: done, "aria-label": `${run.name}: requests done` }),
    el("span", { class: `state ${run.status}` }, state),
    el("span", { class: run.failed ? "numbers bad" : "numbers" }, parts.join(" · ")),
  );
}

function short(value) {
  return number(value, Math.abs(value) >= 10 ? 1 : 2);
}

function scores(run, people) {
  if (!run.scores.length) return null;
  return el(
    "ul",
    { class: "scores", "aria-label": run.scores[0].is_final ? "Scores" : "Scores of the answers so far" },
    run.scores.map((score) => el(
      "li",
      {},
      el("span", { class: "task" }, shortTask(score.task)),
      el("strong", {}, short(score.value)),
      el("span", { class: "metric" }, score.metric),
      el("span", { class: "floor" }, score.is_final ? `floor ${short(score.floor)}, ceiling ${short(score.ceiling)}` : `${score.answered} of ${score.items} items`),
      people[score.task] && el("span", { class: "human", title: people[score.task].sentence }, `readers ${short(people[score.task].mean)} (n = ${people[score.task].n})`),
    )),
  );
}
