// One item: the video beside its lanes, and what each run was shown, answered, and scored.
import { announce, el, getJson, go, link, runParams, seconds, setKeys, visible, words } from "./dom.js";
import { answerCard } from "./evidence.js";
import { chip, listed } from "./items.js";
import { Judging } from "./judging.js";
import { lanes } from "./lanes.js";
import { Player } from "./player.js";

export async function showItem(main, params, crumbs) {
  const runs = params.getAll("run");
  const id = params.get("item");
  const item = await getJson("/api/item", runParams(runs, { item: id }));
  const judging = new Judging(item, await getJson("/api/verdicts", runParams(runs)));
  const moment = claimedMoment(item);
  document.title = `${item.title_of_subject}, ${item.video} – Reading room`;
  const backParams = listed.query ? [...listed.query.filter(([name]) => name !== "run"), ...runParams(runs), ["at", id]] : runParams(runs, { at: id });
  crumbs(el("a", { href: "#/" }, "Runs"), " / ", el("a", { href: link("items", backParams) }, runs.join(", ")), " / ", el("span", {}, `${item.video}, ${item.title_of_subject}`));

  const player = item.media_note ? null : new Player(item);
  const seek = (time, window) => player?.seek(time, window);
  const stage = el("section", { class: "stage", "aria-label": "Video" },
    player ? player.node : el("p", { class: "hint" }, item.media_note),
    lanes(item, moment, seek, player),
    player?.strip);
  const cards = item.runs.map((run) => answerCard(item, run, seek, judging));
  const evidence = el("section", { class: "evidence", "aria-label": "Answers" }, truth(item, judging), cards);
  main.replaceChildren(el("div", { class: "title" }, el("h1", {}, item.title_of_subject), el("p", { class: "facts" }, `${item.title} · video ${item.video} · patient ${item.group + 1}`)),
    el("div", { class: "item" }, stage, evidence));
  player?.start(moment);

  const place = listed.items.indexOf(id);
  const step = (by) => {
    const next = listed.items[place + by];
    next && place >= 0 ? go("item", runParams(runs, { item: next })) : announce(by > 0 ? "This is the last item of the list." : "This is the first item of the list.");
  };
  setKeys([
    ["j", "next item", () => step(1)],
    ["k", "previous item", () => step(-1)],
    ["u", "back to the list", () => go("items", backParams)],
    [" ", "play or pause", () => player?.toggle()],
    ["ArrowLeft", "1 s back", () => player?.nudge(-1)],
    ["ArrowRight", "1 s on", () => player?.nudge(1)],
    [",", "one frame back", () => player?.frame(-1)],
    [".", "one frame on", () => player?.frame(1)],
    ["<", "slower", () => player?.faster(-1)],
    [">", "faster", () => player?.faster(1)],
    ["l", "loop the window", () => player?.loop()],
    ["g", "go to the claimed second", () => seek(moment.at_s, moment.window)],
    ["m", "sound on or off", () => player?.mute()],
    ["a", "next answer to judge", () => judging.next()],
    ...judging.keys(),
  ]);
  document.getElementById("main").focus({ preventScroll: true });
  return () => player?.stop();
}

// The second that an answer claims: its moment, or the start of the first window that it calls positive.
export function claimedMoment(item) {
  for (const run of item.runs) {
    const first = run.requests.find((request) => request.from_s !== undefined);
    const value = run.prediction.value;
    if (typeof value === "number") return { at_s: value, window: windowOf(first) };
    const positive = run.requests.find((request) => presence(request.read?.value) === "yes");
    if (positive) return { at_s: positive.from_s, window: windowOf(positive) };
    if (first) return { at_s: truthStart(item) ?? first.from_s, window: windowOf(first) };
  }
  return { at_s: truthStart(item) ?? 0, window: item.window };
}

function windowOf(request) {
  return request ? [request.from_s, request.to_s] : null;
}

export function presence(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value.present ?? value.answer : value;
}

function truthStart(item) {
  if (typeof item.truth === "number") return item.truth;
  const label = item.annotations?.features.find((feature) => feature.name === item.subject);
  return label?.present === "yes" ? label.start_s : null;
}

export function truthText(item) {
  const value = item.truth;
  if (typeof value === "number") return seconds(value);
  if (Array.isArray(value)) return value.map(([name, at]) => `${words(name)} (${seconds(at)})`).join(", ") || "none";
  if (value !== null && typeof value === "object") return value.present ? [value.present, value.text].filter(Boolean).join(": ") : value.text ?? JSON.stringify(value);
  return String(value);
}

function truth(item, judging) {
  const label = item.annotations?.features.find((feature) => feature.name === item.subject);
  return el("article", { class: "card truth" },
    el("div", { class: "head" }, el("h2", {}, "Annotators"), el("button", { type: "button", onclick: (event) => judging.hideTruth(event.target) }, "hide")),
    el("div", { class: "veil" },
      el("p", { class: "value", dir: "auto" }, visible(truthText(item))),
      label?.start_s != null && el("p", { class: "facts" }, `from ${seconds(label.start_s)} to ${seconds(label.end_s)}${label.side ? `, ${label.side}` : ""}`),
      label?.justification && el("p", { class: "quote", dir: "auto" }, visible(label.justification))),
    judging.bar("annotation", item.runs[0]?.name));
}

export { chip };
