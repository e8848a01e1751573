// Sorting by a click on a heading, filtering by the form above; the tables are complete without either.
"use strict";
(() => {
  const value = (row, column, kind) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    if (kind !== "number") return text.toLowerCase();
    return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
  };

  function sort(table, heading, kind) {
    const column = heading.cellIndex;
    const falling = heading.getAttribute("aria-sort") !== (kind === "number" ? "descending" : "ascending");
    const direction = (kind === "number") === falling ? -1 : 1;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [value(row, column, kind), row]);
    rows.sort(([a], [b]) => a === b ? 0 : a === null ? 1 : b === null ? -1 : (a < b ? -1 : 1) * direction);
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction < 0 ? "descending" : "ascending");
    body.append(...rows.map(([, row]) => row));
  }

  for (const table of document.querySelectorAll("table[data-sortable]"))
    for (const button of table.querySelectorAll("th button"))
      button.addEventListener("click", () => sort(table, button.closest("th"), button.dataset.kind || "text"));

  const form = document.querySelector("form.filters");
  if (!form) return;
  const rows = [...document.querySelectorAll("table.board tbody tr[data-text]")];
  function filter() {
    const wanted = Object.fromEntries([...form.querySelectorAll("[data-filter]")].map((f) => [f.dataset.filter, f.value]));
    let shown = 0;
    for (const row of rows) {
      const { text, takes, open, protocol, size } = row.dataset;
      const fits = text.toLowerCase().includes(wanted.text.toLowerCase())
        && (!wanted.takes || takes === wanted.takes) && (!wanted.open || open === wanted.open)
        && (!wanted.protocol || protocol === wanted.protocol)
        && (!wanted.size || (size !== "" && Number(size) <= Number(wanted.size)));
      row.hidden = !fits;
      shown += fits;
    }
    form.querySelector("[data-count]").textContent = `${shown} of ${rows.length}`;
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
})();
