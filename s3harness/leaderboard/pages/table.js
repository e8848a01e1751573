// Sorting by a click on a heading, filtering by the form above; the tables are complete without either. Of a long table
// only the first rows are laid out until more are asked for: a browser takes seconds for a thousand.
"use strict";
(() => {
  const STEP = 50;
  const form = document.querySelector("form.filters");

  const value = (row, column, kind) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    if (kind !== "number") return text.toLowerCase();
    return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
  };

  function wanted() {
    if (!form) return () => true;
    const of = Object.fromEntries([...form.querySelectorAll("[data-filter]")].map((f) => [f.dataset.filter, f.value]));
    return ({ dataset: { text, takes, open, protocol, size } }) =>
      text.toLowerCase().includes(of.text.toLowerCase()) && (!of.takes || takes === of.takes)
      && (!of.open || open === of.open) && (!of.protocol || protocol === of.protocol)
      && (!of.size || (size !== "" && Number(size) <= Number(of.size)));
  }

  class Board {
    constructor(table) {
      this.body = table.tBodies[0];
      this.rows = [...this.body.rows];
      this.isFiltered = this.rows.some((row) => row.dataset.text !== undefined);
      this.shown = STEP;
      this.more = Object.assign(document.createElement("button"), { type: "button", className: "more" });
      this.more.addEventListener("click", () => this.showAll());
      table.parentElement.after(this.more);
      for (const button of table.querySelectorAll("th button"))
        button.addEventListener("click", () => this.sort(button.closest("th"), button.dataset.kind || "text"));
    }

    sort(heading, kind) {
      const falling = heading.getAttribute("aria-sort") !== (kind === "number" ? "descending" : "ascending");
      const direction = (kind === "number") === falling ? -1 : 1;
      const keyed = this.rows.map((row) => [value(row, heading.cellIndex, kind), row]);
      keyed.sort(([a], [b]) => a === b ? 0 : a === null ? 1 : b === null ? -1 : (a < b ? -1 : 1) * direction);
      this.rows = keyed.map(([, row]) => row);
      for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", direction < 0 ? "descending" : "ascending");
      this.draw();
    }

    draw() {
      const fitting = this.isFiltered ? this.rows.filter(wanted()) : this.rows;
      this.body.replaceChildren(...fitting.slice(0, this.shown));
      this.more.hidden = fitting.length <= this.shown;
      this.more.textContent = `Show ${fitting.length - this.shown} more`;
      return fitting.length;
    }

    showAll() {
      this.shown = Infinity;
      this.draw();
    }
  }

  const boards = [...document.querySelectorAll("table[data-sortable]")].map((table) => new Board(table));
  const sum = (count) => boards.reduce((found, board) => found + count(board) * board.isFiltered, 0);
  const total = sum((board) => board.rows.length);
  function filter() {
    const fitting = sum((board) => board.draw());
    if (form) form.querySelector("[data-count]").textContent = `${fitting} of ${total}`;
  }
  addEventListener("beforeprint", () => boards.forEach((board) => board.showAll()));
  if (form) form.addEventListener("input", filter);
  if (form) form.addEventListener("submit", (event) => event.preventDefault());
  filter();
})();
