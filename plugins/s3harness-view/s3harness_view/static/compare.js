// Runs beside each other: the paired comparison of each two of them, by task.
import { el, getJson, go, link, number, runParams, setKeys, shortTask } from "./dom.js";

const WIDTH = 220;

export async function showComparison(main, params, crumbs) {
  const runs = params.getAll("run");
  document.title = `${runs.join(", ")} – Comparison`;
  crumbs(el("a", { href: "#/" }, "Runs"), " / ", el("span", {}, `${runs.join(", ")}, compared`));
  setKeys([["u", "back to the runs", () => go("")], ["i", "items of these runs", () => go("items", runParams(runs))]]);
  main.replaceChildren(el("h1", {}, `Comparison of ${runs.length} runs`), el("p", { class: "hint", role: "status" }, "Comparing patient by patient …"));
  const [data, people] = await Promise.all([getJson("/api/compare", runParams(runs)), getJson("/api/readers")]);
  main.replaceChildren(
    el("h1", {}, `Comparison of ${runs.length} runs`),
    el("p", { class: "hint" }, "On the items that all of them share. ", el("a", { href: link("items", runParams(runs, { differs: "1" })) }, "Items on which they disagree")),
    ...pairs(data.rows).map(([title, rows]) => table(title, rows, people, runs)),
    el("ul", { class: "why" }, data.notes.map((note) => el("li", {}, note))));
  main.focus({ preventScroll: true });
}

function pairs(rows) {
  const groups = new Map();
  for (const row of rows) {
    const title = `${row.first} and ${row.second}`;
    groups.set(title, [...(groups.get(title) ?? []), row]);
  }
  return [...groups];
}

function table(title, rows, people, runs) {
  const { first, second } = rows[0];
  const human = rows.some((row) => people[first]?.[row.task]);
  const heads = ["task", first, second, ...(human ? ["readers"] : []), `${second} − ${first} (95 % interval)`, `${first} better | ${second} better`, "p (Holm)", "verdict"];
  return el("section", { class: "card compared", "aria-label": title },
    el("h2", {}, title),
    el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `Table: ${title}` }, el("table", {},
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map((row) => el("tr", {},
        el("th", { scope: "row" }, el("a", { href: link("items", runParams(runs, { task: row.task, differs: "1" })) }, shortTask(row.task)), el("small", {}, row.metric)),
        el("td", {}, number(row.first_value, 3)), el("td", {}, number(row.second_value, 3)),
        human && el("td", { title: people[first]?.[row.task]?.sentence ?? "" }, number(people[first]?.[row.task]?.mean, 3)),
        el("td", {}, signed(row.difference), el("small", {}, row.low === null ? "no interval" : `${signed(row.low)} to ${signed(row.high)}`)),
        el("td", {}, whisker(row)),
        el("td", {}, row.p_adjusted === null ? "–" : row.p_adjusted < 0.001 ? "<0.001" : row.p_adjusted.toFixed(3)),
        el("td", { class: row.significant ? "sure" : "" }, row.verdict)))))));
}

function signed(value) {
  return value === null ? "–" : `${value > 0 ? "+" : ""}${number(value, 3)}`;
}

// To the right the second run is better, whichever way its metric counts.
function whisker(row) {
  // Without an interval a dot alone would look like a finding.
  if (row.difference === null || row.low === null) return null;
  const turn = row.higher_is_better ? 1 : -1;
  const ends = [row.difference, row.low, row.high].map((end) => end * turn);
  const reach = Math.max(...ends.map(Math.abs)) || 1;
  const x = (value) => `${50 + (46 * value) / reach}%`;
  const interval = el("span", { class: "reach", style: { left: x(Math.min(...ends)), right: `calc(100% - ${x(Math.max(...ends))})` } });
  return el("div", { class: "whisker", role: "img", "aria-label": `difference ${signed(row.difference)}`, style: { width: `${WIDTH}px` } },
    el("span", { class: "zero" }), interval, el("span", { class: "dot", style: { left: x(row.difference * turn) } }));
}
