// Lanes over the length of the video: seizure, truth, each run's windows and moments, other signs, sound.
import { el, getJson, seconds, visible, words } from "./dom.js";
import { presence } from "./item.js";

export function lanes(item, moment, seek, player) {
  const notes = item.annotations;
  const end = Math.max(notes?.duration_s ?? 0, item.window?.[1] ?? 0, ...item.runs.flatMap((run) => run.requests.map((request) => request.to_s ?? 0)), 1);
  const at = (time) => `${(100 * Math.min(Math.max(time, 0), end)) / end}%`;
  const span = (from, to, kind, title, onclick) => el("button", { type: "button", class: `span ${kind}`, "aria-label": title, title, onclick, style: { left: at(from), width: `calc(${at(to)} - ${at(from)})` } });
  const tick = (time, kind, title) => el("button", { type: "button", class: `moment ${kind}`, "aria-label": title, title, onclick: () => seek(time), style: { left: at(time) } });
  const lane = (title, ...marks) => el("div", { class: "lane" }, el("span", { class: "name", title }, title), el("div", { class: "track", onclick: (event) => event.target === event.currentTarget && seek((event.offsetX / event.currentTarget.clientWidth) * end) }, marks));
  const rows = [];

  if (notes?.onset_s != null || notes?.offset_s != null) {
    const [from, to] = [notes.onset_s ?? 0, notes.offset_s ?? end];
    rows.push(lane("seizure", span(from, to, "seizure", `seizure from ${seconds(from)} to ${seconds(to)}`, () => seek(from))));
  }
  rows.push(el("div", { class: "veil" }, lane("annotators", truthMarks(item, span, tick, seek, end))));
  for (const run of item.runs) rows.push(lane(run.name, runMarks(run, span, tick, seek)));
  const others = (notes?.features ?? []).filter((feature) => feature.present === "yes" && feature.name !== item.subject);
  const more = others.length && el("details", { class: "others veil" }, el("summary", {}, others.length === 1 ? "1 other annotated sign" : `${others.length} other annotated signs`),
    others.map((feature) => lane(feature.title, feature.start_s === null ? span(0, end, "anytime", `${feature.title}, without times`, () => seek(0)) : span(feature.start_s, feature.end_s ?? end, "yes", `${feature.title} from ${seconds(feature.start_s)}`, () => seek(feature.start_s)))));
  const head = el("div", { class: "playhead" });
  const sound = player && el("canvas", { class: "sound", role: "img", "aria-label": "Loudness of the sound", height: 36 });
  if (sound) {
    rows.push(el("div", { class: "lane" }, el("span", { class: "name" }, "sound"), el("div", { class: "track" }, sound)));
    getJson("/api/sound", [["video", item.video]]).then((peaks) => drawSound(sound, peaks)).catch(() => sound.closest(".lane").remove());
  }
  const box = el("div", { class: "lanes" }, axis(end, at), rows, more, el("div", { class: "over" }, head));
  player?.onTime((time) => { head.style.left = at(time); });
  return box;
}

function axis(end, at) {
  const step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find((size) => end / size <= 8) ?? 3600;
  // A label at the very end would be cut off.
  const marks = Array.from({ length: Math.floor((0.96 * end) / step) + 1 }, (_, n) => el("span", { style: { left: at(n * step) } }, seconds(n * step).split(".")[0]));
  return el("div", { class: "lane axis", "aria-hidden": "true" }, el("span", { class: "name" }), el("div", { class: "track" }, marks));
}

function truthMarks(item, span, tick, seek, end) {
  const label = item.annotations?.features.find((feature) => feature.name === item.subject);
  if (typeof item.truth === "number") return tick(item.truth, "yes", `annotated at ${seconds(item.truth)}`);
  if (Array.isArray(item.truth)) return item.truth.map(([name, at]) => tick(at, "yes", `${words(name)} at ${seconds(at)}`));
  if (label?.present === "yes" && label.start_s !== null) return span(label.start_s, label.end_s ?? end, "yes", `annotated from ${seconds(label.start_s)} to ${seconds(label.end_s)}`, () => seek(label.start_s));
  const text = presence(item.truth);
  return el("span", { class: "word" }, visible(typeof text === "string" && text.length < 30 ? text : ""));
}

function runMarks(run, span, tick, seek) {
  const marks = run.requests.filter((request) => request.from_s !== undefined).map((request) => {
    const answer = presence(request.read?.value);
    const kind = answer === "yes" ? "yes" : answer === "no" || answer === "na" ? "no" : request.read?.value == null ? "lost" : "other";
    const text = typeof answer === "string" ? visible(answer.slice(0, 40)) : request.read?.status ?? request.status;
    return span(request.from_s, request.to_s, kind, `${run.name}, ${seconds(request.from_s)} to ${seconds(request.to_s)}: ${text}`, () => {
      seek(request.from_s, [request.from_s, request.to_s]);
      document.getElementById(`request-${run.name}-${request.id}`)?.scrollIntoView({ block: "nearest" });
    });
  });
  if (typeof run.prediction.value === "number") marks.push(tick(run.prediction.value, "claim", `${run.name}: ${seconds(run.prediction.value)}`));
  return marks;
}

function drawSound(canvas, peaks) {
  if (!peaks.length) return canvas.closest(".lane").remove();
  canvas.width = peaks.length;
  const context = canvas.getContext("2d");
  context.fillStyle = getComputedStyle(canvas).color;
  const most = Math.max(...peaks, 0.01);
  peaks.forEach((peak, x) => {
    const height = Math.max(1, (peak / most) * canvas.height);
    context.fillRect(x, (canvas.height - height) / 2, 1, height);
  });
}
