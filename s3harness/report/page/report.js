// The evidence timelines. Everything shown comes from the JSON in the page and is set as text, never as markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  // Pixels: names of signs to the left, outcomes to the right, time between them.
  const LEFT = 210, WIDTH = 1000, ROW = 20, RIGHT = 190;
  let current = 0, chosen = null;

  const wrong = (item) => item.wrong;
  // An item whose truth the annotators left open is neither a success nor an error.
  const stateOf = (items) => items.some(wrong) ? "wrong" : items.every((item) => item.open) ? "open" : "right";
  const MARKS = { wrong: "✗", right: "✓", open: "○" };
  const signs = new Set(data.signs.map((s) => s.name));
  // Items about one sign are shown in its lane (its rationale is left out); all others get a button.
  const isOfSign = (i) => ["feature", "boundary", "rationale"].includes(i.kind) && signs.has(i.subject);

  function make(tag, attributes, text, space) {
    const node = space ? document.createElementNS(space, tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }
  const svg = (tag, attributes, text) => make(tag, attributes, text, SVG);
  const clock = (s) => `${String(Math.floor(s / 60)).padStart(2, "0")}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
  const shown = (value) => value === null || value === undefined ? "–"
    : typeof value === "string" ? value : JSON.stringify(value);

  function lanesOf(video) {
    const lanes = new Map(data.signs.map((s) => [s.name, { sign: s, items: [] }]));
    for (const item of video.items)
      if (["feature", "boundary"].includes(item.kind) && lanes.has(item.subject)) lanes.get(item.subject).items.push(item);
    return [...lanes.values()].filter((lane) => lane.items.length);
  }

  function interval(video, lane) {
    const label = video.labels && video.labels[lane.sign.name];
    if (label && label.present === "yes") return [label.from, label.to, label.side];
    const boundary = lane.items.find((i) => i.kind === "boundary");
    return boundary ? [boundary.truth, null, null] : null;
  }

  function drawLane(video, lane, y, x, box) {
    const feature = lane.items.find((i) => i.kind === "feature");
    const boundary = lane.items.find((i) => i.kind === "boundary");
    const judged = stateOf(lane.items);
    const row = svg("g", { class: "row", tabindex: 0, role: "button" });
    const state = [...new Set(lane.items.filter((i) => i === feature || (i.kind !== "feature" && wrong(i)))
      .map((i) => i.outcome || i.status))].join(", ") || boundary.outcome;
    row.setAttribute("aria-label", `${lane.sign.title}: ${state}`);
    row.append(svg("rect", { class: "back", x: 0, y, width: WIDTH, height: ROW }));
    row.append(svg("text", { x: LEFT - 8, y: y + 14, "text-anchor": "end" }, lane.sign.title));
    const truth = interval(video, lane);
    if (feature && feature.truth === "yes" || truth) {
      const from = truth && truth[0] !== null ? truth[0] : 0;
      // An onset without an end is drawn 0.6 s long, so that it can be seen and pointed at.
      const to = truth && truth[1] ? truth[1] : truth && truth[0] !== null ? from + 0.6 : video.end;
      const bar = svg("rect", { class: "truth", x: x(from), y: y + 3, width: Math.max(3, x(to) - x(from)), height: 6,
        opacity: truth ? 1 : 0.35 });
      bar.append(svg("title", {}, `truth ${clock(from)} to ${clock(to)}${truth && truth[2] ? ", " + truth[2] : ""}`));
      row.append(bar);
    }
    for (const id of feature ? feature.requests : []) {
      const answer = data.answers[id];
      const value = answer && answer.value && (answer.value.present || answer.value.answer || answer.value);
      if (value === "yes")
        row.append(svg("rect", { class: "answered", x: x(answer.from) + 1, y: y + 11,
          width: Math.max(2, x(answer.to) - x(answer.from) - 2), height: 6 }));
    }
    if (boundary && boundary.value !== null)
      row.append(svg("line", { class: "moment", x1: x(boundary.value), x2: x(boundary.value), y1: y + 1, y2: y + ROW - 1 }));
    row.append(svg("text", { x: WIDTH - RIGHT + 10, y: y + 14, class: judged },
      `${MARKS[judged]} ${state}`));
    const open = () => showAnswers(lane.items, lane.sign.title, row);
    row.addEventListener("click", open);
    row.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); open(); } });
    box.append(row);
  }

  function draw() {
    const video = data.videos[current];
    const only = byId("only").checked;
    const lanes = lanesOf(video).filter((lane) => !only || lane.items.some(wrong));
    const height = 24 + ROW * Math.max(1, lanes.length) + 22;
    const box = svg("svg", { id: "lanes", viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": "lanes" });
    const x = (s) => LEFT + (WIDTH - LEFT - RIGHT) * Math.min(1, s / video.end);
    const borders = new Set(video.items.flatMap((i) => i.requests).map((id) => data.answers[id]).filter(Boolean)
      .flatMap((a) => [a.from, a.to]));
    for (const s of borders) box.append(svg("line", { class: "border", x1: x(s), x2: x(s), y1: 20, y2: height - 20 }));
    for (const s of video.frames || []) box.append(svg("line", { class: "frame", x1: x(s), x2: x(s), y1: 14, y2: 20 }));
    // Every five seconds, or a multiple of it in a long video, whose labels would overlap otherwise.
    for (let s = 0; s <= video.end; s += Math.max(5, Math.ceil(video.end / 50) * 5))
      box.append(svg("text", { x: x(s), y: 11, "text-anchor": "middle" }, clock(s)));
    lanes.forEach((lane, n) => drawLane(video, lane, 24 + n * ROW, x, box));
    if (!lanes.length) box.append(svg("text", { x: LEFT, y: 38 }, "No lane to show."));
    byId("timeline").replaceChildren(box);
    byId("video").value = String(current);
    byId("place").textContent = `${current + 1} of ${data.videos.length}`;
    byId("others").replaceChildren(...video.items.filter((i) => !isOfSign(i) && (!only || wrong(i))).map(button));
    byId("answers").replaceChildren();
    play(video);
    byId("stills").replaceChildren(...(data.stills[video.id] || []).map((still) => {
      const figure = make("figure");
      figure.append(make("img", { src: still.image, alt: "" }), make("figcaption", {}, clock(still.at)));
      return figure;
    }));
  }

  function button(item) {
    const name = item.kind === item.subject ? item.kind : `${item.kind}: ${item.subject.replaceAll("_", " ")}`;
    const judged = stateOf([item]);
    const node = make("button", { type: "button", class: judged }, `${MARKS[judged]} ${name}`);
    node.addEventListener("click", () => showAnswers([item], name, node));
    return node;
  }

  function showAnswers(items, title, source) {
    if (chosen) chosen.classList.remove("chosen");
    chosen = source; chosen.classList.add("chosen");
    const parts = [make("h3", {}, `${data.videos[current].id}: ${title}`)];
    for (const item of items) {
      const card = make("article");
      card.append(make("p", {}, `${item.task}, ${item.subject}: ${item.detail || item.outcome || item.status}`));
      card.append(make("pre", {}, `truth   ${shown(item.truth)}\nread as ${shown(item.value)}  (${item.status}${item.note ? "; " + item.note : ""})`));
      const listed = new Set();
      for (const id of item.requests) {
        const a = data.answers[id];
        if (!a) { card.append(make("p", { class: "wrong" }, "No answer is recorded for this request.")); continue; }
        const read = [a.status, a.read && `read: ${a.read}`, a.note, a.error].filter(Boolean).join("; ");
        card.append(make("small", {}, `${clock(a.from)}–${clock(a.to)}  ${read}`), make("pre", {}, a.text || "(no text)"));
        if (a.reasoning) card.append(reasoningOf(a));
        card.append(requestOf(a, listed));
      }
      parts.push(card);
    }
    byId("answers").replaceChildren(...parts);
  }

  // Apart from the answer, which alone is read and scored.
  function reasoningOf(answer) {
    const details = make("details");
    details.append(make("summary", {}, "reasoning"), make("pre", {}, answer.reasoning));
    return details;
  }

  // The prompt, media and settings of one answer; those listed for an earlier answer of the same item are not repeated.
  function requestOf(answer, listed) {
    const details = make("details");
    details.append(make("summary", {}, "request"));
    if (!answer.sent.length) details.append(make("p", { class: "soft" }, data.not_recorded));
    for (const id of answer.sent) {
      const record = data.sent[id];
      const text = !record ? data.not_recorded : listed.has(id) ? "Same as above." : record.text;
      details.append(make("small", {}, record ? record.kind : ""), make("pre", {}, text));
      listed.add(id);
    }
    return details;
  }

  function play(video) {
    const holder = byId("player");
    holder.replaceChildren();
    if (data.files && data.files[video.id]) holder.append(make("video", { controls: "", src: data.files[video.id] }));
  }

  const go = (step) => { current = (current + step + data.videos.length) % data.videos.length; draw(); };
  data.videos.forEach((video, n) => {
    const errors = video.items.filter(wrong).length;
    const open = video.items.filter((item) => item.open).length;
    byId("video").append(make("option", { value: n },
      `${video.id} (${errors} of ${video.items.length - open} wrong${open ? `, ${open} untested` : ""})`));
  });
  byId("video").addEventListener("change", (e) => { current = Number(e.target.value); draw(); });
  byId("only").addEventListener("change", draw);
  byId("previous").addEventListener("click", () => go(-1));
  byId("next").addEventListener("click", () => go(1));
  document.addEventListener("keydown", (e) => {
    // Shortcuts of the browser, and letters typed into a field, are not ours.
    if (e.ctrlKey || e.metaKey || e.altKey || ["SELECT", "INPUT"].includes(e.target.tagName)) return;
    if (e.key === "j") go(1);
    if (e.key === "k") go(-1);
    if (e.key === "d") { byId("only").checked = !byId("only").checked; draw(); }
  });
  // A folded part that a link leads to is opened.
  const unfold = () => {
    const part = byId(location.hash.slice(1))?.closest("details.part");
    if (part) part.open = true;
  };
  addEventListener("hashchange", unfold);
  unfold();
  if (data.videos.length) draw();
})();
