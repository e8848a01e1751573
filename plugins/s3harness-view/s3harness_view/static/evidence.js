// What a run answered: the prompt as sent, the raw answer, how it was read, what it scored and why.
import { el, getJson, number, seconds, visible, words } from "./dom.js";
import { chip } from "./items.js";

const PART = 100_000;

export function answerCard(item, run, seek, judging) {
  const kinds = run.outcomes.map((outcome) => outcome.kind.replace("unread: ", ""));
  const value = run.prediction.value;
  return el("article", { class: "card answer", "data-run": run.name },
    el("div", { class: "head" }, el("h2", {}, run.name), chip([...new Set(kinds)])),
    el("p", { class: "value" }, el("button", { type: "button", class: "said", dir: "auto", onclick: () => seek(momentOf(run, item)) }, visible(valueText(value) ?? run.prediction.status))),
    el("ul", { class: "why" },
      run.prediction.note && el("li", { dir: "auto" }, visible(run.prediction.note)),
      run.outcomes.filter((outcome) => outcome.detail).slice(0, 40).map((outcome) => el("li", { dir: "auto" }, `${outcome.kind}: ${visible(outcome.detail)}`)),
      run.score && el("li", {}, `${run.score.metric}: ${number(run.score.value, 3)}${run.score.higher_is_better ? "" : " (less is better)"}`),
      run.prediction.probability !== null && el("li", {}, `probability of yes: ${number(run.prediction.probability, 3)}`)),
    run.transforms.length > 0 && el("p", { class: "warn" }, `Shown through ${run.transforms.join(", ")}.`),
    judging.bar("answer", run.name),
    run.requests.map((request, n) => requestBox(run, request, n, seek)));
}

function momentOf(run, item) {
  if (typeof run.prediction.value === "number") return run.prediction.value;
  return run.requests.find((request) => JSON.stringify(request.read?.value ?? "").includes("yes"))?.from_s ?? run.requests[0]?.from_s ?? item.window?.[0] ?? 0;
}

function valueText(value) {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return seconds(value);
  if (Array.isArray(value)) return value.map(words).join(", ") || "none";
  if (typeof value === "object") return [value.present ?? value.answer, value.text ?? value.justification].filter(Boolean).join(": ") || JSON.stringify(value);
  return String(value);
}

function requestBox(run, request, n, seek) {
  if (request.status === "missing") return el("p", { class: "trouble" }, `Window ${n + 1}: not answered.`);
  const title = `${seconds(request.from_s)} – ${seconds(request.to_s)}`;
  const read = request.read;
  const cost = [
    request.prompt_tokens != null && `${request.prompt_tokens} tokens in`, request.completion_tokens != null && `${request.completion_tokens} out`,
    request.latency_s != null && `${number(request.latency_s, 2)} s`, request.attempts > 1 && `${request.attempts} attempts`].filter(Boolean).join(" · ");
  return el("details", { class: "request", id: `request-${run.name}-${request.id}`, open: run.requests.length === 1 },
    el("summary", {}, el("span", { class: "when" }, title), el("span", { class: `read ${read?.status ?? request.status}` }, shortReading(request)), el("span", { class: "cost" }, cost)),
    el("button", { type: "button", onclick: () => seek(request.from_s, [request.from_s, request.to_s]) }, "Play this window"),
    request.error && el("p", { class: "trouble", dir: "auto" }, visible(request.error)),
    el("h3", {}, "Raw answer"), raw(run, request),
    read && el("h3", {}, "As the parser read it"),
    read && el("p", { class: "parsed", dir: "auto" }, `${read.status}${read.note ? ` (${visible(read.note)})` : ""}: ${visible(JSON.stringify(read.value))}`),
    Object.keys(request.probabilities).length > 0 && el("p", { class: "facts" }, Object.entries(request.probabilities).map(([choice, p]) => `p(${visible(choice)}) = ${number(p, 3)}`).join(", ")),
    el("h3", {}, "Prompt as sent"),
    request.prompt == null ? el("p", { class: "hint" }, "Not recorded by the version that made this run.") : [request.system && el("pre", { dir: "auto" }, visible(request.system)), el("pre", { dir: "auto" }, visible(request.prompt))],
    request.media && el("p", { class: "facts" }, mediaText(request.media)),
    request.settings && el("details", {}, el("summary", {}, "Settings of the call"), el("pre", {}, visible(JSON.stringify(request.settings, null, 1)))));
}

function shortReading(request) {
  if (request.read === null) return request.status;
  const text = valueText(request.read.value);
  return text === null ? request.read.status : visible(text.slice(0, 60));
}

function mediaText(media) {
  const size = media.size ? `, ${media.size[0]} × ${media.size[1]} pixels` : "";
  const many = media.times_s.length === 1 ? "1 frame" : `${media.times_s.length} frames`;
  return `${many}${media.form ? ` as ${media.form}` : ""}${size}${media.has_sound ? ", with sound" : ", without sound"}, from ${seconds(media.start_s)} to ${seconds(media.end_s)}`;
}

// A long answer comes in parts: a browser that lays out ten million characters stands still.
function raw(run, request) {
  const pre = el("pre", { dir: "auto", class: "raw", tabindex: "0", "aria-label": "Raw answer" }, visible(request.text) || "(empty)");
  if (request.text.length >= request.chars) return pre;
  let shown = request.text.length;
  const more = el("button", { type: "button", onclick: async () => {
    const part = await getJson("/api/text", [["run", run.name], ["request", request.id], ["from", shown], ["chars", PART]]);
    pre.append(visible(part));
    shown += PART;
    shown >= request.chars ? more.remove() : (more.textContent = label());
  } }, "");
  const label = () => `Show more (${shown.toLocaleString("en")} of ${request.chars.toLocaleString("en")} characters)`;
  more.textContent = label();
  return el("div", {}, pre, more);
}
