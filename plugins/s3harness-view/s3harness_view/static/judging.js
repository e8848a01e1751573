// Verdicts on answers and annotations. The server writes them down before they are shown as given.
import { announce, el, postJson, visible } from "./dom.js";

const VERDICTS = [["1", "right"], ["2", "wrong"], ["3", "label is wrong"], ["4", "ambiguous"]];

export class Judging {
  constructor(item, verdicts) {
    this.item = item;
    this.bars = [];
    this.given = new Map();
    for (const [run, list] of Object.entries(verdicts)) {
      for (const verdict of list) if (verdict.item === item.item) this.note(run, verdict);
    }
  }

  note(run, { target, verdict, comment }) {
    const state = this.given.get(`${run} ${target}`) ?? { comments: [] };
    if (verdict === "comment") state.comments.push(comment);
    else state.verdict = verdict === "withdrawn" ? undefined : verdict;
    this.given.set(`${run} ${target}`, state);
  }

  bar(target, run) {
    const bar = el("div", { class: "judge", role: "group", "aria-label": target === "answer" ? `Verdict on the answer of ${run}` : "Verdict on the annotation" });
    const entry = { target, run, bar };
    this.bars.push(entry);
    this.draw(entry);
    return bar;
  }

  draw(entry) {
    const state = this.given.get(`${entry.run} ${entry.target}`) ?? { comments: [] };
    const isActive = entry === this.active;
    const field = el("input", { type: "text", placeholder: "comment (5)", "aria-label": `Comment on the ${entry.target}`, maxLength: 4000, onkeydown: (event) => event.key === "Enter" && field.value && this.give(entry, "comment", field.value) });
    entry.field = field;
    entry.bar.classList.toggle("active", isActive);
    entry.bar.replaceChildren(
      ...VERDICTS.map(([key, verdict]) => el("button", { type: "button", "aria-pressed": String(state.verdict === verdict), onclick: () => this.give(entry, state.verdict === verdict ? "withdrawn" : verdict) }, verdict, isActive && el("kbd", {}, key))),
      field, ...state.comments.map((comment) => el("p", { class: "quote", dir: "auto" }, visible(comment))));
  }

  get active() {
    return this.bars[this.number] ?? this.bars.find((entry) => entry.target === "answer") ?? this.bars[0];
  }

  next() {
    this.number = (this.bars.indexOf(this.active) + 1) % this.bars.length;
    this.bars.forEach((entry) => this.draw(entry));
    this.active.bar.scrollIntoView({ block: "nearest" });
    announce(`Judging the ${this.active.target}${this.active.target === "answer" ? ` of ${this.active.run}` : ""}`);
  }

  async give(entry, verdict, comment = "") {
    const visibleNow = { truth: !document.body.classList.contains("veiled"), other_runs: this.item.runs.length > 1 };
    try {
      await postJson("/api/verdict", { run: entry.run, item: this.item.item, target: entry.target, verdict, comment, visible: visibleNow });
    } catch (error) {
      announce(`Not written: ${error.message}`);
      return;
    }
    this.note(entry.run, { target: entry.target, verdict, comment });
    this.draw(entry);
    announce(verdict === "withdrawn" ? "Verdict withdrawn" : `Written: ${verdict}`);
  }

  hideTruth(button) {
    const isVeiled = document.body.classList.toggle("veiled");
    button.textContent = isVeiled ? "show" : "hide";
  }

  keys() {
    return [
      ...VERDICTS.map(([key, verdict]) => [key, `judge: ${verdict}`, () => this.active && this.give(this.active, verdict)]),
      ["5", "judge: comment", () => this.active?.field.focus()],
    ];
  }
}
