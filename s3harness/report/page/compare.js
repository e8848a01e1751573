// The list of disagreements. Everything shown comes from the JSON in the page and is set as text, never as markup.
"use strict";
(() => {
  const { names, rows } = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const STEP = 100, NEITHER = "neither";
  let limit = STEP;

  // An answer is a word, seconds, a list of events in order, or a rationale; each is shown as plain text.
  function shown(value) {
    if (value === null || value === undefined) return "no answer";
    if (typeof value === "number") return `${Math.round(value * 100) / 100} s`;
    if (typeof value === "string") return value;
    if (Array.isArray(value)) return value.map((v) => (Array.isArray(v) ? v[0] : String(v))).join(" → ") || "nothing";
    return value.present ? `${value.present}: ${value.text}` : value.text ?? JSON.stringify(value);
  }

  // A report of thousands of characters would hide the other answers; the whole text is in the tooltip.
  function cell(text, small) {
    const node = document.createElement("td");
    node.className = "text";
    node.textContent = text.length > 300 ? `${text.slice(0, 300)}…` : text;
    if (text.length > 300) node.title = text;
    if (small) {
      const more = document.createElement("small");
      more.textContent = small;
      node.append(document.createElement("br"), more);
    }
    return node;
  }

  function line(row) {
    const node = document.createElement("tr");
    const about = row.subject.replaceAll("_", " ");
    const answers = row.answers.map((answer, n) =>
      cell(`${row.best.includes(names[n]) ? "✓ " : ""}${shown(answer)}`,
        row.metric && `${row.metric} ${row.scores[n].toFixed(2)}`));
    node.append(cell(row.video_id), cell(row.task), cell(about), cell(shown(row.truth)), ...answers,
      cell(row.best.join(", ") || NEITHER));
    return node;
  }

  function draw() {
    const task = byId("task").value, best = byId("best").value, find = byId("find").value.toLowerCase();
    const fitting = rows.filter((row) => (!task || row.task === task)
      && (!best || (best === NEITHER ? !row.best.length : row.best.includes(best)))
      && (!find || `${row.video_id} ${row.subject.replaceAll("_", " ")}`.toLowerCase().includes(find)));
    byId("list").tBodies[0].replaceChildren(...fitting.slice(0, limit).map(line));
    byId("count").textContent = `${Math.min(limit, fitting.length)} of ${fitting.length} shown`;
    byId("more").hidden = fitting.length <= limit;
  }

  const options = { task: [...new Set(rows.map((row) => row.task))], best: [...names, NEITHER] };
  for (const [id, values] of Object.entries(options)) {
    byId(id).append(...values.map((value) => new Option(value)));
    byId(id).addEventListener("change", () => { limit = STEP; draw(); });
  }
  byId("find").addEventListener("input", () => { limit = STEP; draw(); });
  byId("more").addEventListener("click", () => { limit += STEP; draw(); });
  draw();
})();
